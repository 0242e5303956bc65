"""All background tasks: importing this module fills `core.registry.TASKS` and `jobs.periodic.PERIODIC`. A worker does so first."""

from quizapp.certificates import tasks as certificates
from quizapp.files import tasks as files
from quizapp.jobs import tasks as jobs
from quizapp.mail import tasks as mail
from quizapp.organisation import tasks as organisation
from quizapp.quizzes import tasks as quizzes
from quizapp.reports import tasks as reports
from quizapp.surveys import tasks as surveys
from quizapp.trainings import reminders
from quizapp.trainings import tasks as trainings

__all__ = [
    "certificates",
    "files",
    "jobs",
    "mail",
    "organisation",
    "quizzes",
    "reminders",
    "reports",
    "surveys",
    "trainings",
]
