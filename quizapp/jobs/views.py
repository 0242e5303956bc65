"""The progress page of a job, for whoever asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from quizapp.core.web import get_actor, get_db, get_runtime, signed_in
from quizapp.jobs.queries import get_own_job
from quizapp.ui.words import WORDS

bp = Blueprint("jobs", __name__, template_folder="templates")


@dataclass(frozen=True)
class JobWords:
    """What a feature says about its job, by the slot "job": a title, and where to go when it is done."""

    title: Any
    link_text: Any
    url: str


@bp.get("/jobs/<public_id>")
@signed_in
def job(public_id: str) -> str:
    """How far one's own job is; the page loads itself again while it runs."""
    found = get_own_job(get_db(), public_id, get_actor())
    words = get_runtime().registry.collect("job", found)
    return render_template(
        "jobs/job.html", job=found, words=words[0] if words else None, refusal=_refusal_words(found.error)
    )


def _refusal_words(code: str | None) -> str | None:
    """Why a job was refused, where its code alone says it."""
    words = str(WORDS[code]) if code in WORDS else ""
    return words if words and "%(" not in words else None
