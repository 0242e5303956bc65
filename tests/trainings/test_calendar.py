"""Sessions as iCalendar: read back by the library, and byte by byte where the standard says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import icalendar
from flask import Flask
from sqlalchemy.orm import Session

from quizapp.core.clock import LOCAL_ZONE, to_ms
from quizapp.core.db import transaction
from quizapp.core.tokens import digest
from quizapp.trainings.calendar import CalendarEntry, build_calendar
from quizapp.trainings.models import CalendarFeed, SessionTrainer
from tests.conftest import START
from tests.factories import make_account, make_registration, make_unit
from tests.trainings.registering import BEGIN, open_one
from tests.trainings.test_pages import client_for

ENTRY = CalendarEntry(
    code="ABCD2345",
    title="老旧小区消防疏散演练，含灭火器实操; 请带身份证",
    place="党群服务中心二楼多功能厅（东门进，乘二号电梯到二楼右转，找不到请问门口值班的老师）",
    text="疏散通道\n主办：紫兴社区\nhttps://quiz.example.org/t/ABCD2345",
    url="https://quiz.example.org/t/ABCD2345",
    starts_at=to_ms(BEGIN),
    ends_at=to_ms(BEGIN + timedelta(minutes=90)),
    revision=3,
    changed_at=to_ms(START),
)


def event_of(content: bytes) -> icalendar.Event:
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event


def test_an_entry_comes_back_as_it_went_in() -> None:
    event = event_of(build_calendar([ENTRY], name="我的培训"))
    assert str(event["SUMMARY"]) == ENTRY.title
    assert str(event["LOCATION"]) == ENTRY.place
    assert str(event["DESCRIPTION"]) == ENTRY.text
    assert str(event["URL"]) == ENTRY.url
    assert str(event["UID"]) == "session-ABCD2345@trainings.quizapp"
    assert (int(event["SEQUENCE"]), str(event["STATUS"])) == (3, "CONFIRMED")
    begin = event["DTSTART"].dt
    assert begin == datetime(2026, 11, 24, 14, 0, tzinfo=LOCAL_ZONE)
    assert begin.astimezone(UTC) == BEGIN
    assert event["DTEND"].dt - begin == timedelta(minutes=90)


def test_lines_are_folded_at_75_octets_between_whole_characters_and_end_with_crlf() -> None:
    content = build_calendar([ENTRY], name="我的培训")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is cut in two
    assert b"DTSTART;TZID=Asia/Shanghai:20261124T140000" in content
    assert b"TZOFFSETTO:+0800" in content
    assert "，含灭火器实操\\; 请带身份证".encode() in content.replace(b"\r\n ", b"")


def test_a_session_called_off_takes_the_entry_out_with_a_higher_sequence() -> None:
    called_off = event_of(build_calendar([replace(ENTRY, cancelled=True)], name="x"))
    assert str(called_off["STATUS"]) == "CANCELLED"
    assert int(called_off["SEQUENCE"]) > ENTRY.revision
    assert str(called_off["UID"]) == str(event_of(build_calendar([ENTRY], name="x"))["UID"])
    waiting = event_of(build_calendar([replace(ENTRY, tentative=True)], name="x"))
    assert str(waiting["STATUS"]) == "TENTATIVE"


def test_the_file_of_a_session_leads_to_its_public_page(db: Session, app: Flask) -> None:
    with transaction(db):
        session = open_one(db, revision=2)
    reply = client_for(app).get(f"/t/{session.page_code}/calendar.ics")
    assert reply.headers["Content-Disposition"] == f"attachment; filename=training-{session.page_code}.ics"
    event = event_of(reply.data)
    assert str(event["URL"]) == f"http://localhost/t/{session.page_code}"
    assert int(event["SEQUENCE"]) == 2
    assert session.code.encode() not in reply.data  # the code of the door is not given away
    with transaction(db):
        session.cancelled_at = to_ms(START)
    assert str(event_of(client_for(app).get(f"/t/{session.page_code}/calendar.ics").data)["STATUS"]) == "CANCELLED"


def test_a_feed_has_ones_own_registrations_and_the_sessions_one_teaches(db: Session, app: Flask) -> None:
    secret = "s" * 22
    with transaction(db):
        unit = make_unit(db, name="紫兴社区")
        account, other = make_account(db, name="陈立新"), make_account(db)
        mine, waits, taught, gone, foreign = (open_one(db, unit, title=f"第{number}场") for number in range(1, 6))
        make_registration(db, mine.id, account.person_id, registered_by=account.id)
        make_registration(db, waits.id, account.person_id, registered_by=account.id, state="waiting")
        make_registration(db, gone.id, account.person_id, registered_by=account.id, state="cancelled")
        make_registration(db, foreign.id, other.person_id, registered_by=other.id)
        db.add(SessionTrainer(session_id=taught.id, account_id=account.id))
        db.add(CalendarFeed(account_id=account.id, secret_hash=digest(secret), made_at=0))
    reply = client_for(app).get(f"/calendar/{secret}.ics")
    titles = [str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(reply.data).walk("VEVENT")]
    assert sorted(titles) == sorted(["第1场", "（候补）第2场", "（授课）第3场"])
    assert "private" in reply.headers["Cache-Control"]
    with transaction(db):
        account.suspended_at = START
    assert client_for(app).get(f"/calendar/{secret}.ics").status_code == 404
