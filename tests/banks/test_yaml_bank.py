"""A faulty bank file names file, line and cure; a sound one is read as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quizapp.banks.faults import Level
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.measurement.assembly import Blueprint
from tests.banks.files import SOUND, line_of, spoilt, write


def test_a_sound_file_is_read_as_it_stands(tmp_path: Path):
    reading = read_folder(write(tmp_path))
    assert reading.faults == []
    first, second = reading.banks.items
    assert (first.code, first.bank, first.topic, first.key, first.ordered) == (
        "SAF-FIRE-001",
        "safety",
        "fire",
        ("b",),
        False,
    )
    assert [option.id for option in first.options] == ["a", "b", "c", "d"]
    law = {"zh": "中华人民共和国消防法", "en": "Fire Protection Law of the People’s Republic of China"}
    assert first.citation == {"document": law, "article": {"zh": "第六条", "en": "Article 6"}, "year": 2021}
    assert (second.key, second.options, second.is_true) == (("f",), (), False)
    assert second.line == line_of(SOUND, "  - id: SAF-FIRE-002")
    assert first.line_of("option c") == line_of(SOUND, "      - {id: c")


def test_numbers_written_as_text_stay_text(tmp_path: Path):
    text = spoilt("{id: a, zh: 往锅里倒一碗清水, en: Pour a bowl of water into it}", "{id: a, zh: 012, en: yes}")
    (first, _) = read_folder(write(tmp_path, text)).banks.items
    assert (first.options[0].zh, first.options[0].en) == ("012", "yes")


ARTICLE = "      article: {zh: 第六条, en: Article 6}\n"
#: Options c and d of the first item.
LAST_TWO = "".join(SOUND.splitlines(keepends=True)[18:20])

#: What is replaced, by what, the code of the fault, the piece at whose line it stands, and what the cure says.
SPOILT = [
    ("bank: safety\n", "bank: safety\nbank: safety\n", "duplicate_field", None, "Keep one"),
    ("    key: b\n", "    key: b\n    orderd: true\n", "unknown_field", "orderd:", "Did you mean ordered?"),
    ("    key: b\n", "    key: b\n    colour: x\n", "unknown_field", "colour:", "The fields are: id, type"),
    ("    fact: D04\n", "", "missing_field", "  - id: SAF-FIRE-001", "Add fact"),
    ("type: single_choice", "type: essay", "not_one_of", "type: essay", "single_choice"),
    ("difficulty: 3", "difficulty: hard", "wrong_type", "difficulty: hard", "difficulty: 3"),
    ("difficulty: 3", "difficulty: 6", "out_of_range", "difficulty: 6", "1 and 5"),
    ("    key: b\n", "    key: b\n    stimulus: story\n", "not_one_of", "stimulus:", "situation"),
    ("    fact: D04\n", "    fact: D04\n    tags: [Hot Work]\n", "wrong_pattern", "tags:", "hot_work"),
    (
        "    key: b\n",
        "    image: {file: safety/images/a.svg, alt: {zh: 灶台上一口着火的油锅, en: A pan on fire}}\n    key: b\n",
        "picture",
        "image:",
        "Draw it",
    ),
    ("id: SAF-FIRE-001", "id: fire 1", "wrong_pattern", "id: fire 1", "SAF-FIRE-001"),
    ("key: b", "key: f", "not_one_of", "key: f", "a, b, c, d"),
    ("key: b", "key: [b]", "not_one_of", "key: [b]", "a, b, c, d"),
    ("key: false", 'key: "false"', "wrong_type", 'key: "false"', "true or false in true_false"),
    ("key: false", "key: no", "wrong_type", "key: no", "true or false in true_false"),
    (
        "    key: false\n",
        "    key: false\n    ordered: true\n",
        "options_not_allowed",
        "ordered: true",
        "Remove ordered",
    ),
    (
        "      zh: 炒菜时油锅突然起火，最先该怎么做？\n",
        '      zh: ""\n',
        "empty_text",
        '      zh: ""',
        "Write the text",
    ),
    (
        "      en: An e-bike may be charged in the stairwell for a short time.\n",
        "",
        "missing_field",
        "    stem:\n      zh: 楼道",
        "Add en",
    ),
    ("炒菜时油锅突然起火，最先该怎么做？", "长" * 201, "too_long", "长长", "Shorten"),
    (LAST_TWO, "", "wrong_count", "    options:", "3 to 4"),
    (ARTICLE, "", "missing_field", "    citation:", "Add article"),
    (ARTICLE, "      article: {zh: 第六条}\n", "missing_field", "      article: {zh: 第六条}", "Add en"),
    (ARTICLE, "      article: [第六条]\n", "wrong_type", "      article: [第六条]", "{zh: …, en: …}"),
    ("title: {zh: 消防安全, en: Fire safety}", "title: 消防安全", "wrong_type", "title:", "{zh: …, en: …}"),
    ("bank: safety", "bank: health", "wrong_bank", "bank: health", "bank: safety"),
    ("topic: fire", "topic: Fire safety", "wrong_pattern", "topic: Fire", "small letters"),
    ("      zh: 炒菜时油锅突然起火", "     zh: 炒菜时油锅突然起火", "yaml", None, "indentation"),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "at", "cure"), SPOILT, ids=[f"{s[2]}-{n}" for n, s in enumerate(SPOILT)]
)
def test_a_fault_of_format_names_file_line_and_cure(tmp_path: Path, old, new, code, at, cure):
    text = spoilt(old, new)
    reading = read_folder(write(tmp_path, text))
    (fault,) = reading.faults
    assert (fault.code, fault.level, fault.file) == (code, Level.REFUSE, "safety/fire.yaml")
    if at is not None:
        assert fault.line == line_of(text, at)
    assert cure in fault.cure
    assert re.fullmatch(r"safety/fire\.yaml:\d+: .+\. .+[.?]\.?", str(fault))
    assert reading.refused


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path):
    text = spoilt("fact: D04", "fact: ''").replace("difficulty: 2\n", "difficulty: 7\n")
    assert [fault.code for fault in read_folder(write(tmp_path, text)).faults] == ["empty_text", "out_of_range"]


def test_multiple_choice_has_two_to_four_right_options(tmp_path: Path):
    choice = spoilt("type: single_choice", "type: multiple_choice")
    good = choice.replace("key: b", "key: [c, a]")
    assert read_folder(write(tmp_path / "good", good)).banks.items[0].key == ("a", "c")
    for key, code in (
        ("[a]", "wrong_count"),
        ("[a, a]", "repeated_entry"),
        ("[a, f]", "not_one_of"),
        ("a", "wrong_type"),
    ):
        reading = read_folder(write(tmp_path / key, choice.replace("key: b", f"key: {key}")))
        assert [fault.code for fault in reading.faults] == [code]


def test_a_folder_without_bank_files_is_refused(tmp_path: Path):
    assert [fault.code for fault in read_folder(tmp_path).faults] == ["no_files"]


STANDARD = """\
standard: literacy_2016
title: {zh: 标准, en: Standard}
benchmarks:
  - number: 1
    name: {zh: 一, en: One}
    title: {zh: 第一, en: First}
    points:
      1: {zh: 点一, en: Point one}
      2: {zh: 点二, en: Point two}
  - number: 2
    name: {zh: 二, en: Two}
    title: {zh: 第二, en: Second}
    points:
      3: {zh: 点三, en: Point three}
