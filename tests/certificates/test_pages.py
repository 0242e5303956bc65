"""The pages of certificates, through a test client."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pypdf
import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp import tasks  # noqa: F401 # fills the table of tasks
from quizapp.audit.models import AuditEvent
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import typed_code
from quizapp.certificates.services import issue_certificates, revoke
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST, Actor, Role
from quizapp.core.web import Runtime
from quizapp.jobs.worker import run_pending
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import CourseRun
from tests.certificates.support import add_session, attend, make_attended_run, make_run, staff_of
from tests.conftest import START, FakeClock
from tests.factories import make_person, make_unit
from tests.pdf import page_pictures

MakeApp = Callable[..., Flask]
NAMES = ("李建国", "王秀兰", "张伟")


def client_for(app: Flask, actor: Actor = GUEST) -> FlaskClient:
    app.extensions["quizapp"].load_actor = lambda: actor
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def make_issued(db: Session, names: tuple[str, ...] = NAMES, unit: OrgUnit | None = None, **values: Any) -> CourseRun:
    with transaction(db):
        run = make_attended_run(db, unit or make_unit(db, name="临江区应急管理局"), names=names, **values)
    with transaction(db):
        issue_certificates(db, run=run, actor=staff_of(None), now=START)
    return run


def exported(db: Session) -> AuditEvent:
    db.rollback()  # a new look
    return db.scalars(select(AuditEvent).where(AuditEvent.action == "certificates_exported")).one()


def certificates(db: Session) -> list[Certificate]:
    db.rollback()  # a new look
    return list(db.scalars(select(Certificate).order_by(Certificate.id)))


def test_a_coordinator_sees_who_earned_one_and_issues_them_all(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        with transaction(db):
            run = make_run(db)
            first, last = add_session(db, run), add_session(db, run, 1)
            attend(db, make_person(db, name="李建国"), first, last)
            attend(db, make_person(db, name="王秀兰"), first)
        client = client_for(app, staff_of(db.get_one(OrgUnit, run.unit_id)))
        address = f"/runs/{run.id}/certificates"
        assert "还没有签发证书" in client.get(address).text
        page = client.get(f"{address}/issue").text
        for words in (
            "每一场都到",
            "2 / 2 场已结束",
            "从最后一场起 12 个月，到 2027年11月24日",
            "给 1 人各签发一张",
        ):
            assert words in page, words
        assert "李建国" in page
        assert "王秀兰" not in page
        assert "缺了场次" in client.get(f"{address}/issue?show=not_yet").text
        done = client.post(f"{address}/issue", follow_redirects=True).text
        assert "已签发 1 张证书" in done
        assert "李建国" in done
        assert "没有要签发的" in client.post(f"{address}/issue", follow_redirects=True).text
        assert len(certificates(db)) == 1
        assert "已有证书" in client.get(f"{address}/issue?show=holds").text


def test_sessions_that_are_not_closed_are_said(db: Session, app: Flask) -> None:
    with transaction(db):
        run = make_run(db, certificate_months=None, hours_needed_tenths=85)
        attend(db, make_person(db), add_session(db, run, closed_at=None))
    page = client_for(app, staff_of(None)).get(f"/runs/{run.id}/certificates/issue").text
    for words in ("还有 1 场没结束", "满 8.5 学时", "长期有效", "学时不够、还有场次没结束"):
        assert words in page, words
    assert "全部签发" not in page


def test_an_empty_run_says_so(db: Session, app: Flask) -> None:
    with transaction(db):
        run = make_run(db)
    page = client_for(app, staff_of(None)).get(f"/runs/{run.id}/certificates/issue").text
    assert "还没有人到过" in page


def test_the_list_is_narrowed_and_has_pages(db: Session, app: Flask) -> None:
    run = make_issued(db, tuple(f"学员{number:02}" for number in range(60)))
    client = client_for(app, staff_of(None))
    address = f"/runs/{run.id}/certificates"
    first, second = client.get(address).text, client.get(f"{address}?page=2").text
    assert (first.count("<tr data-number"), second.count("<tr data-number")) == (50, 10)
    assert "共 60 行" in first
    found = client.get(f"{address}?q=学员07").text
    assert found.count("<tr data-number") == 1
    with transaction(db):
        revoke(db, certificate=certificates(db)[0], reason="名字写错", actor=staff_of(None), now=START)
    revoked = client.get(f"{address}?state=revoked").text
    assert revoked.count("<tr data-number") == 1
    assert "名字写错" in revoked
    assert "没有找到证书" in client.get(f"{address}?q=没有这个人").text
    assert client.get(f"{address}?state=nonsense&page=99&q=%00").status_code == 200


def test_revoking_takes_a_reason_and_issuing_again_gives_a_new_number(
    either_database: Database, make_app: MakeApp
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        run = make_issued(db)
        client = client_for(app, staff_of(None))
        one = certificates(db)[0]
        address = f"/certificates/{one.id}/revoke"
        assert "撤销后不能恢复" in client.get(address).text
        for reason in ("", "   "):
            wrong = client.post(address, data={"reason": reason})
            assert (wrong.status_code, "请填写原因" in wrong.text) == (422, True)
        done = client.post(address, data={"reason": "名字写错"}, follow_redirects=True).text
        assert f"已撤销 {one.number}" in done
        assert "这张证书已经撤销" in client.get(address, follow_redirects=True).text
        assert client.get(f"/certificates/{one.id}.pdf").status_code == 409
        again = client.post(f"/certificates/{one.id}/again", follow_redirects=True).text
        new = certificates(db)[-1]
        assert f"已重新签发，新编号 {new.number}" in again
        assert (new.person_id, new.revoked_at) == (one.person_id, None)
        assert "没有撤销，不用重新签发" in client.post(f"/certificates/{new.id}/again", follow_redirects=True).text
        assert len(certificates(db)) == 4
        assert run.id == new.run_id


def test_a_trainer_sees_and_prints_but_does_not_issue(db: Session, app: Flask) -> None:
    unit = make_unit(db)
    db.commit()
    run = make_issued(db, unit=unit)
    one = certificates(db)[0]
    client = client_for(app, staff_of(unit, Role.TRAINER))
    page = client.get(f"/runs/{run.id}/certificates").text
    assert "李建国" in page
    assert "/issue" not in page
    assert "/revoke" not in page
    pdf = client.get(f"/certificates/{one.id}.pdf?lang=en")
    assert pdf.mimetype == "application/pdf"
    assert f"certificate-{one.number}.pdf" in pdf.headers["Content-Disposition"]
    assert "Certificate" in pypdf.PdfReader(io.BytesIO(pdf.data)).pages[0].extract_text()
    assert client.get(f"/runs/{run.id}/certificates/issue").status_code == 403
    assert client.post(f"/certificates/{one.id}/revoke", data={"reason": "x"}).status_code == 403
    event = exported(db)
    assert event.details == {"form": "pdf", "personal_data": True, "rows": 1}


def test_the_run_page_of_trainings_has_the_link(db: Session, app: Flask) -> None:
    run = make_issued(db)
    registry = cast("Runtime", app.extensions["quizapp"]).registry
    foreign = make_unit(db)
    db.commit()
    for actor, expected in (
        (staff_of(None, Role.TRAINER), [("证书", f"/runs/{run.id}/certificates")]),
        (staff_of(foreign), []),
        (GUEST, []),
    ):
        client_for(app, actor)
        with app.test_request_context():
            assert registry.collect("run_actions", run) == expected


def test_all_of_a_run_are_one_file_made_by_a_job(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    runtime = cast("Runtime", app.extensions["quizapp"])
    with either_database.session() as db:
        run = make_issued(db)
        with transaction(db):
            revoke(db, certificate=certificates(db)[1], reason="代签", actor=staff_of(None), now=START)
        here = db.get_one(OrgUnit, run.unit_id)
        client = client_for(app, staff_of(here))
        asked = client.post(f"/runs/{run.id}/certificates/file", data={"language": "en"})
        progress = asked.headers["Location"]
        assert "排着队" in client.get(progress).text
        early = f"/runs/{run.id}/certificates/file/{progress.rsplit('/', 1)[1]}"
        assert client.get(early).status_code == 404
        run_pending(runtime)
        done = client.get(progress).text
        link = re.search(r'href="(/runs/[^"]+/file/[^"]+)"', done)
        assert link is not None
        assert link[1] == early
        reply = client.get(early)
        assert (reply.mimetype, reply.headers["Cache-Control"]) == ("application/pdf", "private, no-store")
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(reply.data)).pages]
        assert [name for name in NAMES if any(name in text for text in pages)] == ["李建国", "张伟"]
        valid = [one for one in certificates(db) if one.revoked_at is None]
        read = [zxingcpp.read_barcodes(picture)[0].text for picture in page_pictures(reply.data)]
        assert read == [f"http://localhost/c/{one.check_code}" for one in valid]
        event = exported(db)
        assert event.details == {"form": "pdf", "personal_data": True, "rows": 2}
        # whoever may no longer see the run, and whoever did not ask, gets nothing
        with transaction(db):
            elsewhere = make_unit(db)
        assert client_for(app, staff_of(elsewhere)).get(early).status_code == 404
        assert client_for(app, staff_of(here, account_id=8)).get(early).status_code == 404
        client = client_for(app, staff_of(here))
        other = make_issued(db, unit=here)
        assert client.get(early.replace(f"/runs/{run.id}/", f"/runs/{other.id}/")).status_code == 404
        clock.forward(days=7, minutes=1)
        assert client.get(early).status_code == 404


def test_without_a_certificate_there_is_no_file(db: Session, app: Flask) -> None:
    run = make_issued(db, ("李建国",))
    with transaction(db):
        revoke(db, certificate=certificates(db)[0], reason="代签", actor=staff_of(None), now=START)
    client = client_for(app, staff_of(None))
    page = client.post(f"/runs/{run.id}/certificates/file", data={"language": "xx"}, follow_redirects=True).text
    assert "还没有能打印的证书" in page


def test_the_list_is_a_workbook_and_kept_in_the_log(db: Session, app: Flask) -> None:
    run = make_issued(db, ("=1+1", "李建国"))
    with transaction(db):
        revoke(db, certificate=certificates(db)[1], reason="代签", actor=staff_of(None), now=START)
    reply = client_for(app, staff_of(None)).get(f"/runs/{run.id}/certificates.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(reply.data))
    rows = book.get_sheet_by_name("证书").to_python()
    assert rows[0][:4] == ["编号", "姓名", "单位", "学时"]
    assert [(row[1], row[3], row[6], row[8]) for row in rows[1:]] == [
        ("=1+1", 4.0, "有效", ""),
        ("李建国", 4.0, "已撤销", "代签"),
    ]
    facts = dict(row[:2] for row in book.get_sheet_by_name("说明").to_python() if row[1])
    assert facts["条件"] == "每一场都到"
    event = exported(db)
    assert event.details == {"form": "xlsx", "personal_data": True, "rows": 2}


def test_a_stranger_reads_whether_it_holds_and_only_part_of_the_name(db: Session, app: Flask, clock: FakeClock) -> None:
    make_issued(db, ("李建国",))
    one = certificates(db)[0]
    client = client_for(app)
    reply = client.get(f"/c/{one.check_code}")
    assert reply.headers["Cache-Control"] == "no-store"
    assert "noindex" in reply.headers["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex, nofollow">' in reply.text
    for words in ("有效", "李*国", "公民安全素质培训", "2026 年第 3 期", "临江区应急管理局", "<dd>4</dd>", one.number):
        assert words in reply.text, words
    assert "李建国" not in reply.text
    assert client.get(f"/c/{one.check_code.lower()}").headers["Location"] == f"/c/{one.check_code}"
    clock.forward(days=365)  # the last day, in Shanghai
    assert 'data-certificate="valid"' in client.get(f"/c/{one.check_code}").text
    clock.forward(hours=13, minutes=59)
    assert 'data-certificate="valid"' in client.get(f"/c/{one.check_code}").text
    clock.forward(minutes=1)
    assert "已过期" in client.get(f"/c/{one.check_code}").text
    with transaction(db):
        revoke(db, certificate=one, reason="代签", actor=staff_of(None), now=START + timedelta(days=3))
    page = client.get(f"/c/{one.check_code}").text
    assert "已撤销" in page
    assert "2026年11月26日 撤销，不再有效" in page
    assert "代签" not in page
    for code in ("7" * 26, "x", one.number, "-"):
        unknown = client.get(f"/c/{code}", follow_redirects=True)
        assert (unknown.status_code, "没有这张证书" in unknown.text) == (404, True)


def test_of_an_erased_person_the_page_says_what_stands_in_place_of_the_name(db: Session, app: Flask) -> None:
    make_issued(db, ("李建国",))
    one = certificates(db)[0]
    with transaction(db):
        db.get_one(Person, one.person_id).name = ""
    assert "持证人凭编号核验" in client_for(app).get(f"/c/{one.check_code}").text
    assert "已清除" in client_for(app, staff_of(None)).get(f"/runs/{one.run_id}/certificates").text


def test_a_number_opens_nothing_without_its_code_and_guessing_is_slowed(
    either_database: Database, make_app: MakeApp
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        make_issued(db, ("李建国", "王秀兰"))
        first, second = certificates(db)
        client = client_for(app)
        form = client.get("/c")
        assert "核验" in form.text
        assert form.headers["Cache-Control"] == "no-store"
        typed = {"number": first.number.lower().replace("-", " "), "code": typed_code(first.check_code)}
        reply = client.post("/c", data=typed)
        assert (reply.status_code, reply.headers["Location"]) == (303, f"/c/{first.check_code}")
        empty = client.post("/c", data={})
        assert "请填写编号" in empty.text
        mistyped = client.post("/c", data={**typed, "number": first.number[:-1] + "?"})
        assert (mistyped.status_code, "编号不对" in mistyped.text) == (422, True)
        for _ in range(5):
            wrong = client.post("/c", data={**typed, "code": typed_code(second.check_code)})
            assert (wrong.status_code, "没有这样的证书" in wrong.text) == (422, True)
        assert "秒再试" in wrong.text
        slowed = client.post("/c", data=typed)
        assert (slowed.status_code, "试的次数太多" in slowed.text) == (422, True)
        # another certificate, looked up by somebody else, waits for nothing
        other = {"number": second.number, "code": typed_code(second.check_code)}
        assert client_for(app).post("/c", data=other).status_code == 303


def test_the_holder_finds_it_on_their_page_and_nobody_elses(db: Session, app: Flask) -> None:
    make_issued(db, ("李建国", "王秀兰"))
    own, other = certificates(db)
    actor = Actor(account_id=3, person_id=own.person_id, name="李建国")
    client = client_for(app, actor)
    me = client.get("/me").text
    assert "我的证书" in me
    assert f"/me/certificates/{own.id}" in me
    assert f"/me/certificates/{other.id}" not in me
    page = client.get(f"/me/certificates/{own.id}").text
    for words in ("李建国", "有效", own.number, typed_code(own.check_code), "<svg"):
        assert words in page, words
    pdf = client.get(f"/me/certificates/{own.id}.pdf?lang=zh")
    assert "李建国" in pypdf.PdfReader(io.BytesIO(pdf.data)).pages[0].extract_text()
    assert pdf.headers["Cache-Control"] == "private, no-store"
    for address in (f"/me/certificates/{other.id}", f"/me/certificates/{other.id}.pdf"):
        assert client.get(address).status_code == 404
        assert client_for(app, Actor(account_id=4)).get(address).status_code == 404
        client = client_for(app, actor)
    with transaction(db):
        revoke(db, certificate=own, reason="名字写错", actor=staff_of(None), now=START)
    page = client.get(f"/me/certificates/{own.id}").text
    assert "已撤销" in page
    assert "名字写错" in page
    assert ".pdf" not in page
    assert client.get(f"/me/certificates/{own.id}.pdf").status_code == 409
    assert "已撤销" in client.get("/me").text


def test_somebody_without_certificates_sees_no_empty_section(db: Session, app: Flask) -> None:
    person = make_person(db)
    db.commit()
    assert "我的证书" not in client_for(app, Actor(account_id=3, person_id=person.id)).get("/me").text


@pytest.mark.parametrize("asked", ["en", "zh", "xx", ""])
def test_the_language_of_a_file_is_the_asked_one_or_the_pages(db: Session, app: Flask, asked: str) -> None:
    make_issued(db, ("李建国",))
    (one,) = certificates(db)
    client = client_for(app, staff_of(None))
    client.set_cookie("lang", "en")
    text = (
        pypdf.PdfReader(io.BytesIO(client.get(f"/certificates/{one.id}.pdf?lang={asked}").data)).pages[0].extract_text()
    )
    assert ("Number" in text) == (asked != "zh")
