"""The literacy bank suffices for many parallel papers of one difficulty, beside what tests leave to practice."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.parsed import EXPECTED_SHARE
from quizapp.core.db import Database
from quizapp.core.paths import data_folder
from quizapp.measurement.assembly import assemble
from quizapp.quizzes.models import QuizBlueprint
from quizapp.quizzes.services.assembly import pass_right, read_draw
from tests.bank_templates import sqlite_template  # noqa: F401 # a fixture
from tests.conftest import START


def test_twenty_papers_share_their_items_evenly_and_are_equally_hard(database: Database):
    banks = read_folder(data_folder("question_banks")).banks
    with database.session() as db:
        blueprint = db.scalars(select(QuizBlueprint).where(QuizBlueprint.code == "literacy_2016")).one()
        draw, rules = read_draw(db, blueprint, now=START), blueprint.rules
    assert len(draw.reduced) <= 0.75 * len(draw.pool.items) + 1  # a quarter is left to practice
    right = pass_right(rules["pass_score"], rules["points_each"])
    points = {item.code: EXPECTED_SHARE[item.difficulty] * rules["points_each"] for item in banks.items}
    for seed in ("7", "00ff"):
        papers = assemble(draw.reduced, draw.blueprint, 20, seed, pass_right=right)
        assert len({frozenset(paper) for paper in papers}) == 20
        assert max(Counter(code for paper in papers for code in paper).values()) <= 6
        scores = [sum(points[code] for code in paper) for paper in papers]
        assert max(scores) - min(scores) <= 1
