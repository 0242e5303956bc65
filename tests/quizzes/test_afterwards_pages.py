"""The staff's pages of corrections, voiding, extra time, later ends and the live state, and what the taker reads of them."""

from __future__ import annotations

import io
import re

from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp import tasks
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.jobs.worker import run_pending
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery, LateResponse, PaperItem
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services.submitting import submit_attempt
from tests.conftest import START, FakeClock
from tests.factories import make_delivery, make_unit
from tests.quizzes.staff import client_of, coordinator_of
from tests.quizzes.support import begin
from tests.quizzes.test_rescoring import answer

assert tasks


def make_taken(db: Session, app: Flask, answers: dict[int, str]) -> tuple[OrgUnit, Delivery, Attempt]:
    unit = make_unit(db, kind="district", name="临江区")
    delivery = make_delivery(db, unit, items=5)
    db.commit()
    attempt = begin(
        db, delivery, app.extensions["quizapp"].keys, name="李建国", phone="13900000009", unit_id=unit.id
    ).attempt
    with transaction(db):
        answer(db, attempt, answers)
        submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=to_ms(START) + 60_000)
    return unit, delivery, attempt


def as_account(app: Flask, unit: OrgUnit, account_id: int) -> FlaskClient:
    return client_of(app, coordinator_of(unit, account_id=account_id))


def test_one_proposes_a_correction_another_confirms_it_and_the_list_says_whose_result_changed(
    db: Session, app: Flask
) -> None:
    unit, delivery, attempt = make_taken(db, app, {1: "d", 2: "t", 3: "a,c"})
    version = db.scalars(select(PaperItem.item_version_id).where(PaperItem.position == 1)).one()
    place = f"/deliveries/{delivery.id}/corrections"
    one = as_account(app, unit, 41)
    form = {"accepted": ["b", "d"], "reason": ""}
    refused = one.post(f"{place}/{version}", data=form)
    assert refused.status_code == 422
    assert re.search(r'value="d" checked', refused.text)  # what was chosen stays
    assert one.post(f"{place}/{version}", data={**form, "reason": "教材第二版改了"}).status_code == 303
    page = one.get(place).text
    assert "等另一个人复核" in page
    assert "复核通过</span>" not in page
    row_id = re.search(r'data-correction="(\d+)"', page).group(1)  # type: ignore[union-attr]
    assert as_account(app, unit, 41).post(f"{place}/{row_id}/confirm").status_code == 409
    other = as_account(app, unit, 42)
    assert "教材第二版改了" in other.get(place).text
    assert other.post(f"{place}/{row_id}/confirm").status_code == 303
    run_pending(app.extensions["quizapp"])
    listed = other.get(f"/deliveries/{delivery.id}/changes").text
    assert "李*国" in listed
    assert "40" in listed
    assert "未合格" in listed
    book = CalamineWorkbook.from_filelike(io.BytesIO(other.get(f"/deliveries/{delivery.id}/changes.xlsx").data))
    lines = book.get_sheet_by_name("结果有变的人").to_python()
    assert lines[1][:6] == ["李建国", "临江区", attempt.public_id, "答案更正", 40, 60]
    assert lines[1][6:8] == ["未合格", "合格"]


def test_an_attempt_is_found_voided_by_two_and_its_taker_reads_it_calmly(db: Session, app: Flask) -> None:
    unit, delivery, attempt = make_taken(db, app, {1: "b"})
    one = as_account(app, unit, 41)
    for text in ("建国", "139 0000 0009", attempt.public_id):
        assert attempt.public_id in one.get(f"/deliveries/{delivery.id}/attempts?q={text}").text
    assert "没有找到答卷" in one.get(f"/deliveries/{delivery.id}/attempts?q=张三").text
    page = one.get(f"/attempts/{attempt.public_id}").text
    assert "139****0009" in page
    assert "13900000009" not in page
    assert one.post(f"/attempts/{attempt.public_id}/void", data={"reason": ""}).status_code == 422
    assert one.post(f"/attempts/{attempt.public_id}/void", data={"reason": "别人代答"}).status_code == 303
    other = as_account(app, unit, 42)
    row_id = re.search(r"/void/(\d+)/confirm", other.get(f"/attempts/{attempt.public_id}").text).group(1)  # type: ignore[union-attr]
    assert other.post(f"/attempts/{attempt.public_id}/void/{row_id}/confirm").status_code == 303
    assert 'data-attempt-state="void"' in other.get(f"/attempts/{attempt.public_id}").text
    foreign = as_account(app, make_unit(db), 43)
    db.commit()
    assert foreign.get(f"/attempts/{attempt.public_id}").status_code == 404


def test_late_answers_are_shown_and_a_later_end_is_asked_for_with_its_refusal(
    db: Session, app: Flask, clock: FakeClock
) -> None:
    unit, delivery, attempt = make_taken(db, app, {1: "b"})
    with transaction(db):
        db.add(LateResponse(attempt_id=attempt.id, position=4, answer="b", sequence=9, received_at=to_ms(START)))
    one = as_account(app, unit, 41)
    assert "1 题的答案过了时间才到" in one.get(f"/attempts/{attempt.public_id}").text
    refused = one.post(f"/deliveries/{delivery.id}/extend", data={"closes_at": "2026-11-24T10:00"})
    assert refused.status_code == 422
    assert "也要晚于原来的截止时间" in refused.text
    assert one.post(f"/deliveries/{delivery.id}/extend", data={"closes_at": "2026-12-24T10:00"}).status_code == 303
    more = one.post(f"/attempts/{attempt.public_id}/extra-time", data={"minutes": "0"})
    assert more.status_code == 422
    assert one.post(f"/attempts/{attempt.public_id}/extra-time", data={"minutes": "15"}).status_code == 303
    assert "已延时 15 分钟" in one.get(f"/attempts/{attempt.public_id}").text


def test_the_live_page_counts_and_what_has_not_changed_comes_empty(db: Session, app: Flask) -> None:
    unit, delivery, _ = make_taken(db, app, {1: "b"})
    keys = app.extensions["quizapp"].keys
    begin(db, delivery, keys, name="甲", phone="13900000001", unit_id=unit.id)
    client = as_account(app, unit, 41)
    page = client.get(f"/deliveries/{delivery.id}/live").text
    assert f'data-live="/deliveries/{delivery.id}/live/figures"' in page
    figures = client.get(f"/deliveries/{delivery.id}/live/figures")
    assert [int(n) for n in re.findall(r"<b[^>]*>(\d+)</b>", figures.text)] == [2, 1, 1]
    again = client.get(f"/deliveries/{delivery.id}/live/figures", headers={"If-None-Match": figures.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    begin(db, delivery, keys, name="乙", phone="13900000002")
    changed = client.get(f"/deliveries/{delivery.id}/live/figures", headers={"If-None-Match": figures.headers["ETag"]})
    assert changed.status_code == 200
    assert "没有填单位" in changed.text
