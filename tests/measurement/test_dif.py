"""Differential item functioning, against R's mantelhaen.test."""

from __future__ import annotations

import numpy as np
import pytest

from quizapp.measurement.dif import mantel_haenszel
from tests.measurement.reference import columns, expected
from tests.measurement.responses import digits


def dif800() -> tuple[np.ndarray, np.ndarray]:
    table = columns("dif800.csv")
    people = np.array(table["people"], dtype=int)
    return (
        np.repeat(digits(table["pattern"]), people, axis=0),
        np.repeat(np.array(table["group"]) == "foc", people),
    )


def test_the_items_are_as_r_has_them() -> None:
    scores, focal = dif800()
    for item, r in enumerate(expected("dif_expected.json")):
        found = mantel_haenszel(scores, focal, item)
        assert found.odds_ratio == pytest.approx(r["or_mh"], abs=1e-8)
        assert found.delta == pytest.approx(r["delta_mh"], abs=1e-8)
        assert found.chi_square == pytest.approx(r["chisq"], abs=1e-8)
        assert found.p == pytest.approx(r["p"], abs=1e-8)
        assert (found.low, found.high) == pytest.approx(tuple(r["or_ci95"]), abs=1e-8)
        assert (found.strata, found.size) == (r["n_strata_used"], r["ets"])


def test_groups_that_are_alike_give_one_and_no_group_gives_nothing() -> None:
    scores, _ = dif800()
    twice = np.concatenate([scores, scores])
    found = mantel_haenszel(twice, np.arange(len(twice)) < len(scores), 3)
    assert found.odds_ratio == pytest.approx(1)
    assert found.p == pytest.approx(1)
    alone = mantel_haenszel(scores, np.zeros(len(scores)), 3)
    assert (alone.odds_ratio, alone.p, alone.strata, alone.size) == (None, None, 0, None)
    assert mantel_haenszel(np.array([[1, 0]]), [True], 0).odds_ratio is None
    with pytest.raises(ValueError, match="without gaps"):
        mantel_haenszel(np.array([[1.0, np.nan]]), [True], 0)
    with pytest.raises(ValueError, match="one group"):
        mantel_haenszel(scores, [True], 0)
