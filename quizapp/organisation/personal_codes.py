"""Personal codes (个人码): by one a person proves at a door who they are.

Twelve characters of Crockford's base 32, the last a check character, so that a slip of the finger is found without asking anybody. A
QR code carries them behind `PREFIX`: a scanning phone then tells them from the health codes and payment codes that people hold up by
mistake. A lost code is taken back and another made; a code of somebody who was merged stands for the person who was kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.db import insert_once
from quizapp.core.scope import Actor
from quizapp.core.tokens import check_character, new_code, normalize_code
from quizapp.organisation.models import Person, PersonalCode

#: What stands before the code in a QR code; the code says only what it needs in capitals and digits, which makes it coarse.
PREFIX = "QZP:"
LENGTH = 12
#: Longer chains of merges than anybody makes.
_MOST_MERGES = 20
_TYPED = re.compile(r"[0-9A-Z\s-]+")


def card_text(code: str) -> str:
    """What the QR code of a personal code says, on the phone and on a printed card."""
    return PREFIX + code


def read_code(text: str) -> str | None:
    """The twelve characters of a scanned or typed text; None where it is no personal code.

    >>> read_code("qzp:0000-0000-0000")
    '000000000000'
    """
    typed = unicodedata.normalize("NFKC", text).strip().upper().removeprefix(PREFIX)
    code = normalize_code(typed)
    if not _TYPED.fullmatch(typed) or len(code) != LENGTH or check_character(code[:-1]) != code[-1]:
        return None
    return code


def kept_person(db: Session, person: Person) -> Person:
    """The person who stands for this one today: itself, or the one that it was merged into."""
    for _ in range(_MOST_MERGES):
        if person.merged_into_id is None:
            break
        person = db.get_one(Person, person.merged_into_id)
    return person


def find_code(db: Session, typed: str) -> PersonalCode | None:
    """The row of a scanned or typed code, also of one that was taken back."""
    code = read_code(typed)
    return db.scalar(select(PersonalCode).where(PersonalCode.code == code)) if code else None


def codes_of(db: Session, person_ids: Iterable[int]) -> dict[int, str]:
    """Person → code that holds, for those who have one."""
    wanted = sorted(set(person_ids))
    found: dict[int, str] = {}
    for start in range(0, len(wanted), 500):
        rows = db.execute(
            select(PersonalCode.person_id, PersonalCode.code)
            .where(PersonalCode.person_id.in_(wanted[start : start + 500]), PersonalCode.revoked_at.is_(None))
            .order_by(PersonalCode.id)
        )
        found.update((person_id, code) for person_id, code in rows)
    return found


def issue_code(db: Session, person: Person, *, now: datetime) -> str:
    """The code of a person, made when there is none. Two calls at once give the same one."""
    db.scalars(select(Person.id).where(Person.id == person.id).with_for_update()).one()
    standing = codes_of(db, [person.id]).get(person.id)
    return standing if standing is not None else _insert(db, person, now)


def replace_code(db: Session, person: Person, *, actor: Actor, now: datetime) -> str:
    """Take a person's code back, for it was lost or copied, and make another."""
    db.scalars(select(Person.id).where(Person.id == person.id).with_for_update()).one()
    standing = db.scalars(
        select(PersonalCode).where(PersonalCode.person_id == person.id, PersonalCode.revoked_at.is_(None))
    ).all()
    for row in standing:
        row.revoked_at = now
    db.flush()
    record(
        db,
        actor=actor,
        action="personal_code_replaced",
        object_type="person",
        object_id=person.id,
        unit_id=person.unit_id,
        details={"codes": [row.id for row in standing]},
        now=now,
    )
    return _insert(db, person, now)


def _insert(db: Session, person: Person, now: datetime) -> str:
    while True:
        body = new_code(LENGTH - 1)
        code = body + check_character(body)
        values = {"person_id": person.id, "code": code, "issued_at": now}
        if insert_once(db, PersonalCode, values, ["code"]):
            return code
