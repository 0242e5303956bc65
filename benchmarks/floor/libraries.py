"""The libraries that the product's statistics are set beside, in an environment of their own (`requirements/bench.txt`).

`python benchmarks/floor/libraries.py PART DATA.npz` prints {"seconds", "values"} as JSON; nothing of the product is imported here.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Found = tuple[float, list[float]]


def intervals(data: Any) -> Found:
    """statsmodels: Wilson, Clopper-Pearson, Newcombe's difference, exact McNemar of each row (k1, n1, k2, n2)."""
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    rows = data["counts"].tolist()
    begin = time.perf_counter()
    values: list[float] = []
    for k1, n1, k2, n2 in rows:
        values += proportion_confint(k1, n1, method="wilson")
        values += proportion_confint(k1, n1, method="beta")
        values += confint_proportions_2indep(k2, n2, k1, n1, method="newcomb", compare="diff")
        values.append(mcnemar([[0, k1], [k2, 0]], exact=True).pvalue)
    return time.perf_counter() - begin, [float(value) for value in values]


def model(data: Any) -> Found:
    """girth: the 2PL with as many points over the same range; no standard errors."""
    from girth import twopl_mml

    answers = data["answers"].astype(int).T
    begin = time.perf_counter()
    found = twopl_mml(answers, {"quadrature_n": 81, "quadrature_bounds": (-6, 6), "max_iteration": 500})
    return time.perf_counter() - begin, [*found["Discrimination"].tolist(), *found["Difficulty"].tolist()]


def survey(data: Any) -> Found:
    """svy: rate, error and logit interval of people in units in strata."""
    import polars
    import svy

    frame = polars.DataFrame({name: data[name] for name in ("stratum", "unit", "weight", "yes")})
    begin = time.perf_counter()
    sample = svy.Sample(data=frame, design=svy.Design(stratum="stratum", psu="unit", wgt="weight"))
    estimates = sample.estimation.prop(y="yes").estimates
    seconds = time.perf_counter() - begin
    one = next(estimate for estimate in estimates if estimate.y_level == 1)
    return seconds, [float(one.est), float(one.se), float(one.lci), float(one.uci)]


PARTS: dict[str, Callable[[Any], Found]] = {"intervals": intervals, "model": model, "survey": survey}

if __name__ == "__main__":
    took, numbers = PARTS[sys.argv[1]](np.load(sys.argv[2]))
    print(json.dumps({"seconds": took, "values": numbers}))
