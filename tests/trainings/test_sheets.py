"""What is printed for a session: it says what it should, and its codes are read back as a phone would, black and white at 100 dpi."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdf
import pytest
import zxingcpp
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.files.models import FileKind, StoredFile
from quizapp.jobs.models import Job
from quizapp.jobs.worker import run_next
from quizapp.organisation.models import OrgUnit, PersonalCode
from quizapp.organisation.personal_codes import find_code
from quizapp.trainings.models import RosterEntry, TrainingSession
from quizapp.trainings.services import printing
from quizapp.trainings.sheets import Card, Head, SessionPoster, cards_pdf, poster_pdf, sign_in_pdf
from quizapp.trainings.views import printing as printing_views
from tests.conftest import START
from tests.factories import make_account, make_attendance, make_person, make_session, make_unit
from tests.pdf import page_pictures

MakeApp = Callable[..., Flask]
HEAD = Head("老旧小区消防疏散演练", "紫兴社区", "党群服务中心二楼", "2026年11月23日 周一 10:00–12:00")
#: Whatever somebody may be called.
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


def codes_on(content: bytes, page: int = 0) -> list[str]:
    picture = page_pictures(content)[page].convert("L")
    return [code.text for code in zxingcpp.read_barcodes(picture)]


def text_of(content: bytes) -> list[str]:
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def trainer_of(unit: OrgUnit) -> Actor:
    return Actor(account_id=7, name="陈立新", scope=Scope((Grant(Role.TRAINER, unit.path),)))


class Hall:
    """A session with a roster of some people, and a trainer's browser."""

    def __init__(self, db: Session, make_app: MakeApp, database: Database, people: int = 3, **values: Any) -> None:
        with transaction(db):
            self.unit = make_unit(db, name="紫兴社区")
            account = make_account(db, (Role.TRAINER, self.unit))
            options = {"title": "老旧小区消防疏散演练", "place": "党群服务中心二楼", "code": "7K4M92XA", **values}
            self.session: TrainingSession = make_session(db, self.unit, **options)
            for number in range(people):
                person = make_person(db, name=f"人{number:03}", source="roster", unit_id=self.unit.id)
                db.add(
                    RosterEntry(
                        session_id=self.session.id,
                        person_id=person.id,
                        unit_id=self.unit.id,
                        unit_path=self.unit.path,
                        source="by_hand",
                        added_at=0,
                    )
                )
        self.app = make_app(database)
        actor = Actor(account_id=account.id, name="陈立新", scope=Scope((Grant(Role.TRAINER, self.unit.path),)))
        self.app.extensions["quizapp"].load_actor = lambda: actor
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.client = self.app.test_client()

    def get(self, path: str) -> Any:
        reply = self.client.get(f"/sessions/{self.session.id}/{path}")
        assert reply.status_code == 200, reply.text
        assert reply.headers["Cache-Control"] == "private, no-store"
        return reply


@pytest.mark.parametrize(("mode", "words"), [("poster", "扫码签到"), ("rotating", "签到码在屏幕上")])
def test_the_poster_says_where_the_code_is_and_its_code_opens_the_session(
    db: Session, database: Database, make_app: MakeApp, mode: str, words: str
) -> None:
    hall = Hall(db, make_app, database, code_mode=mode)
    content = hall.get("poster.pdf").data
    (text,) = text_of(content)
    for word in (words, "老旧小区消防疏散演练", "党群服务中心二楼", "7K4M-92XA", "2026年11月23日周一10:00–12:00"):
        assert word in text
    assert codes_on(content) == ["http://localhost/s/7K4M92XA"]


def test_the_sign_in_sheet_has_25_lines_a_page_and_its_code_opens_the_back_filling(
    db: Session, database: Database, make_app: MakeApp
) -> None:
    hall = Hall(db, make_app, database, people=45)
    content = hall.client.post(f"/sessions/{hall.session.id}/sign-in-sheet.pdf").data
    pages = text_of(content)
    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert f"第{number}页，共3页" in page
        assert f"{number * 25}" in page
    assert "人024" in pages[0]
    assert "人044" in pages[1]
    assert "人" not in pages[2].replace("含个人信息", "")
    for number in range(3):
        assert codes_on(content, number) == [f"http://localhost/sessions/{hall.session.id}/back-fill"]
    rows = CalamineWorkbook.from_filelike(io.BytesIO(hall.get("sign-in-sheet.xlsx").data)).get_sheet_by_index(1)
    assert [row[1:3] for row in rows.to_python()][1] == ["紫兴社区", "人000"]
    events = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(event.action, event.details["format"], event.details["rows"]) for event in events] == [
        ("sign_in_sheet_exported", "pdf", 45),
        ("sign_in_sheet_exported", "xlsx", 45),
    ]


