"""One question after another: what rounds, the daily quiz and the wrong book have in common.

A question page is a form; its answer comes back (303) as the same page with the feedback. The address of the feedback carries what was
answered and a signature over it, so that the key is shown to nobody who has not answered. With scripts the two pages are exchanged
without a page load.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.banks.models import ItemType, ItemVersion
from quizapp.core.web import get_actor, get_db, get_keys
from quizapp.practice.errors import AnswerMissing
from quizapp.practice.queries import PoolItem, find_entry, get_version
from quizapp.practice.rounds import Round
from quizapp.practice.services import Recorded
from quizapp.quizzes.ordering import option_order
from quizapp.quizzes.scoring import answer_text, is_right, parse_answer
from quizapp.ui.words import words_for

LETTERS = "ABCDEFGH"
_SIGNED = "practice-feedback"


@dataclass(frozen=True)
class Play:
    """A round as its pages need it."""

    #: "round", "daily" or "wrong_book": the pages differ in a few words.
    kind: str
    title: str
    #: The seed, or the day.
    seed: str
    items: tuple[PoolItem, ...]
    round: Round
    #: Address of the round with these results and further parameters.
    address: Callable[..., str]
    close_url: str
    #: What the end of the round offers next.
    again_url: str
    #: Keeps an answer: version, answer, right, place → the answer that counts.
    keep: Callable[[ItemVersion, str, bool, int], Recorded]


@dataclass(frozen=True)
class ShownOption:
    """An option in its place; `state` is open before the answer, then right, wrong, missed or idle."""

    id: str
    text: dict[str, str]
    letter: str
    state: str


def play(current: Play) -> str | BaseResponse | tuple[str, int]:
    """Answer a request for a round: take an answer, show the feedback, the next question, or the end."""
    db = get_db()
    if request.method == "POST":
        return _take_answer(db, current)
    if (feedback := _feedback(db, current)) is not None:
        return feedback
    if current.round.over:
        return render_template("practice/done.html", play=current, round=current.round)
    return _question(db, current)


def _question(db: Session, current: Play, error: str | None = None) -> str:
    place = len(current.round.results)
    version = get_version(db, current.items[current.round.item_at(place)].version_id)
    return _page(current, version, place, error=error)


def _take_answer(db: Session, current: Play) -> BaseResponse | tuple[str, int]:
    place = request.form.get("place", -1, type=int)
    item = current.items[current.round.item_at(place)] if 0 <= place < current.round.total else None
    if item is None or place > len(current.round.results) or str(item.version_id) != request.form.get("item"):
        # the round went on, or the item went out of practice, while the page was open
        return redirect(current.address(), 303)
    version = get_version(db, item.version_id)
    answer = answer_text(parse_answer(",".join(request.form.getlist("answer"))))
    if not answer:
        return _question(db, current, error=words_for(AnswerMissing())), 422
    right = is_right(answer, tuple(sorted(version.key)))
    recorded = current.keep(version, answer, right, place)
    check = _sign(current, place, version.id, recorded.answer)
    return redirect(
        current.address(
            results=current.round.results[:place] + ("1" if recorded.right else "0"),
            place=place,
            item=version.id,
            answer=recorded.answer,
            check=check,
        ),
        303,
    )


def _sign(current: Play, place: int, version_id: int, answer: str) -> str:
    return get_keys().sign(_SIGNED, current.kind, current.seed, place, version_id, answer)


def _feedback(db: Session, current: Play) -> str | None:
    """The page with the key, for an address that an answer earned."""
    place = request.args.get("place", -1, type=int)
    version_id = request.args.get("item", 0, type=int)
    answer, check = request.args.get("answer", ""), request.args.get("check", "")
    signed = (current.kind, current.seed, place, version_id, answer)
    if not check or not get_keys().verify(check, _SIGNED, *signed) or place >= len(current.round.results):
        return None
    version = get_version(db, version_id)
    right = is_right(answer, tuple(sorted(version.key)))
    actor = get_actor()
    entry = find_entry(db, actor.account_id, version.item_id) if actor.account_id is not None else None
    return _page(
        current,
        version,
        place,
        answer=answer,
        right=right,
        key=tuple(sorted(version.key)),
        rationale=version.rationale,
        citation=version.citation,
        in_wrong_book=entry is not None,
        left_wrong_book=right and current.kind == "wrong_book" and entry is None,
        last=len(current.round.results) >= current.round.total,
    )


def _page(current: Play, version: ItemVersion, place: int, *, answer: str | None = None, **values: Any) -> str:
    key = values.get("key")
    return render_template(
        "practice/question.html",
        play=current,
        round=current.round,
        version_id=version.id,
        type=version.type,
        stem_text=version.stem,
        image=version.image,
        topic=version.item.topic.title,
        options=_options(current.seed, place, version, answer, key),
        place=place,
        answered=answer is not None,
        returned=place >= current.round.size,
        **values,
    )


def _options(
    seed: str, place: int, version: ItemVersion, answer: str | None, key: tuple[str, ...] | None
) -> tuple[ShownOption, ...]:
    texts = {option["id"]: option for option in version.options}
    keep = version.ordered or version.type == ItemType.TRUE_FALSE
    chosen = set(answer.split(",")) if answer else set()

    def state(option: str) -> str:
        if key is None:
            return "open"
        if option in key:
            return "right" if option in chosen or version.type != ItemType.MULTIPLE_CHOICE else "missed"
        return "wrong" if option in chosen else "idle"

    order = option_order(seed, place, list(texts), ordered=keep)
    return tuple(
        ShownOption(option, texts[option], LETTERS[index], state(option)) for index, option in enumerate(order)
    )
