"""What the pages of sessions say of a session and of an attendance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from flask import url_for
from flask_babel import gettext as _

from quizapp.core.clock import LOCAL_ZONE, from_ms, to_ms
from quizapp.core.phones import mask_phone
from quizapp.core.web import get_keys, get_now, get_runtime
from quizapp.organisation.models import Industry, Person
from quizapp.organisation.web import job_role_word
from quizapp.trainings.errors import CheckInCalledOff, CheckInClosed, CheckInEarly, CheckInLate
from quizapp.trainings.forms.sessions import tenths
from quizapp.trainings.forms.words import KIND_WORDS
from quizapp.trainings.models import (
    Attendance,
    AttendanceState,
    CheckInMethod,
    CodeMode,
    RegistrationMode,
    SessionKind,
    TrainingSession,
)
from quizapp.trainings.queries import Audience
from quizapp.trainings.queries.marks import Mark, MarkKind
from quizapp.trainings.services import check_window
from quizapp.trainings.views import bp
from quizapp.ui.filters import format_moment, is_english


def session_state(found: TrainingSession) -> str:
    """Where a session stands now: "early", "open", "late" (over, and nobody closed it), "closed" or "called_off"."""
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


def kind_word(kind: str) -> str:
    """What kind of session it is."""
    return str(KIND_WORDS[SessionKind(kind)])


def industry_word(industry: Industry) -> str:
    """An industry's name in the page's language."""
    return industry.name_en if is_english() else industry.name


def registration_mode_word(mode: str) -> str:
    """Who may register."""
    words = {
        RegistrationMode.CLOSED: _("不用报名"),
        RegistrationMode.AUDIENCE: _("对象里的人可以报名"),
        RegistrationMode.ANYONE: _("谁都可以报名"),
    }
    return str(words[RegistrationMode(mode)])


def code_mode_word(mode: str) -> str:
    """What the code at the door is."""
    return str(_("投屏动态码") if mode == CodeMode.ROTATING else _("固定海报码"))


def audience_sentence(audience: Audience) -> str:
    """What a rule means: "东岸街道及以下 · 酒店业 · 安全员"."""
    parts = [_("%(unit)s及以下", unit=audience.unit.name) if audience.unit else _("所有单位")]
    if audience.industry is not None:
        parts.append(industry_word(audience.industry))
    if audience.rule.job_role is not None:
        parts.append(job_role_word(audience.rule.job_role))
    return " · ".join(parts)


def moved_words(found: TrainingSession) -> str:
    """What was before the last change of time or place; empty where nothing changed."""
    if found.moved_at is None or found.moved_from_at is None:
        return ""
    when = format_moment(found.moved_from_at) if found.moved_from_at != found.starts_at else ""
    where = found.moved_from_place if found.moved_from_place != found.place else ""
    if when and where:
        return str(_("原来是%(when)s，在%(where)s。", when=when, where=where))
    if when:
        return str(_("原来是%(when)s开始。", when=when))
    return str(_("原来在%(where)s。", where=where) if where else _("结束时间改了。"))


def hours_word(hours_tenths: int) -> str:
    """Training hours: "1.5 学时"."""
    return str(_("%(hours)s 学时", hours=tenths(hours_tenths)))


for _word in (
    method_word,
    kind_word,
    industry_word,
    registration_mode_word,
    code_mode_word,
    audience_sentence,
    moved_words,
    hours_word,
    job_role_word,
):
    bp.add_app_template_global(_word)


def masked_phone(person: Person) -> str:
    """A number as trainers see it; empty where none was given."""
    if person.phone_encrypted is None:
        return ""
    return mask_phone(get_keys().decrypt_phone(person.phone_encrypted) or "")


def check_in_address(found: TrainingSession) -> str:
    """What the code says."""
    return f"{get_runtime().settings.public_url}{url_for('trainings.scanned', code=found.code)}"


def way_word(attendance: Attendance) -> str:
    """How an attendance came to be, back-filled ones apart by whether there is a photo of the sheet."""
    if attendance.method == CheckInMethod.BACK_FILLED:
        return str(_("补录（有佐证）") if attendance.evidence_id is not None else _("补录（无佐证）"))
    return method_word(attendance.method)


def state_word(attendance: Attendance) -> str:
    """Whether an attendance counts."""
    words = {
        AttendanceState.COUNTED: _("计入"),
        AttendanceState.PENDING: _("要确认"),
        AttendanceState.STRUCK: _("已划掉"),
        AttendanceState.UNDONE: _("已撤回"),
    }
    return str(words[AttendanceState(attendance.state)])


def reason_word(reason: str | None) -> str:
    """Why an attendance does not count (yet); a reason without a word shows its code."""
    words = {
        "after_closing": _("提交名单以后才传到"),
        "right_expired": _("扫码后太久才提交"),
        "full": _("人数已满"),
        "outside_window": _("不在签到时段内"),
        "proxy": _("代签"),
        "mistake": _("记错"),
        "other": _("其他原因"),
        "not_taken": _("没有收下"),
        "undone": _("记录时撤回"),
    }
    return str(words.get(reason or "", reason or ""))


def mark_words(marks: Iterable[Mark]) -> list[str]:
    """What a trainer should look at."""
    return [_mark_word(mark) for mark in marks]


def _mark_word(mark: Mark) -> str:
    if mark.kind is MarkKind.SAME_DEVICE:
        return str(_("一部手机签了 %(count)s 个人", count=mark.amount))
    if mark.kind is MarkKind.SLOW:
        return str(_("扫码后 %(minutes)s 分钟才签", minutes=(mark.amount or 0) // 60_000))
    return str(_("不在名册上"))


def local_moment(found: TrainingSession, clock: time) -> int:
    """A time of day at a session, ms UTC: of the day on which it begins, or of the next where the session goes on past midnight."""
    begin = from_ms(found.starts_at).astimezone(LOCAL_ZONE)
    moment = datetime.combine(begin.date(), clock, LOCAL_ZONE)
    if from_ms(found.ends_at).astimezone(LOCAL_ZONE).date() > begin.date() and to_ms(moment) < found.check_in_from:
        moment += timedelta(days=1)
    return to_ms(moment)


bp.add_app_template_global(way_word)
bp.add_app_template_global(state_word)
bp.add_app_template_global(reason_word)
bp.add_app_template_global(mark_words)
