"""Publishing a delivery, and changing it: before the first start almost everything, after it the window's end and what is shown."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import local_date, to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import new_poster_code
from quizapp.jobs.services import enqueue
from quizapp.measurement.guessing import guess_pass
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.errors import (
    BlueprintUnknown,
    DeliveryStarted,
    DeliveryTextTooLong,
    DeliveryValueMissing,
    DeliveryValueOutOfRange,
    UnitClosedForDelivery,
    WindowEmpty,
)
from quizapp.quizzes.models import (
    PROFILE_FIELDS,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
    FieldDemand,
    Reveal,
)
from quizapp.quizzes.queries.deliveries import find_blueprint, is_started
from quizapp.quizzes.services.assembly import TASK, pass_right

#: Parallel papers unless said otherwise.
DEFAULT_PAPERS = 4
#: Lowest and highest value of each number.
LIMITS: dict[str, tuple[int, int]] = {
    "time_limit_s": (60, 24 * 3600),
    "tries": (1, 100),
    "capacity": (1, 1_000_000),
    "paper_count": (1, 100),
    "retention_months": (1, 120),
}
#: Longest text of each kind, characters.
LENGTHS = {"title": 120, "title_en": 160, "keeper": 120, "purpose": 300, "contact": 120}
#: What may still change after the first start.
LATE_CHANGES = frozenset({"closes_at", "reveal"})


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
    keeper: str,
    purpose: str,
    contact: str,
    retention_months: int,
    actor: Actor,
    now: datetime,
    seed: str | None = None,
    poster_code: str | None = None,
) -> Delivery:
    """Publish a delivery: it is "being prepared" until the job that this enqueues has stored its papers.

    `fields`: profile field → `FieldDemand`, the rest is off. `time_limit_s`, `tries` and `capacity` None: no limit. `seed` decides the
    assembly and `poster_code` the address; both are random unless given. Raises NotFound for a unit outside the actor's scope, and
    the refusals of a value that is not acceptable.
    """
    unit = _own_unit(db, unit_id, actor)
    blueprint = find_blueprint(db, blueprint_code)
    if blueprint is None:
        raise BlueprintUnknown(field="blueprint")
    rules = blueprint.rules
    notice = {"keeper": keeper, "purpose": purpose, "contact": contact, "retention_months": retention_months}
    values: dict[str, Any] = {
        "title": title,
        "title_en": title_en,
        "opens_at": to_ms(opens_at),
        "closes_at": to_ms(closes_at),
        "time_limit_s": time_limit_s,
        "tries": tries,
        "capacity": capacity,
        "pass_score": pass_score,
        "reveal": reveal,
        "guests": guests,
        "fields": dict(fields),
    }
    maximum = int(rules["items"]) * int(rules["points_each"])
    values = _checked({**values, "paper_count": paper_count, **notice}, maximum, to_ms(now), begun=False)
    delivery = Delivery(
        poster_code=poster_code or _free_code(db),
        blueprint_id=blueprint.id,
        unit_id=unit.id,
        max_score=maximum,
        item_count=int(rules["items"]),
        notice=_notice(values, now),
        guess_pass=expected_guess_pass(rules, pass_score),
        state=DeliveryState.PREPARING,
        seed=seed or secrets.token_hex(16),
        created_by=actor.account_id,
        created_at=to_ms(now),
        **{name: value for name, value in values.items() if name not in notice},
    )
    delivery.unit = unit
    delivery.blueprint = blueprint
    db.add(delivery)
    db.flush()
    enqueue(db, TASK, {"delivery_id": delivery.id}, actor=actor, now=now)
    details = {"blueprint": blueprint.code, "papers": paper_count, "fields": _asked(delivery.fields)}
    _record(db, delivery, "delivery_published", details, actor, now)
    return delivery


def update_delivery(
    db: Session, delivery_id: int, *, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> Delivery:
    """Change values of a delivery: any of `create_delivery` but blueprint, unit and paper count (a copy is made for those).

    After the first start only `closes_at` and `reveal` may change; anything else raises DeliveryStarted, naming the fields. A later end
    gives running attempts the time that their limit allows; an earlier end stops new starts and leaves running ones their deadline.
    The changed fields are logged.
    """
    # A start holds the delivery's row by its foreign key until it is stored, so behind this lock "nobody has started" stays true.
    query = select(Delivery).where(Delivery.id == delivery_id).with_for_update(of=Delivery)
    delivery = db.scalars(query.execution_options(populate_existing=True)).first()
    if delivery is None:
        raise NotFound
    _own_unit(db, delivery.unit_id, actor, closed_too=True)
    started = is_started(db, delivery.id)
    current = _values_of(delivery)
    wanted = {n: to_ms(v) if n in ("opens_at", "closes_at") else v for n, v in changes.items()}
    unknown = set(wanted) - set(current)
    if unknown:
        raise ValueError(f"not a value of a delivery that can change: {sorted(unknown)}")
    merged = _checked(
        {**current, **wanted}, delivery.max_score, to_ms(now), begun=started or current["closes_at"] <= to_ms(now)
    )
    changed = sorted(name for name, value in merged.items() if value != current[name])
    if started and (refused := [name for name in changed if name not in LATE_CHANGES]):
        raise DeliveryStarted(fields=refused)
    if not changed:
        return delivery
    for name in changed:
        if name not in ("keeper", "purpose", "contact", "retention_months"):
            setattr(delivery, name, merged[name])
    if {"keeper", "purpose", "contact", "retention_months", "fields"} & set(changed):
        delivery.notice = _notice(merged, now)
    if "pass_score" in changed:
        delivery.guess_pass = expected_guess_pass(delivery.blueprint.rules, delivery.pass_score)
    if "closes_at" in changed and delivery.closes_at > current["closes_at"]:
        _lengthen_running(db, delivery)
    db.flush()
    _record(db, delivery, "delivery_changed", {"fields": changed, "after_start": started}, actor, now)
    return delivery


def expected_guess_pass(rules: Mapping[str, Any], pass_score: int) -> float:
    """The probability that blind guessing passes, from the blueprint's types; 0 to 1. The stored papers make it exact."""
    items = [(kind, None) for kind, count in rules.get("types", {}).items() for _ in range(count)]
    return guess_pass(items, pass_right(pass_score, int(rules["points_each"])))


