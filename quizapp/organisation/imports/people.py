"""Rows of people: read and checked, matched to those who are known, and written.

A person is matched by phone hash and name, whoever's they are: somebody outside the importer's reach is joined for counting only, and
nothing of them is taken over or shown. Where no phone is given, name and unit must tell people apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, insert, select, text
from sqlalchemy.orm import Session

from quizapp.core.tables import Row
from quizapp.core.tokens import Keys
from quizapp.organisation.imports import fields
from quizapp.organisation.imports.fields import Bad
from quizapp.organisation.imports.reach import IndustryIndex, Reach, UnitIndex, UnitRef, reaches
from quizapp.organisation.imports.rows import Faults, Listed
from quizapp.organisation.models import OrgUnit, Person, PersonSource, name_key

#: PostgreSQL: imports of people take turns, so that two files never make one person twice.
_LOCK = 7_310_001


class PersonRow(NamedTuple):
    """One good row."""

    number: int
    name: str
    key: str
    phone: str | None
    #: Keyed hashes of the phone number: how it is stored, then how it may still stand (`Keys.phone_hashes`). None without a number.
    phone_hashes: tuple[bytes, ...]
    unit_id: int | None
    unit_path: str | None
    job_role: str | None
    industry_id: int | None
    birth_year: int | None
    sex: str | None
    key_group: str | None

    @property
    def phone_hash(self) -> bytes | None:
        """The hash with which the number is stored."""
        return self.phone_hashes[0] if self.phone_hashes else None


class Known(NamedTuple):
    """Somebody who is known. What stands beside the key is None where they are outside the importer's reach."""

    id: int
    within: bool
    unit_id: int | None
    unit_path: str | None
    job_role: str | None


@dataclass
class PeopleReader:
    """Reads rows of people. What is wrong is kept in `faults`, who stands there twice in `repeats` and `shared`."""

    units: UnitIndex
    industries: IndustryIndex
    keys: Keys
    this_year: int
    columns: Mapping[str, int]
    faults: Faults = field(default_factory=Faults)
    #: The same name and phone again: counted once.
    repeats: Listed = field(default_factory=Listed)
    #: The same phone under another name: allowed, families share one.
    shared: Listed = field(default_factory=Listed)
    rows: int = 0
    _seen: dict[bytes, int] = field(default_factory=dict)
    _phones: dict[bytes, int] = field(default_factory=dict)
    _named: dict[bytes, int] = field(default_factory=dict)
    _unproved: dict[bytes, int] = field(default_factory=dict)

    def good_rows(self, rows: Iterator[Row]) -> Iterator[PersonRow]:
        """The good rows, each person once."""
        for row in rows:
            if row.empty:
                continue
            self.rows += 1
            person = self._read(row)
            if person is not None and self._is_new(person):
                yield person

    def _read(self, row: Row) -> PersonRow | None:
        number, before = row.number, len(self.faults.found)
        cell = {name: row.cell(self.columns.get(name)) for name in self.columns}.get
        tried = self.faults.tried
        name = tried(number, lambda: fields.read_name(cell("name") or ""))
        phone = tried(number, lambda: fields.read_phone(cell("phone") or ""))
        unit: UnitRef | None = tried(number, lambda: self.units.find(cell("unit") or "", cell("unit_code") or ""))
        industry_id = tried(number, lambda: self.industries.find(cell("industry") or ""))
        job_role = tried(number, lambda: fields.read_job_role(cell("job_role") or ""))
        birth_year = tried(number, lambda: fields.read_birth_year(cell("birth_year") or "", self.this_year))
        sex = tried(number, lambda: fields.read_sex(cell("sex") or ""))
        key_group = tried(number, lambda: fields.read_key_group(cell("key_group") or ""))
        if not any(fields.word_key(cell(part) or "") for part in ("phone", "unit", "unit_code")):
            self.faults.add(number, Bad("phone", "phone_or_unit_needed"))
        if len(self.faults.found) > before:
            return None
        return PersonRow(
            number=number,
            name=name or "",
            key=name_key(name or ""),
            phone=phone,
            phone_hashes=self.keys.phone_hashes(phone) if phone else (),
            unit_id=unit.id if unit else None,
            unit_path=unit.path if unit else None,
            job_role=job_role,
            industry_id=industry_id,
            birth_year=birth_year,
            sex=sex,
            key_group=key_group,
        )

    def _is_new(self, person: PersonRow) -> bool:
        """Whether the file has this person for the first time. A name without phone that its unit has twice is a fault."""
        named = _short(person.key, person.unit_id)
        if person.phone_hash is None:
            first = self._named.get(named)
            if first is not None:
                self.faults.add(person.number, Bad("phone", "name_repeated", row=first))
                return False
            self._named[named] = self._unproved[named] = person.number
            return True
        one = _short(person.key, person.phone_hash)
        if one in self._seen:
            self.repeats.add(person.number, self._seen[one])
            return False
        if named in self._unproved:
            self.faults.add(self._unproved.pop(named), Bad("phone", "name_repeated", row=person.number))
        self._seen[one] = person.number
        self._named.setdefault(named, person.number)
        first = self._phones.setdefault(person.phone_hash[:12], person.number)
        if first != person.number:
            self.shared.add(person.number, first)
        return True


