"""Parallel papers of the reference pool and a large survey: the product's mathematics against the plain way with NumPy and SciPy."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from benchmarks.results import Result, Results
from benchmarks.server import ROOT
from quizapp.analyse.blueprint_file import Plan, read_plan
from quizapp.analyse.pool_file import Pool, read_pool
from quizapp.measurement.forms import information, parallel_forms, probabilities
from quizapp.measurement.forms.model import demands_of
from quizapp.measurement.survey import Margin, calibrate, estimate_rate, make_design, rake

DATA = ROOT / "tests" / "measurement" / "data"
#: Papers → seconds that they may take.
LIMITS = {1: 1, 20: 20, 100: 120}
#: People, first-stage units, and replicates of the floor.
PEOPLE, UNITS, REPLICATES = 70_000, 500, 100


def reference(folder: Path) -> tuple[Pool, Plan]:
    """The pool and the blueprint of the tests."""
    with (DATA / "assembly_pool.csv").open(encoding="utf-8") as file:
        items: list[dict[str, Any]] = list(csv.DictReader(file))
    for item in items:
        item.update({key: float(item[key]) for key in ("a", "b", "exposure", "seconds")})
    with (DATA / "assembly_enemies.csv").open(encoding="utf-8") as file:
        enemies = [[row["one"], row["other"]] for row in csv.DictReader(file)]
    path = folder / "pool.json"
    path.write_text(json.dumps({"items": items, "enemies": enemies}), encoding="utf-8")
    return read_pool(path), read_plan(DATA / "assembly_blueprint.json", None)


def plain_papers(pool: Pool, plan: Plan, papers: int) -> float:
    """Seconds of the plain way: one program after another with every rule, every overlap and a random objective, to two per cent."""
    rules, items = plan.blueprint, pool.items
    demands = demands_of(items, rules, pool.enemies)
    curves = np.vstack([information(items, rules.theta), probabilities(items, rules.theta)])
    target = np.array([*rules.information, *rules.score])
    matrix = np.vstack([[demand.row for demand in demands], curves])
    low = np.array([*(demand.low for demand in demands), *(target - rules.information_tolerance)])
    high = np.array([*(demand.high for demand in demands), *(target + rules.information_tolerance)])
    rng, used = np.random.default_rng(1), np.zeros(len(items))
    begin = time.perf_counter()
    for _ in range(papers):
        found = milp(
            used + rng.random(len(items)),
            integrality=np.ones(len(items)),
            bounds=Bounds(0, (used < (rules.use_max or papers)).astype(float)),
            constraints=LinearConstraint(matrix, low, high),
            options={"mip_rel_gap": 0.02, "time_limit": 20},
        )
        form = found.x > 0.5
        used += form
        matrix = np.vstack([matrix, form.astype(float)])
        low, high = np.append(low, 0), np.append(high, rules.overlap_max or rules.items)
    return time.perf_counter() - begin


def measure(results: Results, *, folder: Path) -> None:
    """Papers within their seconds, and a national sample."""
    pool, plan = reference(folder)
    parallel_forms(pool.items, plan.blueprint, 1, "warm", enemies=pool.enemies)
    for papers, limit in LIMITS.items():
        begin = time.perf_counter()
        parallel_forms(pool.items, plan.blueprint, papers, "bench", enemies=pool.enemies)
        seconds = time.perf_counter() - begin
        floor = plain_papers(pool, plan, papers) if papers == 20 else None
        name = f"papers of 50 from 500 items: {papers}"
        results.add(Result(name, seconds, None, "s", target=limit, absolute=True))
        if floor is not None:
            note = "one milp after another with every rule"
            results.add(Result(f"{name}, against the plain way", seconds, floor, "s", note=note, target=1))
    _survey(results)


def _survey(results: Results) -> None:
    rng = np.random.default_rng(20150916)
    unit, age, schooling = (rng.integers(0, most, PEOPLE) for most in (UNITS, 6, 5))
    success = (rng.random(PEOPLE) < 0.05 + 0.02 * schooling + 0.02 * rng.random(UNITS)[unit]).astype(float)
    margins = [
        Margin(name, values.tolist(), dict.fromkeys(range(most), 10000000.0 / most))
        for name, values, most in (("age", age, 6), ("schooling", schooling, 5))
    ]
    begin = time.perf_counter()
    design = make_design(PEOPLE, weights=np.full(PEOPLE, 1e7 / PEOPLE), clusters=[unit])
    found = estimate_rate(calibrate(design, margins), success)
    seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    replicates = []
    for left_out in range(REPLICATES):  # the plain way: weight anew without each unit in turn; here of the first ones
        fitted = rake(np.where(unit == left_out, 0.0, 1.0), margins)
        replicates.append(fitted @ success / fitted.sum())
    floor = (time.perf_counter() - begin) * UNITS / REPLICATES
    error = float(np.sqrt((UNITS - 1) / REPLICATES * np.sum((np.array(replicates) - found.value) ** 2)))
    note = f"jackknife of all units, from {REPLICATES}; its error {error / found.se:.2f} times ours"
    results.add(Result(f"raked rate of {PEOPLE:,} people", seconds, floor, "s", note=note, target=1))
