"""What a coordinator should know before publishing: computed from the pool and the typed values, changed after each change of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemVersion
from quizapp.core.clock import local_date
from quizapp.measurement.assembly import PoolItem, plain_conflicts
from quizapp.measurement.floors import ENOUGH_CALIBRATED as ENOUGH
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import FieldDemand, QuizBlueprint
from quizapp.quizzes.queries.deliveries import rostered_count
from quizapp.quizzes.services.assembly import read_draw
from quizapp.quizzes.services.audience import AudienceLine
from quizapp.quizzes.services.delivery_values import expected_guess_pass, missing_for_audience
from quizapp.quizzes.services.forecasts import Forecasts, forecast_draw
from quizapp.quizzes.services.paper_checks import PaperFacts

#: Blind guessing should pass less often than this.
GUESS_LIMIT = 0.05
#: More required fields than this cost takers.
MANY_FIELDS = 4
#: A window shorter than this is easily missed, seconds.
SHORT_WINDOW_S = 3600
#: A paper below this reliability says little of a single person; one that fewer than the first or more than the second share will pass
#: says little of anybody.
RELIABLE, PASSING = 0.6, (0.05, 0.95)
#: At the pass mark, the expected scores of two papers differ by at most this part of the full score, and a paper has at least this part of
#: the information of the most exact one.
AT_PASS_SPREAD, AT_PASS_EXACT = 0.02, 0.85
#: Numbers of parallel papers of which the page says what they would share.
OTHER_COUNTS = (2, 4, 8, 12, 20)


class CheckState(StrEnum):
    """How a check ends."""

    OK = "ok"
    #: Nothing to judge: something that cannot be said yet.
    NOTE = "note"
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


@dataclass(frozen=True)
class Planned:
    """What somebody has filled in so far; None where nothing usable is typed yet."""

    pass_score: int | None
    paper_count: int | None
    guests: bool
    #: Profile field → `FieldDemand`.
    fields: Mapping[str, str]
    opens_at: datetime | None
    closes_at: datetime | None
    time_limit_s: int | None = None
    #: The unit that offers it.
    unit: OrgUnit | None = None
    audience: Sequence[AudienceLine] = ()


def publish_checks(db: Session, blueprint: QuizBlueprint, planned: Planned, *, now: datetime) -> list[Check]:
    """The checks in the order of the page. A value that is not typed yet leaves out the checks that need it."""
    draw = read_draw(db, blueprint, now=now)
    items = draw.pool.items
    checks = [
        Check("missing", CheckState.STOP, {"shortfall": conflict.code})
        for conflict in plain_conflicts(items, draw.blueprint)
    ]
    checks += _coverage(blueprint, items)
    checks += window_checks(planned, now)
    limit = float(blueprint.rules.get("guess_pass_max", GUESS_LIMIT))
    maximum = draw.blueprint.items * int(blueprint.rules["points_each"])
    if planned.pass_score is not None and 1 <= planned.pass_score <= maximum:
        share = expected_guess_pass(blueprint.rules, planned.pass_score)
        state = CheckState.OK if share < limit else CheckState.LOOK
        checks.append(Check("guess_pass", state, {"share": share, "limit": limit, "types": draw.blueprint.types}))
        if len(items) >= draw.blueprint.items:
            points = int(blueprint.rules["points_each"])
            checks += forecast_checks(forecast_draw(db, draw, blueprint.id, planned.pass_score, points))
    checks.append(_calibrated(draw.reduced))
    count = planned.paper_count
    if count is not None and 1 <= count <= 100 and len(items) >= draw.blueprint.items:
        pool, each = len(draw.reduced), draw.blueprint.items
        shared = expected_overlap(pool, each, count)
        state = CheckState.OK if count == 1 or shared <= each * 0.7 else CheckState.LOOK
        others = [(papers, expected_overlap(pool, each, papers)) for papers in OTHER_COUNTS if papers != count]
        data = {"papers": count, "shared": shared, "items": each, "pool": pool, "others": others}
        checks.append(Check("overlap", state, data))
    if planned.closes_at is not None:
        checks.append(_validity(db, [draw.pool.version_ids[item.id] for item in items], planned.closes_at))
    checks += audience_checks(db, planned)
    checks += field_checks(planned, literacy="benchmarks" in blueprint.rules)
    if planned.guests:
        counted = planned.fields.get("name") == FieldDemand.REQUIRED
        checks.append(Check("guests_counted" if counted else "guests_uncounted", _ok(counted)))
    return checks


def window_checks(planned: Planned, now: datetime) -> list[Check]:
    """A window that is over or too short for the time limit cannot be published; a very short one is worth a look."""
    if planned.opens_at is None or planned.closes_at is None:
        return []
    if planned.closes_at <= now:
        return [Check("window_past", CheckState.STOP)]
    left = int((planned.closes_at - max(planned.opens_at, now)).total_seconds())
    if left <= 0:
        return [Check("window_empty", CheckState.STOP)]
    if planned.time_limit_s is not None and left < planned.time_limit_s:
        return [Check("window_below_limit", CheckState.STOP, {"left": left, "limit": planned.time_limit_s})]
    return [Check("window", CheckState.OK if left >= SHORT_WINDOW_S else CheckState.LOOK, {"left": left})]


def audience_checks(db: Session, planned: Planned) -> list[Check]:
    """Whether the people meant can be told from others, and how many of them stand on a roster."""
    if planned.unit is None:
        return []
    needs = missing_for_audience(planned.audience, planned.fields)
    checks = [Check("audience_unknowable", CheckState.STOP, {"needs": needs})] if needs else []
    units = [(db.get_one(OrgUnit, line.unit_id), line.industry_id) for line in planned.audience]
    if closed := [unit.name for unit, _ in units if unit.closed_at is not None]:
        checks.append(Check("audience_closed", CheckState.STOP, {"names": closed}))
    people = rostered_count(db, [(u.path, i) for u, i in units] or [(planned.unit.path, None)])
    checks.append(Check("people" if people else "no_people", _ok(people > 0), {"people": people, "units": len(units)}))
    return checks


def field_checks(planned: Planned, *, literacy: bool) -> list[Check]:
    """What is asked, held against what it is asked for: a pass rate for each unit, and who took part."""
    fields = {name: fields for name, fields in planned.fields.items() if fields != FieldDemand.OFF}
    required = sum(demand == FieldDemand.REQUIRED for demand in fields.values())
    checks = []
    if "unit" not in fields:
        checks.append(Check("no_unit", CheckState.LOOK))
    if required > MANY_FIELDS:
        checks.append(Check("many_fields", CheckState.LOOK, {"required": required}))
    if "phone" in fields and "name" not in fields:
        checks.append(Check("phone_unmatched", CheckState.LOOK))
    elif fields.get("phone") == FieldDemand.REQUIRED:
        checks.append(Check("phone_required", CheckState.LOOK))
    if "education" in fields and not literacy:
        checks.append(Check("education_unused", CheckState.LOOK))
    if "key_group" in fields and not literacy:
        checks.append(Check("key_group_unused", CheckState.LOOK))
    if "industry" in fields and planned.audience and not any(line.industry_id for line in planned.audience):
        checks.append(Check("industry_unused", CheckState.LOOK))
    if not checks:
        checks.append(Check("fields", CheckState.OK, {"required": required}))
    if "name" in fields or "phone" in fields:
        # the start page puts the question before the two by itself: nobody can leave it out
        checks.append(Check("asks_age", CheckState.OK))
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


def forecast_checks(found: Forecasts) -> list[Check]:
    """What the items' statistics let expect: the pass rate, and how reliable a score is; or that too few items have any."""
    known = {"known": found.known, "items": found.items}
    if not found.papers:
        return [Check("forecast_unknown", CheckState.NOTE, known)]
    passing = [paper.passing for paper in found.papers]
    good = PASSING[0] <= min(passing) and max(passing) <= PASSING[1]
    checks = [Check("forecast_pass", _ok(good), {**known, "low": min(passing), "high": max(passing)})]
    reliable = [paper.reliability for paper in found.papers if paper.reliability is not None]
    if len(reliable) == len(found.papers):
        data = {**known, "low": min(reliable), "high": max(reliable)}
        checks.append(Check("forecast_reliability", _ok(min(reliable) >= RELIABLE), data))
    return checks


