"""The share that is literate by a standard, of the adults who took part in a delivery: never of people under 18, never of a population.

Age is the band that the attempt keeps of its day, and the year of birth is all that is asked: who turns 18 in the year of the attempt
counts as 18. Literate is who reaches the standard's score, whatever pass mark the delivery has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope, below
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.measurement.clusters import clustered_wilson
from quizapp.measurement.sample_size import UNKNOWN_RATE, sample_size
from quizapp.measurement.survey.standards import ADULT, STANDARDS, Standard
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.people import AGE_BANDS
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.figures.filters import FigureFilters
from quizapp.reports.figures.sums import DAY_PATH, FIRST, conditions, count, joined

ADULT_BANDS = tuple(band for first, band in AGE_BANDS if first >= ADULT)
#: Closed first attempts of people of 18 and over, of those under it, and of people whose age nobody knows.
ADULTS = and_(FIRST, Attempt.age_band.in_(ADULT_BANDS))
MINORS = and_(FIRST, Attempt.age_band.not_in(ADULT_BANDS))
AGE_UNKNOWN = and_(FIRST, Attempt.age_band.is_(None))
#: What an estimate for everybody should be near to, as a fraction.
MARGIN = 0.02


@dataclass(frozen=True)
class LevelShare:
    """A level of the standard, and the adults who reached it or a higher one."""

    code: str
    #: The score from which it holds.
    score: int
    reached: int
    #: Fractions of the adults; None where they are fewer than ten.
    share: float | None
    #: 95 %, by clusters of units as the pass rate; None where the roster is as good as complete.
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Literacy:
    """What a delivery that follows a standard says of the adults who took part. 人: closed first attempts of one delivery."""

    standard: Standard
    adults: int
    #: Scored, and counted in no share.
    minors: int
    unknown: int
    #: The highest first; the literate level among them.
    levels: tuple[LevelShare, ...]

    @property
    def literate(self) -> LevelShare:
        """The level that the literacy rate counts."""
        return next(level for level in self.levels if level.code == self.standard.literate)

    @property
    def needed(self) -> int:
        """Adults drawn by chance who must answer, so that an estimate for everybody is known to ± 2 points, if the rate is as here."""
        share = self.literate.share
        return sample_size(UNKNOWN_RATE if share is None else share, MARGIN)

    @property
    def needed_at_most(self) -> int:
        """The same whatever the rate is."""
        return sample_size(UNKNOWN_RATE, MARGIN)


def standard_of(delivery: Delivery | None) -> Standard | None:
    """The standard that a delivery's score is of; None for a test that follows none, or has other points than it."""
    standard = STANDARDS.get(delivery.blueprint.rules.get("standard", "")) if delivery is not None else None
    return standard if delivery is not None and standard and standard.points == delivery.max_score else None


def reaches(standard: Standard, level: str | None = None) -> ColumnElement[bool]:
    """An adult's first attempt that reaches a level; the literate one where none is named."""
    return and_(ADULTS, Attempt.score >= standard.threshold(level))


def literacy_of(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    *,
    delivery: Delivery | None,
    unit: OrgUnit | None,
    complete: bool = False,
) -> Literacy | None:
    """The shares of one delivery within a scope and filters; None where it follows no standard. `complete`: nobody was left to chance."""
    standard = standard_of(delivery)
    if standard is None:
        return None
    which = [*conditions(scope, permission, filters), *([below(DAY_PATH, unit.path)] if unit else [])]
    no_unit = Attempt.unit_id.is_(None)
    columns: Mapping[str, Any] = {code: count(reaches(standard, code)) for code in standard.levels}
    rows = db.execute(
        joined(select(DAY_PATH, no_unit, count(ADULTS), count(MINORS), count(AGE_UNKNOWN), *columns.values()))
        .where(*which)
        .group_by(DAY_PATH, no_unit)
    ).all()
    adults, minors, unknown = (sum(int(row[place]) for row in rows) for place in (2, 3, 4))
    clusters: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        for code, reached in zip(columns, row[5:], strict=True):
            clusters[code].append((int(reached), int(row[2])))
    levels = []
    for code, score in standard.levels.items():
        reached = sum(k for k, _ in clusters[code])
        shown = adults >= FEWEST_ANSWERS
        interval = clustered_wilson(clusters[code]) if shown and not complete else None
        low, high = interval if interval else (None, None)
        levels.append(LevelShare(code, score, reached, reached / adults if shown else None, low, high))
    return Literacy(standard, adults, minors, unknown, tuple(levels))
