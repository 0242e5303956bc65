"""All background tasks: importing this module fills `core.registry.TASKS` and `jobs.periodic.PERIODIC`. A worker does so first."""

from quizapp.certificates import tasks as certificates
from quizapp.jobs import tasks as jobs
from quizapp.quizzes import tasks as quizzes

__all__ = ["certificates", "jobs", "quizzes"]
