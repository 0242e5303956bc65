"""The pass-rate page and its exports, through a test client."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import day_start, to_ms
from quizapp.core.db import Database
from quizapp.core.scope import GUEST, Actor, Role
from quizapp.organisation.models import OrgUnit
from quizapp.reports.forms import Filters
from tests.factories import make_delivery, make_unit
from tests.reports.test_figures import INDEPENDENT, add, fill_at_random, make_district, scope_of

#: What the table has beside the counts: people, mean score of first attempts, units with any.
FURTHER = """
    SELECT count(DISTINCT CASE WHEN a.state IN ('submitted', 'expired') THEN a.person_id END),
           avg(CASE WHEN a.state IN ('submitted', 'expired') AND a.is_first THEN 100.0 * a.score / d.max_score END),
           count(DISTINCT CASE WHEN a.state IN ('submitted', 'expired') AND a.is_first THEN a.unit_path END)
    FROM attempt a JOIN delivery d ON d.id = a.delivery_id
    WHERE a.delivery_id = :delivery AND a.local_date BETWEEN :first AND :last AND a.unit_path LIKE :path || '%'
"""
MakeApp = Callable[..., Flask]
PAGE = "/reports/pass-rates"
FILES = {"": PAGE, "xlsx": "/reports/export/pass_rates/xlsx", "csv": "/reports/export/pass_rates/csv"}


def client_for(app: Flask, unit: OrgUnit | None, role: Role = Role.COORDINATOR) -> FlaskClient:
    actor = Actor(account_id=5, name="林晓", scope=scope_of(unit, role))
    app.extensions["quizapp"].load_actor = lambda: actor
    return app.test_client()


def test_the_page_has_the_total_first_and_says_of_whom_it_is(db: Session, app: Flask) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 20, 5)
    add(db, d.delivery, d.other, 30, 12)
    db.commit()
    page = client_for(app, d.top).get(PAGE).text
    assert page.count("<h1") == 1
    body = page.split("<tbody>")[1]
    assert body.index("参加者中") < body.index("临江区合计") < body.index("滨江街道") < body.index("桥东街道")
    assert "80.0%" in page
    assert re.search(r"60\.9–91\.1", page)
    assert f'href="{PAGE}?unit={d.street.id}"' in page
    assert "<svg" in body
    drilled = client_for(app, d.top).get(f"{PAGE}?unit={d.street.id}&target=90").text
    assert "紫兴社区" in drilled
    assert f'href="{PAGE}?unit={d.top.id}&amp;target=90"' in drilled or f"unit={d.top.id}" in drilled
    assert "目标 90%" in drilled


def test_a_window_that_ends_at_midnight_ends_on_the_day_before(db: Session, app: Flask) -> None:
    opens = day_start(date(2026, 3, 2))
    top = make_unit(db, kind="district")
    delivery = make_delivery(db, top, opens_at=to_ms(opens), closes_at=to_ms(opens + timedelta(days=7)))
    db.commit()
    page = client_for(app, top).get(f"{PAGE}?delivery={delivery.id}").text
    assert "3月8日" in page
    assert "3月9日" not in page


def test_a_small_row_is_said_to_be_hidden(db: Session, app: Flask) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 5, 4)
    add(db, d.delivery, d.other, 20, 5)
    add(db, d.delivery, d.top, 30, 5)
    db.commit()
    page = client_for(app, d.top).get(PAGE).text
    assert "作答不足 10 人，不显示" in page
    assert "能推算出人数少的一行，不显示" in page
    assert "55.6%" not in page


def test_nothing_yet_and_nothing_found_are_said_differently(db: Session, app: Flask) -> None:
    d = make_district(db)
    db.commit()
    assert "还没有记录" in client_for(app, d.top).get(PAGE).text
    add(db, d.delivery, d.left, 12)
    db.commit()
    page = client_for(app, d.top).get(f"{PAGE}?from=2026-01-01&to=2026-02-01").text
    assert "没有符合条件的作答" in page
    assert "清除筛选" in page


@pytest.mark.parametrize("query", ["from=x", "to=2026-13-01", "from=2026-05-02&to=2026-05-01"])
def test_days_that_are_none_are_said_to_be_wrong(db: Session, app: Flask, query: str) -> None:
    d = make_district(db)
    db.commit()
    reply = client_for(app, d.top).get(f"{PAGE}?{query}")
    assert reply.status_code == 422
    assert "日期没有看懂" in reply.text


def test_filters_that_make_no_sense_are_as_if_not_asked() -> None:
    filters = Filters.read({"unit": "x", "delivery": "", "target": "61", "page": "-3", "from": "2026-04-01"})
    assert (filters.figures.unit_id, filters.figures.delivery_id, filters.target, filters.page) == (None, None, None, 1)
    assert filters.figures.first_day is not None
    assert not filters.wrong_days


def test_the_exports_equal_sql_written_independently_cell_by_cell(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        d = make_district(db)
        fill_at_random(db, d, 300)
        db.commit()
        query = f"delivery={d.delivery.id}&from=2026-10-01&to=2026-11-20"
        client = client_for(app, d.top)
        book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{FILES['xlsx']}?{query}").data))
        assert book.sheet_names == ["说明", "参与与合格率", "合格率图"]
        table = book.get_sheet_by_name("参与与合格率").to_python()
        content = client.get(f"{FILES['csv']}?{query}").data
        assert content.startswith(b"\xef\xbb\xbf")
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        assert len(table) == len(lines) == 4
        assert table[0] == lines[0]
        units = {unit.code: unit for unit in (d.top, d.street, d.other)}
        for cells, line in zip(table[1:], lines[1:], strict=True):
            days = ("2026-10-01", "2026-11-20")
            values = {"delivery": d.delivery.id, "first": days[0], "last": days[1], "path": units[str(cells[1])].path}
            if not either_database.is_sqlite:
                from datetime import date

                values |= {"first": date.fromisoformat(days[0]), "last": date.fromisoformat(days[1])}
            started, closed, first, passed, void, unidentified = db.execute(text(INDEPENDENT), values).one()
            persons, score, units_of = db.execute(text(FURTHER), values).one()
            named = dict(zip(table[0], cells, strict=True))
            assert cells[2:5] == [persons, first, passed]
            assert cells[9:13] == [started, closed, void, unidentified]
            assert named["合格率"] == pytest.approx(passed / first)
            assert named["平均得分率"] == pytest.approx(float(score) / 100)
            assert line[0].removesuffix("合计") == units[str(cells[1])].name
            assert line[1:5] == [str(cells[1]), str(persons), str(first), str(passed)]
            assert line[5] == f"{passed / first * 100:.1f}%"
            low, high = named["95% 区间下限"], named["95% 区间上限"]
            assert low < passed / first < high
            if units_of == 1:  # one unit: Wilson's formula written out
                z = 1.959963984540054
                middle, half = passed + z * z / 2, z * (passed * (first - passed) / first + z * z / 4) ** 0.5
                ends = ((middle - half) / (first + z * z), (middle + half) / (first + z * z))
                assert (low, high) == pytest.approx(ends)
        events = db.scalars(select(AuditEvent).where(AuditEvent.action == "figures_exported")).all()
        assert [event.details["format"] for event in events] == ["xlsx", "csv"]
        assert {event.unit_id for event in events} == {d.top.id}


def test_hidden_cells_are_hidden_in_the_export_too(db: Session, app: Flask) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 5, 4)
    db.commit()
    content = client_for(app, d.left).get(FILES["csv"]).data.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(content, newline="")))
    assert (row["首次作答（人次）"], row["合格（人次）"], row["合格率"]) == ("9", "", "")
    assert row["备注"] == "作答不足 10 人，不显示"


def test_a_leader_sees_figures_and_exports_none(db: Session, app: Flask) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 20, 10)
    db.commit()
    client = client_for(app, d.top, Role.LEADER)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "导出" not in page.text
    assert "只看汇总" in page.text
    assert client.get(FILES["xlsx"]).status_code == 403
    assert client.get(FILES["csv"]).status_code == 403


@pytest.mark.parametrize("suffix", ["", "xlsx", "csv"])
def test_a_foreign_unit_or_delivery_is_not_there(db: Session, app: Flask, suffix: str) -> None:
    d = make_district(db)
    foreign = make_delivery(db, make_unit(db))
    db.commit()
    client = client_for(app, d.street)
    for query in (f"unit={d.top.id}", f"unit={d.other.id}", f"unit={10**9}", f"delivery={foreign.id}"):
        assert client.get(f"{FILES[suffix]}?{query}").status_code == 404
    assert client.get(f"{FILES[suffix]}?unit={d.left.id}&delivery={d.delivery.id}").status_code == 200
    assert client_for(app, d.street, Role.TRAINER).get(FILES[suffix]).status_code == 403
    app.extensions["quizapp"].load_actor = lambda: GUEST
    assert app.test_client().get(FILES[suffix]).status_code in (302, 303, 401)


def test_many_units_come_fifty_a_page_with_the_total_on_each(db: Session, app: Flask) -> None:
    top = make_unit(db, name="临江区")
    delivery = make_delivery(db, top)
    for number in range(53):
        make_unit(db, top, name=f"第{number}社区")
    add(db, delivery, top, 12)
    db.commit()
    client = client_for(app, top)
    assert client.get(PAGE).text.count('data-row="') == 51
    second = client.get(f"{PAGE}?page=2").text
    assert second.count('data-row="') == 5  # the total, three units, and the unit's own
    assert "临江区合计" in second
