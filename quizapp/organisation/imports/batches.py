"""One import from its file to its end.

    reading ─→ read ─→ applying ─→ applied
       │ ↑      │  ↑________│        (what it rests on changed meanwhile: read again, shown again)
       │ └──────┤ other columns
       ↓        ↓
    failed   dropped                 (or another file in its place)

A job reads and another takes in, told the batch's key and the importer's reach. All is taken in by one transaction that also says so,
so that a job which is started twice does it once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.columns import HEAD_ROWS, Field, find_sheet
from quizapp.core.errors import Conflict, DomainError, NotFound
from quizapp.core.scope import Actor
from quizapp.core.tables import Row, Sheet, kind_of, open_table
from quizapp.core.tokens import Keys, new_secret
from quizapp.files.models import FileKind
from quizapp.files.services import delete_file, keep_file, read_file
from quizapp.jobs.services import CRASHED, enqueue
from quizapp.organisation.imports.fields import NEEDED, PEOPLE_FIELDS, UNIT_FIELDS
from quizapp.organisation.imports.reach import Reach
from quizapp.organisation.imports.rows import Faults
from quizapp.organisation.models import ImportBatch, ImportState

ROSTER = "roster"
UNITS = "units"
FIELDS: dict[str, Sequence[Field]] = {ROSTER: PEOPLE_FIELDS, UNITS: UNIT_FIELDS}
#: The tasks that read and that take in, by kind.
READ_TASK = {ROSTER: "read_roster_import", UNITS: "read_unit_import"}
APPLY_TASK = {ROSTER: "apply_roster_import", UNITS: "apply_unit_import"}
#: A file that is neither taken in nor dropped is deleted after this time.
KEPT_FOR = timedelta(days=7)
_DIGITS = re.compile(r"\d(?=\d{3})")


class ImportMoved(Conflict):
    """The import is no longer where this takes it up: it was taken in or dropped, or is being read."""

    code = "import_moved"


class ImportFaulty(Conflict):
    """Rows are still at fault, or a column that is needed is not known: nothing is taken in."""

    code = "import_faulty"


@dataclass(frozen=True)
class Opened:
    """The table of a batch, with its heading and its columns as recognised or chosen."""

    sheet: Sheet
    head_row: int
    heads: list[str]
    columns: dict[str, int]

    def rows(self) -> Iterator[Row]:
        """The rows below the heading."""
        return (row for row in self.sheet.rows() if row.number > self.head_row)


def find_own_batch(
    db: Session, public_id: str, *, kind: str, actor: Actor, target_id: int | None = None
) -> ImportBatch | None:
    """An import that the actor brought for this target."""
    batch = db.scalar(select(ImportBatch).where(ImportBatch.public_id == public_id, ImportBatch.kind == kind))
    if batch is None or batch.target_id != target_id:
        return None
    return batch if batch.account_id is not None and batch.account_id == actor.account_id else None


def get_own_batch(db: Session, public_id: str, *, kind: str, actor: Actor, target_id: int | None = None) -> ImportBatch:
    """The same, or NotFound: nobody looks into somebody else's file."""
    batch = find_own_batch(db, public_id, kind=kind, actor=actor, target_id=target_id)
    if batch is None:
        raise NotFound
    return batch


