"""The progress page: one's own jobs, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM, Actor
from quizapp.jobs.models import JobState
from quizapp.jobs.services import enqueue
from tests.conftest import FakeClock
from tests.quizzes.staff import client_of

OWNER = Actor(account_id=41, name="林晓")


@pytest.mark.parametrize(
    ("values", "words", "reloads"),
    [
        ({}, "排着队", True),
        ({"state": JobState.RUNNING, "done": 2, "total": 4}, "2 / 4", True),
        ({"state": JobState.RUNNING}, "正在做", True),
        ({"state": JobState.DONE}, "做好了", False),
        ({"state": JobState.FAILED, "error": "crashed"}, "crashed", False),
    ],
)
def test_the_page_says_how_far_a_job_is(
    app: Flask, db: Session, clock: FakeClock, values: dict[str, Any], words: str, reloads: bool
) -> None:
    with transaction(db):
        job = enqueue(db, "something", {}, actor=OWNER, now=clock())
        for name, value in values.items():
            setattr(job, name, value)
    page = client_of(app, OWNER).get(f"/jobs/{job.public_id}")
    assert page.status_code == 200
    assert words in page.text
    assert ('http-equiv="refresh"' in page.text) == reloads
    assert page.text.count("<h1") == 1


def test_an_assembly_leads_to_its_delivery(app: Flask, db: Session, clock: FakeClock) -> None:
    with transaction(db):
        job = enqueue(db, "assemble_papers", {"delivery_id": 7}, actor=OWNER, now=clock())
        job.state = JobState.DONE
    page = client_of(app, OWNER).get(f"/jobs/{job.public_id}").text
    assert 'href="/deliveries/7"' in page


def test_somebody_elses_job_is_not_there(app: Flask, db: Session, clock: FakeClock) -> None:
    with transaction(db):
        own = enqueue(db, "something", {}, actor=OWNER, now=clock())
        system = enqueue(db, "something", {}, actor=SYSTEM, now=clock())
    json = {"Accept": "application/json"}
    stranger = client_of(app, Actor(account_id=42))
    assert stranger.get(f"/jobs/{own.public_id}", headers=json).status_code == 404
    assert stranger.get(f"/jobs/{system.public_id}", headers=json).status_code == 404
    assert client_of(app, Actor()).get(f"/jobs/{own.public_id}", headers=json).status_code == 401
    assert client_of(app, OWNER).get("/jobs/nothing", headers=json).status_code == 404
