"""Two years on one scale: simulated years of known difference, changed items, exact derivatives, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from quizapp.measurement.floors import anchors_needed
from quizapp.measurement.form_scores import Form, FormScore, form_scores
from quizapp.measurement.irt import TooFewData, fit
from quizapp.measurement.irt_curves import probabilities
from quizapp.measurement.irt_units import unit_influences
from quizapp.measurement.years import TooFewAnchors, Year, YearComparison, compare_years

ITEMS, COMMON = 20, 8


def two_years(
    seed: int, people: int, *, gain: float = 0.3, spread: float = 1.1, a: float | None = 1.0, practised: int = 0
) -> tuple[YearComparison, NDArray[np.float64], NDArray[np.float64]]:
    """Twenty items a year, eight of them common, the second form harder; `practised` of the common ones became easier by 1.5."""
    rng = np.random.default_rng(seed)
    total = 2 * ITEMS - COMMON
    slopes = np.full(total, a) if a is not None else rng.uniform(0.7, 1.6, total)
    places = np.concatenate([rng.uniform(-2, 1.2, ITEMS), rng.uniform(-0.5, 1.8, ITEMS - COMMON)])
    now = places.copy()
    now[ITEMS - COMMON : ITEMS - COMMON + practised] -= 1.5

    def year(theta: NDArray[np.float64], which: slice, b: NDArray[np.float64]) -> Year:
        p = probabilities(theta, slopes[which], b[which])
        return Year((rng.random(p.shape) < p).astype(float), [f"q{n}" for n in range(total)[which]])

    first = year(rng.normal(size=people), slice(0, ITEMS), places)
    second = year(rng.normal(gain, spread, size=people), slice(ITEMS - COMMON, total), now)
    form = Form(np.arange(ITEMS), np.full(ITEMS, 5), 60)
    return compare_years(first, second, [form], length=ITEMS), slopes, places


@pytest.mark.parametrize(("people", "model"), [(150, "rasch"), (400, "2pl")])
def test_intervals_hold_the_known_difference(people: int, model: str) -> None:
    """Twenty-five pairs of years: each interval is to hold its truth in 95 of 100, so hardly ever fewer than 20 of 25."""
    held = np.zeros(4, dtype=int)
    differences = []
    for seed in range(25):
        found, a, b = two_years(seed, people)
        assert found.model == model
        form = Form(np.arange(ITEMS), np.full(ITEMS, 5), 60)
        then, now = form_scores(form, a, b, 0.0, 1.0), form_scores(form, a, b, 0.3, 1.1)
        truths = (0.3, 1.1, now[0].value - then[0].value, now[1].value - then[1].value)
        assert found.score is not None
        assert found.passing is not None
        intervals = (found.level.difference, found.spread, found.score.difference, found.passing.difference)
        held += [one.low <= truth <= one.high for one, truth in zip(intervals, truths, strict=True)]
        differences.append(found.level.difference.value)
    assert held.min() >= 20
    assert np.mean(differences) == pytest.approx(0.3, abs=3.5 * np.std(differences) / np.sqrt(25))


def test_a_practised_item_is_named_and_left_out() -> None:
    found, _, _ = two_years(3, 3000, a=1.0, practised=1)
    assert [anchor.item for anchor in found.anchors if anchor.drifted] == [f"q{ITEMS - COMMON}"]
    assert found.used == COMMON - 1
    gone = next(anchor for anchor in found.anchors if anchor.drifted)
    assert gone.moved == pytest.approx(1.5, abs=0.3)
    assert found.level.difference.low < 0.3 < found.level.difference.high


def test_a_harder_form_lowers_the_pass_rate_of_people_who_know_more() -> None:
    """What raw pass rates hide: on the first form the second year's people pass more often."""
    found, a, b = two_years(5, 3000, gain=0.25, spread=1.0)
    harder = Form(np.arange(ITEMS - COMMON, 2 * ITEMS - COMMON), np.full(ITEMS, 5), 60)
    raw = form_scores(harder, a, b, 0.25, 1.0)[1].value
    then = form_scores(Form(np.arange(ITEMS), np.full(ITEMS, 5), 60), a, b, 0.0, 1.0)[1].value
    assert raw < then
    assert found.passing is not None
    assert found.passing.difference.low > 0


