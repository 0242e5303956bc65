"""What an attendee sees: scan, give name and phone, read "in" or "already in"; nothing else about who comes.

A poster's code opens the form. A rotating code is exchanged at once for a right in a cookie of this browser, and only that opens the form:
the bare address of a session shows what, when and where, and how one checks in.
"""

from __future__ import annotations

from typing import Any, cast

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import throttle
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound, TooMany
from quizapp.core.tokens import digest, new_secret, normalize_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public
from quizapp.organisation.web import PickedUnit
from quizapp.quizzes.views.access import device_token, guess_subjects, keep_device
from quizapp.trainings.errors import CodeElsewhere, CodeOutdated, PersonalCodeUnknown, RightNeeded
from quizapp.trainings.forms import CheckInForm, EmptyForm
from quizapp.trainings.models import CodeMode, TrainingSession
from quizapp.trainings.queries import (
    find_attendance,
    find_by_code,
    get_by_code,
    open_rotating_sessions,
    right_is_used,
)
from quizapp.trainings.rotating import LENGTH, Right, find_fresh, is_fresh
from quizapp.trainings.services import check_in, check_out, check_out_from, check_window, offers_check_out
from quizapp.trainings.views import bp
from quizapp.trainings.views.door import (
    Kept,
    form_is_ours,
    give_device,
    keep_result,
    keep_right,
    result_here,
    right_here,
)
from quizapp.trainings.views.door_words import DoorWords, door_words
from quizapp.ui.words import words_for

Page = str | BaseResponse | tuple[str, int]


@bp.get("/s")
@public
def enter_code() -> Page:
    """For a camera that cannot scan: type the code of a session, or the one that the projector shows now."""
    typed = request.args.get("code", "")
    if not typed:
        return render_template("trainings/enter_code.html", typed="", unknown=False, wait=None)
    db, now, keys = get_db(), get_now(), get_keys()
    guesses: dict[str, Any] = {"keys": keys, "kind": "check_in", "subjects": guess_subjects(typed)}
    try:
        throttle.check(db, **guesses, token=request.args.get("not_before"), now=now)
    except TooMany as refusal:
        wait = throttle.Delay(cast("int", refusal.data["wait_seconds"]), cast("str", refusal.data["token"]))
        page = render_template(
            "trainings/enter_code.html", typed=typed, unknown=False, wait=wait, refusal=words_for(refusal)
        )
        return page, refusal.status
    found = find_by_code(db, typed)
    if found is not None:
        return redirect(url_for("trainings.scanned", code=found.code), 302)
    found = find_fresh(keys, open_rotating_sessions(db, to_ms(now)), typed, to_ms(now))
    if found is not None:
        return _exchanged(found)
    wait = throttle.record_failure(db, **guesses, now=now)
    return render_template("trainings/enter_code.html", typed=typed, unknown=True, wait=wait), 404


@bp.get("/s/<code>/<token>")
@public
def opened(code: str, token: str) -> Page:
    """What the rotating code opens: it is exchanged at once for a right of this browser; an old one says so."""
    db, now_ms = get_db(), to_ms(get_now())
    session = get_by_code(db, code)
    if len(normalize_code(token)) != LENGTH or session.code_mode != CodeMode.ROTATING:
        raise NotFound
    if is_fresh(get_keys(), session.code, token, now_ms):
        return _exchanged(session)
    elsewhere = find_fresh(get_keys(), open_rotating_sessions(db, now_ms), token, now_ms)
    return _refused(session, CodeElsewhere() if elsewhere else CodeOutdated())


def _exchanged(session: TrainingSession) -> BaseResponse:
    response = redirect(url_for("trainings.scanned", code=session.code), 303)
    response.headers["Cache-Control"] = "no-store"
    keep_right(response, Right.new(session.code, to_ms(get_now())))
    give_device(response)
    return response


@bp.route("/s/<code>", methods=["GET", "POST"])
@public
def scanned(code: str) -> Page:
    """What the code of a session opens: name and phone, or one button for whoever is signed in."""
    if (normal := normalize_code(code)) != code:
        if not normal:
            raise NotFound
        return redirect(url_for("trainings.scanned", code=normal), 302)
    session = get_by_code(get_db(), code)
    if request.method == "POST":
        return _pressed(session, right_here(code, to_ms(get_now())))
    return _opened_page(session)


@bp.route("/s/<code>/check-in", methods=["GET", "POST"])
@public
def check_in_by_right(code: str) -> Page:
    """Name and phone with a right; what the quick door leaves to us. The form carries the right's signature."""
    session = get_by_code(get_db(), code)
    right = right_here(session.code, to_ms(get_now()))
    if request.method != "POST":
        return redirect(url_for("trainings.scanned", code=session.code), 302)
    if right is None or not form_is_ours(get_keys(), right, request.form.get("form_token", "")):
        return _refused(session, RightNeeded())
    return _pressed(session, right)


