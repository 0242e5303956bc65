"""Attendances, scanned lines, rosters and registrations, when two persons are merged.

Where both have a row at one session, one row stays with each: the better one (what counts before what does not, then the earlier) is
or becomes the row of the one who stays, and the other counts no more. Snapshots of the day (unit, path, manner) never change.

When two units are merged, what is to come or goes on (sessions that are not over, runs, courses, places) goes to the one that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.registry import (
    MergeFact,
    MergePersonPart,
    MergeUnitPart,
    PersonMerging,
    UnitFact,
    UnitMerging,
    add_merge_person,
    add_merge_unit,
    before_move,
)
from quizapp.core.scope import below
from quizapp.organisation.models import OrgUnit, Person, PersonSource
from quizapp.organisation.unit_merging import move_rows, return_rows
from quizapp.trainings.models import (
    Attendance,
    AttendanceEntry,
    AttendanceState,
    AudienceRule,
    Course,
    CourseRun,
    Place,
    Registration,
    RegistrationState,
    RosterEntry,
    RosterRemoval,
    TrainingSession,
)
from quizapp.trainings.queries.registrations import places_of
from quizapp.trainings.services.registering import move_up

OnePerSession = Attendance | Registration | RosterEntry | RosterRemoval
Row = TypeVar("Row", Attendance, Registration, RosterEntry, RosterRemoval)
Roster = TypeVar("Roster", RosterEntry, RosterRemoval)
#: A row of the one who stays and a row of the other, at one session.
Pair = tuple[int, int]

_STATES: dict[str, int] = {
    AttendanceState.COUNTED: 0,
    AttendanceState.PENDING: 1,
    RegistrationState.REGISTERED: 0,
    RegistrationState.WAITING: 1,
}


def preview(db: Session, kept_id: int, merged_id: int) -> list[MergeFact]:
    """What each has; `both`: at how many sessions both have one."""
    return [
        _fact(db, "attendances", Attendance, kept_id, merged_id),
        _fact(db, "registrations", Registration, kept_id, merged_id),
        _fact(db, "roster_entries", RosterEntry, kept_id, merged_id),
    ]


def do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Move what stands alone; of two at one session keep one."""
    return {
        "attendance": _merge_attendances(db, merging),
        "attendance_entry": _merge_entries(db, merging),
        "roster_entry": _merge_rosters(db, merging),
        "registration": _merge_registrations(db, merging),
    }


