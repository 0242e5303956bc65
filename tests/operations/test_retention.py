"""What goes when its term is over: the rest stays, every count stays, and whoever comes back meanwhile is kept."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import quizapp.operations.daily  # noqa: F401 # fills the table of tasks
from quizapp.audit.models import AuditEvent
from quizapp.config import SettingInvalid, read_settings
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.privacy_parts import INVENTORY
from quizapp.core.registry import TASKS
from quizapp.core.scope import SYSTEM, Role
from quizapp.core.tokens import Keys
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import keep_file
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.jobs.worker import run_pending
from quizapp.mail.models import OutgoingMail
from quizapp.mail.services import queue_mail
from quizapp.operations import inventory_words
from quizapp.operations.installation import Installation
from quizapp.operations.retention import APPLIED, RULES, apply_retention, preview
from quizapp.organisation.models import Person, PersonalCode
from quizapp.organisation.people import hold_person
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.trainings.models import Attendance, Registration, RosterEntry
from tests.accounts.pages import sign_in
from tests.conftest import START, make_settings
from tests.factories import (
    make_account,
    make_attempt,
    make_attendance,
    make_delivery,
    make_person,
    make_registration,
    make_session,
    make_unit,
)

TERMS = {"attempts": 1096, "contact": 365, "photos": 365, "audit": 1096}
NOTHING = dict.fromkeys(("phone_encrypted", "phone_hash", "device_hash", "birth_year", "sex", "education"))


def ago(days: int) -> datetime:
    return START - timedelta(days=days)


def figures(db: Session) -> tuple[Any, ...]:
    """What the figures are made of: 人次, 人数, passed, first, attended, and who was at all."""
    return (
        db.execute(
            select(
                Attempt.unit_path,
                Attempt.local_date,
                func.count(),
                func.count(Attempt.person_id.distinct()),
                func.sum(func.coalesce(Attempt.score, 0)),
            )
            .where(Attempt.passed)
            .group_by(Attempt.unit_path, Attempt.local_date)
            .order_by(Attempt.local_date)
        ).all(),
        db.scalar(select(func.count(Attendance.person_id.distinct()))),
        db.scalar(select(func.count()).select_from(Registration)),
        db.scalar(select(func.count()).select_from(Person)),
    )


@pytest.fixture
def delivery(either_db: Session) -> Delivery:
    with transaction(either_db) as db:
        return make_delivery(db)


def known_person(db: Session, days: int, **values: Any) -> Person:
    given = {"phone_encrypted": b"e", "phone_hash": b"h%d" % days, "birth_year": 1960, "sex": "female"}
    return make_person(db, created_at=ago(days), **{**given, **values})


def test_each_kind_goes_by_its_term_and_every_count_stays(either_db: Session, delivery: Delivery, keys: Keys) -> None:
    marks: dict[str, Any] = {"reader_hash": b"r", "device_hash": b"d", "is_first": False}
    with transaction(either_db) as db:
        street = make_unit(db)
        old, mid, new = (known_person(db, days) for days in (1200, 500, 100))
        old.job_role = "crew"
        merged = known_person(db, 1201, merged_into_id=old.id)
        listed, certain = known_person(db, 1202), known_person(db, 1203, source="roster")
        training, recent = (
            make_session(db, street, starts_at=to_ms(ago(days)), check_in_until=to_ms(ago(days - 1)))
            for days in (400, 20)
        )
        entry = {"session_id": training.id, "person_id": listed.id, "source": "by_hand", "added_at": 1}
        db.add(RosterEntry(**entry))
        attempts = [
            make_attempt(db, delivery, now=ago(days), person_id=one.id, receipt_hash=b"%d" % days, **marks)
            for days, one in ((1200, old), (1097, mid), (1095, new), (500, mid), (100, new))
        ]
        open_one = make_attempt(db, delivery, now=ago(1300), state="open", passed=None, is_first=False)
        for session, days in ((training, 400), (recent, 20)):
            make_attendance(db, session.id, new.id, at_ms=to_ms(ago(days)), device_hash=b"d", note="扶着拐杖")
            signed = {"email_encrypted": b"e", "secret_hash": b"s%d" % days}
            make_registration(db, session.id, certain.id, registered_at=to_ms(ago(days)), **signed)
            queue_mail(db, "reminder", about_id=days, mark=0, address_sealed=b"a", language="zh", now=ago(days))
            photo = {"kind": FileKind.EVIDENCE, "media_type": "image/jpeg", "name": "a.jpg", "expires_at": START}
            keep_file(db, b"%d" % days, keys=keys, actor=SYSTEM, now=ago(days), **photo)
        code = {"person_id": old.id, "code": "ABCDEFGHJKMN", "issued_at": START}
        db.add(PersonalCode(**code))
        for days in (1100, 900):
            db.add(AuditEvent(at=ago(days), action="unit_closed", object_type="org_unit", details={}))
        ids = [attempt.id for attempt in attempts]
        open_id, old_ids, kept_ids = open_one.id, {old.id, merged.id, mid.id}, {new.id, listed.id, certain.id}
    before = figures(either_db)
    planned = {due.rule.name: due.count for due in preview(either_db, TERMS, START)}
    done = apply_retention(either_db, TERMS, START, batch=1)
    # the merged row follows the one that stands for it, so that the first look does not count it yet
    assert planned == {**done, "people": done["people"] - 1}
    assert done == {
        "attempts": 2,
        "people": 3,
        "registrations": 1,
        "attendances": 1,
        "mails": 1,
        "photos": 1,
        "audit": 1,
    }
    either_db.rollback()
    assert figures(either_db) == before
    people = {person.id: person for person in either_db.scalars(select(Person))}
    for person_id in old_ids:
        person = people[person_id]
        assert (person.name, person.name_key, person.job_role) == ("", "", None)
        assert {name: getattr(person, name) for name in NOTHING} == NOTHING
    assert all(people[person_id].phone_hash for person_id in kept_ids)
    assert either_db.scalars(select(PersonalCode)).all() == []
    rows = {row.id: row for row in either_db.scalars(select(Attempt))}
    emptied = [(bytes(rows[one].secret_hash), rows[one].device_hash, rows[one].receipt_hash) for one in ids]
    assert [one == (b"", None, None) for one in emptied] == [True, True, False, False, False]
    assert rows[open_id].secret_hash == b"s", "an attempt that still runs can be answered"
    assert [row.note for row in either_db.scalars(select(Attendance).order_by(Attendance.at_ms))] == ["", "扶着拐杖"]
    mails = [
        (row.state, row.address_encrypted) for row in either_db.scalars(select(OutgoingMail).order_by(OutgoingMail.id))
    ]
    assert mails == [("dropped", None), ("waiting", b"a")]
    assert either_db.scalar(select(func.count()).select_from(StoredFile)) == 1
    told = either_db.scalars(select(AuditEvent).where(AuditEvent.action == APPLIED)).one()
    assert told.details == {f"{name}_aged": number for name, number in done.items()}
    # again: nothing is left, and nothing is said
    assert apply_retention(either_db, TERMS, START) == {}
    assert either_db.scalar(select(func.count()).where(AuditEvent.action == APPLIED)) == 1


VISITS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["attempt", "attendance"]), st.integers(1, 1500)), max_size=8
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits=VISITS, turns=st.lists(st.integers(0, 900), min_size=1, max_size=4), batch=st.integers(1, 3))
def test_however_people_came_and_whenever_it_runs_counts_stay(
    visits: list[tuple[int, str, int]],
    turns: list[int],
    batch: int,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("visits") / "one.sqlite3"
    copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with database.session() as db:
        with transaction(db):
            delivery, street = make_delivery(db), make_unit(db)
            people = [known_person(db, 1501 + number).id for number in range(4)]
            last = dict.fromkeys(people, 10_000)
            for who, what, days in visits:
                last[people[who]] = min(last[people[who]], days)
                if what == "attempt":
                    first = {"is_first": False, "passed": days % 2 == 0, "score": days}
                    make_attempt(db, delivery, now=ago(days), person_id=people[who], **first)
                else:
                    session = make_session(db, street, starts_at=to_ms(ago(days)))
                    make_attendance(db, session.id, people[who], at_ms=to_ms(ago(days)))
        before, latest = figures(db), 0
        for later in sorted(turns):
            apply_retention(db, TERMS, START + timedelta(days=later), batch=batch)
            latest = later
            db.rollback()
            assert figures(db) == before
        named = set(db.scalars(select(Person.id).where(Person.name != "")))
        assert named == {one for one, days in last.items() if days + latest <= TERMS["contact"]}
        secret = db.execute(select(Attempt.started_at, Attempt.secret_hash)).all()
        limit = to_ms(START + timedelta(days=latest - TERMS["attempts"]))
        assert all((bytes(row.secret_hash) == b"") == (row.started_at < limit) for row in secret)
    database.dispose()


def test_a_turn_that_breaks_off_is_carried_on(either_db: Session, delivery: Delivery) -> None:
    with transaction(either_db) as db:
        for days in range(1200, 1206):
            make_attempt(db, delivery, now=ago(days), is_first=False)

    def broken() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_retention(either_db, TERMS, START, batch=2, on_batch=broken)
    assert apply_retention(either_db, TERMS, START, batch=2) == {"attempts": 4}


@pytest.mark.postgres
def test_who_comes_back_while_it_runs_is_kept(postgres_database: Database) -> None:
    """Somebody is found due, and is at a door in the same moment. The control: without the visit they go."""
    with postgres_database.session() as db, transaction(db):
        session = make_session(db, make_unit(db))
        back, gone = known_person(db, 800).id, known_person(db, 801).id
        session_id = session.id
    counts: dict[str, int] = {}

    def turn() -> None:
        with postgres_database.session() as own:
            counts.update(apply_retention(own, TERMS, START))

    with postgres_database.session() as db:
        with transaction(db):
            hold_person(db, back)
            worker = threading.Thread(target=turn)
            worker.start()
            worker.join(1.5)
            assert worker.is_alive(), "it waits for whoever holds the person"
            make_attendance(db, session_id, back, at_ms=to_ms(START))
        worker.join(20)
        names = {row.id: row.name for row in db.execute(select(Person.id, Person.name))}
    assert (names[back] != "", names[gone]) == (True, "")


def test_it_runs_by_itself_and_stands_on_the_page(
    either_database: Database, make_app: Callable[..., Flask], tmp_path: Path, keys: Keys
) -> None:
    app = make_app(either_database, contact_days=400)
    with either_database.session() as db, transaction(db):
        make_account(db, (Role.ADMINISTRATOR, None), username="boss")
        known_person(db, 500)
        known_person(db, 390)
    client = app.test_client()
    sign_in(client, "boss")

    def line(name: str) -> list[str]:
        page = client.get("/admin/data")
        assert page.status_code == 200
        row = next(row for row in page.text.split("<tr>") if name in row)
        return re.findall(r'<td class="num">([^<]*)</td>', row)

    name = "只填过姓名或手机的人"
    assert line(name) == ["400", "1"]
    values = replace(make_settings(tmp_path, either_database), contact_days=400)
    installation = Installation(values, either_database, keys, lambda: START)
    with either_database.session() as db, transaction(db):
        enqueue(db, "apply_retention", {}, actor=SYSTEM, now=START)
    run_pending(installation)
    assert line(name) == ["400", "0"]
    assert "人数不变（1 行）" in re.sub(r"\s+", " ", client.get("/admin/data").text)
    with either_database.session() as db:
        assert db.scalars(select(Job)).one().result == {"people": 1}
    public = app.test_client().get("/privacy/kept")
    assert public.status_code == 200
    assert "只填过姓名或手机的人" in public.text
    assert 'href="/privacy/kept"' in app.test_client().get("/privacy").text


def test_the_log_cannot_be_kept_for_less_than_three_years(either_db: Session) -> None:
    with pytest.raises(SettingInvalid, match="AUDIT_DAYS=365 must be a whole number from 1096"):
        read_settings({"AUDIT_DAYS": "365"})
    assert read_settings({"AUDIT_DAYS": "2000", "CONTACT_DAYS": "90"}).terms == {
        "attempts": 1096,
        "contact": 90,
        "photos": 365,
        "audit": 2000,
    }


def test_every_rule_and_every_entry_has_its_words() -> None:
    assert {rule.name for rule in RULES} == set(inventory_words.RULES)
    assert {rule.term for rule in RULES} == set(inventory_words.SETTINGS)
    assert "apply_retention" in TASKS
    for entry in (entry for part in INVENTORY.values() for entry in part.entries):
        assert entry.kind in inventory_words.KINDS, f"give {entry.kind} its words in operations/inventory_words.py"
        assert entry.purpose in inventory_words.PURPOSES, f"give {entry.purpose} its words in the same file"
        assert entry.term in {*TERMS, "day", "person", "lasting"}
