"""`quizapp analyse literacy`: R's figures from its files, and a stated reason where there is no estimate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xlsxwriter
from click.testing import CliRunner, Result

from quizapp.cli import group
from tests.measurement.reference import DATA, columns, expected
from tests.operations.support import run_command

R = expected("survey_expected.json")
STRATIFIED = """
sampling = "probability"
outcome = "sch.wide"
success = "Yes"
weight = "pw"
strata = "stype"
fpc = ["fpc"]
"""
CLUSTERED = """
sampling = "probability"
outcome = "comp.imp"
success = "Yes"
weight = "pw"
clusters = ["dnum"]
fpc = ["fpc"]
"""
MARGINS = """
[margins."sch.wide"]
No = 1072
Yes = 5122
[margins.stype]
E = 4421
H = 755
M = 1018
"""


def run(tmp_path: Path, sample: Path | str, design: str, *more: str) -> Result:
    if isinstance(sample, str):
        (tmp_path / "sample.csv").write_text(sample, encoding="utf-8")
        sample = tmp_path / "sample.csv"
    (tmp_path / "design.toml").write_text(design, encoding="utf-8")
    return CliRunner().invoke(
        group, ["analyse", "literacy", str(sample), "--design", str(tmp_path / "design.toml"), *more]
    )


def answer(tmp_path: Path, sample: Path | str, design: str) -> dict[str, Any]:
    done = run(tmp_path, sample, design, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refusal(tmp_path: Path, sample: Path | str, design: str) -> dict[str, Any]:
    done = run(tmp_path, sample, design, "--format", "json")
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert told["error"]["message"]
    return told


@pytest.mark.parametrize(
    ("interval", "name"), [("korn_graubard", "beta"), ("logit", "xlogit"), ("wilson", "wilson"), ("wald", "mean")]
)
@pytest.mark.parametrize(
    ("file", "design", "entry"),
    [("apistrat.csv", STRATIFIED, R["strat"]["schwide_yes"]), ("apiclus1.csv", CLUSTERED, R["clus1"]["compimp_yes"])],
)
def test_rates_are_those_of_r(tmp_path: Path, file: str, design: str, entry: Any, interval: str, name: str) -> None:
    found = answer(tmp_path, DATA / file, f'{design}interval = "{interval}"\n')
    assert (found["estimate"], found["se"]) == pytest.approx((entry[name]["est"], entry[name]["se"]), rel=1e-8)
    assert (found["low"], found["high"]) == pytest.approx(entry[name]["ci95"], abs=1e-7)
    assert (found["method"], found["confidence"], found["domains"]) == (interval, 0.95, {})


def test_means_domains_and_scores_are_those_of_r(tmp_path: Path) -> None:
    mean = answer(
        tmp_path,
        DATA / "apistrat.csv",
        STRATIFIED.replace('success = "Yes"', 'statistic = "mean"').replace("sch.wide", "api00") + 'by = "stype"\n',
    )
    assert (mean["estimate"], mean["se"]) == pytest.approx((662.287363159321, 9.408940802785), rel=1e-8)
    assert (mean["design_effect"], mean["df"], mean["n"]) == pytest.approx((1.204457268538, 197, 200), rel=1e-8)
    for row in R["strat"]["svyby_mean_api00"]:
        found = mean["domains"][row["stype"]]
        assert (found["estimate"], found["se"]) == pytest.approx((row["mean"], row["se"]), rel=1e-8)
    rare = answer(
        tmp_path,
        DATA / "apiclus1.csv",
        CLUSTERED.replace("comp.imp", "api00").replace('success = "Yes"', "at_least = 900"),
    )
    assert (rare["low"], rare["high"]) == pytest.approx(R["clus1"]["rare_api00_ge_900"]["beta"]["ci95"], abs=1e-7)
    assert any("15 first-stage units" in warning for warning in rare["warnings"])


def test_raking_and_trimming_are_those_of_r(tmp_path: Path) -> None:
    wanted = R["calibration"]["rake_stype_schwide"]
    raked = answer(tmp_path, DATA / "apiclus1.csv", CLUSTERED + 'interval = "wilson"\n' + MARGINS)
    assert raked["estimate"] == pytest.approx(wanted["compimp_yes"]["wilson"]["est"], abs=1e-8)
    assert (raked["low"], raked["high"]) == pytest.approx(wanted["compimp_yes"]["wilson"]["ci95"], abs=1e-6)
    assert raked["weights"]["design_effect"] == pytest.approx(wanted["weights"]["kish_deff"])
    margin = answer(tmp_path, DATA / "apiclus1.csv", CLUSTERED.replace("comp.imp", "sch.wide") + MARGINS)
    assert (margin["low"], margin["high"], margin["method"]) == (None, None, "known")
    trimmed = answer(
        tmp_path,
        DATA / "apiclus1.csv",
        CLUSTERED.replace("comp.imp", "api00").replace('success = "Yes"', 'statistic = "mean"')
        + "trim = [20, 60]\n"
        + MARGINS,
    )
    wanted = R["calibration"]["trim_20_60_strict"]["svymean"]
    assert trimmed["estimate"] == pytest.approx(wanted["est"]["api00"], rel=1e-8)
    assert trimmed["se"] == pytest.approx(wanted["se"]["api00"], rel=1e-5)
    joint = answer(
        tmp_path,
        DATA / "apiclus1.csv",
        CLUSTERED + '[margins."stype*sch.wide"]\n"E*No" = 472\n"H*No" = 334\n"M*No" = 266\n'
        '"E*Yes" = 3949\n"H*Yes" = 421\n"M*Yes" = 752\n',
    )
    assert joint["weights"]["total"] == pytest.approx(6194)


def test_units_that_happen_to_be_alike_are_not_called_known(tmp_path: Path) -> None:
    text = "y,c\n" + "".join(f"{'Yes' if n < 3 else 'No'},{unit}\n" for unit in range(30) for n in range(10))
    design = 'sampling = "probability"\noutcome = "y"\nsuccess = "Yes"\n'
    found = answer(tmp_path, text, design + 'clusters = ["c"]\n')
    assert (found["estimate"], found["se"], found["method"]) == (
        pytest.approx(0.3),
        pytest.approx(0),
        "clopper_pearson",
    )
    assert (found["low"], found["high"]) == pytest.approx((0.24670, 0.35763), abs=1e-5)
    assert any("all alike" in warning for warning in found["warnings"])
    assert answer(tmp_path, text, design + 'strata = "y"\n')["method"] == "known"


def test_people_who_chose_to_take_part_are_no_sample(tmp_path: Path) -> None:
    told = refusal(tmp_path, DATA / "apistrat.csv", STRATIFIED.replace('"probability"', '"volunteers"'))
    assert told["error"]["code"] == "not_a_probability_sample"
    assert told["of_those_who_took_part"] == {"n": 200, "successes": 152, "rate": 0.76}
    assert told["sample_needed"] == {"margin": 0.02, "rate": 0.76, "people": 1752, "people_whatever_the_rate": 2401}
    assert "152 of 200" in told["error"]["message"]
    assert "2401" in told["error"]["message"]
    for design in (STRATIFIED.replace('sampling = "probability"', ""), 'sampling = "x"\noutcome = "no column"\n'):
        assert refusal(tmp_path, DATA / "apistrat.csv", design)["error"]["code"] == "not_a_probability_sample"


def test_a_rate_of_nobody_is_no_plan_for_one_person(tmp_path: Path) -> None:
    for had, share, said in ((0, 0.0, "next to nobody"), (1, 1.0, "nearly everybody")):
        told = refusal(tmp_path, "ok\n" + f"{had}\n" * 12, 'sampling = "volunteers"\noutcome = "ok"\n')
        assert told["sample_needed"] == {
            "margin": 0.02, "rate": share, "people": 189, "people_whatever_the_rate": 2401
        }  # fmt: skip
        assert said in told["error"]["message"]


SMALL = "person,unit,score,age,standard,town\n" + "".join(
    f"p{n},u{n % 8},{40 + 5 * (n % 12)},{14 + n % 40},survey_2024,{'ab'[n % 2]}\n" for n in range(160)
)
SURVEY = 'sampling = "probability"\noutcome = "score"\nclusters = ["unit"]\nstandard = "survey_2024"\n'


def test_the_levels_of_the_standard_count_adults_only(tmp_path: Path) -> None:
    people = [(40 + 5 * (n % 12), 14 + n % 40) for n in range(160)]
    adults = [score for score, age in people if age >= 18]
    for level, threshold in (("", 70), ('level = "advanced"\n', 85), ('level = "basic"\n', 55)):
        found = answer(tmp_path, SMALL, SURVEY + level + 'age = "age"\nstandard_column = "standard"\n')
        assert found["n"] == len(adults)
        assert [(name, at["from"]) for name, at in found["levels"].items()] == [
            ("advanced", 85),
            ("literate", 70),
            ("basic", 55),
        ]
        assert all(
            at["estimate"] == pytest.approx(sum(score >= at["from"] for score in adults) / len(adults))
            for at in found["levels"].values()
        )
        assert found["estimate"] == pytest.approx(sum(score >= threshold for score in adults) / len(adults))
    assert any("younger than 18" in warning for warning in found["warnings"])
    assert refusal(tmp_path, SMALL, SURVEY)["error"]["code"] == "age_needed"
    unnamed = answer(tmp_path, SMALL, SURVEY + "adults_only = true\n")  # a column called age is looked at all the same
    assert unnamed["n"] == len(adults)
    assert any("16 younger than 18" in warning for warning in unnamed["warnings"])
    bare = SURVEY.replace('standard = "survey_2024"', "at_least = 70")
    assert answer(tmp_path, SMALL, bare)["n"] == len(adults)
    assert answer(tmp_path, SMALL, bare + "adults_only = false\n")["n"] == 160
    for age in ("1980", "-1", "121"):
        told = refusal(tmp_path, SMALL.replace(",30,", f",{age},"), SURVEY + 'age = "age"\n')["error"]
        assert told["code"] == "bad_age"
        assert ("year of birth" in told["message"]) == (age == "1980")
        assert refusal(tmp_path, SMALL.replace(",30,", f",{age},"), bare)["error"]["code"] == "bad_age"
    mixed = SMALL.replace("survey_2024", "literacy_2016", 1)
    design = SURVEY + 'age = "age"\nstandard_column = "standard"\n'
    assert refusal(tmp_path, mixed.replace(",14,", ",30,"), design)["error"]["code"] == "standards_mixed"
    other = SMALL.replace("survey_2024", "literacy_2016")
    assert refusal(tmp_path, other, design)["error"]["code"] == "standards_mixed"


def test_no_answer_is_no_failure_and_other_answers_are_told(tmp_path: Path) -> None:
    design = 'sampling = "probability"\noutcome = "y"\nsuccess = "Yes"\n'
    text = "y,c\n" + "Yes,1\nNo,2\nNA,3\nNaN,4\n,5\nYes,6\n.,7\n"
    found = answer(tmp_path, text, design)
    assert (found["estimate"], found["n"], found["missing"]) == (pytest.approx(2 / 3), 3, 4)
    assert not any("count as not" in warning for warning in found["warnings"])
    many = answer(tmp_path, text + "Perhaps,8\n", design)
    assert any("'No' (1), 'Perhaps' (1)" in warning for warning in many["warnings"])
    assert refusal(tmp_path, text + "yes,8\n", design)["error"]["code"] == "success_spelled_twice"
    # a program writes NA for a score, too; where it is what is counted, it is an answer
    scores = answer(tmp_path, "y\n70\nNA\n20\n60\n", 'sampling = "probability"\noutcome = "y"\nat_least = 60\n')
    assert (scores["estimate"], scores["missing"]) == (pytest.approx(2 / 3), 1)
    assert answer(tmp_path, text, design.replace('"Yes"', '"NA"'))["n"] == 4


def test_scores_lie_on_the_scale_of_their_standard_and_are_of_one(tmp_path: Path) -> None:
    design = SURVEY.replace('clusters = ["unit"]\n', "") + "adults_only = true\n"
    for score in ("250", "-1", "100.5"):
        told = refusal(tmp_path, f"score\n70\n{score}\n", design)["error"]
        assert told["code"] == "score_out_of_range"
        assert "line 3" in told["message"]
    plain = answer(tmp_path, "score\n70\n100\n0\n", design)
    assert any("no column says by which test" in warning for warning in plain["warnings"])
    mixed = "score,Standard\n" + "".join(f"{n},{('survey_2024', 'literacy_2016')[n % 2]}\n" for n in range(30))
    for words in (design, 'sampling = "probability"\noutcome = "score"\nat_least = 60\n'):
        assert refusal(tmp_path, mixed, words)["error"]["code"] == "standards_mixed"
    assert refusal(tmp_path, "score,standard\n1,literacy_2016\n2,literacy_2016\n", design)["error"]["code"] == (
        "standards_mixed"
    )
    assert refusal(tmp_path, "score,standard\n1,x\n2,x\n", design)["error"]["code"] == "unknown_standard"
    other = answer(tmp_path, "ok,standard\n1,x\n0,y\n", 'sampling = "probability"\noutcome = "ok"\n')
    assert other["n"] == 2


def test_a_workbook_a_mark_and_a_semicolon_read_alike(tmp_path: Path) -> None:
    plain = answer(tmp_path, DATA / "apistrat.csv", STRATIFIED)
    sample = columns("apistrat.csv")
    book = xlsxwriter.Workbook(tmp_path / "sample.xlsx")
    sheet = book.add_worksheet()
    for number, (name, values) in enumerate(sample.items()):
        sheet.write_row(0, number, [name])
        for row, value in enumerate(values, start=1):
            sheet.write(row, number, float(value) if value[0].isdigit() else value)
    book.close()
    assert answer(tmp_path, tmp_path / "sample.xlsx", STRATIFIED) == plain
    text = (DATA / "apistrat.csv").read_text(encoding="utf-8")
    assert answer(tmp_path, "\ufeff" + text.replace(",", ";").replace("\n", "\r\n"), STRATIFIED) == plain


def test_groups_and_missing_answers(tmp_path: Path) -> None:
    text = (
        "unit,town,ok\n" + "".join(f"u{n // 2},{'ab'[n < 12]},{n % 3 == 0:d}\n" for n in range(16)) + "u1,c,1\nu2,b,\n"
    )
    found = answer(
        tmp_path, text, 'sampling = "probability"\noutcome = "ok"\nclusters = ["unit"]\nfpc = [""]\nby = "town"\n'
    )
    assert (found["n"], found["missing"], found["units"]) == (17, 1, 8)
    assert set(found["domains"]) == {"a", "b", "c"}
    assert found["domains"]["b"]["n"] == 12
    # all of c are in one unit: R's svyby has its rate and its error, only an interval there is none
    assert found["domains"]["c"]["error"]["code"] == "too_few_units"
    assert (found["domains"]["c"]["estimate"], found["domains"]["c"]["low"]) == (1, None)
    shown = run(tmp_path, text, 'sampling = "probability"\noutcome = "ok"\nclusters = ["unit"]\nby = "town"\n')
    assert shown.exit_code == 0
    assert "Note: 8 first-stage units" in shown.stdout


def test_a_domain_within_one_unit_has_its_rate_and_its_error(tmp_path: Path) -> None:
    rows = [(unit, n % 3 == 0, "x" if unit == 0 and n < 15 else "z") for unit in range(10) for n in range(20)]
    text = "y,c,g\n" + "".join(f"{y:d},c{unit},{group}\n" for unit, y, group in rows)
    one = answer(tmp_path, text, 'sampling = "probability"\noutcome = "y"\nclusters = ["c"]\nby = "g"\n')["domains"][
        "x"
    ]
    of_unit = np.zeros(10)
    of_unit[0] = sum(y - 1 / 3 for unit, y, group in rows if group == "x") / 15
    assert (one["estimate"], one["n"], one["units"], one["df"]) == (pytest.approx(1 / 3), 15, 1, 0)
    assert one["se"] == pytest.approx(np.sqrt(10 / 9 * ((of_unit - of_unit.mean()) ** 2).sum()), abs=1e-12)
    assert (one["low"], one["high"], one["method"]) == (None, None, None)


def test_who_did_not_answer_is_not_counted_as_observed(tmp_path: Path) -> None:
    design = 'sampling = "probability"\noutcome = "y"\nfpc = ["N"]\n'
    half = "y,N,said\n" + "".join(f"{n % 4 == 0:d},200,x\n" if n < 100 else ",200,x\n" for n in range(200))
    found = answer(tmp_path, half, design)
    assert found["method"] == "korn_graubard"
    assert found["se"] == pytest.approx(np.sqrt((1 - 100 / 200) * 0.25 * 0.75 / 99))
    assert found["missing"] == 100
    assert not any("leaving out units" in warning for warning in found["warnings"])
    # those who are known to be outside of the population were looked at: with them the list is complete
    outside = half.replace("\n,200,x", "\n,200,Ineligible")
    complete = answer(tmp_path, outside, design + 'disposition = "said"\n')
    assert (complete["method"], complete["se"], complete["n"]) == ("known", 0, 100)
    assert any("100 are ineligible" in warning for warning in complete["warnings"])
    everybody = "y,c,N,M\n" + "".join(f"{n % 4 == 0:d},c{n % 5},5,12\n" for n in range(60))
    two = design.replace('["N"]', '["N", "M"]') + 'clusters = ["c"]\n'
    assert answer(tmp_path, everybody, two)["method"] == "known"
    one_less = everybody.replace("\n0,c1,5,12", "\n,c1,5,12", 1)
    assert answer(tmp_path, one_less, two)["method"] == "korn_graubard"
    assert (
        answer(tmp_path, one_less, two.replace(', "M"', ""))["se"] > 0
    )  # whole units, and one of them without one answer


def test_notes_are_true(tmp_path: Path) -> None:
    design = 'sampling = "probability"\noutcome = "y"\n'
    text = "y,N,sex\n" + "".join(f"{n % 3 == 0:d},1000,{'FM'[n % 2]}\n" for n in range(500))
    drawn = answer(tmp_path, text, design + 'fpc = ["N"]\n')
    assert drawn["jackknife_se"] == pytest.approx(drawn["with_replacement_se"], rel=1e-9)
    assert drawn["se"] == pytest.approx(drawn["jackknife_se"] * np.sqrt(0.5), rel=1e-9)
    assert not any("leaving out units" in warning for warning in drawn["warnings"])
    same = "every answer counts the same"
    assert any(same in warning for warning in answer(tmp_path, text, design)["warnings"])
    raked = answer(tmp_path, text, design + "[margins.sex]\nF = 600\nM = 400\n")
    assert not any(same in warning for warning in raked["warnings"])
    margin = "y,sex\n" + "".join(f"{n % 2},{'MF'[n % 2]}\n" for n in range(60))
    known = answer(tmp_path, margin, design + "[margins.sex]\nF = 600\nM = 400\n")
    assert (known["method"], known["se"]) == ("known", 0)
    assert not any("leaving out units" in warning for warning in known["warnings"])


def test_the_word_sampling_is_read_in_any_letters_and_missed_by_name(tmp_path: Path) -> None:
    text = "y\n" + "1\n0\n" * 20
    assert answer(tmp_path, text, 'sampling = " Probability "\noutcome = "y"\n')["n"] == 40
    for design, words in (
        ("", "sampling is missing"),
        ('sampling = "probability sample"\n', 'the word "probability", alone'),
    ):
        told = refusal(tmp_path, text, design + 'outcome = "y"\n')["error"]
        assert told["code"] == "not_a_probability_sample"
        assert words in told["message"]


@pytest.mark.parametrize("word", ['clusters = ["c"]', 'strata = "c"'])
def test_rows_without_a_unit_or_stratum_are_refused_with_their_lines(tmp_path: Path, word: str) -> None:
    text = "y,c\n" + "".join(f"{n % 2},{'' if n in (3, 7) else 'NA' if n == 9 else n // 5}\n" for n in range(40))
    told = refusal(tmp_path, text, f'sampling = "probability"\noutcome = "y"\n{word}\n')["error"]
    assert told["code"] == "label_missing"
    assert "line 5, 9, 11;" in told["message"]


TOO_FEW = "a,b,w\n1,x,1\n0,y,2\n"


@pytest.mark.parametrize(
    ("code", "sample", "design"),
    [
        ("empty", "a,b\n", 'outcome = "a"'),
        ("empty", "", 'outcome = "a"'),
        ("bad_heading", "a,a\n1,2\n", 'outcome = "a"'),
        ("bad_heading", "a,\n1,2\n", 'outcome = "a"'),
        ("bad_row", "a,b\n1\n", 'outcome = "a"'),
        ("unreadable", 'a,b\n"1,2\n', 'outcome = "a"'),
        ("no_column", TOO_FEW, 'outcome = "c"'),
        ("no_column", TOO_FEW, 'outcome = "a"\nweight = "c"'),
        ("no_column", TOO_FEW, 'outcome = "a"\n[margins.c]\nx = 1\ny = 1'),
        ("bad_number", TOO_FEW, 'outcome = "a"\nweight = "b"'),
        ("bad_number", "a,w\n1,1\n0,\n", 'outcome = "a"\nweight = "w"'),
        ("bad_number", "a,w\n1,1\n0,inf\n", 'outcome = "a"\nweight = "w"'),
        ("bad_number", TOO_FEW, 'outcome = "b"'),
        ("bad_weight", "a,w\n1,1\n0,-1\n", 'outcome = "a"\nweight = "w"'),
        ("bad_population", TOO_FEW, 'outcome = "a"\nfpc = ["w"]'),
        ("bad_design", TOO_FEW, 'outcome = "w"'),
        ("bad_design", TOO_FEW, 'outcom = "a"'),
        ("bad_design", TOO_FEW, 'weight = "w"'),
        ("bad_design", TOO_FEW, "outcome = a"),
        ("bad_design", TOO_FEW, 'outcome = "a"\nsuccess = "1"\nat_least = 1'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nsuccess = true'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nat_least = "1"'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nweight = ["w"]'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nclusters = "b"'),
        ("bad_design", TOO_FEW, 'outcome = "a"\ninterval = "beta"'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nconfidence = 95'),
        ("bad_design", TOO_FEW, 'outcome = "a"\ntrim = [1]'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nlevel = "basic"'),
        ("bad_design", TOO_FEW, 'outcome = "a"\nmargins = 3'),
        ("bad_design", TOO_FEW, 'outcome = "a"\n[margins.b]'),
        ("bad_design", TOO_FEW, 'outcome = "a"\n[margins.b.x]\ny = 3'),
        ("unknown_standard", TOO_FEW, 'outcome = "a"\nadults_only = true\nstandard = "x"'),
        ("unknown_level", TOO_FEW, 'outcome = "a"\nadults_only = true\nstandard = "survey_2024"\nlevel = "x"'),
        ("lonely_psu", TOO_FEW, 'outcome = "a"\nstrata = "b"'),
        ("margin_unknown", TOO_FEW, 'outcome = "a"\n[margins.b]\nx = 1'),
        ("margin_empty", TOO_FEW, 'outcome = "a"\n[margins.b]\nx = 1\ny = 1\nz = 1'),
        ("margins_inconsistent", TOO_FEW, 'outcome = "a"\n[margins.b]\nx = 1\ny = 1\n[margins.w]\n1 = 3\n2 = 3'),
        ("trim_impossible", TOO_FEW, 'outcome = "a"\ntrim = [5, 6]'),
        ("no_rows", "a,b\n,x\n,y\n", 'outcome = "a"'),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_its_reason(
    tmp_path: Path, code: str, sample: str, design: str
) -> None:
    assert refusal(tmp_path, sample, f'sampling = "probability"\n{design}\n')["error"]["code"] == code


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    for name, content, code in (("a.csv", b"a\n\xff\n", "not_utf8"), ("a.xlsx", b"PK\x03\x04 broken", "unreadable")):
        (tmp_path / name).write_bytes(content)
        assert refusal(tmp_path, tmp_path / name, STRATIFIED)["error"]["code"] == code


def test_the_command_stands_alone_and_speaks_utf8(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("街道,分\n东,1\n东,0\n西,1\n西,1\n", encoding="utf-8")
    (tmp_path / "design.toml").write_text('sampling = "probability"\noutcome = "分"\nby = "街道"\n', encoding="utf-8")
    files = ("analyse", "literacy", "sample.csv", "--design", "design.toml")
    done = run_command(tmp_path, *files, "--format", "json", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)["domains"]) == {"东", "西"}
    assert {path.name for path in tmp_path.iterdir()} == {"sample.csv", "design.toml"}
    (tmp_path / "design.toml").write_text('sampling = "自愿"\noutcome = "分"\n', encoding="utf-8")
    refused = run_command(tmp_path, *files, LC_ALL="C")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("quizapp: refused (not_a_probability_sample): ")
    assert refused.stderr.count("\n") == 1
    assert run_command(tmp_path, *files[:3]).returncode == 2
    assert run_command(tmp_path, "analyse", "literacy", "no.csv", "--design", "design.toml").returncode == 2
