"""Raking, trimming and what they do to errors, against R's survey package 4.5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.measurement.survey import (
    METHODS,
    Design,
    Margin,
    SurveyRefused,
    calibrate,
    estimate_mean,
    estimate_rate,
    estimate_ratio,
    estimate_total,
    greg,
    jackknife,
    make_design,
    rake,
    trim,
    weight_report,
)
from tests.measurement.reference import columns, expected, numbers

R = expected("survey_expected.json")["calibration"]
SAMPLE = columns("apiclus1.csv")
WEIGHTS = columns("apiclus1_weights.csv")
R_NAME = {"logit": "logit", "korn_graubard": "beta", "wilson": "wilson"}


def plain() -> Design:
    fpc = numbers(SAMPLE["fpc"])
    return make_design(len(fpc), weights=numbers(SAMPLE["pw"]), clusters=[SAMPLE["dnum"]], populations=[fpc])


def margin(column: str) -> Margin:
    return Margin(column, SAMPLE[column], {row[column]: row["Freq"] for row in R["margins"][column]})


FITTED = {
    "postStratify_stype": lambda: calibrate(plain(), [margin("stype")]),
    "rake_stype_schwide": lambda: calibrate(plain(), [margin("stype"), margin("sch.wide")]),
    "trim_20_60_strict": lambda: calibrate(plain(), [margin("stype"), margin("sch.wide")], (20, 60)),
}


@pytest.mark.parametrize(("entry", "column"), [("postStratify_stype", "w_poststrat"), ("rake_stype_schwide", "w_rake")])
def test_fitted_weights_are_those_of_r(entry: str, column: str) -> None:
    assert FITTED[entry]().weights == pytest.approx(numbers(WEIGHTS[column]), abs=1e-6)


@pytest.mark.parametrize("entry", FITTED)
def test_errors_after_fitting_are_those_of_r(entry: str) -> None:
    design, wanted = FITTED[entry](), R[entry]
    for column, value in wanted["svymean"]["est"].items():
        found = estimate_mean(design, numbers(SAMPLE[column]))
        assert found.value == pytest.approx(value, rel=1e-7)
        assert found.se == pytest.approx(wanted["svymean"]["se"][column], rel=1e-5)
    report = weight_report(design.weights)
    facts = (report.total, report.smallest, report.largest, report.variation, report.design_effect, report.effective_n)
    names = ("sum", "min", "max", "cv", "kish_deff", "n_eff_kish")
    assert facts == pytest.approx([wanted["weights"][name] for name in names], rel=1e-7)
    if "enroll_total" in wanted:
        total = wanted["enroll_total"]
        assert estimate_total(design, numbers(SAMPLE["enroll"])) == pytest.approx(
            (total["est"]["enroll"], total["se"]["enroll"]), rel=1e-5
        )


@pytest.mark.parametrize("method", R_NAME)
@pytest.mark.parametrize(("column", "name"), [("sch.wide", "schwide_yes"), ("comp.imp", "compimp_yes")])
@pytest.mark.parametrize("entry", ["postStratify_stype", "rake_stype_schwide"])
def test_rates_after_fitting_are_those_of_r(entry: str, column: str, name: str, method: str) -> None:
    success = [value == "Yes" for value in SAMPLE[column]]
    found = estimate_rate(FITTED[entry](), success, method=method)
    wanted = R[entry][name][R_NAME[method]]
    assert found.value == pytest.approx(wanted["est"], abs=1e-8)
    if wanted["ci95"][0] is None:
        assert (found.low, found.high, found.method) == (None, None, "known")
        assert found.se < 1e-9
    else:
        assert (found.low, found.high) == pytest.approx(wanted["ci95"], abs=1e-6)


def test_generalised_regression_is_that_of_r() -> None:
    design, wanted = plain(), R["greg_stype_api99"]
    matrix = np.column_stack([margin("stype").indicators(), numbers(SAMPLE["api99"])])
    totals = np.array([4421, 755, 1018, R["margins"]["sum_api99"]], dtype=float)
    weights = greg(design.weights, matrix, totals)
    assert weights == pytest.approx(numbers(WEIGHTS["w_greg"]), abs=1e-6)
    fitted = replace(design, weights=weights, margins=matrix, base=design.weights, fitted=weights)
    found = estimate_mean(fitted, numbers(SAMPLE["api00"]))
    assert (found.value, found.se) == pytest.approx((665.30907116578, wanted["svymean"]["se"]["api00"]), rel=1e-5)
    assert estimate_mean(fitted, numbers(SAMPLE["api99"])).se == pytest.approx(0, abs=1e-6)
    with pytest.raises(SurveyRefused):
        greg(np.ones(2), np.ones((2, 2)), np.array([3.0, 4.0]))


def test_the_jackknife_agrees_with_the_linearisation_after_raking() -> None:
    values, margins = numbers(SAMPLE["api00"]), [margin("stype"), margin("sch.wide")]
    design = make_design(len(values), weights=numbers(SAMPLE["pw"]), clusters=[SAMPLE["dnum"]])

    def mean(weights: Any) -> float:
        fitted = rake(weights, margins)
        return float(fitted @ values / fitted.sum())

    linear = estimate_mean(calibrate(design, margins), values).se
    assert jackknife(design, mean) == pytest.approx(linear, rel=0.15)


def two_margins(**changes: Any) -> list[Margin]:
    sex, town = ["f", "f", "m", "m"], ["a", "b", "a", "b"]
    given = {"sex": {"f": 60.0, "m": 40.0}, "town": {"a": 30.0, "b": 70.0}, **changes}
    return [Margin("sex", sex, given["sex"]), Margin("town", town, given["town"])]


@pytest.mark.parametrize(
    ("code", "margins"),
    [
        ("margins_inconsistent", two_margins(town={"a": 30.0, "b": 71.0})),
        ("margins_inconsistent", two_margins(sex={"f": -60.0, "m": 160.0})),
        ("margins_inconsistent", two_margins(sex={"f": float("nan"), "m": 40.0})),
        ("margin_empty", two_margins(town={"a": 30.0, "b": 60.0, "c": 10.0})),
        ("margin_unknown", two_margins(town={"a": 100.0})),
        ("margin_unknown", []),
        (
            "raking_failed",
            [Margin("x", "ab", {"a": 30.0, "b": 70.0}), Margin("y", "cd", {"c": 60.0, "d": 40.0})],
        ),
    ],
)
def test_margins_that_cannot_be_met_are_refused(code: str, margins: list[Margin]) -> None:
    with pytest.raises(SurveyRefused) as caught:
        rake(np.ones(2 if code == "raking_failed" else 4), margins)
    assert caught.value.code == code


@pytest.mark.parametrize("limits", [(0.0, 1.2), (1.6, 9.0), (3.0, 2.0), (-1.0, 9.0)])
def test_limits_that_the_sum_cannot_keep_are_refused(limits: tuple[float, float]) -> None:
    with pytest.raises(SurveyRefused) as caught:
        trim(np.array([1.0, 1.0, 2.0, 2.0, 0.0]), *limits)
    assert caught.value.code == "trim_impossible"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.2, 5), st.sampled_from("fm"), st.sampled_from("abc")), min_size=6, max_size=40))
def test_raked_weights_meet_the_margins_and_trimmed_ones_the_limits(rows: list[tuple[float, str, str]]) -> None:
    # every cell is filled once, so that weights exist for any margins
    rows += [(1.0, sex, town) for sex in "fm" for town in "abc"]
    weights = np.array([w for w, _, _ in rows])
    margins = [
        Margin("sex", [s for _, s, _ in rows], {"f": 520.0, "m": 480.0}),
        Margin("town", [t for _, _, t in rows], {"a": 100.0, "b": 300.0, "c": 600.0}),
    ]
    fitted = rake(weights, margins)
    for one in margins:
        assert fitted @ one.indicators() == pytest.approx(list(one.totals.values()), rel=1e-8)
    assert rake(weights * 7, margins) == pytest.approx(fitted, rel=1e-6)
    assert rake(fitted, margins) == pytest.approx(fitted, rel=1e-6)
    mean = 1000 / len(rows)
    cut = trim(fitted, mean / 3, mean * 3)
    assert cut.sum() == pytest.approx(1000)
    assert mean / 3 - 1e-9 <= cut.min() <= cut.max() <= mean * 3 + 1e-9


def test_every_method_has_a_name_of_r() -> None:
    assert {*R_NAME, "wald"} == {*METHODS}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=40),
    st.floats(0, 1) | st.just(1.0),
    st.floats(1, 3) | st.just(1.0) | st.floats(1, 1.001),
)
def test_trimming_ends_within_any_limits_that_can_be_met(weights: list[float], below: float, above: float) -> None:
    given_ = np.array([*weights, 0.0])
    mean = given_.sum() / len(weights)
    low, high = below * mean, above * mean
    cut = trim(given_, low, high)
    assert cut[-1] == 0
    assert cut.sum() == pytest.approx(given_.sum(), rel=1e-9)
    assert cut[:-1].min() >= low * (1 - 1e-9)
    assert cut[:-1].max() <= high * (1 + 1e-9)
    for impossible in ((0.0, mean * 0.999), (mean * 1.001, np.inf)):
        with pytest.raises(SurveyRefused) as caught:
            trim(given_, *impossible)
        assert caught.value.code == "trim_impossible"


def test_trimming_to_the_mean_and_of_nobody() -> None:
    assert trim(np.arange(1.0, 11), 0, 5.5) == pytest.approx(np.full(10, 5.5))
    assert trim(np.array([1.0, 9.0]), 4, 6) == pytest.approx([4, 6])
    for nobody in (np.zeros(3), np.zeros(0)):
        with pytest.raises(SurveyRefused):
            trim(nobody, 0, 1)


def test_weights_that_are_none_have_no_report_and_a_ratio_no_gaps() -> None:
    for weights in (np.zeros(3), np.zeros(0), np.array([1.0, np.nan]), np.array([1.0, -1.0])):
        with pytest.raises(SurveyRefused) as caught:
            weight_report(weights)
        assert caught.value.code == "bad_weight"
    with pytest.raises(ValueError, match="no value"):
        estimate_ratio(make_design(3), [1, 2, 3], [1, np.nan, 1])
    with pytest.raises(ValueError, match="each row"):
        estimate_ratio(make_design(3), [1, 2, 3], [1, 1])
    assert estimate_ratio(make_design(3, weights=[1, 1, 0]), [1, 2, 3], [1, 1, np.nan])[0] == 1.5