def stored_checks(
    facts: PaperFacts, blueprint: QuizBlueprint, guess: float, forecasts: Forecasts | None = None
) -> list[Check]:
    """The same of the papers that stand: exact where the form could only expect."""
    checks = []
    if "benchmarks" in blueprint.rules:
        first, last = blueprint.rules["benchmarks"]["numbers"]
        wanted = frozenset(range(first, last + 1))
        lacking = sorted(wanted - facts.benchmarks)
        data = {"found": len(wanted) - len(lacking), "wanted": len(wanted), "points": facts.points, "lacking": lacking}
        checks.append(Check("paper_benchmarks", CheckState.STOP if lacking else CheckState.OK, data))
    else:
        data = {"found": facts.topics, "wanted": facts.all_topics, "different": facts.different}
        checks.append(Check("paper_topics", _ok(facts.topics == facts.all_topics), data))
    limit = float(blueprint.rules.get("guess_pass_max", GUESS_LIMIT))
    checks.append(Check("paper_guess", _ok(guess < limit), {"share": guess, "limit": limit}))
    checks += forecast_checks(forecasts) if forecasts else []
    data = {"papers": facts.papers, "most": facts.most_shared, "mean": facts.mean_shared, "items": facts.items}
    if facts.papers == 1:
        return [*checks, Check("overlap", CheckState.LOOK, data)]
    checks.append(Check("paper_overlap", _ok(facts.most_shared <= facts.items * 0.7), data))
    spread = facts.easiest - facts.hardest
    maximum = facts.items * int(blueprint.rules["points_each"])
    checks.append(Check("paper_scores", _ok(spread <= maximum * 0.05), {"spread": spread}))
    if facts.at_pass is not None:
        good = facts.at_pass.spread <= maximum * AT_PASS_SPREAD and facts.at_pass.exact >= AT_PASS_EXACT
        data = {"spread": facts.at_pass.spread, "exact": facts.at_pass.exact}
        data |= {"known": facts.calibrated, "items": facts.different}
        checks.append(Check("paper_at_pass", _ok(good), data))
    return checks