@bp.get("/s/<code>/in")
@public
def checked_in(code: str) -> Page:
    """The confirmation, readable from two metres; for the browser that checked in, for a quarter of an hour."""
    db, now_ms = get_db(), to_ms(get_now())
    session = get_by_code(db, code)
    kept = result_here(session.code, now_ms)
    attendance = find_attendance(db, session.id, kept.attendance_id) if kept and kept.shown(now_ms) else None
    if kept is None or attendance is None:
        return redirect(url_for("trainings.scanned", code=session.code), 302)
    return render_template(
        "trainings/checked_in.html",
        session=session,
        attendance=attendance,
        kind=kept.kind,
        check_out_from=check_out_from(session),
    )


def _opened_page(session: TrainingSession) -> Page:
    """The form, or what stands in its place."""
    db, now_ms = get_db(), to_ms(get_now())
    right = right_here(session.code, now_ms)
    try:
        check_window(session, now_ms)
    except DomainError as error:
        # a form that was opened in time may still be pressed; it is only not opened anew
        return _shown(session, _form(), words=door_words(error), shut=error)
    if session.code_mode == CodeMode.ROTATING:
        if right is None:
            return _shown(session, _form())
        if right.expired(now_ms) or right_is_used(db, session.id, right):
            return _shown(session, _form(), words=door_words(RightNeeded()))
    return _shown(session, _form(), right=right, open_form=True)


def _form() -> CheckInForm | EmptyForm:
    by_account = get_actor().person_id is not None and "other" not in request.args
    return _guarded(EmptyForm if by_account else CheckInForm)


def _guarded(kind: type[CheckInForm | EmptyForm]) -> CheckInForm | EmptyForm:
    # the guard of all forms, or the signature of the right, has been checked before
    return kind(meta={"csrf": False})


def _pressed(session: TrainingSession, right: Right | None) -> Page:
    """Somebody pressed the button: check in, or out."""
    db, now, keys = get_db(), get_now(), get_keys()
    rotating = session.code_mode == CodeMode.ROTATING
    right = right if rotating else None
    out = request.form.get("action") == "out"
    kept = result_here(session.code, to_ms(now)) if out and "other" not in request.args else None
    form = _guarded(EmptyForm) if kept else _form()
    fields = form if isinstance(form, CheckInForm) else None
    unit = PickedUnit.read(db, fields.unit_id) if fields is not None else None
    if (unit is not None and unit.searching) or not form.validate():
        return _shown(session, form, right=right, open_form=True, unit=unit)
    who: dict[str, Any] = {
        "name": fields.name.data if fields is not None else None,
        "phone": fields.phone.data if fields is not None else None,
        "personal_code": (fields.personal_code.data or None) if fields is not None else None,
    }
    guesses: dict[str, Any] = {
        "keys": keys,
        "kind": "personal_code",
        "subjects": guess_subjects(who["personal_code"] or ""),
    }
    token = device_token() or new_secret()
    common: dict[str, Any] = {"session": session, "keys": keys, "actor": get_actor(), "right": right, "now": now}
    try:
        if who["personal_code"]:
            throttle.check(db, **guesses, token=request.form.get("not_before"), now=now)
        with transaction(db):
            if out:
                attendance = check_out(db, attendance_id=kept.attendance_id if kept else None, **who, **common)
                kind = "out"
            else:
                unit_id = unit.unit_id if unit is not None else None
                checked = check_in(db, device_hash=digest(token), unit_id=unit_id, **who, **common)
                attendance = checked.attendance
                kind = "pending" if checked.pending else "again" if checked.again else "in"
    except DomainError as error:
        db.rollback()
        if isinstance(error, PersonalCodeUnknown):
            throttle.record_failure(db, **guesses, now=now)
        if isinstance(error, TooMany):
            error.data["field"] = "personal_code"
        if fields is not None and fields.show(error):
            return _shown(session, form, right=right, open_form=True, unit=unit)
        return _refused(session, error)
    response = redirect(url_for("trainings.checked_in", code=session.code), 303)
    keep_result(response, get_runtime(), session.code, Kept(attendance.id, kind, to_ms(now)))
    keep_device(response, token)
    return response


def _refused(session: TrainingSession, error: DomainError) -> Page:
    """A refusal that stands for itself, over what, when and where."""
    words = door_words(error)
    if words is None:
        raise error
    return cast("str", _shown(session, _form(), words=words)), error.status


def _shown(
    session: TrainingSession,
    form: CheckInForm | EmptyForm,
    *,
    right: Right | None = None,
    open_form: bool = False,
    words: DoorWords | None = None,
    shut: DomainError | None = None,
    unit: PickedUnit | None = None,
) -> Page:
    by_account = isinstance(form, EmptyForm)
    now_ms = to_ms(get_now())
    leaving = open_form and offers_check_out(session, now_ms)
    kept = result_here(session.code, now_ms) if leaving and "other" not in request.args else None
    mine = find_attendance(get_db(), session.id, kept.attendance_id) if kept else None
    page = render_template(
        "trainings/check_in.html",
        session=session,
        form=form,
        unit=unit or (PickedUnit.read(get_db(), form.unit_id) if isinstance(form, CheckInForm) else None),
        by_account=by_account,
        account_name=get_actor().name,
        open_form=open_form,
        form_token=right.form_token(get_keys()) if right is not None and not by_account and mine is None else None,
        rotating=session.code_mode == CodeMode.ROTATING,
        words=words,
        shut=shut.code if shut else "",
        leaving=leaving,
        mine=mine,
    )
    return (page, 422) if form.errors else page


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
