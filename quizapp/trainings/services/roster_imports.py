"""A file of people onto the roster of a session: read first, then taken in as a whole.

The slow part (reading, hashing, encrypting) happens before anything is locked; the transaction that writes is short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import local_date
from quizapp.core.db import transaction
from quizapp.core.phones import mask_phone
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.imports.batches import Opened, finish_batch, lock_batch, open_batch, store_reading
from quizapp.organisation.imports.fields import NEEDED
from quizapp.organisation.imports.people import (
    Known,
    PeopleReader,
    PersonRow,
    match_people,
    take_turns,
    write_people,
)
from quizapp.organisation.imports.reach import IndustryIndex, Reach, UnitIndex
from quizapp.organisation.imports.rows import Listed, in_chunks
from quizapp.organisation.imports.running import Progress
from quizapp.organisation.models import ImportBatch, ImportState
from quizapp.trainings.models import RosterEntry, RosterSource, TrainingSession
from quizapp.trainings.services.rosters import check_roster, write_entries

#: Good rows that the page shows, names and numbers masked.
SAMPLE_ROWS = 5


def read_import(
    db: Session, batch: ImportBatch, *, reach: Reach, keys: Keys, now: datetime, on_progress: Progress
) -> None:
    """Read the file of a batch and keep what was found: counts, faults, who stands there twice, a few masked rows."""
    opened = open_batch(db, batch, keys=keys, now=now)
    reader = _reader(db, opened, reach, keys, now)
    tally: Counter[str] = Counter()
    there = Listed()
    sample: list[dict[str, Any]] = []
    if all(name in opened.columns for name in NEEDED[batch.kind]):
        for piece in in_chunks(reader.good_rows(opened.rows())):
            known = match_people(db, piece, reach, reader.faults)
            listed = _on_roster(db, batch.target_id, known)
            for row in piece:
                who = known.get(row.number)
                if who is not None and who.id in listed:
                    tally["on_roster"] += 1
                    there.add(row.number)
                else:
                    # whoever is outside the importer's reach looks like anybody who is new
                    tally["known" if who is not None and who.within else "new"] += 1
                if len(sample) < SAMPLE_ROWS:
                    sample.append(_masked(row, reader.units))
            on_progress(reader.rows, max(opened.sheet.height, reader.rows))
    counts = {
        "rows": reader.rows,
        **{name: tally[name] for name in ("new", "known", "on_roster")},
        "on_roster_rows": there.rows,
        "repeats": reader.repeats.count,
        "repeated_rows": reader.repeats.rows,
        "shared": reader.shared.count,
        "shared_rows": reader.shared.rows,
        "sample": sample,
    }
    with transaction(db):
        store_reading(db, batch.id, opened, counts, reader.faults)


def apply_import(
    db: Session, batch: ImportBatch, *, reach: Reach, keys: Keys, actor: Actor, now: datetime, on_progress: Progress
) -> None:
    """Take everybody in, or nobody. What has become wrong since it was read sends the import back to where it is shown.

    Raises RosterNotKept or RosterFrozen.
    """
    opened = open_batch(db, batch, keys=keys, now=now)
    reader = _reader(db, opened, reach, keys, now)
    rows: list[PersonRow] = []
    encrypted: dict[int, bytes] = {}
    for piece in in_chunks(reader.good_rows(opened.rows())):
        match_people(db, piece, reach, reader.faults)
        for row in piece:
            if row.phone is not None:
                encrypted[row.number] = keys.encrypt_phone(row.phone)
            rows.append(row._replace(phone=None))
        on_progress(reader.rows, max(opened.sheet.height, reader.rows))
    if reader.faults:
        db.rollback()
        read_import(db, batch, reach=reach, keys=keys, now=now, on_progress=on_progress)
        return
    with transaction(db):
        batch = lock_batch(db, batch.id)
        if batch.state != ImportState.APPLYING:
            return
        session = db.get_one(TrainingSession, batch.target_id, with_for_update=True, populate_existing=True)
        check_roster(session)
        take_turns(db)
        counts = _write(db, session, batch, rows, encrypted, reach, actor, now)
        finish_batch(db, batch, counts, actor=actor, now=now)


def _write(
    db: Session,
    session: TrainingSession,
    batch: ImportBatch,
    rows: Sequence[PersonRow],
    encrypted: dict[int, bytes],
    reach: Reach,
    actor: Actor,
    now: datetime,
) -> dict[str, int]:
    today = local_date(now)
    counts = {"added": 0, "new": 0}
    for piece in in_chunks(rows):
        known = match_people(db, piece, reach)
        unknown = [row for row in piece if row.number not in known]
        made = write_people(db, unknown, encrypted, now=now, today=today)
        for row in unknown:
            known[row.number] = Known(made[row.number], True, row.unit_id, row.unit_path, row.job_role)
        listed = _on_roster(db, session.id, known)
        coming = [(known[row.number], row) for row in piece if known[row.number].id not in listed]
        write_entries(db, session, coming, source=RosterSource.IMPORT, import_id=batch.id, actor=actor, now=now)
        counts["new"] += len(unknown)
        counts["added"] += len({who.id for who, _ in coming})
    return counts


def _reader(db: Session, opened: Opened, reach: Reach, keys: Keys, now: datetime) -> PeopleReader:
    return PeopleReader(UnitIndex(db, reach), IndustryIndex(db), keys, local_date(now).year, opened.columns)


def _on_roster(db: Session, session_id: int | None, known: dict[int, Known]) -> set[int]:
    ids = {who.id for who in known.values()}
    if not ids:
        return set()
    query = select(RosterEntry.person_id).where(RosterEntry.session_id == session_id, RosterEntry.person_id.in_(ids))
    return set(db.scalars(query))


def _masked(row: PersonRow, units: UnitIndex) -> dict[str, Any]:
    """A row as the page may show it: who typed it recognises it, nobody learns a number from it."""
    return {
        "row": row.number,
        "name": row.name[0] + "*" * min(len(row.name) - 1, 2),
        "phone": mask_phone(row.phone) if row.phone else "",
        "unit": units.by_id[row.unit_id].name if row.unit_id is not None else "",
        "job_role": row.job_role or "",
        "birth_year": row.birth_year or "",
        "sex": row.sex or "",
        "key_group": row.key_group or "",
    }
