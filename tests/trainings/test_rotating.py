"""Rotating codes and rights, and the hours that attending gives: rules without a database."""

from __future__ import annotations

import base64
import io

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from quizapp.core.clock import to_ms
from quizapp.core.tokens import POSTER_ALPHABET, Keys
from quizapp.trainings.hours import LEEWAY_MS, STEP_TENTHS, hours_earned
from quizapp.trainings.matrices import QUIET, matrix_path, matrix_text
from quizapp.trainings.rotating import PROOF_MS, RIGHT_MS, SLOT_MS, Right, is_fresh, slot_of, token_of
from tests.conftest import START

NOW = to_ms(START)
KEYS = Keys(session=b"one", phone=b"two")
CODE = "ABCD2345"


@given(st.integers(0, 2**42), st.integers(-10 * SLOT_MS, 10 * SLOT_MS))
def test_a_code_holds_one_slot_ahead_and_two_behind(now: int, away: int) -> None:
    at = max(0, now + away)
    slots_away = slot_of(at) - slot_of(now)
    assert is_fresh(KEYS, CODE, token_of(KEYS, CODE, slot_of(at)), now) == (-2 <= slots_away <= 1)


def test_a_photograph_is_worth_nothing_a_minute_later() -> None:
    for second in range(20):
        taken = NOW + second * 1000
        assert not is_fresh(KEYS, CODE, token_of(KEYS, CODE, slot_of(taken)), taken + 60_000)
        assert is_fresh(KEYS, CODE, token_of(KEYS, CODE, slot_of(taken)), taken + 40_000)


def test_a_code_of_yesterday_of_another_session_or_of_another_installation_does_not_hold() -> None:
    token = token_of(KEYS, CODE, slot_of(NOW))
    assert is_fresh(KEYS, CODE, f" {token[:4].lower()}-{token[4:]}", NOW)
    assert not is_fresh(KEYS, CODE, token, NOW + 24 * 3600 * 1000)
    assert not is_fresh(KEYS, "WXYZ6789", token, NOW)
    assert not is_fresh(Keys(session=b"other", phone=b"two"), CODE, token, NOW)
    assert not is_fresh(KEYS, CODE, "", NOW)


@given(st.integers(0, 2**40))
def test_codes_are_eight_characters_of_the_poster_alphabet(slot: int) -> None:
    token = token_of(KEYS, CODE, slot)
    assert len(token) == 8
    assert set(token) <= set(POSTER_ALPHABET)


def test_a_right_is_known_again_by_its_own_session_alone() -> None:
    right = Right.new(CODE, NOW)
    sealed = right.sealed(KEYS)
    assert Right.opened(KEYS, CODE, sealed, NOW) == right
    assert Right.opened(KEYS, "WXYZ6789", sealed, NOW) is None
    issued, nonce, signature = sealed.split(".")
    for forged in (
        f"{NOW + 1}.{nonce}.{signature}",
        f"{issued}.{nonce[:-1]}x.{signature}",
        f"{issued}.{nonce}.",
        "",
        None,
    ):
        assert Right.opened(KEYS, CODE, forged, NOW) is None
    assert not right.expired(NOW + RIGHT_MS)
    assert right.expired(NOW + RIGHT_MS + 1)
    assert Right.opened(KEYS, CODE, sealed, NOW + PROOF_MS) == right
    assert Right.opened(KEYS, CODE, sealed, NOW + PROOF_MS + 1) is None
    assert Right.new(CODE, NOW).hash != right.hash


def _picture(width: int, dark: list[tuple[int, int]], scale: int = 6) -> Image.Image:
    image = Image.new("L", (width * scale, width * scale), 255)
    draw = ImageDraw.Draw(image)
    for x, y in dark:
        draw.rectangle((x * scale, y * scale, (x + 1) * scale - 1, (y + 1) * scale - 1), fill=0)
    return image


@pytest.mark.parametrize("host", ["http://127.0.0.1:8000", "https://kexue.linjiang-district.gov.cn"])
def test_the_modules_of_a_code_read_as_its_address_in_both_forms(host: str) -> None:
    for slot in range(5):
        address = f"{host}/s/{CODE}/{token_of(KEYS, CODE, slot)}"
        size, packed = matrix_text(address).split(".")
        width = int(size)
        bits = "".join(f"{byte:08b}" for byte in base64.b64decode(packed))
        dark = [(i % width + QUIET, i // width + QUIET) for i in range(width * width) if bits[i] == "1"]
        (found,) = zxingcpp.read_barcodes(_picture(width + 2 * QUIET, dark))
        assert found.text == address
        whole, path = matrix_path(address)
        assert whole == width + 2 * QUIET
        drawn = []
        for run in path.split("M")[1:]:
            start, rest = run.split("h", 1)
            x, y = map(int, start.split())
            drawn += [(x + i, y) for i in range(int(rest.split("v")[0]))]
        assert sorted(drawn) == sorted(dark)
        _picture(whole, drawn).save(io.BytesIO(), "PNG")


# hours

BEGIN, END = NOW, NOW + 7_200_000
_moments = st.integers(BEGIN - 3_600_000, END + 3_600_000)
_session = {"check_out": True, "starts_at": BEGIN, "ends_at": END}


@given(st.integers(0, 100), _moments, st.one_of(st.none(), _moments))
def test_without_a_check_out_being_there_gives_all(hours: int, in_at: int, out_at: int | None) -> None:
    assert hours_earned(hours, **{**_session, "check_out": False}, in_at=in_at, out_at=out_at) == hours


@given(st.integers(0, 100), _moments)
def test_who_does_not_check_out_has_nothing_yet(hours: int, in_at: int) -> None:
    assert hours_earned(hours, **_session, in_at=in_at, out_at=None) == 0


@given(st.integers(0, 100), _moments, _moments)
def test_a_quarter_of_an_hour_is_forgiven_and_the_rest_counts_by_half_hours(
    hours: int, in_at: int, out_at: int
) -> None:
    earned = hours_earned(hours, **_session, in_at=in_at, out_at=out_at)
    assert 0 <= earned <= hours
    if in_at <= BEGIN + LEEWAY_MS and out_at >= END - LEEWAY_MS:
        assert earned == hours
    else:
        assert earned % STEP_TENTHS == 0
        there = max(0, min(out_at, END) - max(in_at, BEGIN))
        assert earned <= hours * there / (END - BEGIN) < earned + STEP_TENTHS


@given(st.integers(0, 100), _moments, _moments, st.integers(0, 3_600_000))
def test_staying_longer_or_coming_earlier_never_costs_anything(hours: int, in_at: int, out_at: int, more: int) -> None:
    earned = hours_earned(hours, **_session, in_at=in_at, out_at=out_at)
    assert hours_earned(hours, **_session, in_at=in_at - more, out_at=out_at) >= earned
    assert hours_earned(hours, **_session, in_at=in_at, out_at=out_at + more) >= earned


@pytest.mark.parametrize(
    ("late", "early", "earned"),
    [(0, 0, 20), (15, 15, 20), (16, 0, 15), (0, 16, 15), (60, 0, 10), (61, 0, 5), (60, 59, 0), (119, 0, 0)],
)
def test_two_hours_by_minutes(late: int, early: int, earned: int) -> None:
    assert hours_earned(20, **_session, in_at=BEGIN + late * 60_000, out_at=END - early * 60_000) == earned
