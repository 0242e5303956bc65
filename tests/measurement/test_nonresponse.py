"""Who did not answer was not observed: the finite population correction counts those who did, and intervals hold what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.measurement.survey import SurveyRefused, estimate_rate, estimate_total, make_design

Drawn = tuple[Any, Any, dict[str, Any]]
Draw = Callable[[np.random.Generator], Drawn]


def singly(people: int, drawn: int, rate: float, response: float = 0.5) -> tuple[Draw, float]:
    """Simple random, of so many people."""
    success = np.zeros(people)
    success[: round(people * rate)] = 1

    def draw(rng: np.random.Generator) -> Drawn:
        rows = rng.choice(people, drawn, replace=False)
        return success[rows], rng.random(drawn) < response, {"populations": [np.full(drawn, float(people))]}

    return draw, float(success.mean())


def in_strata(strata: int, drawn: int) -> tuple[Draw, float]:
    """Strata of 50 to 200 people, whose rates and response differ."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(50, 200, strata)
    success = [(rng.random(size) < rng.uniform(0.05, 0.5)).astype(float) for size in sizes]
    response = rng.uniform(0.3, 0.7, strata)

    def draw(rng: np.random.Generator) -> Drawn:
        taken = [rng.choice(size, min(drawn, size), replace=False) for size in sizes]
        place = np.repeat(np.arange(strata), [len(rows) for rows in taken])
        found = np.concatenate([success[h][rows] for h, rows in enumerate(taken)])
        heard = rng.random(len(found)) < response[place]
        return found, heard, {"strata": place.tolist(), "populations": [sizes[place].astype(float)]}

    return draw, float(np.concatenate(success).mean())


def in_units(units: int, drawn: int, each: int, people: int, response: float = 0.5, **given: Any) -> tuple[Draw, float]:
    """Units, then people in them (`each` = `people`, `whole`: whole units); response differs with the rate of the unit."""
    whole, weights = given.pop("whole", False), given.pop("weights", False)
    tilt = given.pop("tilt", 0.0 if weights else 1.0)
    rng = np.random.default_rng(4)
    level = np.clip(rng.normal(0.3, 0.15, units), 0.02, 0.9)
    success = (rng.random((units, people)) < level[:, None]).astype(float)
    answers = np.clip(response + tilt * (level - 0.3), 0.1, 1)

    def draw(rng: np.random.Generator) -> Drawn:
        chosen = rng.choice(units, drawn, replace=False)
        found = np.concatenate([success[unit][rng.choice(people, each, replace=False)] for unit in chosen])
        place = np.repeat(chosen, each)
        sizes = [np.full(len(place), float(units)), np.full(len(place), float(people))]
        kept = {"weights": np.ones(len(place))} if weights else {}
        design = {"clusters": [place.tolist()], "populations": sizes[: 1 if whole else 2], **kept}
        return found, rng.random(len(found)) < answers[place], design

    return draw, float(success.mean())


