"""The daily quiz: five questions, the same for everybody on a local day."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.banks.models import ItemVersion
from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public
from quizapp.practice.guest_days import COOKIE, DAYS, read_days, write_days
from quizapp.practice.queries import (
    DayMark,
    daily_results,
    practice_pool,
    week_of_account,
    week_of_guest,
)
from quizapp.practice.rounds import Round, choose_daily
from quizapp.practice.services import Recorded, record_daily_answer
from quizapp.practice.views import bp
from quizapp.practice.views.playing import Play, play
from quizapp.ui.setup import optional_url


def today() -> date:
    """The local day of the request."""
    return local_date(get_now())


def guest_days() -> dict[date, str]:
    """The results by day in this browser's cookie."""
    return read_days(request.cookies.get(COOKIE), get_keys(), today())


def week_of_visitor() -> list[DayMark]:
    """The last seven days of whoever asks, today last."""
    account_id = get_actor().account_id
    if account_id is None:
        return week_of_guest(guest_days(), today())
    return week_of_account(get_db(), account_id, today())


@bp.route("/daily", methods=["GET", "POST"])
@public
def daily() -> str | BaseResponse | tuple[str, int]:
    """Today's questions from where the visitor was, then the result."""
    db, day = get_db(), today()
    account_id = get_actor().account_id
    items = choose_daily(practice_pool(db, get_now()), day)
    if not items:
        return render_template("practice/nothing.html", title=_("每日一练"))
    results = guest_days().get(day, "") if account_id is None else daily_results(db, account_id, day)
    current = Round.read(len(items), results)

    def keep(version: ItemVersion, answer: str, right: bool, place: int) -> Recorded:
        if account_id is not None:
            with transaction(db):
                return record_daily_answer(
                    db,
                    account_id=account_id,
                    day=day,
                    place=place,
                    version=version,
                    answer=answer,
                    right=right,
                    now_ms=to_ms(get_now()),
                )
        if place == len(current.results):
            g.daily_cookie = {**guest_days(), day: current.after(right).results}
        return Recorded(answer, right)

    def address(results: str | None = None, **more: Any) -> str:  # noqa: ARG001 # the results are kept, not addressed
        return url_for("practice.daily", **more)

    return play(
        Play(
            kind="daily",
            title=_("每日一练"),
            seed=day.isoformat(),
            items=items,
            round=current,
            address=address,
            close_url=optional_url("portal.home") or "/",
            again_url=url_for("practice.index"),
            keep=keep,
        )
    )


@bp.after_request
def _set_cookie(response: BaseResponse) -> BaseResponse:
    days = g.pop("daily_cookie", None)
    if days is not None:
        response.set_cookie(
            COOKIE,
            write_days(days, get_keys(), today()),
            max_age=(DAYS + 1) * 24 * 3600,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=get_runtime().settings.https,
        )
    return response
