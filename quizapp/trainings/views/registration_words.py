"""What pages say of registrations: states, ways, audiences."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.organisation.models import JobRole
from quizapp.trainings.models import RegistrationState, RegistrationVia
from quizapp.trainings.queries.registrations import AudiencePart
from quizapp.trainings.views import bp
from quizapp.ui.filters import is_english

JOB_ROLE_WORDS = {
    JobRole.HEAD: _l("单位负责人"),
    JobRole.SAFETY_OFFICER: _l("安全员"),
    JobRole.MARKET_MANAGER: _l("市场管理人员"),
    JobRole.CREW: _l("班组人员"),
    JobRole.SPECIAL_OPERATOR: _l("特种作业人员"),
    JobRole.HOTEL_STAFF: _l("宾馆饭店人员"),
    JobRole.ENTERTAINMENT_STAFF: _l("娱乐场所人员"),
    JobRole.DRIVER: _l("驾驶员"),
    JobRole.COMMUNITY_STAFF: _l("社区工作人员"),
    JobRole.WORKER: _l("一线职工"),
    JobRole.RESIDENT: _l("居民"),
}


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
        str(JOB_ROLE_WORDS[part.job_role]) if part.job_role else None,
    ]
    return " · ".join(word for word in words if word) or _("所有人")


bp.add_app_template_global(registration_word)
bp.add_app_template_global(via_word)
bp.add_app_template_global(audience_word)
