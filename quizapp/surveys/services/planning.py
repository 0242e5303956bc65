"""Planning a survey: how many must answer, how many are drawn for that, and what a design costs."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from quizapp.analyse.drawing import Frame
from quizapp.core.clock import local_date
from quizapp.core.scope import Actor, Permission
from quizapp.measurement.sample_size import (
    UNKNOWN_RATE,
    cluster_design_effect,
    invitations,
    reached_margin,
    sample_size,
    size_design_effect,
)
from quizapp.measurement.survey.drawing import LEAST, allocate
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.quizzes.services.audience import admits, lines_of
from quizapp.surveys.errors import (
    FrameEmpty,
    FrameTooSmall,
    StrataOfOneUnit,
    SurveyAgeNotAsked,
    SurveyAnnounced,
    SurveyAudienceOther,
    SurveyDrawn,
    SurveyOfVolunteers,
    SurveyTestUnfit,
    SurveyUnitForeign,
    SurveyValueMissing,
    SurveyValueOutOfRange,
    UnitListDesign,
    UnitListInvalid,
    UnitsTooFew,
)
from quizapp.surveys.models import Design, FrameKind, Survey
from quizapp.surveys.queries import asks_age, paths_of, roster_frame, units_below
from quizapp.surveys.services.recording import record_survey

#: Characters of a seed: fewer could be tried out until a draw pleases.
LEAST_SEED, MOST_SEED = 6, 120
#: What a number of the plan may be, as shares, or people.
RANGES = {
    "rate": (0.001, 0.999),
    "margin": (0.005, 0.2),
    "confidence": (0.8, 0.99),
    "response": (0.05, 1.0),
    "per_unit": (2, 500),
    "likeness": (0.0, 1.0),
}
#: The margin for which a refusal names the sample.
REFUSAL_MARGIN = 0.02
#: Lines of a list of units, and people that it may name in all.
MOST_UNITS, MOST_PEOPLE = 5000, 5_000_000


@dataclass(frozen=True)
class Numbers:
    """The numbers of a plan; shares as fractions."""

    margin: float
    #: The expected rate; None: unknown, then the one that needs most people.
    rate: float | None = None
    confidence: float = 0.95
    #: The share of those invited who are expected to answer.
    response: float = 0.6
    #: People in each unit that is drawn.
    per_unit: int = 15
    #: How alike people of one unit are.
    likeness: float = 0.05


@dataclass(frozen=True)
class Planned:
    """What is planned, before it is checked."""

    title: str
    unit_id: int
    delivery_id: int
    #: `Design`, or "open": whoever likes, which is refused.
    design: str
    frame_kind: str
    numbers: Numbers
    seed: str
    #: Text of the list of units, where the frame is one.
    unit_list: str = ""


@dataclass(frozen=True)
class Sizes:
    """What a plan needs of a frame."""

    population: int
    #: Who must answer, and how many would if they were drawn singly.
    answers: int
    answers_singly: int
    design_effect: float
    #: Who is drawn for that.
    people: int
    #: First-stage units: to draw, and there; None where people are drawn singly.
    units: int | None = None
    units_there: int | None = None
    #: Stratum (key of a unit, as text), people there, people drawn; where units are drawn, these in place of people.
    strata: tuple[tuple[str, int, int], ...] = ()
    #: The part of the design effect that units of different size cost.
    size_effect: float = 1.0


def sizes_of(frame: Frame, design: str, numbers: Numbers) -> Sizes:
    """How many are needed. Raises FrameEmpty, FrameTooSmall (with the margin that all of them give), UnitsTooFew, StrataOfOneUnit."""
    if not frame.size:
        raise FrameEmpty
    rate = UNKNOWN_RATE if numbers.rate is None else numbers.rate
    homes = frame.homes() if Design(design).by_units else {}
    units_there = sum(map(len, homes.values()))
    taken = sum(min(numbers.per_unit, size) for of in homes.values() for size in of.values()) / max(1, units_there)
    unlike = size_design_effect([size for of in homes.values() for size in of.values()]) if homes else 1.0
    effect = unlike * cluster_design_effect(max(1.0, taken * numbers.response), numbers.likeness) if homes else 1.0

    def wanted(design_effect: float) -> int:
        return sample_size(
            rate,
            numbers.margin,
            design_effect=design_effect,
            population=frame.size,
            confidence=numbers.confidence,
        )

    answers = wanted(effect)
    people = invitations(answers, numbers.response)
    strata = Counter(stratum for _, stratum, _ in frame.people) if design == Design.STRATIFIED else Counter()
    people = max(people, sum(min(LEAST, size) for size in strata.values()))
    if people > frame.size:
        raise FrameTooSmall(
            field="margin", wanted=people, there=frame.size, margin=_reachable(frame.size, rate, effect, numbers)
        )
    if homes:
        there = {name: len(of) for name, of in homes.items()}
        if Design(design).in_strata and 1 < len(there) == units_there:
            raise StrataOfOneUnit(field="design")
        units = max(LEAST, sum(min(LEAST, count) for count in there.values()), ceil(people / taken))
        if units > units_there:
            raise UnitsTooFew(field="per_unit", wanted=units, there=units_there)
        rows = _shared_out(there, units) if Design(design).in_strata else ()
        return Sizes(frame.size, answers, wanted(1.0), effect, round(units * taken), units, units_there, rows, unlike)
    return Sizes(frame.size, answers, answers, 1.0, people, strata=_shared_out(strata, people) if strata else ())


def _shared_out(there: Mapping[str, int], drawn: int) -> tuple[tuple[str, int, int], ...]:
    shares = allocate(there, drawn)
    return tuple((name, there[name], shares[name]) for name in sorted(there))


def _reachable(population: int, rate: float, effect: float, numbers: Numbers) -> float:
    """The margin, in points, when everybody is invited: rounded up to halves."""
    n = max(1, int(population * numbers.response))
    margin = reached_margin(rate, n, design_effect=effect, population=population, confidence=numbers.confidence)
    return 100 * margin


def frame_of(
    db: Session, unit: OrgUnit, design: str, frame_kind: str, unit_sizes: Mapping[str, int], now: datetime
) -> tuple[Frame, dict[str, int]]:
    """From whom is drawn today, and how many are left out, by reason."""
    in_strata = Design(design).in_strata
    if frame_kind == FrameKind.UNITS:
        paths = paths_of(db, unit_sizes) if in_strata else {}
        return Frame(units=dict(unit_sizes), unit_strata={key: _stratum(unit, paths[key], key) for key in paths}), {}
    roster = roster_frame(db, unit, local_date(now))
    people = [
        (str(member.person_id), _stratum(unit, member.path, home) if in_strata else "", home)
        for member in roster.members
        for home in (str(member.unit_id),)
    ]
    return Frame(people=people), roster.left_out


def _stratum(unit: OrgUnit, path: str, home: str) -> str:
    """The unit directly below the survey's on somebody's path; for those of the unit itself, the unit."""
    rest = path[len(unit.path) :]
    return rest.split("/", 1)[0] if rest else home


def read_unit_list(db: Session, unit: OrgUnit, text: str) -> dict[str, int]:
    """A pasted list "unit,people" (code or name; a heading may stand above) as key → people. Raises UnitListInvalid with its line."""
    known = units_below(db, unit)
    sizes: dict[str, int] = {}
    for line, cells in enumerate(csv.reader(io.StringIO(text.replace("，", ",").replace("\t", ","))), start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        found = known.get(cells[0])
        if len(cells) == 2 and line == 1 and not cells[1].isdecimal() and found is None:
            continue  # a heading
        people = int(cells[1]) if len(cells) == 2 and cells[1].isdecimal() and len(cells[1]) < 8 else 0
        if found is None or not people or str(found.id) in sizes or len(sizes) >= MOST_UNITS:
            raise UnitListInvalid(field="unit_list", line=line)
        sizes[str(found.id)] = people
    if not sizes or sum(sizes.values()) > MOST_PEOPLE:
        raise UnitListInvalid(field="unit_list", line=1)
    return sizes


@dataclass(frozen=True)
class Checked:
    """A plan that holds."""

    planned: Planned
    unit: OrgUnit
    delivery: Delivery
    unit_sizes: dict[str, int]
    sizes: Sizes
    left_out: dict[str, int]


def check_plan(db: Session, planned: Planned, *, actor: Actor, now: datetime) -> Checked:
    """Hold a plan against what is there. Raises the first refusal, each with its cure.

    SurveyUnitForeign, SurveyTestUnfit, SurveyAgeNotAsked, SurveyAudienceOther, SurveyOfVolunteers, SurveyValueOutOfRange,
    SurveyValueMissing, UnitListDesign, UnitListInvalid, and those of `sizes_of`.
    """
    unit = db.get(OrgUnit, planned.unit_id)
    if unit is None or unit.closed_at is not None or not _may(actor, unit):
        raise SurveyUnitForeign(field="unit_id")
    if not planned.title.strip():
        raise SurveyValueMissing(field="title")
    numbers = asdict(planned.numbers)
    for name, (low, high) in RANGES.items():
        if numbers[name] is not None and not low <= numbers[name] <= high:
            per = 1 if name in ("per_unit", "likeness") else 100
            raise SurveyValueOutOfRange(field=name, low=f"{low * per:g}", high=f"{high * per:g}")
    if planned.design not in set(Design):
        raise SurveyOfVolunteers(field="design", people=sample_size(UNKNOWN_RATE, REFUSAL_MARGIN))
    delivery = _test(db, planned.delivery_id, unit, actor)
    listed = planned.frame_kind == FrameKind.UNITS
    if listed and not Design(planned.design).by_units:
        raise UnitListDesign(field="design")
    if not LEAST_SEED <= len(planned.seed.strip()) <= MOST_SEED:
        raise SurveyValueMissing(field="seed")
    unit_sizes = read_unit_list(db, unit, planned.unit_list) if listed else {}
    frame, left_out = frame_of(db, unit, planned.design, planned.frame_kind, unit_sizes, now)
    return Checked(planned, unit, delivery, unit_sizes, sizes_of(frame, planned.design, planned.numbers), left_out)


def _test(db: Session, delivery_id: int, unit: OrgUnit, actor: Actor) -> Delivery:
    delivery = db.scalar(
        select(Delivery)
        .where(Delivery.id == delivery_id)
        .options(joinedload(Delivery.unit), joinedload(Delivery.blueprint).joinedload(QuizBlueprint.bank))
    )
    if delivery is None or not _may(actor, delivery.unit) or standard_of(delivery) is None:
        raise SurveyTestUnfit(field="delivery_id")
    if not asks_age(delivery):
        raise SurveyAgeNotAsked(field="delivery_id")
    if not admits(lines_of(delivery), unit, None):
        raise SurveyAudienceOther(field="delivery_id")
    return delivery


def _may(actor: Actor, unit: OrgUnit) -> bool:
    return actor.system or actor.scope.covers(Permission.MANAGE_DELIVERIES, unit.path)


def plan_survey(db: Session, checked: Checked, *, actor: Actor, now: datetime) -> Survey:
    """Keep a plan."""
    survey = Survey(created_by=actor.account_id, created_at=now, counts={}, weighting={}, announcements=[])
    _fill(survey, checked)
    db.add(survey)
    record_survey(db, survey, action="survey_planned", actor=actor, now=now)
    return survey


def change_plan(db: Session, survey: Survey, checked: Checked, *, actor: Actor, now: datetime) -> Survey:
    """Put another plan in its place. Raises SurveyDrawn, SurveyAnnounced."""
    lock_survey(db, survey)
    if survey.drawn_at is not None:
        raise SurveyDrawn
    if survey.announced is not None:
        raise SurveyAnnounced
    _fill(survey, checked)
    record_survey(db, survey, action="survey_changed", actor=actor, now=now)
    return survey


def drop_plan(db: Session, survey: Survey, *, actor: Actor, now: datetime) -> None:
    """Give up a plan that was not drawn. Raises SurveyDrawn, SurveyAnnounced (also where that was withdrawn)."""
    lock_survey(db, survey)
    if survey.drawn_at is not None:
        raise SurveyDrawn
    if survey.announcements:
        raise SurveyAnnounced
    record_survey(db, survey, action="survey_dropped", actor=actor, now=now)
    db.delete(survey)
    db.flush()


def lock_survey(db: Session, survey: Survey) -> None:
    """Nobody else changes or draws a survey until this transaction ends."""
    db.refresh(survey, with_for_update={"of": Survey})


def numbers_of(survey: Survey) -> Numbers:
    """The numbers of a kept plan."""
    return Numbers(**survey.plan)


def _fill(survey: Survey, checked: Checked) -> None:
    planned = checked.planned
    survey.title = planned.title.strip()
    survey.unit_id, survey.delivery_id = checked.unit.id, checked.delivery.id
    survey.unit, survey.delivery = checked.unit, checked.delivery
    survey.design, survey.frame_kind = planned.design, planned.frame_kind
    survey.plan = asdict(planned.numbers)
    survey.unit_sizes = checked.unit_sizes
    survey.seed = planned.seed.strip()
