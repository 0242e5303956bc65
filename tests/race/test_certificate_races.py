"""Two presses of "issue all" at the same time, on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from quizapp.certificates.errors import CertificateRevoked
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import parse_number
from quizapp.certificates.services import issue_again, issue_certificates, issuing, revoke
from quizapp.core.db import Database, transaction
from quizapp.trainings.models import CourseRun
from tests.certificates.support import make_attended_run, staff_of
from tests.conftest import START
from tests.race.gate import PATIENCE

pytestmark = [pytest.mark.race, pytest.mark.postgres]
PRESSES = 4
PEOPLE = 30
ACTOR = staff_of(None)


def make_runs(database: Database, count: int = 1) -> list[int]:
    with database.session() as db, transaction(db):
        names = tuple(f"学员{number}" for number in range(PEOPLE))
        return [make_attended_run(db, names=names).id for _ in range(count)]


def press(database: Database, run_ids: list[int], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every press read who is due before any of them writes; gives how many each issued."""
    read = threading.Barrier(len(run_ids))
    real = issuing._insert

    def insert(*values: object) -> list[int]:
        read.wait(PATIENCE)
        return real(*values)  # type: ignore[arg-type] # what it was called with

    monkeypatch.setattr(issuing, "_insert", insert)

    def one(run_id: int) -> int:
        with database.session() as db, transaction(db):
            return issue_certificates(db, run=db.get_one(CourseRun, run_id), actor=ACTOR, now=START)

    with ThreadPoolExecutor(len(run_ids)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(one, run_id) for run_id in run_ids]]


def stored(database: Database) -> tuple[int, int]:
    with database.session() as db:
        row = db.execute(select(func.count(), func.count(Certificate.person_id.distinct())).select_from(Certificate))
        count, people = row.one()
        return count, people


def test_presses_that_meet_issue_once(postgres_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    (run_id,) = make_runs(postgres_database)
    counts = press(postgres_database, [run_id] * PRESSES, monkeypatch)
    assert sorted(counts) == [0] * (PRESSES - 1) + [PEOPLE]
    assert stored(postgres_database) == (PEOPLE, PEOPLE)


def test_without_the_index_everybody_would_get_several(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same meeting, the index replaced by one that lets the rows of each press in."""
    (run_id,) = make_runs(postgres_database)
    with postgres_database.session() as db, transaction(db):
        db.execute(text("DROP INDEX uq_certificate_valid"))
        db.execute(text("ALTER TABLE certificate ADD COLUMN press bigint NOT NULL DEFAULT pg_backend_pid()"))
        db.execute(
            text("CREATE UNIQUE INDEX control ON certificate (run_id, person_id, press) WHERE revoked_at IS NULL")
        )
    monkeypatch.setattr(issuing, "CONFLICT", ["run_id", "person_id", text("press")])
    press(postgres_database, [run_id] * PRESSES, monkeypatch)
    assert stored(postgres_database) == (PRESSES * PEOPLE, PEOPLE)


def test_runs_that_are_issued_at_the_same_time_share_no_number(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_ids = make_runs(postgres_database, PRESSES)
    assert press(postgres_database, run_ids, monkeypatch) == [PEOPLE] * PRESSES
    with postgres_database.session() as db:
        numbers = list(db.scalars(select(Certificate.number)))
    assert len(set(numbers)) == PRESSES * PEOPLE
    assert all(parse_number(number) == number for number in numbers)


def test_of_two_who_revoke_one_does_and_of_two_who_issue_again_one_does(postgres_database: Database) -> None:
    (run_id,) = make_runs(postgres_database)
    with postgres_database.session() as db, transaction(db):
        issue_certificates(db, run=db.get_one(CourseRun, run_id), actor=ACTOR, now=START)
        key = db.scalars(select(Certificate.id).order_by(Certificate.id)).first()
    barrier = threading.Barrier(PRESSES)

    def take_back(number: int) -> bool:
        with postgres_database.session() as db:
            certificate = db.get_one(Certificate, key)
            barrier.wait(PATIENCE)
            try:
                with transaction(db):
                    revoke(db, certificate=certificate, reason=f"原因{number}", actor=ACTOR, now=START)
            except CertificateRevoked:
                return False
            return True

    def again(_: int) -> str:
        with postgres_database.session() as db:
            certificate = db.get_one(Certificate, key)
            barrier.wait(PATIENCE)
            with transaction(db):
                return issue_again(db, certificate=certificate, actor=ACTOR, now=START).number

    with ThreadPoolExecutor(PRESSES) as pool:
        assert sorted(pool.map(take_back, range(PRESSES))) == [False] * (PRESSES - 1) + [True]
        assert len(set(pool.map(again, range(PRESSES)))) == 1
    assert stored(postgres_database) == (PEOPLE + 1, PEOPLE)
