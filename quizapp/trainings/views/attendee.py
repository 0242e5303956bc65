"""What an attendee sees: scan, give name and phone, read "in" or "already in"; nothing else about who comes.

The result stands in a signed cookie that lives a quarter of an hour below the session's address: a forwarded link shows the form.
"""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.tokens import digest, new_secret, normalize_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public
from quizapp.quizzes.views.access import device_token, keep_device
from quizapp.trainings.errors import CheckInClosed, CheckInEarly, CheckInLate, SessionCancelled
from quizapp.trainings.forms import CheckInForm, EmptyForm
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.queries import find_attendance, find_by_code, get_by_code
from quizapp.trainings.services import CheckedIn, check_in, check_window
from quizapp.trainings.views import bp

#: How long a browser can look at its result again, seconds.
RESULT_SECONDS = 15 * 60
RESULT_COOKIE = "checked_in"

#: Why nobody can check in now, for the page: the class of the refusal → the page's word.
_SHUT: dict[type[DomainError], str] = {
    CheckInEarly: "early",
    CheckInLate: "late",
    CheckInClosed: "closed",
    SessionCancelled: "cancelled",
}


@bp.get("/s")
@public
def enter_code() -> str | BaseResponse | tuple[str, int]:
    """For a camera that cannot scan: type the session's code."""
    typed = request.args.get("code", "")
    if not typed:
        return render_template("trainings/enter_code.html", typed="", unknown=False)
    found = find_by_code(get_db(), typed)
    if found is None:
        return render_template("trainings/enter_code.html", typed=typed, unknown=True), 404
    return redirect(url_for("trainings.scanned", code=found.code), 302)


@bp.route("/s/<code>", methods=["GET", "POST"])
@public
def scanned(code: str) -> str | BaseResponse | tuple[str, int]:
    """What the code of a session opens: name and phone, or one button for whoever is signed in."""
    if (normal := normalize_code(code)) != code:
        if not normal:
            raise NotFound
        return redirect(url_for("trainings.scanned", code=normal), 302)
    db, now, actor = get_db(), get_now(), get_actor()
    session = get_by_code(db, code)
    by_account = actor.person_id is not None and "other" not in request.args
    form = EmptyForm() if by_account else CheckInForm()
    shut, refusal = None, None
    try:
        check_window(session, to_ms(now))
    except (CheckInEarly, CheckInLate, CheckInClosed) as error:
        shut, refusal = _SHUT[type(error)], error
    if shut is None and request.method == "POST" and form.validate():
        token = device_token() or new_secret()
        try:
            with transaction(db):
                checked = check_in(
                    db,
                    session=session,
                    name=None if by_account else form.name.data,
                    phone=None if by_account else form.phone.data,
                    device_hash=digest(token),
                    keys=get_keys(),
                    actor=actor,
                    now=now,
                )
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            response = redirect(url_for("trainings.checked_in", code=code), 303)
            _keep_result(response, session, checked, to_ms(now))
            keep_device(response, token)
            return response
    page = render_template(
        "trainings/check_in.html",
        session=session,
        form=form,
        by_account=by_account,
        account_name=actor.name,
        shut=shut,
        refusal=refusal,
    )
    if shut is not None and request.method == "POST":
        return page, 409
    return (page, 422) if form.errors else page


@bp.get("/s/<code>/in")
@public
def checked_in(code: str) -> str | BaseResponse:
    """The confirmation, readable from two metres; for the browser that checked in, for a quarter of an hour."""
    db = get_db()
    session = get_by_code(db, code)
    number, again, until, signature = ([*request.cookies.get(RESULT_COOKIE, "").split("."), "", "", ""])[:4]
    valid = (
        number.isdecimal()
        and until.isdecimal()
        and int(until) * 1000 >= to_ms(get_now())
        and get_keys().verify(signature, "checked-in", session.code, number, again, until)
    )
    attendance = find_attendance(db, session.id, int(number)) if valid else None
    if attendance is None:
        return redirect(url_for("trainings.scanned", code=session.code), 302)
    return render_template("trainings/checked_in.html", session=session, attendance=attendance, again=again == "1")


def _keep_result(response: BaseResponse, session: TrainingSession, checked: CheckedIn, now_ms: int) -> None:
    parts = (checked.attendance.id, int(checked.again), now_ms // 1000 + RESULT_SECONDS)
    signature = get_keys().sign("checked-in", session.code, *parts)
    assert isinstance(response, Response)  # noqa: S101 # what redirect() gives; tells the type checker
    response.set_cookie(
        RESULT_COOKIE,
        ".".join(map(str, (*parts, signature))),
        max_age=RESULT_SECONDS,
        path=f"/s/{session.code}",
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )


def shut_title(shut: str) -> str:
    """The bold sentence over a session that takes nobody now."""
    words = {
        "early": _("还没到签到时间"),
        "late": _("签到时间已过"),
        "closed": _("签到已经结束"),
        "cancelled": _("这一场取消了"),
    }
    return str(words[shut])


bp.add_app_template_global(shut_title)
