"""The pages that gather: home, my page, the code page, help and the privacy notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import throttle
from quizapp.accounts.erasing import erase_person, export_person
from quizapp.accounts.models import Account
from quizapp.accounts.passwords import verify_password
from quizapp.accounts.web import KNOWN_COOKIE, end_sign_in
from quizapp.certificates.queries import certificates_of_person
from quizapp.core.clock import day_start, local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, TooMany
from quizapp.core.phones import mask_phone
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public, signed_in
from quizapp.organisation.models import OrgUnit, Person
from quizapp.portal.errors import CodeLength, CodeMistyped, PosterCodeUnknown
from quizapp.portal.forms import CodeForm, PasswordAgainForm
from quizapp.portal.own_data import make_zip
from quizapp.portal.queries import (
    coming_sessions,
    find_unit_of_person,
    open_deliveries,
    records_of,
    running_attempts,
)
from quizapp.portal.services import CodeKind, recognise_code
from quizapp.practice.queries import (
    bank_shares,
    benchmark_count,
    benchmarks_done,
    practice_pool,
    practised_items,
    wrong_items,
)
from quizapp.practice.views.daily import today, week_of_visitor
from quizapp.quizzes.models import AttemptState
from quizapp.quizzes.queries.taking import attempts_of_account
from quizapp.quizzes.views.access import guess_subjects
from quizapp.trainings.notices import notices_of
from quizapp.trainings.queries import attendances_of_person
from quizapp.trainings.queries.registrations import registrations_of_person
from quizapp.ui.filters import is_english
from quizapp.ui.preferences import is_elder
from quizapp.ui.setup import optional_url, staff_navigation
from quizapp.ui.words import words_for

bp = Blueprint("portal", __name__, template_folder="templates")

#: Rows of a list on the home page.
_SHORT = 3


def _unit(db: Session) -> OrgUnit | None:
    return find_unit_of_person(db, get_actor().person_id)


def _work_url() -> str | None:
    """The first staff page that the visitor may open."""
    for _group, entries in staff_navigation():
        for _entry, url in entries:
            return url
    return None


def _tests(db: Session, unit: OrgUnit | None) -> dict[str, Any]:
    account_id, now = get_actor().account_id, get_now()
    return {
        "running": running_attempts(db, account_id, now) if account_id is not None else [],
        "offered": open_deliveries(db, unit_path=unit.path if unit else None, account_id=account_id, now=now),
    }


def _registrations(db: Session) -> dict[str, Any]:
    """One's registrations, what to say of them, and the same by session."""
    now = get_now()
    rows = registrations_of_person(db, get_actor().person_id, to_ms(now))
    return {
        "registrations": rows,
        "registered": {row.session_id: row for row in rows},
        "notices": notices_of(rows, now),
    }


@bp.get("/")
@public
def home() -> str:
    """What to do today."""
    db, now, actor = get_db(), get_now(), get_actor()
    unit = _unit(db)
    tests = _tests(db, unit)
    week = week_of_visitor()
    # the list begins with what runs out first
    urgent = next((attempt for attempt in tests["running"][:1] if attempt.urgent(now)), None)
    values: dict[str, Any] = {
        **tests,
        **_registrations(db),
        "urgent": urgent,
        "others": tests["running"][1:] if urgent else tests["running"],
        "fresh": [offered for offered in tests["offered"] if offered.fresh],
        "today": today(),
        "unit": unit,
        "week": week,
        "sessions": coming_sessions(db, unit.path if unit else None, now),
        "work_url": _work_url(),
        "short": _SHORT,
        "records": None,
    }
    if actor.account_id is not None:
        year_start = day_start(local_date(now).replace(month=1, day=1))
        values["records"] = records_of(
            db, account_id=actor.account_id, person_id=actor.person_id, year_start=year_start
        )
    if is_elder():
        return render_template("portal/elder_home.html", **values)
    pool = practice_pool(db, now)
    values["banks"] = bank_shares(db, pool, practised_items(db, actor.account_id))
    if actor.account_id is not None:
        values["wrong_count"] = len(wrong_items(db, actor.account_id) & {item.item_id for item in pool})
        values["benchmarks"] = benchmark_count(db)
        values["benchmarks_done"] = benchmarks_done(db, actor.account_id)
    return render_template("portal/home.html", **values)


@bp.get("/quizzes")
@public
def quizzes() -> str:
    """All tests that the visitor can take now."""
    db = get_db()
    return render_template("portal/quizzes.html", **_tests(db, _unit(db)))


@bp.get("/coming")
@public
def coming() -> str:
    """The trainings of the next days, and where to type a session's code."""
    db = get_db()
    unit = _unit(db)
    return render_template(
        "portal/coming.html",
        unit=unit,
        sessions=coming_sessions(db, unit.path if unit else None, get_now()),
        **_registrations(db),
    )


@bp.get("/me")
@signed_in
def me() -> str:
    """Own tests, own check-ins, own certificates, own data."""
    db, actor = get_db(), get_actor()
    person = db.get(Person, actor.person_id)
    phone = get_keys().decrypt_phone(person.phone_encrypted) if person and person.phone_encrypted else None
    attempts = [a for a in attempts_of_account(db, actor.account_id or 0) if a.state != AttemptState.VOID]
    return render_template(
        "portal/me.html",
        person=person,
        phone=mask_phone(phone) if phone else None,
        unit=_unit(db),
        attempts=attempts,
        attendances=attendances_of_person(db, actor.person_id or 0),
        certificates=certificates_of_person(db, actor.person_id or 0),
        **_registrations(db),
        work_url=_work_url(),
        account_url=optional_url("accounts.security"),
    )


