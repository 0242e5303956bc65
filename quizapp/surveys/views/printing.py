"""The cards on paper."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.files.queries import get_own_result
from quizapp.files.services import read_file
from quizapp.surveys.queries import get_survey
from quizapp.surveys.services.printing import AT_ONCE, ask_for_cards, cards_to_print, make_cards, print_name
from quizapp.surveys.views import bp

PDF = "application/pdf"


@bp.post("/surveys/<int:survey_id>/cards")
@requires(Permission.MANAGE_DELIVERIES)
def cards(survey_id: int) -> BaseResponse:
    """The cards of all who have not answered: at once, or by a job where they are many."""
    db, actor, now = get_db(), get_actor(), get_now()
    survey = get_survey(db, get_scope(), survey_id)
    waiting = len(cards_to_print(db, survey))
    if not waiting:
        flash(_("没有要印的卡：还没抽，或者都答完了"), "attention")
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    if waiting > AT_ONCE:
        with transaction(db):
            job = ask_for_cards(db, survey=survey, base=card_base(), actor=actor, now=now)
        return redirect(url_for("jobs.job", public_id=job.public_id), 303)
    content = make_cards(db, survey=survey, base=card_base(), keys=get_keys(), actor=actor, now=now)
    return send_pdf(content, print_name(survey))


@bp.get("/surveys/<int:survey_id>/cards/<public_id>")
@requires(Permission.MANAGE_DELIVERIES)
def printed(survey_id: int, public_id: str) -> BaseResponse:
    """Cards that a job printed, for whoever asked for them."""
    db, now = get_db(), get_now()
    survey = get_survey(db, get_scope(), survey_id)
    file = get_own_result(db, public_id, get_actor(), now)
    if file.name != print_name(survey):
        raise NotFound
    return send_pdf(read_file(db, file.id, keys=get_keys(), now=now), file.name)


def card_base() -> str:
    """The address before a card's secret."""
    return f"{get_runtime().settings.public_url}{url_for('surveys.card', secret='-')[:-1]}"  # noqa: S106 # a place, no secret


def send_pdf(content: bytes, name: str) -> Response:
    """A file to keep, which no cache keeps."""
    response = Response(content, mimetype=PDF)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
