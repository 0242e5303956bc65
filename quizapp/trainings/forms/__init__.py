"""The forms of trainings: shapes, no rules."""

from __future__ import annotations

from quizapp.trainings.forms.attendees import CheckInForm, WalkInForm
from quizapp.trainings.forms.base import EmptyForm, TrainingForm
from quizapp.trainings.forms.sessions import SessionForm

__all__ = ["CheckInForm", "EmptyForm", "SessionForm", "TrainingForm", "WalkInForm"]
