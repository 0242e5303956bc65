"""The figures of a session against counting by hand."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from quizapp.core.db import Database
from quizapp.trainings import queries
from quizapp.trainings.models import CheckInMethod, Registration, RosterEntry, SessionEvidence
from tests.factories import make_attendance, make_person, make_session, make_unit


@dataclass(frozen=True)
class Somebody:
    """What a session knows of one person."""

    registered: str | None
    rostered: bool
    state: str | None
    method: str


PEOPLE = st.lists(
    st.builds(
        Somebody,
        st.sampled_from([None, "registered", "waiting", "cancelled"]),
        st.booleans(),
        st.sampled_from([None, "counted", "pending", "struck", "undone"]),
        st.sampled_from([method.value for method in CheckInMethod]),
    ),
    max_size=12,
)


def write_down(db: Session, people: list[Somebody]) -> int:
    session = make_session(db, make_unit(db))
    for one in people:
        person = make_person(db)
        if one.registered:
            db.add(
                Registration(
                    session_id=session.id,
                    person_id=person.id,
                    state=one.registered,
                    via="self",
                    registered_at=0,
                    queued_at=0,
                )
            )
        if one.rostered:
            db.add(RosterEntry(session_id=session.id, person_id=person.id, source="rule", added_at=0))
        if one.state:
            make_attendance(db, session.id, person.id, state=one.state, method=one.method)
    db.flush()
    return session.id


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, others=PEOPLE)
def test_each_figure_is_what_counting_gives(db: Session, people: list[Somebody], others: list[Somebody]) -> None:
    first, second = write_down(db, people), write_down(db, others)
    numbers = queries.numbers_of_many(db, [first, second])[first]
    came = [one for one in people if one.state == "counted"]
    registered = [one for one in people if one.registered == "registered"]
    expected = [one for one in people if one.registered == "registered" or one.rostered]
    assert numbers.registered == len(registered)
    assert numbers.waiting == sum(one.registered == "waiting" for one in people)
    assert numbers.rostered == sum(one.rostered for one in people)
    assert numbers.expected == len(expected)
    assert numbers.came == len(came)
    assert numbers.came_registered == sum(one in registered for one in came)
    assert numbers.came_rostered == sum(one.rostered for one in came)
    assert numbers.walk_ins == (sum(one not in expected for one in came) if expected else 0)
    assert numbers.no_shows == sum(one.state != "counted" for one in expected)
    assert numbers.registered_missing == sum(one.state != "counted" for one in registered)
    assert numbers.rostered_missing == sum(one.rostered and one.state != "counted" for one in people)
    assert numbers.pending == sum(one.state == "pending" for one in people)
    assert numbers.struck == sum(one.state in ("struck", "undone") for one in people)
    assert numbers.by_method == {m: sum(one.method == m for one in came) for m in CheckInMethod}
    assert sum(numbers.by_method.values()) == numbers.came == queries.count_arrivals(db, first)
    db.rollback()


def test_a_photo_of_the_sheet_and_a_duplicate_are_told_apart(either_db: Session) -> None:
    db = either_db
    session = make_session(db, make_unit(db))
    photo = SessionEvidence(session_id=session.id, kind="sheet", added_at=0)
    db.add(photo)
    db.flush()
    kept = make_attendance(db, session.id, make_person(db).id, method="back_filled", evidence_id=photo.id)
    make_attendance(db, session.id, make_person(db).id, method="back_filled")
    make_attendance(db, session.id, make_person(db).id, duplicate_of_id=kept.id)
    make_attendance(db, session.id, make_person(db).id, state="pending", duplicate_of_id=kept.id)
    numbers = queries.numbers_of(db, session.id)
    assert (numbers.came, numbers.pending) == (2, 0)
    assert numbers.by_method[CheckInMethod.BACK_FILLED] == 2
    assert numbers.back_filled_with_evidence == 1
    assert queries.numbers_of_many(db, []) == {}


def test_many_sessions_cost_as_many_queries_as_one(database: Database) -> None:
    with database.session() as db:
        unit = make_unit(db)
        ids = [make_session(db, unit).id for _ in range(5)]
        seen: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        queries.numbers_of_many(db, ids)
        many = len(seen)
        queries.numbers_of(db, ids[0])
        assert len(seen) - many == many == 4
