"""The certificates of a run: who has one, who gets one, issuing and revoking."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.certificates import queries
from quizapp.certificates.errors import CertificateRevoked
from quizapp.certificates.forms import EmptyForm, RevokeForm
from quizapp.certificates.queries import Found
from quizapp.certificates.services import issue_again, issue_certificates, revoke
from quizapp.certificates.validity import CertificateState, last_valid_day
from quizapp.certificates.views import bp
from quizapp.certificates.views.words import rule_words, validity_words
from quizapp.core.clock import local_date
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.trainings.models import CourseRun
from quizapp.ui.words import words_for

#: Rows of a page.
PAGE_SIZE = 50


def run_action(run: CourseRun) -> tuple[str, str] | None:
    """The link on the page of a run, for who may see its certificates."""
    if not get_scope().covers(Permission.RUN_SESSIONS, run.unit.path):
        return None
    return str(_("证书")), url_for("certificates.run_certificates", run_id=run.id)


def may_issue(run: CourseRun) -> bool:
    """Whether whoever asks may issue and revoke here."""
    return get_scope().covers(Permission.ISSUE_CERTIFICATES, run.unit.path)


def wanted(run: CourseRun) -> Found:
    """The filters of the address; an unknown state is none."""
    named = request.args.get("state", "")
    state = CertificateState(named) if named in set(CertificateState) else None
    return Found(run.id, request.args.get("q", "").strip()[:80], state)


def _page_of(total: int) -> tuple[int, int]:
    pages = max(1, -(-total // PAGE_SIZE))
    return min(max(1, request.args.get("page", 1, type=int)), pages), pages


@bp.get("/runs/<int:run_id>/certificates")
@requires(Permission.RUN_SESSIONS)
def run_certificates(run_id: int) -> str:
    """All certificates of a run, to search, print and revoke."""
    db = get_db()
    run = queries.get_run(db, get_scope(), run_id, Permission.RUN_SESSIONS)
    today = local_date(get_now())
    found = wanted(run)
    total = queries.count_certificates(db, found, today=today)
    page, pages = _page_of(total)
    rows = queries.list_certificates(db, found, today=today, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    states = queries.count_states(db, run.id, today=today)
    return render_template(
        "certificates/run.html",
        run=run,
        rows=rows,
        found=found,
        filters={name: value for name, value in (("q", found.text), ("state", found.state)) if value},
        total=total,
        page=page,
        pages=pages,
        states=states,
        issued=sum(states.values()),
        may_issue=may_issue(run),
    )


@bp.route("/runs/<int:run_id>/certificates/issue", methods=["GET", "POST"])
@requires(Permission.ISSUE_CERTIFICATES)
def issue(run_id: int) -> str | BaseResponse:
    """Who has earned one and who not yet, and one button for all of them."""
    db, now = get_db(), get_now()
    run = queries.get_run(db, get_scope(), run_id, Permission.ISSUE_CERTIFICATES)
    form = EmptyForm()
    if request.method == "POST" and form.validate():
        with transaction(db):
            count = issue_certificates(db, run=run, actor=get_actor(), now=now)
        if count:
            flash(_("已签发 %(count)s 张证书", count=count), "success")
        else:
            flash(_("没有要签发的：够条件的人都有证书了"), "note")
        return redirect(url_for("certificates.run_certificates", run_id=run.id), 303)
    sessions = queries.run_sessions(db, run.id)
    days = queries.run_days(sessions)
    people = queries.candidates(db, run, sessions)
    groups: dict[str, list[Any]] = {
        "due": [one for one in people if one.due],
        "not_yet": [one for one in people if not one.standing.earned and not one.holds],
        "holds": [one for one in people if one.holds],
        "revoked": [one for one in people if one.revoked and one.standing.earned],
    }
    show = request.args.get("show", "")
    show = show if show in groups else next((name for name in groups if groups[name]), "due")
    page, pages = _page_of(len(groups[show]))
    return render_template(
        "certificates/issue.html",
        run=run,
        sessions=sessions,
        closed=sum(session.closed_at is not None for session in sessions),
        rule=rule_words(run),
        validity=validity_words(run),
        until=last_valid_day(days.last, run.certificate_months) if days else None,
        people=groups,
        show=show,
        rows=groups[show][(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        page=page,
        pages=pages,
    )


@bp.route("/certificates/<int:certificate_id>/revoke", methods=["GET", "POST"])
@requires(Permission.ISSUE_CERTIFICATES)
def revoke_one(certificate_id: int) -> str | BaseResponse | tuple[str, int]:
    """Take one back, with a reason."""
    db = get_db()
    found = queries.get_certificate(db, get_scope(), certificate_id, Permission.ISSUE_CERTIFICATES)
    back = url_for("certificates.run_certificates", run_id=found.run_id)
    form = RevokeForm()
    if found.revoked_at is not None:
        flash(words_for(CertificateRevoked()), "note")
        return redirect(back, 303)
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                revoke(db, certificate=found, reason=form.reason.data or "", actor=get_actor(), now=get_now())
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            flash(_("已撤销 %(number)s", number=found.number), "success")
            return redirect(back, 303)
    page = render_template("certificates/revoke.html", certificate=found, form=form, back=back)
    return (page, 422) if form.errors else page


@bp.post("/certificates/<int:certificate_id>/again")
@requires(Permission.ISSUE_CERTIFICATES)
def again(certificate_id: int) -> BaseResponse:
    """Issue another one in place of a revoked one."""
    db = get_db()
    found = queries.get_certificate(db, get_scope(), certificate_id, Permission.ISSUE_CERTIFICATES)
    try:
        with transaction(db):
            new = issue_again(db, certificate=found, actor=get_actor(), now=get_now())
    except DomainError as error:
        flash(words_for(error), "error")
    else:
        flash(_("已重新签发，新编号 %(number)s", number=new.number), "success")
    return redirect(url_for("certificates.run_certificates", run_id=found.run_id), 303)