@bp.route("/me/data", methods=["GET", "POST"])
@signed_in
def own_data() -> str | BaseResponse | tuple[str, int]:
    """What is kept of oneself: as a file, or gone. The file is given to whoever knows the password."""
    db, actor, form = get_db(), get_actor(), PasswordAgainForm()
    again = _password_again(form)
    if again.right:
        with transaction(db):
            sections = export_person(db, person_id=actor.person_id or 0, keys=get_keys(), actor=actor, now=get_now())
        content = make_zip(sections, language="en" if is_english() else "zh", now=get_now())
        response = Response(content, mimetype="application/zip")
        response.headers["Content-Disposition"] = "attachment; filename=my-data.zip"
        response.headers["Cache-Control"] = "private, no-store"
        return response
    page = render_template("portal/own_data.html", form=form, wait=again.wait_seconds)
    return (page, 422) if form.errors else page


@bp.route("/me/erase", methods=["GET", "POST"])
@signed_in
def erase_me() -> str | BaseResponse | tuple[str, int]:
    """Delete what says who one is, and close the account. Cannot be taken back."""
    db, actor, form = get_db(), get_actor(), PasswordAgainForm()
    again = _password_again(form)
    if again.right:
        try:
            with transaction(db):
                erase_person(
                    db,
                    person_id=actor.person_id or 0,
                    ledger=get_runtime().settings.keys_folder,
                    actor=actor,
                    now=get_now(),
                )
        except DomainError as refusal:
            form.password.errors = [*form.password.errors, words_for(refusal)]
        else:
            end_sign_in()
            flash(_("个人信息已经删除，账号已关闭。"), "success")
            response = redirect(url_for("portal.home"), 303)
            response.delete_cookie(KNOWN_COOKIE)
            return response
    page = render_template(
        "portal/erase_me.html", form=form, wait=again.wait_seconds, contact=get_runtime().settings.data_contact
    )
    return (page, 422) if form.errors else page


@dataclass(frozen=True)
class _Again:
    """Whether the password was typed right once more, and else how long the next try waits."""

    right: bool
    wait_seconds: int = 0


def _password_again(form: PasswordAgainForm) -> _Again:
    """Check the password of whoever is signed in, slowed like a sign-in: the phone may be in other hands."""
    db, now, account_id = get_db(), get_now(), get_actor().account_id or 0
    subjects = [throttle.Subject("account", f"id/{account_id}")]
    guesses: dict[str, Any] = {"keys": get_keys(), "kind": "password_again", "subjects": subjects}
    delay: throttle.Delay | None = None
    if form.validate_on_submit():
        try:
            throttle.check(db, **guesses, token=form.not_before.data, now=now)
            stored = db.scalar(select(Account.password_hash).where(Account.id == account_id))
            if verify_password(stored, form.password.data or ""):
                return _Again(right=True)
            form.password.errors = [_("密码不对")]
            delay = throttle.record_failure(db, **guesses, token=form.not_before.data, now=now)
        except TooMany as refusal:
            form.password.errors = [words_for(refusal)]
    delay = delay or throttle.delay(db, **guesses, now=now)
    form.not_before.data = delay.token or ""
    return _Again(right=False, wait_seconds=delay.wait_seconds)


@bp.route("/code", methods=["GET", "POST"])
@public
def code() -> str | BaseResponse | tuple[str, int]:
    """One field for every code that people type."""
    db, now = get_db(), get_now()
    form = CodeForm()
    guesses: dict[str, Any] = {"keys": get_keys(), "kind": "poster", "subjects": guess_subjects(form.code.data or "")}
    wait = None
    if form.validate_on_submit():
        try:
            throttle.check(db, **guesses, token=request.form.get("not_before"), now=now)
            found = recognise_code(db, form.code.data or "")
        except (PosterCodeUnknown, CodeMistyped) as refusal:
            wait = throttle.record_failure(db, **guesses, token=request.form.get("not_before"), now=now)
            _refuse(form, refusal)
        except (CodeLength, TooMany) as refusal:
            _refuse(form, refusal)
        else:
            if found.kind == CodeKind.DELIVERY:
                return redirect(url_for("quizzes.landing", code=found.code), 303)
            if found.kind == CodeKind.SESSION:
                return redirect(url_for("trainings.scanned", code=found.code), 303)
            # a receipt code never stands in an address: the browser posts the same form to the page that looks it up
            return redirect(url_for("quizzes.receipt"), 307)
    wait = wait or throttle.delay(db, **guesses, now=now)
    page = render_template("portal/code.html", form=form, wait=wait)
    return (page, 422) if form.errors else page


def _refuse(form: CodeForm, refusal: DomainError) -> None:
    form.code.errors = [*form.code.errors, words_for(refusal)]


@bp.get("/help")
@public
def help() -> str:
    """How it works, and whom to ask."""
    return render_template("portal/help.html", contact=get_runtime().settings.data_contact)


@bp.get("/privacy")
@public
def privacy() -> str:
    """What is kept, by whom, for how long, and what one can ask for."""
    settings = get_runtime().settings
    return render_template("portal/privacy.html", keeper=settings.data_keeper, contact=settings.data_contact)
