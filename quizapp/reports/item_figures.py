"""How the questions of one delivery were answered: the share that is right, the wrong option that most people chose, and what the answers
to the same version in all deliveries say of it.

Counted here are the people of the reader's units; the statistics that are kept of a version (`ItemFigure`) know no units and are of
everybody in whatever delivery, because flags need many answers. Both are counted by `item_counts`, by one definition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import Item, ItemCalibration, ItemFigure, ItemVersion, Topic
from quizapp.banks.stock import flags_of
from quizapp.core.scope import Permission, Scope
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.measurement.guessing import guess_probability
from quizapp.measurement.intervals import wilson
from quizapp.measurement.rates import Corrected, corrected_for_guessing
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.item_counts import NONE, RIGHT, count_answers, versions_of_places


@dataclass(frozen=True)
class ItemRow:
    """One question of the delivery, over all its papers. Shares are fractions; None where fewer than ten were asked."""

    version: ItemVersion
    code: str
    topic: dict[str, str]
    #: 人次: closed first attempts whose paper has it.
    asked: int
    #: Of those, answered at all.
    answered: int
    #: Of those asked, right.
    right: int
    rate: float | None
    low: float | None
    high: float | None
    #: Of those asked, left open.
    omitted_rate: float | None
    #: The wrong answer that most gave: ids of its options; None where nobody was wrong.
    wrong: tuple[str, ...] | None
    #: Of those asked, that gave it.
    wrong_rate: float | None
    #: What is kept of this version, of everybody in all deliveries; None where fewer than ten met it.
    kept: ItemFigure | None
    #: Difficulty and discrimination by the model; None where it has none.
    calibration: ItemCalibration | None = None

    @property
    def knew(self) -> Corrected | None:
        """What may be left of the share right when lucky guesses are taken off; None where no share is shown."""
        if self.rate is None:
            return None
        chance = guess_probability(self.version.type, len(self.version.options) or None)
        return corrected_for_guessing(self.right, self.asked, chance)

    @property
    def flags(self) -> list[str]:
        """Codes of what is odd about it, the most harmful first."""
        return flags_of(self.kept, self.calibration) if self.kept else []

    @property
    def discrimination(self) -> float | None:
        """Corrected item-total correlation, of everybody in all deliveries."""
        return self.kept.figures["rest"] if self.kept else None


@dataclass
class _Tally:
    asked: int = 0
    answers: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def item_rows(
    db: Session, scope: Scope, delivery: Delivery, permission: Permission = Permission.EXPORT_FIGURES
) -> list[ItemRow]:
    """The questions of a delivery as the scope's people answered them, the hardest first; those with too few answers last."""
    unit = OrgUnit.id == func.coalesce(Attempt.unit_id, delivery.unit_id)
    counted = count_answers(
        db,
        delivery.id,
        scope.condition(permission, OrgUnit.path, Attempt.industry_id),
        narrow=lambda statement: statement.join(OrgUnit, unit),
    )
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for place, version_id in versions_of_places(db, delivery.id).items():
        tally = tallies[version_id]
        if place[0] not in counted.people:
            continue
        counts, _unreached = counted.at(place)
        for answer, by_total in counts.items():
            tally.answers[answer] += sum(by_total.values())
            tally.asked += sum(by_total.values())
    rows = _rows(db, tallies)
    return sorted(rows, key=lambda row: (row.rate is None, row.rate or 0.0, row.code))


def _rows(db: Session, tallies: Mapping[int, _Tally]) -> list[ItemRow]:
    found = db.execute(
        select(ItemVersion, Item.code, Topic.title, ItemFigure, ItemCalibration)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Topic, Topic.id == Item.topic_id)
        .outerjoin(ItemFigure, ItemFigure.item_version_id == ItemVersion.id)
        .outerjoin(ItemCalibration, ItemCalibration.item_version_id == ItemVersion.id)
        .where(ItemVersion.id.in_(tallies))
    )
    return [
        _row(version, code, topic, tallies[version.id], kept, calibration)
        for version, code, topic, kept, calibration in found
    ]


def _row(
    version: ItemVersion,
    code: str,
    topic: dict[str, str],
    tally: _Tally,
    kept: ItemFigure | None,
    calibration: ItemCalibration | None,
) -> ItemRow:
    wrong = {answer: n for answer, n in tally.answers.items() if answer not in (RIGHT, NONE)}
    worst = max(wrong, key=lambda answer: (wrong[answer], answer), default=None)
    shown = tally.asked >= FEWEST_ANSWERS
    right, omitted = tally.answers[RIGHT], tally.answers[NONE]
    interval = wilson(right, tally.asked) if shown else None
    return ItemRow(
        version=version,
        code=code,
        topic=topic,
        asked=tally.asked,
        answered=tally.asked - omitted,
        right=right,
        rate=right / tally.asked if shown else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        omitted_rate=omitted / tally.asked if shown else None,
        wrong=tuple(worst.split(",")) if worst and shown else None,
        wrong_rate=wrong[worst] / tally.asked if worst and shown else None,
        kept=kept if kept is not None and kept.asked >= FEWEST_ANSWERS else None,
        calibration=calibration,
    )
