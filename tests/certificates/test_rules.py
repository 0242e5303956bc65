"""The rules alone: who has earned one, how long it holds, what a number is."""

from __future__ import annotations

import doctest
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.certificates import numbers, validity
from quizapp.certificates.earning import HeldSession, Presence, Why, judge
from quizapp.certificates.errors import CertificateUnknown, NumberMistyped
from quizapp.certificates.numbers import check_typed, make_number, new_check_code, parse_number, typed_code
from quizapp.certificates.validity import add_months, last_valid_day

CLOSED = HeldSession(closed=True, check_out=False, hours_tenths=40)
OPEN = HeldSession(closed=False, check_out=False, hours_tenths=40)
STRICT = HeldSession(closed=True, check_out=True, hours_tenths=40)


def whole(sessions: dict[int, HeldSession], present: dict[int, bool]) -> dict[int, Presence]:
    """Attendances from begin to end, with or without a check-out."""
    return {key: Presence(sessions[key].hours_tenths if key in sessions else 40, out) for key, out in present.items()}


@pytest.mark.parametrize(
    ("sessions", "present", "needed", "why"),
    [
        ({1: CLOSED, 2: CLOSED}, {1: False, 2: False}, None, ()),
        ({1: CLOSED, 2: CLOSED}, {1: False}, None, (Why.MISSED,)),
        ({1: CLOSED, 2: OPEN}, {1: False, 2: False}, None, (Why.NOT_CLOSED,)),
        ({1: CLOSED, 2: STRICT}, {1: False, 2: False}, None, (Why.NO_CHECK_OUT,)),
        ({1: CLOSED, 2: STRICT}, {1: False, 2: True}, None, ()),
        ({}, {}, None, (Why.NOT_CLOSED,)),
        ({1: CLOSED, 2: CLOSED, 3: CLOSED}, {1: False, 3: False}, 80, ()),
        ({1: CLOSED, 2: CLOSED}, {1: False}, 80, (Why.HOURS_SHORT,)),
        ({1: CLOSED, 2: OPEN}, {1: False}, 40, ()),
        ({1: CLOSED, 2: OPEN}, {1: False, 2: False}, 80, (Why.HOURS_SHORT, Why.NOT_CLOSED)),
        ({1: STRICT}, {1: False}, 40, (Why.HOURS_SHORT, Why.NO_CHECK_OUT)),
        ({1: STRICT}, {1: False}, 0, (Why.HOURS_SHORT, Why.NO_CHECK_OUT)),
        ({1: CLOSED}, {1: False, 9: False}, None, ()),  # one at a session that was called off gives nothing
    ],
)
def test_what_is_missing(
    sessions: dict[int, HeldSession], present: dict[int, bool], needed: int | None, why: tuple[Why, ...]
) -> None:
    standing = judge(sessions, whole(sessions, present), needed_tenths=needed, named=True)
    assert standing.why == why
    assert standing.earned == (not why)


def test_an_attendance_that_gives_no_hours_is_none_and_a_part_is_one() -> None:
    nothing = judge({1: STRICT}, {1: Presence(0, True)}, needed_tenths=None, named=True)
    assert (nothing.why, nothing.sessions) == ((Why.MISSED,), 0)
    part = judge({1: STRICT}, {1: Presence(15, True)}, needed_tenths=None, named=True)
    assert (part.earned, part.hours_tenths) == (True, 15)
    assert judge({1: STRICT}, {1: Presence(15, True)}, needed_tenths=20, named=True).why == (Why.HOURS_SHORT,)
    without_hours = HeldSession(closed=True, check_out=False, hours_tenths=0)
    assert judge({1: without_hours}, {1: Presence(0, False)}, needed_tenths=None, named=True).earned


def test_somebody_without_a_name_has_earned_none() -> None:
    assert judge({1: CLOSED}, {1: Presence(40, False)}, needed_tenths=None, named=False).why == (Why.NO_NAME,)


SESSIONS = st.dictionaries(
    st.integers(1, 6), st.builds(HeldSession, st.booleans(), st.booleans(), st.integers(0, 80)), max_size=6
)


@given(sessions=SESSIONS, data=st.data(), needed=st.none() | st.integers(0, 300))
def test_one_more_attendance_never_takes_a_certificate_away(
    sessions: dict[int, HeldSession], data: Any, needed: int | None
) -> None:
    present = data.draw(st.dictionaries(st.integers(1, 6), st.builds(Presence, st.integers(0, 80), st.booleans())))
    before = judge(sessions, present, needed_tenths=needed, named=True)
    key = data.draw(st.integers(1, 6))
    more = {**present, key: Presence(80, True)}
    after = judge(sessions, more, needed_tenths=needed, named=True)
    assert after.hours_tenths >= before.hours_tenths
    assert after.earned or not before.earned
    if before.earned:
        assert before.sessions >= 1
        assert before.hours_tenths >= (needed or 0)
    if needed is None and before.earned:
        assert set(sessions) <= set(present)


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 11, 30), 36, date(2029, 11, 30)),
        (date(2026, 11, 30), 0, date(2026, 11, 30)),
    ],
)
def test_months_end_with_their_corresponding_day_or_with_the_month(day: date, months: int, end: date) -> None:
    assert last_valid_day(day, months) == end
    assert last_valid_day(day, None) is None


@given(day=st.dates(date(2000, 1, 1), date(2200, 1, 1)), months=st.integers(0, 600))
def test_so_many_months_later_is_in_that_month_and_never_a_later_day(day: date, months: int) -> None:
    end = add_months(day, months)
    assert (end.year - day.year) * 12 + end.month - day.month == months
    assert end.day <= day.day
    assert end.day == day.day or add_months(end.replace(day=1), 1).toordinal() - end.toordinal() == 1


@given(year=st.integers(2000, 2999), key=st.integers(1, 10**9))
def test_a_number_is_read_however_it_was_typed(year: int, key: int) -> None:
    number = make_number(year, key)
    assert len(number) <= 24
    for typed in (number, number.lower(), number.replace("-", " "), f"编号 {number.replace('-', '')}"):
        assert parse_number(typed) == number


@given(key=st.integers(1, 999_999), place=st.integers(0, 9), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_found(key: int, place: int, digit: str) -> None:
    number = make_number(2026, key).replace("-", "")
    wrong = number[:place] + digit + number[place + 1 :]
    if wrong != number:
        with pytest.raises(NumberMistyped):
            parse_number(wrong)


@pytest.mark.parametrize("typed", ["", "2026", "李建国", "2026-000123", "A026-000123-0", "9" * 40])
def test_what_cannot_be_a_number_is_refused(typed: str) -> None:
    with pytest.raises(NumberMistyped):
        parse_number(typed)


def test_the_printed_part_of_the_check_code_is_asked_for_as_a_whole() -> None:
    code = new_check_code()
    assert len(code) == 26  # 130 bits
    check_typed(code, typed_code(code).lower())
    for typed in ("", code[:7], code[:9], code):
        with pytest.raises(CertificateUnknown):
            check_typed(code, typed)
    for typed in ("", "--------", "00000000"):
        with pytest.raises(CertificateUnknown):
            check_typed(None, typed)


def test_the_examples_hold() -> None:
    assert [doctest.testmod(module).failed for module in (numbers, validity)] == [0, 0]
