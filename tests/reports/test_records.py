"""Each number opens to as many records as it says: over random districts, for every figure and row."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Role
from quizapp.quizzes.models import Attempt, DeliveryAudience
from quizapp.reports.attempt_rows import count_attempts
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figures.sums import joined
from quizapp.reports.records import attempt_conditions
from quizapp.reports.views.pass_rates import figure_table
from tests.conftest import START
from tests.factories import make_attempt, make_person
from tests.reports.test_figures import add, fill_at_random, make_district, scope_of
from tests.reports.test_pages import client_for


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.parametrize("seed", [3, 8])
def test_every_number_of_every_row_equals_the_count_of_its_records(either_app: Flask, seed: int) -> None:
    app = either_app
    with app.extensions["quizapp"].database.session() as db:
        d = make_district(db)
        fill_at_random(db, d, 150, seed)
        for _ in range(12):
            make_attempt(db, d.delivery, None, person_id=make_person(db).id)
            make_attempt(db, d.delivery, d.top, person_id=make_person(db).id)
        d.left.parent_id, d.left.path = d.other.id, f"{d.other.path}{d.left.id}/"  # moved away since
        db.commit()
        scope = scope_of(d.top)
        numbers = 0
        client = client_for(app, d.top)
        with app.test_request_context("/"):
            for unit in (d.top, d.street, d.other):
                query = {"unit": str(unit.id), "from": "2026-09-01", "to": "2026-11-30"}
                table = figure_table(query, Permission.SEE_FIGURES)
                for row in table.rows:
                    for code, cell in row.cells.items():
                        if cell.records is None:
                            continue
                        found = attempt_conditions(db, scope, query_of(cell.records))
                        if code is FigureCode.PERSONS:
                            number = db.scalar(
                                joined(select(func.count(func.distinct(Attempt.person_id)))).where(*found)
                            )
                        else:
                            number = count_attempts(db, found)
                        assert number == cell.value, (unit.name, row.key, code)
                        numbers += 1
                        address = cell.records
        assert numbers > 60
        page = client.get(address).text
        assert page.count("data-attempt=") == min(50, number or 0)


def test_names_are_masked_and_leaders_open_nothing(db: Session, app: Flask) -> None:
    d = make_district(db)
    make_attempt(db, d.delivery, d.left, person_id=make_person(db, name="李建国").id)
    add(db, d.delivery, d.left, 30, 10)
    db.commit()
    page = client_for(app, d.top).get("/reports/records?figure=first").text
    assert "李建国" not in page
    assert "李*国" in page
    leader = client_for(app, d.top, Role.LEADER)
    assert leader.get("/reports/records?figure=first").status_code == 403
    assert "/reports/records" not in leader.get("/reports/pass-rates").text
    assert client_for(app, d.top).get("/reports/records?figure=coverage").status_code == 404


def test_no_interval_where_the_roster_is_complete(db: Session, app: Flask) -> None:
    d = make_district(db)
    people = [make_person(db, unit_id=d.left.id, rostered_on=START.date()) for _ in range(20)]
    for person in people[:18]:
        make_attempt(db, d.delivery, d.left, person_id=person.id)
    db.commit()
    client = client_for(app, d.top)
    page = client.get(f"/reports/pass-rates?delivery={d.delivery.id}&unit={d.left.id}").text
    assert "名册 20 人中的 18 人" in page
    assert "90.0%" in page
    assert "名册几乎都测了" not in page
    make_attempt(db, d.delivery, d.left, person_id=people[18].id)
    db.commit()
    page = client.get(f"/reports/pass-rates?delivery={d.delivery.id}&unit={d.left.id}").text
    assert "名册几乎都测了" in page
    assert 'class="interval"' not in page.split("<tbody>")[1]
    # who is not on the roster was not drawn from it: one of twenty may be, two may not
    for left in (1, 0):
        make_attempt(db, d.delivery, d.left, person_id=make_person(db).id)
        db.commit()
        page = client.get(f"/reports/pass-rates?delivery={d.delivery.id}&unit={d.left.id}").text
        assert ("名册几乎都测了" in page) is bool(left)
        assert ('class="interval"' in page.split("<tbody>")[1]) is not bool(left)


def test_the_roster_of_a_delivery_for_some_units_is_theirs(db: Session, app: Flask) -> None:
    d = make_district(db)
    for unit, count in ((d.left, 4), (d.right, 6), (d.other, 10)):
        for _ in range(count):
            make_person(db, unit_id=unit.id, rostered_on=START.date())
    make_attempt(db, d.delivery, d.left, person_id=make_person(db, unit_id=d.left.id, rostered_on=START.date()).id)
    db.add(DeliveryAudience(delivery_id=d.delivery.id, unit_id=d.street.id))
    d.delivery.limited = True
    db.commit()
    page = client_for(app, d.top).get(f"/reports/pass-rates?delivery={d.delivery.id}").text
    assert "名册 11 人中的 1 人" in page
