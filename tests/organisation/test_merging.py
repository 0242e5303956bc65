"""Two rows that are one person: what moves, what stays, and that taking it back leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from quizapp.accounts.errors import TwoAccounts
from quizapp.accounts.models import Account
from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import Base, Database, transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.registry import MERGE_PERSON, MergeFact, PartMissing
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.errors import LaterMergeFirst, MergeSamePerson, MergeTooOld, PersonErased, PersonIsMerged
from quizapp.organisation.merging import UNDO_DAYS, merge_people, preview_merge, undo_merge
from quizapp.organisation.models import Person, PersonMerge
from quizapp.organisation.people import hold_person, identify, kept_person_id
from quizapp.quizzes.models import Attempt
from quizapp.quizzes.services.first_attempts import choose_first
from quizapp.trainings.models import Attendance, Registration, RosterEntry, RosterRemoval, ScanDevice
from quizapp.trainings.models import AttendanceEntry as Entry
from quizapp.trainings.queries import count_arrivals
from quizapp.trainings.services import check_in
from tests.conftest import START
from tests.factories import (
    make_account,
    make_attempt,
    make_attendance,
    make_certificate,
    make_delivery,
    make_person,
    make_run,
    make_session,
    make_unit,
)

NOW = to_ms(START)


@pytest.fixture
def pair(either_db: Session) -> tuple[int, int]:
    """The one who stays and the one who is merged."""
    with transaction(either_db):
        return make_person(either_db, name="李国").id, make_person(either_db, name="李 国").id


def merge(db: Session, kept_id: int, merged_id: int, actor: Actor = SYSTEM, **later: float) -> PersonMerge:
    with transaction(db):
        return merge_people(db, kept_id=kept_id, merged_id=merged_id, actor=actor, now=START + timedelta(**later))


def undo(db: Session, done: PersonMerge, actor: Actor = SYSTEM, **later: float) -> PersonMerge:
    with transaction(db):
        return undo_merge(db, merge=done, actor=actor, now=START + timedelta(**later))


def registration(db: Session, session_id: int, person_id: int, state: str, **values: Any) -> Registration:
    row = Registration(
        **{
            "session_id": session_id,
            "person_id": person_id,
            "state": state,
            "via": "self",
            "registered_at": NOW,
            "queued_at": NOW,
            **values,
        }
    )
    db.add(row)
    db.flush()
    return row


def roster_entry(db: Session, session_id: int, person_id: int) -> RosterEntry:
    row = RosterEntry(session_id=session_id, person_id=person_id, source="rule", added_at=NOW)
    db.add(row)
    db.flush()
    return row


def roster(db: Session) -> set[tuple[int, int]]:
    return {(session, person) for session, person in db.execute(select(RosterEntry.session_id, RosterEntry.person_id))}


def facts(db: Session, pair: tuple[int, int]) -> dict[str, MergeFact]:
    return {fact.kind: fact for fact in preview_merge(db, kept_id=pair[0], merged_id=pair[1])}


def test_a_merged_person_leads_to_the_one_who_stays(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    merge(either_db, kept, merged)
    assert kept_person_id(either_db, merged) == kept_person_id(either_db, kept) == kept
    with transaction(either_db):
        third = make_person(either_db).id
    merge(either_db, third, kept)
    with transaction(either_db):
        assert kept_person_id(either_db, merged) == hold_person(either_db, merged) == third


def test_nothing_that_is_known_of_the_one_who_stays_changes(either_db: Session) -> None:
    with transaction(either_db):
        kept = make_person(either_db, name="李国")
        merged = make_person(either_db, name="李国", birth_year=1960, job_role="crew", phone_hash=b"h", source="roster")
    before = {c.name: getattr(kept, c.name) for c in Person.__table__.columns}
    merge(either_db, kept.id, merged.id)
    either_db.refresh(kept)
    assert {c.name: getattr(kept, c.name) for c in Person.__table__.columns} == before


def test_who_types_name_and_phone_of_a_merged_person_is_the_one_who_stays(either_db: Session, keys: Keys) -> None:
    typed: dict[str, Any] = {"unit_id": None, "industry_id": None, "birth_year": None, "sex": None, "education": None}

    def who(name: str, **known: Any) -> int | None:
        with transaction(either_db):
            found = identify(
                either_db, keys=keys, name=name, now=START, **{"phone": None, "device_hash": None, **typed, **known}
            )
        return found.person_id

    kept = who("李建国", phone="13800001111")
    by_phone, by_device = who("李建囯", phone="13800001111"), who("李建囯", device_hash=b"d" * 32)
    assert kept is not None
    assert by_phone is not None
    assert by_device is not None
    assert len({kept, by_phone, by_device}) == 3
    merge(either_db, kept, by_phone)
    merge(either_db, kept, by_device)
    assert who("李建囯", phone="13800001111") == who("李建囯", device_hash=b"d" * 32) == kept
    assert who("李建国", phone="13800001111") == kept


def test_an_account_goes_to_the_one_who_stays(either_db: Session, pair: tuple[int, int]) -> None:
    kept, _ = pair
    with transaction(either_db):
        account = make_account(either_db)
    merged = account.person_id
    assert facts(either_db, (kept, merged))["account"] == MergeFact("account", 0, 1)
    done = merge(either_db, kept, merged)
    assert either_db.scalar(select(Account.person_id)) == kept
    undo(either_db, done)
    assert either_db.scalar(select(Account.person_id)) == merged


def test_two_accounts_are_not_merged(either_db: Session) -> None:
    with transaction(either_db):
        pair = make_account(either_db).person_id, make_account(either_db).person_id
    assert isinstance(facts(either_db, pair)["account"].refusal, TwoAccounts)
    with pytest.raises(TwoAccounts):
        merge(either_db, *pair)
    assert either_db.scalar(select(func.count()).select_from(PersonMerge)) == 0


@pytest.mark.parametrize("later", ["kept", "merged"])
def test_attempts_move_and_the_earliest_is_the_first(either_db: Session, pair: tuple[int, int], later: str) -> None:
    kept, merged = pair
    after = START + timedelta(hours=1)
    with transaction(either_db):
        street = make_unit(either_db)
        delivery = make_delivery(either_db)
        ours = make_attempt(either_db, delivery, street, person_id=kept, now=after if later == "kept" else START)
        theirs = make_attempt(either_db, delivery, person_id=merged, now=START if later == "kept" else after)
        alone = make_attempt(either_db, make_delivery(either_db), person_id=merged)
    assert facts(either_db, pair)["attempts"] == MergeFact("attempts", 1, 2, 1)
    done = merge(either_db, kept, merged)
    rows = {row.id: row for row in either_db.scalars(select(Attempt).execution_options(populate_existing=True))}
    assert {row.person_id for row in rows.values()} == {kept}
    first, other = (theirs, ours) if later == "kept" else (ours, theirs)
    assert (rows[first.id].is_first, rows[other.id].is_first, rows[alone.id].is_first) == (True, False, True)
    assert (rows[ours.id].unit_path, rows[theirs.id].unit_path) == (street.path, None)  # the day's snapshot
    moved = either_db.scalars(select(AuditEvent).where(AuditEvent.action == "first_attempt_moved")).one()
    assert (moved.object_id, moved.details) == (other.id, {"before": other.id, "after": first.id})
    undo(either_db, done)
    rows = {row.id: row for row in either_db.scalars(select(Attempt).execution_options(populate_existing=True))}
    assert {i: (row.person_id, row.is_first) for i, row in rows.items()} == {
        ours.id: (kept, True),
        theirs.id: (merged, True),
        alone.id: (merged, True),
    }


def test_an_attempt_that_was_claimed_since_stays_where_it_is(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    with transaction(either_db):
        attempt = make_attempt(either_db, make_delivery(either_db), person_id=merged)
        claimer = make_person(either_db).id
    done = merge(either_db, kept, merged)
    with transaction(either_db):
        either_db.execute(update(Attempt).values(person_id=claimer))
    undo(either_db, done)
    assert either_db.scalar(select(Attempt.person_id).where(Attempt.id == attempt.id)) == claimer


@pytest.mark.parametrize(
    ("ours", "theirs", "stays"),
    [
        ({"at_ms": NOW}, {"at_ms": NOW + 1}, "ours"),
        ({"at_ms": NOW + 1}, {"at_ms": NOW}, "theirs"),
        ({"at_ms": NOW, "state": "struck"}, {"at_ms": NOW + 1}, "theirs"),
        ({"at_ms": NOW, "state": "pending"}, {"at_ms": NOW + 1, "state": "undone"}, "ours"),
    ],
)
def test_somebody_is_at_a_session_once(
    either_db: Session, pair: tuple[int, int], ours: dict[str, Any], theirs: dict[str, Any], stays: str
) -> None:
    kept, merged = pair
    with transaction(either_db):
        unit = make_unit(either_db)
        session, other = make_session(either_db, unit), make_session(either_db, unit)
        row_of = {
            "ours": make_attendance(either_db, session.id, kept, **ours).id,
            "theirs": make_attendance(either_db, session.id, merged, unit_path="/9/", **theirs).id,
        }
        alone = make_attendance(either_db, other.id, merged).id
    before = rows_of_all_tables(either_db)
    assert facts(either_db, pair)["attendances"] == MergeFact("attendances", 1, 2, 1)
    done = merge(either_db, kept, merged)
    rows = {row.id: row for row in either_db.scalars(select(Attendance).execution_options(populate_existing=True))}
    best, second = rows[row_of[stays]], rows[row_of["theirs" if stays == "ours" else "ours"]]
    assert (best.person_id, best.duplicate_of_id) == (kept, None)
    assert (second.person_id, second.duplicate_of_id) == (merged, best.id)
    assert rows[alone].person_id == kept
    assert count_arrivals(either_db, session.id) == (best.state == "counted")
    undo(either_db, done)
    assert rows_of_all_tables(either_db) == before


def test_somebody_stands_on_a_roster_once(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    with transaction(either_db):
        unit = make_unit(either_db)
        session, other = make_session(either_db, unit), make_session(either_db, unit)
        roster_entry(either_db, session.id, kept)
        roster_entry(either_db, other.id, merged)
        removed = roster_entry(either_db, session.id, merged).id
    before = rows_of_all_tables(either_db)
    done = merge(either_db, kept, merged)
    on = roster(either_db)
    assert on == {(session.id, kept), (other.id, kept)}
    undo(either_db, done)
    assert rows_of_all_tables(either_db) == before
    again = merge(either_db, kept, merged)
    with transaction(either_db):
        third = make_person(either_db).id
        either_db.add(RosterEntry(id=removed, session_id=session.id, person_id=third, source="rule", added_at=NOW))
    undo(either_db, again)  # the key was given to another row, as SQLite does
    on = roster(either_db)
    assert on == {(session.id, kept), (other.id, merged), (session.id, third), (session.id, merged)}


@pytest.mark.parametrize(
    ("ours", "theirs", "stands"),
    [
        ("registered", "registered", "registered"),
        ("waiting", "registered", "registered"),
        ("cancelled", "waiting", "waiting"),
        ("cancelled", "cancelled", "cancelled"),
    ],
)
def test_somebody_takes_one_place(
    either_db: Session, pair: tuple[int, int], ours: str, theirs: str, stands: str
) -> None:
    kept, merged = pair
    with transaction(either_db):
        session = make_session(either_db, make_unit(either_db), capacity=5)
        registration(either_db, session.id, kept, ours)
        registration(either_db, session.id, merged, theirs, via="liaison")
    before = rows_of_all_tables(either_db)
    done = merge(either_db, kept, merged)
    states = dict(either_db.execute(select(Registration.person_id, Registration.state)).all())
    assert states == {kept: stands, merged: "cancelled"}
    undo(either_db, done)
    assert rows_of_all_tables(either_db) == before


def test_a_place_that_somebody_else_got_is_not_taken_from_them(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    with transaction(either_db):
        session = make_session(either_db, make_unit(either_db), capacity=2)
        registration(either_db, session.id, kept, "registered")
        theirs = registration(either_db, session.id, merged, "registered").id
        waiting = registration(either_db, session.id, make_person(either_db).id, "waiting").id
    done = merge(either_db, kept, merged)
    with transaction(either_db):
        either_db.execute(update(Registration).where(Registration.id == waiting).values(state="registered"))
    undo(either_db, done)
    states = dict(either_db.execute(select(Registration.id, Registration.state)).all())
    assert (states[theirs], states[waiting]) == ("waiting", "registered")


def test_certificates_move_but_for_a_second_valid_one_of_a_run(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    with transaction(either_db):
        unit = make_unit(either_db)
        run, other = make_run(either_db, unit), make_run(either_db, unit)
        make_certificate(either_db, run, kept)
        double = make_certificate(either_db, run, merged).id
        revoked = make_certificate(either_db, run, merged, revoked_at=NOW).id
        alone = make_certificate(either_db, other, merged).id
    before = rows_of_all_tables(either_db)
    assert facts(either_db, pair)["certificates"] == MergeFact("certificates", 1, 3, 1)
    done = merge(either_db, kept, merged)
    table = Base.metadata.tables["certificate"]
    owner = dict(either_db.execute(select(table.c.id, table.c.person_id)).all())
    assert (owner[double], owner[revoked], owner[alone]) == (merged, kept, kept)
    undo(either_db, done)
    assert rows_of_all_tables(either_db) == before


def test_a_check_in_of_an_account_that_was_merged_counts_for_the_one_who_stays(
    either_db: Session, pair: tuple[int, int], keys: Keys
) -> None:
    kept, merged = pair
    with transaction(either_db):
        session = make_session(either_db, make_unit(either_db))
    merge(either_db, kept, merged)
    with transaction(either_db):
        checked = check_in(
            either_db,
            session=session,
            name=None,
            phone=None,
            device_hash=None,
            keys=keys,
            actor=Actor(account_id=1, person_id=merged),  # read before the merge
            now=START,
        )
    assert checked.attendance.person_id == kept


def test_merging_twice_is_merging_once(either_db: Session, pair: tuple[int, int]) -> None:
    first, again = merge(either_db, *pair), merge(either_db, *pair)
    assert first.id == again.id
    taken, twice = undo(either_db, first, days=1), undo(either_db, first, days=2)
    assert taken.undone_at == twice.undone_at == START + timedelta(days=1)
    actions = either_db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["person_merged", "person_merge_undone"]


def test_who_was_merged_is_not_merged_again(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    with transaction(either_db):
        third = make_person(either_db).id
    merge(either_db, kept, merged)
    for wrong in ((third, merged), (merged, third), (merged, kept)):
        with pytest.raises(PersonIsMerged):
            merge(either_db, *wrong)
    with pytest.raises(MergeSamePerson):
        merge(either_db, kept, kept)
    with pytest.raises(NotFound):
        merge(either_db, kept, 999)


def test_the_later_merge_is_taken_back_first(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    with transaction(either_db):
        third, fourth = make_person(either_db).id, make_person(either_db).id
    first = merge(either_db, kept, merged)
    second = merge(either_db, kept, third)
    last = merge(either_db, fourth, kept)
    for early in (first, second):
        with pytest.raises(LaterMergeFirst):
            undo(either_db, early)
    for done in (last, second, first):
        undo(either_db, done)
    assert either_db.scalar(select(func.count()).where(Person.merged_into_id.is_not(None))) == 0


def test_after_thirty_days_a_merge_stands(either_db: Session, pair: tuple[int, int]) -> None:
    done = merge(either_db, *pair)
    with pytest.raises(MergeTooOld):
        undo(either_db, done, days=UNDO_DAYS, seconds=1)
    undo(either_db, done, days=UNDO_DAYS)


def test_an_erasure_ends_merging_and_taking_back(either_db: Session, pair: tuple[int, int]) -> None:
    kept, merged = pair
    done = merge(either_db, kept, merged)
    with transaction(either_db):
        either_db.get_one(Person, merged).name = ""
        third = make_person(either_db).id
    with pytest.raises(PersonErased):
        undo(either_db, done)
    with transaction(either_db):
        either_db.get_one(Person, kept).name = ""
    with pytest.raises(PersonErased):
        merge(either_db, kept, third)


def coordinator(path: str | None, industry: int | None = None) -> Actor:
    return Actor(account_id=7, scope=Scope((Grant(Role.COORDINATOR, path, industry),)))


def test_both_people_must_be_within_reach(either_db: Session) -> None:
    with transaction(either_db):
        street, other = make_unit(either_db), make_unit(either_db)
        here = make_person(either_db, unit_id=make_unit(either_db, street).id).id
        also, there = make_person(either_db, unit_id=street.id).id, make_person(either_db, unit_id=other.id).id
        nowhere = make_person(either_db).id
    actor = coordinator(street.path)
    for pair in ((here, there), (there, here), (here, nowhere), (nowhere, here)):
        with pytest.raises(NotFound):
            merge(either_db, *pair, actor=actor)
    done = merge(either_db, here, also, actor=actor)
    with pytest.raises(NotFound):
        undo(either_db, done, actor=coordinator(other.path))
    with pytest.raises(NotFound):
        merge(either_db, here, there, actor=Actor(account_id=7, scope=Scope((Grant(Role.TRAINER, None),))))
    merge(either_db, here, nowhere, actor=coordinator(None))
    event = either_db.scalars(select(AuditEvent).order_by(AuditEvent.id)).first()
    assert event is not None
    assert (event.account_id, event.object_id) == (7, here)
    assert event.details == {"merge_id": done.id, "merged_id": also}


def test_a_merge_without_all_its_parts_does_not_run(
    either_db: Session, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(MERGE_PERSON, "trainings")
    with pytest.raises(PartMissing, match=r"attendance\.person_id"):
        merge(either_db, *pair)


# Any history of the two, and back again.

State = st.sampled_from
rows = st.lists(
    st.tuples(
        State(["kept", "merged"]),
        st.integers(0, 2),  # session, delivery or run
        st.integers(0, 5),  # hours after the beginning
        st.one_of(
            st.tuples(st.just("attendance"), State(["counted", "pending", "struck", "undone"])),
            st.tuples(st.just("registration"), State(["registered", "waiting", "cancelled"])),
            st.tuples(st.just("roster"), State(["on", "off"])),
            st.tuples(st.just("entry"), State(["in", "out", "undo"])),
            st.tuples(st.just("attempt"), State(["submitted", "void", "open", "expired"])),
            st.tuples(st.just("certificate"), State(["valid", "revoked"])),
        ),
    ),
    max_size=24,
)


def rows_of_all_tables(db: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored but for the log, the merges themselves, and the notes of what item statistics have to count anew."""
    with transaction(db):
        return {
            table.name: sorted(map(tuple, db.execute(select(table))), key=repr)
            for table in Base.metadata.tables.values()
            if table.name not in ("audit_event", "person_merge", "item_note")
        }