def receive_file(
    db: Session,
    content: bytes,
    *,
    kind: str,
    target_id: int | None,
    unit_id: int | None,
    reach: Reach,
    after: ImportBatch | None,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> ImportBatch:
    """Keep a file and have it read. `after` is the import that it corrects: its columns are kept where the headings are the same.

    Raises what `core.tables.kind_of` raises.
    """
    table = kind_of(content)
    file = keep_file(
        db,
        content,
        kind=FileKind.IMPORT,
        media_type=table.media_type,
        name=f"{kind}.{table.value}",
        expires_at=now + KEPT_FOR,
        keys=keys,
        actor=actor,
        now=now,
    )
    hint: dict[str, Any] = {}
    if after is not None:
        if after.summary.get("chosen"):
            hint = {name: after.summary.get(name) for name in ("heads", "head_row", "chosen")}
            hint["columns"] = after.columns
        if after.state in (ImportState.READ, ImportState.FAILED):
            drop_batch(db, after, actor=actor, now=now)
    batch = ImportBatch(
        public_id=new_secret(),
        kind=kind,
        target_id=target_id,
        unit_id=unit_id,
        account_id=actor.account_id,
        file_id=file.id,
        state=ImportState.READING,
        columns={},
        summary={"hint": hint} if hint else {},
        faults=[],
        created_at=now,
    )
    db.add(batch)
    db.flush()
    batch.job_id = _ask(db, READ_TASK[kind], batch, reach, actor, now)
    _record(db, batch, "import_received", {"bytes": len(content), "table": table.value}, actor, now)
    return batch


def choose_columns(
    db: Session,
    batch: ImportBatch,
    *,
    columns: Mapping[str, int],
    head_row: int,
    reach: Reach,
    actor: Actor,
    now: datetime,
) -> None:
    """Have the file read again with other columns. `head_row` 0: the table begins at once. Raises ImportMoved."""
    batch = _locked(db, batch, ImportState.READ)
    batch.columns = dict(columns)
    kept: dict[str, Any] = {name: value for name, value in batch.summary.items() if name in ("heads", "sheet")}
    batch.summary = {**kept, "head_row": head_row, "chosen": True}
    batch.faults = []
    batch.state = ImportState.READING
    batch.job_id = _ask(db, READ_TASK[batch.kind], batch, reach, actor, now)


def ask_to_apply(db: Session, batch: ImportBatch, *, reach: Reach, actor: Actor, now: datetime) -> None:
    """Have everything taken in. A second press does nothing. Raises ImportMoved or ImportFaulty."""
    batch = _locked(db, batch, ImportState.READ, ImportState.APPLYING, ImportState.APPLIED)
    if batch.state != ImportState.READ:
        return
    if not can_apply(batch):
        raise ImportFaulty
    batch.state = ImportState.APPLYING
    batch.job_id = _ask(db, APPLY_TASK[batch.kind], batch, reach, actor, now)


def can_apply(batch: ImportBatch) -> bool:
    """Whether the import was read, has no fault, and brings anything."""
    summary = batch.summary
    known = all(name in batch.columns for name in NEEDED[batch.kind])
    return batch.state == ImportState.READ and known and not batch.faults and bool(summary.get("rows"))


def drop_batch(db: Session, batch: ImportBatch, *, actor: Actor, now: datetime) -> None:
    """Give an import up; its file is deleted at once. Twice is harmless. Raises ImportMoved when it is being taken in."""
    batch = _locked(db, batch, ImportState.READING, ImportState.READ, ImportState.FAILED, ImportState.DROPPED)
    if batch.state != ImportState.DROPPED:
        batch.state = ImportState.DROPPED
        forget_file(db, batch)
        _record(db, batch, "import_dropped", {}, actor, now)


def open_batch(db: Session, batch: ImportBatch, *, keys: Keys, now: datetime) -> Opened:
    """The table of a batch. Raises NotFound when its file is gone, and what `core.tables` raises."""
    if batch.file_id is None:
        raise NotFound
    sheets = open_table(read_file(db, batch.file_id, keys=keys, now=now))
    summary, hint = batch.summary, batch.summary.get("hint") or {}
    sheet, head = find_sheet(sheets, FIELDS[batch.kind])
    if summary.get("chosen"):
        sheet = next((one for one in sheets if one.name == summary.get("sheet")), sheet)
        head_row, columns = int(summary["head_row"]), {name: int(column) for name, column in batch.columns.items()}
    else:
        head_row, columns = head.row, dict(head.columns)
    heads = _heads(sheet, head_row)
    if hint and (hint.get("head_row"), hint.get("heads")) == (head_row, heads):
        columns = {name: int(column) for name, column in hint["columns"].items()}
    return Opened(sheet, head_row, heads, columns)


def store_reading(db: Session, batch_id: int, opened: Opened, counts: Mapping[str, Any], faults: Faults) -> None:
    """Write what was read, unless the batch was given up meanwhile."""
    batch = lock_batch(db, batch_id)
    if batch.state not in (ImportState.READING, ImportState.APPLYING):
        return
    batch.state = ImportState.READ
    chosen = bool(batch.summary.get("chosen") or (batch.summary.get("hint") or {}).get("chosen"))
    batch.columns = opened.columns
    batch.faults = faults.as_lists()
    batch.summary = {
        **counts,
        "faulty": faults.rows,
        "heads": opened.heads,
        "head_row": opened.head_row,
        "sheet": opened.sheet.name,
        "chosen": chosen,
    }


def store_failure(db: Session, batch_id: int, error: DomainError | None) -> None:
    """Write that the file could not be read (None: the reader broke)."""
    batch = lock_batch(db, batch_id)
    if batch.state in (ImportState.READING, ImportState.APPLYING):
        batch.state = ImportState.FAILED
        batch.summary = {"error": error.code if error else CRASHED, "data": dict(error.data) if error else {}}
        forget_file(db, batch)


def finish_batch(db: Session, batch: ImportBatch, counts: Mapping[str, int], *, actor: Actor, now: datetime) -> None:
    """Everything was taken in: say so, in the same transaction, and delete the file."""
    batch.state = ImportState.APPLIED
    batch.applied_at = now
    kept = {name: value for name, value in batch.summary.items() if name not in ("sample", "heads")}
    batch.summary = {**kept, **counts}
    forget_file(db, batch)
    _record(db, batch, "import_applied", dict(counts), actor, now)


def lock_batch(db: Session, batch_id: int) -> ImportBatch:
    """The batch as it stands now, held until the transaction ends."""
    return db.scalars(
        select(ImportBatch)
        .where(ImportBatch.id == batch_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def forget_file(db: Session, batch: ImportBatch) -> None:
    """Delete the file; what was read of it stays, without a value of a person."""
    if batch.file_id is not None:
        file_id, batch.file_id = batch.file_id, None
        db.flush()
        delete_file(db, file_id)


def _locked(db: Session, batch: ImportBatch, *states: ImportState) -> ImportBatch:
    found = lock_batch(db, batch.id)
    if found.state not in states:
        raise ImportMoved
    return found


def _heads(sheet: Sheet, head_row: int) -> list[str]:
    """The headings, or as many empty ones as there are columns; a number among them is masked, for it may be somebody's."""
    cells: Sequence[str] = ()
    for row in sheet.rows():
        if row.number == head_row:
            return [_DIGITS.sub("*", cell[:40]) for cell in row.cells]
        if row.number > HEAD_ROWS:
            break
        if head_row == 0 and len(row.cells) > len(cells):
            cells = row.cells
    return [""] * len(cells)


def _ask(db: Session, task: str, batch: ImportBatch, reach: Reach, actor: Actor, now: datetime) -> int:
    arguments = {"batch_id": batch.id, "reach": None if reach is None else list(reach)}
    return enqueue(db, task, arguments, actor=actor, now=now).id


def _record(db: Session, batch: ImportBatch, action: str, details: dict[str, Any], actor: Actor, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="import_batch",
        object_id=batch.id,
        unit_id=batch.unit_id,
        details={"kind": batch.kind, "target_id": batch.target_id, **details},
        now=now,
    )
