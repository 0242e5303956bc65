"""Issuing: for a whole run at once, and once more for somebody whose certificate was revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.certificates.errors import NotEarned, StillValid
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import make_number, new_check_code
from quizapp.certificates.queries import Candidate, RunDays, candidates, run_days, run_sessions
from quizapp.certificates.validity import last_valid_day
from quizapp.core.clock import local_date, to_ms
from quizapp.core.scope import Actor
from quizapp.trainings.models import CourseRun

#: Rows of one insert.
BATCH = 500
#: The partial unique index by which nobody holds two of one run.
CONFLICT: list[Any] = ["run_id", "person_id"]


def issue_certificates(db: Session, *, run: CourseRun, actor: Actor, now: datetime) -> int:
    """Issue one to everybody who has earned one and never held one; gives their number. Pressed twice, it issues once.

    Whoever had theirs revoked is left out: that was somebody's decision, and taking it back is another (`issue_again`).
    """
    sessions = run_sessions(db, run.id)
    days = run_days(sessions)
    due = [one for one in candidates(db, run, sessions) if one.due]
    if days is None or not due:
        return 0
    count = len(_insert(db, run, due, days, actor, now))
    if count:
        record(
            db,
            actor=actor,
            action="certificates_issued",
            object_type="course_run",
            object_id=run.id,
            unit_id=run.unit_id,
            details={"count": count},
            now=now,
        )
    return count


def issue_again(db: Session, *, certificate: Certificate, actor: Actor, now: datetime) -> Certificate:
    """Another one, with a number of its own, for the holder of a revoked one. Pressed twice, it issues once.

    Raises StillValid, or NotEarned where the person does not (or no longer) fulfil what the run asks.
    """
    if certificate.revoked_at is None:
        raise StillValid
    run = db.get_one(CourseRun, certificate.run_id)
    sessions = run_sessions(db, run.id)
    days = run_days(sessions)
    (one,) = candidates(db, run, sessions, person_id=certificate.person_id) or (None,)
    if one is None or days is None or not one.standing.earned:
        raise NotEarned
    new = _insert(db, run, [one], days, actor, now)
    valid = db.scalars(
        select(Certificate).where(
            Certificate.run_id == run.id,
            Certificate.person_id == certificate.person_id,
            Certificate.revoked_at.is_(None),
        )
    ).one()
    if new:
        record(
            db,
            actor=actor,
            action="certificate_issued_again",
            object_type="certificate",
            object_id=valid.id,
            unit_id=run.unit_id,
            details={"run_id": run.id, "before": certificate.id},
            now=now,
        )
    return valid


def _insert(
    db: Session, run: CourseRun, people: Sequence[Candidate], days: RunDays, actor: Actor, now: datetime
) -> list[int]:
    """The keys of the new rows. Whoever got one in the meantime (another press) is passed over by the partial unique index.

    In the order of the people's keys, so that two presses wait for each other instead of both for ever.
    """
    today = local_date(now)
    rows = [
        _row(run, one, days, today, actor, now) for one in sorted(people, key=lambda candidate: candidate.person_id)
    ]
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    keys: list[int] = []
    for start in range(0, len(rows), BATCH):
        statement = (
            insert(Certificate)
            .values(rows[start : start + BATCH])
            .on_conflict_do_nothing(index_elements=CONFLICT, index_where=Certificate.revoked_at.is_(None))
            .returning(Certificate.id)
        )
        keys.extend(db.execute(statement).scalars())
    if keys:
        db.execute(update(Certificate), [{"id": key, "number": make_number(today.year, key)} for key in keys])
    return keys


def _row(run: CourseRun, one: Candidate, days: RunDays, today: date, actor: Actor, now: datetime) -> dict[str, Any]:
    code = new_check_code()
    return {
        "number": code[:24],  # until the key is known from which it is made
        "check_code": code,
        "run_id": run.id,
        "person_id": one.person_id,
        "course_title": run.course.title,
        "run_title": run.title,
        "issuer": run.unit.name,
        "unit_id": one.unit_id,
        "unit_path": one.unit_path,
        "hours_tenths": one.standing.hours_tenths,
        "issued_on": today,
        "valid_until": last_valid_day(days.last, run.certificate_months),
        "issued_by": actor.account_id,
        "issued_at": to_ms(now),
    }
