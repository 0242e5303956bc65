"""What the pages of sessions say of a session and of an attendance."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _

from quizapp.core.clock import to_ms
from quizapp.core.phones import mask_phone
from quizapp.core.web import get_keys, get_now, get_runtime
from quizapp.organisation.models import Person
from quizapp.trainings.errors import CheckInCalledOff, CheckInClosed, CheckInEarly, CheckInLate
from quizapp.trainings.models import CheckInMethod, TrainingSession
from quizapp.trainings.services import check_window
from quizapp.trainings.views import bp


def session_state(found: TrainingSession) -> str:
    """Where a session stands now: "early", "open", "late", "closed" or "called_off"."""
    try:
        check_window(found, to_ms(get_now()))
    except CheckInCalledOff:
        return "called_off"
    except CheckInClosed:
        return "closed"
    except CheckInEarly:
        return "early"
    except CheckInLate:
        return "late"
    return "open"


def method_word(method: str) -> str:
    """How somebody was checked in."""
    words = {
        CheckInMethod.ROTATING: _("扫码"),
        CheckInMethod.POSTER: _("扫海报"),
        CheckInMethod.PERSONAL: _("个人码"),
        CheckInMethod.BY_HAND: _("补登"),
        CheckInMethod.BACK_FILLED: _("补录"),
    }
    return str(words[CheckInMethod(method)])


bp.add_app_template_global(method_word)


def masked_phone(person: Person) -> str:
    """A number as trainers see it; empty where none was given."""
    if person.phone_encrypted is None:
        return ""
    return mask_phone(get_keys().decrypt_phone(person.phone_encrypted) or "")


def check_in_address(found: TrainingSession) -> str:
    """What the code says."""
    return f"{get_runtime().settings.public_url}{url_for('trainings.scanned', code=found.code)}"
