"""What a coordinator should know before publishing: computed from the pool and the typed values, changed after each change of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemVersion
from quizapp.core.clock import local_date
from quizapp.measurement.assembly import PoolItem, plain_conflicts
from quizapp.quizzes.models import FieldDemand, QuizBlueprint
from quizapp.quizzes.services.assembly import read_draw
from quizapp.quizzes.services.deliveries import expected_guess_pass

#: Blind guessing should pass less often than this.
GUESS_LIMIT = 0.05
#: More required fields than this cost takers.
MANY_FIELDS = 4


class CheckState(StrEnum):
    """How a check ends."""

    OK = "ok"
    #: Worth a look: publishing asks once.
    LOOK = "look"
    #: Publishing is refused.
    STOP = "stop"


@dataclass(frozen=True)
class Check:
    """One line of the list: `code` and `data` choose its words."""

    code: str
    state: CheckState
    data: Mapping[str, Any] = field(default_factory=dict)


def publish_checks(
    db: Session,
    blueprint: QuizBlueprint,
    *,
    pass_score: int | None,
    paper_count: int | None,
    guests: bool,
    fields: Mapping[str, str],
    closes_at: datetime | None,
    now: datetime,
) -> list[Check]:
    """The checks in the order of the page. A value that is not typed yet leaves out the checks that need it."""
    draw = read_draw(db, blueprint, now=now)
    items = draw.pool.items
    checks = [
        Check("missing", CheckState.STOP, {"shortfall": conflict.code})
        for conflict in plain_conflicts(items, draw.blueprint)
    ]
    checks += _coverage(blueprint, items)
    limit = float(blueprint.rules.get("guess_pass_max", GUESS_LIMIT))
    maximum = draw.blueprint.items * int(blueprint.rules["points_each"])
    if pass_score is not None and 1 <= pass_score <= maximum:
        share = expected_guess_pass(blueprint.rules, pass_score)
        state = CheckState.OK if share < limit else CheckState.LOOK
        checks.append(Check("guess_pass", state, {"share": share, "limit": limit, "types": draw.blueprint.types}))
    if paper_count is not None and 1 <= paper_count <= 100 and len(items) >= draw.blueprint.items:
        shared = expected_overlap(len(draw.reduced), draw.blueprint.items, paper_count)
        state = CheckState.OK if paper_count == 1 or shared <= draw.blueprint.items * 0.7 else CheckState.LOOK
        data = {"papers": paper_count, "shared": shared, "items": draw.blueprint.items, "pool": len(draw.reduced)}
        checks.append(Check("overlap", state, data))
    if closes_at is not None:
        checks.append(_validity(db, [draw.pool.version_ids[item.id] for item in items], closes_at))
    checks.append(_fields(fields))
    if guests:
        counted = fields.get("name") == FieldDemand.REQUIRED
        checks.append(Check("guests_counted" if counted else "guests_uncounted", _ok(counted)))
    return checks


def expected_overlap(pool: int, items: int, papers: int) -> int:
    """Items that two of `papers` papers share on average, when the items of the pool are drawn about equally often.

    With u = papers × items / pool uses of each item, floor(u) or one more, the shared pairs are the pairs of uses of each item.
    """
    if papers < 2 or pool == 0:
        return 0
    uses, more = divmod(papers * items, pool)
    pairs = more * (uses + 1) * uses / 2 + (pool - more) * uses * (uses - 1) / 2
    return round(pairs / (papers * (papers - 1) / 2))


def _coverage(blueprint: QuizBlueprint, items: tuple[PoolItem, ...]) -> list[Check]:
    """How many of the demanded benchmarks or topics the pool has items for; what lacks is refused by the rules themselves."""
    rules = blueprint.rules
    if "benchmarks" in rules:
        first, last = rules["benchmarks"]["numbers"]
        wanted = set(range(first, last + 1))
        found = {item.benchmark for item in items} & wanted
        points = len({item.point for item in items})
        data = {"found": len(found), "wanted": len(wanted), "points": points}
        return [Check("benchmarks", CheckState.OK if found == wanted else CheckState.STOP, data)]
    topics = set(rules.get("topics", {}).get("names") or {item.topic for item in items})
    have = {item.topic for item in items} & topics
    state = CheckState.OK if have == topics and topics else CheckState.STOP
    return [Check("topics", state, {"found": len(have), "wanted": len(topics), "items": len(items)})]


def _validity(db: Session, version_ids: list[int], closes_at: datetime) -> Check:
    """Whether every item is looked at again, and its source stands, only after the window."""
    month = f"{local_date(closes_at):%Y-%m}"
    rows = db.execute(select(ItemVersion.review_by, ItemVersion.citation).where(ItemVersion.id.in_(version_ids)))
    ends = [min(review_by, citation.get("valid_until", review_by)) for review_by, citation in rows]
    good = sum(end >= month for end in ends)
    return Check("validity", _ok(good == len(ends)), {"good": good, "all": len(ends), "first": min(ends, default="")})


def _fields(fields: Mapping[str, str]) -> Check:
    """What is asked, held against what it is asked for: a pass rate for each unit."""
    required = sum(demand == FieldDemand.REQUIRED for demand in fields.values())
    if fields.get("unit", FieldDemand.OFF) == FieldDemand.OFF:
        return Check("no_unit", CheckState.LOOK)
    if required > MANY_FIELDS:
        return Check("many_fields", CheckState.LOOK, {"required": required})
    if fields.get("phone") == FieldDemand.REQUIRED:
        return Check("phone_required", CheckState.LOOK)
    return Check("fields", CheckState.OK, {"required": required})


def _ok(good: bool) -> CheckState:
    return CheckState.OK if good else CheckState.LOOK
