"""Scores of two standards in one sample are refused, however the names are written and wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analyse.test_literacy import answer, refusal

DRAWN = 'sampling = "probability"\noutcome = "score"\n'
#: With a standard, by a score alone, and a mean of scores.
DESIGNS = ('standard = "survey_2024"\nadults_only = true\n', "at_least = 60\n", 'statistic = "mean"\n')


def scores(column: str, *names: str) -> str:
    return f"score,{column}\n" + "".join(f"{40 + n},{names[n % len(names)]}\n" for n in range(20))


@pytest.mark.parametrize("column", ["standard", "test", "标准", "remarks"])
@pytest.mark.parametrize(
    "names",
    [
        ("literacy_2016", "survey_2024"),
        ("Literacy_2016", "survey_2024"),
        ("LITERACY 2016", " Survey-2024 "),
        ("ｌｉｔｅｒａｃｙ＿２０１６", "survey2024"),
    ],
)
def test_both_standards_in_one_column_are_refused(column: str, names: tuple[str, ...], tmp_path: Path) -> None:
    for design in DESIGNS:
        error = refusal(tmp_path, scores(column, *names), DRAWN + design)["error"]
        assert error["code"] == "standards_mixed"
        assert f"column {column}: " in error["message"]


def test_among_other_words_both_names_are_found_too(tmp_path: Path) -> None:
    text = scores("remarks", "Literacy_2016", "survey_2024", "", "paper copy")
    assert refusal(tmp_path, text, DRAWN + "at_least = 60\n")["error"]["code"] == "standards_mixed"


def test_one_standard_is_one_however_it_is_written(tmp_path: Path) -> None:
    design = DRAWN + 'standard = "Survey 2024"\nadults_only = true\n'
    found = answer(tmp_path, scores("test", "SURVEY_2024", "survey-2024", "ｓurvey 2024"), design)
    assert found["n"] == 20
    assert not any("no column says" in warning for warning in found["warnings"])
    other = refusal(tmp_path, scores("test", "Literacy_2016"), design)["error"]
    assert (other["code"], other["message"]) == (
        "standards_mixed",
        "column test: the scores are of literacy_2016, the design names survey_2024",
    )
    # a word among others says nothing of the scores
    said = answer(tmp_path, scores("remarks", "literacy_2016", "paper copy"), design)
    assert any("no column says" in warning for warning in said["warnings"])
    assert answer(tmp_path, scores("standard", "literacy_2016", "x"), DRAWN + "at_least = 60\n")["n"] == 20
