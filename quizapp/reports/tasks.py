"""Background work of reports: writing exported files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.core.spreadsheet import Value
from quizapp.jobs.models import Job
from quizapp.jobs.worker import JobContext
from quizapp.reports.exports import TASK, Format, Plan, asker_today, keep_export
from quizapp.reports.record_sources import SOURCES


@task(TASK)
def write_export(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the file and keep it for a day. Raises ExportGrantChanged where the asker may not have it any more."""
    plan, form = Plan(**arguments["plan"]), Format(arguments["form"])
    with context.session() as db:
        job = db.get_one(Job, context.job_id)
        actor = asker_today(db, job)
        count = 0

        def counted(rows: Iterator[Sequence[Value]]) -> Iterator[Sequence[Value]]:
            nonlocal count
            for row in rows:
                count += 1
                yield row

        records, total = None, len(plan.rows)
        if plan.records is not None:
            source, asked = SOURCES[plan.records["source"]], (db, actor.scope, arguments["query"], context.now())
            total += source.count(*asked)
            records = counted(source.rows(*asked, plan.records["english"]))
        content = plan.write(form, records, lambda done: context.progress(done, max(done, total)))
    with context.session() as db, transaction(db):
        job = db.get_one(Job, context.job_id)
        file = keep_export(
            db,
            content,
            job=job,
            records=count if plan.records is not None else None,
            keys=context.keys,
            actor=asker_today(db, job),
            now=context.now(),
        )
        return {"file": file.public_id, "rows": len(plan.rows), "records": count}
