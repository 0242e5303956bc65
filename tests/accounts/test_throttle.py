"""A guesser is slowed, a hall is not locked out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.accounts import throttle
from quizapp.accounts.models import Failure
from quizapp.accounts.throttle import Delay, Subject
from quizapp.core.errors import TooMany
from quizapp.core.tokens import Keys
from tests.conftest import START

HALL = Subject("address", "203.0.113.7")


def fail(db: Session, keys: Keys, subjects: list[Subject], now: datetime = START, times: int = 1) -> Delay:
    result = Delay()
    for _ in range(times):
        result = throttle.record_failure(db, keys=keys, kind="receipt", subjects=subjects, now=now)
    return result


def allowed(db: Session, keys: Keys, subjects: list[Subject], now: datetime = START, token: str | None = None) -> bool:
    return refusal(db, keys, subjects, now, token) is None


def refusal(
    db: Session, keys: Keys, subjects: list[Subject], now: datetime = START, token: str | None = None
) -> TooMany | None:
    try:
        throttle.check(db, keys=keys, kind="receipt", subjects=subjects, token=token, now=now)
    except TooMany as error:
        return error
    return None


def test_the_first_failures_cost_nothing(either_db: Session, keys: Keys) -> None:
    session = [Subject("session", "a")]
    assert fail(either_db, keys, session, times=4) == Delay()
    assert allowed(either_db, keys, session)


def test_the_fifth_failure_makes_the_next_try_wait(either_db: Session, keys: Keys) -> None:
    session = [Subject("session", "a")]
    delay = fail(either_db, keys, session, times=5)
    assert delay.wait_seconds == 2
    assert not allowed(either_db, keys, session)
    assert not allowed(either_db, keys, session, token=delay.token)
    assert allowed(either_db, keys, session, START + timedelta(seconds=2), delay.token)


def test_a_token_is_refused_before_its_time_even_when_the_failures_are_gone(db: Session, keys: Keys) -> None:
    session = [Subject("session", "a")]
    delay = fail(db, keys, session, times=5)
    for row in db.scalars(select(Failure)):
        db.delete(row)
    db.flush()
    assert not allowed(db, keys, session, token=delay.token)


def test_failures_of_others_do_not_count(db: Session, keys: Keys) -> None:
    fail(db, keys, [Subject("session", "a")], times=50)
    assert allowed(db, keys, [Subject("session", "b")])
    throttle.check(db, keys=keys, kind="sign_in", subjects=[Subject("session", "a")], now=START)


def test_failures_are_forgotten_after_a_quarter_of_an_hour(db: Session, keys: Keys) -> None:
    session = [Subject("session", "a")]
    fail(db, keys, session, times=20)
    later = START + timedelta(minutes=15, seconds=1)
    assert allowed(db, keys, session, later)
    fail(db, keys, [Subject("session", "b")], later)
    assert db.scalar(select(func.count()).select_from(Failure)) == 1


def test_a_whole_hall_behind_one_address_is_not_locked_out(either_db: Session, keys: Keys) -> None:
    """Two hundred people mistype once, all at the same moment; each is let in with the form that they were given."""
    forms = [(n, fail(either_db, keys, [Subject("session", str(n)), HALL])) for n in range(200)]
    assert max(delay.wait_seconds for _, delay in forms) == throttle.MOST_WAIT
    later = START + timedelta(seconds=throttle.MOST_WAIT)
    for n, delay in forms:
        mine = [Subject("session", str(n)), HALL]
        token = delay.token
        if token is None:  # theirs was shown while the address was still quiet: the answer carries another
            refused = refusal(either_db, keys, mine)
            assert refused is not None
            assert throttle.LEAST_WAIT <= int(str(refused.data["wait_seconds"])) <= throttle.MOST_WAIT
            token = str(refused.data["token"])
        assert allowed(either_db, keys, mine, later, token)


def test_whoever_comes_new_into_that_hall_waits_once(db: Session, keys: Keys) -> None:
    for n in range(40):
        fail(db, keys, [Subject("session", str(n)), HALL])
    mine = [Subject("session", "mine"), HALL]
    delay = throttle.delay(db, keys=keys, kind="receipt", subjects=mine, now=START)
    assert delay.wait_seconds == 2
    for n in range(40, 60):  # what others do in the meantime moves nothing
        fail(db, keys, [Subject("session", str(n)), HALL], START + timedelta(seconds=1))
    assert allowed(db, keys, mine, START + timedelta(seconds=2), delay.token)


def test_a_guesser_who_keeps_a_session_is_slowed(db: Session, keys: Keys) -> None:
    now, guesses = START, 0
    subjects = [Subject("session", "guesser"), HALL]
    token = None
    while now < START + timedelta(minutes=10):
        if allowed(db, keys, subjects, now, token):
            token = fail(db, keys, subjects, now).token
            guesses += 1
        now += timedelta(seconds=1)
    assert guesses <= 30


def test_a_guesser_who_throws_the_session_away_waits_before_each_guess(db: Session, keys: Keys) -> None:
    for n in range(150):
        fail(db, keys, [Subject("session", f"s{n}"), HALL])
    fresh = [Subject("session", "fresh"), HALL]
    assert not allowed(db, keys, fresh)
    delay = throttle.delay(db, keys=keys, kind="receipt", subjects=fresh, now=START)
    assert delay.wait_seconds == 30
    assert not allowed(db, keys, fresh, START + timedelta(seconds=29), delay.token)
    stolen = [Subject("session", "other"), HALL]
    assert not allowed(db, keys, stolen, START + timedelta(seconds=31), delay.token)


def test_a_form_that_was_waited_for_is_good_for_one_guess(either_db: Session, keys: Keys) -> None:
    """Also without any cookie, where the address alone says whose form it is."""
    db, later = either_db, START + timedelta(seconds=31)
    for n in range(150):
        fail(db, keys, [Subject("session", f"s{n}"), HALL])
    token = throttle.delay(db, keys=keys, kind="receipt", subjects=[HALL], now=START).token
    assert allowed(db, keys, [HALL], later, token)
    again = throttle.record_failure(db, keys=keys, kind="receipt", subjects=[HALL], token=token, now=later)
    assert not allowed(db, keys, [HALL], later, token)
    assert not allowed(db, keys, [HALL], later, again.token)
    assert allowed(db, keys, [HALL], later + timedelta(seconds=31), again.token)


@pytest.mark.parametrize("token", ["", "x", "1.x", "99999999999999999999.x", "1764000000000.", "１.x", "1.é"])
def test_a_forged_token_opens_nothing_and_breaks_nothing(db: Session, keys: Keys, token: str) -> None:
    subjects = [Subject("session", "a"), HALL]
    assert allowed(db, keys, subjects, token=token)
    for n in range(30):
        fail(db, keys, [Subject("session", str(n)), HALL])
    assert not allowed(db, keys, subjects, token=token)


@given(st.integers(0, 10_000), st.integers(1, 100), st.integers(1, 100))
def test_the_wait_grows_between_two_and_thirty_seconds(failures: int, free: int, step: int) -> None:
    wait = throttle.wait_after(failures, free, step)
    assert wait == 0 if failures < free else throttle.LEAST_WAIT <= wait <= throttle.MOST_WAIT
    assert throttle.wait_after(failures + 1, free, step) >= wait


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 25), st.integers(0, 60))
def test_whoever_waits_as_told_is_let_in(sqlite_database, keys: Keys, own: int, hall: int) -> None:  # type: ignore[no-untyped-def] # a fixture
    with sqlite_database.session() as db:
        name = f"{own}-{hall}"
        subjects = [Subject("session", name), Subject("address", name)]
        fail(db, keys, [subjects[1]], times=hall)
        delay = (
            fail(db, keys, subjects, times=own)
            if own
            else throttle.delay(db, keys=keys, kind="receipt", subjects=subjects, now=START)
        )
        assert allowed(db, keys, subjects, START + timedelta(seconds=delay.wait_seconds), delay.token)
