"""The public page of a session: what, when, where, for whom; register, look at one's registration, give the place up.

A guest gets a link with 128 bits; the browser keeps it in a cookie below the session's address, several of them where a family shares a
phone. Whoever opens the link in another browser gets the same cookie there, and the secret leaves the address bar at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.tokens import digest, new_secret, normalize_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public
from quizapp.mail.services import seal_address
from quizapp.trainings.errors import CheckInCalledOff, RegistrationClosed, RegistrationOver
from quizapp.trainings.forms import AccountRegistrationForm, EmptyForm, GuestRegistrationForm
from quizapp.trainings.models import Registration, RegistrationMode, TrainingSession
from quizapp.trainings.notices import notices_of
from quizapp.trainings.queries.registrations import (
    STANDING,
    audience_of,
    find_by_secrets,
    find_registration,
    get_by_page,
    is_invited,
    place_in_line,
    places_of,
)
from quizapp.trainings.services.registering import (
    Reminders,
    cancel_own,
    check_open,
    note_seen,
    register_account,
    register_guest,
)
from quizapp.trainings.views import bp
from quizapp.ui.preferences import html_lang
from quizapp.ui.words import words_for

COOKIE = "registered"
#: Registrations that one browser keeps for a session.
MOST_KEPT = 8
#: How long after a session a browser can still open them, seconds.
KEPT_AFTER = 30 * 24 * 3600

#: Why nobody can register now: the class of the refusal → the page's word.
_SHUT: dict[type[DomainError], str] = {
    RegistrationClosed: "closed",
    RegistrationOver: "over",
    CheckInCalledOff: "called_off",
}


@dataclass(frozen=True)
class Own:
    """A registration that this browser may look at and cancel."""

    registration: Registration
    #: Its place in the line; None for one who does not wait.
    place: int | None
    #: The guest's secret, where this browser holds it.
    secret: str | None


@bp.route("/t/<code>", methods=["GET", "POST"])
@public
def public_session(code: str) -> str | BaseResponse | tuple[str, int]:
    """A session for everybody, and the registration for it."""
    if (normal := normalize_code(code)) != code:
        if not normal:
            raise NotFound
        return redirect(url_for("trainings.public_session", code=normal), 302)
    db, now, actor = get_db(), get_now(), get_actor()
    session = get_by_page(db, code)
    by_account = actor.person_id is not None and "other" not in request.args
    form = AccountRegistrationForm() if by_account else GuestRegistrationForm()
    if not get_runtime().settings.sends_mail:
        del form.email
    if isinstance(form, GuestRegistrationForm) and len(form.ticket.data or "") != 22:
        form.ticket.data = new_secret()
    refusal = None
    if request.method == "POST" and form.validate():
        secret = _secret_of(session, form)
        reminders = Reminders(_sealed(form), html_lang()[:2])
        try:
            with transaction(db):
                if by_account:
                    done = register_account(db, session=session, actor=actor, reminders=reminders, now=now)
                else:
                    done = register_guest(
                        db,
                        session=session,
                        name=form.name.data or "",
                        phone=form.phone.data or "",
                        secret_hash=digest(secret),
                        reminders=reminders,
                        keys=get_keys(),
                        now=now,
                    )
        except DomainError as error:
            if not form.show(error):
                if error.status != 409:
                    raise
                refusal = error
        else:
            response = redirect(
                url_for("trainings.public_session", code=code, done=done.registration.id, _anchor="mine"), 303
            )
            if not by_account:
                _keep(response, session, [*(kept for kept in _kept() if kept != secret), secret], to_ms(now))
            return response
    page = _page(db, session, form, by_account, refusal)
    return (page, 409) if refusal else (page, 422) if form.errors else page


@bp.get("/t/<code>/r/<secret>")
@public
def registration_link(code: str, secret: str) -> BaseResponse:
    """A guest's link: this browser may look and cancel from now on."""
    db = get_db()
    session = get_by_page(db, code)
    response = redirect(url_for("trainings.public_session", code=session.page_code, _anchor="mine"), 303)
    if find_by_secrets(db, session.id, [digest(secret)]):
        _keep(response, session, [*(kept for kept in _kept() if kept != secret), secret], to_ms(get_now()))
    else:
        flash(_("这个链接没有报名，或已经取消。"), "attention")
    return response


@bp.route("/t/<code>/registrations/<int:registration_id>/cancel", methods=["GET", "POST"])
@public
def cancel_registration(code: str, registration_id: int) -> str | BaseResponse:
    """Give a place up: asked once, then done; who waits first moves up."""
    db, now = get_db(), get_now()
    session = get_by_page(db, code)
    own = _get_own(db, session, registration_id)
    form = EmptyForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                cancel_own(db, registration=own.registration, now=now)
        except RegistrationOver:
            flash(_("培训已经开始，不能再取消。"), "attention")
        else:
            flash(_("已取消报名。改主意了可以再报，要重新排队。"), "success")
        return redirect(url_for("trainings.public_session", code=code), 303)
    return render_template("trainings/cancel_registration.html", session=session, own=own, form=form)


