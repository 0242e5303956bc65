"""Erasing a person: what says who they are goes for good, the anonymous rows stay, so that every figure stays as it was.

What happens to the rows of each feature is that feature's part (`core.privacy_parts`); here stands what holds for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.audit.services import record
from quizapp.core import erasure_ledger
from quizapp.core.db import Base
from quizapp.core.errors import NotFound
from quizapp.core.privacy_parts import (
    ERASE_PERSON,
    EXPORT_PERSON,
    ErasePartMissing,
    Erasing,
    Exporting,
    ExportSection,
    unanswered_erasure_columns,
)
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.merging import lock_people
from quizapp.organisation.models import Person
from quizapp.organisation.people import kept_person_id


@dataclass(frozen=True)
class Erased:
    """What an erasure did."""

    #: The rows that were this person.
    person_ids: tuple[int, ...]
    account_ids: tuple[int, ...]
    #: False where all of them were empty before.
    changed: bool


def erase_person(db: Session, *, person_id: int, ledger: Path | None, actor: Actor, now: datetime) -> Erased:
    """Erase a person with all rows that were merged with theirs, close their account, and end the undo of their merges.

    `ledger` is the folder of the ledger, written before anything is stored; None where the ledger is what asks. Twice is harmless.
    Whoever calls has made sure that the actor may. Raises NotFound, LedgerUnusable and what a part refuses (LastAdministrator).
    """
    missing = unanswered_erasure_columns(Base.metadata, ERASE_PERSON.values())
    if missing:
        raise ErasePartMissing(f"no part of an erasure answers for {', '.join(missing)}")
    people = _lock_family(db, person_id)
    ids = tuple(sorted(people))
    accounts = account_ids_of(db, ids)
    if all(person.erased_at is not None for person in people.values()):
        return Erased(ids, accounts, changed=False)
    erasing = Erasing(ids, accounts, actor, now)
    for part in ERASE_PERSON.values():
        part.do(db, erasing)
    db.expire_all()
    record(
        db,
        actor=actor,
        action="person_erased",
        object_type="person",
        object_id=people[person_id].id,
        unit_id=people[person_id].unit_id,
        details={"persons": list(ids), "accounts": list(accounts)},
        now=now,
    )
    if ledger is not None:
        erasure_ledger.append(ledger, person_ids=ids, now=now)
    return Erased(ids, accounts, changed=True)


def export_person(db: Session, *, person_id: int, keys: Keys, actor: Actor, now: datetime) -> list[ExportSection]:
    """Everything that is known of a person, by every part; that it left the house is logged. Raises NotFound."""
    if db.get(Person, person_id) is None:
        raise NotFound
    ids = family_of(db, person_id)
    exporting = Exporting(ids, account_ids_of(db, ids), keys)
    sections = [section for part in EXPORT_PERSON.values() for section in part.do(db, exporting)]
    record(
        db,
        actor=actor,
        action="person_exported",
        object_type="person",
        object_id=person_id,
        details={"persons": list(ids), "personal_data": True},
        now=now,
    )
    return sections


def family_of(db: Session, person_id: int) -> tuple[int, ...]:
    """Every row that is the same person: who stands for them today, and all who were merged into that one."""
    found = {kept_person_id(db, person_id)}
    fresh = found
    while fresh:
        fresh = set(db.scalars(select(Person.id).where(Person.merged_into_id.in_(fresh)))) - found
        found |= fresh
    return tuple(sorted(found))


def people_with_phone(db: Session, phone: str, keys: Keys) -> list[Person]:
    """Who is known by a number (eleven digits) today; a merged row stands for nobody by itself."""
    found = db.scalars(select(Person).where(Person.phone_hash.in_(keys.phone_hashes(phone))).order_by(Person.id)).all()
    kept = sorted({kept_person_id(db, person.id) for person in found})
    return list(db.scalars(select(Person).where(Person.id.in_(kept)).order_by(Person.id)))


def account_ids_of(db: Session, person_ids: tuple[int, ...]) -> tuple[int, ...]:
    """The accounts of these rows."""
    return tuple(db.scalars(select(Account.id).where(Account.person_id.in_(person_ids)).order_by(Account.id)))


def _lock_family(db: Session, person_id: int) -> dict[int, Person]:
    """All rows of the person, held; looked for again under the lock, for a merge may have come first."""
    if db.get(Person, person_id) is None:
        raise NotFound
    while True:
        ids = family_of(db, person_id)
        people = lock_people(db, *ids)
        if ids == family_of(db, person_id):
            return people
