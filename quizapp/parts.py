"""All parts of what happens across features: importing this module fills `MERGE_PERSON` and `MERGE_UNIT` of `core.registry` and the
parts of `core.privacy_parts`, a lower feature's part first."""

from quizapp.accounts import merging as accounts
from quizapp.accounts import privacy as accounts_privacy
from quizapp.certificates import merging as certificates
from quizapp.certificates import privacy as certificates_privacy
from quizapp.organisation import merging as organisation
from quizapp.organisation import privacy as organisation_privacy
from quizapp.organisation import unit_merging as organisation_units
from quizapp.practice import privacy as practice_privacy
from quizapp.quizzes import merging as quizzes
from quizapp.quizzes import privacy as quizzes_privacy
from quizapp.reports import merging as reports
from quizapp.surveys import merging as surveys
from quizapp.surveys import privacy as surveys_privacy
from quizapp.trainings import merging as trainings
from quizapp.trainings import privacy as trainings_privacy

__all__ = [
    "accounts",
    "accounts_privacy",
    "certificates",
    "certificates_privacy",
    "organisation",
    "organisation_privacy",
    "organisation_units",
    "practice_privacy",
    "quizzes",
    "quizzes_privacy",
    "reports",
    "surveys",
    "surveys_privacy",
    "trainings",
    "trainings_privacy",
]
