"""The figures kept of an item version: over deliveries with many papers of unequal difficulty, people are compared inside each paper."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np

from quizapp.banks.models import ItemVersion
from quizapp.reports.item_counts import RIGHT
from quizapp.reports.item_values import Tally, figure_values
from tests.conftest import START

PAPERS, PEOPLE = 40, 60


def test_totals_of_many_papers_are_never_put_together() -> None:
    rng = np.random.default_rng(8)
    version = ItemVersion(id=1, type="true_false", options=[{"id": "t"}, {"id": "f"}], key=["t"])
    tallies, within = [], np.zeros(3)
    for paper in range(PAPERS):
        # every other paper is hard beside this item, every other easy
        b = np.append(0.0, np.full(15, -2.0 if paper % 2 else 2.0))
        scores = (rng.random((PEOPLE, 16)) < 1 / (1 + np.exp(-1.3 * (rng.normal(size=(PEOPLE, 1)) - b)))).astype(int)
        right, rest = scores[:, 0].astype(float), scores[:, 1:].sum(axis=1).astype(float)
        x, y = right - right.mean(), rest - rest.mean()
        within += x @ y, x @ x, y @ y
        # two days of one delivery: one paper all the same
        for day in (0, 1):
            counts: dict[str, dict[int, int]] = {}
            for person in range(day, PEOPLE, 2):
                by_total = counts.setdefault(RIGHT if scores[person, 0] else "f", {})
                total = int(scores[person].sum())
                by_total[total] = by_total.get(total, 0) + 1
            tallies.append(Tally(paper, 1, (START + timedelta(days=day)).date(), 1, counts, 0))
    figures = figure_values(version, tallies, dict.fromkeys(range(PAPERS), 16), START)["figures"]
    expected = within[0] / math.sqrt(within[1] * within[2])
    assert abs(figures["rest"] - expected) < 1e-12
    assert expected > 0.3
    assert figures["upper_lower"] > 0.3
