"""Sheets of a session on paper: the poster at the door, and cards with personal codes."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.tokens import group_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.files.queries import get_own_result
from quizapp.files.services import read_file
from quizapp.jobs.models import Job
from quizapp.jobs.views import JobWords
from quizapp.trainings import queries, sheets
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.queries.numbers import numbers_of
from quizapp.trainings.services.printing import AT_ONCE, TASK, ask_for_cards, head_of, make_cards
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import check_in_address

PDF = "application/pdf"


@bp.get("/sessions/<int:session_id>/poster.pdf")
@requires(Permission.RUN_SESSIONS)
def session_poster(session_id: int) -> BaseResponse:
    """The poster at the door, A4."""
    found = queries.get_session(get_db(), get_scope(), session_id)
    address = check_in_address(found)
    poster = sheets.SessionPoster(
        head=head_of(found),
        mode=found.code_mode,
        url=address,
        address=address.rsplit("/", 1)[0].split("//")[1],
        code=group_code(found.code),
    )
    return send_file(sheets.poster_pdf(poster), PDF, f"session-{found.code}.pdf")


@bp.post("/sessions/<int:session_id>/cards")
@requires(Permission.RUN_SESSIONS)
def cards(session_id: int) -> BaseResponse:
    """Cards with the personal codes of everybody who is expected: at once, or by a job where they are many."""
    db, actor, now = get_db(), get_actor(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    expected = numbers_of(db, found.id).expected
    if not expected:
        flash(_("名册和报名里还没有人，没有卡可以打印"), "attention")
        return redirect(url_for("trainings.summary", session_id=session_id), 303)
    if expected > AT_ONCE:
        with transaction(db):
            job = ask_for_cards(db, session=found, actor=actor, now=now)
        return redirect(url_for("jobs.job", public_id=job.public_id), 303)
    content = make_cards(db, session=found, actor=actor, now=now)
    return send_file(content, PDF, f"cards-{found.code}.pdf")


@bp.get("/sessions/<int:session_id>/prints/<public_id>")
@requires(Permission.RUN_SESSIONS)
def printed(session_id: int, public_id: str) -> BaseResponse:
    """A file that a job printed, for whoever asked for it."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    file = get_own_result(db, public_id, get_actor(), now)
    if file.name != f"cards-{found.code}.pdf":
        raise NotFound
    return send_file(read_file(db, file.id, keys=get_keys(), now=now), file.media_type, file.name)


def send_file(content: bytes, media_type: str, name: str) -> Response:
    """A file to keep, which no cache keeps."""
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def back_fill_address(found: TrainingSession) -> str:
    """What the code on a sign-in sheet says."""
    return f"{get_runtime().settings.public_url}{url_for('trainings.back_fill', session_id=found.id)}"


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of a printing."""
    if job.name != TASK:
        return None
    session_id, file = job.arguments["session_id"], (job.result or {}).get("file")
    if file is not None:
        return JobWords(
            _l("打印个人码卡片"), _l("下载卡片"), url_for("trainings.printed", session_id=session_id, public_id=file)
        )
    return JobWords(_l("打印个人码卡片"), _l("回到场次"), url_for("trainings.summary", session_id=session_id))
