"""What pages say of registrations: states, ways, audiences."""

from __future__ import annotations

from flask_babel import gettext as _

from quizapp.organisation.web import job_role_word
from quizapp.trainings.models import RegistrationState, RegistrationVia
from quizapp.trainings.queries.registrations import AudiencePart
from quizapp.trainings.views import bp
from quizapp.ui.filters import is_english


def registration_word(state: str) -> str:
    """Where a registration stands."""
    words = {
        RegistrationState.REGISTERED: _("已报名"),
        RegistrationState.WAITING: _("候补"),
        RegistrationState.CANCELLED: _("已取消"),
    }
    return str(words[RegistrationState(state)])


def via_word(via: str) -> str:
    """Who registered."""
    words = {
        RegistrationVia.SELF: _("本人"),
        RegistrationVia.LIAISON: _("单位代报"),
        RegistrationVia.TRAINER: _("老师代报"),
    }
    return str(words[RegistrationVia(via)])


def audience_word(part: AudiencePart) -> str:
    """One rule in words: unit, industry, job."""
    unit, industry = part.unit, part.industry
    english = is_english()
    words = [
        (unit.name_en if english and unit.name_en else unit.name) if unit else None,
        (industry.name_en if english and industry.name_en else industry.name) if industry else None,
        job_role_word(part.job_role),
    ]
    return " · ".join(word for word in words if word) or _("所有人")


bp.add_app_template_global(registration_word)
bp.add_app_template_global(via_word)
bp.add_app_template_global(audience_word)
