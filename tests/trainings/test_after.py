"""The list after the session: what a trainer decides, fills in from paper, and keeps as evidence."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.files.errors import FileTooLarge, PhotoHeic, PhotoTooLarge, PhotoUnreadable
from quizapp.files.models import StoredFile
from quizapp.files.photos import LONGEST_SIDE, MOST_BYTES, kept_photo
from quizapp.files.services import delete_expired, read_file
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings import queries
from quizapp.trainings.errors import (
    ArrivalImpossible,
    AttendeeNameNeeded,
    CheckOutImpossible,
    NothingToUndo,
    SessionClosed,
    StrikeReasonNeeded,
)
from quizapp.trainings.models import Attendance, RosterEntry, SessionEvidence, TrainingSession
from quizapp.trainings.queries.lists import expected_people, full_list, unit_figures
from quizapp.trainings.queries.numbers import numbers_of
from quizapp.trainings.queries.people import Candidate, candidates, name_initials, search
from quizapp.trainings.services import (
    BackFilled,
    add_evidence,
    back_fill,
    check_out_all,
    close_session,
    confirm_attendance,
    note_attendance,
    remove_evidence,
    reopen_session,
    set_check_out,
    strike_attendance,
    undo_attendance,
    undo_back_fill,
)
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_session, make_unit

NOW = START + timedelta(hours=1)


def trainer_of(unit: OrgUnit | None) -> Actor:
    return Actor(account_id=7, scope=Scope((Grant(Role.TRAINER, unit.path if unit else None),)))


class Hall:
    """A session with a trainer, and short ways to what is tested."""

    def __init__(self, db: Session, keys: Keys, **values: Any) -> None:
        self.db, self.keys = db, keys
        self.unit = make_unit(db, name="紫兴社区")
        self.session: TrainingSession = make_session(db, self.unit, **values)
        self.actor = trainer_of(self.unit)

    def person(self, name: str, **values: Any) -> Person:
        return make_person(self.db, **{"name": name, "source": "roster", "unit_id": self.unit.id, **values})

    def roster(self, name: str, **values: Any) -> Person:
        person = self.person(name, **values)
        entry = RosterEntry(
            session_id=self.session.id,
            person_id=person.id,
            unit_id=person.unit_id,
            unit_path=self.unit.path,
            source="by_hand",
            added_at=0,
        )
        self.db.add(entry)
        self.db.flush()
        return person

    def came(self, name: str = "周敏", **values: Any) -> Attendance:
        return make_attendance(self.db, self.session.id, self.person(name).id, **values)

    def fill(self, **values: Any) -> BackFilled:
        options: dict[str, Any] = {
            "person_id": None,
            "name": "",
            "phone": None,
            "unit_id": None,
            "arrived_at": None,
            "evidence_id": None,
            "ticket": "t" * 22,
            **values,
        }
        return back_fill(self.db, session=self.session, keys=self.keys, actor=self.actor, now=NOW, **options)

    def photo(self, kind: Any = "sheet", jpeg: bytes = b"jpeg") -> SessionEvidence:
        return add_evidence(
            self.db,
            session=self.session,
            kind=kind,
            jpeg=jpeg,
            keep_days=365,
            keys=self.keys,
            actor=self.actor,
            now=NOW,
        )

    def log(self) -> list[tuple[str, dict[str, Any]]]:
        return [(row.action, row.details) for row in self.db.scalars(select(AuditEvent).order_by(AuditEvent.id))]

    @property
    def how(self) -> dict[str, Any]:
        return {"session": self.session, "actor": self.actor, "now": NOW}


def test_what_waits_counts_once_it_is_taken_in_and_the_log_says_why_it_waited(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    row = hall.came(state="pending", reason="right_expired")
    assert queries.count_arrivals(either_db, hall.session.id) == 0
    confirm_attendance(either_db, attendance=row, **hall.how)
    assert queries.count_arrivals(either_db, hall.session.id) == 1
    assert (row.reason, row.decided_by, row.decided_at) == (None, 7, to_ms(NOW))
    details = {"session_id": hall.session.id, "from": "pending", "waited_for": "right_expired"}
    assert hall.log() == [("attendance_confirmed", details)]


def test_a_struck_one_stays_with_its_reason_and_can_be_restored(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    row = hall.came()
    with pytest.raises(StrikeReasonNeeded):
        strike_attendance(either_db, attendance=row, reason="", **hall.how)
    strike_attendance(either_db, attendance=row, reason="proxy", **hall.how)
    assert queries.count_arrivals(either_db, hall.session.id) == 0
    assert [one.attendance.reason for one in full_list(either_db, hall.session.id)] == ["proxy"]
    with pytest.raises(NothingToUndo):
        undo_attendance(either_db, attendance=row, **hall.how)
    confirm_attendance(either_db, attendance=row, **hall.how)
    assert queries.count_arrivals(either_db, hall.session.id) == 1
    assert [action for action, _ in hall.log()] == ["attendance_struck", "attendance_confirmed"]


def test_a_closed_list_is_frozen_until_it_is_opened_again(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys, check_out=True)
    row, photo = hall.came(), hall.photo()
    close_session(either_db, **hall.how)
    either_db.flush()
    attempts: list[Any] = [
        lambda: confirm_attendance(either_db, attendance=row, **hall.how),
        lambda: strike_attendance(either_db, attendance=row, reason="other", **hall.how),
        lambda: undo_attendance(either_db, attendance=row, **hall.how),
        lambda: note_attendance(either_db, attendance=row, note="x", **hall.how),
        lambda: set_check_out(either_db, attendance=row, at_ms=None, **hall.how),
        lambda: check_out_all(either_db, at_ms=to_ms(NOW), **hall.how),
        lambda: hall.fill(name="李建国"),
        lambda: hall.photo("photo", b"other"),
        lambda: remove_evidence(either_db, evidence=photo, **hall.how),
    ]
    for attempt in attempts:
        with pytest.raises(SessionClosed):
            attempt()
    reopen_session(either_db, **hall.how)
    either_db.flush()
    strike_attendance(either_db, attendance=row, reason="other", **hall.how)
    assert [action for action, _ in hall.log()][-3:] == ["session_closed", "session_reopened", "attendance_struck"]


def test_a_note_stands_on_the_list_and_not_in_the_log(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    row = hall.came()
    note_attendance(either_db, attendance=row, note=" 迟到\n请假 ", **hall.how)
    assert row.note == "迟到 请假"
    assert hall.log() == [("attendance_noted", {"session_id": hall.session.id, "empty": False})]


def test_a_check_out_lies_between_the_check_in_and_now(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys, check_out=True)
    row, other = hall.came(), hall.came("吴刚", checked_out_at=to_ms(START) + 1)
    for wrong in (row.at_ms, to_ms(NOW) + 1):
        with pytest.raises(CheckOutImpossible):
            set_check_out(either_db, attendance=row, at_ms=wrong, **hall.how)
    assert check_out_all(either_db, at_ms=to_ms(NOW), **hall.how) == 1
    assert (row.checked_out_at, other.checked_out_at) == (to_ms(NOW), to_ms(START) + 1)
    set_check_out(either_db, attendance=row, at_ms=None, **hall.how)
    assert row.checked_out_at is None
    plain = Hall(either_db, keys)
    with pytest.raises(CheckOutImpossible):
        set_check_out(either_db, attendance=plain.came(), at_ms=to_ms(NOW), **plain.how)


def test_a_line_of_paper_is_back_filled_with_or_without_evidence_and_counted_apart(
    either_db: Session, keys: Keys
) -> None:
    hall = Hall(either_db, keys)
    rostered, sheet = hall.roster("李建国"), hall.photo()
    first = hall.fill(person_id=rostered.id, evidence_id=sheet.id)
    other = hall.fill(name="新来的", unit_id=hall.unit.id, arrived_at=to_ms(START) + 60_000)
    assert (first.outcome, other.outcome) == ("in", "in")
    assert (first.attendance.expected, other.attendance.expected) == ("roster", "walk_in")
    assert (first.attendance.at_ms, other.attendance.at_ms) == (to_ms(START), to_ms(START) + 60_000)
    assert {first.attendance.method, first.attendance.matched} == {"back_filled", "hand"}
    assert other.attendance.unit_path == hall.unit.path
    numbers = numbers_of(either_db, hall.session.id)
    assert (numbers.by_method["back_filled"], numbers.back_filled_with_evidence) == (2, 1)
    assert (numbers.came, numbers.walk_ins, numbers.no_shows) == (2, 1, 0)


def test_a_line_sent_twice_is_one_and_two_people_of_one_name_are_two(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    lines = [hall.fill(name="王秀兰", ticket=ticket * 22) for ticket in "aab"]
    assert [line.outcome for line in lines] == ["in", "again", "in"]
    assert queries.count_arrivals(either_db, hall.session.id) == 2


def test_whoever_checked_in_already_is_left_as_they_are(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    row = hall.came()
    assert hall.fill(person_id=row.person_id).outcome == "again"
    assert (row.method, row.recorded_by) == ("poster", None)
    strike_attendance(either_db, attendance=row, reason="proxy", **hall.how)
    assert hall.fill(person_id=row.person_id).outcome == "struck"
    assert row.state == "struck"


def test_a_line_taken_back_can_be_written_anew(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    person = hall.roster("李建国")
    row = hall.fill(person_id=person.id).attendance
    undo_back_fill(either_db, attendance=row, **hall.how)
    undo_back_fill(either_db, attendance=row, **hall.how)
    assert queries.count_arrivals(either_db, hall.session.id) == 0
    again = hall.fill(person_id=person.id, arrived_at=to_ms(START) + 5)
    assert (again.outcome, again.attendance.id, again.attendance.at_ms) == ("in", row.id, to_ms(START) + 5)
    assert again.attendance.decided_at is None
    confirm_attendance(either_db, attendance=row, **hall.how)
    with pytest.raises(NothingToUndo):
        undo_back_fill(either_db, attendance=row, **hall.how)
    with pytest.raises(NothingToUndo):
        undo_back_fill(either_db, attendance=hall.came(), **hall.how)


def test_nobody_of_somebody_elses_is_written_down(either_db: Session, keys: Keys) -> None:
    hall, foreign = Hall(either_db, keys), Hall(either_db, keys)
    sheet = foreign.photo()
    for values in (
        {"person_id": foreign.person("外人").id},
        {"name": "李建国", "evidence_id": sheet.id},
        {"name": "李建国", "evidence_id": hall.photo("photo").id},
        {"name": "李建国", "unit_id": 999_999},
    ):
        with pytest.raises(NotFound):
            hall.fill(**values)
    with pytest.raises(AttendeeNameNeeded):
        hall.fill(name=" ")
    for wrong in (hall.session.check_in_from - 1, to_ms(NOW) + 1):
        with pytest.raises(ArrivalImpossible):
            hall.fill(name="李建国", arrived_at=wrong)


def test_a_name_is_found_on_the_roster_first_and_whoever_is_in_comes_last(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    known = hall.person("李建华")
    first, second = hall.roster("李建国"), hall.roster("李建功")
    make_attendance(either_db, hall.session.id, first.id)
    foreign = Hall(either_db, keys)
    foreign.person("李建军")
    hall.person("旧名李", merged_into_id=known.id)
    found = search(candidates(either_db, hall.session, hall.actor.scope, keys), "ljg")
    assert [one.person_id for one in found] == [second.id, first.id]
    found = search(candidates(either_db, hall.session, hall.actor.scope, keys), "李")
    assert [one.person_id for one in found] == [second.id, known.id, first.id]
    limited = candidates(either_db, hall.session, hall.actor.scope, keys, text="建华", limit=5)
    assert [one.person_id for one in limited] == [known.id]


def test_a_phone_is_found_by_its_end(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    person = hall.roster("李建国", phone_encrypted=keys.encrypt_phone("13800001234"))
    known = candidates(either_db, hall.session, hall.actor.scope, keys)
    assert [one.person_id for one in search(known, "234")] == [person.id]
    assert search(known, "4321") == search(known, "4") == []


def test_initials_know_both_readings_of_a_surname() -> None:
    assert {"slh", "dlh"} == set(name_initials("单丽华").split())
    assert name_initials("John Smith").startswith("j")
    assert name_initials(" ") == ""


@given(st.lists(st.text("李建国王ab12", max_size=4), max_size=6), st.text("李建国王ab12 ", max_size=4))
def test_a_search_finds_only_what_fits_and_never_more_than_it_may(names: list[str], typed: str) -> None:
    known = [Candidate(i, name, name_initials(name), "", None, "", 2, None, None) for i, name in enumerate(names)]
    found = search(known, typed, limit=3)
    assert len(found) <= 3
    assert not found or typed.strip()
    for one in known:
        if one.name and one.name == typed and not typed.isdecimal():
            assert search(known, typed)[0].name == typed


def test_units_of_the_day_show_their_roster_and_who_came(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    other = make_unit(either_db, hall.unit, name="东门社区")
    for name in ("甲", "乙", "丙"):
        hall.roster(name)
    came = hall.roster("丁", unit_id=other.id)
    make_attendance(either_db, hall.session.id, came.id, unit_id=hall.unit.id)
    hall.came("过路", unit_id=None)
    rows = unit_figures(expected_people(either_db, hall.session.id), full_list(either_db, hall.session.id))
    assert [(row.unit.name if row.unit else None, row.expected, row.came_expected, row.came) for row in rows] == [
        ("紫兴社区", 3, 0, 0),
        ("东门社区", 1, 1, 1),
        (None, 0, 0, 1),
    ]
    assert [row.coverage for row in rows] == [0.0, 1.0, None]


def test_a_photo_is_kept_encrypted_once_and_becomes_the_evidence_of_what_was_filled_in(
    either_db: Session, keys: Keys
) -> None:
    hall = Hall(either_db, keys)
    row = hall.fill(name="李建国").attendance
    photo = hall.photo(jpeg=b"a picture")
    assert hall.photo(jpeg=b"a picture").id == photo.id
    either_db.refresh(row)
    assert row.evidence_id == photo.id
    stored = either_db.get_one(StoredFile, photo.file_id)
    assert b"a picture" not in stored.content
    assert photo.file_id is not None
    assert read_file(either_db, photo.file_id, keys=keys, now=NOW) == b"a picture"
    remove_evidence(either_db, evidence=photo, **hall.how)
    remove_evidence(either_db, evidence=photo, **hall.how)
    either_db.refresh(row)
    assert (row.evidence_id, photo.file_id, photo.removed_at) == (None, None, to_ms(NOW))
    assert either_db.scalar(select(func.count()).select_from(StoredFile)) == 0
    assert [action for action, _ in hall.log()][1:] == ["evidence_added", "evidence_removed"]


def test_a_file_whose_term_is_over_goes_and_what_it_proved_stands(either_db: Session, keys: Keys) -> None:
    hall = Hall(either_db, keys)
    photo = hall.photo()
    row = hall.fill(name="李建国", evidence_id=photo.id).attendance
    assert delete_expired(either_db, now=NOW + timedelta(days=364)) == 0
    with pytest.raises(NotFound):
        read_file(either_db, photo.file_id or 0, keys=keys, now=NOW + timedelta(days=366))
    assert delete_expired(either_db, now=NOW + timedelta(days=366)) == 1
    either_db.refresh(photo)
    either_db.refresh(row)
    assert (photo.file_id, photo.removed_at, row.evidence_id) == (None, None, photo.id)


def picture(kind: str = "JPEG", size: tuple[int, int] = (3000, 1500), mode: str = "RGB", **values: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "navy" if mode == "RGB" else 0).save(out, kind, **values)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_written_anew_small_and_upright_without_what_the_phone_added(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[1] = "N"
    kept = Image.open(io.BytesIO(kept_photo(picture(kind, exif=exif))))
    assert kept.format == "JPEG"
    assert kept.size == (LONGEST_SIDE // 2, LONGEST_SIDE)
    assert not kept.getexif()
    assert b"SecretPhone" not in kept_photo(picture(kind, exif=exif))


def test_what_is_see_through_becomes_white() -> None:
    kept = Image.open(io.BytesIO(kept_photo(picture("PNG", (40, 40), "RGBA"))))
    assert kept.getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", PhotoUnreadable),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PhotoUnreadable),
        (picture("GIF"), PhotoUnreadable),
        (picture()[:2000], PhotoUnreadable),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", PhotoHeic),
        (b"x" * (MOST_BYTES + 1), FileTooLarge),
        (picture("PNG", (8000, 4000), "1"), PhotoTooLarge),
        (picture("PNG", (20000, 10000), "1"), PhotoTooLarge),
    ],
    ids=["nothing", "svg", "gif", "half", "heic", "heavy", "many pixels", "a bomb"],
)
def test_what_is_no_photo_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        kept_photo(content)
