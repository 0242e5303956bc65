"""What whoever sees aggregates only opens and takes away: the numbers of the stored grid, and nothing of today."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.scope import Role
from quizapp.reports.leaders.queries import year_of_grid
from quizapp.reports.leaders.services import make_grid
from tests.conftest import START
from tests.factories import make_delivery
from tests.reports.test_figures import add, scope_of
from tests.reports.test_leader_grid import closed_district
from tests.reports.test_pages import client_for


def test_the_file_has_the_numbers_of_the_page_and_is_logged(db: Session, app: Flask) -> None:
    d = closed_district(db)
    db.commit()
    make_grid(db, START.date())
    leader = client_for(app, d.top, Role.LEADER)
    filters = f"period={START.year}-11&unit={d.street.id}"
    page = leader.get(f"/reports/pass-rates?{filters}").text
    body = page.split("<tbody>")[1]
    shown = {
        key: re.findall(r'<td class="num" data-figure="[a-z_]+">\s*(?:<b>)?([^<\s]+)', row)
        for key, row in re.findall(r'<tr class="[^"]*" data-row="([^"]+)">(.*?)</tr>', body, re.DOTALL)
    }
    links = re.findall(r'href="(/reports/grid/[a-z]+\?[^"]+)"', page)
    assert len(links) == 2
    text = leader.get(next(link for link in links if "csv" in link).replace("&amp;", "&")).data.decode("utf-8-sig")
    heading, *rows = csv.reader(io.StringIO(text))
    assert len(rows) == len(shown) == 4
    for row, (key, cells) in zip(rows, shown.items(), strict=True):
        cell = dict(zip(heading, row, strict=True))
        assert cell["单位码"] in (key, "")
        for name, value in zip(("首次作答（人次）", "合格（人次）", "合格率"), cells, strict=False):
            assert (cell[name] or "–") == value
    xlsx = leader.get(next(link for link in links if "xlsx" in link).replace("&amp;", "&")).data
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(xlsx))
    facts = [str(cell) for row in workbook.get_sheet_by_index(0).to_python() for cell in row]
    assert any("夜里的" in fact for fact in facts)
    assert any("1 到 4 人" in fact for fact in facts)
    db.rollback()  # the next read is of now
    logged = db.scalars(select(AuditEvent.details).where(AuditEvent.action == "figures_exported")).all()
    assert {(one["figures"], one["format"], one["period"]) for one in logged} == {
        ("grid", "csv", "2026-11"),
        ("grid", "xlsx", "2026-11"),
    }


def test_a_file_has_no_filter_that_the_page_refuses_and_no_unit_of_others(db: Session, app: Flask) -> None:
    d = closed_district(db)
    db.commit()
    make_grid(db, START.date())
    leader = client_for(app, d.street, Role.LEADER)
    plain, asked = (
        leader.get(f"/reports/grid/csv?delivery={d.delivery.id}{more}").data.decode("utf-8-sig")
        for more in ("", "&from=2026-11-01&sex=female&age=60%2B")
    )
    assert plain == asked
    assert "桥东街道" not in plain
    assert leader.get(f"/reports/grid/csv?unit={d.other.id}").status_code == 404
    assert leader.get("/reports/grid/pdf").status_code == 404


def test_the_overview_adds_up_what_the_grid_shows_and_nothing_of_today(db: Session, app: Flask) -> None:
    d = closed_district(db)
    add(db, make_delivery(db, d.top, items=1), d.left, 40)  # still open
    make_delivery(db, d.top, items=1, closes_at=0, title="去年")
    db.commit()
    leader = client_for(app, d.top, Role.LEADER)
    empty = leader.get("/overview").text
    assert "今年还没有结束的测验" in empty
    assert "data-needs" not in empty
    make_grid(db, START.date())
    page = leader.get("/overview").text
    year = year_of_grid(db, scope_of(d.top, Role.LEADER), START.year)
    assert (year.total.first, year.total.passed) == (127 + 73, 87 + 52)
    assert [row.first for _, row in year.months] == [200]
    assert re.search(r"首次作答.{0,200}<b>200</b>", page, re.DOTALL)
    assert "69.5%" in page
    assert page.count("/reports/pass-rates?delivery=") == 2
    assert "data-needs" not in page
    add(db, d.delivery, d.left, 40)
    db.commit()
    assert leader.get("/overview").text.split("<main")[1] == page.split("<main")[1]
    two = scope_of(d.street, Role.LEADER).grants + scope_of(d.other, Role.LEADER).grants
    both = year_of_grid(db, type(scope_of(d.top))(two), START.year)
    assert both.total.first == 92 + 35 + 73


def test_a_page_that_is_not_for_them_says_what_is(db: Session, app: Flask) -> None:
    d = closed_district(db)
    db.commit()
    leader = client_for(app, d.top, Role.LEADER)
    for address in ("/reports/sessions", "/reports/groups?by=sex", "/reports/export/pass_rates"):
        refused = leader.get(address)
        assert refused.status_code == 403
        main = refused.text.split("<main")[1]
        assert 'href="/overview"' in main
        assert 'href="/reports/pass-rates"' in main
        assert 'href="/reports/sessions"' not in main
    assert 'href="/reports/sessions"' not in leader.get("/overview").text
    make_grid(db, START.date() + timedelta(days=1))
    assert 'href="/reports/sessions"' not in leader.get("/overview").text
