"""Reminders by mail: what they say, and the turns in which they are written down.

They go to whoever gave an address with their registration, and only where a mail server is set; the same words stand on the page in
any case.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.clock import LOCAL_ZONE, from_ms, local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.jobs.periodic import every
from quizapp.jobs.worker import JobContext
from quizapp.mail.letters import Letter, Question, Words, composes
from quizapp.trainings.models import Registration, TrainingSession
from quizapp.trainings.services import reminding

#: Seconds between two turns.
REMINDING_SECONDS = 60

_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@every(REMINDING_SECONDS)
@task("remind_of_sessions")
def remind_of_sessions(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Let waiting lists move up where a place is free, write down the mails that are due, forget addresses of sessions that are over."""
    counts = {"moved_up": 0, "mails": 0}
    with context.session() as db:
        for session_id in reminding.sessions_with_free_places(db, to_ms(context.now())):
            with transaction(db):
                counts["moved_up"] += reminding.fill_places(db, session_id, now=context.now())
        with transaction(db):
            if context.settings.sends_mail:
                counts["mails"] = reminding.queue_reminders(db, now=context.now())
            reminding.forget_addresses(db, now=context.now())
    return counts


def when(starts_at: int, ends_at: int, words: Words) -> str:
    """2026年11月27日 周五 14:00–15:30 / Fri 27 Nov 2026, 14:00–15:30."""
    begin, end = (from_ms(moment).astimezone(LOCAL_ZONE) for moment in (starts_at, ends_at))
    last = f"{end:%H:%M}" if begin.date() == end.date() else f"{_day(end, words)} {end:%H:%M}"
    return f"{_day(begin, words)}{', ' if words.english else ' '}{begin:%H:%M}–{last}"


def _day(moment: datetime, words: Words) -> str:
    if words.english:
        return f"{_WEEKDAYS_EN[moment.weekday()]} {moment.day} {_MONTHS_EN[moment.month - 1]} {moment.year}"
    return f"{moment.year}年{moment.month}月{moment.day}日 周{'一二三四五六日'[moment.weekday()]}"


def _rows(db: Session, question: Question, kind: str) -> tuple[Registration, TrainingSession] | None:
    registration = db.get(Registration, question.about_id)
    if registration is None:
        return None
    session = db.get_one(TrainingSession, registration.session_id)
    if not reminding.mail_still_holds(registration, session, kind, question.mark, question.now):
        return None
    return registration, session


def _facts(session: TrainingSession, question: Question, _: Words) -> str:
    return "\n".join(
        (
            _("培训：%(title)s", title=session.title),
            _("时间：%(time)s", time=when(session.starts_at, session.ends_at, _)),
            _("地点：%(place)s", place=session.place),
            "",
            _("详情、取消报名：%(url)s", url=f"{question.public_url}/t/{session.page_code}"),
            "",
            _("您报名时留了这个邮箱。培训结束后邮箱就删除，不作他用。"),
        )
    )


@composes(reminding.REMINDER)
def tomorrow(question: Question, _: Words) -> Letter | None:
    """The day before; on the day itself when the server could not be reached earlier."""
    rows = _rows(question.db, question, reminding.REMINDER)
    if rows is None:
        return None
    session = rows[1]
    clock = f"{from_ms(session.starts_at).astimezone(LOCAL_ZONE):%H:%M}"
    if local_date(session.starts_at) == local_date(question.now):
        subject = _("提醒：今天 %(clock)s %(title)s", clock=clock, title=session.title)
    else:
        subject = _("提醒：明天 %(clock)s %(title)s", clock=clock, title=session.title)
    return Letter(subject, _facts(session, question, _))


@composes(reminding.MOVED)
def moved(question: Question, _: Words) -> Letter | None:
    """Time or place changed."""
    rows = _rows(question.db, question, reminding.MOVED)
    if rows is None:
        return None
    session = rows[1]
    lines = [_("这场培训有变动，请按新的时间和地点来。")]
    if session.moved_from_at is not None and session.moved_from_at != session.starts_at:
        begin = from_ms(session.moved_from_at).astimezone(LOCAL_ZONE)
        lines.append(_("原定时间：%(time)s", time=f"{_day(begin, _)} {begin:%H:%M}"))
    if session.moved_from_place and session.moved_from_place != session.place:
        lines.append(_("原定地点：%(place)s", place=session.moved_from_place))
    text = "\n".join([*lines, "", _facts(session, question, _)])
    return Letter(_("时间或地点改了：%(title)s", title=session.title), text)


@composes(reminding.PROMOTED)
def place_found(question: Question, _: Words) -> Letter | None:
    """Moved up from the waiting list."""
    rows = _rows(question.db, question, reminding.PROMOTED)
    if rows is None:
        return None
    first = _("前面有人取消，您已递补，有位了。来不了请早些取消，让给后面的人。")
    return Letter(_("有位了：%(title)s", title=rows[1].title), f"{first}\n\n{_facts(rows[1], question, _)}")


@composes(reminding.CALLED_OFF)
def called_off(question: Question, _: Words) -> Letter | None:
    """Called off."""
    rows = _rows(question.db, question, reminding.CALLED_OFF)
    if rows is None:
        return None
    first = _("这场培训取消了，不用去了。")
    return Letter(_("取消了：%(title)s", title=rows[1].title), f"{first}\n\n{_facts(rows[1], question, _)}")
