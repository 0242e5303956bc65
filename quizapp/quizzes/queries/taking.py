"""What the taking pages read: a delivery by its code, an attempt by its name, a paper once per process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from quizapp.banks.models import BenchmarkPoint, Item, ItemBank, ItemVersion, Topic
from quizapp.core.errors import NotFound
from quizapp.core.tokens import normalize_code
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, Paper, PaperItem, QuizBlueprint, Response
from quizapp.quizzes.rescoring.models import CorrectedKey
from quizapp.quizzes.scoring import PositionKey

#: Papers kept in memory by one process; a paper never changes, so nothing has to be thrown away but for room.
_CACHED_PAPERS = 500
#: How long the questions of a review are kept.
_REVIEWED_SECONDS = 60.0


# What a whole hall asks at once is written once: putting a query together costs as much as running it.
_DELIVERY = (
    select(Delivery)
    .where(Delivery.poster_code == bindparam("code"))
    .options(joinedload(Delivery.unit), joinedload(Delivery.blueprint).defer(QuizBlueprint.rules))
)
_ATTEMPT = select(Attempt).where(
    Attempt.public_id == bindparam("public_id"), Attempt.delivery_id == bindparam("delivery_id")
)
_RESPONSES = select(Response).where(Response.attempt_id == bindparam("attempt_id"))
_ANSWERS = select(Response.position, Response.answer).where(Response.attempt_id == bindparam("attempt_id"))


@dataclass(frozen=True)
class PaperQuestion:
    """One position as it may be shown before the submit: no key, no rationale."""

    position: int
    type: str
    stem: dict[str, str]
    options: tuple[dict[str, str], ...]
    ordered: bool
    points: int
    #: Its picture as `item_version.image` has it, or None.
    image: dict[str, Any] | None


@dataclass(frozen=True)
class ReviewedQuestion:
    """What is shown of a position after the submit."""

    item_id: int
    item_code: str
    topic_id: int
    topic_code: str
    topic_title: dict[str, str]
    bank_id: int
    bank_code: str
    benchmark: int | None
    key: tuple[str, ...]
    #: Further answers that are right since a correction.
    more: tuple[tuple[str, ...], ...]
    #: Whether the key was corrected.
    corrected: bool
    rationale: dict[str, str]
    citation: dict[str, Any]


@dataclass(frozen=True)
class PaperView:
    """A paper as the pages need it."""

    id: int
    number: int
    questions: tuple[PaperQuestion, ...]


class PaperCache:
    """Papers without keys by paper id; keys by paper id and scoring revision."""

    def __init__(self) -> None:
        self._papers: OrderedDict[int, PaperView] = OrderedDict()
        self._keys: OrderedDict[tuple[int, int], dict[int, PositionKey]] = OrderedDict()
        self._reviewed: OrderedDict[tuple[int, int], tuple[float, dict[int, ReviewedQuestion]]] = OrderedDict()
        self._lock = Lock()

    def paper(self, db: Session, paper_id: int) -> PaperView:
        """The questions of a paper."""
        if (found := self._papers.get(paper_id)) is not None:
            return found
        view = _load_paper(db, paper_id)
        with self._lock:
            self._papers[paper_id] = view
            while len(self._papers) > _CACHED_PAPERS:
                self._papers.popitem(last=False)
        return view

    def keys(self, db: Session, paper_id: int, revision: int) -> dict[int, PositionKey]:
        """The keys of a paper in one scoring revision; `revision` was read in the caller's own transaction."""
        if (found := self._keys.get((paper_id, revision))) is not None:
            return found
        rows = db.execute(
            select(PaperItem.position, PaperItem.points, ItemVersion.key)
            .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
            .where(PaperItem.paper_id == paper_id)
            .order_by(PaperItem.position)
        )
        corrected = corrected_keys(db, paper_id, revision)
        keys = {
            position: _position_key(points, *corrected.get(position, (tuple(sorted(key)), ())))
            for position, points, key in rows
        }
        with self._lock:
            self._keys[paper_id, revision] = keys
            while len(self._keys) > _CACHED_PAPERS:
                self._keys.popitem(last=False)
        return keys

    def reviewed(self, db: Session, paper_id: int, revision: int | None) -> dict[int, ReviewedQuestion]:
        """`review_questions`, kept for a minute: versions never change, but a topic may be named anew.

        `revision` is the one that the attempt was scored with; None, before it was scored, is the first.
        """
        place = (paper_id, revision or 1)
        known = self._reviewed.get(place)
        if known is not None and monotonic() < known[0]:
            return known[1]
        questions = review_questions(db, *place)
        with self._lock:
            self._reviewed[place] = (monotonic() + _REVIEWED_SECONDS, questions)
            while len(self._reviewed) > _CACHED_PAPERS:
                self._reviewed.popitem(last=False)
        return questions


