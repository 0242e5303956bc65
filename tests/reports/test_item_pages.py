"""The page of a delivery's questions and its files."""

from __future__ import annotations

import csv
import io
import random

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.scope import Role
from quizapp.reports.item_figures import item_rows
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