def undo(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Move back what is still where it was put."""
    _part_registrations(db, merging, moved["registration"])
    _part_rosters(db, merging, moved["roster_entry"])
    _move_back(db, AttendanceEntry, moved["attendance_entry"], merging)
    _part_attendances(db, merging, moved["attendance"])


def _merge_attendances(db: Session, merging: PersonMerging) -> dict[str, Any]:
    kept, merged = _rows(db, Attendance, merging)
    doubles, exchanged = [], []
    for session_id in sorted(kept.keys() & merged.keys()):
        ours, theirs = kept[session_id], merged.pop(session_id)
        best, other = sorted((ours, theirs), key=_attendance_order)
        if best is theirs:
            exchanged.append((ours.id, theirs.id))
        doubles.append({"id": other.id, "of": best.id})
        other.duplicate_of_id = best.id
    db.flush()
    _exchange(db, Attendance, exchanged, merging)
    return {"moved": _move(db, Attendance, merged, merging), "exchanged": exchanged, "doubles": doubles}


def _part_attendances(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    _move_back(db, Attendance, moved["moved"], merging)
    _exchange_back(db, Attendance, moved["exchanged"], merging)
    for double in moved["doubles"]:
        db.execute(
            update(Attendance)
            .where(Attendance.id == double["id"], Attendance.duplicate_of_id == double["of"])
            .values(duplicate_of_id=None)
        )


def _attendance_order(row: Attendance) -> tuple[int, int, int]:
    return _STATES.get(row.state, 2), row.at_ms, row.id


def _merge_entries(db: Session, merging: PersonMerging) -> list[int]:
    """The lines of scanning phones: what follows from them is worked out by person."""
    mine = AttendanceEntry.person_id == merging.merged_id
    ids = list(db.scalars(select(AttendanceEntry.id).where(mine).order_by(AttendanceEntry.id)))
    db.execute(update(AttendanceEntry).where(AttendanceEntry.id.in_(ids)).values(person_id=merging.kept_id))
    return ids


def _merge_rosters(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Somebody stands on a roster once, or it would expect one head too many: the second entry is kept in the record alone.

    Whoever stands on a roster under one name was not taken off it under the other: that a trainer did so goes to the record, too.
    """
    kept, merged = _rows(db, RosterEntry, merging)
    off_kept, off_merged = _rows(db, RosterRemoval, merging)
    entries = [merged.pop(session_id) for session_id in sorted(kept.keys() & merged.keys())]
    off = [off_kept[session_id] for session_id in sorted(off_kept.keys() & merged.keys())]
    off += [off_merged.pop(session_id) for session_id in sorted(off_merged.keys() & (kept.keys() | off_kept.keys()))]
    return {
        "removed": _take_out(db, RosterEntry, entries),
        "off_removed": _take_out(db, RosterRemoval, off),
        "moved": _move(db, RosterEntry, merged, merging),
        "off_moved": _move(db, RosterRemoval, off_merged, merging),
    }


def _part_rosters(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    _move_back(db, RosterEntry, moved["moved"], merging)
    _move_back(db, RosterRemoval, moved["off_moved"], merging)
    _put_back(db, RosterEntry, moved["removed"])
    _put_back(db, RosterRemoval, moved["off_removed"])


def _take_out(db: Session, model: type[Roster], rows: Sequence[Roster]) -> list[dict[str, Any]]:
    """Delete rows; gives them as JSON: keys, codes and instants."""
    values = [{column.name: getattr(row, column.name) for column in model.__table__.columns} for row in rows]
    db.execute(delete(model).where(model.id.in_([row["id"] for row in values])))
    return values


def _put_back(db: Session, model: type[Roster], rows: list[dict[str, Any]]) -> None:
    """Insert them again, unless somebody did so since. SQLite may have given the key of a removed last row to another one."""
    for values in rows:
        taken = db.scalar(select(model.id).where(model.id == values["id"])) is not None
        kept = {name: value for name, value in values.items() if not (taken and name == "id")}
        insert_once(db, model, kept, ["session_id", "person_id"])


def _merge_registrations(db: Session, merging: PersonMerging) -> dict[str, Any]:
    kept, merged = _rows(db, Registration, merging)
    both = sorted(kept.keys() & merged.keys())
    _lock_sessions(db, both)
    cancelled, exchanged = [], []
    for session_id in both:
        ours, theirs = kept[session_id], merged.pop(session_id)
        best, other = sorted((ours, theirs), key=_registration_order)
        if best is theirs:
            exchanged.append((ours.id, theirs.id))
        if other.state != RegistrationState.CANCELLED:
            cancelled.append({"id": other.id, "state": other.state, "cancelled_at": other.cancelled_at})
            other.state, other.cancelled_at = RegistrationState.CANCELLED, to_ms(merging.now)
    db.flush()
    _exchange(db, Registration, exchanged, merging)
    for session_id in both:  # a place that one of the two gives up goes to whoever waits
        move_up(db, db.get_one(TrainingSession, session_id), to_ms(merging.now))
    return {
        "moved": _move(db, Registration, merged, merging),
        "exchanged": exchanged,
        "cancelled": cancelled,
        "at": to_ms(merging.now),
    }


def _part_registrations(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Whoever lost a place to the merge gets it back where one is free, and else waits where they stood in the queue."""
    _move_back(db, Registration, moved["moved"], merging)
    _exchange_back(db, Registration, moved["exchanged"], merging)
    before = {row["id"]: row for row in moved["cancelled"]}
    rows = list(db.scalars(select(Registration).where(Registration.id.in_(before)).order_by(Registration.id)))
    _lock_sessions(db, sorted({row.session_id for row in rows}))
    for row in rows:
        if row.state != RegistrationState.CANCELLED or row.cancelled_at != moved["at"]:
            continue  # somebody decided otherwise since
        state = before[row.id]["state"]
        if state == RegistrationState.REGISTERED and _is_full(db, row.session_id):
            state = RegistrationState.WAITING
        row.state, row.cancelled_at = state, before[row.id]["cancelled_at"]
        db.flush()


def _registration_order(row: Registration) -> tuple[int, int, int]:
    return _STATES.get(row.state, 2), row.queued_at, row.id


def _is_full(db: Session, session_id: int) -> bool:
    free = places_of(db, db.get_one(TrainingSession, session_id)).free
    return free is not None and free <= 0


def _lock_sessions(db: Session, session_ids: list[int]) -> None:
    """Places are given one after the other."""
    for session_id in session_ids:
        db.scalar(select(TrainingSession.id).where(TrainingSession.id == session_id).with_for_update())


def _fact(db: Session, kind: str, model: type[OnePerSession], kept_id: int, merged_id: int) -> MergeFact:
    kept, merged = (
        set(db.scalars(select(model.session_id).where(model.person_id == one))) for one in (kept_id, merged_id)
    )
    return MergeFact(kind, len(kept), len(merged), len(kept & merged))


def _rows(db: Session, model: type[Row], merging: PersonMerging) -> tuple[dict[int, Row], dict[int, Row]]:
    """The rows of the one who stays and of the other, by session."""
    found = [
        db.scalars(
            select(model)
            .where(model.person_id == person_id)
            .order_by(model.id)
            .with_for_update(of=model)
            .execution_options(populate_existing=True)
        )
        for person_id in (merging.kept_id, merging.merged_id)
    ]
    kept, merged = ({row.session_id: row for row in rows} for rows in found)
    return kept, merged


def _move(db: Session, model: type[OnePerSession], rows: dict[int, Any], merging: PersonMerging) -> list[int]:
    ids = sorted(row.id for row in rows.values())
    db.execute(update(model).where(model.id.in_(ids)).values(person_id=merging.kept_id))
    return ids


def _move_back(
    db: Session, model: type[OnePerSession] | type[AttendanceEntry], ids: list[int], merging: PersonMerging
) -> None:
    db.execute(
        update(model).where(model.id.in_(ids), model.person_id == merging.kept_id).values(person_id=merging.merged_id)
    )


def _exchange(
    db: Session, model: type[Attendance] | type[Registration], pairs: list[Pair], merging: PersonMerging
) -> None:
    """Let two rows of one session change their persons.

    One person has one row at a session at any instant, so that one of them waits with somebody who is made for that and removed again.
    """
    if not pairs:
        return
    nobody = Person(name="", source=PersonSource.TYPED.value, created_at=merging.now)
    db.add(nobody)
    db.flush()
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for ids, person_id in ((ours, nobody.id), (theirs, merging.kept_id), (ours, merging.merged_id)):
        db.execute(update(model).where(model.id.in_(ids)).values(person_id=person_id))
    db.execute(delete(Person).where(Person.id == nobody.id))
    db.expunge(nobody)


def _exchange_back(
    db: Session, model: type[Attendance] | type[Registration], pairs: list[list[int]], merging: PersonMerging
) -> None:
    _exchange(db, model, [(theirs, ours) for ours, theirs in pairs], merging)


add_merge_person(
    MergePersonPart(
        name="trainings",
        moves=(
            "attendance.person_id",
            "attendance_entry.person_id",
            "registration.person_id",
            "roster_entry.person_id",
            "roster_removal.person_id",
        ),
        preview=preview,
        do=do,
        undo=undo,
    )
)


@before_move("trainings")
def keep_paths(db: Session, path: str, now: datetime) -> None:
    """Sessions that have begun keep the place that their units have now; those to come follow their units."""
    place = select(OrgUnit.path).where(OrgUnit.id == TrainingSession.unit_id).scalar_subquery()
    db.execute(
        update(TrainingSession)
        .where(
            TrainingSession.unit_path.is_(None),
            TrainingSession.starts_at <= to_ms(now),
            TrainingSession.unit_id.in_(select(OrgUnit.id).where(below(OrgUnit.path, path))),
        )
        .values(unit_path=place)
        .execution_options(synchronize_session=False)
    )


def preview_units(db: Session, units: Select[int], now: datetime) -> list[UnitFact]:
    """The sessions that are not over, and the courses and places in use."""
    count = select(func.count())
    coming = count.where(
        TrainingSession.unit_id.in_(units),
        TrainingSession.ends_at > to_ms(now),
        TrainingSession.cancelled_at.is_(None),
        TrainingSession.closed_at.is_(None),
    )
    courses = count.where(Course.unit_id.in_(units), Course.closed_at.is_(None))
    places = count.where(Place.unit_id.in_(units), Place.closed_at.is_(None))
    return [
        UnitFact("sessions", db.scalar(coming) or 0),
        UnitFact("courses", db.scalar(courses) or 0),
        UnitFact("places", db.scalar(places) or 0),
    ]


def move_plans(db: Session, merging: UnitMerging) -> dict[str, list[int]]:
    """What is to come goes to the unit that stays, with whom it is for. A place stays where the other has one of that name."""
    now = to_ms(merging.now)
    coming = select(TrainingSession.id).where(TrainingSession.ends_at > now, TrainingSession.closed_at.is_(None))
    names = select(Place.name).where(Place.unit_id == merging.kept_id)
    return {
        "audience_rule": move_rows(db, AudienceRule.unit_id, merging, AudienceRule.session_id.in_(coming)),
        "training_session": move_rows(
            db, TrainingSession.unit_id, merging, TrainingSession.id.in_(coming), values={"unit_path": None}
        ),
        "course_run": move_rows(db, CourseRun.unit_id, merging, CourseRun.closed_at.is_(None)),
        "course": move_rows(db, Course.unit_id, merging),
        "place": move_rows(db, Place.unit_id, merging, Place.name.not_in(names)),
    }


def return_plans(db: Session, merging: UnitMerging, moved: dict[str, list[int]]) -> None:
    """Give them back."""
    for model in (AudienceRule, TrainingSession, CourseRun, Course, Place):
        return_rows(db, model.unit_id, merging, moved[model.__tablename__])


add_merge_unit(
    MergeUnitPart(
        name="trainings",
        moves=(
            "audience_rule.unit_id",
            "training_session.unit_id",
            "course_run.unit_id",
            "course.unit_id",
            "place.unit_id",
        ),
        stays={
            "training_session.unit_path": "the unit's place on the day of a session that was held",
        }
        | {
            f"{table}.{column}": "the unit of the day"
            for table in ("attendance", "registration", "roster_entry")
            for column in ("unit_id", "unit_path")
        },
        preview=preview_units,
        do=move_plans,
        undo=return_plans,
    )
)
