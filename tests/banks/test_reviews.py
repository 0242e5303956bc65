"""The record of blind readings: what is read of it, and what it says of the present wordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.models import ItemBank
from quizapp.banks.quality import quality_page
from quizapp.banks.reviews import (
    COLUMNS,
    ReaderRole,
    Reading,
    Verdict,
    bank_summary,
    chance_of,
    key_of,
    last_readings,
    read_reviews,
    role_figures,
)
from quizapp.banks.services import load_banks
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM
from tests.banks.files import make_banks, make_item, make_true_false, write
from tests.conftest import START

ITEM = make_item("SAF-FIRE-001", key=("b",))
STATEMENT = make_true_false("SAF-FIRE-002", true=False)
NAME = "reviews/2026-11-27_round1_expert.csv"


def row(item=ITEM, role="expert", answer="b", verdict="fine", note="", version=None) -> str:
    return ",".join([item.code, version or item.shown_hash(), role, f'"{answer}"', verdict, note])


def record(folder: Path, *rows: str, name: str = NAME) -> Path:
    return write(folder, "\n".join([",".join(COLUMNS), *rows]) + "\n", name)


def reading(item=ITEM, role=ReaderRole.EXPERT, answer="b", number=1) -> Reading:
    chance = chance_of(item.type, len(item.options))
    day = "2026-11-27"
    return Reading(item.code, item.shown_hash(), role, answer, Verdict.FINE, "", day, number, key_of(item), chance)


def test_a_record_is_read_with_its_round_and_day(tmp_path: Path):
    record(tmp_path, row(), row(STATEMENT, answer="t", verdict="second_answer", note="it depends"))
    readings, faults = read_reviews(tmp_path, [ITEM, STATEMENT])
    assert faults == []
    assert [(r.item, r.answer, r.verdict, r.round, r.day) for r in readings] == [
        (ITEM.code, "b", "fine", 1, "2026-11-27"),
        (STATEMENT.code, "t", "second_answer", 1, "2026-11-27"),
    ]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (row(answer="k"), "review_row"),
        (row(role="friend"), "review_row"),
        (row(verdict="nice"), "review_row"),
        (row(version="1"), "review_row"),
        (row(replace(ITEM, code="SAF-FIRE-099")), "review_row"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_by_its_line(tmp_path: Path, bad: str, code: str):
    record(tmp_path, row(), bad)
    _readings, faults = read_reviews(tmp_path, [ITEM])
    assert [(fault.code, fault.file, fault.line) for fault in faults] == [(code, NAME, 3)]


def test_an_older_wording_counts_by_the_key_that_it_had(tmp_path: Path):
    old = "0123456789ab"
    write(tmp_path, f"item,version,type,options,key\n{ITEM.code},{old},single_choice,4,d\n", "reviews/versions.csv")
    record(tmp_path, row(version=old, answer="d"))
    readings, faults = read_reviews(tmp_path, [ITEM])
    assert faults == []
    assert [(r.key, r.agrees, r.chance) for r in readings] == [("d", True, 0.25)]
    assert last_readings(readings, [ITEM]) == []


def test_a_version_that_cannot_be_read_is_told(tmp_path: Path):
    write(
        tmp_path,
        "item,version,type,options,key\nSAF-FIRE-001,0123456789ab,single_choice,four,d\n",
        "reviews/versions.csv",
    )
    assert [(f.code, f.line) for f in read_reviews(tmp_path, [ITEM])[1]] == [("review_row", 2)]


def test_a_file_that_is_no_record_is_told(tmp_path: Path):
    record(tmp_path, row(), name="reviews/mine.csv")
    write(tmp_path, "item,answer\n", "reviews/2026-11-27_round2_expert.csv")
    assert [fault.code for fault in read_reviews(tmp_path, [])[1]] == ["review_columns", "review_file"]


def test_agreement_is_counted_by_the_key_of_then_and_against_chance():
    (figures,) = role_figures([reading(answer="b"), reading(STATEMENT, answer="t")])
    assert (figures.read, figures.agreed, figures.agreement) == (2, 1, 0.5)
    assert figures.above_chance == pytest.approx((1 - 0.75) / 2)


@given(st.integers(4, 5))
def test_blind_choice_of_several_options_has_the_chance_of_one_set_in_all(count: int):
    options = {letter: letter * 3 for letter in "abcde"[:count]}
    item = make_item(type="multiple_choice", options=options, key=("a", "c"))
    sets = sum(bin(number).count("1") >= 2 for number in range(2**count))
    assert chance_of(item.type, count) == 1 / sets


def test_a_reading_of_an_older_wording_does_not_vouch_for_the_present_one():
    solvers = (ReaderRole.EXPERT, ReaderRole.GUESSER, ReaderRole.SCEPTIC)
    now = [reading(role=role) for role in solvers]
    assert bank_summary(now, [ITEM]) == {
        "items": 1,
        "read": 1,
        "last": "2026-11-27",
        "roles": [{"role": role, "read": 1, "agreed": 1} for role in ("expert", "guesser", "sceptic")],
    }
    reworded = replace(ITEM, stem={"zh": "着火时先做什么才对呢？", "en": "What first?"})
    assert bank_summary(now, [reworded]) is None
    later = [*now, *(reading(reworded, role, "a", 2) for role in solvers[:2])]
    assert bank_summary(later, [reworded])["read"] == 0  # type: ignore[index]


def test_loading_keeps_what_the_readers_found(tmp_path: Path, database: Database):
    with database.session() as db, transaction(db):
        banks = make_banks(ITEM, STATEMENT)
        load_banks(db, banks, actor=SYSTEM, now=START, reviews=[reading()])
        bank = db.query(ItemBank).one()
        assert bank.reviews["roles"] == [{"role": "expert", "read": 1, "agreed": 1}]
        load_banks(db, banks, actor=SYSTEM, now=START)
        assert bank.reviews is None


def test_the_page_of_figures_has_a_line_for_each_reader(tmp_path: Path):
    write(tmp_path)
    first, second = read_folder(tmp_path).banks.items
    record(tmp_path, row(first), row(second, answer="f", verdict="cue", note="an only"))
    read = read_folder(tmp_path)
    assert read.faults == []
    page = quality_page(read.banks, read.reviews)
    assert "| 1 | expert | 2 | 100.0 % | +62.5 | 1 |" in page
    assert "Items whose present wording each of the three solvers read: 0 of 2." in page
    assert "| expert | 2 | 0 | 1 | 0 | 0 | 1 |" in page
    assert "Items that expert and sceptic both call answerable by cues: 0." in page
    assert "No reading is on record" in quality_page(read.banks, [])


def test_the_page_of_figures_names_what_two_guessers_find_by_cues():
    other = make_item("SAF-FIRE-003", key=("b",))
    cue = {"verdict": Verdict.CUE}
    guessed = [replace(reading(role=role), **cue) for role in (ReaderRole.GUESSER, ReaderRole.OPTIONS_ONLY)]
    wrong = [replace(reading(other, role, "a"), **cue) for role in (ReaderRole.GUESSER, ReaderRole.OPTIONS_ONLY)]
    known = [replace(reading(other, role, "b"), **cue) for role in (ReaderRole.EXPERT, ReaderRole.SCEPTIC)]
    page = quality_page(make_banks(ITEM, other), [*guessed, *wrong, *known])
    assert "| guesser | 2 | 0 | 2 | 0 | 0 | 1 |" in page
    assert (
        "Items that guesser and options_only both call answerable by cues, both with the right answer: 1 (SAF-FIRE-001)."
        in page
    )
    assert "Items that expert and sceptic both call answerable by cues: 1 (SAF-FIRE-003)." in page
