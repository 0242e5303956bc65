"""How pages write days, times, figures and names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from quizapp.core.clock import to_ms
from quizapp.ui import filters

FRIDAY = datetime(2026, 11, 27, 6, 3, tzinfo=UTC)  # 14:03 in Shanghai


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "system_clock", lambda: datetime(2026, 11, 23, 2, 0, tzinfo=UTC))


@pytest.fixture
def chinese(gallery: Flask) -> Iterator[None]:
    with gallery.test_request_context():
        yield


@pytest.fixture
def english(gallery: Flask) -> Iterator[None]:
    with gallery.test_request_context(headers={"Cookie": "lang=en"}):
        yield


@pytest.mark.usefixtures("chinese")
def test_days_are_written_as_people_say_them() -> None:
    assert filters.format_day(FRIDAY) == "11月27日 周五"
    assert filters.format_day(to_ms(FRIDAY)) == "11月27日 周五"
    assert filters.format_day(date(2025, 1, 2)) == "2025年1月2日 周四"
    assert [filters.format_day(date(2026, 11, day)) for day in (22, 23, 24, 25)] == [
        "昨天",
        "今天",
        "明天",
        "11月25日 周三",
    ]
    assert filters.format_day(date(2026, 11, 23), words=False) == "11月23日 周一"
    assert filters.format_day(None) == "–"


@pytest.mark.usefixtures("english")
def test_days_in_english() -> None:
    assert filters.format_day(FRIDAY) == "Fri 27 Nov"
    assert filters.format_day(date(2025, 1, 2)) == "Thu 2 Jan 2025"
    assert filters.format_moment(FRIDAY) == "Fri 27 Nov, 14:03"


@pytest.mark.usefixtures("chinese")
def test_an_instant_late_in_the_evening_utc_belongs_to_the_next_local_day() -> None:
    assert filters.format_day(datetime(2026, 11, 26, 16, 30, tzinfo=UTC)) == "11月27日 周五"
    assert filters.format_clock(datetime(2026, 11, 26, 16, 30, tzinfo=UTC)) == "00:30"


@pytest.mark.usefixtures("chinese")
def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        filters.format_clock(datetime(2026, 11, 27, 14, 3))  # noqa: DTZ001 # that is what is refused


@pytest.mark.usefixtures("chinese")
def test_periods_name_one_day_once_and_midnight_as_the_end_of_the_day() -> None:
    assert filters.format_period(FRIDAY, FRIDAY + timedelta(minutes=87)) == "11月27日 周五 14:03–15:30"
    midnight = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    assert filters.format_period(FRIDAY, midnight) == "11月27日 周五 14:03 至 11月30日 周一 24:00"
    assert filters.format_period(None, midnight) == "11月30日 周一 24:00 止"
    assert filters.format_moment(midnight, end=True) == "11月30日 周一 24:00"
    assert filters.format_moment(midnight) == "12月1日 周二 00:00"


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 秒"),
        (20, "20 秒"),
        (60, "1 分钟"),
        (1880, "31 分 20 秒"),
        (3600, "1 小时"),
        (3905, "1 小时 5 分"),
        (-3, "0 秒"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert filters.format_duration(seconds) == text
    assert filters.format_duration(timedelta(seconds=seconds)) == text


def test_figures_have_thousands_one_decimal_and_an_en_dash() -> None:
    assert filters.format_number(6042) == "6,042"
    assert filters.format_percent(0.7786) == "77.9%"
    assert filters.format_interval(0.767, 0.789) == "76.7–78.9"
    assert (filters.format_number(None), filters.format_percent(None), filters.format_interval(None, 0.5)) == ("–",) * 3


@pytest.mark.parametrize(
    ("name", "masked"),
    [("李建国", "李*国"), ("李明", "李*"), ("欧阳建国", "欧*国"), ("李", "*"), ("", "–"), (None, "–")],
)
def test_a_masked_name_shows_first_and_last(name: str | None, masked: str) -> None:
    assert filters.masked_name(name) == masked


@given(st.text(min_size=3, max_size=12).filter(lambda s: len(s.strip()) >= 3))
def test_a_masked_name_never_shows_more_than_two_characters(name: str) -> None:
    assert len(filters.masked_name(name).replace("*", "", 1)) <= 2


@given(st.lists(st.integers(0, 10_000_000), min_size=2, max_size=5, unique=True))
def test_written_numbers_keep_their_order(values: list[int]) -> None:
    written = [int(filters.format_number(value).replace(",", "")) for value in sorted(values)]
    assert all(one < other for one, other in pairwise(written))


@pytest.mark.usefixtures("english")
def test_texts_fall_back_to_chinese() -> None:
    assert filters.lang_text({"zh": "火", "en": "fire"}) == "fire"
    assert filters.lang_text({"zh": "火"}) == "火"
    assert filters.lang_text(None) == ""


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        ((0.4, 1.0), [40, 60, 80, 100]),
        ((0.6, 1.0), [60, 70, 80, 90, 100]),
        ((0.5, 1.0), [60, 80, 100]),
        ((0.1, 1.0), [20, 40, 60, 80, 100]),
        ((0, 1), [0, 25, 50, 75, 100]),
        ((0.0, 0.3), [0, 10, 20, 30]),
        ((-0.4, 0.4), [-40, -20, 0, 20, 40]),
    ],
)
def test_a_scale_has_few_round_figures(scale: tuple[float, float], ticks: list[int]) -> None:
    assert [round(100 * tick) for tick in filters.scale_ticks(scale)] == ticks


@given(st.integers(-10, 9), st.integers(1, 20))
def test_the_figures_of_a_scale_never_crowd_and_stand_equally_far_apart(low: int, tens: int) -> None:
    scale = (low / 10, min(1.0, (low + tens) / 10))
    ticks = filters.scale_ticks(scale)
    assert 2 <= len(ticks) <= filters.MOST_TICKS
    assert scale[0] <= ticks[0] < ticks[-1] <= scale[1]
    assert len({round(100 * (after - before)) for before, after in pairwise(ticks)}) == 1
    assert 0 in ticks or not scale[0] < 0 < scale[1], "no change has its figure"
