"""Calibrating a bank: the truth of simulated tests of different people, what is left out, and papers that are balanced by it."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from quizapp.measurement import irt
from quizapp.measurement.assembly import PoolItem, assemble
from quizapp.measurement.calibration import calibrate
from quizapp.measurement.irt_curves import probabilities, quadrature
from quizapp.measurement.pass_mark import pass_demands, pass_mark, stand_ins
from tests.measurement.test_assembly import DATA, faults, read_pool, reference_blueprint

A, B = np.linspace(0.7, 1.5, 30)[np.random.default_rng(2).permutation(30)], np.linspace(-1.6, 1.6, 30)


def answers(
    rng: np.random.Generator, people: int, mean: float, sd: float, columns: range | list[int], items: int = 30
) -> np.ndarray:
    """Answers of people of N(mean, sd) to some of the items; the others were not given."""
    ability = rng.normal(mean, sd, people)
    found = np.full((people, items), np.nan)
    found[:, list(columns)] = (rng.random((people, items)) < probabilities(ability, A[:items], B[:items]))[
        :, list(columns)
    ]
    return found


def three_tests(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three deliveries with eight common questions from one to the next; the people of the second are better by a whole SD."""
    rng = np.random.default_rng(seed)
    parts = [
        answers(rng, 500, 0.0, 1.0, range(14)),
        answers(rng, 400, 1.0, 0.8, range(6, 22)),
        answers(rng, 400, -0.4, 1.1, range(14, 30)),
    ]
    return np.vstack(parts), np.repeat([0, 1, 2], [500, 400, 400])


def test_items_of_tests_with_different_people_come_onto_one_scale_with_right_errors() -> None:
    """16 samples: no part of the scale is off, and the errors are as large as the spread."""
    people = np.array([500, 400, 400]) / 1300
    mean = float(people @ [0.0, 1.0, -0.4])
    sd = float(np.sqrt(people @ (np.array([1.0, 0.8, 1.1]) ** 2 + (np.array([0.0, 1.0, -0.4]) - mean) ** 2)))
    truth_a, truth_b = A * sd, (B - mean) / sd
    found = [calibrate(*three_tests(seed)) for seed in range(16)]
    assert all(one is not None and len(one.items) == 30 and one.groups == 3 for one in found)
    a, b = np.array([one.a for one in found]), np.array([one.b for one in found])  # type: ignore[union-attr]
    se_a, se_b = np.array([one.se_a for one in found]), np.array([one.se_b for one in found])  # type: ignore[union-attr]
    for part in (slice(0, 10), slice(10, 20), slice(20, 30)):
        assert (b[:, part] - truth_b[part]).mean() == pytest.approx(0, abs=0.05)
        assert (a[:, part] / truth_a[part]).mean() == pytest.approx(1, abs=0.06)
    assert 0.92 < (np.abs(b - truth_b) < 1.96 * se_b).mean() < 0.985
    assert 0.92 < (np.abs(a - truth_a) < 1.96 * se_a).mean() < 0.985
    assert np.mean([one.misfit.mean() for one in found]) < 0.02, "sound items are seldom called misfits"  # type: ignore[union-attr]
    # one population for all, as if the groups were alike, puts the parts apart
    alike = [irt.fit(three_tests(seed)[0], "2pl").b for seed in range(8)]
    off = np.array(alike) - (B - mean) / sd
    assert abs(off[:, :6].mean() - off[:, 24:].mean()) > 0.1


def test_second_derivatives_with_groups_are_the_numerical_ones() -> None:
    from quizapp.measurement.irt_derivatives import derivatives
    from quizapp.measurement.irt_patterns import patterns_of

    responses, groups = three_tests(3)
    patterns, theta = patterns_of(responses, groups), quadrature()[0]
    shape = np.eye(64)
    at = np.concatenate([A * 0.9, -A * B, [0.5, -0.2], np.log([0.9, 1.2])])
    _, gradient, information = derivatives(patterns, theta, shape, at)
    for place in (4, 33, 60, 61, 62, 63):
        step = np.eye(64)[place] * 1e-4
        above, below = derivatives(patterns, theta, shape, at + step), derivatives(patterns, theta, shape, at - step)
        assert gradient[place] == pytest.approx((above[0] - below[0]) / 2e-4, rel=1e-3)
        assert information[place] == pytest.approx(-(above[1] - below[1]) / 2e-4, abs=1e-4)


def test_what_common_items_do_not_join_is_left_out_and_told() -> None:
    rng = np.random.default_rng(7)
    one, other = answers(rng, 300, 0, 1, range(12)), answers(rng, 200, 0, 1, range(8, 20))
    found = calibrate(np.vstack([one, other]), np.repeat([0, 1], [300, 200]))
    assert found is not None
    assert found.items.tolist() == list(range(12)), "four common items do not join"
    assert found.apart.tolist() == list(range(12, 20))
    assert found.people == 300
    five = calibrate(np.vstack([one, answers(rng, 200, 0, 1, range(7, 20))]), np.repeat([0, 1], [300, 200]))
    assert five is not None
    assert len(five.items) == 20
    assert not len(five.apart)
    # papers of one delivery are dealt out by chance: they need no common items
    dealt = calibrate(np.vstack([one, answers(rng, 200, 0, 1, range(14, 26))]), np.zeros(500, dtype=int))
    assert dealt is not None
    assert len(dealt.items) == 24


def test_each_item_has_the_model_that_its_answers_carry() -> None:
    rng = np.random.default_rng(5)
    many, few = answers(rng, 260, 0, 1, range(10)), answers(rng, 150, 0, 1, [*range(5), 20, 21, 22])
    less = answers(rng, 99, 0, 1, [*range(5), 25])
    found = calibrate(np.vstack([many, few, less]), np.zeros(509, dtype=int))
    assert found is not None
    assert found.items.tolist() == [*range(10), 20, 21, 22], "99 answers are too few"
    assert found.own_slope.tolist() == [True] * 10 + [False] * 3
    assert np.ptp(found.a[10:]) == 0
    rasch = calibrate(few, np.zeros(150, dtype=int))
    assert rasch is not None
    assert not rasch.own_slope.any()
    assert np.ptp(rasch.a) == 0
    assert rasch.a[0] == pytest.approx(irt.fit(few[:, [*range(5), 20, 21, 22]], "rasch").a[0])
    # an item alone with 150 answers has nobody to share a slope with: it waits
    alone = calibrate(np.vstack([many, answers(rng, 150, 0, 1, [*range(5), 20])]), np.zeros(410, dtype=int))
    assert alone is not None
    assert 20 not in alone.items.tolist()
    assert calibrate(less, np.zeros(99, dtype=int)) is None
    assert calibrate(np.ones((300, 5)), np.zeros(300, dtype=int)) is None, "everybody right says nothing"


def test_an_item_that_the_able_get_wrong_is_called_a_misfit() -> None:
    rng = np.random.default_rng(9)
    ability = rng.normal(0, 1, 1200)
    responses = (rng.random((1200, 20)) < probabilities(ability, A[:20], B[:20])).astype(float)
    # most know it but those who know most, who see a second right answer
    odd = np.where(ability < 0.8, probabilities(ability, np.array([2.0]), np.array([-0.8]))[:, 0], 0.1)
    responses[:, 7] = rng.random(1200) < odd
    found = calibrate(responses, np.zeros(1200, dtype=int))
    assert found is not None
    assert np.flatnonzero(found.misfit).tolist() == [7]
    assert found.off[7] > 0.1
    assert found.outfit[7] == pytest.approx(1, abs=0.05), "a slope of its own hides it from the mean squares"


def calibrated_pool() -> list[PoolItem]:
    """The reference pool with its slopes and places."""
    theta, weight = quadrature()
    with (DATA / "assembly_pool.csv").open(encoding="utf-8") as file:
        known = {row["id"]: (float(row["a"]), float(row["b"])) for row in csv.DictReader(file)}

    def share(a: float, b: float) -> float:
        return float(weight @ probabilities(theta, np.array([a]), np.array([b]))[:, 0])

    return [replace(item, a=a, b=b, difficulty=share(a, b)) for item in read_pool() for a, b in [known[item.id]]]


def test_papers_are_equally_hard_and_exact_at_the_pass_mark() -> None:
    pool, blueprint = calibrated_pool(), reference_blueprint()
    by_id = {item.id: item for item in pool}

    def made(items: list[PoolItem]) -> tuple[float, float]:
        forms = assemble(items, blueprint, 3, "seed", pass_right=30)
        assert not [fault for form in forms for fault in faults(form, pool, blueprint)]
        mark = pass_mark([[by_id[name] for name in form] for form in forms], 30)
        assert mark is not None
        return max(mark.scores) - min(mark.scores), min(mark.information) / max(mark.information)

    spread, exact = made(pool)
    assert spread <= 0.5, "a quarter of an item to each side"
    assert exact > 0.95
    plain_spread, plain_exact = made([replace(item, a=None, b=None) for item in pool])
    assert spread < plain_spread
    assert exact > plain_exact


def test_uncalibrated_items_stand_in_with_the_mean_slope_at_their_expected_share() -> None:
    pool = calibrated_pool()
    some = [item if place % 3 else replace(item, a=None, b=None) for place, item in enumerate(pool)]
    filled = stand_ins(some)
    assert filled is not None
    slope = float(np.mean([item.a for item in some if item.a is not None]))
    theta, weight = quadrature()
    for was, now in zip(some, filled, strict=True):
        if was.a is None:
            assert now.a == pytest.approx(slope)
            expected = weight @ probabilities(theta, np.array([now.a]), np.array([now.b]))[:, 0]
            assert expected == pytest.approx(was.difficulty, abs=1e-3)
        else:
            assert (now.a, now.b) == (was.a, was.b)
    few = [item if place % 3 == 0 else replace(item, a=None, b=None) for place, item in enumerate(pool)]
    assert stand_ins(few) is None
    assert pass_demands(few, reference_blueprint(), 30) == []
    assert pass_mark([few], 30) is None
