"""What scanning phones bring in: each line once, nobody twice, nothing lost, whatever the order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person
from quizapp.organisation.personal_codes import issue_code, replace_code
from quizapp.trainings import queries
from quizapp.trainings.errors import (
    HelperPassInvalid,
    HelperPassLate,
    ScanDeviceRevoked,
    ScanDeviceUnknown,
    ScanMalformed,
    ScanSignatureWrong,
)
from quizapp.trainings.models import (
    Attendance,
    AttendanceEntry,
    CheckInMethod,
    EntryKind,
    Matched,
    ScanDevice,
    TrainingSession,
)
from quizapp.trainings.queries.scanning import expected_people, find_device
from quizapp.trainings.services.scanning import (
    admit_helper,
    check_in_on_page,
    note_own_check_in,
    open_pass,
    page_device,
    parse_entries,
    receive,
    revoke_device,
    revoke_pass,
)
from quizapp.trainings.services.scanning.wire import Sent
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_session, make_unit
from tests.trainings.scanning import TRAINER, ScanPhone, expect

MINUTE = timedelta(minutes=1)


def listed(db: Session, **values: object) -> tuple[TrainingSession, Person]:
    """A session with a roster of one."""
    unit = make_unit(db)
    session = make_session(db, unit, kind="joint", **values)
    person = make_person(db, unit_id=unit.id)
    expect(db, session, person)
    return session, person


def attendance_of(db: Session, session: TrainingSession, person: Person) -> Attendance:
    return db.scalars(
        select(Attendance)
        .where(Attendance.session_id == session.id, Attendance.person_id == person.id)
        .execution_options(populate_existing=True)
    ).one()


def test_a_scan_is_an_attendance_with_its_time_and_proof(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    [taken] = phone.deliver(phone.write(person_id=person.id), now=START + 3 * MINUTE)
    assert (taken.outcome, taken.name, taken.at_ms) == ("in", person.name, to_ms(START))
    found = attendance_of(either_db, session, person)
    assert (found.method, found.matched, found.expected, found.recorded_by) == ("personal", "code", "roster", 7)
    assert (found.at_ms, found.received_at) == (to_ms(START), to_ms(START + 3 * MINUTE))
    assert found.self_at_ms is None


def test_two_phones_make_one_attendance_of_the_earlier_scan(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    north, south = ScanPhone(either_db, session, keys), ScanPhone(either_db, session, keys)
    late, early = north.write(person_id=person.id, at=START + MINUTE), south.write(person_id=person.id)
    assert north.deliver(late, now=START + 9 * MINUTE)[0].outcome == "in"
    assert south.deliver(early, now=START + 9 * MINUTE)[0].outcome == "in"
    assert north.deliver(late, now=START + 9 * MINUTE)[0].outcome == "again"
    assert attendance_of(either_db, session, person).at_ms == to_ms(START)
    assert queries.count_arrivals(either_db, session.id) == 1


def test_what_arrives_twice_is_one(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    entry = phone.write(person_id=person.id)
    first = phone.deliver(entry, entry)
    again = phone.deliver(entry, now=START + MINUTE)
    assert [taken.outcome for taken in (*first, *again)] == ["in"] * 3
    assert [taken.known for taken in (*first, *again)] == [False, False, True]
    assert either_db.scalar(select(func.count()).select_from(AttendanceEntry)) == 1


def test_an_undo_takes_back_only_what_its_own_phone_wrote(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone, other = ScanPhone(either_db, session, keys), ScanPhone(either_db, session, keys)
    entry = phone.write(person_id=person.id)
    phone.deliver(entry)
    other.deliver(other.write(EntryKind.UNDO, undoes=entry.client_id))
    assert attendance_of(either_db, session, person).state == "counted"
    [taken] = phone.deliver(phone.write(EntryKind.UNDO, undoes=entry.client_id))
    assert taken.outcome == "undone"
    found = attendance_of(either_db, session, person)
    assert (found.state, found.reason) == ("undone", "taken_back")
    phone.deliver(phone.write(person_id=person.id, at=START + MINUTE), now=START + MINUTE)
    assert attendance_of(either_db, session, person).at_ms == to_ms(START + MINUTE)


def test_an_undo_that_comes_first_waits_for_its_entry(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    entry = phone.write(person_id=person.id)
    phone.deliver(phone.write(EntryKind.UNDO, undoes=entry.client_id))
    assert phone.deliver(entry)[0].outcome == "undone"
    assert attendance_of(either_db, session, person).state == "undone"


def test_undoing_a_scan_leaves_what_the_person_did_alone(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    own = make_attendance(either_db, session.id, person.id, at_ms=to_ms(START + 5 * MINUTE), matched="account")
    phone = ScanPhone(either_db, session, keys)
    entry = phone.write(person_id=person.id)
    phone.deliver(entry)
    found = attendance_of(either_db, session, person)
    assert (found.at_ms, found.method, found.matched) == (to_ms(START), "personal", "account")
    phone.deliver(phone.write(EntryKind.UNDO, undoes=entry.client_id))
    found = attendance_of(either_db, session, person)
    assert (found.id, found.state, found.at_ms, found.method) == (own.id, "counted", own.self_at_ms, "poster")


def test_who_was_not_expected_waits_until_a_trainer_says_so(either_db: Session, keys: Keys) -> None:
    session, _ = listed(either_db)
    stranger = make_person(either_db)
    code = issue_code(either_db, stranger, now=START)
    phone = ScanPhone(either_db, session, keys)
    [taken] = phone.deliver(phone.write(code=code))
    assert (taken.outcome, taken.reason, taken.name) == ("pending", "walk_in", stranger.name)
    assert queries.count_arrivals(either_db, session.id) == 0
    phone.deliver(phone.write(code=code, sure=True, at=START + MINUTE), now=START + MINUTE)
    found = attendance_of(either_db, session, stranger)
    assert (found.state, found.reason, found.expected) == ("counted", None, "walk_in")


def test_a_helpers_word_is_not_the_trainers(either_db: Session, keys: Keys) -> None:
    session, _ = listed(either_db)
    stranger = make_person(either_db)
    code = issue_code(either_db, stranger, now=START)
    helper, _ = admit_helper(either_db, session=session, label="二号门", actor=TRAINER, now=START)
    phone = ScanPhone(either_db, session, keys, helper=helper)
    assert phone.deliver(phone.write(code=code, sure=True))[0].outcome == "pending"


def test_without_a_roster_everybody_is_welcome(either_db: Session, keys: Keys) -> None:
    session = make_session(either_db, make_unit(either_db))
    person = make_person(either_db)
    phone = ScanPhone(either_db, session, keys)
    assert phone.deliver(phone.write(code=issue_code(either_db, person, now=START)))[0].outcome == "in"
    assert attendance_of(either_db, session, person).expected is None


def test_somebody_struck_stays_so_until_a_trainer_confirms(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    phone.deliver(phone.write(person_id=person.id))
    found = attendance_of(either_db, session, person)
    found.state, found.reason, found.decided_by, found.decided_at = "struck", "proxy", 7, to_ms(START + MINUTE)
    either_db.flush()
    [taken] = phone.deliver(phone.write(person_id=person.id, at=START + 2 * MINUTE), now=START + 2 * MINUTE)
    assert (taken.outcome, taken.reason) == ("pending", "struck")
    found = attendance_of(either_db, session, person)
    assert (found.state, found.reason) == ("struck", "proxy")
    phone.deliver(phone.write(person_id=person.id, sure=True, at=START + 3 * MINUTE), now=START + 3 * MINUTE)
    assert attendance_of(either_db, session, person).state == "counted"


def test_codes_of_others_leave_only_a_hash(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    lost = issue_code(either_db, person, now=START)
    replace_code(either_db, person, actor=TRAINER, now=START)
    phone = ScanPhone(either_db, session, keys)
    taken = phone.deliver(phone.write(foreign="ab" * 32), phone.write(code="0" * 12), phone.write(code=lost))
    assert [(one.outcome, one.reason) for one in taken] == [
        ("foreign", None),
        ("foreign", None),
        ("foreign", "code_revoked"),
    ]
    rows = either_db.scalars(select(AttendanceEntry)).all()
    assert all(row.person_id is None and row.code_hash for row in rows)
    assert not either_db.scalars(select(Attendance)).all()


def test_a_phone_names_only_whom_it_was_given(either_db: Session, keys: Keys) -> None:
    session, _ = listed(either_db)
    stranger = make_person(either_db)
    phone = ScanPhone(either_db, session, keys)
    assert phone.deliver(phone.write(person_id=stranger.id))[0].outcome == "foreign"
    assert phone.deliver(phone.write(person_id=10**9))[0].outcome == "foreign"


def test_a_walk_in_typed_at_the_door_is_found_again_by_name_and_phone(either_db: Session, keys: Keys) -> None:
    session, _ = listed(either_db)
    unit = make_unit(either_db, session.unit, name="蓝天宾馆")
    phone, other = ScanPhone(either_db, session, keys), ScanPhone(either_db, session, keys)
    hand = {"method": CheckInMethod.BY_HAND, "sure": True, "name": "周 敏", "phone": "138 0000 1234"}
    [taken] = phone.deliver(phone.write(unit="蓝天宾馆", **hand))
    assert (taken.outcome, taken.name, taken.unit) == ("in", "周 敏", unit.name)
    assert other.deliver(other.write(at=START + MINUTE, **hand), now=START + MINUTE)[0].outcome == "again"
    [nameless] = phone.deliver(phone.write(**hand | {"phone": "12", "name": "无号", "unit": "某厂"}))
    person = either_db.get_one(Person, nameless.person_id)
    assert person.phone_hash is None
    assert attendance_of(either_db, session, person).note == "某厂"


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_phone_a_day_wrong_is_set_right(either_db: Session, keys: Keys, days: int) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys, ahead=days * 86_400_000)
    entry = phone.write(person_id=person.id, at=START)
    [taken] = phone.deliver(
        entry, now=START + MINUTE, sent_at_ms=to_ms(START + MINUTE) + phone.ahead - 300, round_trip_ms=600
    )
    assert (taken.outcome, taken.at_ms) == ("in", to_ms(START))
    row = either_db.scalars(select(AttendanceEntry)).one()
    assert row.phone_at_ms == to_ms(START) + phone.ahead


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(-131, "not_in_window"), (-129, None), (0, None), (5, None), (11, "future")],
)
def test_what_cannot_be_by_the_clock_waits_for_the_trainer(
    either_db: Session, keys: Keys, minutes: int, reason: str | None
) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    [taken] = phone.deliver(phone.write(person_id=person.id, at=START + minutes * MINUTE))
    assert taken.reason == reason
    assert attendance_of(either_db, session, person).state == ("counted" if reason is None else "pending")
    assert attendance_of(either_db, session, person).at_ms <= to_ms(START) or reason


def test_a_queue_that_comes_after_the_closing_is_kept_and_marked(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    entry = phone.write(person_id=person.id)
    session.closed_at = to_ms(START + 60 * MINUTE)
    [taken] = phone.deliver(entry, now=START + 90 * MINUTE)
    assert (taken.outcome, taken.reason) == ("pending", "after_closing")
    found = attendance_of(either_db, session, person)
    assert (found.state, found.reason, found.at_ms) == ("pending", "after_closing", to_ms(START))
    # the trainer decides; what comes later does not take that back
    found.state, found.reason, found.decided_by, found.decided_at = "counted", None, 7, to_ms(START + 91 * MINUTE)
    either_db.flush()
    phone.deliver(entry, phone.write(person_id=person.id, at=START + MINUTE), now=START + 92 * MINUTE)
    assert attendance_of(either_db, session, person).state == "counted"


def test_a_session_that_moved_is_judged_by_its_new_window(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    entry = phone.write(person_id=person.id)
    session.check_in_from, session.check_in_until = (to_ms(START + d * MINUTE) for d in (300, 500))
    assert phone.deliver(entry, now=START + 310 * MINUTE)[0].reason == "not_in_window"


def test_somebody_merged_while_the_queue_waited_is_who_was_kept(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    kept = make_person(either_db)
    expect(either_db, session, kept)
    code = issue_code(either_db, person, now=START)
    phone = ScanPhone(either_db, session, keys)
    entries = [phone.write(person_id=person.id), phone.write(code=code, at=START + MINUTE)]
    person.merged_into_id = kept.id
    either_db.flush()
    taken = phone.deliver(*entries, now=START + MINUTE)
    assert [one.person_id for one in taken] == [kept.id, kept.id]
    assert queries.count_arrivals(either_db, session.id) == 1
    assert [one.person.id for one in expected_people(either_db, session)] == [kept.id]


def test_unknown_and_shut_out_phones_and_altered_lines_are_refused_as_a_whole(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    phone = ScanPhone(either_db, session, keys)
    good, altered = phone.write(person_id=person.id), replace(phone.write(person_id=person.id), phone_at_ms=1)
    with pytest.raises(ScanSignatureWrong):
        phone.deliver(good, altered)
    with pytest.raises(ScanDeviceUnknown):
        receive(either_db, session=session, device_id="nobody", entries=[good], keys=keys, now=START)
    device = find_device(either_db, session.id, phone.public_id)
    assert device is not None
    revoke_device(either_db, session=session, device=device, actor=TRAINER, now=START)
    with pytest.raises(ScanDeviceRevoked):
        phone.deliver(good)
    assert not either_db.scalars(select(AttendanceEntry)).all()
    # carried by hand it is kept, and the trainer decides
    [taken] = phone.deliver(good, by_file=True, sent_at_ms=None)
    assert (taken.outcome, taken.reason) == ("pending", "device_revoked")


def test_a_pass_admits_until_it_ends_or_is_taken_back(either_db: Session) -> None:
    session = make_session(either_db, make_unit(either_db))
    helper, secret = admit_helper(either_db, session=session, label="二号门", actor=TRAINER, now=START)
    assert open_pass(either_db, secret, START).id == helper.id
    for wrong, now in ((secret[:-1], START), ("", START), (secret, START + timedelta(hours=5))):
        with pytest.raises(HelperPassInvalid):
            open_pass(either_db, wrong, now)
    revoke_pass(either_db, session=session, helper=helper, actor=TRAINER, now=START)
    with pytest.raises(HelperPassInvalid):
        open_pass(either_db, secret, START)
    with pytest.raises(HelperPassLate):
        admit_helper(either_db, session=session, label="", actor=TRAINER, now=START + timedelta(hours=5))


def test_a_form_without_scripts_is_its_own_phone(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db)
    code = issue_code(either_db, person, now=START)
    outcomes = []
    for ticket in ("a" * 32, "a" * 32, "b" * 32):
        device = page_device(either_db, session=session, actor=TRAINER, helper=None, keys=keys, now=START)
        taken = check_in_on_page(
            either_db, session=session, device=device, text=code, sure=False, ticket=ticket, keys=keys, now=START
        )
        outcomes.append(taken.known)
    assert outcomes == [False, True, False]
    assert either_db.scalar(select(func.count()).select_from(ScanDevice)) == 1
    assert queries.count_arrivals(either_db, session.id) == 1


def test_checking_out_goes_with_the_latest_scan_that_stands(either_db: Session, keys: Keys) -> None:
    session, person = listed(either_db, check_out=True)
    phone = ScanPhone(either_db, session, keys)
    outs = [phone.write(EntryKind.OUT, person_id=person.id, at=START + m * MINUTE) for m in (60, 70)]
    taken = phone.deliver(*outs, now=START + 80 * MINUTE)
    assert {one.reason for one in taken} == {"only_out"}
    phone.deliver(phone.write(person_id=person.id), now=START + 80 * MINUTE)
    found = attendance_of(either_db, session, person)
    assert (found.state, found.at_ms, found.checked_out_at) == ("counted", to_ms(START), to_ms(START + 70 * MINUTE))
    phone.deliver(phone.write(EntryKind.UNDO, undoes=outs[1].client_id), now=START + 80 * MINUTE)
    assert attendance_of(either_db, session, person).checked_out_at == to_ms(START + 60 * MINUTE)


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        {"id": "x" * 32},
        {"id": "a" * 32, "n": -1},
        {"id": "a" * 32, "n": 1, "kind": "in", "method": "poster", "at": 1, "person": 1},
        {"id": "a" * 32, "n": 1, "kind": "in", "method": "personal", "at": 1},
        {"id": "a" * 32, "n": 1, "kind": "in", "method": "personal", "at": 1, "person": 1, "code": "0" * 12},
        {"id": "a" * 32, "n": 1, "kind": "undo", "method": "personal", "at": 1, "person": 1},
        {"id": "a" * 32, "n": 1, "kind": "in", "method": "personal", "at": True, "person": 1},
        {"id": "a" * 32, "n": 1, "kind": "in", "method": "by_hand", "at": 1, "name": "a\x1fb"},
        {"id": "a" * 32, "n": 2**31, "kind": "in", "method": "by_hand", "at": 1, "name": "周敏"},
    ],
)
def test_what_no_phone_of_ours_writes_is_refused(row: object) -> None:
    with pytest.raises(ScanMalformed):
        parse_entries({"entries": [row]})


def test_a_well_formed_entry_is_read() -> None:
    row = {"id": "a" * 32, "n": 1, "kind": "in", "method": "by_hand", "at": 5, "name": "周敏", "sure": True}
    [sent] = parse_entries({"entries": [row]})
    assert (sent.name, sent.phone_at_ms, sent.sure, sent.person_id) == ("周敏", 5, True, None)


#: What happens at two doors and on the person's own phone: (phone 0 or 1, minute), an undo of the n-th scan, or an own check-in.
events = st.lists(
    st.one_of(
        st.tuples(st.just("scan"), st.integers(0, 1), st.integers(0, 30)),
        st.tuples(st.just("undo"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("own"), st.just(0), st.integers(0, 30)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events, st.randoms(use_true_random=False))
def test_the_attendance_is_the_same_whatever_the_order_and_however_often(
    database: Database, keys: Keys, happened: list[tuple[str, int, int]], chance: object
) -> None:
    """Every order, with every line also delivered again, gives one and the same row."""
    with database.session() as db:
        person = make_person(db)
        results = set()
        orders = list(itertools.permutations(range(len(happened))))
        chance.shuffle(orders)  # type: ignore[attr-defined]
        for order in orders[:4]:
            session = make_session(db, make_unit(db))
            phones = [ScanPhone(db, session, keys), ScanPhone(db, session, keys)]
            results.add(_play(db, session, person, phones, happened, order))
        assert len(results) == 1
        db.rollback()


def _play(
    db: Session,
    session: TrainingSession,
    person: Person,
    phones: list[ScanPhone],
    happened: list[tuple[str, int, int]],
    order: tuple[int, ...],
) -> tuple[object, ...]:
    code = issue_code(db, person, now=START)
    now = START + 60 * MINUTE
    written: dict[int, tuple[ScanPhone, Sent]] = {}
    scans: list[tuple[ScanPhone, Sent]] = []
    for number, (what, which, minute) in enumerate(happened):
        if what == "scan":
            entry = (phones[which], phones[which].write(code=code, at=START + minute * MINUTE))
            written[number] = entry
            scans.append(entry)
    for number, (what, which, _) in enumerate(happened):
        if what == "undo" and which < len(scans):
            phone, scan = scans[which]
            written[number] = (phone, phone.write(EntryKind.UNDO, undoes=scan.client_id))
    for number in order:
        what, _, minute = happened[number]
        if what == "own":
            at_ms = to_ms(START + minute * MINUTE)
            there = db.scalar(
                select(Attendance).where(Attendance.session_id == session.id, Attendance.person_id == person.id)
            )
            if there is None:
                make_attendance(db, session.id, person.id, at_ms=at_ms)
            else:
                note_own_check_in(db, there, at_ms=at_ms, method=CheckInMethod.POSTER, matched=Matched.TYPED)
        elif number in written:
            phone, entry_sent = written[number]
            phone.deliver(entry_sent, now=now)
            for earlier in list(written.values())[:2]:
                if db.scalar(select(AttendanceEntry).where(AttendanceEntry.client_id == earlier[1].client_id)):
                    earlier[0].deliver(earlier[1], now=now)
    found = db.scalar(
        select(Attendance)
        .where(Attendance.session_id == session.id, Attendance.person_id == person.id)
        .execution_options(populate_existing=True)
    )
    if found is None:
        return (None,)
    return found.state, found.reason, found.at_ms, found.method, found.matched, found.checked_out_at
