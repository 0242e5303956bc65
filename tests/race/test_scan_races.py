"""Two phones at two doors deliver the same person in the same moment, on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.trainings.models import Attendance, AttendanceEntry, TrainingSession
from quizapp.trainings.services.scanning import Sent, receive, settling
from tests.conftest import START
from tests.factories import make_person, make_session, make_unit
from tests.race.gate import gate
from tests.trainings.scanning import ScanPhone, expect

pytestmark = [pytest.mark.race, pytest.mark.postgres]


def deliver_at_once(database: Database, keys: Keys) -> tuple[list[tuple[int, str]], int]:
    """Two deliveries, the earlier scan first, the other while the first one's row is being written.

    Returns the attendances and how many entries belong to one.
    """
    with database.session() as db, transaction(db):
        session = make_session(db, make_unit(db), kind="joint")
        person = make_person(db)
        expect(db, session, person)
        phones = [ScanPhone(db, session, keys) for _ in range(2)]
        sent = [
            (phone.public_id, phone.write(person_id=person.id, phone_at_ms=to_ms(START) + offset))
            for phone, offset in zip(phones, (0, 30_000), strict=True)
        ]
        session_id = session.id

    def deliver(one: tuple[str, Sent]) -> None:
        with database.session() as db, transaction(db):
            receive(
                db,
                session=db.get_one(TrainingSession, session_id),
                device_id=one[0],
                entries=[one[1]],
                keys=keys,
                now=START + timedelta(minutes=1),
                sent_at_ms=to_ms(START) + 60_000,
            )

    with gate(database, "attendance", when="AFTER") as door, ThreadPoolExecutor() as pool:
        running = []
        for one in sent:
            running.append(pool.submit(deliver, one))
            door.settle(*running)
        door.open()
        for future in running:
            future.result(timeout=30)
    with database.session() as db:
        rows = db.execute(select(Attendance.at_ms, Attendance.state).where(Attendance.session_id == session_id)).all()
        linked = len(db.scalars(select(AttendanceEntry.id).where(AttendanceEntry.attendance_id.is_not(None))).all())
    return [(at_ms, state) for at_ms, state in rows], linked


def test_two_phones_at_once_make_one_attendance_of_the_earlier_scan(postgres_database: Database, keys: Keys) -> None:
    assert deliver_at_once(postgres_database, keys) == ([(to_ms(START), "counted")], 2)


def test_control_without_reading_again_under_the_lock_the_later_scan_wins(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = settling._lines  # the control breaks exactly this
    kept: dict[int, Any] = {}

    def once(db: Session, session_id: int, person_id: int) -> Any:
        return kept.setdefault(threading.get_ident(), read(db, session_id, person_id))

    monkeypatch.setattr(settling, "_lines", once)
    monkeypatch.setattr(settling, "_keep_direct", lambda *_: None)
    assert deliver_at_once(postgres_database, keys) == ([(to_ms(START) + 30_000, "counted")], 2)
