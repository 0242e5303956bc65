"""One question per page, the number grid, and the marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.tokens import digest
from quizapp.core.web import get_db, get_keys, get_now, public
from quizapp.quizzes.models import Attempt, AttemptState, Response
from quizapp.quizzes.ordering import option_order
from quizapp.quizzes.queries.taking import PaperQuestion, responses_of
from quizapp.quizzes.scoring import answer_text, parse_answer
from quizapp.quizzes.services.marking import set_mark
from quizapp.quizzes.services.saving import SaveStatus, save_form_answer
from quizapp.quizzes.services.submitting import close_if_over
from quizapp.quizzes.views import bp, quizzes_runtime
from quizapp.quizzes.views.access import Access, Right, check_form, form_token, open_attempt
from quizapp.ui.headers import compact

LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class ShownOption:
    """An option in its place: id, text in both languages, letter."""

    id: str
    text: dict[str, str]
    letter: str
    checked: bool


@dataclass(frozen=True)
class ShownQuestion:
    """A question as an attempt sees it."""

    position: int
    type: str
    stem: dict[str, str]
    image: dict[str, Any] | None
    options: tuple[ShownOption, ...]
    marked: bool


def show_question(attempt: Attempt, question: PaperQuestion, answer: str) -> ShownQuestion:
    """Put the options into this attempt's order and tick the stored answer."""
    texts = {option["id"]: option for option in question.options}
    chosen = set(answer.split(",")) if answer else set()
    keep = question.ordered or question.type == "true_false"
    order = option_order(attempt.order_seed, question.position, list(texts), ordered=keep)
    return ShownQuestion(
        position=question.position,
        type=question.type,
        stem=question.stem,
        image=question.image,
        options=tuple(
            ShownOption(option, texts[option], LETTERS[index], option in chosen) for index, option in enumerate(order)
        ),
        marked=question.position in attempt.marked,
    )


def grid_cells(access: Access, count: int, responses: dict[int, Response]) -> list[dict[str, Any]]:
    """The number grid: one cell per position with its state."""
    return [
        {
            "number": position,
            "url": url_for(
                "quizzes.question",
                code=access.delivery.poster_code,
                public_id=access.attempt.public_id,
                position=position,
            ),
            "state": "answered" if position in responses and responses[position].answer else "open",
            "marked": position in access.attempt.marked,
        }
        for position in range(1, count + 1)
    ]


def running(db: Session, code: str, public_id: str) -> Access | BaseResponse:
    """An attempt that is still open, or the way to its result. One whose time is over is closed now."""
    now_ms = to_ms(get_now())
    access = open_attempt(db, code, public_id, now_ms)
    attempt = access.attempt
    if attempt.state == AttemptState.OPEN and now_ms > attempt.accepts_until:
        with transaction(db):
            attempt = close_if_over(db, attempt.id, papers=quizzes_runtime(current_app).papers, now_ms=now_ms)
    if attempt.state != AttemptState.OPEN:
        return redirect(url_for("quizzes.result", code=code, public_id=public_id), 303)
    return access


def attempt_page(template: str, access: Access, **values: Any) -> str:
    """Render a page of an open attempt with what its scripts follow."""
    db, now_ms = get_db(), to_ms(get_now())
    attempt, delivery = access.attempt, access.delivery
    paper = quizzes_runtime(current_app).papers.paper(db, attempt.paper_id)
    responses = responses_of(db, attempt.id)
    left = max(0, attempt.deadline_at - now_ms) // 1000
    return render_template(
        template,
        access=access,
        delivery=delivery,
        attempt=attempt,
        paper=paper,
        responses=responses,
        cells=grid_cells(access, len(paper.questions), responses),
        answered=sum(1 for r in responses.values() if r.answer),
        last_saved=max((r.saved_at for r in responses.values()), default=None),
        stored={p: [r.answer, r.sequence] for p, r in responses.items()},
        highest=max((r.sequence for r in responses.values()), default=0),
        read_only=access.right != Right.WRITE,
        form_token=form_token(get_keys(), attempt.public_id, access.secret) if access.secret else "",
        now_ms=now_ms,
        seconds_left=left if delivery.time_limit_s is not None or left < 24 * 3600 else None,
        **values,
    )


