"""The tables of trainings: what is planned, who should come, who came."""

from __future__ import annotations

from quizapp.trainings.models.attendance import (
    Attendance,
    AttendanceEntry,
    AttendanceState,
    CheckInMethod,
    EntryKind,
    Expected,
    HelperPass,
    Matched,
    ScanDevice,
    SessionEvidence,
)
from quizapp.trainings.models.attendees import (
    CalendarFeed,
    Registration,
    RegistrationState,
    RegistrationVia,
    RemovalReason,
    RosterEntry,
    RosterRemoval,
    RosterSource,
)
from quizapp.trainings.models.gains import SessionTests
from quizapp.trainings.models.sessions import (
    AudienceRule,
    CodeMode,
    Course,
    CourseRun,
    Place,
    RegistrationMode,
    SessionKind,
    SessionTrainer,
    TrainingSession,
)

__all__ = [
    "Attendance",
    "AttendanceEntry",
    "AttendanceState",
    "AudienceRule",
    "CalendarFeed",
    "CheckInMethod",
    "CodeMode",
    "Course",
    "CourseRun",
    "EntryKind",
    "Expected",
    "HelperPass",
    "Matched",
    "Place",
    "Registration",
    "RegistrationMode",
    "RegistrationState",
    "RegistrationVia",
    "RemovalReason",
    "RosterEntry",
    "RosterRemoval",
    "RosterSource",
    "ScanDevice",
    "SessionEvidence",
    "SessionKind",
    "SessionTests",
    "SessionTrainer",
    "TrainingSession",
]