def test_a_sheet_without_a_roster_is_empty_lines(db: Session, database: Database, make_app: MakeApp) -> None:
    hall = Hall(db, make_app, database, people=0)
    assert len(text_of(hall.client.post(f"/sessions/{hall.session.id}/sign-in-sheet.pdf").data)) == 1


@settings(max_examples=10, deadline=None)
@given(name=NAMES, unit=NAMES, title=NAMES)
def test_whatever_people_are_called_sheets_keep_their_pages_and_codes(name: str, unit: str, title: str) -> None:
    head = Head(title, unit, unit, "今天")
    url = "https://kp.example.cn/sessions/12/back-fill"
    sheet = sign_in_pdf(head, [(unit, name)] * 15, url)
    assert (len(text_of(sheet)), codes_on(sheet)) == (1, [url])
    cards = cards_pdf(head, [Card(name, unit, "QZP:0123456789AB", "0123-4567-89AB")] * 10)
    assert (len(text_of(cards)), codes_on(cards)) == (1, ["QZP:0123456789AB"] * 10)
    poster = poster_pdf(SessionPoster(head, "poster", url, "kp.example.cn/s", "7K4M-92XA"))
    assert (len(text_of(poster)), codes_on(poster)) == (1, [url])


def test_cards_carry_the_code_that_holds_and_the_log_says_how_many(
    either_database: Database, make_app: MakeApp
) -> None:
    with either_database.session() as db:
        hall = Hall(db, make_app, either_database, people=12)
        first = hall.client.post(f"/sessions/{hall.session.id}/cards")
        again = hall.client.post(f"/sessions/{hall.session.id}/cards")
        assert first.mimetype == "application/pdf"
        pages = page_pictures(first.data)
        found = sorted(code for number in range(2) for code in codes_on(first.data, number))
        assert (len(pages), len(found)) == (2, 12)
        assert found == sorted(code for number in range(2) for code in codes_on(again.data, number))
        for text in found:
            assert find_code(db, text) is not None
        assert len(db.scalars(select(PersonalCode)).all()) == 12
        events = db.scalars(
            select(AuditEvent).where(AuditEvent.action == "cards_printed").order_by(AuditEvent.id)
        ).all()
        assert [(event.details["rows"], event.details["new_codes"]) for event in events] == [(12, 12), (12, 0)]


def test_many_cards_are_printed_by_a_job_for_whoever_asked(
    db: Session, database: Database, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "STEP", 10)
    hall = Hall(db, make_app, database, people=101)
    reply = hall.client.post(f"/sessions/{hall.session.id}/cards")
    assert (reply.status_code, reply.headers["Location"].startswith("/jobs/")) == (303, True)
    import quizapp.tasks  # noqa: F401 # fills the tasks, as a worker does

    assert run_next(hall.app.extensions["quizapp"])
    db.expire_all()
    job = db.scalars(select(Job).where(Job.name == printing.TASK)).one()
    assert (job.state, job.done, job.total) == ("done", 201, 202)
    page = hall.client.get(reply.headers["Location"]).text
    assert "打印个人码卡片" in page
    address = f"/sessions/{hall.session.id}/prints/{job.result['file']}"
    assert f'href="{address}"' in page
    sent = hall.client.get(address)
    assert sent.headers["Content-Disposition"].endswith("cards-7K4M92XA.pdf")
    assert len(text_of(sent.data)) == 11
    file = db.scalars(select(StoredFile)).one()
    assert (file.kind, file.expires_at - file.created_at) == (FileKind.RESULT, printing.KEEP)
    other = Actor(account_id=99, scope=trainer_of(hall.unit).scope)
    hall.app.extensions["quizapp"].load_actor = lambda: other
    assert hall.client.get(address).status_code == 404