def test_derivatives_are_those_of_small_steps() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0.6, 1.6, 9), rng.normal(size=9)
    form = Form(np.array([0, 2, 3, 5, 7, 8]), np.array([1, 2, 1, 3, 1, 2]), 6)
    step = 1e-6

    def at(
        side: int, change: float = 0.0, mean: float = 0.0, sd: float = 0.0, item: int = 0, of_b: bool = False
    ) -> FormScore:
        moved = np.eye(9)[item] * change
        return form_scores(form, a + (0 if of_b else moved), b + (moved if of_b else 0), 0.3 + mean, 1.2 + sd)[side]

    for side in (0, 1):
        found = at(side)
        assert found.by_mean == pytest.approx((at(side, mean=step)[0] - at(side, mean=-step)[0]) / (2 * step), abs=1e-7)
        assert found.by_sd == pytest.approx((at(side, sd=step)[0] - at(side, sd=-step)[0]) / (2 * step), abs=1e-7)
        for item in range(9):
            for of_b, derivative in ((False, found.by_a), (True, found.by_b)):
                steps = at(side, step, item=item, of_b=of_b)[0] - at(side, -step, item=item, of_b=of_b)[0]
                assert derivative[item] == pytest.approx(steps / (2 * step), abs=1e-7)


def test_a_form_s_figures_are_those_of_people_who_take_it() -> None:
    rng = np.random.default_rng(2)
    a, b, points = rng.uniform(0.6, 1.6, 12), rng.normal(size=12), rng.integers(1, 4, 12)
    theta = rng.normal(0.2, 0.9, size=200_000)
    scores = (rng.random((200_000, 12)) < probabilities(theta, a, b)) @ points
    share, passing = form_scores(Form(np.arange(12), points, 13), a, b, 0.2, 0.9)
    assert share.value == pytest.approx(scores.mean() / points.sum(), abs=3e-3)
    assert passing.value == pytest.approx((scores >= 13).mean(), abs=5e-3)


def test_too_few_people_or_anchors_are_refused_with_the_number_needed() -> None:
    rng = np.random.default_rng(4)

    def year(people: int, items: range) -> Year:
        return Year((rng.random((people, len(items))) < 0.6).astype(float), [f"q{n}" for n in items])

    with pytest.raises(TooFewAnchors) as few:
        compare_years(year(200, range(20)), year(200, range(16, 36)), [], length=20)
    assert (few.value.found, few.value.needed) == (4, 5)
    with pytest.raises(TooFewData) as people:
        compare_years(year(99, range(20)), year(200, range(20)), [], length=20)
    assert (people.value.found, people.value.needed) == (99, 100)
    assert [anchors_needed(length) for length in (10, 25, 26, 50, 200)] == [5, 5, 6, 10, 20]


def test_without_a_calibrated_form_there_is_a_level_and_no_expected_score() -> None:
    rng = np.random.default_rng(6)

    def answers(items: int, ease: float) -> np.ndarray:
        return (rng.random((300, items)) < 1 / (1 + np.exp(-ease - rng.normal(size=(300, 1))))).astype(float)

    responses = answers(12, 0.4)
    responses[50:, 11] = np.nan  # fifty people for the last item: it carries no parameter
    names = [f"q{n}" for n in range(12)]
    second = Year(answers(11, 0.9), names[:11])
    found = compare_years(Year(responses, names), second, [Form(np.arange(12), np.ones(12, int), 6)], length=12)
    assert (found.score, found.passing, found.forms) == (None, None, 0)
    assert found.items == (11, 11)


PLACES = np.linspace(-1.5, 1.5, 12)