def _own_unit(db: Session, unit_id: int, actor: Actor, *, closed_too: bool = False) -> OrgUnit:
    unit = db.get(OrgUnit, unit_id)
    if unit is None or not (actor.system or actor.scope.covers(Permission.MANAGE_DELIVERIES, unit.path)):
        raise NotFound
    if unit.closed_at is not None and not closed_too:
        raise UnitClosedForDelivery(field="unit_id")
    return unit


def _values_of(delivery: Delivery) -> dict[str, Any]:
    """What may change, as it stands."""
    names = (
        "title title_en opens_at closes_at time_limit_s tries capacity pass_score reveal guests fields".split()  # noqa: SIM905 # short
    )
    values = {name: getattr(delivery, name) for name in names}
    values["fields"] = {name: delivery.fields.get(name, FieldDemand.OFF.value) for name in PROFILE_FIELDS}
    return values | {name: delivery.notice.get(name) for name in ("keeper", "purpose", "contact", "retention_months")}


def _checked(values: dict[str, Any], maximum: int, now_ms: int, *, begun: bool) -> dict[str, Any]:
    """The values with texts trimmed and fields completed. Raises the first thing that is not acceptable."""
    checked = dict(values)
    for name, most in LENGTHS.items():
        text = " ".join(str(values.get(name) or "").split())
        if not text and name != "title_en":
            raise DeliveryValueMissing(field=name)
        if len(text) > most:
            raise DeliveryTextTooLong(field=name, most=most)
        checked[name] = text or None
    if values["closes_at"] <= values["opens_at"] or (not begun and values["closes_at"] <= now_ms):
        raise WindowEmpty(field="closes_at")
    for name, (low, high) in LIMITS.items():
        number = values.get(name)
        if number is not None and not low <= number <= high:
            raise DeliveryValueOutOfRange(field=name, low=low, high=high)
    if not 1 <= values["pass_score"] <= maximum:
        raise DeliveryValueOutOfRange(field="pass_score", low=1, high=maximum)
    checked["reveal"] = Reveal(values["reveal"]).value
    fields = values["fields"]
    if unknown := set(fields) - set(PROFILE_FIELDS):
        raise ValueError(f"not a profile field: {sorted(unknown)}")
    checked["fields"] = {name: FieldDemand(fields.get(name, FieldDemand.OFF)).value for name in PROFILE_FIELDS}
    return checked


def _notice(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The data notice; its version changes with its words and the fields asked, so that it is known what somebody agreed to."""
    notice = {name: values[name] for name in ("purpose", "keeper", "contact", "retention_months")}
    words = json.dumps([notice, values["fields"]], ensure_ascii=False, sort_keys=True)
    return {"version": f"{local_date(now):%Y%m%d}-{hashlib.sha256(words.encode()).hexdigest()[:6]}", **notice}


def _lengthen_running(db: Session, delivery: Delivery) -> None:
    end: Any = delivery.closes_at
    if delivery.time_limit_s is not None:
        own = Attempt.started_at + delivery.time_limit_s * 1000
        end = case((own < delivery.closes_at, own), else_=delivery.closes_at)
    db.execute(
        update(Attempt)
        .where(Attempt.delivery_id == delivery.id, Attempt.state == AttemptState.OPEN, Attempt.deadline_at < end)
        .values(deadline_at=end, accepts_until=end + delivery.grace_s * 1000)
        .execution_options(synchronize_session=False)
    )


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
