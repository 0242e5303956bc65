"""What the pages say of a certificate and of somebody who has none yet."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from quizapp.certificates.earning import Standing, Why
from quizapp.certificates.models import Certificate
from quizapp.certificates.validity import CertificateState
from quizapp.certificates.views import bp
from quizapp.core.clock import local_date
from quizapp.core.web import get_now
from quizapp.trainings.models import CourseRun
from quizapp.ui.filters import is_english, masked_name

_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: State → colour of its chip, kind of its banner, icon.
LOOKS = {
    CertificateState.VALID: ("green", "success", "circle-check"),
    CertificateState.EXPIRED: ("amber", "attention", "clock"),
    CertificateState.REVOKED: ("red", "error", "circle-x"),
}


def certificate_state(certificate: Certificate) -> CertificateState:
    """What it is worth today."""
    return certificate.state(local_date(get_now()))


def state_word(state: CertificateState) -> str:
    """The word of a state."""
    words = {
        CertificateState.VALID: _("有效"),
        CertificateState.EXPIRED: _("已过期"),
        CertificateState.REVOKED: _("已撤销"),
    }
    return str(words[state])


def hours_figure(tenths: int) -> str:
    """Training hours as people write them: 8 or 8.5."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def full_day(value: date | int) -> str:
    """A local day with its year, whatever the year: 2026年11月23日 / 23 Nov 2026. What holds for years is never read without it."""
    day = local_date(value) if isinstance(value, int) else value
    if is_english():
        return f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def holder_word(certificate: Certificate) -> str:
    """The masked name, or what stands in its place once the person's data is erased."""
    name = certificate.person.name.strip()
    return masked_name(name) if name else str(_("持证人凭编号核验"))


def why_words(standing: Standing) -> str:
    """What is missing, in a line."""
    words = {
        Why.NO_NAME: _("没有姓名"),
        Why.NO_CHECK_OUT: _("有场次没签退"),
        Why.MISSED: _("缺了场次"),
        Why.HOURS_SHORT: _("学时不够"),
        Why.NOT_CLOSED: _("还有场次没结束"),
    }
    return str(_("、")).join(str(words[why]) for why in standing.why)


def rule_words(run: CourseRun) -> str:
    """What the run asks."""
    if run.hours_needed_tenths is None:
        return str(_("每一场都到"))
    return str(_("满 %(hours)s 学时", hours=hours_figure(run.hours_needed_tenths)))


def validity_words(run: CourseRun) -> str:
    """How long its certificates hold."""
    if run.certificate_months is None:
        return str(_("长期有效"))
    return str(_("从最后一场起 %(months)s 个月", months=run.certificate_months))


bp.add_app_template_global(certificate_state)
bp.add_app_template_global(state_word, "certificate_state_word")
bp.add_app_template_global(LOOKS.__getitem__, "certificate_look")
bp.add_app_template_global(hours_figure)
bp.add_app_template_global(full_day)
bp.add_app_template_global(holder_word)
bp.add_app_template_global(why_words)