def _short(key: str, other: bytes | int | None) -> bytes:
    """Twelve bytes for a name with a phone or unit: what is seen of a file stays small."""
    tail = other if isinstance(other, bytes) else str(other).encode()
    return hashlib.blake2b(key.encode() + b"\x1f" + tail, digest_size=12).digest()


def match_people(
    db: Session, rows: Sequence[PersonRow], reach: Reach, faults: Faults | None = None
) -> dict[int, Known]:
    """Row number → who it is, for those who are known. At most `rows.CHUNK` rows at a time.

    Somebody on a roster comes before the owner of an account, before somebody who only typed; the oldest of equals. Who was merged
    stands for whom they were merged into. A name that a unit has several times over, without a phone, is a fault.
    """
    found: dict[tuple[Any, str], list[int]] = {}
    stored = {stands: row.phone_hash for row in rows for stands in row.phone_hashes}
    rank = case((Person.source == PersonSource.ROSTER, 0), (Person.source == PersonSource.ACCOUNT, 1), else_=2)
    if stored:
        query = select(Person.id, Person.phone_hash, Person.name_key).where(Person.phone_hash.in_(stored))
        for person_id, phone_hash, key in db.execute(query.order_by(rank, Person.id)):
            found.setdefault((stored[bytes(phone_hash or b"")], key), []).append(person_id)
    unproved = [row for row in rows if row.phone_hash is None]
    if unproved:
        units, names = {row.unit_id for row in unproved}, {row.key for row in unproved}
        named = select(Person.id, Person.unit_id, Person.name_key).where(
            Person.unit_id.in_(units),
            Person.name_key.in_(names),
            Person.source == PersonSource.ROSTER,
            Person.merged_into_id.is_(None),
        )
        for person_id, unit_id, key in db.execute(named.order_by(Person.id)):
            found.setdefault((unit_id, key), []).append(person_id)
    matched: dict[int, int] = {}
    for row in rows:
        ids = found.get((row.phone_hash or row.unit_id, row.key), [])
        if row.phone_hash is None and len(ids) > 1:
            if faults is not None:
                faults.add(row.number, Bad("phone", "name_several", count=len(ids)))
        elif ids:
            matched[row.number] = ids[0]
    people = _people(db, set(matched.values()), reach)
    return {number: people[person_id] for number, person_id in matched.items()}


def _people(db: Session, ids: set[int], reach: Reach) -> dict[int, Known]:
    """The people of some keys; who was merged is whom they were merged into."""
    result: dict[int, Known] = {}
    asked = {person_id: {person_id} for person_id in ids}
    while asked:
        rows = db.execute(
            select(Person.id, Person.merged_into_id, Person.unit_id, OrgUnit.path, Person.job_role)
            .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
            .where(Person.id.in_(asked))
        ).all()
        further: dict[int, set[int]] = {}
        for person_id, merged_into, unit_id, path, job_role in rows:
            if merged_into is not None:
                further.setdefault(merged_into, set()).update(asked[person_id])
                continue
            shown = (unit_id, path, job_role) if reaches(reach, path) else (None, None, None)
            known = Known(person_id, reaches(reach, path), *shown)
            result.update(dict.fromkeys(asked[person_id], known))
        asked = further
    return result


def take_turns(db: Session) -> None:
    """Wait until no other import writes people. SQLite has one writer anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(text(str(_LOCK)))))


def write_people(
    db: Session, rows: Sequence[PersonRow], encrypted: Mapping[int, bytes], *, now: datetime, today: date
) -> dict[int, int]:
    """Make the people of some rows (row number → encrypted phone); gives row number → key."""
    if not rows:
        return {}
    values = [
        {
            "name": row.name,
            "name_key": row.key,
            "source": PersonSource.ROSTER.value,
            "phone_hash": row.phone_hash,
            "phone_encrypted": encrypted.get(row.number),
            "unit_id": row.unit_id,
            "industry_id": row.industry_id,
            "job_role": row.job_role,
            "birth_year": row.birth_year,
            "sex": row.sex,
            "key_group": row.key_group,
            "rostered_on": today,
            "created_at": now,
        }
        for row in rows
    ]
    table: Any = Person.__table__
    ids = db.execute(insert(table).returning(table.c.id, sort_by_parameter_order=True), values).scalars()
    return dict(zip((row.number for row in rows), ids, strict=True))
