"""Making the papers of a delivery: before its window, in a job, never when a thousand phones arrive.

The solver runs between two transactions: what it needs is read first, its papers are stored in one transaction after. So no lock is held
while it works, and the answers of other tests go on being saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.banks.models import ItemVersion
from quizapp.banks.queries import AssemblyPool, assembly_pool
from quizapp.core.clock import from_ms, local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import SYSTEM, Actor
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.measurement.assembly import AssemblyInfeasible, Blueprint, PoolItem, assemble, plain_conflicts
from quizapp.measurement.guessing import guess_pass
from quizapp.quizzes.errors import AssemblyRunning
from quizapp.quizzes.models import Delivery, DeliveryState, Paper, PaperItem, QuizBlueprint
from quizapp.quizzes.queries.deliveries import item_uses, paper_count

#: Name of the job.
TASK = "assemble_papers"
#: Share of a bank that tests leave to practice, so that practice does not run dry while a test is open.
LEFT_TO_PRACTICE = 0.25
#: Characters of `Delivery.failure`.
FAILURE_LENGTH = 60
#: After so many milliseconds without papers the assembly may be asked for again.
PATIENCE_MS = 2 * 60 * 1000


@dataclass(frozen=True)
class Draw:
    """What a delivery is drawn from."""

    blueprint: Blueprint
    pool: AssemblyPool
    #: The pool without what is left to practice, where the rules can be met so.
    reduced: tuple[PoolItem, ...]


def read_draw(db: Session, blueprint: QuizBlueprint, *, now: datetime) -> Draw:
    """The rules and the items that a test may draw now: approved, for tests, and their source still in force."""
    pool = assembly_pool(db, blueprint.bank.code, item_uses(db, blueprint.bank_id, now))
    month = f"{local_date(now):%Y-%m}"
    expired = {
        version_id
        for version_id, citation in db.execute(
            select(ItemVersion.id, ItemVersion.citation).where(ItemVersion.id.in_(pool.version_ids.values()))
        )
        if citation.get("valid_until", month) < month
    }
    items = tuple(item for item in pool.items if pool.version_ids[item.id] not in expired)
    rules = blueprint_rules(blueprint, items)
    valid = AssemblyPool(items, pool.version_ids, pool.option_counts)
    return Draw(rules, valid, _without_practice(items, rules, f"{blueprint.bank.code}:{month[:4]}"))


def blueprint_rules(blueprint: QuizBlueprint, items: tuple[PoolItem, ...]) -> Blueprint:
    """The rules of a blueprint; where it names no topics, all topics of the pool are meant."""
    rules = dict(blueprint.rules)
    topics = rules.get("topics")
    if topics is not None and not topics.get("names"):
        rules["topics"] = {**topics, "names": sorted({item.topic for item in items})}
    return Blueprint.from_rules(rules)


def _without_practice(items: tuple[PoolItem, ...], rules: Blueprint, seed: str) -> tuple[PoolItem, ...]:
    """Leave a quarter of the pool to practice: in an order mixed by the bank and the year, so that all tests leave the same items.

    An item stays where the rules could not be met without it, as far as counting shows.
    """

    def place(item: PoolItem) -> str:
        return hashlib.sha256(f"{seed}:{item.id}".encode()).hexdigest()

    kept = list(items)
    spare = int(len(items) * LEFT_TO_PRACTICE)
    for item in sorted(items, key=place):
        if spare == 0 or len(kept) <= rules.items:
            break
        rest = [other for other in kept if other is not item]
        if not plain_conflicts(rest, rules):
            kept, spare = rest, spare - 1
    return tuple(kept)


def assemble_papers(
    db: Session, delivery_id: int, *, now: datetime, on_form: Callable[[int], None] | None = None
) -> Delivery:
    """Make and store all papers of a delivery, or note why that cannot be; nothing where they stand already.

    Runs its own transactions: call it outside of one. `on_form` is called after each solved paper with its number.
    """
    db.rollback()
    delivery = db.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound
    if delivery.state == DeliveryState.READY:
        return delivery
    blueprint = db.get_one(QuizBlueprint, delivery.blueprint_id)
    draw = read_draw(db, blueprint, now=now)
    papers, seed = delivery.paper_count, delivery.seed
    right = pass_right(delivery.pass_score, int(blueprint.rules["points_each"]))
    db.rollback()  # the solver takes seconds: no transaction stays open meanwhile
    try:
        forms = _solve(draw, papers, seed, right, on_form)
    except AssemblyInfeasible as refusal:
        code = failure_code(refusal)
        with transaction(db):
            return _note_failure(db, delivery_id, code, now, seed=seed)
    with transaction(db):
        return _store(db, delivery_id, blueprint, draw, forms, now, seed=seed)


def failure_code(refusal: AssemblyInfeasible) -> str:
    """What cannot be met: one demand that fails by itself, "type:true_false:8/9"; else those that conflict, joined by semicolons.

    The surest first, as many as the column holds.
    """
    alone = [conflict for conflict in refusal.conflicts if conflict.available < conflict.needed]
    first, *others = [conflict.code for conflict in alone[:1] or refusal.conflicts] or [refusal.code]
    found = first[:FAILURE_LENGTH]
    for code in others:
        if len(found) + 1 + len(code) > FAILURE_LENGTH:
            break
        found += f";{code}"
    return found


def note_crash(db: Session, delivery_id: int, *, now: datetime) -> Delivery:
    """The assembly broke for a reason that is not in the bank."""
    return _note_failure(db, delivery_id, "crashed", now)


def ask_again(db: Session, delivery: Delivery, *, actor: Actor, now: datetime) -> Job:
    """Assemble once more after a failure, or when nothing has come for two minutes. Raises AssemblyRunning."""
    locked = _lock(db, delivery.id)
    age = now - from_ms(locked.asked_at or locked.created_at)
    overdue = locked.state == DeliveryState.PREPARING and age.total_seconds() * 1000 >= PATIENCE_MS
    if locked.state != DeliveryState.FAILED and not overdue:
        raise AssemblyRunning
    locked.state = DeliveryState.PREPARING
    locked.failure = None
    locked.asked_at = to_ms(now)
    _record(db, locked, "assembly_asked_again", actor, now)
    return enqueue(db, TASK, {"delivery_id": locked.id}, actor=actor, now=now)


def _solve(draw: Draw, forms: int, seed: str, right: int, on_form: Callable[[int], None] | None) -> list[list[str]]:
    try:
        return assemble(draw.reduced, draw.blueprint, forms, seed, pass_right=right, on_form=on_form)
    except AssemblyInfeasible:
        if len(draw.reduced) == len(draw.pool.items):
            raise
    return assemble(draw.pool.items, draw.blueprint, forms, seed, pass_right=right, on_form=on_form)


def _store(
    db: Session,
    delivery_id: int,
    blueprint: QuizBlueprint,
    draw: Draw,
    forms: list[list[str]],
    now: datetime,
    *,
    seed: str,
) -> Delivery:
    delivery = _lock(db, delivery_id)
    if delivery.state == DeliveryState.READY or paper_count(db, delivery_id):
        return delivery  # another worker was faster
    if delivery.seed != seed:
        return delivery  # other papers were asked for meanwhile: their own job makes them
    types = {item.id: item.type for item in draw.pool.items}
    points = int(blueprint.rules["points_each"])
    for number, codes in enumerate(forms, start=1):
        paper = Paper(delivery_id=delivery_id, number=number)
        db.add(paper)
        db.flush()
        db.add_all(
            PaperItem(paper_id=paper.id, position=position, item_version_id=draw.pool.version_ids[code], points=points)
            for position, code in enumerate(codes, start=1)
        )
    right = pass_right(delivery.pass_score, points)
    # the paper that is easiest to guess, with the real numbers of options
    delivery.guess_pass = max(
        guess_pass([(types[code], draw.pool.option_counts[code]) for code in codes], right) for codes in forms
    )
    delivery.state = DeliveryState.READY
    delivery.failure = None
    _record(db, delivery, "papers_assembled", SYSTEM, now, papers=len(forms))
    return delivery


def pass_right(pass_score: int, points_each: int) -> int:
    """Right answers needed for a score."""
    return -(-pass_score // points_each)


def _note_failure(db: Session, delivery_id: int, code: str, now: datetime, *, seed: str | None = None) -> Delivery:
    delivery = _lock(db, delivery_id)
    if delivery.state != DeliveryState.READY and seed in (None, delivery.seed):
        delivery.state = DeliveryState.FAILED
        delivery.failure = code[:FAILURE_LENGTH]
        _record(db, delivery, "assembly_failed", SYSTEM, now, failure=delivery.failure)
    return delivery


def _lock(db: Session, delivery_id: int) -> Delivery:
    query = select(Delivery).where(Delivery.id == delivery_id).with_for_update(of=Delivery)
    return db.scalars(query.execution_options(populate_existing=True)).one()


def _record(db: Session, delivery: Delivery, action: str, actor: Actor, now: datetime, **details: object) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="delivery",
        object_id=delivery.id,
        unit_id=delivery.unit_id,
        details=details,
        now=now,
    )
    db.flush()
