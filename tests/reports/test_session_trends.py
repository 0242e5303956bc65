"""Sessions by month and of two periods: the same numbers as the table by unit of the same days, and pages that say so."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from io import BytesIO

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from quizapp.core.clock import day_start, to_ms
from quizapp.core.scope import Role
from quizapp.reports.figures.session_trends import compare_sessions, session_months
from quizapp.reports.figures.sessions import SessionCounts, UnitBy, session_table
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_session
from tests.reports.test_figures import make_district, scope_of
from tests.reports.test_pages import client_for
from tests.reports.test_sessions import fill, filters_of, roster

WIDE = {"first_day": date(2026, 3, 1), "last_day": START.date()}


@pytest.mark.parametrize("by", list(UnitBy))
def test_each_month_has_the_numbers_of_a_table_of_its_days(either_db: Session, by: UnitBy) -> None:
    db = either_db
    d = make_district(db)
    fill(db, d, 9)
    # the first instant of a month of local days is the month's
    make_session(db, d.left, starts_at=to_ms(day_start(date(2026, 10, 1))))
    make_session(db, d.left, starts_at=to_ms(day_start(date(2026, 10, 1))) - 1)
    for reader, unit in ((d.top, None), (d.top, d.street), (d.street, None), (d.top, d.left)):
        for one in (scope_of(reader), scope_of(None)) if reader is d.top else (scope_of(reader),):
            asked = filters_of(by=by, unit_id=unit.id if unit else None, **WIDE)
            found = session_months(db, one, asked, START)
            whole = session_table(db, one, asked, START).total
            assert (found.total.counts, found.total.persons) == (whole.counts, whole.persons)
            months = [row.month for row in found.rows[1:]]
            assert months == sorted(months)
            assert sum((row.counts for row in found.rows[1:]), SessionCounts()) == whole.counts
            for row in found.rows[1:]:
                assert row.month is not None
                last = row.month.replace(day=monthrange(row.month.year, row.month.month)[1])
                days = {"first_day": row.month, "last_day": min(last, WIDE["last_day"])}
                same = filters_of(by=by, unit_id=asked.unit_id, **days)
                table = session_table(db, one, same, START).total
                assert (row.counts, row.persons) == (table.counts, table.persons)


def test_two_periods_stand_side_by_side(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    fill(db, d, 12)
    asked, before = (
        filters_of(first_day=date(2026, 11, 1), last_day=START.date()),
        (date(2026, 9, 1), date(2026, 10, 31)),
    )
    found = compare_sessions(db, scope_of(d.top), asked, before, START)
    earlier = session_table(db, scope_of(d.top), filters_of(first_day=before[0], last_day=before[1]), START)
    known = {(row.kind, row.path): row for row in earlier.rows}
    assert [change.after for change in found.changes] == list(session_table(db, scope_of(d.top), asked, START).rows)
    for change in found.changes:
        assert change.before == known.get((change.after.kind, change.after.path))
        rates = (change.before.counts.rate if change.before else None, change.after.counts.rate)
        expected = None if None in rates else rates[1] - rates[0]  # type: ignore[operator]
        assert change.rate_change == expected


def test_the_pages_show_months_periods_and_where_they_lead(db: Session, app: Flask) -> None:
    d = make_district(db)
    db.commit()
    client = client_for(app, d.top)
    assert "没有符合条件的场次" in client.get("/reports/sessions/months").text
    for day in (date(2026, 9, 10), date(2026, 11, 5)):
        session = make_session(db, d.left, kind="joint", starts_at=to_ms(day_start(day)))
        somebody = make_person(db)
        roster(db, session, somebody.id, d.left)
        roster(db, session, make_person(db).id, d.left)
        make_attendance(db, session.id, somebody.id)
    db.commit()
    months = client.get("/reports/sessions/months").text
    assert months.count("<h1") == 1
    for month in ("2026-09", "2026-10", "2026-11"):  # the one without a session has its row
        assert f'data-row="{month}"' in months
    assert "from=2026-09-01&amp;to=2026-09-30" in months
    assert "95% 区间" not in months
    assert 'href="/reports/sessions/months?from=2025-01-01&amp;to=2025-12-31"' in months  # last year, one press
    assert "没有符合条件的场次" in client.get("/reports/sessions/months?from=2025-01-01&to=2025-12-31").text
    address = "from=2026-11-01&to=2026-11-30&from2=2026-09-01&to2=2026-09-30"
    compared = client.get(f"/reports/sessions/comparison?{address}").text
    assert compared.count('data-figure="attendance_rate_change"') >= 2
    assert "50.0%" in compared
    for endpoint in ("sessions", "sessions/comparison", "pass-rates", "groups?by=month", "comparison"):
        page = client.get(f"/reports/{endpoint}").text
        assert 'class="periods"' in page
        assert 'aria-current="true"' in page  # the usual period is this year
    for wrong in ("from=x", "from2=x", "from2=2026-02-01&to2=2026-01-01"):
        assert client.get(f"/reports/sessions/comparison?{wrong}").status_code == 422
    for far, status in (("from=0001-01-01", 422), ("to=9999-12-31", 422), ("from=1900-01-01&to=2999-12-31", 200)):
        for endpoint in ("sessions", "sessions/months", "sessions/comparison", "pass-rates", "comparison", "groups"):
            assert client.get(f"/reports/{endpoint}?{far}").status_code == status, (endpoint, far)
    leader = client_for(app, d.top, Role.LEADER)
    assert [leader.get(f"/reports/sessions/{one}").status_code for one in ("months", "comparison")] == [403, 403]
    client = client_for(app, d.top)
    book = CalamineWorkbook.from_filelike(BytesIO(client.get("/reports/export/session_months/xlsx").data))
    head, *rows = book.get_sheet_by_name("场次与到场，按月").to_python()
    assert [row[head.index("场次（场）")] for row in rows] == [2, 1, 0, 1]
    assert client.get(f"/reports/export/session_comparison/csv?{address}").status_code == 200
