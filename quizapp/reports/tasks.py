"""Background work of reports: writing exported files, and keeping sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quizapp.core.clock import local_date
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.registry import task
from quizapp.core.spreadsheet import Value
from quizapp.jobs.models import Job
from quizapp.jobs.periodic import every
from quizapp.jobs.worker import JobContext
from quizapp.reports.exports import TASK, Format, Plan, asker_today, keep_export
from quizapp.reports.forms.years import read_side
from quizapp.reports.leaders.services import make_grid
from quizapp.reports.record_sources import SOURCES
from quizapp.reports.rollups.services import advance, refresh
from quizapp.reports.years.services import TASK as COMPARE_YEARS
from quizapp.reports.years.services import compare

#: Seconds between two looks for changed days.
SUMMING_SECONDS = 120
#: Seconds between two looks at how items were answered.
ITEM_SECONDS = 300
#: Seconds between two looks whether a bank has answers enough for a new calibration.
CALIBRATION_SECONDS = 1800
#: Seconds between two looks whether the grid is of last night.
GRID_SECONDS = 1800


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


@every(SUMMING_SECONDS)
@task("sum_attempts")
def sum_attempts(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Let the sums reach up to yesterday, and sum anew what has changed."""
    months = 0
    with context.session() as db:
        advance(db, local_date(context.now()))
        while done := refresh(db):
            months += done
    return {"months": months}


@every(ITEM_SECONDS)
@task("count_items")
def count_items_anew(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Count how items were answered on the days whose attempts have changed."""
    from quizapp.reports.item_tallies import count_items  # numpy only in the worker

    with context.session() as db:
        return {"days": count_items(db, context.now())}


@every(CALIBRATION_SECONDS)
@task("calibrate_items")
def calibrate_items(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Estimate difficulty and discrimination of the banks that have enough new attempts."""
    from quizapp.reports.calibration.services import calibrate_due  # numpy only in the worker

    with context.session() as db:
        return {"banks": calibrate_due(db, context.now())}


@every(GRID_SECONDS)
@task("make_leader_grid")
def make_leader_grid(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Bring the grid of those who see aggregates only to last night's state; what is there already is left."""
    with context.session() as db:
        return {"deliveries": make_grid(db, local_date(context.now()))}


@task(COMPARE_YEARS)
def compare_two_years(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Put two years on one scale. Raises ExportGrantChanged where the asker's grants are others by now."""
    first, second = (read_side(arguments[name]) for name in ("first", "second"))
    if first is None or second is None:
        raise NotFound
    with context.session() as db:
        actor = asker_today(db, db.get_one(Job, context.job_id))
        return compare(db, actor.scope, first, second, context.now(), context.progress)