@bp.post("/t/<code>/registrations/<int:registration_id>/seen")
@public
def registration_seen(code: str, registration_id: int) -> BaseResponse:
    """The person has read what changed."""
    db = get_db()
    session = get_by_page(db, code)
    own = _get_own(db, session, registration_id)
    with transaction(db):
        note_seen(db, registration=own.registration, now=get_now())
    place = {"home": "portal.home", "me": "portal.me"}.get(request.form.get("back", ""))
    return redirect(url_for(place) if place else url_for("trainings.public_session", code=code), 303)


def registration_state(session: TrainingSession) -> tuple[str | None, DomainError | None]:
    """Why a session takes no registrations now ("closed", "over", "called_off"), or None."""
    try:
        check_open(session, to_ms(get_now()))
    except DomainError as error:
        return _SHUT[type(error)], error
    return None, None


def _page(
    db: Session,
    session: TrainingSession,
    form: AccountRegistrationForm,
    by_account: bool,
    refusal: DomainError | None,
) -> str:
    actor, settings = get_actor(), get_runtime().settings
    own = _own(db, session)
    shut, _error = registration_state(session)
    door = None
    if shut is None:
        if by_account and not is_invited(db, session, actor.person_id or 0):
            door = "outside"
        elif not by_account and session.registration != RegistrationMode.ANYONE:
            door = "outside" if actor.signed_in else "sign_in"
        elif by_account and any(row.registration.person_id == actor.person_id for row in own):
            door = "standing"
    just = request.args.get("done", type=int)
    return render_template(
        "trainings/public_session.html",
        session=session,
        places=places_of(db, session),
        audience=audience_of(db, session.id) if session.registration == RegistrationMode.AUDIENCE else [],
        own=own,
        just=next((row for row in own if row.registration.id == just), None),
        notices=notices_of([row.registration for row in own], get_now()),
        link=lambda secret: (
            f"{settings.public_url}{url_for('trainings.registration_link', code=session.page_code, secret=secret)}"
        ),
        form=form,
        empty=EmptyForm(formdata=None),
        by_account=by_account,
        # after a registration the page shows that one; the empty form stands behind a link
        wants_form=not own or "other" in request.args or bool(form.errors) or refusal is not None,
        account_name=actor.name,
        shut=shut,
        door=door,
        refusal=words_for(refusal) if refusal else None,
        keeper=settings.data_keeper or session.unit.name,
        contact=settings.data_contact or session.unit.name,
        now_ms=to_ms(get_now()),
    )


def _own(db: Session, session: TrainingSession) -> list[Own]:
    """What this browser may see: the account's own registration, and those whose links it holds."""
    secrets = {digest(secret): secret for secret in _kept()}
    rows = find_by_secrets(db, session.id, list(secrets))
    mine = find_registration(db, session.id, get_actor().person_id)
    # what was only typed under somebody's name shows that person's account nothing
    proved = mine is not None and (mine.via != "self" or mine.registered_by is not None)
    if mine is not None and proved and mine.state in STANDING and mine.id not in {row.id for row in rows}:
        rows = [mine, *rows]
    for row in rows:
        row.session = session
    return [
        Own(row, place_in_line(db, row), secrets.get(bytes(row.secret_hash)) if row.secret_hash else None)
        for row in rows
    ]


def _get_own(db: Session, session: TrainingSession, registration_id: int) -> Own:
    for own in _own(db, session):
        if own.registration.id == registration_id:
            return own
    raise NotFound


def _secret_of(session: TrainingSession, form: AccountRegistrationForm) -> str:
    """The link's 128 bits: from our key and the form's ticket, so that the same form sent twice has the same link."""
    ticket = form.ticket.data if isinstance(form, GuestRegistrationForm) else None
    return (
        get_keys().sign("registration-link", session.page_code, ticket)
        if ticket and len(ticket) == 22
        else new_secret()
    )


def _sealed(form: AccountRegistrationForm) -> bytes | None:
    address = form.address()
    return seal_address(get_keys(), address) if address else None


def _kept() -> list[str]:
    return [part for part in request.cookies.get(COOKIE, "").split(".") if len(part) == 22][-MOST_KEPT:]


def _keep(response: BaseResponse, session: TrainingSession, secrets: list[str], now_ms: int) -> None:
    assert isinstance(response, Response)  # noqa: S101 # what redirect() gives; tells the type checker
    response.set_cookie(
        COOKIE,
        ".".join(secrets[-MOST_KEPT:]),
        max_age=max(0, session.ends_at - now_ms) // 1000 + KEPT_AFTER,
        path=f"/t/{session.page_code}",
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )
