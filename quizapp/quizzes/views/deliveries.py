"""Staff pages: the list of deliveries, and the place of each one: where it stands, what to do next, its code and its prints."""

from __future__ import annotations

from flask import Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.qr import qr_svg
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, get_scope, requires
from quizapp.jobs.models import Job
from quizapp.jobs.views import JobWords
from quizapp.quizzes.models import DeliveryState
from quizapp.quizzes.posters import SHEETS, cards_pdf, poster_pdf
from quizapp.quizzes.queries.deliveries import (
    count_attempts,
    get_delivery_in_scope,
    is_started,
    last_change,
    list_deliveries,
    running_count,
)
from quizapp.quizzes.services.assembly import PATIENCE_MS, TASK, ask_again
from quizapp.quizzes.services.audience import lines_of
from quizapp.quizzes.services.forecasts import forecast_papers
from quizapp.quizzes.services.paper_checks import paper_facts
from quizapp.quizzes.services.publish_checks import CheckState, stored_checks
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.delivery_forms import lines_words
from quizapp.quizzes.views.delivery_words import (
    blueprint_title,
    chance_words,
    check_words,
    delivery_title,
    poster_of,
    public_url,
    state_words,
)
from quizapp.quizzes.views.shortfall_words import failure_words

_OWN = Permission.MANAGE_DELIVERIES


@bp.get("/deliveries")
@requires(_OWN)
def deliveries() -> str:
    """The deliveries of one's own units, newest first."""
    page = list_deliveries(get_db(), get_scope(), page=request.args.get("page", 1, type=int))
    return render_template(
        "quizzes/staff/deliveries.html", page=page, state_words=state_words, delivery_title=delivery_title
    )


@bp.get("/deliveries/<int:delivery_id>")
@requires(_OWN)
def delivery(delivery_id: int) -> str:
    """Link, code, poster and counts of one delivery; while its papers are being assembled the page loads itself again."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    started, closed = count_attempts(db, [found.id]).get(found.id, (0, 0))
    state, word, kind = state_words(found)
    asked_at = found.asked_at or found.created_at
    overdue = found.state == DeliveryState.PREPARING and to_ms(get_now()) - asked_at >= PATIENCE_MS
    facts = paper_facts(db, found.id, found.pass_score) if found.state == DeliveryState.READY else None
    forecasts = forecast_papers(db, found.id, found.pass_score) if facts else None
    stored = stored_checks(facts, found.blueprint, found.guess_pass, forecasts) if facts else []
    checks = [check_words(check) for check in stored]
    return render_template(
        "quizzes/staff/delivery.html",
        delivery=found,
        title=delivery_title(found),
        state=state,
        state_word=word,
        state_kind=kind,
        overdue=overdue,
        failure=failure_words(found.failure or "") if found.state == DeliveryState.FAILED else None,
        started=started,
        closed=closed,
        running=running_count(db, found.id),
        begun=is_started(db, found.id),
        url=public_url(found),
        qr=Markup(qr_svg(public_url(found))),  # noqa: S704 # made by us from an address of ours
        chance=chance_words(found.guess_pass),
        blueprint_title=blueprint_title(found.blueprint.title),
        audience=lines_words(db, lines_of(found)),
        checks=checks,
        looks=sum(check["state"] in (CheckState.LOOK, CheckState.STOP) for check in checks),
        changed=last_change(db, found.id),
        links=[link for links in get_runtime().registry.collect("delivery_links", found) for link in links],
    )


@bp.post("/deliveries/<int:delivery_id>/assemble")
@requires(_OWN)
def assemble_again(delivery_id: int) -> BaseResponse:
    """Assemble the papers once more after a failure."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    with transaction(db):
        ask_again(db, found, actor=get_actor(), now=get_now())
    return redirect(url_for("quizzes.delivery", delivery_id=found.id), 303)


@bp.get("/deliveries/<int:delivery_id>/qr.svg")
@requires(_OWN)
def delivery_qr(delivery_id: int) -> Response:
    """The code alone, for one's own prints."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    return _download(qr_svg(public_url(found)).encode(), "image/svg+xml", f"qr-{found.poster_code}.svg")


@bp.get("/deliveries/<int:delivery_id>/poster.pdf")
@requires(_OWN)
def poster(delivery_id: int) -> Response:
    """The poster: A4, or A5 with `?size=a5`."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    size = request.args.get("size", "a4")
    if size not in SHEETS:
        raise NotFound
    name = f"poster-{found.poster_code}.pdf" if size == "a4" else f"poster-{size}-{found.poster_code}.pdf"
    return _download(poster_pdf(poster_of(found), size), "application/pdf", name)


@bp.get("/deliveries/<int:delivery_id>/cards.pdf")
@requires(_OWN)
def cards(delivery_id: int) -> Response:
    """Ten small cards on a sheet to be cut."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    return _download(cards_pdf(poster_of(found)), "application/pdf", f"cards-{found.poster_code}.pdf")


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of an assembly."""
    if job.name != TASK:
        return None
    url = url_for("quizzes.delivery", delivery_id=job.arguments["delivery_id"])
    return JobWords(_("正在组卷"), _("看测验安排"), url)


def _download(content: bytes, kind: str, name: str) -> Response:
    response = current_app.response_class(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
