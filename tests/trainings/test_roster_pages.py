"""The pages of rosters and imports, through a test client."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

import quizapp.tasks  # noqa: F401 # fills the registry of tasks
from quizapp.core.db import transaction
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.tables import open_table
from quizapp.jobs.models import Job
from quizapp.jobs.worker import run_pending
from quizapp.organisation.imports.batches import FIELDS, ROSTER, UNITS
from quizapp.organisation.models import ImportBatch, OrgUnit
from quizapp.trainings.models import AudienceRule, RosterEntry, TrainingSession
from tests.factories import make_person, make_session, make_unit
from tests.sheets import make_csv


def client_of(app: Flask, unit: OrgUnit | None, role: Role = Role.TRAINER, account_id: int = 7) -> FlaskClient:
    actor = Actor(account_id, name="陈立新", scope=Scope((Grant(role, unit.path if unit else None),)))
    app.extensions["quizapp"].load_actor = lambda: actor
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.fixture
def session(db: Session) -> TrainingSession:
    with transaction(db):
        street = make_unit(db, name="东岸街道", code="EB")
        make_unit(db, street, name="紫兴社区", code="ZX")
        return make_session(db, street, kind="joint", title="宾馆合训")


def upload(client: FlaskClient, address: str, content: bytes, **more: str) -> Any:
    file = FileStorage(io.BytesIO(content), filename="名册.csv")
    boundary, body = encode_multipart({"file": file, **more})
    return client.post(address, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def run(app: Flask) -> None:
    run_pending(app.extensions["quizapp"])


def test_an_import_is_found_from_its_progress_page_and_seen_by_nobody_else(
    db: Session, app: Flask, session: TrainingSession
) -> None:
    client = client_of(app, session.unit)
    address = f"/sessions/{session.id}/roster/import"
    shown = upload(client, address, make_csv([["姓名", "手机"], ["李建国", "13800001234"]])).headers["Location"]
    assert "正在读" in client.get(shown).text
    db.rollback()
    job = db.scalars(select(Job)).one()
    run(app)
    page = client.get(f"/jobs/{job.public_id}").text
    assert "导入名册" in page
    assert f'href="{shown}"' in page
    assert "导入 1 人" in client.get(shown).text
    assert client_of(app, session.unit, account_id=8).get(shown).status_code == 404
    client = client_of(app, session.unit)
    client.post(f"{shown}/apply")
    assert "正在导入" in client.get(shown).text
    run(app)
    assert "名册加了 1 人" in client.get(shown).text
    # what comes too late changes nothing and is told
    client.post(f"{shown}/drop")
    assert "已经导入、放弃，或正在读" in client.get(shown).text


def test_columns_are_chosen_on_the_page(db: Session, app: Flask, session: TrainingSession) -> None:
    client = client_of(app, session.unit)
    content = make_csv([["甲", "乙"], ["13800001234", "李建国"]])
    shown = upload(client, f"/sessions/{session.id}/roster/import", content).headers["Location"]
    run(app)
    page = client.get(shown).text
    assert "没有认出这些列：姓名" in page
    assert "第 1 列 · 甲" in page
    client.post(f"{shown}/columns", data={"column_name": "1", "column_phone": "0", "column_sex": "9", "head_row": "1"})
    run(app)
    db.rollback()
    assert db.scalars(select(ImportBatch.columns)).one() == {"name": 1, "phone": 0}
    assert "导入 1 人" in client.get(shown).text


def test_what_is_no_table_or_too_large_is_refused_with_the_reason(app: Flask, session: TrainingSession) -> None:
    client = client_of(app, session.unit)
    address = f"/sessions/{session.id}/roster/import"
    reply = upload(client, address, b"%PDF-1.7\x00")
    assert (reply.status_code, "没有看懂这个文件" in reply.text) == (422, True)
    assert "请选择一个文件" in client.post(address).text
    # larger than other forms may be, and still taken
    rows = [["姓名", "手机", "备注"]] + [[f"人{n}", f"138{n:08}", "x" * 150] for n in range(20_000)]
    content = make_csv(rows)
    assert 3_000_000 < len(content) < 8_000_000
    assert upload(client, address, content).status_code == 303
    reply = upload(client, address, b"x" * (9 * 1024 * 1024))
    assert (reply.status_code, "最大 8 MB" in reply.text) == (413, True)
    reply = client.post(f"/sessions/{session.id}/roster/add", data={"name": "x" * 3_000_000})
    assert reply.status_code == 413


@pytest.mark.parametrize(("lang", "kind"), [("zh", ROSTER), ("en", ROSTER), ("zh", UNITS), ("en", UNITS)])
def test_the_table_to_fill_in_is_recognised_when_it_comes_back(
    db: Session, app: Flask, session: TrainingSession, lang: str, kind: str
) -> None:
    client = client_of(app, None, Role.ADMINISTRATOR)
    client.set_cookie("lang", lang)
    roster = kind == ROSTER
    content = client.get("/sessions/roster-template.xlsx" if roster else "/admin/units/template.xlsx").data
    assert len(open_table(content)) == 2
    upload(client, f"/sessions/{session.id}/roster/import" if roster else "/admin/units/import", content)
    run(app)
    db.rollback()
    batch = db.scalars(select(ImportBatch)).one()
    assert set(batch.columns) == {field.key for field in FIELDS[kind]}
    # the example names a unit that this district has not; everything else of it can be read
    expected = (
        {"unit_unknown"} if roster and lang == "en" else {"parent_unknown"} if not roster and lang == "en" else set()
    )
    assert {code for _, _, code, _ in batch.faults} == expected


def test_faults_are_downloaded_without_a_value_of_the_file(app: Flask, session: TrainingSession) -> None:
    client = client_of(app, session.unit)
    rows = [["姓名", "手机"]] + [[f"张三{n}", f"1380000{n:03}"] for n in range(120)]
    shown = upload(client, f"/sessions/{session.id}/roster/import", make_csv(rows)).headers["Location"]
    run(app)
    page = client.get(f"{shown}?page=3").text
    assert "第 121 行" in page
    assert "第 101–120 行，共 120 行" in page
    content = client.get(f"{shown}/faults.xlsx").data
    found = CalamineWorkbook.from_object(io.BytesIO(content)).get_sheet_by_index(1).to_python()
    assert len(found) == 121
    assert found[1] == [2, "手机号", "手机号有 10 位", "改成 11 位手机号；座机请换成手机"]
    assert "张三" not in str(found)


def test_the_roster_page_adds_by_rule_and_by_hand_and_takes_off(
    db: Session, app: Flask, session: TrainingSession
) -> None:
    with transaction(db):
        db.add(AudienceRule(session_id=session.id))
        make_person(db, name="王秀兰", unit_id=session.unit_id, source="roster")
    client = client_of(app, session.unit)
    address = f"/sessions/{session.id}/roster"
    assert "还有 1 人不在名册上" in client.get(address).text
    client.post(f"{address}/refresh")
    assert "王秀兰" in client.get(address).text
    bad = client.post(f"{address}/add", data={"name": "李建国", "phone": "", "unit_id": "", "job_role": ""})
    assert (bad.status_code, "请填写手机号" in bad.text, 'value="李建国"' in bad.text) == (422, True, True)
    assert (
        client.post(f"{address}/add", data={"name": "李建国", "phone": "13800001234", "job_role": "driver"}).status_code
        == 303
    )
    page = client.get(f"{address}?q=建国").text
    assert "李建国" in page
    assert "王秀兰" not in page
    assert "13800001234" not in page
    assert "138****1234" in page
    db.rollback()
    entry = db.scalars(select(RosterEntry.id).where(RosterEntry.source == "by_hand")).one()
    assert client.post(f"{address}/{entry}/remove").status_code == 422
    assert client.post(f"{address}/{entry}/remove", data={"reason": "left"}).status_code == 303
    assert "李建国 已移出名册" in client.get(address).text


def test_a_lecture_says_that_it_has_no_roster(db: Session, app: Flask) -> None:
    with transaction(db):
        lecture = make_session(db, make_unit(db), kind="lecture")
    client = client_of(app, None)
    assert "名册" not in client.get(f"/sessions/{lecture.id}").text
    page = client.get(f"/sessions/{lecture.id}/roster").text
    assert "讲座和班组培训不设名册" in page
    for step in ("import", "refresh"):
        reply = client.post(f"/sessions/{lecture.id}/roster/{step}")
        assert (reply.status_code, reply.headers["Location"]) == (303, f"/sessions/{lecture.id}/roster")
