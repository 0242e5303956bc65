"""Registering, waiting, moving up: the rules, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.errors import NotFound
from quizapp.core.phones import PhoneInvalid
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Industry, Person
from quizapp.trainings.errors import (
    AttendeeNameNeeded,
    CheckInCalledOff,
    CheckInClosed,
    NobodyChosen,
    OutsideAudience,
    RegistrationClosed,
    RegistrationKnown,
    RegistrationOver,
    SignInToRegister,
)
from quizapp.trainings.models import AudienceRule, Registration, RosterEntry, TrainingSession
from quizapp.trainings.queries.liaison import Choice, coming_open_sessions, count_candidates, list_candidates
from quizapp.trainings.queries.registrations import (
    is_invited,
    list_registrations,
    place_in_line,
    places_of,
    registrations_of_person,
)
from quizapp.trainings.services.liaison import cancel_people, register_new_person, register_people
from quizapp.trainings.services.registering import (
    cancel_by_trainer,
    cancel_own,
    lock_session,
    move_up,
    register_by_trainer,
    register_guest,
)
from tests.conftest import START
from tests.factories import make_person, make_unit
from tests.trainings.registering import (
    BEGIN,
    SILENT,
    as_account,
    as_guest,
    liaison_of,
    open_one,
    rostered,
    standing,
)

TRAINER = Actor(account_id=7, name="陈立新")


def made(db: Session, **values: Any) -> TrainingSession:
    with transaction(db):
        return open_one(db, **values)


def test_the_places_fill_and_then_people_wait_in_order(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=2)
    rows = [as_guest(either_db, session, keys, number).registration for number in range(1, 6)]
    assert [row.state for row in rows] == ["registered", "registered", "waiting", "waiting", "waiting"]
    assert [place_in_line(either_db, row) for row in rows] == [None, None, 1, 2, 3]
    places = places_of(either_db, session)
    assert (places.registered, places.waiting, places.free, places.full) == (2, 3, 0, True)


def test_without_a_capacity_everybody_has_a_place(either_db: Session, keys: Keys) -> None:
    session = made(either_db)
    for number in range(3):
        as_guest(either_db, session, keys, number)
    assert (places_of(either_db, session).free, standing(either_db, session.id, "waiting")) == (None, [])


def test_whoever_cancels_makes_room_for_the_first_who_waits(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=1)
    first, second, third = (as_guest(either_db, session, keys, number).registration for number in (1, 2, 3))
    later = START + timedelta(minutes=5)
    with transaction(either_db):
        moved = cancel_own(either_db, registration=first, now=later)
    assert [row.id for row in moved] == [second.id]
    assert (second.state, second.promoted_at) == ("registered", to_ms(later))
    assert place_in_line(either_db, third) == 1
    with transaction(either_db):
        assert cancel_own(either_db, registration=first, now=later) == []  # twice is harmless


def test_a_raised_capacity_moves_as_many_up_as_fit(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=1)
    for number in range(1, 6):
        as_guest(either_db, session, keys, number)
    with transaction(either_db):
        locked = lock_session(either_db, session.id)
        locked.capacity = 3
        assert [row.person.name for row in move_up(either_db, locked, to_ms(START))] == ["人2", "人3"]
    # somebody raised it without that call: whoever registers next does not jump the line
    with transaction(either_db):
        lock_session(either_db, session.id).capacity = 4
    assert as_guest(either_db, session, keys, 9).registration.state == "waiting"
    assert standing(either_db, session.id, "registered") == ["人1", "人2", "人3", "人4"]
    assert standing(either_db, session.id, "waiting") == ["人5", "人9"]


def test_cancel_and_register_again_is_the_end_of_the_line(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=1)
    for number in (1, 2, 3):
        row = as_guest(either_db, session, keys, number).registration
    with transaction(either_db):
        second = either_db.scalars(select(Registration).order_by(Registration.id).offset(1).limit(1)).one()
        cancel_own(either_db, registration=second, now=START)
    again = as_guest(either_db, session, keys, 2)
    assert (again.again, again.registration.id) == (False, second.id)
    assert standing(either_db, session.id, "waiting") == ["人3", "人2"]
    assert row.state == "waiting"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"registration": "closed"}, RegistrationClosed),
        ({"registration_until": to_ms(START)}, RegistrationOver),
        ({"starts_at": to_ms(START)}, RegistrationOver),
        ({"closed_at": to_ms(START)}, RegistrationOver),
        ({"cancelled_at": to_ms(START)}, CheckInCalledOff),
        ({"registration": "audience"}, SignInToRegister),
    ],
)
def test_what_stands_against_a_guests_registration(
    either_db: Session, keys: Keys, values: dict[str, Any], error: type[Exception]
) -> None:
    session = made(either_db, **values)
    with pytest.raises(error):
        as_guest(either_db, session, keys, 1)
    assert either_db.scalars(select(Registration)).all() == []
    assert either_db.scalars(select(Person)).all() == []


def test_a_guest_needs_a_name_and_a_number(either_db: Session, keys: Keys) -> None:
    session = made(either_db)
    for name, phone, error in ((" ", "13800000001", AttendeeNameNeeded), ("周敏", "138", PhoneInvalid)):
        with pytest.raises(error), transaction(either_db):
            register_guest(
                either_db,
                session=session,
                name=name,
                phone=phone,
                secret_hash=b"s",
                reminders=SILENT,
                keys=keys,
                now=START,
            )


def test_a_typed_name_neither_shows_nor_changes_what_stands(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=1)
    row = as_guest(either_db, session, keys, 1, secret="mine").registration
    before = bytes(row.secret_hash or b"")
    with pytest.raises(RegistrationKnown) as refusal:
        as_guest(either_db, session, keys, 1, secret="another")
    assert refusal.value.data == {}
    either_db.rollback()
    assert bytes(either_db.get_one(Registration, row.id).secret_hash or b"") == before


def test_an_account_takes_over_what_was_typed_under_its_name_and_sees_nothing_of_it_before(
    either_db: Session, keys: Keys
) -> None:
    session = made(either_db, capacity=1)
    with transaction(either_db):
        person = make_person(either_db, name="人1", source="account", phone_hash=keys.phone_hash("13800000001"))
    typed = as_guest(either_db, session, keys, 1).registration
    assert typed.person_id == person.id
    assert registrations_of_person(either_db, person.id, to_ms(START)) == []
    as_guest(either_db, session, keys, 2)
    taken = as_account(either_db, session, person)
    assert (taken.again, taken.registration.id, taken.registration.state) == (False, typed.id, "registered")
    assert taken.registration.secret_hash is None
    assert as_account(either_db, session, person).again
    assert len(registrations_of_person(either_db, person.id, to_ms(START))) == 1


def test_nobody_cancels_once_it_has_begun_and_nobody_moves_up(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=1)
    first = as_guest(either_db, session, keys, 1).registration
    as_guest(either_db, session, keys, 2)
    with pytest.raises(RegistrationOver), transaction(either_db):
        cancel_own(either_db, registration=first, now=BEGIN)
    with transaction(either_db):  # the trainer may still strike, but nobody is called who cannot be there in time
        assert cancel_by_trainer(either_db, session=session, registration_id=first.id, actor=TRAINER, now=BEGIN) == []
    assert standing(either_db, session.id, "waiting") == ["人2"]


@pytest.fixture
def world(either_db: Session) -> dict[str, Any]:
    """A district with two markets and a school; people of several kinds."""
    with transaction(either_db):
        industry = Industry(code="market", name="市场", name_en="Markets")
        either_db.add(industry)
        either_db.flush()
        top = make_unit(either_db, name="临江区", kind="district")
        market = make_unit(either_db, top, name="东市场", kind="enterprise", industry_id=industry.id)
        stall = make_unit(either_db, market, name="二号班组", kind="work_team")
        school = make_unit(either_db, top, name="一小", kind="school")
        people = {
            "officer": rostered(either_db, market, "安全员甲", job_role="safety_officer"),
            "worker": rostered(either_db, stall, "职工乙", job_role="worker"),
            "trader": rostered(either_db, school, "行业丙", job_role="safety_officer", industry_id=industry.id),
            "teacher": rostered(either_db, school, "老师丁", job_role="worker"),
            "nobody": rostered(either_db, None, "路人戊"),
        }
    return {"industry": industry, "top": top, "market": market, "stall": stall, "school": school, **people}


RULES: list[tuple[list[tuple[str | None, bool, str | None]], set[str]]] = [
    ([(None, False, None)], {"officer", "worker", "trader", "teacher", "nobody"}),
    ([("market", False, None)], {"officer", "worker"}),
    ([("top", False, "safety_officer")], {"officer", "trader"}),
    ([(None, True, None)], {"officer", "trader"}),
    ([("market", True, "safety_officer")], {"officer"}),
    ([("stall", False, None), ("school", False, "worker")], {"worker", "teacher"}),
    ([], set()),
]


@pytest.mark.parametrize(("rules", "invited"), RULES)
def test_the_audience_is_unit_by_industry_by_job(
    either_db: Session, world: dict[str, Any], rules: list[tuple[str | None, bool, str | None]], invited: set[str]
) -> None:
    session = made(either_db, registration="audience")
    with transaction(either_db):
        for unit, industry, role in rules:
            either_db.add(
                AudienceRule(
                    session_id=session.id,
                    unit_id=world[unit].id if unit else None,
                    industry_id=world["industry"].id if industry else None,
                    job_role=role,
                )
            )
    names = ("officer", "worker", "trader", "teacher", "nobody")
    assert {name for name in names if is_invited(either_db, session, world[name].id)} == invited
    for name in names:
        if name in invited:
            assert as_account(either_db, session, world[name]).registration.state == "registered"
        else:
            with pytest.raises(OutsideAudience):
                as_account(either_db, session, world[name])
    # the liaison's list asks the same of rows
    others = made(either_db, registration="audience")
    with transaction(either_db):
        for row in either_db.scalars(select(AudienceRule)):
            either_db.add(
                AudienceRule(
                    session_id=others.id, unit_id=row.unit_id, industry_id=row.industry_id, job_role=row.job_role
                )
            )
    found = list_candidates(either_db, others, liaison_of(None).scope, Choice(), keys=Keys(b"s", b"p"))
    assert {row.person.name for row in found} == {world[name].name for name in invited - {"nobody"}}


def test_whoever_stands_on_the_roster_is_invited_without_a_rule(either_db: Session, world: dict[str, Any]) -> None:
    session = made(either_db, registration="audience")
    with transaction(either_db):
        either_db.add(RosterEntry(session_id=session.id, person_id=world["nobody"].id, source="import", added_at=0))
    assert as_account(either_db, session, world["nobody"]).registration.state == "registered"


def test_a_liaison_registers_many_and_learns_who_waits(either_db: Session, keys: Keys) -> None:
    session = made(either_db, capacity=3)
    with transaction(either_db):
        unit = make_unit(either_db, name="东市场")
        people = [rostered(either_db, unit, f"职工{number:02}") for number in range(1, 6)]
    liaison = liaison_of(unit)
    ids = [person.id for person in reversed(people)]
    with transaction(either_db):
        done = register_people(either_db, session=session, person_ids=ids, actor=liaison, now=START)
    assert [row.person.name for row in done.registered] == ["职工01", "职工02", "职工03"]  # in the order of the list
    assert [row.person.name for row in done.waiting] == ["职工04", "职工05"]
    assert {row.unit_path for row in done.registered} == {unit.path}
    assert [row.place for row in list_registrations(either_db, session.id)] == [None, None, None, 1, 2]
    with transaction(either_db):
        again = register_people(either_db, session=session, person_ids=ids[:1], actor=liaison, now=START)
    assert len(again.again) == 1
    with transaction(either_db):
        struck = cancel_people(either_db, session=session, person_ids=ids[-2:], actor=liaison, now=START)
    assert len(struck) == 2
    assert standing(either_db, session.id, "registered") == ["职工03", "职工04", "职工05"]
    with pytest.raises(NobodyChosen), transaction(either_db):
        register_people(either_db, session=session, person_ids=[], actor=liaison, now=START)
    event = either_db.scalars(select(AuditEvent).where(AuditEvent.action == "registrations_made")).first()
    assert event is not None
    assert event.details["registrations"] == [row.id for row in [*done.registered, *done.waiting]]


def test_a_liaison_neither_sees_nor_registers_people_of_a_foreign_unit(either_db: Session, keys: Keys) -> None:
    session = made(either_db)
    with transaction(either_db):
        own, foreign = make_unit(either_db, name="东市场"), make_unit(either_db, name="西市场")
        mine, other = rostered(either_db, own, "自己人"), rostered(either_db, foreign, "外人")
        make_person(either_db, name="只是填过的", unit_id=own.id)  # said it of themselves: not the unit's list
    scope = liaison_of(own).scope
    assert [row.person.name for row in list_candidates(either_db, session, scope, Choice(), keys)] == ["自己人"]
    for action in (register_people, cancel_people):
        with pytest.raises(NotFound), transaction(either_db):
            action(either_db, session=session, person_ids=[mine.id, other.id], actor=liaison_of(own), now=START)  # type: ignore[operator]
    assert either_db.scalars(select(Registration)).all() == []


def test_a_new_person_comes_on_the_units_roster_and_a_known_one_is_left_alone(either_db: Session, keys: Keys) -> None:
    session = made(either_db)
    with transaction(either_db):
        own, foreign = make_unit(either_db, name="东市场"), make_unit(either_db, name="西市场")
        known = rostered(either_db, foreign, "老王", phone_hash=keys.phone_hash("13800000002"))
        known.phone_encrypted = keys.encrypt_phone("13800000002")
    liaison = liaison_of(own)

    def add(name: str, phone: str, unit_id: int = own.id) -> Registration:
        with transaction(either_db):
            return register_new_person(
                either_db,
                session=session,
                name=name,
                phone=phone,
                unit_id=unit_id,
                job_role=None,
                actor=liaison,
                keys=keys,
                now=START,
            ).registration

    new = add("小李", "138 0000 0001").person
    assert (new.source, new.unit_id) == ("roster", own.id)
    joined = add("老王", "13800000002")
    assert joined.person_id == known.id
    assert (known.unit_id, known.source) == (foreign.id, "roster")
    assert joined.unit_id == own.id
    rows = list_candidates(either_db, session, liaison.scope, Choice(), keys)
    assert {(row.person.name, row.unit.name if row.unit else None) for row in rows} == {
        ("小李", "东市场"),
        ("老王", "东市场"),  # what the liaison typed, and nothing of where he is at home
    }
    with pytest.raises(NotFound):
        add("小赵", "13800000003", foreign.id)
    # taken back, he is a foreign unit's person again
    with transaction(either_db):
        cancel_people(either_db, session=session, person_ids=[known.id], actor=liaison, now=START)
    found = list_candidates(either_db, session, liaison.scope, Choice(), keys)
    assert [row.person.name for row in found] == ["小李"]


def test_the_list_of_a_liaison_is_searched_and_narrowed(either_db: Session, keys: Keys) -> None:
    session = made(either_db)
    with transaction(either_db):
        own = make_unit(either_db, name="东市场")
        team = make_unit(either_db, own, name="二号班组")
        first = rostered(either_db, own, "李 建国", phone_hash=keys.phone_hash("13800000001"))
        rostered(either_db, team, "王秀兰")
    scope = liaison_of(own).scope
    as_account(either_db, session, first)

    def names(**values: Any) -> list[str]:
        choice = Choice(**values)
        rows = list_candidates(either_db, session, scope, choice, keys)
        assert count_candidates(either_db, session, scope, choice, keys) == len(rows)
        return [row.person.name for row in rows]

    assert names() == ["李 建国", "王秀兰"]
    assert names(text="李建") == ["李 建国"]
    assert names(text="138-0000-0001") == ["李 建国"]
    assert names(text="13800000002") == []
    assert names(unit_path=team.path) == ["王秀兰"]
    assert names(state="standing") == ["李 建国"]
    assert names(state="none") == ["王秀兰"]
    assert len(list_candidates(either_db, session, scope, Choice(), keys, limit=1, offset=1)) == 1


def test_a_liaison_is_offered_what_their_people_can_come_to(either_db: Session, world: dict[str, Any]) -> None:
    titles = {
        "谁都可以": [],
        "本市场": [world["market"]],
        "全区": [world["top"]],
        "班组": [world["stall"]],
        "学校": [world["school"]],
    }
    with transaction(either_db):
        for title, units in titles.items():
            session = open_one(either_db, title=title, registration="audience" if units else "anyone")
            for unit in units:
                either_db.add(AudienceRule(session_id=session.id, unit_id=unit.id))
        open_one(either_db, title="不报名", registration="closed")
        open_one(either_db, title="取消了", cancelled_at=1)
    scope = liaison_of(world["market"]).scope
    found = {row.session.title for row in coming_open_sessions(either_db, scope, to_ms(START))}
    assert found == {"谁都可以", "本市场", "全区", "班组"}
    assert coming_open_sessions(either_db, scope, to_ms(BEGIN)) == []


def test_a_trainer_adds_beyond_audience_and_term_but_not_beyond_the_places(either_db: Session, keys: Keys) -> None:
    session = made(either_db, registration="audience", registration_until=to_ms(START) - 1, capacity=1)

    def add(number: int) -> Registration:
        with transaction(either_db):
            return register_by_trainer(
                either_db,
                session=session,
                name=f"人{number}",
                phone=f"138{number:08}",
                actor=TRAINER,
                keys=keys,
                now=START,
            ).registration

    first, second = add(1), add(2)
    assert (first.state, second.state, first.via) == ("registered", "waiting", "trainer")
    with transaction(either_db):
        moved = cancel_by_trainer(either_db, session=session, registration_id=first.id, actor=TRAINER, now=START)
    assert [row.id for row in moved] == [second.id]
    with transaction(either_db):
        lock_session(either_db, session.id).closed_at = to_ms(START)
    with pytest.raises(CheckInClosed):
        add(3)
    with pytest.raises(CheckInClosed), transaction(either_db):
        cancel_by_trainer(either_db, session=session, registration_id=second.id, actor=TRAINER, now=START)


class Waiting(RuleBasedStateMachine):
    """Any order of registering, cancelling and raising: never more than the capacity, the line first in, first out."""

    template: Path
    folder: Path
    keys: Keys
    count = 0

    def __init__(self) -> None:
        super().__init__()
        Waiting.count += 1
        path = self.folder / f"{Waiting.count}.sqlite3"
        copyfile(self.template, path)
        self.database = Database(f"sqlite:///{path}")
        self.db = self.database.session()
        with transaction(self.db):
            self.session = open_one(self.db, capacity=2)
        self.capacity = 2
        #: What must stand: everybody who has a place, in no order; who waits, in order.
        self.placed: set[int] = set()
        self.line: list[int] = []

    def teardown(self) -> None:
        self.db.close()
        self.database.dispose()

    def _advance(self) -> None:
        while self.line and len(self.placed) < self.capacity:
            self.placed.add(self.line.pop(0))

    @rule(number=st.integers(1, 7))
    def register(self, number: int) -> None:
        if number in self.placed or number in self.line:
            with pytest.raises(RegistrationKnown):
                as_guest(self.db, self.session, self.keys, number, secret="another form")
            return
        as_guest(self.db, self.session, self.keys, number)
        self.line.append(number)
        self._advance()

    @rule(number=st.integers(1, 7))
    def cancel(self, number: int) -> None:
        self.db.rollback()
        row = self.db.scalar(
            select(Registration).join(Person, Person.id == Registration.person_id).where(Person.name == f"人{number}")
        )
        if row is None:
            return
        with transaction(self.db):
            cancel_own(self.db, registration=row, now=START)
        self.placed.discard(number)
        if number in self.line:
            self.line.remove(number)
        self._advance()

    @precondition(lambda self: self.capacity < 5)
    @rule()
    def raise_capacity(self) -> None:
        self.capacity += 1
        with transaction(self.db):
            locked = lock_session(self.db, self.session.id)
            locked.capacity = self.capacity
            move_up(self.db, locked, to_ms(START))
        self._advance()

    @invariant()
    def as_the_model_says(self) -> None:
        assert {int(name[1:]) for name in standing(self.db, self.session.id, "registered")} == self.placed
        assert [int(name[1:]) for name in standing(self.db, self.session.id, "waiting")] == self.line
        assert len(self.placed) <= self.capacity


def test_whatever_happens_the_line_is_kept(sqlite_template: Path, tmp_path: Path, keys: Keys) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    Waiting.template, Waiting.folder, Waiting.keys = sqlite_template, tmp_path, keys
    run_state_machine_as_test(Waiting, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
