"""The summary of a session: the figures, what is missing, and handing the list over."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.forms import EmptyForm
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.queries.attendance import Arrival
from quizapp.trainings.queries.lists import evidence_of, expected_people, full_list, unit_figures
from quizapp.trainings.queries.marks import marks
from quizapp.trainings.queries.numbers import numbers_of
from quizapp.trainings.services import close_session, reopen_session
from quizapp.trainings.views import bp
from quizapp.trainings.views.lists import figure_words, hours_of, split_list


@bp.get("/sessions/<int:session_id>/summary")
@requires(Permission.RUN_SESSIONS)
def summary(session_id: int) -> str:
    """What was planned, who came, how that is known; what is still missing before the list is handed over."""
    db, now_ms = get_db(), to_ms(get_now())
    found = queries.get_session(db, get_scope(), session_id)
    everybody = full_list(db, found.id)
    came, others = split_list(everybody)
    units = unit_figures(expected_people(db, found.id), everybody)
    figures = figure_words(numbers_of(db, found.id))
    return render_template(
        "trainings/summary.html",
        session=found,
        numbers=numbers_of(db, found.id),
        figures=figures[:6],
        ways=figures[6:],
        units=units,
        others=others,
        hours=f"{sum(hours_of(found, row.attendance) for row in came) / 10:g}",
        checks=_missing(found, everybody),
        over=now_ms >= found.ends_at,
        form=EmptyForm(),
    )


def _missing(found: TrainingSession, everybody: list[Arrival]) -> list[dict[str, Any]]:
    """What a trainer should see to before the list is handed over; nothing of it holds the list up."""
    db = get_db()
    came, others = split_list(everybody)
    marked = marks(db, found.id)
    pending = sum(row.attendance.state == "pending" for row in others)
    unlooked = sum(row.attendance.decided_at is None and row.attendance.id in marked for row in came)
    unsure = sum(row.attendance.method == "back_filled" and row.attendance.evidence_id is None for row in came)
    rows = [
        (pending, _("待确认的签到"), _("收下或不收，否则不计入"), _("%(count)s 条", count=pending)),
        (unlooked, _("要看的签到"), _("在名单里点“确认”或“划掉”"), _("%(count)s 条", count=unlooked)),
    ]
    if found.check_out:
        out = sum(row.attendance.checked_out_at is None for row in came)
        rows.append((out, _("没有签退的人"), _("没有签退，没有学时"), _("%(count)s 人", count=out)))
    photos = len(evidence_of(db, found.id))
    rows.append((not photos, _("照片佐证"), _("还没有照片，传一张签到表或现场的"), _("%(count)s 张", count=photos)))
    rows.append((unsure, _("补录没有佐证的人"), _("传一张签到表照片就有了"), _("%(count)s 人", count=unsure)))
    return [
        {"state": "look" if missing else "ok", "text": text, "reason": reason if missing else "", "value": value}
        for missing, text, reason, value in rows
    ]


@bp.post("/sessions/<int:session_id>/submit")
@requires(Permission.RUN_SESSIONS)
def submit(session_id: int) -> BaseResponse:
    """Hand the list over: the session is closed, its list frozen."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        close_session(db, session=found, actor=get_actor(), now=get_now())
    flash(_("签到表已提交，名单不再变动"), "success")
    return redirect(url_for("trainings.summary", session_id=session_id), 303)


@bp.post("/sessions/<int:session_id>/take-back")
@requires(Permission.RUN_SESSIONS)
def take_back(session_id: int) -> BaseResponse:
    """Open a closed session again; the log says so."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        reopen_session(db, session=found, actor=get_actor(), now=get_now())
    flash(_("已重新开放，改好了请再提交"), "success")
    return redirect(url_for("trainings.summary", session_id=session_id), 303)
