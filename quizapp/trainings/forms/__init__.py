"""The forms of trainings: shapes, no rules."""

from __future__ import annotations

from quizapp.trainings.forms.after import BackFillForm, CheckOutForm, DecisionForm, EvidenceForm, NoteForm, offer
from quizapp.trainings.forms.attendees import CheckInForm, WalkInForm
from quizapp.trainings.forms.base import EmptyForm, TrainingForm
from quizapp.trainings.forms.sessions import SessionForm

__all__ = [
    "BackFillForm",
    "CheckInForm",
    "CheckOutForm",
    "DecisionForm",
    "EmptyForm",
    "EvidenceForm",
    "NoteForm",
    "SessionForm",
    "TrainingForm",
    "WalkInForm",
    "offer",
]