def _calibrated(items: Sequence[PoolItem]) -> Check:
    """How many items of the pool the model knows: from half of them on, papers are balanced by it."""
    known = sum(item.a is not None and item.b is not None for item in items)
    used = bool(items) and known >= ENOUGH * len(items)
    return Check("calibrated", CheckState.OK if used else CheckState.NOTE, {"known": known, "items": len(items)})


def _coverage(blueprint: QuizBlueprint, items: tuple[PoolItem, ...]) -> list[Check]:
    """How many of the demanded benchmarks or topics the pool has items for; what lacks is refused by the rules themselves."""
    rules = blueprint.rules
    if "benchmarks" in rules:
        first, last = rules["benchmarks"]["numbers"]
        wanted = set(range(first, last + 1))
        found = {item.benchmark for item in items} & wanted
        points = len({item.point for item in items})
        data: dict[str, Any] = {"found": len(found), "wanted": len(wanted), "points": points}
        data["lacking"] = sorted(wanted - found)
        return [Check("benchmarks", CheckState.OK if found == wanted else CheckState.STOP, data)]
    topics = set(rules.get("topics", {}).get("names") or {item.topic for item in items})
    have = {item.topic for item in items} & topics
    state = CheckState.OK if have == topics and topics else CheckState.STOP
    lacking = sorted(topics - have)
    return [
        Check("topics", state, {"found": len(have), "wanted": len(topics), "items": len(items), "lacking": lacking})
    ]


def _validity(db: Session, version_ids: list[int], closes_at: datetime) -> Check:
    """Whether every item is looked at again, and its source stands, only after the window."""
    month = f"{local_date(closes_at):%Y-%m}"
    rows = db.execute(select(ItemVersion.review_by, ItemVersion.citation).where(ItemVersion.id.in_(version_ids)))
    ends = [min(review_by, citation.get("valid_until", review_by)) for review_by, citation in rows]
    good = sum(end >= month for end in ends)
    return Check("validity", _ok(good == len(ends)), {"good": good, "all": len(ends), "first": min(ends, default="")})


def _ok(good: bool) -> CheckState:
    return CheckState.OK if good else CheckState.LOOK
