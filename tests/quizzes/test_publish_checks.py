"""What stands beside the form of a new delivery."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.quizzes.models import QuizBlueprint
from quizapp.quizzes.services.publish_checks import Check, expected_overlap, publish_checks
from tests.conftest import FakeClock
from tests.quizzes.banks import make_blueprint


@given(st.integers(1, 200), st.integers(1, 60), st.integers(2, 30))
def test_the_expected_overlap_is_that_of_forms_dealt_in_turn(pool: int, items: int, papers: int) -> None:
    items = min(items, pool)
    forms = [{(number * items + place) % pool for place in range(items)} for number in range(papers)]
    pairs = [len(one & other) for one, other in combinations(forms, 2)]
    assert expected_overlap(pool, items, papers) == pytest.approx(sum(pairs) / len(pairs), abs=0.5)


def _checks(db: Session, blueprint: QuizBlueprint, clock: FakeClock, **changes: Any) -> dict[str, Check]:
    values: dict[str, Any] = {
        "pass_score": 35,
        "paper_count": 2,
        "guests": True,
        "fields": {"name": "required", "unit": "required"},
        "closes_at": clock() + timedelta(days=30),
    }
    checks = publish_checks(db, blueprint, **{**values, **changes}, now=clock())
    return {check.code: check for check in checks}


@pytest.mark.parametrize(
    ("changes", "code", "state"),
    [
        ({}, "topics", "ok"),
        ({}, "guess_pass", "ok"),
        ({"pass_score": 5}, "guess_pass", "look"),
        ({}, "overlap", "ok"),
        ({}, "validity", "ok"),
        ({"closes_at": FakeClock()() + timedelta(days=3650)}, "validity", "look"),
        ({}, "fields", "ok"),
        ({"fields": {"name": "required"}}, "no_unit", "look"),
        ({"fields": {"name": "required", "unit": "optional", "phone": "required"}}, "phone_required", "look"),
        (
            {"fields": dict.fromkeys(("name", "unit", "sex", "education", "birth_year"), "required")},
            "many_fields",
            "look",
        ),
        ({}, "guests_counted", "ok"),
        ({"fields": {"name": "optional", "unit": "required"}}, "guests_uncounted", "look"),
    ],
)
def test_each_check_has_its_state(
    db: Session, clock: FakeClock, changes: dict[str, Any], code: str, state: str
) -> None:
    with transaction(db):
        blueprint = make_blueprint(db)
    assert _checks(db, blueprint, clock, **changes)[code].state == state


def test_what_the_bank_lacks_stops_and_untyped_values_leave_their_checks_out(db: Session, clock: FakeClock) -> None:
    with transaction(db):
        blueprint = make_blueprint(db, items=8)
    checks = _checks(db, blueprint, clock, pass_score=None, paper_count=None, closes_at=None, guests=False)
    assert checks["missing"].state == "stop"
    assert not {"guess_pass", "overlap", "validity", "guests_counted"} & set(checks)
