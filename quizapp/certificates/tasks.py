"""Background work of certificates: the file of a run."""

from __future__ import annotations

from typing import Any

from quizapp.certificates.paper import certificates_pdf
from quizapp.certificates.services import TASK, keep_pdf, pages_of_run
from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.core.scope import Actor
from quizapp.jobs.models import Job
from quizapp.jobs.worker import JobContext


@task(TASK)
def print_certificates(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Set all certificates of a run and keep the file; None where all of them were revoked in the meantime."""
    run_id, language = int(arguments["run_id"]), str(arguments["language"])
    with context.session() as db:
        asker = Actor(account_id=db.get_one(Job, context.job_id).account_id)
        pages = pages_of_run(db, run_id, context.settings.public_url, today=context.now())
    if not pages:
        return None
    context.progress(0, len(pages))
    content = certificates_pdf(pages, language, lambda drawn: context.progress(drawn, len(pages)))
    with context.session() as db, transaction(db):
        file = keep_pdf(db, content, run_id=run_id, keys=context.keys, actor=asker, now=context.now())
        return {"file_id": file.id, "pages": len(pages), "language": language}
