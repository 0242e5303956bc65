"""When a bank is calibrated, and what is kept of it.

The answers are read without a lock, the model runs in between, and the result replaces the old one in a transaction of its own. Running
again on the same answers changes nothing.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from quizapp.banks.models import BankCalibration, Item, ItemBank, ItemCalibration, ItemVersion, Topic
from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import transaction
from quizapp.measurement.floors import FEWEST
from quizapp.reports.calibration.apart import calibrate_apart
from quizapp.reports.calibration.queries import Counted, answer_table, counted_attempts

if TYPE_CHECKING:
    from quizapp.measurement.calibration import Calibration

#: Local hours from and until which a bank is calibrated whenever anything has changed.
NIGHT = (1, 5)
#: By day, a bank with at most so many attempts is calibrated once it has this many times those of the last run: a model of so few takes
#: a second or two.
QUICK, GROWN = 2000, 1.2
#: What a question that does not go with the others costs whoever takes it; see `item_values.HARM`.
MISFIT_HARM = 8.0


def calibrate_due(db: Session, now: datetime) -> int:
    """Calibrate the banks that have enough new attempts; gives their number."""
    db.rollback()
    last = {state.bank_id: state for state in db.scalars(select(BankCalibration))}
    due = {
        bank_id: counted
        for bank_id, counted in counted_attempts(db).items()
        if is_due(last.get(bank_id), counted, now.astimezone(LOCAL_ZONE).hour)
    }
    for bank_id, counted in sorted(due.items()):
        calibrate_bank(db, bank_id, counted, now)
    return len(due)


def is_due(last: BankCalibration | None, counted: Counted, hour: int) -> bool:
    """Whether a bank is calibrated now: at once the first time, by day after a fifth more in a small bank, at night after any change."""
    if counted.attempts < FEWEST["rasch"] and last is None:
        return False
    if last is None:
        return True
    if counted.mark == last.mark:
        return False
    grown = counted.attempts <= QUICK and counted.attempts >= GROWN * last.attempts
    return grown or NIGHT[0] <= hour < NIGHT[1]


def calibrate_bank(db: Session, bank_id: int, counted: Counted, now: datetime) -> None:
    """Estimate and keep the difficulty and discrimination of a bank's versions; what cannot be calibrated (any more) has none."""
    table = answer_table(db, bank_id)
    db.rollback()  # the model takes seconds: no transaction stays open meanwhile
    found = calibrate_apart(table)
    rows = _rows(table.versions, found, now) if found else []
    apart = [table.versions[column] for column in found.apart] if found else []
    with transaction(db):
        db.execute(select(ItemBank.id).where(ItemBank.id == bank_id).with_for_update())
        of_bank = (
            select(ItemVersion.id)
            .join(Item, Item.id == ItemVersion.item_id)
            .join(Topic, Topic.id == Item.topic_id)
            .where(Topic.bank_id == bank_id)
        )
        db.execute(delete(ItemCalibration).where(ItemCalibration.item_version_id.in_(of_bank)))
        if rows:
            db.execute(insert(ItemCalibration), rows)
        db.merge(
            BankCalibration(
                bank_id=bank_id,
                mark=counted.mark,
                attempts=counted.attempts,
                people=found.people if found else 0,
                apart=apart,
                calibrated_at=now,
            )
        )


def _rows(versions: tuple[int, ...], found: Calibration, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "item_version_id": versions[column],
            "a": float(found.a[place]),
            "b": float(found.b[place]),
            "se_a": _known(found.se_a[place]),
            "se_b": _known(found.se_b[place]),
            "own_slope": bool(found.own_slope[place]),
            "n": int(found.n[place]),
            "infit": float(found.infit[place]),
            "outfit": float(found.outfit[place]),
            "off": _known(found.off[place]),
            "share": float(found.share[place]),
            "flags": ["misfit"] if found.misfit[place] else [],
            "harm": MISFIT_HARM * int(found.n[place]) if found.misfit[place] else 0.0,
            "calibrated_at": now,
        }
        for place, column in enumerate(found.items.tolist())
        if math.isfinite(found.a[place]) and math.isfinite(found.b[place])
    ]


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
