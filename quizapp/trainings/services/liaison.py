"""A unit's liaison registers many, or takes many back, in one step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import local_date, to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import Keys
from quizapp.organisation.models import JobRole, OrgUnit, PersonSource
from quizapp.trainings.errors import NobodyChosen, OutsideAudience, RegistrationOver
from quizapp.trainings.models import Registration, RegistrationMode, RegistrationState, RegistrationVia, TrainingSession
from quizapp.trainings.queries.liaison import get_candidates
from quizapp.trainings.queries.registrations import named_by_rule
from quizapp.trainings.services.registering import (
    Line,
    Registered,
    check_open,
    identify_typed,
    lock_session,
    record_registrations,
    strike,
)

#: As many as one page of the list has.
MOST = 200


@dataclass(frozen=True)
class RegisteredMany:
    """What one submit did: who has a place, who waits, who stood already."""

    registered: list[Registration]
    waiting: list[Registration]
    again: list[Registration]


def register_people(
    db: Session, *, session: TrainingSession, person_ids: list[int], actor: Actor, now: datetime
) -> RegisteredMany:
    """Register the chosen people of one's own units, in the order of the list: those who fit have a place, the others wait.

    Raises NobodyChosen, NotFound (somebody of a foreign unit, or not invited), RegistrationClosed, CheckInCalledOff, RegistrationOver.
    """
    if not person_ids:
        raise NobodyChosen(field="person")
    now_ms = to_ms(now)
    session = lock_session(db, session.id)
    check_open(session, now_ms)
    line = Line(db, session, now_ms)
    entered = [
        line.enter(
            candidate.person,
            unit=candidate.unit,
            via=RegistrationVia.LIAISON,
            registered_by=actor.account_id,
        )
        for candidate in get_candidates(db, session, actor.scope, person_ids[:MOST])
    ]
    new = [one.registration for one in entered if not one.again]
    if new:
        record_registrations(db, "registrations_made", session, new, actor, now)
    return RegisteredMany(
        [row for row in new if row.state == RegistrationState.REGISTERED],
        [row for row in new if row.state == RegistrationState.WAITING],
        [one.registration for one in entered if one.again],
    )


def cancel_people(
    db: Session, *, session: TrainingSession, person_ids: list[int], actor: Actor, now: datetime
) -> list[Registration]:
    """Take the registrations of the chosen people back, until the session begins; gives those that were.

    Raises NobodyChosen, NotFound, RegistrationOver.
    """
    if not person_ids:
        raise NobodyChosen(field="person")
    session = lock_session(db, session.id)
    if to_ms(now) >= session.starts_at or session.closed_at is not None:
        raise RegistrationOver
    chosen = get_candidates(db, session, actor.scope, person_ids[:MOST])
    ids = [candidate.registration.id for candidate in chosen if candidate.registration is not None]
    struck, _ = strike(db, session, ids, to_ms(now))
    if struck:
        record_registrations(db, "registrations_cancelled", session, struck, actor, now)
    return struck


def register_new_person(
    db: Session,
    *,
    session: TrainingSession,
    name: str,
    phone: str,
    unit_id: int,
    job_role: JobRole | None,
    actor: Actor,
    keys: Keys,
    now: datetime,
) -> Registered:
    """Register somebody of one's own unit who is not on the list, and put them on the unit's roster.

    Whoever is known elsewhere under this name and number is registered for the liaison's unit and otherwise left as they are: it is
    said of nobody whether they are known. Raises NotFound (a foreign unit), OutsideAudience (by what was typed), RegistrationClosed,
    CheckInCalledOff, RegistrationOver, AttendeeNameNeeded, AttendeePhoneNeeded, PhoneInvalid.
    """
    now_ms = to_ms(now)
    unit = db.get(OrgUnit, unit_id)
    if (
        unit is None
        or unit.closed_at is not None
        or not actor.scope.covers(Permission.REGISTER_OTHERS, unit.path, unit.industry_id)
    ):
        raise NotFound
    check_open(session, now_ms)
    if session.registration == RegistrationMode.AUDIENCE and not db.scalar(
        select(named_by_rule(session.id, unit.path, (unit.industry_id,), job_role.value if job_role else None))
    ):
        raise OutsideAudience(field="unit_id")
    person = identify_typed(db, name=name, phone=phone, unit_id=unit.id, keys=keys, now=now)
    if person.source == PersonSource.TYPED and person.unit_id == unit.id:
        # the liaison vouches for the people of the unit
        person.source = PersonSource.ROSTER.value
        person.rostered_on = person.rostered_on or local_date(now)
        person.job_role = person.job_role or (job_role.value if job_role else None)
    session = lock_session(db, session.id)
    check_open(session, now_ms)
    entered = Line(db, session, now_ms).enter(
        person, unit=unit, via=RegistrationVia.LIAISON, registered_by=actor.account_id
    )
    if not entered.again:
        record_registrations(db, "registrations_made", session, [entered.registration], actor, now)
    return entered