@bp.route("/q/<code>/a/<public_id>/<int:position>", methods=["GET", "POST"])
@public
@compact
def question(code: str, public_id: str, position: int) -> str | BaseResponse:
    """One question. A posted form (browsers without scripts) saves its answer and goes on."""
    db = get_db()
    access = running(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    paper = quizzes_runtime(current_app).papers.paper(db, access.attempt.paper_id)
    if not 1 <= position <= len(paper.questions):
        raise NotFound
    if request.method == "POST":
        return _save_form(db, access, position, len(paper.questions))
    responses = responses_of(db, access.attempt.id)
    shown = show_question(
        access.attempt, paper.questions[position - 1], responses[position].answer if position in responses else ""
    )
    return attempt_page("quizzes/question.html", access, question=shown, position=position)


def _save_form(db: Session, access: Access, position: int, count: int) -> BaseResponse:
    secret = check_form(access)
    now_ms = to_ms(get_now())
    attempt, code = access.attempt, access.delivery.poster_code
    answer = answer_text(parse_answer(",".join(request.form.getlist("answer"))))
    responses = responses_of(db, attempt.id)
    stored = responses[position].answer if position in responses else ""
    if answer != stored:
        with quizzes_runtime(current_app).hot.run() as run:
            result = save_form_answer(
                run,
                attempt=attempt.public_id,
                secret_hash=digest(secret),
                position=position,
                answer=answer,
                now_ms=now_ms,
            )
        if result.status not in (SaveStatus.SAVED, SaveStatus.SUPERSEDED):
            return redirect(url_for("quizzes.result", code=code, public_id=attempt.public_id), 303)
    go = request.form.get("go", "next")
    if go == "mark":
        with transaction(db):
            set_mark(db, attempt.id, position, marked=position not in attempt.marked)
        target = position
    elif go == "summary" or (go == "next" and position == count):
        return redirect(url_for("quizzes.submit", code=code, public_id=attempt.public_id), 303)
    elif go == "grid":
        return redirect(url_for("quizzes.grid", code=code, public_id=attempt.public_id, at=position), 303)
    else:
        target = max(1, position - 1) if go == "previous" else min(count, position + 1)
    return redirect(url_for("quizzes.question", code=code, public_id=attempt.public_id, position=target), 303)


@bp.get("/q/<code>/a/<public_id>/questions")
@public
@compact
def questions(code: str, public_id: str) -> str | BaseResponse:
    """All questions of the paper as one document, from which the page's script takes the next without a page load."""
    db = get_db()
    access = running(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    paper = quizzes_runtime(current_app).papers.paper(db, access.attempt.paper_id)
    shown = [show_question(access.attempt, question, "") for question in paper.questions]
    return render_template("quizzes/questions.html", questions=shown, count=len(shown))


@bp.get("/q/<code>/a/<public_id>/grid")
@public
def grid(code: str, public_id: str) -> str | BaseResponse:
    """The number grid as a page of its own (without scripts)."""
    access = running(get_db(), code, public_id)
    if isinstance(access, BaseResponse):
        return access
    at = request.args.get("at", 1, type=int)
    return attempt_page("quizzes/grid.html", access, position=at)


@bp.post("/q/<code>/a/<public_id>/marks")
@public
def mark(code: str, public_id: str) -> tuple[str, int] | BaseResponse:
    """Mark a question for later, or take the mark away (from the page's script)."""
    db = get_db()
    access = running(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    check_form(access)
    position = request.form.get("position", 0, type=int)
    if not 1 <= position <= access.delivery.item_count:
        raise NotFound
    with transaction(db):
        set_mark(db, access.attempt.id, position, marked=request.form.get("marked") == "1")
    return "", 204