"""


def test_a_standard_is_read_with_its_points(tmp_path: Path):
    write(tmp_path, STANDARD, "standards/literacy_2016.yaml")
    reading = read_folder(write(tmp_path))
    assert reading.faults == []
    assert reading.banks.benchmark_of_point == {1: 1, 2: 1, 3: 2}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("  - number: 2", "  - number: 3", 10), ("      3: {zh", "      4: {zh", 14), ("      2: {zh", "      5: {zh", 9)],
)
def test_a_gap_in_the_standard_is_refused(tmp_path: Path, old, new, line):
    write(tmp_path, STANDARD.replace(old, new), "standards/literacy_2016.yaml")
    faults = read_folder(write(tmp_path)).faults
    assert [(fault.code, fault.line) for fault in faults] == [("standard_numbers", line)]


def test_blueprints_are_read_and_their_shape_is_checked(tmp_path: Path):
    text = """\
blueprints:
  - code: safety_20
    bank: safety
    title: {zh: 安全, en: Safety}
    description: {zh: 问什么, en: What is asked}
    rules: {items: 2, types: {true_false: 1, single_choice: 1}, points_each: 50, pass_score: 60, minutes: 5}
"""
    write(tmp_path, text, "blueprints.yaml")
    reading = read_folder(write(tmp_path))
    assert reading.faults == []
    assert reading.banks.blueprints[0].rules["types"] == {"true_false": 1, "single_choice": 1}
    more = "minutes: 5, dimensions: {method: [1, 2]}, difficulty: {5: [0, 1]}, topics: {counts: {fire: 2}}, use_max: 2, levels: {basic: 55}"
    write(tmp_path, text.replace("minutes: 5", more), "blueprints.yaml")
    reading = read_folder(tmp_path)
    assert reading.faults == []
    assert Blueprint.from_rules(reading.banks.blueprints[0].rules).levels == {5: (0, 1)}
    write(tmp_path, text.replace("minutes: 5", "minutes: soon"), "blueprints.yaml")
    (fault,) = read_folder(tmp_path).faults
    assert (fault.code, fault.file, fault.line) == ("wrong_type", "blueprints.yaml", 6)
