"""Attendances, registrations and rosters, when a person is erased or asks what is known.

Who came stays counted, as an anonymous row. Photos show several people: they go by their own term, and are marked for a look.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from quizapp.core.clock import from_ms, to_ms
from quizapp.core.privacy_parts import (
    ErasePersonPart,
    Erasing,
    Exporting,
    ExportPersonPart,
    ExportSection,
    InventoryEntry,
    InventoryPart,
    add_erase_person,
    add_export_person,
    add_inventory,
)
from quizapp.mail.models import MailState, OutgoingMail
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.models import (
    Attendance,
    AttendanceEntry,
    CalendarFeed,
    Registration,
    RosterEntry,
    RosterRemoval,
    SessionEvidence,
    TrainingSession,
)
from quizapp.trainings.queries.registrations import STANDING
from quizapp.trainings.services.registering import lock_session, strike
from quizapp.trainings.services.reminding import MAIL_KINDS


def erase(db: Session, erasing: Erasing) -> None:
    """Give up places that are still to come, empty devices, notes, addresses and secrets, mark the photos of where they were."""
    people, now_ms = erasing.person_ids, to_ms(erasing.now)
    _give_up_places(db, people, now_ms)
    registrations = select(Registration.id).where(Registration.person_id.in_(people))
    about_them = (OutgoingMail.kind.in_(MAIL_KINDS), OutgoingMail.about_id.in_(registrations))
    db.execute(
        update(OutgoingMail)
        .where(*about_them, OutgoingMail.state == MailState.WAITING)
        .values(state=MailState.DROPPED.value, ended_at=erasing.now)
    )
    db.execute(update(OutgoingMail).where(*about_them).values(address_encrypted=None))
    db.execute(
        update(Registration).where(Registration.person_id.in_(people)).values(email_encrypted=None, secret_hash=None)
    )
    db.execute(
        update(Attendance).where(Attendance.person_id.in_(people)).values(device_hash=None, right_hash=None, note="")
    )
    db.execute(update(AttendanceEntry).where(AttendanceEntry.person_id.in_(people)).values(code_hash=None))
    db.execute(delete(CalendarFeed).where(CalendarFeed.account_id.in_(erasing.account_ids)))
    attended = select(Attendance.session_id).where(Attendance.person_id.in_(people))
    db.execute(
        update(SessionEvidence)
        .where(
            SessionEvidence.session_id.in_(attended),
            SessionEvidence.removed_at.is_(None),
            SessionEvidence.file_id.is_not(None),
        )
        .values(look_since=now_ms)
    )


def _give_up_places(db: Session, people: tuple[int, ...], now_ms: int) -> None:
    rows = db.execute(
        select(Registration.session_id, Registration.id)
        .join(TrainingSession, TrainingSession.id == Registration.session_id)
        .where(
            Registration.person_id.in_(people),
            Registration.state.in_(STANDING),
            TrainingSession.starts_at > now_ms,
            TrainingSession.closed_at.is_(None),
        )
        .order_by(Registration.session_id)
    ).all()
    for session_id in sorted({row.session_id for row in rows}):
        strike(db, lock_session(db, session_id), [row.id for row in rows if row.session_id == session_id], now_ms)


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """Where they were, where they registered, where they are expected."""
    people = exporting.person_ids
    attendances = db.execute(
        select(Attendance, TrainingSession.title, TrainingSession.place, OrgUnit.name)
        .join(TrainingSession, TrainingSession.id == Attendance.session_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attendance.unit_id)
        .where(Attendance.person_id.in_(people))
        .order_by(Attendance.at_ms, Attendance.id)
    )
    registrations = db.execute(
        select(Registration, TrainingSession.title, TrainingSession.starts_at)
        .join(TrainingSession, TrainingSession.id == Registration.session_id)
        .where(Registration.person_id.in_(people))
        .order_by(Registration.id)
    )
    rosters = db.execute(
        select(TrainingSession.title, RosterEntry.added_at, RosterEntry.source)
        .join(TrainingSession, TrainingSession.id == RosterEntry.session_id)
        .where(RosterEntry.person_id.in_(people))
        .order_by(RosterEntry.id)
    )
    removals = db.execute(
        select(TrainingSession.title, RosterRemoval.removed_at, RosterRemoval.reason)
        .join(TrainingSession, TrainingSession.id == RosterRemoval.session_id)
        .where(RosterRemoval.person_id.in_(people))
        .order_by(RosterRemoval.id)
    )
    return [
        ExportSection(
            "attendance",
            tuple(
                {
                    "title": title,
                    "place": place,
                    "at": from_ms(row.at_ms),
                    "method": row.method,
                    "state": row.state,
                    "unit": unit,
                    "note": row.note or None,
                    "checked_out_at": from_ms(row.checked_out_at) if row.checked_out_at is not None else None,
                }
                for row, title, place, unit in attendances
            ),
        ),
        ExportSection(
            "registration",
            tuple(
                {
                    "title": title,
                    "starts_at": from_ms(starts_at),
                    "state": row.state,
                    "registered_at": from_ms(row.registered_at),
                    "email_kept": row.email_encrypted is not None,
                }
                for row, title, starts_at in registrations
            ),
        ),
        ExportSection("roster", tuple({"title": row[0], "at": from_ms(row[1]), "source": row[2]} for row in rosters)),
        ExportSection(
            "roster_removal", tuple({"title": row[0], "at": from_ms(row[1]), "reason": row[2]} for row in removals)
        ),
    ]


add_erase_person(
    ErasePersonPart(
        name="trainings",
        empties=(
            "attendance.device_hash",
            "attendance.right_hash",
            "attendance_entry.code_hash",
            "registration.email_encrypted",
            "registration.secret_hash",
            "calendar_feed.secret_hash",
            "outgoing_mail.address_encrypted",
        ),
        stays={
            "attendance.person_id": "persons are counted by it; it leads to an emptied row",
            "attendance_entry.person_id": "which line made which attendance",
            "registration.person_id": "how many registered",
            "roster_entry.person_id": "coverage is counted against it",
            "roster_removal.person_id": "a rule must not bring the row back",
            "helper_pass.secret_hash": "the link of a session's helper, no person's",
            "place.address": "of a building",
        },
        do=erase,
    )
)
add_export_person(
    ExportPersonPart(
        name="trainings",
        reads=("attendance", "registration", "roster_entry", "roster_removal"),
        leaves={"attendance_entry": "the lines of a scanning phone, of which the attendance is made"},
        do=export,
    )
)
add_inventory(
    InventoryPart(
        name="trainings",
        entries=(
            InventoryEntry("attendances", ("attendance", "attendance_entry"), "training_record", "lasting"),
            InventoryEntry("registrations", ("registration",), "places", "contact"),
            InventoryEntry("mails", ("outgoing_mail",), "reminders", "day"),
            InventoryEntry("rosters", ("roster_entry", "roster_removal"), "coverage", "lasting"),
            InventoryEntry("photos", ("session_evidence", "stored_file"), "evidence", "photos"),
            InventoryEntry("calendars", ("calendar_feed",), "reminders", "person"),
        ),
    )
)
