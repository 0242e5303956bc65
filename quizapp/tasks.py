"""All background tasks: importing this module fills `core.registry.TASKS` and `jobs.periodic.PERIODIC`. A worker does so first."""

from quizapp.jobs import tasks as jobs
from quizapp.mail import tasks as mail
from quizapp.quizzes import tasks as quizzes
from quizapp.trainings import reminders

__all__ = ["jobs", "mail", "quizzes", "reminders"]
