"""What is written is read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizapp.banks.formats.writing import file_name, json_lines, topic_yaml
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.parsed import Option, ParsedBanks, ParsedItem, ParsedTopic, Picture
from tests.banks.files import make_banks, make_item, make_true_false, write

PICTURE = "safety/images/saf-fire-001.svg"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text data-en="Fire">火</text></svg>'


def text(most: int) -> st.SearchStrategy[str]:
    """Any text that a person could type in one line, and words that YAML could take for something else."""
    tricky = st.sampled_from(
        [
            "no",
            "true",
            "null",
            "12",
            "1.5",
            "2028-12",
            "- a",
            "# a",
            "a: b",
            "a #b",
            "{x}",
            "'",
            '"',
            "~",
            "a, b]",
            " a ",
            "**不**",
        ]
    )
    return tricky | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=most)


def both(most: int, least: int = 1) -> st.SearchStrategy[dict[str, str]]:
    language = text(most).map(lambda t: t if len(t) >= least else t + "x" * least)
    return st.fixed_dictionaries({"zh": language, "en": language})


@st.composite
def items(draw: st.DrawFn, number: int) -> ParsedItem:
    kind = draw(st.sampled_from(["true_false", "single_choice", "multiple_choice"]))
    options: tuple[Option, ...] = ()
    if kind == "true_false":
        key = (draw(st.sampled_from("tf")),)
    else:
        low, high = (3, 4) if kind == "single_choice" else (4, 5)
        ids = "abcde"[: draw(st.integers(low, high))]
        options = tuple(Option(id, draw(text(20)), draw(text(20))) for id in ids)
        right = 1 if kind == "single_choice" else draw(st.integers(2, min(4, len(ids))))
        key = tuple(sorted(draw(st.permutations(ids))[:right]))
    citation = {
        "document": draw(text(20) | both(20)),
        "article": draw(text(20) | both(20)),
        "year": draw(st.integers(1900, 2100)),
    }
    if draw(st.booleans()):
        citation |= {"valid_until": "2027-12", "replaces": draw(text(20) | both(20))}
    item = make_item(
        f"SAF-FIRE-{number:03}",
        type=kind,
        options={},
        key=key,
        citation=citation,
        ordered=bool(options) and draw(st.booleans()),
        use=draw(st.sampled_from(["practice", "test", "both"])),
        dimension=draw(st.sampled_from(["knowledge", "method", "spirit", "application"])),
        difficulty=draw(st.integers(1, 5)),
        state=draw(st.sampled_from(["draft", "in_review", "approved"])),
        tags=draw(st.sampled_from([(), ("hot_work",), ("no", "on", "four_ones")])),
        audience=draw(st.sampled_from([(), ("resident",), ("driver", "pupil")])),
        stimulus=draw(st.none() | st.sampled_from(["situation", "table", "chart", "picture"])),
        image=Picture(PICTURE, draw(both(20, least=8)), SVG) if draw(st.booleans()) else None,
        point=draw(st.none() | st.integers(1, 132)),
        fact=draw(text(10)),
        objective=draw(both(20)),
        stem=draw(both(60)),
        rationale=draw(both(80)),
    )
    return replace(item, options=options)


@st.composite
def topics(draw: st.DrawFn) -> ParsedTopic:
    made = tuple(draw(items(number)) for number in range(draw(st.integers(1, 3))))
    return ParsedTopic("safety", "fire", draw(both(20)), made, "safety/fire.yaml")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(topics())
def test_a_topic_that_is_written_is_read_back_equal(tmp_path: Path, topic: ParsedTopic):
    write(tmp_path, SVG, PICTURE)
    reading = read_folder(write(tmp_path, topic_yaml(topic), file_name(topic)))
    assert reading.faults == []
    assert reading.banks == ParsedBanks((topic,))


def test_a_topic_without_a_file_is_written_under_its_code():
    assert file_name(ParsedTopic("safety", "fire", {"zh": "消防", "en": "Fire"}, ())) == "safety/fire.yaml"


def test_the_exchange_format_has_one_object_per_line():
    source = {"document": {"zh": "手册", "en": "Handbook"}, "article": "第一条", "year": 2021, "valid_until": "2027-12"}
    first = make_item(key=("b",), citation=source)
    second = make_true_false("SAF-FIRE-002", true=False, use="practice", bank="energy_environment", point=7)
    choice, statement = (json.loads(line) for line in json_lines(make_banks(first, second)))
    assert choice["key"] == [1]
    assert choice["options"][1]["zh"] == "盖上锅盖并关火"
    assert choice["citation"] == source
    assert (choice["use"], choice["valid_until"], choice["benchmark_points"]) == (["practice", "test"], "2027-12", [])
    assert (statement["bank"], statement["key"], statement["use"]) == ("energy", [1], ["practice"])
    assert (statement["benchmark_points"], statement["valid_until"], statement["image"]) == (["7"], None, None)
    assert [option["zh"] for option in statement["options"]] == ["正确", "错误"]
