"""Figures as files: what is written, by whom it was asked, and whether they still may have it.

The words are made in the request, in the reader's language; the job that writes the file gets them ready. A file that holds records is
written with the grants of the moment when it is written, and given out only while they are the same: who lost a grant in between gets
nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.accounts.queries import find_actor
from quizapp.audit.services import record
from quizapp.core.scope import Actor, Permission, Scope
from quizapp.core.spreadsheet import Chart, Column, Kind, Point, Sheet, Value, write_csv, write_xlsx
from quizapp.core.tokens import Keys
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import keep_file
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.reports.errors import ExportGrantChanged, ExportReasonMissing

#: The job that writes a file.
TASK = "write_export"
#: How long the file is kept.
KEPT = timedelta(days=1)
#: A table of so many rows, without records, is written in the request.
AT_ONCE = 1000


class Format(StrEnum):
    """The kinds of file."""

    XLSX = "xlsx"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """Its media type."""
        if self is Format.CSV:
            return "text/csv"
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Reason(StrEnum):
    """Why records with names leave the house. A code, so that the log holds no typed text."""

    REPORT = "report"
    CHECK = "check"
    ENQUIRY = "enquiry"
    AUDIT = "audit"
    HANDOVER = "handover"


@dataclass(frozen=True)
class Plan:
    """A table with all its words, as plain values that fit into JSON."""

    #: Beginning of the file's name: ASCII, without an ending.
    name: str
    title: str
    facts_title: str
    facts: Sequence[tuple[str, str]]
    #: Heading, `Kind`, width.
    columns: Sequence[tuple[str, str, int]]
    rows: Sequence[Sequence[str | int | float | None]]
    #: Title, six headings, points (label, value, low, high), whether over time; None: no chart.
    chart: Mapping[str, Any] | None = None
    #: `source` (of `record_sources`), title and columns of the records' sheet, and `words`: column → code → word.
    records: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """For the job's row."""
        return asdict(self)

    def _columns(self) -> list[Column]:
        return [Column(heading, Kind(kind), width) for heading, kind, width in self.columns]

    def _chart(self) -> Chart | None:
        if self.chart is None:
            return None
        return Chart(
            title=self.chart["title"],
            headings=tuple(self.chart["headings"]),
            points=[Point(*point) for point in self.chart["points"]],
            over_time=self.chart["over_time"],
        )

    def write(
        self,
        form: Format,
        records: Iterable[Sequence[Value]] | None = None,
        on_rows: Callable[[int], None] | None = None,
    ) -> bytes:
        """The file. CSV holds one table: the records where they are asked for."""
        if self.records is None or records is None:
            if form is Format.CSV:
                return write_csv(self._columns(), self.rows, on_rows=on_rows)
            more: Sequence[Sheet] = ()
        else:
            columns = [Column(heading, Kind(kind), width) for heading, kind, width in self.records["columns"]]
            worded = _in_words(records, self.records["words"])
            if form is Format.CSV:
                return write_csv(columns, worded, on_rows=on_rows)
            more = (Sheet(self.records["title"], columns, worded),)
        return write_xlsx(
            self._columns(),
            self.rows,
            title=self.title,
            facts=self.facts,
            facts_title=self.facts_title,
            chart=self._chart(),
            more=more,
            on_rows=on_rows,
        )


def _in_words(rows: Iterable[Sequence[Value]], words: Mapping[str, Mapping[str, str]]) -> Iterable[Sequence[Value]]:
    """The rows with the codes of some columns as words. `words` has the column's number, as JSON keeps it, and its words."""
    tables = {int(index): table for index, table in words.items()}
    for row in rows:
        cells = list(row)
        for index, table in tables.items():
            code = cells[index]
            cells[index] = None if code is None else table.get(str(code), str(code))
        yield cells


def grants_mark(scope: Scope, permission: Permission = Permission.EXPORT_FIGURES) -> str:
    """What an account may export, as a short mark: another one when a grant came, went or changed, or its unit moved."""
    grants = sorted(repr((g.role.value, g.path, g.industry_id)) for g in scope.with_permission(permission))
    return hashlib.sha256("\n".join(grants).encode()).hexdigest()[:32]


def ask_for_export(
    db: Session,
    *,
    plan: Plan,
    form: Format,
    query: Mapping[str, str],
    unit_id: int | None,
    reason: Reason | None,
    actor: Actor,
    now: datetime,
) -> Job:
    """Ask for a file that is written by a job. Raises ExportReasonMissing where records are asked for without a reason."""
    if plan.records is not None and reason is None:
        raise ExportReasonMissing(field="reason")
    arguments = {
        "plan": plan.as_json(),
        "form": form.value,
        "query": dict(query),
        "unit_id": unit_id,
        "reason": reason.value if reason else None,
        "grants": grants_mark(actor.scope),
    }
    return enqueue(db, TASK, arguments, actor=actor, now=now)


def asker_today(db: Session, job: Job) -> Actor:
    """Who asked, with today's grants. Raises ExportGrantChanged when they are not those of the asking."""
    account = db.get(Account, job.account_id) if job.account_id is not None else None
    actor = find_actor(db, account.id, account.session_epoch) if account else None
    if actor is None:
        raise ExportGrantChanged
    check_grants(job, actor)
    return actor


def check_grants(job: Job, actor: Actor) -> None:
    """Raises ExportGrantChanged when the actor may not export today what was asked for then."""
    if job.arguments["grants"] != grants_mark(actor.scope):
        raise ExportGrantChanged


def keep_export(
    db: Session, content: bytes, *, job: Job, records: int | None, keys: Keys, actor: Actor, now: datetime
) -> StoredFile:
    """Keep the file for a day, for whoever asked, and write down that it was made."""
    form = Format(job.arguments["form"])
    note_export(
        db,
        query=job.arguments["query"],
        form=form,
        unit_id=job.arguments["unit_id"],
        rows=len(job.arguments["plan"]["rows"]),
        records=records,
        reason=job.arguments["reason"],
        actor=actor,
        now=now,
    )
    return keep_file(
        db,
        content,
        kind=FileKind.RESULT,
        media_type=form.media_type,
        name=f"{job.arguments['plan']['name']}.{form.value}",
        expires_at=now + KEPT,
        keys=keys,
        actor=actor,
        now=now,
    )


def note_export(
    db: Session,
    *,
    query: Mapping[str, str],
    form: Format,
    unit_id: int | None,
    rows: int,
    records: int | None = None,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down that figures left the house, and whether people's records went along: `records` says how many, `reason` why."""
    details: dict[str, Any] = {**query, "format": form.value, "rows": rows}
    if records is not None:
        details |= {"personal_data": True, "records": records, "reason": reason}
    record(
        db,
        actor=actor,
        action="figures_exported" if records is None else "records_exported",
        object_type="org_unit",
        object_id=unit_id,
        unit_id=unit_id,
        details=details,
        now=now,
    )
