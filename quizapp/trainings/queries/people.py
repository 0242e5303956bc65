"""Whom a trainer may mean who writes down a name: the roster, the registered, the known people of the trainer's own units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit, Person, PersonSource, name_key
from quizapp.trainings.models import (
    Attendance,
    AttendanceState,
    AudienceRule,
    Expected,
    Registration,
    RegistrationState,
    RosterEntry,
    TrainingSession,
)

#: The most people that a page takes along; whoever lies beyond is found by asking.
MOST_PRELOADED = 4000
#: The most that a search shows.
MOST_FOUND = 8


@dataclass(frozen=True)
class Candidate:
    """One person as a name is typed."""

    person_id: int
    name: str
    #: Pinyin initials, the readings of a surname that has several joined by a space: "slw clw".
    initials: str
    #: Last four digits of the phone number.
    tail: str
    unit_id: int | None
    unit_name: str
    #: 0 on the roster, 1 registered, 2 known.
    rank: int
    #: When they came, ms UTC, and how that attendance stands; None where they have none.
    at_ms: int | None
    state: str | None


def candidates(
    db: Session, session: TrainingSession, scope: Scope, keys: Keys, *, text: str = "", limit: int = MOST_PRELOADED
) -> list[Candidate]:
    """The people of a session first, then the known ones of the reader's units (the newest first); with `text`, those of that name."""
    rows: dict[int, Candidate] = {}
    there = {
        person_id: (at_ms, state)
        for person_id, at_ms, state in db.execute(
            select(Attendance.person_id, Attendance.at_ms, Attendance.state).where(Attendance.session_id == session.id)
        )
    }
    for rank, statement in enumerate(_sources(session, scope)):
        if text:
            statement = statement.where(Person.name.contains(text, autoescape=True))
        for person, joined in db.execute(statement.limit(limit)):
            unit: OrgUnit | None = joined
            if person.id not in rows and len(rows) < limit:
                at_ms, state = there.get(person.id, (None, None))
                rows[person.id] = Candidate(
                    person_id=person.id,
                    name=person.name,
                    initials=name_initials(person.name),
                    tail=_tail(person, keys),
                    unit_id=unit.id if unit else None,
                    unit_name=unit.name if unit else "",
                    rank=rank,
                    at_ms=at_ms,
                    state=state,
                )
        if len(rows) >= limit:
            break
    return list(rows.values())


def search(found: Iterable[Candidate], typed: str, limit: int = MOST_FOUND) -> list[Candidate]:
    """Those whom a typed text may mean, the best first: digits are the end of a number, Latin letters pinyin initials, all else a name.

    Whoever is in already comes last. The page's script sorts by the same rule.
    """
    text = name_key(typed)
    if not text:
        return []
    ranked = []
    for one in found:
        quality = _quality(one, text)
        if quality is not None:
            ranked.append(((one.state in _IN, quality, one.rank, len(one.name)), one))
    ranked.sort(key=lambda pair: pair[0])
    return [one for _, one in ranked[:limit]]


_IN = (AttendanceState.COUNTED, AttendanceState.PENDING)


def _quality(one: Candidate, text: str) -> int | None:
    key = name_key(one.name)
    if text.isascii() and text.isdecimal():
        return 0 if one.tail and one.tail.endswith(text[-4:]) and len(text) >= 2 else None
    if key == text:
        return 0
    if key.startswith(text):
        return 1
    if text.isascii() and text.isalpha():
        starts = [word for word in one.initials.split() if word.startswith(text)]
        if starts:
            return 0 if text in starts else 1
    return 2 if text in key else None


#: Characters that are read otherwise as surnames than in the dictionary's first place, with that initial: people type either.
_SURNAMES = {
    **{"单": "s", "曾": "z", "仇": "q", "区": "o", "解": "x", "查": "z", "盖": "g", "任": "r", "朴": "p", "尉": "y"},
    **{"乐": "y", "翟": "z", "缪": "m", "种": "c", "覃": "q", "秘": "b", "员": "y"},
}


@lru_cache(maxsize=20_000)
def name_initials(name: str) -> str:
    """The pinyin initials of a person's name; a surname with a reading of its own gives two.

    >>> name_initials("李建国")
    'ljg'
    >>> name_initials("单丽华")
    'dlh slh'
    """
    from pypinyin import Style, lazy_pinyin  # the dictionary is large: only whoever types names loads it

    text = name_key(name)
    letters = "".join(part[:1] for part in lazy_pinyin(list(text), style=Style.FIRST_LETTER))
    words = [letters, _SURNAMES[text[0]] + letters[1:]] if text[:1] in _SURNAMES else [letters]
    return " ".join(dict.fromkeys(words))


def get_candidate(db: Session, session: TrainingSession, scope: Scope, person_id: int) -> Person:
    """A person whom the trainer may write down here. Raises NotFound for whoever is nobody of theirs."""
    for statement in _sources(session, scope):
        row = db.execute(statement.where(Person.id == person_id)).first()
        if row is not None:
            person: Person = row[0]
            return person
    came = select(Person).where(
        Person.id == person_id,
        exists().where(Attendance.person_id == Person.id, Attendance.session_id == session.id),
    )
    found = db.scalar(came)
    if found is None:
        raise NotFound
    return found


def how_expected(db: Session, session: TrainingSession, person_id: int) -> Expected | None:
    """Whether somebody was expected at a session; None where it expects nobody in particular."""
    if db.scalar(
        select(RosterEntry.id).where(RosterEntry.session_id == session.id, RosterEntry.person_id == person_id)
    ):
        return Expected.ROSTER
    registered = db.scalar(
        select(Registration.id).where(
            Registration.session_id == session.id,
            Registration.person_id == person_id,
            Registration.state == RegistrationState.REGISTERED,
        )
    )
    if registered:
        return Expected.REGISTERED
    expects = (
        exists().where(RosterEntry.session_id == session.id),
        exists().where(Registration.session_id == session.id),
        exists().where(AudienceRule.session_id == session.id),
    )
    return Expected.WALK_IN if db.scalar(select(or_(*expects))) else None


def _sources(session: TrainingSession, scope: Scope) -> list[Select[Person, OrgUnit]]:
    rostered = (
        select(Person, OrgUnit)
        .join(RosterEntry, RosterEntry.person_id == Person.id)
        .outerjoin(OrgUnit, OrgUnit.id == RosterEntry.unit_id)
        .where(RosterEntry.session_id == session.id, *_is_somebody())
        .order_by(RosterEntry.id)
    )
    registered = (
        select(Person, OrgUnit)
        .join(Registration, Registration.person_id == Person.id)
        .outerjoin(OrgUnit, OrgUnit.id == Registration.unit_id)
        .where(
            Registration.session_id == session.id,
            Registration.state != RegistrationState.CANCELLED,
            *_is_somebody(),
        )
        .order_by(Registration.id)
    )
    known = (
        select(Person, OrgUnit)
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(
            scope.condition(Permission.RUN_SESSIONS, OrgUnit.path),
            Person.source != PersonSource.DEVICE,
            *_is_somebody(),
        )
        .order_by(Person.id.desc())
    )
    return [rostered, registered, known]


def _is_somebody() -> tuple[ColumnElement[bool], ...]:
    return (Person.merged_into_id.is_(None), Person.name != "")


def _tail(person: Person, keys: Keys) -> str:
    phone = keys.decrypt_phone(person.phone_encrypted) if person.phone_encrypted else None
    return (phone or "")[-4:]
