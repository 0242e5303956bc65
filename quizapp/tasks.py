"""All background tasks: importing this module fills `core.registry.TASKS` and `jobs.periodic.PERIODIC`. A worker does so first."""

from quizapp.jobs import tasks as jobs
from quizapp.quizzes import tasks as quizzes

__all__ = ["jobs", "quizzes"]