DESIGNS = {
    "census of 600": singly(600, 600, 0.3),
    "800 of 1,000": singly(1000, 800, 0.15),
    "8 strata, 60 of each": in_strata(8, 60),
    "30 strata, 8 of each: one answer in some": in_strata(30, 8),
    "40 of 40 units, 30 of 60 people": in_units(40, 40, 30, 60),
    "36 of 40 units, 55 of 60 people": in_units(40, 36, 55, 60),
    "40 of 50 units, 5 of 60 people: one answer in some": in_units(50, 40, 5, 60, 0.4, tilt=0.0),
    "40 of 40 whole units": in_units(40, 40, 30, 30, whole=True),
    "40 of 40 units, 30 of 60 people, weights as drawn": in_units(40, 40, 30, 60, weights=True),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_intervals_hold_the_truth_where_half_do_not_answer(name: str) -> None:
    draw, truth = DESIGNS[name]
    rng = np.random.default_rng(20260103)
    held, errors, estimates = 0, [], []
    for _ in range(300):
        success, heard, design = draw(rng)
        found = estimate_rate(make_design(len(success), answered=heard, **design), success[heard], method="logit")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
        errors.append(found.se)
        estimates.append(found.value)
    assert 0.92 <= held / 300 <= 0.985
    assert 0.9 < np.mean(errors) / np.std(estimates) < 1.1
    assert abs(np.mean(estimates) - truth) < 0.2 * np.std(estimates) + 0.002


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_people_drawn_singly_who_did_not_answer_are_as_if_not_drawn(data: st.DataObject) -> None:
    strata = [h for h in range(data.draw(st.integers(1, 3))) for _ in range(data.draw(st.integers(4, 9)))]
    n = len(strata)
    heard = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    for h in set(strata):  # two of each at least
        heard[[place for place, one in enumerate(strata) if one == h][:2]] = True
    success = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    size = np.array([10.0 + 5 * h for h in strata])
    told = make_design(n, strata=strata, populations=[size], answered=heard)
    alone = make_design(
        int(heard.sum()), strata=[h for h, kept in zip(strata, heard, strict=True) if kept], populations=[size[heard]]
    )
    one, other = (estimate_rate(design, success[heard]) for design in (told, alone))
    assert (one.value, one.se, one.df, one.method) == (other.value, other.se, other.df, other.method)


def test_a_unit_with_one_answer_is_as_spread_as_the_others_by_hand() -> None:
    # 2 of 2 units, 3 of 6 people in each; of a all answered, of b one alone: weights 6/3 = 2 and 6/1
    design = make_design(6, clusters=["aaabbb"], populations=[[2.0] * 6, [6.0] * 6], answered=[1, 1, 1, 1, 0, 0])
    assert design.weights.tolist() == [2, 2, 2, 6]
    total, error = estimate_total(design, [1, 0, 1, 1])
    assert total == 2 * 2 + 6
    # per person the spread within a is (1/9 + 4/9 + 1/9)/2 = 1/3: (1 − 3/6)·3·2²·1/3 + (1 − 1/6)·1·6²·1/3
    assert error**2 == pytest.approx(0.5 * 3 * 4 / 3 + 5 / 6 * 36 / 3)
    assert design.alone() == 1
    with pytest.raises(SurveyRefused) as caught:  # drawn alone, not answered alone
        estimate_total(make_design(4, clusters=["aaab"], populations=[[2.0] * 4, [6.0] * 4]), [1, 0, 1, 1])
    assert caught.value.code == "lonely_psu"


def test_a_unit_in_which_nobody_answered_was_not_observed() -> None:
    everybody = make_design(6, clusters=["aabbcc"], populations=[[3.0] * 6, [2.0] * 6])
    assert estimate_total(everybody, [1, 0, 1, 1, 0, 1]) == (4, 0)
    two = make_design(6, clusters=["aabbcc"], populations=[[3.0] * 6, [2.0] * 6], answered=[1, 1, 1, 1, 0, 0])
    assert two.weights.tolist() == [1.5] * 4
    assert two.first_stage_units() == 2
    total, error = estimate_total(two, [1, 0, 1, 1])
    assert (total, error**2) == (4.5, pytest.approx((1 - 2 / 3) * 2 * 2 * 0.75**2))
    with pytest.raises(SurveyRefused) as caught:
        make_design(2, answered=[0, 0])
    assert caught.value.code == "no_rows"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("bad_weight", {"weights": [1, 1]}),
        ("bad_label", {"strata": ["a", "b"]}),
        ("bad_label", {"clusters": [["a", "b"]]}),
        ("bad_population", {"populations": [[9.0, 9.0]]}),
    ],
)
def test_another_number_of_values_than_rows_is_refused(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(SurveyRefused) as caught:
        make_design(3, **changes)
    assert caught.value.code == code
