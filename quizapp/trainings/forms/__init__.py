"""The forms of trainings: shapes, no rules."""

from __future__ import annotations

from quizapp.trainings.forms.after import BackFillForm, CheckOutForm, DecisionForm, EvidenceForm, NoteForm, offer
from quizapp.trainings.forms.attendees import CheckInForm, WalkInForm
from quizapp.trainings.forms.base import EmptyForm, TrainingForm
from quizapp.trainings.forms.courses import CourseForm, PlaceForm, RunForm
from quizapp.trainings.forms.registration import (
    AccountRegistrationForm,
    GuestRegistrationForm,
    NewPersonForm,
    RegisterOtherForm,
)
from quizapp.trainings.forms.sessions import AudienceForm, SessionForm

__all__ = [
    "AccountRegistrationForm",
    "AudienceForm",
    "BackFillForm",
    "CheckInForm",
    "CheckOutForm",
    "CourseForm",
    "DecisionForm",
    "EmptyForm",
    "EvidenceForm",
    "GuestRegistrationForm",
    "NewPersonForm",
    "NoteForm",
    "PlaceForm",
    "RegisterOtherForm",
    "RunForm",
    "SessionForm",
    "TrainingForm",
    "WalkInForm",
    "offer",
]
