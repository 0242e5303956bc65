"""What the values of a delivery may be, whoever writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.clock import local_date
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.measurement.guessing import guess_pass
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.errors import (
    AudienceUnknowable,
    DeliveryTextTooLong,
    DeliveryValueMissing,
    DeliveryValueOutOfRange,
    UnitClosedForDelivery,
    WindowEmpty,
)
from quizapp.quizzes.models import PROFILE_FIELDS, Delivery, FieldDemand, Reveal
from quizapp.quizzes.services.assembly import pass_right
from quizapp.quizzes.services.audience import lines_of

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
#: The values that stand in the data notice.
NOTICE = ("keeper", "purpose", "contact", "retention_months")
#: The values that are columns of their own.
COLUMNS = (
    "title",
    "title_en",
    "unit_id",
    "opens_at",
    "closes_at",
    "time_limit_s",
    "tries",
    "capacity",
    "pass_score",
    "paper_count",
    "reveal",
    "guests",
    "fields",
)


def values_of(delivery: Delivery) -> dict[str, Any]:
    """What may change, as it stands. `fields` is complete; `blueprint_code` and `audience` stand for the rows behind them."""
    values = {name: getattr(delivery, name) for name in COLUMNS}
    values["fields"] = {name: delivery.fields.get(name, FieldDemand.OFF.value) for name in PROFILE_FIELDS}
    values["blueprint_code"] = delivery.blueprint.code
    values["audience"] = lines_of(delivery)
    return values | {name: delivery.notice.get(name) for name in NOTICE}


def checked_values(values: Mapping[str, Any], maximum: int, now_ms: int, *, begun: bool) -> dict[str, Any]:
    """The values with texts trimmed and fields completed. Raises the first thing that is not acceptable.

    `begun`: the window's end may lie in the past, because people have come or it is over.
    """
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
    check_knowable(values["audience"], checked["fields"])
    return checked


def missing_for_audience(lines: Any, fields: Mapping[str, str]) -> str | None:
    """The profile field that must be required so that everybody can be held against the audience; None where all is known."""
    if lines and fields.get("unit") != FieldDemand.REQUIRED:
        return "unit"
    if any(line.industry_id is not None for line in lines) and fields.get("industry") != FieldDemand.REQUIRED:
        return "industry"
    return None


def check_knowable(lines: Any, fields: Mapping[str, str]) -> None:
    """Raise AudienceUnknowable where people could come whose unit nobody asks."""
    if needs := missing_for_audience(lines, fields):
        raise AudienceUnknowable(field="audience", needs=needs)


def notice_of(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The data notice; its version changes with its words and the fields asked, so that it is known what somebody agreed to."""
    notice = {name: values[name] for name in ("purpose", "keeper", "contact", "retention_months")}
    words = json.dumps([notice, values["fields"]], ensure_ascii=False, sort_keys=True)
    return {"version": f"{local_date(now):%Y%m%d}-{hashlib.sha256(words.encode()).hexdigest()[:6]}", **notice}


def expected_guess_pass(rules: Mapping[str, Any], pass_score: int) -> float:
    """The probability that blind guessing passes, from the blueprint's types; 0 to 1. The stored papers make it exact."""
    items = [(kind, None) for kind, count in rules.get("types", {}).items() for _ in range(count)]
    return guess_pass(items, pass_right(pass_score, int(rules["points_each"])))


def own_unit(db: Session, unit_id: int, actor: Actor, *, closed_too: bool = False) -> OrgUnit:
    """A unit for which the actor may publish. Raises NotFound, UnitClosedForDelivery."""
    unit = db.get(OrgUnit, unit_id)
    if unit is None or not (actor.system or actor.scope.covers(Permission.MANAGE_DELIVERIES, unit.path)):
        raise NotFound
    if unit.closed_at is not None and not closed_too:
        raise UnitClosedForDelivery(field="unit_id")
    return unit
