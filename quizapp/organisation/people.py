"""Who is one person: matching what somebody typed to the people that are known, for counting alone."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from quizapp.core.db import insert_once
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person, PersonSource, name_key

#: Bands of the national survey, by the first age of each; the code says both ends.
AGE_BANDS: tuple[tuple[int, str], ...] = (
    (70, "70+"),
    (60, "60-69"),
    (50, "50-59"),
    (40, "40-49"),
    (30, "30-39"),
    (18, "18-29"),
    (14, "14-17"),
    (0, "0-13"),
)
#: The first age of an adult's band.
GROWN_UP = 18
#: Nobody is older: such a year of birth is a slip.
MOST_YEARS = 120


@dataclass(frozen=True)
class Identified:
    """Who it is, as far as can be told: `level` is "matched" (name and phone), "device" (name and browser) or "none"."""

    person_id: int | None
    level: str


def clean_name(name: str | None) -> str:
    """A typed name as it is kept: full-width folded, outer spaces gone, inner ones single."""
    return " ".join(unicodedata.normalize("NFKC", name or "").split())


def age_band(birth_year: int | None, day: date) -> str | None:
    """The band of the age that is reached in the year of `day`; None where the year is unknown or cannot be.

    But for the age from which somebody is an adult: who turns 18 in that year may be 17 on the day, and is in the band below.

    >>> age_band(1960, date(2026, 11, 23)), age_band(2008, date(2026, 11, 23)), age_band(2007, date(2026, 11, 23))
    ('60-69', '14-17', '18-29')
    """
    if birth_year is None:
        return None
    age = day.year - birth_year
    if not 0 <= age <= MOST_YEARS:
        return None
    certain = age - 1 if age == GROWN_UP else age
    return next(band for first, band in AGE_BANDS if certain >= first)


def identify(
    db: Session,
    *,
    keys: Keys,
    name: str | None,
    phone: str | None,
    device_hash: bytes | None,
    unit_id: int | None,
    industry_id: int | None,
    birth_year: int | None,
    sex: str | None,
    education: str | None,
    key_group: str | None = None,
    now: datetime,
) -> Identified:
    """The person behind a typed name with a phone number (eleven digits), or with the browser's device where no phone is given.

    Somebody who is known is found and left as they are: what was typed changes nothing and shows nothing. Otherwise a new person is
    made who serves counting alone. Two calls at once make one person. A device alone, a name alone, a phone alone say nothing.
    Who was merged is found as the one who stayed, and is held: see `hold_person`.
    """
    name = clean_name(name)
    key = name_key(name)
    stated: dict[str, Any] = {
        "name": name,
        "name_key": key,
        "unit_id": unit_id,
        "industry_id": industry_id,
        "birth_year": birth_year,
        "sex": sex,
        "education": education,
        "key_group": key_group,
        "created_at": now,
    }
    if key and phone:
        hashes = keys.phone_hashes(phone)
        found = _by_phone(db, hashes, key)
        if found is None:
            values = {
                **stated,
                "source": PersonSource.TYPED.value,
                "phone_hash": hashes[0],
                "phone_encrypted": keys.encrypt_phone(phone),
            }
            insert_once(db, Person, values, ["phone_hash", "name_key"], where=text("source = 'typed'"))
            found = _by_phone(db, hashes, key)
        return Identified(found, "matched")
    if key and device_hash:
        found = _by_device(db, device_hash, key)
        if found is None:
            values = {**stated, "source": PersonSource.DEVICE.value, "device_hash": device_hash}
            insert_once(db, Person, values, ["device_hash", "name_key"], where=text("source = 'device'"))
            found = _by_device(db, device_hash, key)
        return Identified(found, "device")
    return Identified(None, "none")


def kept_person_id(db: Session, person_id: int) -> int:
    """Who stands for a person now: the one they were merged into, and so on to the end; themselves where they were not.

    For showing. Whoever writes a row for the person takes `hold_person`.
    """
    return _follow(db, person_id, select(Person.merged_into_id))


def hold_person(db: Session, person_id: int) -> int:
    """Who stands for a person, now and until the transaction ends: a merge waits until then, so that no row is left behind.

    Those who hold one person do not wait for each other.
    """
    return _follow(db, person_id, select(Person.merged_into_id).with_for_update(read=True, key_share=True))


def _follow(db: Session, person_id: int, statement: Select[int | None]) -> int:
    # a merged person takes no further merge, so the chain has an end
    while (into := db.scalar(statement.where(Person.id == person_id))) is not None:
        person_id = into
    return person_id


def _by_phone(db: Session, hashes: tuple[bytes, ...], key: str) -> int | None:
    """Somebody on a roster before the owner of an account, before somebody who only typed; the oldest of equals."""
    rank = case(
        (Person.source == PersonSource.ROSTER, 0),
        (Person.source == PersonSource.ACCOUNT, 1),
        else_=2,
    )
    return _held(db, and_(Person.phone_hash.in_(hashes), Person.name_key == key), order=(rank, Person.id))


def _by_device(db: Session, device_hash: bytes, key: str) -> int | None:
    return _held(
        db,
        and_(Person.device_hash == device_hash, Person.name_key == key, Person.source == PersonSource.DEVICE),
        order=(Person.id,),
    )


def _held(
    db: Session, condition: ColumnElement[bool], order: tuple[ColumnElement[Any] | InstrumentedAttribute[int], ...]
) -> int | None:
    """The first person of a condition, held against a merge; the one who stayed where they were merged."""
    found = db.execute(
        select(Person.id, Person.merged_into_id)
        .where(condition)
        .order_by(*order)
        .limit(1)
        .with_for_update(read=True, key_share=True)
    ).first()
    if found is None:
        return None
    return found.id if found.merged_into_id is None else hold_person(db, found.merged_into_id)