Accepted = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]


def _position_key(points: int, key: tuple[str, ...], more: tuple[tuple[str, ...], ...]) -> PositionKey:
    return PositionKey(key, points, more)


def corrected_keys(db: Session, paper_id: int, revision: int) -> dict[int, Accepted]:
    """Position → (key, further right answers) of the positions that were corrected up to a scoring revision."""
    rows = db.execute(
        select(CorrectedKey.position, CorrectedKey.accepted)
        .where(CorrectedKey.paper_id == paper_id, CorrectedKey.revision <= revision)
        .order_by(CorrectedKey.revision)
    )
    found: dict[int, Accepted] = {}
    for position, accepted in rows:  # the newest wins
        first, *more = (tuple(sorted(answer)) for answer in accepted)
        found[position] = (first, tuple(more))
    return found


def _load_paper(db: Session, paper_id: int) -> PaperView:
    number = db.scalar(select(Paper.number).where(Paper.id == paper_id))
    if number is None:
        raise NotFound
    rows = db.execute(
        select(PaperItem.position, PaperItem.points, ItemVersion)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .where(PaperItem.paper_id == paper_id)
        .order_by(PaperItem.position)
    )
    questions = tuple(
        PaperQuestion(position, v.type, v.stem, tuple(v.options), v.ordered, points, v.image)
        for position, points, v in rows
    )
    return PaperView(paper_id, number, questions)


def get_delivery(db: Session, poster_code: str) -> Delivery:
    """The delivery of a poster code, as typed or scanned. Raises NotFound."""
    delivery = db.scalar(_DELIVERY, {"code": normalize_code(poster_code)})
    if delivery is None:
        raise NotFound
    return delivery


def find_attempt(db: Session, delivery_id: int, public_id: str) -> Attempt | None:
    """The attempt of this name under a delivery."""
    return db.scalar(_ATTEMPT, {"public_id": public_id, "delivery_id": delivery_id})


def find_attempts(db: Session, delivery_id: int, public_ids: list[str]) -> list[Attempt]:
    """Those of these attempts that belong to the delivery, newest first."""
    if not public_ids:
        return []
    return list(
        db.scalars(
            select(Attempt)
            .where(Attempt.delivery_id == delivery_id, Attempt.public_id.in_(public_ids))
            .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        )
    )


def responses_of(db: Session, attempt_id: int) -> dict[int, Response]:
    """The stored answers by position."""
    rows = db.scalars(_RESPONSES, {"attempt_id": attempt_id})
    return {row.position: row for row in rows}


def answers_of(db: Session, attempt_id: int) -> dict[int, str]:
    """The stored answers alone, by position."""
    return dict(db.execute(_ANSWERS, {"attempt_id": attempt_id}).all())


def attempts_of_account(db: Session, account_id: int, delivery_id: int | None = None) -> list[Attempt]:
    """What an account made or claimed, newest first."""
    query = select(Attempt).where(Attempt.account_id == account_id).options(joinedload(Attempt.delivery))
    if delivery_id is not None:
        query = query.where(Attempt.delivery_id == delivery_id)
    return list(db.scalars(query.order_by(Attempt.started_at.desc(), Attempt.id.desc())))


def places_taken(db: Session, delivery_id: int) -> int:
    """Attempts of a delivery that take a place."""
    return (
        db.scalar(select(func.count()).where(Attempt.delivery_id == delivery_id, Attempt.state != AttemptState.VOID))
        or 0
    )


def review_questions(db: Session, paper_id: int, revision: int) -> dict[int, ReviewedQuestion]:
    """Keys as of a scoring revision, rationales, citations and topics by position: only for a page after the submit."""
    corrected = corrected_keys(db, paper_id, revision)
    rows = db.execute(
        select(PaperItem.position, ItemVersion, Item, Topic, ItemBank.code, BenchmarkPoint.benchmark_number)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Topic, Topic.id == Item.topic_id)
        .join(ItemBank, ItemBank.id == Topic.bank_id)
        .outerjoin(BenchmarkPoint, BenchmarkPoint.number == ItemVersion.point_number)
        .where(PaperItem.paper_id == paper_id)
        .order_by(PaperItem.position)
    )
    return {
        position: ReviewedQuestion(
            item_id=item.id,
            item_code=item.code,
            topic_id=topic.id,
            topic_code=topic.code,
            topic_title=topic.title,
            bank_id=topic.bank_id,
            bank_code=bank_code,
            benchmark=benchmark,
            key=corrected[position][0] if position in corrected else tuple(sorted(version.key)),
            more=corrected[position][1] if position in corrected else (),
            corrected=position in corrected,
            rationale=version.rationale,
            citation=version.citation,
        )
        for position, version, item, topic, bank_code, benchmark in rows
    }
