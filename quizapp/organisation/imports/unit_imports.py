"""A file of units into the tree: read first, then taken in as a whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.imports.batches import finish_batch, lock_batch, open_batch, store_reading
from quizapp.organisation.imports.fields import NEEDED
from quizapp.organisation.imports.reach import Reach
from quizapp.organisation.imports.running import Progress
from quizapp.organisation.imports.units import UnitRow, initials_for, make_reader, write_units
from quizapp.organisation.models import ImportBatch, ImportState
from quizapp.organisation.tree import lock_tree

#: Rows that the page shows.
SAMPLE_ROWS = 5


def read_import(
    db: Session, batch: ImportBatch, *, reach: Reach, keys: Keys, now: datetime, on_progress: Progress
) -> None:
    """Read the file of a batch and keep what was found: counts, faults, a few rows."""
    opened = open_batch(db, batch, keys=keys, now=now)
    reader = make_reader(db, reach=reach, base_id=batch.unit_id, columns=opened.columns)
    order: list[UnitRow] = []
    if all(name in opened.columns for name in NEEDED[batch.kind]):
        order = reader.ordered(opened.rows())
    known = sum(unit.known is not None for unit in order)
    on_progress(reader.rows, reader.rows)
    shown = sorted(order, key=lambda unit: unit.number)[:SAMPLE_ROWS]
    counts = {
        "rows": reader.rows,
        "new": len(order) - known,
        "known": known,
        "sample": [
            {
                "row": unit.number,
                "name": unit.name,
                "code": unit.code,
                "kind": unit.kind,
                "parent": unit.above.name if unit.above else "",
                "residence": unit.residence or "",
            }
            for unit in shown
        ],
    }
    with transaction(db):
        store_reading(db, batch.id, opened, counts, reader.faults)


def apply_import(
    db: Session, batch: ImportBatch, *, reach: Reach, keys: Keys, actor: Actor, now: datetime, on_progress: Progress
) -> None:
    """Make all units that are not there, or none. What has become wrong since it was read sends the import back."""
    opened = open_batch(db, batch, keys=keys, now=now)
    first = make_reader(db, reach=reach, base_id=batch.unit_id, columns=opened.columns)
    initials = initials_for(first.ordered(opened.rows()))
    on_progress(first.rows, first.rows)
    faulty = bool(first.faults)
    if not faulty:
        with transaction(db):
            batch = lock_batch(db, batch.id)
            if batch.state != ImportState.APPLYING:
                return
            lock_tree(db)
            reader = make_reader(db, reach=reach, base_id=batch.unit_id, columns=opened.columns)
            order = reader.ordered(opened.rows())
            faulty = bool(reader.faults)
            if not faulty:
                initials |= initials_for([unit for unit in order if unit.number not in initials])
                made = write_units(db, order, codes=reader.codes, initials=initials, now=now)
                finish_batch(db, batch, {"added": made}, actor=actor, now=now)
    if faulty:
        db.rollback()
        read_import(db, batch, reach=reach, keys=keys, now=now, on_progress=on_progress)
