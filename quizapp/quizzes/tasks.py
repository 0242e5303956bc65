"""Background work of the quizzes: assembling papers, and closing attempts whose time is over."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.jobs.models import Job
from quizapp.jobs.periodic import every
from quizapp.jobs.worker import JobContext, JobTakenOver
from quizapp.quizzes.models import AttemptState, Delivery
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.rescoring.models import ChangeCause
from quizapp.quizzes.services.assembly import TASK, assemble_papers, note_crash
from quizapp.quizzes.services.rescoring import TASK as RESCORE
from quizapp.quizzes.services.rescoring import attempts_to_rescore, count_to_rescore, rescore_attempt
from quizapp.quizzes.services.submitting import close_if_over, overdue_attempts

log = logging.getLogger(__name__)

#: Seconds between two looks for overdue attempts.
CLOSING_SECONDS = 30


@task(TASK)
def assemble(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Assemble and store the papers of a delivery, or leave a code that says why not."""
    delivery_id = int(arguments["delivery_id"])
    with context.session() as db:
        total = db.get_one(Delivery, delivery_id).paper_count
        try:
            delivery = assemble_papers(
                db, delivery_id, now=context.now(), on_form=lambda number: context.progress(number, total)
            )
        except (DBAPIError, JobTakenOver):
            raise  # tried again, or done by another worker
        except Exception:
            with transaction(db):
                note_crash(db, delivery_id, now=context.now())
            raise
    return {"delivery_id": delivery_id, "state": delivery.state}


@every(CLOSING_SECONDS)
@task("close_overdue")
def close_overdue(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Close open attempts whose time is over, each in a transaction of its own, so that nobody waits for the whole lot.

    One that cannot be closed is logged and left for the next turn; those behind it are closed all the same.
    """
    papers = PaperCache()
    now_ms = to_ms(context.now())
    closed, failed = 0, set[int]()
    with context.session() as db:
        while overdue := overdue_attempts(db, now_ms, without=failed):
            for attempt_id in overdue:
                try:
                    with transaction(db):
                        attempt = close_if_over(db, attempt_id, papers=papers, now_ms=now_ms)
                except (OperationalError, InterfaceError):
                    raise  # the database does not answer: tried again as a whole
                except Exception:
                    log.exception("attempt %s cannot be closed", attempt_id)
                    failed.add(attempt_id)
                    continue
                if attempt.state == AttemptState.OPEN:
                    failed.add(attempt_id)  # its deadline was moved just now
                else:
                    closed += 1
    return {"closed": closed, "failed": len(failed)}


@task(RESCORE)
def rescore_delivery(context: JobContext, arguments: dict[str, Any]) -> dict[str, int]:
    """Bring the closed attempts of a delivery to their newest scores, some in one transaction. Run again it changes nothing."""
    delivery_id, cause = int(arguments["delivery_id"]), ChangeCause(arguments["cause"])
    papers = PaperCache()
    done, changed, last = 0, 0, 0
    with context.session() as db:
        account_id = db.get_one(Job, context.job_id).account_id
        total = count_to_rescore(db, delivery_id)
        while batch := attempts_to_rescore(db, delivery_id, last):
            db.rollback()
            with transaction(db):
                for attempt_id in batch:
                    change = rescore_attempt(
                        db,
                        attempt_id,
                        papers=papers,
                        cause=cause,
                        account_id=account_id,
                        now_ms=to_ms(context.now()),
                    )
                    changed += change is not None
            done, last = done + len(batch), batch[-1]
            context.progress(done, max(done, total))
    return {"delivery_id": delivery_id, "attempts": done, "changed": changed}
