"""Survey estimates against R's survey package 4.5, and by what must hold for any design."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quizapp.measurement.intervals import clopper_pearson
from quizapp.measurement.survey import (
    Design,
    Margin,
    SurveyRefused,
    calibrate,
    estimate_mean,
    estimate_rate,
    estimate_ratio,
    estimate_total,
    jackknife,
    make_design,
)
from tests.measurement.reference import columns, expected, numbers

R = expected("survey_expected.json")
SAMPLES = {"strat": columns("apistrat.csv"), "clus1": columns("apiclus1.csv")}
METHODS = {"logit": "logit", "korn_graubard": "beta", "wilson": "wilson", "wald": "mean"}


def design_of(name: str) -> Design:
    sample = SAMPLES[name]
    rows, weights, fpc = len(sample["pw"]), numbers(sample["pw"]), numbers(sample["fpc"])
    if name == "strat":
        return make_design(rows, weights=weights, strata=sample["stype"], populations=[fpc])
    return make_design(rows, weights=weights, clusters=[sample["dnum"]], populations=[fpc])


def is_yes(name: str, column: str) -> Any:
    return np.array([value == "Yes" for value in SAMPLES[name][column]], dtype=float)


@pytest.mark.parametrize("name", SAMPLES)
def test_means_totals_and_ratios_are_those_of_r(name: str) -> None:
    design, sample, wanted = design_of(name), SAMPLES[name], R[name]
    for column in ("api00", "api99"):
        found = estimate_mean(design, numbers(sample[column]))
        assert found.value == pytest.approx(wanted["svymean"]["est"][column], rel=1e-8)
        assert found.se == pytest.approx(wanted["svymean"]["se"][column], rel=1e-8)
        assert (found.low, found.high) == pytest.approx(wanted["svymean_ci95_t"][column], rel=1e-8)
        assert found.design_effect == pytest.approx(wanted["deff"][column], rel=1e-8)
        assert found.df == wanted["degf"]
    total = wanted["enroll_total"]
    assert estimate_total(design, numbers(sample["enroll"])) == pytest.approx(
        (total["est"]["enroll"], total["se"]["enroll"]), rel=1e-8
    )
    ratio = wanted["ratio_api00_api99"]
    assert estimate_ratio(design, numbers(sample["api00"]), numbers(sample["api99"])) == pytest.approx(
        (ratio["est"]["api00/api99"], ratio["se"]["api00/api99"]), rel=1e-8
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("column", "entry"), [("sch.wide", "schwide_yes"), ("comp.imp", "compimp_yes")])
@pytest.mark.parametrize("name", SAMPLES)
def test_rates_have_the_intervals_of_r(name: str, column: str, entry: str, method: str) -> None:
    found = estimate_rate(design_of(name), is_yes(name, column), method=method)
    wanted = R[name][entry][METHODS[method]]
    assert (found.value, found.se) == pytest.approx((wanted["est"], wanted["se"]), rel=1e-8)
    assert (found.low, found.high) == pytest.approx(wanted["ci95"], abs=1e-6 if method == "logit" else 1e-7)
    assert found.method == method


@pytest.mark.parametrize("method", METHODS)
def test_a_rare_rate_has_the_interval_of_r(method: str) -> None:
    found = estimate_rate(design_of("clus1"), numbers(SAMPLES["clus1"]["api00"]) >= 900, method=method)
    wanted = R["clus1"]["rare_api00_ge_900"][METHODS[method]]
    assert found.se == pytest.approx(wanted["se"], rel=1e-8)
    assert (found.low, found.high) == pytest.approx(wanted["ci95"], abs=1e-7)


def test_the_worked_effective_number_is_that_of_r() -> None:
    worked = R["korn_graubard_worked"]
    found = estimate_rate(design_of("strat"), is_yes("strat", "sch.wide"))
    assert found.effective_n == pytest.approx(worked["n_eff"], rel=1e-8)
    assert found.effective_n > found.n  # not capped: strata may say more than as many strangers
    low, high = clopper_pearson(worked["n_eff_df_adjusted"] * worked["p"], worked["n_eff_df_adjusted"])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("name", SAMPLES)
def test_domains_keep_the_whole_design(name: str) -> None:
    design, sample = design_of(name), SAMPLES[name]
    for row in R[name]["svyby_stype"].values():
        inside = np.array([value == row["stype"] for value in sample["stype"]])
        found = estimate_rate(design, is_yes(name, "sch.wide"), inside, method="logit")
        assert (found.value, found.se) == pytest.approx((row["prop"], row["se"]), rel=1e-8)
        assert (found.low, found.high) == pytest.approx(row["ci95"], abs=1e-6)
    for entry, column in (("svyby_mean_api00", "stype"), ("svyby_schwide_x_api00", "sch.wide")):
        for row in R[name][entry]:
            inside = np.array([value == row[column] for value in sample[column]])
            found = estimate_mean(design, numbers(sample["api00"]), inside)
            assert (found.value, found.se) == pytest.approx((row["mean"], row["se"]), rel=1e-8)


def test_dropping_the_others_first_would_change_the_error_of_a_domain() -> None:
    sample = SAMPLES["clus1"]
    inside = np.array([value == "H" for value in sample["stype"]])
    whole = estimate_mean(design_of("clus1"), numbers(sample["api00"]), inside)
    left = np.flatnonzero(inside)
    cut = make_design(
        len(left),
        weights=numbers(sample["pw"])[left],
        clusters=[[sample["dnum"][i] for i in left]],
        populations=[numbers(sample["fpc"])[left]],
    )
    assert estimate_mean(cut, numbers(sample["api00"])[left]).se != pytest.approx(whole.se, rel=1e-3)


def test_the_jackknife_is_that_of_r() -> None:
    for name, entry in (("clus1", "jackknife_jk1_clus1_nofpc"), ("strat", "jackknife_jkn_strat_nofpc")):
        design, wanted = design_of(name), R[entry]["svymean"]["se"]
        for column in ("api00", "api99"):
            values = numbers(SAMPLES[name][column])
            assert jackknife(design, lambda w, y=values: float(w @ y / w.sum())) == pytest.approx(
                wanted[column], rel=1e-8
            )


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("method", METHODS)
def test_nobody_and_everybody_fall_back_to_the_exact_interval(name: str, method: str) -> None:
    design = design_of(name)
    kish = design.weights.sum() ** 2 / (design.weights**2).sum()
    none = estimate_rate(design, np.zeros(len(design.weights)), method=method)
    everybody = estimate_rate(design, np.ones(len(design.weights)), method=method)
    assert (none.value, none.low, none.method) == (0, 0, "clopper_pearson")
    assert none.high == pytest.approx(1 - 0.025 ** (1 / kish), rel=1e-9)
    assert (everybody.value, everybody.high) == (1, 1)
    assert everybody.low == pytest.approx(0.025 ** (1 / kish), rel=1e-9)
    assert none.effective_n is None


def test_a_share_that_the_design_fixes_has_no_interval() -> None:
    is_e = [value == "E" for value in SAMPLES["strat"]["stype"]]
    found = estimate_rate(design_of("strat"), is_e, by_stratum=True)
    assert found.value == pytest.approx(R["strat"]["stype_prop"]["est"]["stypeE"], rel=1e-8)
    assert (found.low, found.high, found.method) == (None, None, "known")


ALIKE = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0] * 30
UNITS_OF_TEN = [unit for unit in range(30) for _ in range(10)]


@pytest.mark.parametrize("method", METHODS)
def test_units_that_happen_to_be_alike_leave_a_rate_unknown(method: str) -> None:
    """30 units of 10 with 3 each: the exact interval of 300 people, with 29 degrees of freedom."""
    design = make_design(300, clusters=[UNITS_OF_TEN])
    found = estimate_rate(design, ALIKE, method=method)
    assert (found.value, found.se) == pytest.approx((0.3, 0), abs=1e-12)
    assert (found.method, found.design_effect, found.effective_n) == ("clopper_pearson", None, None)
    people = 300 * (stats.t.ppf(0.975, 299) / stats.t.ppf(0.975, 29)) ** 2
    assert (found.low, found.high) == pytest.approx(clopper_pearson(0.3 * people, people), rel=1e-7)
    half = make_design(300, clusters=[UNITS_OF_TEN], populations=[[60.0] * 300])
    assert estimate_rate(half, ALIKE, method=method).method == "clopper_pearson"
    mean = estimate_mean(design, ALIKE)
    assert (mean.method, mean.value - mean.low) == ("t_singly", pytest.approx(mean.high - mean.value))
    nothing = estimate_mean(design, np.full(300, 7.0))
    assert (nothing.value, nothing.low, nothing.method) == (7, None, "t_singly")


def test_what_the_design_fixes_is_known() -> None:
    everybody = make_design(300, clusters=[UNITS_OF_TEN], populations=[[30.0] * 300, [10.0] * 300])
    assert estimate_rate(everybody, ALIKE).method == "known"
    assert estimate_mean(everybody, ALIKE).method == "t"
    some = make_design(300, clusters=[UNITS_OF_TEN], populations=[[30.0] * 300, [20.0] * 300])
    assert estimate_rate(some, np.repeat([0, 1], 150)).method != "known"
    strata = np.repeat(["a", "b"], 150)
    drawn = make_design(300, strata=list(strata))
    share = (strata == "a").astype(float)
    assert estimate_rate(drawn, share, by_stratum=True).method == "known"
    assert estimate_rate(drawn, share).method == "clopper_pearson"
    raked = calibrate(make_design(300), [Margin("half", list(strata), {"a": 700.0, "b": 300.0})])
    assert (estimate_rate(raked, share).value, estimate_rate(raked, share).method) == (pytest.approx(0.7), "known")


def test_a_stratum_with_one_unit_is_refused() -> None:
    sample = SAMPLES["strat"]
    rows = [i for i, kind in enumerate(sample["stype"]) if kind != "E" or i == 0]
    design = make_design(
        len(rows),
        weights=numbers(sample["pw"])[rows],
        strata=[sample["stype"][i] for i in rows],
        populations=[numbers(sample["fpc"])[rows]],
    )
    values = numbers(sample["api00"])[rows]
    with pytest.raises(SurveyRefused) as caught:
        estimate_mean(design, values)
    assert caught.value.code == "lonely_psu"
    with pytest.raises(SurveyRefused):
        jackknife(design, lambda w: float(w @ values / w.sum()))


def test_two_stages_worked_by_hand() -> None:
    # 2 of 4 units, in each 2 of 3 persons; weight 4/2 · 3/2 = 3. Totals of 12-fold means: unit totals 3·(1+0) = 3 and 3·(1+1) = 6 of y.
    success = [1, 0, 1, 1]
    design = make_design(4, clusters=["aabb"], populations=[[4.0] * 4, [3.0] * 4])
    assert design.weights.tolist() == [3, 3, 3, 3]
    total, error = estimate_total(design, success)
    assert total == 9
    # first stage: (1 − 1/2)·2·((3 − 4.5)² + (6 − 4.5)²) = 4.5; second: 1/2·(1 − 2/3)·2·((3 − 1.5)² + (0 − 1.5)²) = 1.5, unit b adds 0
    assert error**2 == pytest.approx(4.5 + 1.5)
    replaced = make_design(4, weights=[3.0] * 4, clusters=["aabb", "1212"])
    assert estimate_total(replaced, success)[1] ** 2 == pytest.approx(9)
    counted = make_design(4, clusters=["aabb"], populations=[[2.0] * 4, [2.0] * 4])
    assert estimate_total(counted, success) == (3, 0)


def test_one_person_in_a_drawn_unit_is_refused_where_the_spread_in_it_matters() -> None:
    with pytest.raises(SurveyRefused) as caught:
        estimate_mean(make_design(4, clusters=["aabc"], populations=[[9.0] * 4, [3.0] * 4]), [1, 0, 1, 0])
    assert caught.value.code == "lonely_psu"
    estimate_mean(make_design(4, weights=[1.0] * 4, clusters=["aabc", "1212"]), [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("no_rows", {"rows": 0}),
        ("bad_weight", {"weights": [1, -1, 1, 1]}),
        ("bad_weight", {"weights": [1, math.nan, 1, 1]}),
        ("bad_weight", {"weights": [0, 0, 0, 0]}),
        ("bad_population", {"populations": [[3.0] * 4]}),
        ("bad_population", {"populations": [[9.0, 9, 9, 8]]}),
        ("bad_population", {"populations": [[math.nan] * 4]}),
        ("bad_population", {"clusters": ["aabb"], "populations": [[9.0] * 4] * 3}),
        ("weight_missing", {"clusters": ["aabb", "1212"], "populations": [[9.0] * 4]}),
    ],
)
def test_a_design_that_cannot_be_is_refused(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(SurveyRefused) as caught:
        make_design(**{"rows": 4, **changes})
    assert caught.value.code == code


def test_what_is_no_rate_is_refused() -> None:
    design = make_design(4)
    with pytest.raises(ValueError, match="0 and 1"):
        estimate_rate(design, [0, 1, 2, 1])
    with pytest.raises(ValueError, match="no value"):
        estimate_mean(design, [0, 1, math.nan, 1])
    with pytest.raises(ValueError, match="each row"):
        estimate_mean(design, [0, 1])
    with pytest.raises(ValueError, match="method"):
        estimate_rate(design, [0, 1, 1, 1], method="guess")
    for refusal in (
        lambda: estimate_rate(design, [0, 1, 1, 1], np.zeros(4, dtype=bool)),
        lambda: estimate_ratio(design, [0, 1, 1, 1], [0, 0, 0, 0]),
        lambda: estimate_mean(make_design(4, clusters=["aaaa"]), [0, 1, 1, 1]),
        lambda: estimate_mean(make_design(1), [1]),
    ):
        with pytest.raises(SurveyRefused):
            refusal()


SIZES = st.integers(2, 6)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_what_holds_for_any_design(data: st.DataObject) -> None:
    """The order of rows, the names of units and the scale of weights change nothing; rows of weight 0 add nothing but their unit."""
    strata = [s for s in range(data.draw(st.integers(1, 3))) for _ in range(data.draw(st.integers(2, 4)))]
    rows = [(s, unit) for unit, s in enumerate(strata) for _ in range(data.draw(st.integers(1, 3)))]
    n = len(rows)
    weights = np.array(data.draw(st.lists(st.floats(0.5, 9), min_size=n, max_size=n)))
    success = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    order = np.array(data.draw(st.permutations(range(n))))

    def rate(pick: Any, scale: float = 1.0, name: str = "{}") -> Any:
        picked = [rows[i] for i in pick]
        design = make_design(
            n,
            weights=weights[pick] * scale,
            strata=[name.format(s) for s, _ in picked],
            clusters=[[name.format(unit) for _, unit in picked]],
        )
        return estimate_rate(design, success[pick], method="wilson")

    one, other = rate(np.arange(n)), rate(order, 3.0, "unit {}")
    numbers_of = [name for name in ("value", "se", "low", "high", "effective_n") if getattr(one, name) is not None]
    for name in numbers_of:
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9, abs=1e-12), name
    assert (one.df, one.n, one.method) == (other.df, other.n, other.method)
    if one.low is not None and one.high is not None:
        assert 0 <= one.low <= one.value + 1e-12
        assert one.value - 1e-12 <= one.high <= 1


def test_a_row_of_weight_0_keeps_its_unit_and_counts_for_nobody() -> None:
    design = make_design(6, weights=[1, 1, 1, 1, 1, 0], clusters=["aabbcc"])
    found = estimate_rate(design, [1, 0, 1, 1, 0, 1])
    assert (found.n, found.value, found.df) == (5, 0.6, 2)
    gone = make_design(6, weights=[1, 1, 1, 1, 0, 0], clusters=["aabbcc"])
    assert estimate_rate(gone, [1, 0, 1, 1, 0, 1]).df == 1


def test_simple_random_sampling_is_the_formula_of_the_books() -> None:
    success = [1] * 24 + [0] * 376
    found = estimate_rate(make_design(400, populations=[[20_000.0] * 400]), success)
    assert found.se == pytest.approx(math.sqrt((1 - 400 / 20_000) * 0.06 * 0.94 / 399))
    assert found.design_effect == pytest.approx(1)
    assert estimate_rate(make_design(400), success).effective_n == pytest.approx(399)


def test_the_interval_covers_where_one_that_ignores_the_units_does_not() -> None:
    """Units whose rates differ much: of 400 seeded samples of 40 × 12 people about 95 % hold the truth; taken as strangers, far fewer."""
    rng = np.random.default_rng(11)
    rates = rng.beta(1.5, 8.5, size=400)
    people = [rng.random(150) < rate for rate in rates]
    truth = float(np.mean(people))
    hits = dict.fromkeys([*METHODS, "strangers"], 0)
    for _ in range(400):
        drawn = rng.choice(400, 40, replace=False)
        success = np.concatenate([rng.choice(people[unit], 12, replace=False) for unit in drawn]).astype(float)
        design = make_design(480, weights=[1.0] * 480, clusters=[np.repeat(drawn, 12)])
        for method in METHODS:
            found = estimate_rate(design, success, method=method)
            hits[method] += (found.low or 0) <= truth <= (found.high or 0)
        alone = clopper_pearson(success.sum(), 480)
        hits["strangers"] += alone[0] <= truth <= alone[1]
    assert all(0.92 <= hits[method] / 400 <= 0.985 for method in ("logit", "wilson", "korn_graubard")), hits
    assert hits["strangers"] / 400 < 0.90
