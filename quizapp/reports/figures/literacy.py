"""The share that is literate by a standard, of the adults who took part in a delivery: never of people under 18, never of a population.

Which share is hidden is decided as for the pass rates: fewer than ten adults, and what would betray such a share in the card of another
unit, of the unit above, or of a group (`hiding`). All levels go together.

Age is the band that the attempt keeps of its day, and the year of birth is all that is asked: who turns 18 in the year of the attempt
may be 17 that day and counts as younger. Literate is who reaches the standard's score, whatever pass mark the delivery has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.measurement.clusters import clustered_wilson
from quizapp.measurement.sample_size import UNKNOWN_RATE, sample_size
from quizapp.measurement.survey.standards import ADULT, Standard
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.people import AGE_BANDS
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.reports.figures.filters import FigureFilters, GroupDimension
from quizapp.reports.figures.hiding import MOST_GROUPS, Groups, in_order
from quizapp.reports.figures.sums import DAY_PATH, FIRST, GROUP_COLUMNS, SumRow, conditions, count, joined
from quizapp.reports.figures.unit_table import hidden_groups
from quizapp.reports.suppression import Counts
from quizapp.reports.tables import Hidden

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
    #: None where the share is hidden.
    reached: int | None
    #: Fractions of the adults; None where it is hidden.
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
    #: Why there is no share.
    hidden: Hidden | None = None

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
    groups = filters.groups
    dimensions = in_order(groups) if len(groups) <= MOST_GROUPS else ()
    found = _rows(db, scope, permission, filters.of_everybody() if dimensions else filters, standard, dimensions)
    inside = [
        row for row in found if (unit is None or row.path.startswith(unit.path)) and row.is_in(groups, dimensions)
    ]
    adults, minors, unknown = (sum(getattr(row, name) for row in inside) for name in ("adults", "minors", "unknown"))
    hidden = None
    if len(groups) > MOST_GROUPS:
        hidden = Hidden.NARROW
    elif _is_hidden(db, scope, permission, found, standard, dimensions, groups, unit):
        hidden = Hidden.PROTECTS
    if adults < FEWEST_ANSWERS:
        hidden = Hidden.FEW
    levels = []
    for code, score in standard.levels.items():
        reached = sum(row.reached[code] for row in inside)
        if hidden is not None:
            levels.append(LevelShare(code, score, None, None, None, None))
            continue
        interval = None if complete else clustered_wilson([(row.reached[code], row.adults) for row in inside])
        low, high = interval if interval else (None, None)
        levels.append(LevelShare(code, score, reached, reached / adults, low, high))
    return Literacy(standard, adults, minors, unknown, tuple(levels), hidden)


@dataclass(frozen=True)
class _Row:
    """The people of a path of the day, in groups."""

    path: str
    no_unit: bool
    #: As `SumRow` has them.
    values: tuple[str | None, ...]
    adults: int
    minors: int
    unknown: int
    #: Level → the adults who reached it.
    reached: Mapping[str, int]

    def is_in(self, groups: Groups, dimensions: Sequence[GroupDimension]) -> bool:
        return all(groups[one] == value for one, value in zip(dimensions, self.values, strict=True))


def _rows(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    standard: Standard,
    dimensions: Sequence[GroupDimension],
) -> list[_Row]:
    no_unit = Attempt.unit_id.is_(None)
    groups = [GROUP_COLUMNS[one] for one in dimensions]
    levels: Mapping[str, Any] = {code: count(reaches(standard, code)) for code in standard.levels}
    counted = (count(ADULTS), count(MINORS), count(AGE_UNKNOWN), *levels.values())
    statement = (
        joined(select(DAY_PATH, no_unit, *groups, *counted))
        .where(*conditions(scope, permission, filters))
        .group_by(DAY_PATH, no_unit, *groups)
    )
    found = []
    for path, alone, *rest in db.execute(statement):
        values = tuple(None if value is None else str(value) for value in rest[: len(groups)])
        adults, minors, unknown, *reached = map(int, rest[len(groups) :])
        found.append(_Row(path, bool(alone), values, adults, minors, unknown, dict(zip(levels, reached, strict=True))))
    return found


def _is_hidden(
    db: Session,
    scope: Scope,
    permission: Permission,
    found: Sequence[_Row],
    standard: Standard,
    dimensions: Sequence[GroupDimension],
    groups: Groups,
    unit: OrgUnit | None,
) -> bool:
    """Whether the share of some level is hidden in this unit and these groups."""
    for code in standard.levels:
        rows = [
            SumRow(
                row.path,
                row.no_unit,
                (*row.values, None, None)[0],
                Counts(row.adults, row.adults, row.adults, row.reached[code]),
                (*row.values, None, None)[1],
            )
            for row in found
        ]
        decided = hidden_groups(db, scope, permission, rows, dimensions, unit.path if unit else None, below=False)
        if decided.hides(unit.path if unit else decided.tree.key, groups):
            return True
    return False
