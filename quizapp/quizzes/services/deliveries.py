"""Publishing a delivery, changing it, and ending it early.

Before the first start everything may change; what makes other papers asks for them anew. After it only the window's end (earlier here;
later is extending, which takes late answers in), the audience and what is shown may change: anything else is a copy.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, cast, delete, literal, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.core.tokens import new_poster_code
from quizapp.jobs.services import enqueue
from quizapp.quizzes.errors import (
    BlueprintUnknown,
    DeliveryEdited,
    DeliveryEnded,
    DeliveryNotOpen,
    DeliveryStarted,
    EndOnlyEarlier,
)
from quizapp.quizzes.models import (
    PROFILE_FIELDS,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
    FieldDemand,
    Paper,
    PaperItem,
    QuizBlueprint,
    Reveal,
)
from quizapp.quizzes.queries.deliveries import find_blueprint, is_started
from quizapp.quizzes.services.assembly import TASK
from quizapp.quizzes.services.audience import AudienceLine, checked_lines, store_lines
from quizapp.quizzes.services.delivery_values import (
    COLUMNS,
    DEFAULT_PAPERS,
    NOTICE,
    checked_values,
    expected_guess_pass,
    notice_of,
    own_unit,
    values_of,
)
from quizapp.quizzes.services.paper_checks import papers_guess_pass
from quizapp.quizzes.services.standing import lock_delivery

#: What may still change after the first start.
LATE_CHANGES = frozenset({"closes_at", "audience", "reveal"})
#: What makes other papers.
_DRAWS = frozenset({"blueprint_code", "paper_count"})


def create_delivery(
    db: Session,
    *,
    blueprint_code: str,
    title: str,
    title_en: str | None = None,
    unit_id: int,
    opens_at: datetime,
    closes_at: datetime,
    time_limit_s: int | None,
    tries: int | None,
    pass_score: int,
    fields: Mapping[str, str],
    reveal: str = Reveal.AFTER_CLOSE,
    guests: bool = True,
    capacity: int | None = None,
    paper_count: int = DEFAULT_PAPERS,
    audience: Iterable[AudienceLine] = (),
    keeper: str,
    purpose: str,
    contact: str,
    retention_months: int,
    actor: Actor,
    now: datetime,
    seed: str | None = None,
    poster_code: str | None = None,
    copied_from: int | None = None,
) -> Delivery:
    """Store a delivery that is being prepared, and the job that makes its papers.

    `fields`: profile field → `FieldDemand`; `time_limit_s`, `tries` and `capacity` None: no limit. No `audience`: everybody who scans
    the poster. `seed` decides the assembly and `poster_code` the address; both are random unless given. `copied_from` is noted in the
    log. Raises NotFound for a unit outside the actor's scope, and the refusals of a value that is not acceptable.
    """
    unit = own_unit(db, unit_id, actor)
    blueprint = _blueprint(db, blueprint_code)
    maximum = _maximum(blueprint)
    values = checked_values(
        {
            "title": title,
            "title_en": title_en,
            "unit_id": unit.id,
            "opens_at": to_ms(opens_at),
            "closes_at": to_ms(closes_at),
            "time_limit_s": time_limit_s,
            "tries": tries,
            "capacity": capacity,
            "pass_score": pass_score,
            "paper_count": paper_count,
            "reveal": reveal,
            "guests": guests,
            "fields": dict(fields),
            "audience": checked_lines(db, audience, actor=actor),
            "keeper": keeper,
            "purpose": purpose,
            "contact": contact,
            "retention_months": retention_months,
        },
        maximum,
        to_ms(now),
        begun=False,
    )
    delivery = Delivery(
        poster_code=poster_code or _free_code(db),
        blueprint_id=blueprint.id,
        max_score=maximum,
        item_count=int(blueprint.rules["items"]),
        notice=notice_of(values, now),
        guess_pass=expected_guess_pass(blueprint.rules, pass_score),
        state=DeliveryState.PREPARING,
        seed=seed or secrets.token_hex(16),
        limited=bool(values["audience"]),
        revision=1,
        created_by=actor.account_id,
        created_at=to_ms(now),
        **{name: values[name] for name in COLUMNS},
    )
    delivery.unit = unit
    delivery.blueprint = blueprint
    db.add(delivery)
    db.flush()
    store_lines(db, delivery.id, values["audience"])
    enqueue(db, TASK, {"delivery_id": delivery.id}, actor=actor, now=now)
    details: dict[str, Any] = {"blueprint": blueprint.code, "papers": paper_count, "fields": _asked(delivery.fields)}
    if values["audience"]:
        details["audience"] = [line.unit_id for line in values["audience"]]
    if copied_from is not None:
        details["copied_from"] = copied_from
    _record(db, delivery, "delivery_published", details, actor, now)
    return delivery


def update_delivery(
    db: Session,
    delivery_id: int,
    *,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    revision: int | None = None,
) -> Delivery:
    """Change values of a delivery: any of `create_delivery`. `revision` is the one that the editor saw; None takes what stands.

    After the first start only `closes_at`, `audience` and `reveal` may change: anything else raises DeliveryStarted, naming the fields,
    and a later end raises EndOnlyEarlier. An earlier end cuts the deadlines of running attempts. Raises DeliveryEdited where somebody
    has changed it since. The changed fields are logged.
    """
    delivery = lock_delivery(db, delivery_id)
    own_unit(db, delivery.unit_id, actor, closed_too=True)
    if revision is not None and revision != delivery.revision:
        raise DeliveryEdited(revision=delivery.revision)
    started = is_started(db, delivery.id)
    current = values_of(delivery)
    wanted: dict[str, Any] = {n: to_ms(v) if n in ("opens_at", "closes_at") else v for n, v in changes.items()}
    if unknown := set(wanted) - set(current):
        raise ValueError(f"not a value of a delivery that can change: {sorted(unknown)}")
    if "audience" in wanted:
        wanted["audience"] = checked_lines(db, wanted["audience"], before=current["audience"], actor=actor)
    values = {**current, **wanted}
    if values["unit_id"] != delivery.unit_id:
        own_unit(db, values["unit_id"], actor)
    blueprint = _blueprint(db, values["blueprint_code"])
    begun = started or current["closes_at"] <= to_ms(now)
    # after the first start what else would be wrong does not matter: it cannot change
    maximum = delivery.max_score if started else _maximum(blueprint)
    values = checked_values(values, maximum, to_ms(now), begun=begun)
    changed = {name for name, value in values.items() if value != current[name]}
    if started and (refused := sorted(changed - LATE_CHANGES)):
        raise DeliveryStarted(fields=refused)
    if started and values["closes_at"] > current["closes_at"]:
        raise EndOnlyEarlier(field="closes_at")
    if not changed:
        return delivery
    columns = {name: values[name] for name in COLUMNS if name in changed}
    if changed & {*NOTICE, "fields"}:
        columns["notice"] = notice_of(values, now)
    if changed & _DRAWS:
        columns |= _new_draw(db, delivery, blueprint, actor, now)
    if changed & {"pass_score", *_DRAWS}:
        expected = expected_guess_pass(blueprint.rules, values["pass_score"])
        exact = papers_guess_pass(db, delivery.id, values["pass_score"]) if not changed & _DRAWS else None
        columns["guess_pass"] = expected if exact is None else exact
    if "audience" in changed:
        columns["limited"] = bool(values["audience"])
        store_lines(db, delivery.id, values["audience"])
    _write(db, delivery, columns)
    if "closes_at" in changed:
        _cut_running(db, delivery)
    details: dict[str, Any] = {"fields": sorted(changed), "after_start": started}
    if "audience" in changed:
        details["audience"] = [line.unit_id for line in values["audience"]]
    _record(db, delivery, "delivery_changed", details, actor, now)
    return delivery


def close_early(db: Session, delivery_id: int, *, actor: Actor, now: datetime) -> int:
    """End an open delivery now; gives how many were answering. Answers on their way count within the grace, later ones are kept as late.

    Who was answering is closed with what was saved by the next touch or by the job. Raises DeliveryNotOpen and DeliveryEnded.
    """
    delivery = lock_delivery(db, delivery_id)
    own_unit(db, delivery.unit_id, actor, closed_too=True)
    if to_ms(now) <= delivery.opens_at:
        raise DeliveryNotOpen(opens_at=delivery.opens_at)
    if to_ms(now) >= delivery.closes_at:
        raise DeliveryEnded(closes_at=delivery.closes_at)
    _write(db, delivery, {"closes_at": to_ms(now)})
    cut = _cut_running(db, delivery)
    _record(db, delivery, "delivery_closed_early", {"answering": cut}, actor, now)
    return cut


def _write(db: Session, delivery: Delivery, columns: Mapping[str, Any]) -> None:
    """Store columns on the revision that was read, and raise it: whoever was faster wins, whatever was locked."""
    stored = db.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.revision == delivery.revision)
        .values(**columns, revision=delivery.revision + 1)
        .returning(Delivery.revision)
        .execution_options(synchronize_session=False)
    ).first()
    if stored is None:
        raise DeliveryEdited(revision=None)
    db.flush()
    db.expire(delivery)


def _new_draw(db: Session, delivery: Delivery, blueprint: QuizBlueprint, actor: Actor, now: datetime) -> dict[str, Any]:
    """Give up the papers, which nobody has seen, and ask for new ones; gives the columns that change with them.

    The new seed tells a job that still works on the old draw to keep its papers to itself.
    """
    papers = select(Paper.id).where(Paper.delivery_id == delivery.id)
    db.execute(delete(PaperItem).where(PaperItem.paper_id.in_(papers)))
    db.execute(delete(Paper).where(Paper.delivery_id == delivery.id))
    enqueue(db, TASK, {"delivery_id": delivery.id}, actor=actor, now=now)
    return {
        "blueprint_id": blueprint.id,
        "max_score": _maximum(blueprint),
        "item_count": int(blueprint.rules["items"]),
        "seed": secrets.token_hex(16),
        "state": DeliveryState.PREPARING,
        "failure": None,
        "asked_at": to_ms(now),
    }


def _cut_running(db: Session, delivery: Delivery) -> int:
    """Nobody's time ends after the window and the extra time that they were given; gives how many attempts were shortened."""
    # as wide as an instant: on PostgreSQL a product of seconds is a narrow integer
    end = literal(delivery.closes_at, BigInteger) + cast(Attempt.extra_s, BigInteger) * 1000
    cut = db.execute(
        update(Attempt)
        .where(Attempt.delivery_id == delivery.id, Attempt.state == AttemptState.OPEN, Attempt.deadline_at > end)
        .values(deadline_at=end, accepts_until=end + delivery.grace_s * 1000)
        .returning(Attempt.id)
        .execution_options(synchronize_session=False)
    )
    return len(cut.all())


def _blueprint(db: Session, code: str) -> QuizBlueprint:
    blueprint = find_blueprint(db, code)
    if blueprint is None:
        raise BlueprintUnknown(field="blueprint")
    return blueprint


def _maximum(blueprint: QuizBlueprint) -> int:
    return int(blueprint.rules["items"]) * int(blueprint.rules["points_each"])


def _free_code(db: Session) -> str:
    """A poster code that nobody has; the unique constraint decides between two at once."""
    code = new_poster_code()
    while db.scalar(select(Delivery.id).where(Delivery.poster_code == code)) is not None:
        code = new_poster_code()
    return code


def _asked(fields: Mapping[str, str]) -> list[str]:
    return [name for name in PROFILE_FIELDS if fields.get(name, FieldDemand.OFF) != FieldDemand.OFF]


def _record(
    db: Session, delivery: Delivery, action: str, details: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
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
