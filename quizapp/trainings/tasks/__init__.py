"""Background work of trainings; importing this fills the task table."""

from __future__ import annotations

from quizapp.trainings.tasks import printing, rosters

__all__ = ["printing", "rosters"]
