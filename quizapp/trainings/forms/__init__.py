"""The forms of trainings: shapes, no rules."""

from __future__ import annotations

from quizapp.trainings.forms.attendees import CheckInForm, WalkInForm
from quizapp.trainings.forms.base import EmptyForm, TrainingForm
from quizapp.trainings.forms.registration import (
    AccountRegistrationForm,
    GuestRegistrationForm,
    NewPersonForm,
    RegisterOtherForm,
)
from quizapp.trainings.forms.sessions import SessionForm

__all__ = [
    "AccountRegistrationForm",
    "CheckInForm",
    "EmptyForm",
    "GuestRegistrationForm",
    "NewPersonForm",
    "RegisterOtherForm",
    "SessionForm",
    "TrainingForm",
    "WalkInForm",
]
