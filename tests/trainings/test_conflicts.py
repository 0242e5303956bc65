"""Two sessions are in each other's way when they share an instant, and a trainer or a place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.trainings import queries
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.queries import Wanted
from quizapp.trainings.services import add_place, call_off
from tests.conftest import START
from tests.factories import make_session
from tests.trainings.support import Street, actor_of, make_street

QUARTER = timedelta(minutes=15)
#: Begin and length of a session, in quarters of an hour: at most a day long.
PERIODS = st.tuples(st.integers(0, 192), st.integers(1, 96))


@pytest.fixture
def street(either_db: Session) -> Street:
    return make_street(either_db)


def conflicts(street: Street, session: TrainingSession) -> list[TrainingSession]:
    found = queries.find_conflicts(street.db, street.actor.scope, queries.wanted_by(street.db, session))
    return [clash.session for clash in found]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=PERIODS, second=PERIODS)
def test_two_periods_overlap_if_and_only_if_they_share_a_quarter(
    db: Session, first: tuple[int, int], second: tuple[int, int]
) -> None:
    """Both the form's query and the list's give what counting the common quarters gives."""
    street = make_street(db)
    sessions = [
        make_session(
            db,
            street.unit,
            place="二楼",
            starts_at=to_ms(START + QUARTER * begin),
            ends_at=to_ms(START + QUARTER * (begin + length)),
        )
        for begin, length in (first, second)
    ]
    common = set(range(first[0], sum(first))) & set(range(second[0], sum(second)))
    one, other = sessions
    assert conflicts(street, one) == ([other] if common else [])
    assert conflicts(street, other) == ([one] if common else [])
    assert queries.sessions_in_conflict(db, [one.id, other.id]) == ({one.id, other.id} if common else set())
    db.rollback()


def test_a_trainer_is_wanted_twice_and_a_session_that_was_called_off_wants_nobody(street: Street) -> None:
    db = street.db
    other = street.trainer()
    both = (street.account.id, other.id)
    first = street.open(trainers=both)
    second = street.open(place="三楼", trainers=both)
    third = street.open(place="四楼", trainers=(street.trainer().id,))
    (clash,) = queries.find_conflicts(db, street.actor.scope, queries.wanted_by(db, first))
    assert (clash.session, clash.visible, clash.same_place) == (second, True, False)
    assert clash.trainers == both
    assert conflicts(street, third) == []
    ids = [first.id, second.id, third.id]
    assert queries.sessions_in_conflict(db, ids) == {first.id, second.id}
    call_off(db, session=second, actor=street.actor, now=START)
    assert conflicts(street, first) == []
    assert queries.sessions_in_conflict(db, ids) == set()
    assert queries.sessions_in_conflict(db, []) == set()


@pytest.mark.parametrize(
    ("words", "unit", "kept", "clash"),
    [
        ("二楼", "unit", (False, False), True),
        ("三楼", "unit", (False, False), False),
        ("二楼", "community", (False, False), False),  # another unit's second floor
        ("三楼", "community", (True, True), True),  # the kept place, whatever room
        ("三楼", "unit", (True, False), False),
    ],
)
def test_a_place_is_the_same_when_it_is_kept_or_written_alike_in_one_unit(
    street: Street, words: str, unit: str, kept: tuple[bool, bool], clash: bool
) -> None:
    hall = add_place(
        street.db,
        name="礼堂",
        address="",
        capacity=None,
        unit_id=street.unit.id,
        actor=street.actor,
        now=START,
    )

    def options(index: int) -> dict[str, Any]:
        return {"place_id": hall.id if kept[index] else None, "trainers": (street.trainer(street.unit).id,)}

    first = street.open(**options(0))
    second = street.open(place=words, unit_id=getattr(street, unit).id, **options(1))
    assert conflicts(street, first) == ([second] if clash else [])
    assert queries.sessions_in_conflict(street.db, [second.id]) == ({second.id} if clash else set())


def test_a_foreign_units_session_is_in_the_way_without_being_seen(street: Street) -> None:
    db = street.db
    account = street.trainer(street.foreign)
    make = actor_of(account, street.foreign)
    theirs = Street(db, street.foreign, street.foreign, street.unit, account, make).open()
    wanted = Wanted(theirs.starts_at, theirs.ends_at, (account.id,), street.unit.id, "二楼")
    (clash,) = queries.find_conflicts(db, street.actor.scope, wanted)
    assert (clash.session, clash.visible) == (theirs, False)
    (clash,) = queries.find_conflicts(db, make.scope, wanted)
    assert clash.visible


def test_without_trainers_the_place_alone_counts(street: Street) -> None:
    session = street.open()
    wanted = Wanted(session.starts_at, session.ends_at, (), street.unit.id, "三楼")
    assert queries.find_conflicts(street.db, street.actor.scope, wanted) == []
