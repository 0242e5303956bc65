"""The literacy bank suffices for many parallel papers of one difficulty."""

from __future__ import annotations

from collections import Counter

from quizapp.banks.checks.coverage import pool_item
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.parsed import EXPECTED_SHARE
from quizapp.core.paths import data_folder
from quizapp.measurement.assembly import Blueprint, assemble


def test_twenty_papers_share_their_items_evenly_and_are_equally_hard():
    banks = read_folder(data_folder("question_banks")).banks
    (blueprint,) = (b for b in banks.blueprints if b.code == "literacy_2016")
    items = [i for i in banks.items if i.bank == "literacy" and i.use == "test" and i.state == "approved"]
    benchmark_of = banks.benchmark_of_point
    pool = [pool_item(item, benchmark_of[item.point or 0]) for item in items]
    papers = assemble(pool, Blueprint.from_rules(blueprint.rules), 20, "parallel")
    assert len({frozenset(paper) for paper in papers}) == 20
    assert max(Counter(code for paper in papers for code in paper).values()) <= 6
    points = {item.code: EXPECTED_SHARE[item.difficulty] * blueprint.rules["points_each"] for item in items}
    scores = [sum(points[code] for code in paper) for paper in papers]
    assert max(scores) - min(scores) <= 1
