"""The table of sessions, its records and files, against counting one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quizapp import parts  # noqa: F401 # what happens before a unit moves is asked of every feature
from quizapp.audit.models import AuditEvent
from quizapp.core.clock import from_ms, local_date, to_ms
from quizapp.core.db import Database
from quizapp.core.errors import Forbidden, NotFound
from quizapp.core.scope import SYSTEM, Permission, Role
from quizapp.jobs.models import Job
from quizapp.jobs.worker import run_pending
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.tree import move_unit
from quizapp.organisation.unit_merging import merge_units, undo_unit_merge
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figures.sessions import (
    SessionCounts,
    SessionFilters,
    SessionTable,
    UnitBy,
    session_table,
)
from quizapp.reports.overview import year_so_far
from quizapp.reports.session_records import find_lines, find_sessions
from quizapp.reports.views.sessions import figure_table
from quizapp.trainings.models import (
    Attendance,
    CheckInMethod,
    Registration,
    RosterEntry,
    SessionKind,
    TrainingSession,
)
from quizapp.trainings.queries import numbers_of
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_registration, make_session
from tests.reports.test_exports import client_for as account_client
from tests.reports.test_exports import coordinator
from tests.reports.test_figures import District, make_district, scope_of
from tests.reports.test_pages import client_for

MakeApp = Callable[..., Flask]
PAGE = "/reports/sessions"
PERIOD = (date(2026, 9, 1), date(2026, 11, 30))


def filters_of(**values: object) -> SessionFilters:
    return SessionFilters(**{"first_day": PERIOD[0], "last_day": PERIOD[1], **values})  # type: ignore[arg-type]


def on_day(unit: OrgUnit | None) -> dict[str, object]:
    return {"unit_id": unit.id, "unit_path": unit.path} if unit else {}


def roster(db: Session, session: TrainingSession, person_id: int, unit: OrgUnit | None) -> None:
    values = on_day(unit)
    db.add(RosterEntry(session_id=session.id, person_id=person_id, source="by_hand", added_at=to_ms(START), **values))


def fill(db: Session, d: District, seed: int) -> None:
    """Sessions of every kind, some called off, to come or long past; people expected, there, both or struck, of any unit or none."""
    dice = random.Random(seed)
    units = [d.top, d.street, d.other, d.left, d.right]
    people = [make_person(db) for _ in range(40)]
    for _ in range(14):
        session = make_session(
            db,
            dice.choice(units),
            kind=dice.choice(list(SessionKind)),
            starts_at=to_ms(START - timedelta(days=dice.choice([-2, 0, 3, 20, 60, 200]))),
            cancelled_at=to_ms(START) if dice.random() < 0.15 else None,
        )
        expects = dice.random() < 0.7
        for person in dice.sample(people, dice.randrange(3, 30)):
            if expects and dice.random() < 0.5:
                roster(db, session, person.id, dice.choice([*units, None]))
            if expects and dice.random() < 0.4:
                state = dice.choice(["registered", "registered", "waiting", "cancelled"])
                make_registration(db, session.id, person.id, state=state, **on_day(dice.choice([*units, None])))
            if dice.random() < 0.6:
                make_attendance(
                    db,
                    session.id,
                    person.id,
                    method=dice.choice(list(CheckInMethod)),
                    state=dice.choice(["counted"] * 4 + ["struck", "pending", "undone"]),
                    **on_day(dice.choice([*units, None])),
                )
    db.flush()


def counted_one_by_one(db: Session, filters: SessionFilters, unit: OrgUnit) -> dict[str, tuple[SessionCounts, int]]:
    """The same table by reading every row: key of the row → counts and people. "" is the total."""
    found: dict[str, SessionCounts] = defaultdict(SessionCounts)
    people: dict[str, set[int]] = defaultdict(set)

    def keys(path: str, no_unit: bool) -> list[str]:
        if not path.startswith(unit.path):
            return []
        if path == unit.path:
            return ["", "no_unit" if no_unit else "own"]
        return ["", unit.path + path[len(unit.path) :].split("/")[0] + "/"]

    for session in db.scalars(select(TrainingSession)):
        holder = session.unit_path or db.get_one(OrgUnit, session.unit_id).path
        if session.cancelled_at is not None or session.starts_at > to_ms(START):
            continue
        if not filters.first_day <= local_date(session.starts_at) <= filters.last_day:
            continue
        if filters.kind is not None and session.kind != filters.kind:
            continue
        if filters.by is UnitBy.HOLDER:
            for key in keys(holder, no_unit=False):
                found[key] += SessionCounts(1)
        rosters = {r.person_id: r for r in db.scalars(select(RosterEntry).filter_by(session_id=session.id))}
        registered = {
            r.person_id: r
            for r in db.scalars(select(Registration).filter_by(session_id=session.id, state="registered"))
        }
        came = {
            a.person_id: a for a in db.scalars(select(Attendance).filter_by(session_id=session.id, state="counted"))
        }
        for one in rosters.keys() | registered.keys() | came.keys():
            known = [row for row in (rosters.get(one), registered.get(one), came.get(one)) if row and row.unit_id]
            path, no_unit = holder, False
            if filters.by is UnitBy.PEOPLE:
                path, no_unit = (str(known[0].unit_path), False) if known else (holder, True)
            expected = one in rosters or one in registered
            counts = SessionCounts(
                expected=int(expected),
                expected_came=int(expected and one in came),
                registered=int(one in registered),
                attended=int(one in came),
                walk_ins=int(one in came and not expected and bool(rosters or registered)),
                **({came[one].method: 1} if one in came else {}),
            )
            for key in keys(path, no_unit):
                found[key] += counts
                if one in came:
                    people[key].add(one)
    return {key: (counts, len(people[key])) for key, counts in found.items()}


def as_dict(table: SessionTable) -> dict[str, tuple[SessionCounts, int]]:
    names = {"total": ""}
    return {
        row.path if row.kind == "unit" else names.get(row.kind, row.kind.value): (row.counts, row.persons)
        for row in table.rows
    }


@pytest.mark.parametrize("seed", [2, 7])
@pytest.mark.parametrize("by", list(UnitBy))
def test_the_table_is_what_counting_one_by_one_gives(either_db: Session, by: UnitBy, seed: int) -> None:
    db = either_db
    d = make_district(db)
    fill(db, d, seed)
    empty = (SessionCounts(), 0)
    for unit in (d.top, d.street, d.left):
        for kind in (None, SessionKind.JOINT, SessionKind.SECTOR):
            filters = filters_of(unit_id=unit.id, kind=kind, by=by)
            expected = counted_one_by_one(db, filters, unit)
            got = as_dict(session_table(db, scope_of(d.top), filters, START))
            own = ("own",) if unit is d.left else ()  # without units below, what is the unit's own is the total
            assert {key: value for key, value in got.items() if value != empty} == {
                key: value for key, value in expected.items() if key not in own
            }
            total = got[""][0]
            methods = (total.rotating, total.poster, total.personal, total.by_hand, total.back_filled)
            assert sum(methods) == total.attended
            assert total.expected_came <= total.expected


def test_the_figures_of_one_session_are_those_of_its_own_page(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    fill(db, d, 11)
    for session in db.scalars(select(TrainingSession).where(TrainingSession.cancelled_at.is_(None))).all():
        if session.starts_at > to_ms(START):
            continue
        day = local_date(from_ms(session.starts_at))
        others = db.scalars(
            select(TrainingSession).where(TrainingSession.id != session.id, TrainingSession.cancelled_at.is_(None))
        )
        hidden = [one for one in others if local_date(one.starts_at) == day]
        for one in hidden:
            one.cancelled_at = 1
        db.flush()
        counts = session_table(db, scope_of(d.top), filters_of(first_day=day, last_day=day), START).total.counts
        numbers = numbers_of(db, session.id)
        assert (counts.expected, counts.registered, counts.attended, counts.walk_ins) == (
            numbers.expected,
            numbers.registered,
            numbers.came,
            numbers.walk_ins,
        )
        assert counts.expected - counts.expected_came == numbers.no_shows
        for one in hidden:
            one.cancelled_at = None


def test_the_year_on_the_overview_is_the_same(either_db: Session) -> None:
    d = make_district(either_db)
    fill(either_db, d, 4)
    for unit in (d.top, d.street):
        year = filters_of(first_day=date(START.year, 1, 1), last_day=START.date())
        total = session_table(either_db, scope_of(unit), year, START).total
        overview = year_so_far(either_db, scope_of(unit), START)
        assert (total.counts.sessions, total.counts.attended, total.persons) == (
            overview.sessions,
            overview.attended,
            overview.attended_persons,
        )


def test_people_count_with_their_unit_of_that_day_and_are_seen_by_todays(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    session = make_session(db, d.top)
    for _ in range(3):
        make_attendance(db, session.id, make_person(db).id, **on_day(d.left))
    d.left.parent_id, d.left.path = d.other.id, f"{d.other.path}{d.left.id}/"  # moved away since
    db.flush()
    filters = filters_of(by=UnitBy.PEOPLE)
    rows = session_table(db, scope_of(d.top), filters_of(by=UnitBy.PEOPLE, unit_id=d.street.id), START).rows
    assert [(row.kind, row.moved, row.counts.attended, row.persons) for row in rows] == [
        ("total", False, 3, 3),
        ("unit", False, 0, 0),
        ("unit", True, 3, 3),
    ]
    # the old street sees them no more, and to the new one they are not its figures
    assert session_table(db, scope_of(d.street), filters, START).total.counts.attended == 0
    assert session_table(db, scope_of(d.other), filters, START).total.counts.attended == 0
    found = find_lines(db, scope_of(d.other), filters, FigureCode.ATTENDED, {}, START, first=0, size=9)
    assert (found.total, found.rows) == (0, [])


def test_sessions_roll_up_by_the_place_of_their_day_and_are_seen_by_todays(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    held = make_session(db, d.left)
    to_come = make_session(db, d.left, starts_at=to_ms(START + timedelta(days=3)))
    make_attendance(db, held.id, make_person(db).id)
    db.commit()
    later, filters = START + timedelta(days=9), filters_of(unit_id=d.street.id)
    move_unit(db, unit=d.left, parent=d.other, actor=SYSTEM, now=START + timedelta(hours=1))
    db.commit()
    was = f"{d.street.path}{d.left.id}/"
    assert (held.unit_path, to_come.unit_path) == (was, None)
    rows = session_table(db, scope_of(d.top), filters, later).rows
    moved = next(row for row in rows if row.path == was)
    assert (moved.moved, moved.opens, moved.counts.sessions, moved.counts.attended, moved.persons) == (
        True,
        False,
        1,
        1,
        1,
    )
    assert rows[0].counts.sessions == 1
    new = session_table(db, scope_of(d.top), filters_of(unit_id=d.other.id), later)
    assert (new.total.counts.sessions, new.total.counts.attended) == (1, 0)  # the one to come went along
    # the old street sees it no more; to the new one it is not its figure
    for unit in (d.street, d.other):
        assert session_table(db, scope_of(unit), filters_of(), later).total.counts.attended == 0
    at = {"at": was}
    total, found = find_sessions(db, scope_of(d.top), filters, at, later, first=0, size=9)
    assert (total, [one.id for one in found]) == (1, [held.id])
    assert find_lines(db, scope_of(d.top), filters, FigureCode.ATTENDED, at, later, first=0, size=9).total == 1
    # merged into another and taken back: what was held stays where it was, whatever became of the unit
    merge = merge_units(db, kept_id=d.right.id, merged_id=d.left.id, actor=SYSTEM, now=later)
    db.commit()
    undo_unit_merge(db, merge=merge, actor=SYSTEM, now=later)
    db.commit()
    db.expire_all()
    assert (held.unit_path, to_come.unit_path) == (was, f"{d.other.path}{d.left.id}/")


def test_foreign_units_are_not_found_and_leaders_get_nothing(either_db: Session) -> None:
    d = make_district(either_db)
    foreign = filters_of(unit_id=d.other.id)
    with pytest.raises(NotFound):
        session_table(either_db, scope_of(d.street), foreign, START)
    with pytest.raises(NotFound):
        find_lines(either_db, scope_of(d.street), foreign, FigureCode.ATTENDED, {}, START, first=0, size=9)
    with pytest.raises(NotFound):
        find_sessions(either_db, scope_of(d.street), foreign, {}, START, first=0, size=9)
    with pytest.raises(Forbidden):
        session_table(either_db, scope_of(d.top, Role.LEADER), filters_of(), START, Permission.SEE_FIGURES)


@pytest.mark.parametrize("by", list(UnitBy))
def test_every_number_opens_to_as_many_records(either_app: Flask, by: UnitBy) -> None:
    app = either_app
    with app.extensions["quizapp"].database.session() as db:
        d = make_district(db)
        fill(db, d, 5)
        db.commit()
        scope, numbers, address = scope_of(d.top), 0, ""
        client = client_for(app, d.top)
        with app.test_request_context("/"):
            for unit in (d.top, d.street):
                filters = filters_of(unit_id=unit.id, by=by)
                for row in figure_table(filters.as_query(), Permission.EXPORT_FIGURES).rows:
                    for code, cell in row.cells.items():
                        if cell.records is None:
                            continue
                        place = {name: one[0] for name, one in parse_qs(urlsplit(cell.records).query).items()}
                        if code is FigureCode.SESSIONS:
                            total, found = find_sessions(db, scope, filters, place, START, first=0, size=900)
                            assert total == len(found)
                        else:
                            lines = find_lines(db, scope, filters, code, place, START, first=0, size=900)
                            assert lines.total == len(lines.rows)
                            total = lines.persons if code is FigureCode.ATTENDED_PERSONS else lines.total
                            address = cell.records
                        assert total == cell.value, (unit.name, row.key, code)
                        numbers += 1
        assert numbers > 40
        page = client.get(address)
        assert page.status_code == 200
        assert page.text.count("data-line=") == min(50, lines.total)
        if by is UnitBy.HOLDER:
            assert "data-session=" in client.get(f"{PAGE}/records?figure=sessions&from=2026-09-01").text
        assert client.get(f"{PAGE}/records?figure=pass_rate").status_code == 404


def test_the_page_says_of_whom_it_is_and_masks_names(db: Session, app: Flask) -> None:
    d = make_district(db)
    client = client_for(app, d.top)
    db.commit()
    assert "今年还没有场次" in client.get(PAGE).text
    session = make_session(db, d.street, kind="joint", title="消防合训")
    somebody = make_person(db, name="李建国")
    roster(db, session, somebody.id, d.left)
    roster(db, session, make_person(db).id, d.left)
    make_attendance(db, session.id, somebody.id, method="rotating", **on_day(d.left))
    make_attendance(db, session.id, make_person(db).id, method="by_hand", **on_day(d.right))
    db.commit()
    page = client.get(PAGE).text
    assert page.count("<h1") == 1
    assert "应到 2 人次，到了 1 人次" in page
    assert "50.0%" in page
    assert f'&amp;unit={d.street.id}"' in page
    assert 'data-figure="checked_rotating"' in page
    assert 'data-figure="checked_poster"' not in page
    by_people = client.get(f"{PAGE}?by=people&unit={d.street.id}").text
    assert 'data-figure="sessions"' not in by_people
    assert "紫兴社区" in by_people
    assert "没有符合条件的场次" in client.get(f"{PAGE}?kind=crew").text
    assert client.get(f"{PAGE}?from=x").status_code == 422
    records = client.get(f"{PAGE}/records?figure=walk_ins").text
    assert "消防合训" in records
    assert "李*国" in client.get(f"{PAGE}/records?figure=expected_came").text
    assert "李建国" not in client.get(f"{PAGE}/records?figure=expected").text
    assert "消防合训" in client.get(f"{PAGE}/records?figure=sessions").text
    leader = client_for(app, d.top, Role.LEADER)
    assert leader.get(PAGE).status_code == 403
    assert leader.get("/reports/export/sessions/xlsx").status_code == 403


#: Written apart from the product's own: sessions held and people there, by holding unit.
INDEPENDENT = """
    SELECT u.code, count(DISTINCT s.id),
           sum(CASE WHEN a.id IS NULL THEN 0 ELSE 1 END), count(DISTINCT a.person_id)
    FROM org_unit u JOIN org_unit b ON b.path LIKE u.path || '%'
    JOIN training_session s ON s.unit_id = b.id AND s.cancelled_at IS NULL AND s.starts_at BETWEEN :first AND :last
    LEFT JOIN attendance a ON a.session_id = s.id AND a.state = 'counted' AND a.duplicate_of_id IS NULL
    WHERE u.parent_id = :top OR u.id = :top GROUP BY u.code
