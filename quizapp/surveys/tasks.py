"""Background work of surveys: cards for many people, and the estimate."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.core.scope import Actor
from quizapp.jobs.models import Job
from quizapp.jobs.worker import JobContext
from quizapp.surveys.models import Survey
from quizapp.surveys.services.estimating import TASK as ESTIMATE
from quizapp.surveys.services.estimating import estimate_survey, store_estimate
from quizapp.surveys.services.printing import TASK as PRINT
from quizapp.surveys.services.printing import keep_cards, make_cards


@task(PRINT)
def print_cards(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Print the cards of a survey; the file waits for whoever asked."""
    now = context.now()
    with context.session() as db:
        survey, actor = _asked(db, context, arguments)
        content = make_cards(
            db,
            survey=survey,
            base=arguments["base"],
            keys=context.keys,
            actor=actor,
            now=now,
            on_step=context.progress,
        )
        with transaction(db):
            file = keep_cards(db, content, survey=survey, keys=context.keys, actor=actor, now=context.now())
        return {"survey_id": survey.id, "file": file.public_id}


@task(ESTIMATE)
def estimate(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Estimate a survey from what has been answered so far."""
    with context.session() as db:
        survey, actor = _asked(db, context, arguments)
        found = estimate_survey(db, survey)
        with transaction(db):
            store_estimate(db, survey=survey, found=found, actor=actor, now=context.now())
        return {"survey_id": survey.id, "refusal": found.get("refusal")}


def _asked(db: Session, context: JobContext, arguments: dict[str, Any]) -> tuple[Survey, Actor]:
    survey = db.get_one(Survey, int(arguments["survey_id"]))
    return survey, Actor(account_id=db.get_one(Job, context.job_id).account_id)
