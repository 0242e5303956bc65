"""The pages of a list after the session, through a test client; without scripts they are all there is."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.files.photos import MOST_BYTES
from quizapp.jobs.worker import run_next
from quizapp.organisation.models import Person
from quizapp.trainings.models import Attendance, RosterEntry, SessionEvidence, TrainingSession
from tests.conftest import START, FakeClock
from tests.factories import make_attendance, make_person, make_session, make_unit

MakeApp = Callable[..., Flask]


class Desk:
    """A trainer at a session that has ended, with a roster of three."""

    def __init__(self, db: Session, make_app: MakeApp, database: Database, clock: FakeClock, **values: Any) -> None:
        self.db = db
        with transaction(db):
            self.unit = make_unit(db, name="紫兴社区")
            self.session: TrainingSession = make_session(db, self.unit, title="消防疏散演练", **values)
            self.people = {}
            for name in ("李建国", "李建功", "王秀兰"):
                person = make_person(db, name=name, source="roster", unit_id=self.unit.id)
                self.people[name] = person.id
                db.add(
                    RosterEntry(
                        session_id=self.session.id,
                        person_id=person.id,
                        unit_id=self.unit.id,
                        source="by_hand",
                        added_at=0,
                    )
                )
        clock.now = START + timedelta(hours=3)
        self.app = make_app(database)
        actor = Actor(account_id=7, name="陈立新", scope=Scope((Grant(Role.TRAINER, self.unit.path),)))
        self.app.extensions["quizapp"].load_actor = lambda: actor
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.client = self.app.test_client()
        self.root = f"/sessions/{self.session.id}"

    def came(self, name: str = "李建国", **values: Any) -> Attendance:
        with transaction(self.db):
            return make_attendance(self.db, self.session.id, self.people[name], **values)

    def page(self, path: str) -> str:
        reply = self.client.get(f"{self.root}/{path}")
        assert reply.status_code == 200
        assert reply.text.count("<h1") == 1
        return reply.text

    def send(self, path: str, **values: Any) -> TestResponse:
        return self.client.post(f"{self.root}/{path}", data=values)

    def script(self, path: str, **values: Any) -> TestResponse:
        return self.client.post(f"{self.root}/{path}", data=values, headers={"Accept": "application/json"})

    def fresh(self, row: Attendance) -> Attendance:
        self.again()
        return self.db.get_one(Attendance, row.id)

    def again(self) -> None:
        """Read anew: on SQLite a read sees what stood when its transaction began."""
        self.db.rollback()
        self.db.expire_all()

    def log(self) -> list[str]:
        self.again()
        return [event.action for event in self.db.scalars(select(AuditEvent).order_by(AuditEvent.id))]


@pytest.fixture
def desk(either_database: Database, make_app: MakeApp, clock: FakeClock) -> Any:
    with either_database.session() as db:
        yield Desk(db, make_app, either_database, clock)


def test_what_waits_stands_on_top_and_is_taken_in_or_left_out(desk: Desk) -> None:
    late = desk.came(state="pending", reason="after_closing")
    slow = desk.came("李建功", state="pending", reason="right_expired")
    text = desk.page("list")
    assert 'data-pending="2"' in text
    assert "提交名单以后才传到" in text
    assert desk.send(f"list/{late.id}/decide", action="confirm", from_list="1").location == f"{desk.root}/list"
    desk.send(f"list/{slow.id}/decide", action="strike", reason="not_taken", from_list="1")
    assert (desk.fresh(late).state, desk.fresh(slow).state) == ("counted", "struck")
    text = desk.page("list?show=struck")
    assert "没有收下" in text
    assert "data-pending" not in text


def test_marks_are_said_in_words_until_somebody_has_looked(desk: Desk) -> None:
    first = desk.came(device_hash=b"d" * 32, took_ms=300_000, expected="roster")
    desk.came("李建功", device_hash=b"d" * 32, expected="roster")
    text = desk.page("list?show=look")
    assert text.count("一部手机签了 2 个人") == 2
    assert "扫码后 5 分钟才签" in text
    one = desk.page(f"list/{first.id}")
    assert "同一部手机还签了：李建功" in one
    assert "互相帮忙都是常事" in one
    desk.send(f"list/{first.id}/decide", action="confirm")
    assert "已确认" in desk.page("list")
    assert desk.page("list?show=look").count("data-row") == 1


def test_a_strike_asks_for_its_reason(desk: Desk) -> None:
    row = desk.came()
    refused = desk.send(f"list/{row.id}/decide", action="strike")
    assert (refused.status_code, "请选划掉的原因" in refused.text) == (422, True)
    desk.send(f"list/{row.id}/decide", action="strike", reason="proxy")
    assert desk.fresh(row).reason == "proxy"
    assert "代签" in desk.page(f"list/{row.id}")
    assert "不能撤回" in desk.client.post(f"{desk.root}/list/{row.id}/decide", data={"action": "undo"}, follow_redirects=True).text  # fmt: skip # noqa: E501


def test_a_note_and_a_check_out_are_written_by_hand(desk: Desk) -> None:
    row = desk.came()
    with transaction(desk.db):
        desk.db.get_one(TrainingSession, desk.session.id).check_out = True
    desk.send(f"list/{row.id}/note", note="迟到")
    assert "迟到" in desk.page("list")
    assert desk.send(f"list/{row.id}/check-out", checked_out="09:00").status_code == 422
    assert desk.send(f"list/{row.id}/check-out", checked_out="abc").status_code == 422
    desk.send(f"list/{row.id}/check-out", checked_out="11:30")
    assert desk.fresh(row).checked_out_at == to_ms(START) + 90 * 60_000
    desk.send(f"list/{row.id}/check-out", checked_out="")
    assert desk.fresh(row).checked_out_at is None
    assert "还有 1 人没有签退" in desk.page("list")
    desk.send("list/check-out", checked_out="12:00")
    assert desk.fresh(row).checked_out_at == desk.session.ends_at
    assert "时间写成" in desk.client.post(f"{desk.root}/list/check-out", data={}, follow_redirects=True).text


def test_a_sheet_is_filled_in_without_scripts(desk: Desk) -> None:
    assert "补录这一行" in desk.page("back-fill")
    reply = desk.send("back-fill", name="王秀兰", ticket="a" * 22, arrived="1005")
    assert (reply.status_code, f"unit={desk.unit.id}" in reply.location) == (303, True)
    asked = desk.send("back-fill", name="ljg", ticket="b" * 22)
    assert asked.status_code == 422
    assert asked.text.count('type="radio" name="person"') == 3  # the two, and a new one
    desk.send("back-fill", name="ljg", person=str(desk.people["李建国"]), ticket="b" * 22)
    desk.send("back-fill", name="新来的", unit_id=str(desk.unit.id), phone="138 0000 1234", ticket="c" * 22)
    again = desk.client.post(
        f"{desk.root}/back-fill", data={"name": "王秀兰", "ticket": "d" * 22}, follow_redirects=True
    )
    assert "已经在名单里，10:05" in again.text
    rows = desk.db.execute(select(Person.name, Attendance.at_ms, Attendance.unit_id).join(Attendance.person)).all()
    begin = to_ms(START)
    assert sorted(row[:2] for row in rows) == [
        ("新来的", begin),
        ("李建国", begin),
        ("王秀兰", begin + 5 * 60_000),
    ]
    assert {row.unit_id for row in rows} == {desk.unit.id}


@pytest.mark.parametrize("typed", ["zzz", "999"])
def test_what_one_types_to_find_somebody_becomes_no_name(desk: Desk, typed: str) -> None:
    reply = desk.send("back-fill", name=typed)
    assert (reply.status_code, "没有找到，请写名字" in reply.text) == (422, True)


def test_a_wrong_time_or_phone_is_said_at_its_field(desk: Desk) -> None:
    for values, words in (
        ({"name": "新来的", "arrived": "abc"}, "时间写成"),
        ({"name": "新来的", "arrived": "07:00"}, "到场时间要在签到时段内"),
        ({"name": "新来的", "phone": "123"}, "手机号要有 11 位"),
        ({"name": ""}, "请填写姓名"),
    ):
        reply = desk.send("back-fill", **values)
        assert (reply.status_code, words in reply.text) == (422, True), words
        assert desk.script("back-fill", person="new", **values).status_code == 422


def test_a_script_gets_people_and_says_what_became_of_a_line(desk: Desk) -> None:
    reply = desk.client.get(f"{desk.root}/back-fill/people").get_json()
    assert reply["complete"]
    assert [row[1:3] for row in reply["people"]][:3] == [["李建国", "ljg"], ["李建功", "ljg"], ["王秀兰", "wxl"]]
    asked = desk.client.get(f"{desk.root}/back-fill/people?q=wx").get_json()["people"]
    assert [row[1] for row in asked] == ["王秀兰"]
    line = {"person": str(desk.people["李建国"]), "name": "李建国", "ticket": "a" * 22}
    said = desk.script("back-fill", **line).get_json()
    assert (said["outcome"], said["name"], said["unit"], said["time"]) == ("in", "李建国", "紫兴社区", "10:00")
    assert desk.script("back-fill", **line).get_json()["outcome"] == "again"
    undone = desk.script(f"back-fill/{said['attendance']}/undo")
    assert (undone.status_code, undone.get_json()["outcome"]) == (200, "undone")
    desk.script("back-fill", **line)
    desk.send(f"list/{said['attendance']}/decide", action="confirm")
    refused = desk.script(f"back-fill/{said['attendance']}/undo")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "nothing_to_undo")
    desk.send("submit")
    assert desk.script("back-fill", **line).get_json()["error"]["code"] == "session_closed"


def photo_file(size: tuple[int, int] = (400, 300), kind: str = "JPEG") -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind)
    out.seek(0)
    return out


def test_a_photo_is_kept_shown_and_removed(desk: Desk) -> None:
    row = desk.came(method="back_filled")
    reply = desk.send("evidence", kind="sheet", photo=(photo_file(kind="PNG"), "IMG.png"))
    assert reply.status_code == 303
    photo = desk.db.scalars(select(SessionEvidence)).one()
    assert desk.fresh(row).evidence_id == photo.id
    address = f"{desk.root}/evidence/{photo.id}.jpg"
    assert f'src="{address}"' in desk.page("evidence")
    shown = desk.client.get(address)
    assert (shown.mimetype, shown.headers["Cache-Control"]) == ("image/jpeg", "private, no-store")
    assert Image.open(io.BytesIO(shown.data)).size == (400, 300)
    assert "有照片佐证 1 人，没有 0 人" in desk.page("back-fill")
    assert desk.send(f"evidence/{photo.id}/remove").status_code == 303
    assert desk.client.get(address).status_code == 404
    assert desk.log() == ["evidence_added", "evidence_removed"]


def upload(desk: Desk, content: bytes) -> TestResponse:
    """A form with a photo as a browser sends it."""
    head = '--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nphoto\r\n--x\r\nContent-Disposition: form-data; name="photo"; '
    head += 'filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head.encode() + content + b"\r\n--x--\r\n"
    return desk.client.post(f"{desk.root}/evidence", data=body, content_type="multipart/form-data; boundary=x")


def test_a_photo_may_be_large_and_other_forms_may_not(desk: Desk) -> None:
    assert upload(desk, photo_file().getvalue() + b"\0" * (3 * 1024 * 1024)).status_code == 303
    assert upload(desk, b"x" * (MOST_BYTES + 200_000)).status_code == 413
    assert desk.send("back-fill", name="x" * 3_000_000).status_code == 413
    wrong = upload(desk, b"no picture")
    assert (wrong.status_code, "打不开这张照片" in wrong.text) == (422, True)
    assert desk.send("evidence", kind="photo").status_code == 422


def test_a_photo_whose_term_is_over_is_deleted_by_the_job_and_says_so(desk: Desk, clock: FakeClock) -> None:
    desk.send("evidence", kind="photo", photo=(photo_file(), "a.jpg"))
    import quizapp.tasks  # noqa: F401 # fills the tasks, as a worker does
    from quizapp.jobs.services import ensure_periodic

    clock.forward(days=366)
    with transaction(desk.db):
        ensure_periodic(desk.db, "delete_expired_files", now=clock.now)
    assert run_next(desk.app.extensions["quizapp"])
    desk.again()
    photo = desk.db.scalars(select(SessionEvidence)).one()
    assert photo.file_id is None
    assert "照片已过保存期" in desk.page("evidence")
    assert desk.client.get(f"{desk.root}/evidence/{photo.id}.jpg").status_code == 404


def test_the_summary_says_what_is_missing_and_hands_the_list_over(desk: Desk) -> None:
    desk.came(method="back_filled", device_hash=b"d" * 32)
    desk.came("李建功", state="pending", reason="full", device_hash=b"d" * 32)
    text = desk.page("summary")
    values = re.findall(r'class="check-(ok|look)".*?<b>([^<]*)</b>', text, re.DOTALL)
    assert values == [("look", "1 条"), ("look", "1 条"), ("look", "0 张"), ("look", "1 人")]
    assert "提交签到表" in text
    assert "33%" in text
    assert desk.send("submit").location == f"{desk.root}/summary"
    text = desk.page("summary")
    assert 'data-closed="yes"' in text
    assert "重新开放" in text
    assert "名单不能再改" in desk.page("list")
    assert "名单不能再改" in desk.page("back-fill")
    desk.send("take-back")
    assert 'data-closed="no"' in desk.page("summary")
    assert desk.log() == ["session_closed", "session_reopened"]


def test_before_the_end_there_is_nothing_to_hand_over(desk: Desk, clock: FakeClock) -> None:
    clock.now = START
    text = desk.page("summary")
    assert "培训还没结束" in text
    assert "submit" not in text.split("<main")[1].split("</h1>")[1].split("desk-head")[0].split("card")[0]


def test_a_walk_in_has_a_unit_that_the_next_one_keeps(desk: Desk) -> None:
    assert "紫兴社区" in desk.page("walk-in")
    reply = desk.send("walk-in", name="赵强", phone="13800001111", unit_id=str(desk.unit.id))
    assert reply.location.endswith(f"walk-in?unit={desk.unit.id}")
    assert f'<option selected value="{desk.unit.id}">' in desk.page(f"walk-in?unit={desk.unit.id}")
    row = desk.db.scalars(select(Attendance)).one()
    assert (row.unit_id, row.unit_path, row.person.unit_id) == (desk.unit.id, desk.unit.path, desk.unit.id)
