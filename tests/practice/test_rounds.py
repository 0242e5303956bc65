"""The rules of a round, of the daily choice and of the guest's cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.core.tokens import Keys
from quizapp.practice.guest_days import read_days, write_days
from quizapp.practice.rounds import DAILY_COUNT, Round, choose_daily, choose_items, is_seed

DAY = date(2026, 11, 23)
days = st.dates(date(2020, 1, 1), date(2090, 1, 1))


@dataclass(frozen=True)
class Coded:
    code: str
    bank: str


POOL = [Coded(f"{bank}-{number}", bank) for bank in ("safety", "health", "literacy", "energy") for number in range(30)]


@given(st.permutations(POOL), days)
def test_the_daily_quiz_is_the_same_for_everybody_and_spread_over_the_banks(shuffled: list[Coded], day: date) -> None:
    chosen = choose_daily(shuffled, day)
    assert chosen == choose_daily(POOL, day)
    assert len(set(chosen)) == DAILY_COUNT
    assert {item.bank for item in chosen} == {item.bank for item in POOL}


@given(days)
def test_the_next_day_has_another_daily_quiz(day: date) -> None:
    assert choose_daily(POOL, day) != choose_daily(POOL, day + timedelta(days=1))


@given(days, st.integers(0, DAILY_COUNT - 1))
def test_an_item_that_goes_out_of_practice_is_replaced_alone(day: date, place: int) -> None:
    before = choose_daily(POOL, day)
    after = choose_daily([item for item in POOL if item != before[place]], day)
    assert len(set(before) - set(after)) == 1
    assert len(after) == DAILY_COUNT


@given(st.integers(0, 8))
def test_a_small_pool_gives_what_it_has(count: int) -> None:
    assert len(choose_daily(POOL[:count], DAY)) == min(count, DAILY_COUNT)


@given(st.permutations(POOL), st.text("abcdefgh0123456789", min_size=4, max_size=16))
def test_a_seed_gives_the_same_round_again(shuffled: list[Coded], seed: str) -> None:
    assert is_seed(seed)
    assert choose_items(shuffled, seed, 10) == choose_items(POOL, seed, 10)


@pytest.mark.parametrize("text", ["", "abc", "2026-11-23", "a" * 17, "ab cd", "ab\x1fcd"])
def test_a_seed_is_never_a_date_and_never_long(text: str) -> None:
    assert not is_seed(text)


@given(st.integers(1, 10), st.lists(st.booleans(), min_size=20, max_size=20))
def test_what_was_wrong_comes_back_once_at_the_end(size: int, answers: list[bool]) -> None:
    current, asked = Round(size), []
    for right in answers:
        if current.over:
            break
        asked.append(current.item_at(len(current.results)))
        current = current.after(right)
    assert current.over
    assert asked[:size] == list(range(size))
    assert asked[size:] == [place for place in range(size) if not answers[place]]
    assert current.right == sum(answers[:size])
    assert len(current.segments(None)) == current.total == len(asked)


@given(st.integers(1, 10), st.text())
def test_results_from_an_address_never_exceed_the_round(size: int, text: str) -> None:
    current = Round.read(size, text)
    assert set(current.results) <= {"0", "1"}
    assert len(current.results) <= current.total


@given(
    st.dictionaries(st.dates(DAY - timedelta(days=20), DAY + timedelta(days=3)), st.text("01", min_size=1, max_size=10))
)
def test_a_guests_days_come_back_from_the_cookie_for_a_week(stored: dict[date, str]) -> None:
    keys = Keys(b"session", b"phone")
    expected = {day: results for day, results in stored.items() if DAY - timedelta(days=7) < day <= DAY}
    assert read_days(write_days(stored, keys, DAY), keys, DAY) == expected


@given(st.text())
def test_a_forged_cookie_says_nothing(text: str) -> None:
    assert read_days(text, Keys(b"session", b"phone"), DAY) == {}


def test_a_cookie_of_another_installation_says_nothing() -> None:
    cookie = write_days({DAY: "11111"}, Keys(b"ours", b"phone"), DAY)
    assert read_days(cookie, Keys(b"theirs", b"phone"), DAY) == {}
    assert read_days(cookie.replace("11111", "11110"), Keys(b"ours", b"phone"), DAY) == {}
