"""Sessions and check-in: once for one person, in the window, in the scope."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.errors import NotFound
from quizapp.core.phones import PhoneInvalid
from quizapp.core.scope import GUEST, Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings import queries
from quizapp.trainings.errors import (
    AttendeeNameNeeded,
    AttendeePhoneNeeded,
    CheckInClosed,
    CheckInEarly,
    CheckInLate,
    PeriodInvalid,
)
from quizapp.trainings.models import Attendance, TrainingSession
from quizapp.trainings.services import (
    CheckedIn,
    check_in,
    check_in_by_hand,
    close_session,
    open_session,
    reopen_session,
)
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_unit


def trainer_of(unit: OrgUnit | None) -> Actor:
    return Actor(account_id=7, scope=Scope((Grant(Role.TRAINER, unit.path if unit else None),)))


def make_session(db: Session, unit: OrgUnit | None = None, **values: object) -> TrainingSession:
    unit = unit or make_unit(db)
    options = {
        "title": "消防疏散演练",
        "place": "党群服务中心二楼",
        "unit_id": unit.id,
        "starts_at": START,
        "ends_at": START + timedelta(minutes=90),
        "actor": trainer_of(unit),
        "now": START,
        **values,
    }
    return open_session(db, **options)


def scan(db: Session, session: TrainingSession, keys: Keys, now: datetime = START, **values: object) -> CheckedIn:
    options = {"name": "李建国", "phone": "138 0000 1234", "device_hash": None, "actor": GUEST, **values}
    return check_in(db, session=session, keys=keys, now=now, **options)


def test_two_scans_make_one_attendance_and_say_when_the_first_was(either_db: Session, keys: Keys) -> None:
    session = make_session(either_db)
    first = scan(either_db, session, keys)
    second = scan(either_db, session, keys, now=START + timedelta(minutes=10), name=" 李 建国", phone="+8613800001234")
    assert (first.again, second.again) == (False, True)
    assert second.attendance.id == first.attendance.id
    assert second.attendance.at_ms == first.attendance.at_ms
    assert queries.count_arrivals(either_db, session.id) == 1


def test_one_person_attends_two_sessions(either_db: Session, keys: Keys) -> None:
    sessions = [make_session(either_db), make_session(either_db)]
    person = [scan(either_db, session, keys).attendance.person_id for session in sessions]
    assert person[0] == person[1]
    found = queries.attendances_of_person(either_db, person[0])
    assert [a.session_id for a in found] == [s.id for s in reversed(sessions)] or len(found) == 2


def test_a_family_with_one_phone_makes_two_attendances(either_db: Session, keys: Keys) -> None:
    session = make_session(either_db)
    scan(either_db, session, keys)
    assert not scan(either_db, session, keys, name="王秀兰").again
    assert queries.count_arrivals(either_db, session.id) == 2


def test_a_signed_in_person_needs_no_name(either_db: Session, keys: Keys) -> None:
    unit = make_unit(either_db)
    person = make_person(either_db, unit_id=unit.id)
    session = make_session(either_db)
    actor = Actor(account_id=3, person_id=person.id)
    checked = scan(either_db, session, keys, name=None, phone=None, actor=actor)
    assert checked.attendance.person_id == person.id
    assert checked.attendance.unit_path == unit.path
    # the same account may check in somebody else
    assert scan(either_db, session, keys, actor=actor).attendance.person_id != person.id


@pytest.mark.parametrize(
    ("minutes", "refusal"),
    [(-121, CheckInEarly), (-120, None), (0, None), (209, None), (210, CheckInLate), (10_000, CheckInLate)],
)
def test_check_in_is_open_from_two_hours_before_to_two_hours_after(
    db: Session, keys: Keys, minutes: int, refusal: type[Exception] | None
) -> None:
    session = make_session(db)
    now = START + timedelta(minutes=minutes)
    if refusal is None:
        assert not scan(db, session, keys, now=now).again
    else:
        with pytest.raises(refusal):
            scan(db, session, keys, now=now)


def test_a_closed_session_takes_nobody_until_it_is_opened_again(either_db: Session, keys: Keys) -> None:
    session = make_session(either_db)
    actor = trainer_of(session.unit)
    close_session(either_db, session=session, actor=actor, now=START)
    close_session(either_db, session=session, actor=actor, now=START)
    with pytest.raises(CheckInClosed):
        scan(either_db, session, keys)
    with pytest.raises(CheckInClosed):
        check_in_by_hand(
            either_db, session=session, name="张", phone=None, ticket="t", keys=keys, actor=actor, now=START
        )
    reopen_session(either_db, session=session, actor=actor, now=START)
    reopen_session(either_db, session=session, actor=actor, now=START)
    assert not scan(either_db, session, keys).again
    actions = list(either_db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    assert actions == ["session_opened", "session_closed", "session_reopened"]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"name": "  "}, AttendeeNameNeeded),
        ({"name": None}, AttendeeNameNeeded),
        ({"phone": ""}, AttendeePhoneNeeded),
        ({"phone": None}, AttendeePhoneNeeded),
        ({"phone": "1380000"}, PhoneInvalid),
        ({"unit_id": 10**9}, NotFound),
    ],
)
def test_a_check_in_needs_a_name_and_a_number(
    db: Session, keys: Keys, values: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        scan(db, make_session(db), keys, **values)


def test_the_trainer_writes_people_down_once_for_each_form(either_db: Session, keys: Keys) -> None:
    session = make_session(either_db)
    actor = trainer_of(session.unit)
    late = START + timedelta(hours=6)

    def write(name: str, ticket: str, phone: str | None = None) -> CheckedIn:
        return check_in_by_hand(
            either_db, session=session, name=name, phone=phone, ticket=ticket, keys=keys, actor=actor, now=late
        )

    assert not write("张伟", "a").again
    assert write("张伟", "a").again  # the button was pressed twice
    assert not write("张伟", "b").again  # another person of the same name
    assert not write("张伟", "c", "13900001111").again
    assert write("张伟", "d", "13900001111").again
    rows = either_db.scalars(select(Attendance)).all()
    assert {(a.method, a.recorded_by) for a in rows} == {("by_hand", 7)}
    assert either_db.scalar(select(func.count()).where(AuditEvent.action == "attendance_added")) == 3
    with pytest.raises(AttendeeNameNeeded):
        write(" ", "e")


def test_the_log_holds_no_name_and_no_number(either_db: Session, keys: Keys) -> None:
    session = make_session(either_db)
    check_in_by_hand(
        either_db,
        session=session,
        name="张伟",
        phone="13900001111",
        ticket="t",
        keys=keys,
        actor=trainer_of(None),
        now=START,
    )
    logged = str([(e.action, e.details) for e in either_db.scalars(select(AuditEvent))])
    assert "张伟" not in logged
    assert "139" not in logged


def test_the_unit_of_a_matched_person_shows_only_below_the_sessions_unit(either_db: Session, keys: Keys) -> None:
    top = make_unit(either_db)
    street, foreign = make_unit(either_db, top), make_unit(either_db, top)
    community = make_unit(either_db, street)
    for name, unit in (("李建国", community), ("王秀兰", foreign)):
        make_person(either_db, name=name, phone_hash=keys.phone_hash("13800001234"), unit_id=unit.id, source="roster")
    session = make_session(either_db, street)
    assert scan(either_db, session, keys).attendance.unit_id == community.id
    assert scan(either_db, session, keys, name="王秀兰").attendance.unit_id is None
    assert scan(either_db, session, keys, name="赵海", unit_id=foreign.id).attendance.unit_id == foreign.id


@pytest.mark.parametrize("minutes", [0, -5, 24 * 60 + 1])
def test_a_session_ends_after_it_begins_and_within_a_day(db: Session, minutes: int) -> None:
    with pytest.raises(PeriodInvalid):
        make_session(db, ends_at=START + timedelta(minutes=minutes))


def test_a_session_of_a_foreign_unit_is_not_there(either_db: Session) -> None:
    top = make_unit(either_db)
    own, foreign = make_unit(either_db, top), make_unit(either_db, top)
    with pytest.raises(NotFound):
        make_session(either_db, foreign, actor=trainer_of(own))
    with pytest.raises(NotFound):
        make_session(either_db, own, actor=Actor(account_id=1, scope=Scope((Grant(Role.LEADER, None),))))
    session = make_session(either_db, foreign)
    assert queries.get_session(either_db, trainer_of(top).scope, session.id) is session
    with pytest.raises(NotFound):
        queries.get_session(either_db, trainer_of(own).scope, session.id)
    assert queries.list_today(either_db, trainer_of(own).scope, START) == []
    assert queries.list_today(either_db, trainer_of(None).scope, START) == [session]


def test_a_closed_unit_holds_no_sessions(db: Session) -> None:
    with pytest.raises(NotFound):
        make_session(db, make_unit(db, closed_at=START))


def test_a_code_is_found_however_it_is_typed(db: Session) -> None:
    session = make_session(db)
    code = session.code
    assert queries.find_by_code(db, f" {code[:4].lower()}-{code[4:]} ") is session
    assert queries.find_by_code(db, "") is None
    with pytest.raises(NotFound):
        queries.get_by_code(db, "22222222")


def scan_from_many(database: Database, session_id: int, keys: Keys, phones: int) -> list[object]:
    """The same person's check-in from several connections at once; what each of them got."""
    barrier = threading.Barrier(phones)
    results: list[object] = []

    def one() -> None:
        with database.session() as db:
            session = db.get_one(TrainingSession, session_id)
            barrier.wait()
            try:
                with transaction(db):
                    results.append(scan(db, session, keys).again)
            except Exception as error:  # noqa: BLE001 # the control shows what breaks
                results.append(error)

    threads = [threading.Thread(target=one) for _ in range(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def new_session_id(database: Database) -> int:
    with database.session() as db, transaction(db):
        return make_session(db).id


@pytest.mark.race
@pytest.mark.postgres
def test_the_same_scan_from_six_phones_at_once_makes_one_attendance(postgres_database: Database, keys: Keys) -> None:
    for _ in range(10):
        session_id = new_session_id(postgres_database)
        results = scan_from_many(postgres_database, session_id, keys, 6)
        assert sorted(map(str, results)) == ["False"] + ["True"] * 5
        with postgres_database.session() as db:
            assert queries.count_arrivals(db, session_id) == 1
            assert db.scalar(select(func.count()).select_from(Person)) == 1


@pytest.mark.race
@pytest.mark.postgres
def test_without_the_constraint_the_same_scan_would_count_twice(postgres_database: Database, keys: Keys) -> None:
    """The control: a check before an insert, as one would write it without the unique key, lets several through."""
    session_id = new_session_id(postgres_database)
    with postgres_database.session() as db, transaction(db):
        person_id = make_person(db).id
        db.execute(text("ALTER TABLE attendance DROP CONSTRAINT uq_attendance_session_id_person_id"))
    barrier = threading.Barrier(4)

    def one() -> None:
        with postgres_database.session() as db, transaction(db):
            there = db.scalar(
                select(Attendance.id).where(Attendance.session_id == session_id, Attendance.person_id == person_id)
            )
            barrier.wait()
            if there is None:
                make_attendance(db, session_id, person_id)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with postgres_database.session() as db:
        assert queries.count_arrivals(db, session_id) == 4
