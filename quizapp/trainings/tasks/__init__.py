"""Background work of trainings; each module is a part of it."""

from __future__ import annotations

from quizapp.trainings.tasks import rosters

__all__ = ["rosters"]