def by_units(
    seed: int, units: int, people: int, *, share: float, lasting: bool = False, names: bool = True
) -> YearComparison:
    """Two years of the same twelve questions and of people who know the same on the whole; `share` of the variance is between units."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=(2, units))
    if lasting:
        levels[1] = levels[0]
    of_whom = np.repeat(np.arange(units), people)
    years = []
    for level in levels:
        theta = np.sqrt(share) * level[of_whom] + np.sqrt(1 - share) * rng.normal(size=len(of_whom))
        p = probabilities(theta, np.full(12, 1.1), PLACES)
        items = [f"q{n}" for n in range(12)]
        years.append(Year((rng.random(p.shape) < p).astype(float), items, of_whom if names else None))
    return compare_years(years[0], years[1], [], length=12)


def test_people_who_come_by_units_are_not_taken_for_strangers() -> None:
    """Twenty units of fifty, a tenth of the variance between them, no change: 95 in 100 intervals hold 0. As strangers 67 in 100 would."""
    found = [by_units(seed, 20, 50, share=0.1) for seed in range(40)]
    held = [one.level.difference.low <= 0 <= one.level.difference.high for one in found]
    assert sum(held) >= 35
    spread = np.std([one.level.difference.value for one in found])
    assert np.mean([one.se_people for one in found]) == pytest.approx(spread, rel=0.3)
    assert np.mean([one.se_strangers for one in found]) < 0.65 * spread
    assert {one.basis for one in found} == {"units"}
    assert {one.units for one in found} == {(20, 20)}
    assert not any(one.few_units for one in found)
    lasting = [by_units(seed, 20, 50, share=0.1, lasting=True).se_people for seed in range(5)]
    assert np.mean(lasting) < 0.7 * spread, "what lasts in a unit is no change"


def test_units_that_have_nothing_in_common_leave_the_error_as_it_is() -> None:
    found = [by_units(seed, 20, 50, share=0.0) for seed in range(8)]
    assert all(one.se_people >= one.se_strangers for one in found)
    assert np.mean([one.se_people / one.se_strangers for one in found]) == pytest.approx(1.1, abs=0.15)


def test_how_people_are_taken_is_said() -> None:
    few = by_units(1, 2, 300, share=0.1)
    assert (few.basis, few.units, few.se_people) == ("too_few_units", (2, 2), few.se_strangers)
    nobody = by_units(1, 20, 30, share=0.1, names=False)
    known = by_units(1, 20, 30, share=0.1)
    assert (nobody.basis, nobody.units) == ("no_units", (0, 0))
    assert nobody.level.difference.value == known.level.difference.value
    assert nobody.level.difference.high < known.level.difference.high
    assert nobody.se_people == pytest.approx(known.se_strangers)
    rough = by_units(1, 5, 120, share=0.1)
    assert (rough.basis, rough.few_units) == ("units", True)
    assert rough.df_units == pytest.approx(4, abs=0.01)


def test_what_a_unit_adds_is_what_the_estimates_lose_without_it() -> None:
    rng = np.random.default_rng(9)
    p = probabilities(rng.normal(size=1500), rng.uniform(0.7, 1.5, 8), rng.normal(size=8))
    responses = (rng.random(p.shape) < p).astype(float)
    responses[:400, 2] = np.nan
    units = rng.integers(0, 30, 1500)
    for model in ("rasch", "2pl"):
        whole = fit(responses, model)
        adds = unit_influences(responses, whole, units)
        assert np.abs(adds.sum(axis=0)).max() < 1e-6
        without = fit(responses[units != 7], model)
        lost = np.concatenate([whole.a - without.a, whole.b - without.b])
        assert lost == pytest.approx(adds[7] / (1 - (units == 7).mean()), abs=0.15 * np.abs(lost).max())
        # of strangers it is the error that the model states
        alone = unit_influences(responses, whole, np.arange(1500))
        assert np.sqrt((alone**2).sum(axis=0)) == pytest.approx(np.concatenate([whole.se_a, whole.se_b]), rel=0.06)


def test_people_without_a_unit_stand_alone_and_one_large_unit_says_little() -> None:
    rng = np.random.default_rng(10)

    def year(units: NDArray[np.int64]) -> Year:
        p = probabilities(rng.normal(size=len(units)), np.ones(12), PLACES)
        return Year((rng.random(p.shape) < p).astype(float), [f"q{n}" for n in range(12)], units)

    small = np.repeat([11, 5, 70], 20)
    alone = year(np.concatenate([small, np.full(540, -1)])), year(np.full(600, -1))
    assert compare_years(*alone, [], length=12).basis == "too_few_units"
    large = np.concatenate([small, np.full(540, 3)])
    found = compare_years(year(large), year(large), [], length=12)
    assert found.df_units == 2
    assert found.few_units
