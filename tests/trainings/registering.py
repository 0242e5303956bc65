"""What the tests of registration share: a session that takes registrations, people, one call per way to register."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys, digest
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import Registration, TrainingSession
from quizapp.trainings.services.registering import Registered, Reminders, register_account, register_guest
from tests.conftest import START
from tests.factories import make_person, make_session, make_unit

#: Tomorrow at two in the afternoon in Shanghai.
BEGIN = START + timedelta(days=1, hours=4)
SILENT = Reminders()


def open_one(db: Session, unit: OrgUnit | None = None, **values: Any) -> TrainingSession:
    """A session tomorrow that anyone may register for."""
    return make_session(
        db,
        unit or make_unit(db, name="紫兴社区"),
        **{"starts_at": to_ms(BEGIN), "registration": "anyone", "title": "消防演练", **values},
    )


def rostered(db: Session, unit: OrgUnit | None, name: str, **values: Any) -> Person:
    """Somebody on a unit's roster."""
    return make_person(db, name=name, source="roster", unit_id=unit.id if unit else None, **values)


def resident(person: Person, account_id: int | None = None) -> Actor:
    """Somebody who is signed in."""
    return Actor(account_id=account_id or 1000 + person.id, person_id=person.id, name=person.name)


def liaison_of(*units: OrgUnit | None) -> Actor:
    """A liaison of these units."""
    grants = tuple(Grant(Role.UNIT_LIAISON, unit.path if unit else None) for unit in units)
    return Actor(account_id=8, name="联络员", scope=Scope(grants))


def as_guest(
    db: Session, session: TrainingSession, keys: Keys, number: int, now: datetime = START, secret: str = ""
) -> Registered:
    """A guest of that number registers, in a transaction."""
    with transaction(db):
        return register_guest(
            db,
            session=session,
            name=f"人{number}",
            phone=f"138{number:08}",
            secret_hash=digest(secret or f"secret {session.id} {number} {now}"),
            reminders=SILENT,
            keys=keys,
            now=now,
        )


def as_account(db: Session, session: TrainingSession, person: Person, now: datetime = START) -> Registered:
    """Somebody who is signed in registers, in a transaction."""
    with transaction(db):
        return register_account(db, session=session, actor=resident(person), reminders=SILENT, now=now)


def standing(db: Session, session_id: int, state: str) -> list[str]:
    """The names in a state, in the order of the line."""
    db.rollback()
    return list(
        db.scalars(
            select(Person.name)
            .join(Registration, Registration.person_id == Person.id)
            .where(Registration.session_id == session_id, Registration.state == state)
            .order_by(Registration.queued_at, Registration.id)
        )
    )
