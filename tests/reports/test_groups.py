"""Tables by group and of two periods, against counting one by one."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.errors import Forbidden, NotFound
from quizapp.core.scope import Role
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.measurement.clusters import clustered_difference
from quizapp.measurement.intervals import rate_difference
from quizapp.quizzes.models import Attempt
from quizapp.reports.attempt_rows import COLUMNS
from quizapp.reports.figures import FigureFilters, GroupDimension, compare, group_table
from quizapp.reports.record_words import record_words
from tests.conftest import START
from tests.factories import make_attempt, make_person, make_unit
from tests.reports.test_figures import District, add, make_district, scope_of
from tests.reports.test_pages import client_for

FIELDS = {
    GroupDimension.KEY_GROUP: "key_group",
    GroupDimension.AGE_BAND: "age_band",
    GroupDimension.SEX: "sex",
    GroupDimension.EDUCATION: "education",
    GroupDimension.IDENTITY: "identity_level",
}


def fill(db: Session, d: District, count: int, seed: int = 5) -> None:
    dice = random.Random(seed)
    for number in range(count):
        state = dice.choices(["submitted", "expired", "void"], [8, 1, 1])[0]
        make_attempt(
            db,
            d.delivery,
            dice.choice([d.left, d.right, d.street, d.other]),
            now=START - timedelta(days=dice.randrange(80)),
            person_id=make_person(db).id,
            state=state,
            is_first=state != "void",
            passed=dice.random() < 0.7 if state != "void" else None,
            score=dice.randrange(0, 101, 20) if state != "void" else None,
            age_band=dice.choice(["18-29", "30-39", None]),
            sex=dice.choice(["female", "male"]),
            education=dice.choice(["junior", "college", None]),
            key_group=random.Random(number).choice(["farmer", "elderly", None]),
            identity_level=dice.choice(["matched", "device", "signed_in"]),
        )


@pytest.mark.parametrize(
    ("by", "second"),
    [
        (GroupDimension.AGE_BAND, GroupDimension.SEX),
        (GroupDimension.UNIT, GroupDimension.AGE_BAND),
        (GroupDimension.EDUCATION, None),
        (GroupDimension.KEY_GROUP, None),
        (GroupDimension.MONTH, GroupDimension.UNIT),
        (GroupDimension.IDENTITY, GroupDimension.EDUCATION),
    ],
)
def test_the_groups_are_what_counting_one_by_one_gives(
    either_db: Session, by: GroupDimension, second: GroupDimension | None
) -> None:
    db = either_db
    d = make_district(db)
    fill(db, d, 260)

    def value(attempt: Attempt, dimension: GroupDimension) -> str | None:
        if dimension is GroupDimension.UNIT:
            child = {d.left.path: d.left, d.right.path: d.right}.get(attempt.unit_path or "")
            return child.path if child else d.street.path
        if dimension is GroupDimension.MONTH:
            return f"{attempt.local_date:%Y-%m}"
        found = getattr(attempt, FIELDS[dimension])
        return found if found is None else str(found)

    expected: dict[tuple[str | None, str | None], list[int]] = defaultdict(lambda: [0, 0, 0])
    for attempt in db.scalars(select(Attempt).where(Attempt.unit_path.startswith(d.street.path))):
        keys = [("", ""), (value(attempt, by), "")]
        if second is not None:
            keys.append((value(attempt, by), value(attempt, second)))
        for key in keys:
            first = attempt.state != "void"
            for place, one in enumerate((1, first, first and attempt.passed)):
                expected[key][place] += bool(one)
    table = group_table(db, scope_of(d.street), FigureFilters(), by, second)
    got = {(row.group, row.second): row for row in table.rows}
    assert set(got) == set(expected)
    for key, (started, first, passed) in expected.items():
        row = got[key]
        assert (row.started, row.first) == (started, first)
        if row.rate is None:
            assert row.passed is None or first == 0
        else:
            assert first >= FEWEST_ANSWERS
            assert (row.passed, row.rate) == (passed, pytest.approx(passed / first))
            assert row.low is not None
            assert row.low <= row.rate
    assert table.rows[0].total


def test_a_small_group_takes_another_with_it(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 5, 1, sex="female")
    add(either_db, d.delivery, d.left, 20, 5, sex="male")
    add(either_db, d.delivery, d.left, 30, 5)
    rows = group_table(either_db, scope_of(d.top), FigureFilters(), GroupDimension.SEX).rows
    assert [(row.group, row.rate is None) for row in rows] == [
        ("", False),
        ("female", True),
        ("male", True),
        (None, False),
    ]


def test_filters_narrow_and_foreign_units_and_leaders_get_nothing(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    add(db, d.delivery, d.left, 15, sex="female", age_band="18-29")
    add(db, d.delivery, d.left, 15, 5, sex="male", age_band="18-29")
    women = group_table(db, scope_of(d.top), FigureFilters(sex="female"), GroupDimension.AGE_BAND)
    assert [(row.group, row.first, row.rate) for row in women.rows] == [("", 15, 1.0), ("18-29", 15, 1.0)]
    with pytest.raises(NotFound):
        group_table(db, scope_of(d.street), FigureFilters(unit_id=d.other.id), GroupDimension.SEX)
    with pytest.raises(Forbidden):
        group_table(db, scope_of(d.top, Role.LEADER), FigureFilters(), GroupDimension.SEX)
    days = (date(2026, 1, 1), date(2026, 2, 1))
    with pytest.raises(Forbidden):
        compare(db, scope_of(d.top, Role.LEADER), FigureFilters(), days)


def test_two_periods_stand_side_by_side(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    add(db, d.delivery, d.left, 20, 20, now=START - timedelta(days=40))
    add(db, d.delivery, d.left, 30, 10)
    add(db, d.delivery, d.other, 12)
    now = FigureFilters(first_day=START.date() - timedelta(days=3), last_day=START.date())
    days = (START.date() - timedelta(days=50), START.date() - timedelta(days=20))
    found = compare(db, scope_of(d.top), now, days)
    total, street, other = found.changes
    expected = rate_difference((20, 40), (30, 40))
    assert (street.difference, street.low, street.high) == pytest.approx(expected)
    assert total.before is not None
    assert total.before.first == 40
    assert (other.difference, other.after.rate) == (None, 1.0)


def test_a_change_of_several_units_is_measured_by_units(db: Session, app: Flask) -> None:
    """Eight units, all of the people of one alike: 400 people then and now, but only eight units know anything."""
    d = make_district(db)
    units = [make_unit(db, d.other) for _ in range(8)]
    then, now = [25, 25, 25, 20, 5, 5, 5, 0], [25, 25, 25, 25, 20, 5, 5, 0]
    for passed, day in ((then, START - timedelta(days=40)), (now, START)):
        for unit, right in zip(units, passed, strict=True):
            add(db, d.delivery, unit, right, 25 - right, now=day)
    days = (START.date() - timedelta(days=50), START.date() - timedelta(days=20))
    filters = FigureFilters(first_day=START.date(), last_day=START.date())
    found = compare(db, scope_of(d.top), filters, days)
    expected = clustered_difference(*({n: (k, 25) for n, k in enumerate(side)} for side in (then, now)))
    pooled = rate_difference((sum(then), 200), (sum(now), 200))
    assert expected is not None
    assert pooled is not None
    assert pooled[1] > 0, "of people who are strangers it would be a change"
    total = found.changes[0]
    assert (total.difference, total.low, total.high) == pytest.approx(expected)
    assert expected[1] < 0 < expected[2]
    unit = compare(db, scope_of(units[4]), filters, days).changes[0]
    assert (unit.difference, unit.low, unit.high) == pytest.approx(rate_difference((5, 25), (20, 25)))
    db.commit()
    query = {"from": str(START.date()), "to": str(START.date()), "from2": str(days[0]), "to2": str(days[1])}
    page = client_for(app, d.top).get("/reports/comparison", query_string=query).text
    assert "两端取按单位聚类的区间" in page
    assert f"{100 * expected[1]:.1f}".replace("-", "−") in page


def test_the_pages_show_groups_months_and_changes(db: Session, app: Flask) -> None:
    d = make_district(db)
    fill(db, d, 200)
    db.commit()
    client = client_for(app, d.top)
    page = client.get("/reports/groups?by=sex&second=age_band").text
    assert page.count("<h1") == 1
    assert "18-29" in page
    assert 'data-row="female|18-29"' in page
    months = client.get("/reports/groups?by=month").text
    assert 'data-row="2026-11|"' in months
    assert 'class="line-chart"' in months
    assert "2026年11月" in months
    compared = client.get("/reports/comparison?from=2026-11-01&to=2026-11-23&from2=2026-09-01&to2=2026-10-31").text
    assert 'data-figure="pass_rate_change"' in compared
    assert client.get("/reports/comparison?from2=x").status_code == 422
    assert client_for(app, d.top, Role.LEADER).get("/reports/groups").status_code == 403
    assert client_for(app, d.top).get("/reports/export/comparison/xlsx?from=2026-11-01").status_code == 200
    assert client_for(app, d.top).get("/reports/export/groups/csv?by=month").status_code == 200


def test_a_key_group_has_its_word_in_filters_tables_records_and_files(db: Session, app: Flask) -> None:
    d = make_district(db)
    for group in ("farmer", "elderly"):
        add(db, d.delivery, d.left, 15, 5, key_group=group, is_first=True)
    db.commit()
    client = client_for(app, d.top)
    page = client.get("/reports/pass-rates?group=farmer").text
    assert '<option value="farmer" selected>农民</option>' in page
    table = client.get("/reports/groups?by=key_group").text
    assert re.search(r'data-row="[^"]*farmer[^"]*">\s*<th[^>]*>农民', table)
    with app.test_request_context():
        assert record_words()[str(COLUMNS.index("key_group"))]["elderly"] == "老年人"
    rows = client.get("/reports/export/groups/csv?by=key_group").data.decode("utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in rows[2:]] == ["农民", "老年人"]


def test_every_table_says_of_whom_it_is(db: Session, app: Flask) -> None:
    d = make_district(db)
    for number in range(8):
        person = make_person(db, unit_id=d.left.id, rostered_on=START.date())
        if number < 5:
            make_attempt(db, d.delivery, d.left, person_id=person.id, sex="female")
    db.commit()
    client = client_for(app, d.top)
    for page in ("pass-rates?", "groups?by=sex&", "groups?by=month&", "comparison?"):
        text = client.get(f"/reports/{page}delivery={d.delivery.id}").text
        assert "参加者中（名册 8 人中的 5 人），不代表全体居民" in text, page
    assert "参加者中，不代表全体居民" in client.get("/reports/groups?by=age_band&sex=female").text
    assert "/reports/export/comparison?" in client.get("/reports/comparison").text
