"""The page of a delivery's questions and its files."""

from __future__ import annotations

import csv
import io
import random
import re

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.banks.models import Item, ItemLook, ItemState
from quizapp.core.scope import Role
from quizapp.reports.item_figures import item_rows
from tests.conftest import START
from tests.factories import make_figure
from tests.reports.test_figures import make_district, scope_of
from tests.reports.test_item_figures import fill
from tests.reports.test_pages import client_for


def test_page_and_files_show_the_same_figures(db: Session, app: Flask) -> None:
    d = make_district(db)
    fill(db, d, d.delivery, random.Random(11))
    db.commit()
    client = client_for(app, d.top)
    address = f"/reports/deliveries/{d.delivery.id}/items"
    page = client.get(address).text
    rows = item_rows(db, scope_of(d.top), d.delivery)
    for row in rows:
        assert row.rate is not None
        assert row.version.stem["zh"] in page
        assert f"{row.rate:.1%}" in page
        assert row.knew is not None
        assert f"除去猜的 {row.knew.knew:.1%}" in page
    assert page.count("<h1") == 1
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{address}.xlsx").data))
    sheet = book.get_sheet_by_name("逐题").to_python()
    assert [line[0] for line in sheet[1:]] == [row.code for row in rows]
    assert [line[4:7] for line in sheet[1:]] == [[row.asked, row.answered, row.right] for row in rows]
    drawn = book.get_sheet_by_index(2).to_python()  # the numbers of the chart
    assert {line[0]: line[1] for line in drawn[1:]} == pytest.approx({row.code: row.rate for row in rows})
    table = list(csv.reader(io.StringIO(client.get(f"{address}.csv").data.decode("utf-8-sig"))))
    assert [line[7] for line in table[1:]] == [f"{row.rate:.1%}" for row in rows if row.rate is not None]
    db.rollback()  # the log was written by another connection
    logged = db.scalars(select(AuditEvent).where(AuditEvent.action == "figures_exported")).all()
    assert [(event.object_id, event.details["figures"]) for event in logged] == [(d.delivery.id, "items")] * 2


def test_the_flags_of_a_question_stand_beside_it_and_lead_to_it(db: Session, app: Flask) -> None:
    d = make_district(db)
    fill(db, d, d.delivery, random.Random(11))
    rows = item_rows(db, scope_of(d.top), d.delivery)
    bad, fine, young = (row.version for row in rows[:3])
    make_figure(db, bad, asked=900, flags=["key_suspect", "dead_distractor"], rest=-0.21, omitted=45, unreached=9)
    make_figure(db, fine, asked=200, rest=0.41)
    make_figure(db, young, asked=9, flags=[], rest=0.2)
    db.commit()
    client = client_for(app, d.top)
    address = f"/reports/deliveries/{d.delivery.id}/items"
    page = client.get(address).text
    assert "1 道题从作答看出问题" in page
    parts = {row.code: page.split(f'data-item="{row.code}"')[1].split("</tr>")[0] for row in rows}
    code = {row.version.id: row.code for row in rows}
    first = parts[code[bad.id]]
    assert f'href="/items/{code[bad.id]}#answers"' in first
    assert "-0.21" in first
    assert first.index("答案可疑") < first.index("干扰项太弱")
    assert "做过 900 人次，答对 70.0%，没答 5.0%（其中没做到 1.0%）" in first
    assert "从作答看不出问题" in parts[code[fine.id]]
    assert "做过的还少，看不出有没有问题" in parts[code[young.id]]
    assert "0.20" not in parts[code[young.id]], "fewer than ten are shown to nobody"
    table = list(csv.reader(io.StringIO(client.get(f"{address}.csv").data.decode("utf-8-sig"))))
    found = {line[0]: line[-3:] for line in table[1:]}
    assert found[code[bad.id]] == ["900", "-0.21", "答案可疑；干扰项太弱"]
    assert found[code[young.id]] == ["", "", ""]
    db.add(ItemLook(item_version_id=bad.id, flags=["key_suspect", "dead_distractor"], asked=800, looked_at=START))
    db.commit()
    page = client.get(address).text
    assert "看过，题没问题" in page.split(f'data-item="{code[bad.id]}"')[1].split("</tr>")[0]
    assert "从作答看出问题" not in page, "a reviewer has answered: nobody is called any more"


def test_the_reviewer_is_told_of_them_on_the_first_page_and_on_every_other(db: Session, app: Flask) -> None:
    d = make_district(db)
    fill(db, d, d.delivery, random.Random(11))
    rows = item_rows(db, scope_of(d.top), d.delivery)
    make_figure(db, rows[0].version, asked=500, flags=["too_easy"])
    make_figure(db, rows[1].version, asked=900, flags=["key_suspect", "too_easy"])
    make_figure(db, rows[2].version, asked=900)
    old = make_figure(db, rows[3].version, asked=900, flags=["key_suspect"])
    db.get_one(Item, rows[3].version.item_id).state = ItemState.RETIRED
    assert old.harm
    db.commit()
    client = client_for(app, d.top, Role.REVIEWER)
    page = client.get("/banks").text
    assert "2 道题从作答看出问题" in page
    assert f"最要紧的：{rows[1].code}，答案可疑，900 人次做过" in page
    assert 'href="/items/work-list?flag=too_easy"' in page
    assert 'href="/items/work-list?bank=bank' in page
    for address in ("/banks", "/items/work-list", f"/items/{rows[2].code}"):
        assert re.search(r'href="/items/work-list"[^>]*>.*?nav-count">2<', client.get(address).text, re.DOTALL), address
    trainer = client_for(app, d.top, Role.TRAINER).get("/sessions").text
    assert "nav-count" not in trainer


def test_too_few_answers_are_said_to_be_too_few(db: Session, app: Flask) -> None:
    d = make_district(db)
    db.commit()
    page = client_for(app, d.top).get(f"/reports/deliveries/{d.delivery.id}/items")
    assert page.status_code == 200
    assert "10 人次" in page.text
    assert ".xlsx" not in page.text


def test_another_district_and_a_leader_see_no_question(db: Session, app: Flask) -> None:
    d, other = make_district(db), make_district(db)
    db.commit()
    address = f"/reports/deliveries/{d.delivery.id}/items"
    assert client_for(app, other.top).get(address).status_code == 404
    assert client_for(app, d.top, Role.LEADER).get(address).status_code == 403
