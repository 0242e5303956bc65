"""What each figure is: its unit of measure, what is counted in, its denominator. Page, chart and export show what stands here.

The words of a definition (name, rule, when it is counted) stand in `reports/words.py` under the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """What a figure counts. Figures of different measures are never added."""

    #: 人: each once.
    PERSON = "person"
    #: 人次: each time.
    PERSON_TIME = "person_time"
    #: 场.
    SESSION = "session"
    #: A fraction from 0 to 1.
    RATE = "rate"
    #: Points of a paper.
    POINTS = "points"


class FigureCode(StrEnum):
    """The figures by name."""

    #: Attempts of any state.
    STARTED = "started"
    #: Submitted, or scored at the end of their time.
    CLOSED = "closed"
    #: Closed first attempts.
    FIRST = "first"
    #: Of the first attempts, passed.
    PASSED = "passed"
    #: Void attempts.
    VOID = "void"
    #: Closed, nobody knows whose.
    UNIDENTIFIED = "unidentified"
    #: Different people with a closed attempt that is not void.
    PERSONS = "persons"
    #: passed / first.
    PASS_RATE = "pass_rate"  # noqa: S105
    #: The same of an earlier period, and passed / first there.
    FIRST_BEFORE = "first_before"
    PASS_RATE_BEFORE = "pass_rate_before"  # noqa: S105
    #: pass_rate − pass_rate_before, a signed fraction.
    PASS_RATE_CHANGE = "pass_rate_change"  # noqa: S105
    #: Mean of the score in per cent of the highest, of first attempts.
    MEAN_SCORE = "mean_score"
    #: Closed first attempts of people of 18 and over, of those under it, and of people whose age nobody knows.
    ADULTS = "adults"
    MINORS = "minors"
    AGE_UNKNOWN = "age_unknown"
    #: Of the adults, at the standard's score.
    LITERATE = "literate"
    #: literate / adults, of those who took part in a delivery that follows a standard.
    LITERACY_RATE = "literacy_rate"
    #: People on the roster.
    ROSTER = "roster"
    #: Of the roster, with a closed first attempt.
    COVERED = "covered"
    #: covered / roster.
    COVERAGE = "coverage"
    #: Sessions held.
    SESSIONS = "sessions"
    #: Sessions held in an earlier period, came there, and the attendance rate there.
    SESSIONS_BEFORE = "sessions_before"
    ATTENDED_BEFORE = "attended_before"
    ATTENDANCE_RATE_BEFORE = "attendance_rate_before"
    #: attendance_rate − attendance_rate_before, a signed fraction.
    ATTENDANCE_RATE_CHANGE = "attendance_rate_change"
    #: On the roster of a session or registered for it, each once.
    EXPECTED = "expected"
    #: Of those, came.
    EXPECTED_CAME = "expected_came"
    #: expected_came / expected.
    ATTENDANCE_RATE = "attendance_rate"
    #: Registered for a session.
    REGISTERED = "registered"
    #: Came.
    ATTENDED = "attended"
    #: Different people who came.
    ATTENDED_PERSONS = "attended_persons"
    #: Came to a session that expected others.
    WALK_INS = "walk_ins"
    #: How those who came were checked in, by `trainings.CheckInMethod`; they add up to `attended`.
    CHECKED_ROTATING = "checked_rotating"
    CHECKED_POSTER = "checked_poster"
    CHECKED_PERSONAL = "checked_personal"
    CHECKED_BY_HAND = "checked_by_hand"
    CHECKED_BACK_FILLED = "checked_back_filled"


@dataclass(frozen=True)
class Definition:
    """One figure."""

    code: FigureCode
    measure: Measure
    #: What it is divided by, where it is a rate.
    denominator: FigureCode | None = None
    #: Whether it may be added over units and days; 人 may not: one person counts once.
    additive: bool = True


DEFINITIONS: dict[FigureCode, Definition] = {
    one.code: one
    for one in (
        Definition(FigureCode.STARTED, Measure.PERSON_TIME),
        Definition(FigureCode.CLOSED, Measure.PERSON_TIME),
        Definition(FigureCode.FIRST, Measure.PERSON_TIME),
        Definition(FigureCode.PASSED, Measure.PERSON_TIME),
        Definition(FigureCode.VOID, Measure.PERSON_TIME),
        Definition(FigureCode.UNIDENTIFIED, Measure.PERSON_TIME),
        Definition(FigureCode.PERSONS, Measure.PERSON, additive=False),
        Definition(FigureCode.PASS_RATE, Measure.RATE, FigureCode.FIRST, additive=False),
        Definition(FigureCode.FIRST_BEFORE, Measure.PERSON_TIME),
        Definition(FigureCode.PASS_RATE_BEFORE, Measure.RATE, FigureCode.FIRST_BEFORE, additive=False),
        Definition(FigureCode.PASS_RATE_CHANGE, Measure.RATE, additive=False),
        Definition(FigureCode.MEAN_SCORE, Measure.POINTS, FigureCode.FIRST, additive=False),
        Definition(FigureCode.ADULTS, Measure.PERSON_TIME),
        Definition(FigureCode.MINORS, Measure.PERSON_TIME),
        Definition(FigureCode.AGE_UNKNOWN, Measure.PERSON_TIME),
        Definition(FigureCode.LITERATE, Measure.PERSON_TIME, FigureCode.ADULTS),
        Definition(FigureCode.LITERACY_RATE, Measure.RATE, FigureCode.ADULTS, additive=False),
        Definition(FigureCode.ROSTER, Measure.PERSON, additive=False),
        Definition(FigureCode.COVERED, Measure.PERSON, FigureCode.ROSTER, additive=False),
        Definition(FigureCode.COVERAGE, Measure.RATE, FigureCode.ROSTER, additive=False),
        Definition(FigureCode.SESSIONS, Measure.SESSION),
        Definition(FigureCode.SESSIONS_BEFORE, Measure.SESSION),
        Definition(FigureCode.ATTENDED_BEFORE, Measure.PERSON_TIME),
        Definition(FigureCode.ATTENDANCE_RATE_BEFORE, Measure.RATE, additive=False),
        Definition(FigureCode.ATTENDANCE_RATE_CHANGE, Measure.RATE, additive=False),
        Definition(FigureCode.EXPECTED, Measure.PERSON_TIME),
        Definition(FigureCode.EXPECTED_CAME, Measure.PERSON_TIME, FigureCode.EXPECTED),
        Definition(FigureCode.ATTENDANCE_RATE, Measure.RATE, FigureCode.EXPECTED, additive=False),
        Definition(FigureCode.REGISTERED, Measure.PERSON_TIME),
        Definition(FigureCode.ATTENDED, Measure.PERSON_TIME),
        Definition(FigureCode.ATTENDED_PERSONS, Measure.PERSON, additive=False),
        Definition(FigureCode.WALK_INS, Measure.PERSON_TIME),
        Definition(FigureCode.CHECKED_ROTATING, Measure.PERSON_TIME),
        Definition(FigureCode.CHECKED_POSTER, Measure.PERSON_TIME),
        Definition(FigureCode.CHECKED_PERSONAL, Measure.PERSON_TIME),
        Definition(FigureCode.CHECKED_BY_HAND, Measure.PERSON_TIME),
        Definition(FigureCode.CHECKED_BACK_FILLED, Measure.PERSON_TIME),
    )
}
