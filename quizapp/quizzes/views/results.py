"""Handing in, the result, the review of each question, and the receipt code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import throttle
from quizapp.banks.models import ItemType
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound, TooMany
from quizapp.core.tokens import group_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public, signed_in
from quizapp.quizzes.errors import AlreadyClaimed, CodeUnknown
from quizapp.quizzes.forms.profile import ReceiptForm
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, Reveal
from quizapp.quizzes.queries.afterwards import count_late, is_held, is_voided
from quizapp.quizzes.queries.taking import ReviewedQuestion, answers_of
from quizapp.quizzes.scoring import is_right
from quizapp.quizzes.services.moving import claim_attempt, find_by_receipt
from quizapp.quizzes.services.starting import receipt_code
from quizapp.quizzes.services.submitting import close_if_over, submit_attempt
from quizapp.quizzes.views import bp, quizzes_runtime
from quizapp.quizzes.views.access import (
    Access,
    check_form,
    guess_subjects,
    keep_receipt_right,
    open_attempt,
    receipt_cookie_name,
)
from quizapp.quizzes.views.taking import attempt_page, running, show_question
from quizapp.ui.words import words_for


@bp.route("/q/<code>/a/<public_id>/submit", methods=["GET", "POST"])
@public
def submit(code: str, public_id: str) -> str | BaseResponse:
    """A last look at what is open, then hand in. Handing in twice is the same as once."""
    db, now_ms = get_db(), to_ms(get_now())
    if request.method == "POST":
        access = open_attempt(db, code, public_id, now_ms)
        if access.attempt.state == AttemptState.OPEN:
            check_form(access)
            attempt_id = access.attempt.id  # the transaction forgets what was read before it
            with transaction(db):
                attempt = submit_attempt(db, attempt_id, papers=quizzes_runtime(current_app).papers, now_ms=now_ms)
            tell_closed(db, attempt)
        return redirect(url_for("quizzes.result", code=code, public_id=public_id), 303)
    found = running(db, code, public_id)
    if isinstance(found, BaseResponse):
        return found
    return attempt_page("quizzes/submit.html", found, position=found.delivery.item_count)


def tell_closed(db: Session, attempt: Attempt) -> None:
    """Let features above (the wrong book) know of a closed attempt of an account. What they do may be lost."""
    if attempt.account_id is not None and attempt.state in (AttemptState.SUBMITTED, AttemptState.EXPIRED):
        answers = answers_of(db, attempt.id)
        reviewed = quizzes_runtime(current_app).papers.reviewed(db, attempt.paper_id, attempt.scoring_revision)
        wrong = [reviewed[position].item_id for position in wrong_positions(reviewed, answers)]
        get_runtime().registry.collect("attempt_closed", db, attempt.account_id, wrong, get_now())


@dataclass(frozen=True)
class TopicResult:
    """How one topic (or benchmark) of a paper went."""

    name: dict[str, str]
    bank: str
    code: str
    right: int
    count: int

    @property
    def url(self) -> str | None:
        """Where the topic is practised."""
        if "practice.topic" not in current_app.view_functions:
            return None
        return url_for("practice.topic", bank=self.bank, topic=self.code)


def shows_keys(delivery: Delivery, now_ms: int) -> bool:
    """Whether right answers may be shown now."""
    if delivery.reveal == Reveal.AT_ONCE:
        return True
    return delivery.reveal == Reveal.AFTER_CLOSE and now_ms >= delivery.closes_at


def closed_attempt(db: Session, code: str, public_id: str) -> Access | BaseResponse:
    """An attempt with a result, or the way back to its question."""
    now_ms = to_ms(get_now())
    access = open_attempt(db, code, public_id, now_ms)
    if access.attempt.state == AttemptState.OPEN:
        if now_ms <= access.attempt.accepts_until:
            return redirect(url_for("quizzes.question", code=code, public_id=public_id, position=1), 303)
        with transaction(db):
            attempt = close_if_over(db, access.attempt.id, papers=quizzes_runtime(current_app).papers, now_ms=now_ms)
        tell_closed(db, attempt)
    return access


def wrong_positions(reviewed: dict[int, ReviewedQuestion], answers: dict[int, str]) -> list[int]:
    """The positions without a right answer, in order."""
    return [
        position
        for position, question in reviewed.items()
        if not is_right(answers.get(position, ""), question.key, question.more)
    ]


def topic_results(reviewed: dict[int, ReviewedQuestion], wrong: Collection[int]) -> list[TopicResult]:
    """Right and all per topic, in the order of the topics."""
    rights: dict[tuple[str, int], list[bool]] = defaultdict(list)
    examples: dict[tuple[str, int], ReviewedQuestion] = {}
    for position, question in reviewed.items():
        key = (question.topic_code, question.benchmark or question.topic_id)
        rights[key].append(position not in wrong)
        examples[key] = question
    return [
        TopicResult(examples[key].topic_title, examples[key].bank_code, key[0], sum(rights[key]), len(rights[key]))
        for key in sorted(rights)
    ]


@bp.get("/q/<code>/a/<public_id>/result")
@public
def result(code: str, public_id: str) -> str | BaseResponse:
    """Score, pass or not, weak topics, the receipt code, and, when the delivery shows it, each question."""
    db, now_ms = get_db(), to_ms(get_now())
    access = closed_attempt(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    attempt, delivery = access.attempt, access.delivery
    if attempt.state == AttemptState.VOID:
        voided = is_voided(db, attempt.id)
        return render_template("quizzes/void.html", access=access, delivery=delivery, attempt=attempt, voided=voided)
    if is_held(attempt, delivery):
        return render_template("quizzes/held.html", delivery=delivery, attempt=attempt)
    reviewed = quizzes_runtime(current_app).papers.reviewed(db, attempt.paper_id, attempt.scoring_revision)
    answers = answers_of(db, attempt.id)
    wrong = wrong_positions(reviewed, answers)
    topics = topic_results(reviewed, set(wrong))
    shows = shows_keys(delivery, now_ms)
    return render_template(
        "quizzes/result.html",
        access=access,
        delivery=delivery,
        attempt=attempt,
        shows=shows,
        topics=topics,
        weak=sorted((t for t in topics if t.right < t.count), key=lambda t: t.right / t.count)[:3],
        ticks=["all" if t.right == t.count else "some" if t.right else "none" for t in topics],
        wrong=wrong,
        cells=_result_cells(access, reviewed, set(wrong)) if shows else [],
        receipt=group_code(receipt_code(get_keys(), attempt.public_id)),
        by_receipt=receipt_cookie_name(attempt.public_id) in request.cookies,
        claimable=get_actor().signed_in and attempt.account_id is None,
        now_ms=now_ms,
        late=count_late(db, attempt.id),
        slots=get_runtime().registry.collect("result", db, attempt),
    )


def _result_cells(access: Access, positions: Collection[int], wrong: Collection[int]) -> list[dict[str, Any]]:
    code, public_id = access.delivery.poster_code, access.attempt.public_id
    base = url_for("quizzes.review", code=code, public_id=public_id, position=1)[:-1]
    return [
        {
            "number": position,
            "url": f"{base}{position}",
            "state": "wrong" if position in wrong else "right",
            "marked": False,
        }
        for position in positions
    ]


@bp.get("/q/<code>/a/<public_id>/review/<int:position>")
@public
def review(code: str, public_id: str, position: int) -> str | BaseResponse:
    """One question after the submit: own answer, right answer, why, and the citation."""
    db, now_ms = get_db(), to_ms(get_now())
    access = closed_attempt(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    attempt = access.attempt
    held = is_held(attempt, access.delivery)
    if held or attempt.state == AttemptState.VOID or not shows_keys(access.delivery, now_ms):
        return redirect(url_for("quizzes.result", code=code, public_id=public_id), 303)
    reviewed = quizzes_runtime(current_app).papers.reviewed(db, attempt.paper_id, attempt.scoring_revision)
    if position not in reviewed:
        raise NotFound
    answers = answers_of(db, attempt.id)
    answer = answers.get(position, "")
    paper = quizzes_runtime(current_app).papers.paper(db, attempt.paper_id)
    wrong = wrong_positions(reviewed, answers)
    return render_template(
        "quizzes/review.html",
        access=access,
        delivery=access.delivery,
        attempt=attempt,
        question=show_question(attempt, paper.questions[position - 1], answer),
        reviewed=reviewed[position],
        right=is_right(answer, reviewed[position].key, reviewed[position].more),
        key_options=_key_options(reviewed[position], paper.questions[position - 1].type),
        answered=bool(answer),
        position=position,
        count=len(reviewed),
        next_wrong=next((p for p in wrong if p > position), None),
    )


def _key_options(question: ReviewedQuestion, kind: str) -> set[str]:
    """The options that are shown as right: of one choice each that is accepted, of several those of the first accepted answer."""
    if kind == ItemType.MULTIPLE_CHOICE:
        return set(question.key)
    return {*question.key, *(option for answer in question.more for option in answer)}


@bp.route("/receipt", methods=["GET", "POST"])
@public
def receipt() -> str | BaseResponse | tuple[str, int]:
    """Open a result again with its receipt code."""
    db, now, keys = get_db(), get_now(), get_keys()
    form = ReceiptForm()
    if request.method == "GET":
        form.code.data = ""
    guesses: dict[str, Any] = {"keys": keys, "kind": "receipt", "subjects": guess_subjects(form.code.data or "")}
    wait = None
    if form.validate_on_submit():
        tail = "".join(c for c in form.phone_tail.data or "" if c.isdigit())[-4:]
        try:
            throttle.check(db, **guesses, token=request.form.get("not_before"), now=now)
            attempt = find_by_receipt(db, code=form.code.data or "", phone_tail=tail, keys=keys)
        except CodeUnknown as refusal:
            wait = throttle.record_failure(db, **guesses, token=request.form.get("not_before"), now=now)
            form.code.errors = [*form.code.errors, words_for(refusal)]
        except TooMany as refusal:
            form.code.errors = [*form.code.errors, words_for(refusal)]
        else:
            response = redirect(
                url_for("quizzes.result", code=attempt.delivery.poster_code, public_id=attempt.public_id), 303
            )
            keep_receipt_right(response, attempt.delivery, attempt, to_ms(now))
            return response
    wait = wait or throttle.delay(db, **guesses, now=now)
    page = render_template("quizzes/receipt.html", form=form, wait=wait)
    return (page, 422) if form.errors else page


@bp.post("/q/<code>/a/<public_id>/claim")
@signed_in
def claim(code: str, public_id: str) -> BaseResponse:
    """Put a result that this browser may open into the signed-in account."""
    db, now_ms = get_db(), to_ms(get_now())
    access = closed_attempt(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    try:
        with transaction(db):
            claim_attempt(db, attempt_id=access.attempt.id, actor=get_actor(), now_ms=now_ms)
    except AlreadyClaimed:
        return redirect(url_for("quizzes.result", code=code, public_id=public_id, claimed="other"), 303)
    return redirect(url_for("quizzes.result", code=code, public_id=public_id), 303)