def test_a_long_sign_in_sheet_is_printed_by_a_job(
    db: Session, database: Database, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing_views, "NAMES_AT_ONCE", 30)
    hall = Hall(db, make_app, database, people=31)
    reply = hall.client.post(f"/sessions/{hall.session.id}/sign-in-sheet.pdf")
    import quizapp.tasks  # noqa: F401 # fills the tasks, as a worker does

    assert run_next(hall.app.extensions["quizapp"])
    page = hall.client.get(reply.headers["Location"]).text
    assert "打印签到表" in page
    address = page.split(f'href="/sessions/{hall.session.id}/prints/')[1].split('"')[0]
    sent = hall.client.get(f"/sessions/{hall.session.id}/prints/{address}")
    assert sent.headers["Content-Disposition"].endswith("sign-in-7K4M92XA.pdf")
    assert len(text_of(sent.data)) == 2
    assert codes_on(sent.data, 1) == [f"http://localhost/sessions/{hall.session.id}/back-fill"]


def test_without_anybody_expected_there_are_no_cards(db: Session, database: Database, make_app: MakeApp) -> None:
    hall = Hall(db, make_app, database, people=0)
    reply = hall.client.post(f"/sessions/{hall.session.id}/cards", follow_redirects=True)
    assert "没有卡可以打印" in reply.text


def test_lists_show_who_came_and_keep_the_struck_apart(
    either_database: Database, make_app: MakeApp, keys: Keys
) -> None:
    with either_database.session() as db:
        hall = Hall(db, make_app, either_database, people=4, check_out=True, hours_tenths=20)
        begin = hall.session.starts_at
        with transaction(db):
            people = [row.person_id for row in db.scalars(select(RosterEntry).order_by(RosterEntry.id))]
            add = lambda place, **values: make_attendance(  # noqa: E731 # four short lines
                db, hall.session.id, people[place], unit_id=hall.unit.id, **values
            )
            add(0, checked_out_at=hall.session.ends_at, method="rotating")
            add(1, method="back_filled", note="=1+1", checked_out_at=begin + 3_600_000)
            add(2, state="struck", reason="proxy")
            walk_in = make_person(db, name="过路人")
            make_attendance(db, hall.session.id, walk_in.id, state="undone", reason="undone")
        book = CalamineWorkbook.from_filelike(io.BytesIO(hall.get("attendance.xlsx").data))
        assert book.sheet_names == ["说明", "签到名单", "各单位", "不计入的签到"]
        facts = dict(row[:2] for row in book.get_sheet_by_name("说明").to_python()[1:])
        assert {word: facts[word] for word in ("名册", "到场", "应到未到", "不计入", "扫码", "补录（无佐证）")} == {
            "名册": "4 人",
            "到场": "2 人",
            "应到未到": "2 人",
            "不计入": "2 人",
            "扫码": "1 人",
            "补录（无佐证）": "1 人",
        }
        rows = book.get_sheet_by_name("签到名单").to_python()
        assert [(row[1], row[4], row[7], row[8]) for row in rows[1:]] == [
            ("人000", "扫码", 2, ""),
            ("人001", "补录（无佐证）", 1, "=1+1"),
        ]
        assert [row[1:] for row in book.get_sheet_by_name("各单位").to_python()[1:]] == [[4, 2, 2, 2, 0.5]]
        struck = book.get_sheet_by_name("不计入的签到").to_python()
        assert [(row[1], row[6]) for row in struck[1:]] == [("人002", "代签")]
        text = "".join(text_of(hall.get("attendance.pdf").data))
        for word in ("签到名单", "人000", "补录（无佐证）", "不计入的签到", "人002", "代签", "50%", "由陈立新导出"):
            assert word in text
        events = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [(e.action, e.details["format"], e.details["rows"]) for e in events] == [
            ("attendance_exported", "xlsx", 4),
            ("attendance_exported", "pdf", 4),
        ]


def test_a_print_is_nobodys_once_its_term_is_over(db: Session, keys: Keys) -> None:
    unit = make_unit(db)
    session, actor = make_session(db, unit), trainer_of(unit)
    from quizapp.files.queries import get_own_result

    file = printing.keep_print(db, b"%PDF", "cards", session=session, keys=keys, actor=actor, now=START)
    assert get_own_result(db, file.public_id, actor, START).id == file.id
    with pytest.raises(NotFound):
        get_own_result(db, file.public_id, actor, START + timedelta(days=3))
