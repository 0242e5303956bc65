"""All tables, for migrations and tests: importing this module fills `Base.metadata`."""

from quizapp.accounts import models as accounts
from quizapp.audit import models as audit
from quizapp.banks import models as banks
from quizapp.certificates import models as certificates
from quizapp.core.db import Base
from quizapp.files import models as files
from quizapp.jobs import models as jobs
from quizapp.mail import models as mail
from quizapp.organisation import models as organisation
from quizapp.practice import models as practice
from quizapp.quizzes import models as quizzes
from quizapp.quizzes.rescoring import models as rescoring
from quizapp.reports import models as reports
from quizapp.surveys import models as surveys
from quizapp.trainings import models as trainings

__all__ = [
    "Base",
    "accounts",
    "audit",
    "banks",
    "certificates",
    "files",
    "jobs",
    "mail",
    "organisation",
    "practice",
    "quizzes",
    "reports",
    "rescoring",
    "surveys",
    "trainings",
]