"""


def test_the_workbook_equals_sql_written_independently(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        d = make_district(db)
        fill(db, d, 3)
        db.commit()
        values = {"first": to_ms(START - timedelta(days=61)), "last": to_ms(START), "top": d.top.id}
        expected = {code: tuple(row) for code, *row in db.execute(text(INDEPENDENT), values)}
        reply = client_for(app, d.top).get("/reports/export/sessions/xlsx?from=2026-09-01")
        sheets = CalamineWorkbook.from_filelike(BytesIO(reply.data))
        head, *rows = sheets.get_sheet_by_name("场次与到场").to_python()
        columns = [head.index(name) for name in ("场次（场）", "到场（人次）", "到场人数（人）")]
        code, rate = head.index("单位码"), head.index("到课率")
        got = {row[code]: tuple(row[column] for column in columns) for row in rows if row[code]}
        assert {key: value for key, value in got.items() if any(value)} == expected
        assert all(row[rate] == "" or 0 <= float(str(row[rate])) <= 1 for row in rows)
        assert "95% 区间下限" not in head
        assert "到课率图" in sheets.sheet_names
        assert not any("不足 10 人" in str(cell) for row in sheets.get_sheet_by_index(0).to_python() for cell in row)


def test_the_people_go_along_into_the_workbook_with_a_reason(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        d = make_district(db)
        fill(db, d, 6)
        client = account_client(db, app, coordinator(db, d))
        address = "/reports/export/sessions?from=2026-09-01&by=people"
        assert client.post(address, data={"format": "xlsx", "records": "y"}).status_code == 422
        reply = client.post(address, data={"format": "xlsx", "records": "y", "reason": "check"})
        assert reply.status_code == 303
        assert run_pending(app.extensions["quizapp"]) >= 1
        db.rollback()
        job = db.scalars(select(Job).where(Job.name == "write_export")).one()
        assert job.error is None
        book = CalamineWorkbook.from_filelike(BytesIO(client.get(f"/reports/exports/{job.public_id}").data))
        head, *rows = book.get_sheet_by_name("到场明细").to_python()
        filters = filters_of(by=UnitBy.PEOPLE, last_day=START.date())
        total = session_table(db, scope_of(d.street), filters, START).total.counts
        came = [row for row in rows if row[head.index("签到时间")] != ""]
        assert len(came) == total.attended
        assert {row[head.index("签到方式")] for row in came} <= {"扫动态码", "扫海报", "个人码", "补登", "补录"}
        expected = [row for row in rows if "是" in (row[head.index("在名册上")], row[head.index("已报名")])]
        assert len(expected) == total.expected
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "records_exported")).one()
        assert (event.details["records"], event.details["figures"]) == (len(rows), "sessions")