def live(db: Session, history: list[Any], pair: tuple[int, int]) -> None:
    """Store a history, as far as the constraints let it be."""
    unit = make_unit(db)
    sessions = [make_session(db, unit, capacity=2) for _ in range(3)]
    deliveries = [make_delivery(db, unit, items=1) for _ in range(3)]
    runs = [make_run(db, unit) for _ in range(3)]
    device = ScanDevice(public_id=f"d{unit.id}", session_id=sessions[0].id, created_at=NOW, seen_at=NOW)
    db.add(device)
    db.flush()
    seen: set[tuple[Any, ...]] = set()
    for number, (whose, place, hours, (kind, state)) in enumerate(history):
        person_id, at = pair[whose == "merged"], NOW + hours * 3_600_000
        once = (kind, whose, place)
        if once in seen and kind in ("attendance", "registration", "roster"):
            continue
        if kind == "certificate" and state == "valid" and (*once, state) in seen:
            continue
        seen |= {once, (*once, state)}
        session_id = sessions[place].id
        if kind == "attendance":
            make_attendance(db, session_id, person_id, at_ms=at, state=state)
        elif kind == "registration":
            cancelled = at if state == "cancelled" else None
            registration(db, session_id, person_id, state, queued_at=at, cancelled_at=cancelled)
        elif kind == "roster" and state == "on":
            roster_entry(db, session_id, person_id)
        elif kind == "roster":
            db.add(RosterRemoval(session_id=session_id, person_id=person_id, reason="mistake", removed_at=at))
        elif kind == "attempt":
            when = START + timedelta(hours=hours)
            make_attempt(db, deliveries[place], person_id=person_id, state=state, is_first=False, now=when)
        elif kind == "certificate":
            make_certificate(db, runs[place], person_id, revoked_at=at if state == "revoked" else None)
        else:
            db.add(
                Entry(
                    session_id=session_id,
                    client_id=f"c{unit.id}-{number}",
                    device_id=device.id,
                    sequence=number,
                    kind=state,
                    method="personal",
                    person_id=person_id,
                    at_ms=at,
                    phone_at_ms=at,
                    received_at=at,
                    outcome="in",
                )
            )
    db.flush()
    for delivery in deliveries:
        for person_id in pair:
            own = (Attempt.delivery_id == delivery.id, Attempt.person_id == person_id)
            if (first := choose_first(db.scalars(select(Attempt).where(*own)).all())) is not None:
                first.is_first = True
    db.flush()


