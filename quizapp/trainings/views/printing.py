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
from quizapp.trainings.services.printing import (
    AT_ONCE,
    NAMES_AT_ONCE,
    SIGN_IN_TASK,
    TASK,
    ask_for_cards,
    ask_for_sign_in_sheet,
    head_of,
    make_cards,
    make_sign_in_sheet,
    print_name,
)
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
    return send_file(content, PDF, print_name("cards", found))


@bp.post("/sessions/<int:session_id>/sign-in-sheet.pdf")
@requires(Permission.RUN_SESSIONS)
def sign_in_sheet(session_id: int) -> BaseResponse:
    """The sheet that people sign, with empty lines; its code opens the page where it is filled in. Long ones are printed by a job."""
    db, actor, now = get_db(), get_actor(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    url = back_fill_address(found)
    if numbers_of(db, found.id).expected > NAMES_AT_ONCE:
        with transaction(db):
            job = ask_for_sign_in_sheet(db, session=found, url=url, actor=actor, now=now)
        return redirect(url_for("jobs.job", public_id=job.public_id), 303)
    content = make_sign_in_sheet(db, session=found, url=url, actor=actor, now=now)
    return send_file(content, PDF, print_name("sign-in", found))


@bp.get("/sessions/<int:session_id>/prints/<public_id>")
@requires(Permission.RUN_SESSIONS)
def printed(session_id: int, public_id: str) -> BaseResponse:
    """A file that a job printed, for whoever asked for it."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    file = get_own_result(db, public_id, get_actor(), now)
    if file.name not in (print_name("cards", found), print_name("sign-in", found)):
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
    titles = {TASK: _l("打印个人码卡片"), SIGN_IN_TASK: _l("打印签到表")}
    if job.name not in titles:
        return None
    session_id, file = job.arguments["session_id"], (job.result or {}).get("file")
    if file is None:
        return JobWords(titles[job.name], _l("回到场次"), url_for("trainings.summary", session_id=session_id))
    address = url_for("trainings.printed", session_id=session_id, public_id=file)
    return JobWords(titles[job.name], _l("下载打印件"), address)