@pytest.mark.parametrize("name", ["sqlite_database", pytest.param("postgres_database", marks=pytest.mark.postgres)])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=rows)
def test_taking_back_leaves_no_trace(request: pytest.FixtureRequest, name: str, history: list[Any]) -> None:
    database: Database = request.getfixturevalue(name)
    with database.session() as db:
        with transaction(db):
            pair = make_person(db, name="李国").id, make_person(db, name="李 国").id
            live(db, history, pair)
        before = rows_of_all_tables(db)
        done = merge(db, *pair)
        check_merged(db, *pair)
        undo(db, done, days=3)
        assert rows_of_all_tables(db) == before


def check_merged(db: Session, kept: int, merged: int) -> None:
    """What holds after every merge: the merged one has nothing left that counts, and the one who stays has everything once."""
    with transaction(db):
        db.expire_all()
        attempts = db.scalars(select(Attempt).where(Attempt.person_id.in_((kept, merged)))).all()
        assert {a.person_id for a in attempts} <= {kept}
        for delivery_id in {a.delivery_id for a in attempts}:
            own = [a for a in attempts if a.delivery_id == delivery_id]
            first = choose_first(own)
            assert [a.id for a in own if a.is_first] == ([first.id] if first else [])
        theirs = db.scalars(select(Attendance).where(Attendance.person_id == merged)).all()
        for row in theirs:
            twin = db.get_one(Attendance, row.duplicate_of_id)
            assert (twin.person_id, twin.session_id, twin.duplicate_of_id) == (kept, row.session_id, None)
            assert not (row.state == "counted" and twin.state != "counted")
        for model in (RosterEntry, RosterRemoval):
            assert db.scalar(select(func.count()).where(model.person_id == merged)) == 0
        on, off = (
            set(db.scalars(select(m.session_id).where(m.person_id == kept))) for m in (RosterEntry, RosterRemoval)
        )
        assert not on & off
        assert db.scalar(select(func.count()).where(Entry.person_id == merged)) == 0
        states = set(db.scalars(select(Registration.state).where(Registration.person_id == merged)))
        assert states <= {"cancelled"}
        assert db.scalar(select(func.count()).where(Person.name == "")) == 0


def test_refusals_leave_everything_as_it_was(either_db: Session, pair: tuple[int, int]) -> None:
    kept, _ = pair
    with transaction(either_db):
        unit = make_unit(either_db)
        staff = [make_account(either_db, unit=unit).person_id for _ in range(2)]
        make_attempt(either_db, make_delivery(either_db), person_id=staff[1])
    before = rows_of_all_tables(either_db)
    tries: list[Callable[[], object]] = [lambda: merge(either_db, *staff), lambda: merge(either_db, kept, 12345)]
    for one in tries:
        with pytest.raises(DomainError):
            one()
    assert rows_of_all_tables(either_db) == before
    assert either_db.scalar(text("SELECT count(*) FROM person_merge")) == 0
