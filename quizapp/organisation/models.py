"""Units, industries and people."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, validates

from quizapp.core.db import Base, BigId, Json, PathText, UtcDateTime


class UnitKind(StrEnum):
    """What a unit is."""

    CITY = "city"
    DISTRICT = "district"
    DEPARTMENT = "department"
    STREET = "street"
    COMMUNITY = "community"
    ENTERPRISE = "enterprise"
    SCHOOL = "school"
    WORK_TEAM = "work_team"


class Residence(StrEnum):
    """Town or country, as the statistics divide: 城镇, 乡村."""

    URBAN = "urban"
    RURAL = "rural"


class Sex(StrEnum):
    """As a person states it."""

    FEMALE = "female"
    MALE = "male"


class Education(StrEnum):
    """The highest schooling, as the national survey groups it."""

    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"
    COLLEGE = "college"
    UNIVERSITY = "university"


class KeyGroup(StrEnum):
    """The groups that the national action plan for scientific literacy turns to (重点人群), and none of them."""

    YOUTH = "youth"
    FARMER = "farmer"
    INDUSTRIAL_WORKER = "industrial_worker"
    ELDERLY = "elderly"
    #: Leading cadres and civil servants.
    OFFICIAL = "official"
    OTHER = "other"


class JobRole(StrEnum):
    """What somebody does at work, as trainings are planned by it."""

    HEAD = "head"
    SAFETY_OFFICER = "safety_officer"
    MARKET_MANAGER = "market_manager"
    CREW = "crew"
    SPECIAL_OPERATOR = "special_operator"
    HOTEL_STAFF = "hotel_staff"
    ENTERTAINMENT_STAFF = "entertainment_staff"
    DRIVER = "driver"
    COMMUNITY_STAFF = "community_staff"
    WORKER = "worker"
    RESIDENT = "resident"
    PUPIL = "pupil"


class OrgUnit(Base):
    """A node of the unit tree. A merged or closed unit stays, with `closed_at`."""

    __tablename__ = "org_unit"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The unit above; None at the top.
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: Keys from the top down to this unit, "/1/7/33/": "this and all below" is a range.
    path: Mapped[str] = mapped_column(PathText, unique=True)
    #: Name as people say it.
    name: Mapped[str] = mapped_column(String(120))
    #: Official English name, where there is one.
    name_en: Mapped[str | None] = mapped_column(String(120))
    #: Short code for lists and files, unique.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    #: Initials of the name's pinyin, lower case, for the search.
    initials: Mapped[str] = mapped_column(String(60), index=True)
    #: `UnitKind`.
    kind: Mapped[str] = mapped_column(String(20))
    #: The industry of an enterprise or market.
    industry_id: Mapped[int | None] = mapped_column(ForeignKey("industry.id"))
    #: `Residence` of the people there; None: as the unit above.
    residence: Mapped[str | None] = mapped_column(String(8))
    #: When it was closed; closed units take no new people.
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When it was made.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Industry(Base):
    """A sector: markets, hotels, transport …"""

    __tablename__ = "industry"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Short code, unique.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    #: Chinese name.
    name: Mapped[str] = mapped_column(String(80))
    #: English name.
    name_en: Mapped[str] = mapped_column(String(80))
    #: When it was closed.
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PersonSource(StrEnum):
    """How a person came to be known."""

    ROSTER = "roster"
    ACCOUNT = "account"
    TYPED = "typed"
    DEVICE = "device"


def name_key(name: str) -> str:
    """A name as it is compared: full-width folded, lower case, without spaces and middle dots.

    >>> name_key(" 李　国 ") == name_key("李国")
    True
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    # joined letters may combine anew: folded once more, so that a key is its own key
    return unicodedata.normalize("NFKC", "".join(c for c in folded if not c.isspace() and c not in "·•‧・."))


def _key_of_row(context: DefaultExecutionContext) -> str:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
    return name_key(row.get("name") or "")


class Person(Base):
    """Somebody who is counted once.

    A typed name and phone prove nothing: such a person (`typed`) serves counting alone, like one known only by device and name.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_phone_hash_name_key", "phone_hash", "name_key"),
        # which groups there are is asked on each page of figures
        Index(
            "ix_person_key_group",
            "key_group",
            sqlite_where=text("key_group IS NOT NULL"),
            postgresql_where=text("key_group IS NOT NULL"),
        ),
        # Two phones that send the same name and number at once make one person.
        Index(
            "uq_person_typed",
            "phone_hash",
            "name_key",
            unique=True,
            sqlite_where=text("source = 'typed'"),
            postgresql_where=text("source = 'typed'"),
        ),
        Index(
            "uq_person_device",
            "device_hash",
            "name_key",
            unique=True,
            sqlite_where=text("source = 'device'"),
            postgresql_where=text("source = 'device'"),
        ),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Name or nickname; empty after erasure.
    name: Mapped[str] = mapped_column(String(80), default="")
    #: The name as it is compared (`name_key`); follows `name`.
    name_key: Mapped[str] = mapped_column(String(160), default=_key_of_row)
    #: Phone number, encrypted.
    phone_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Keyed hash of the phone number.
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Hash of the browser's device token, for people known by nothing else than device and name.
    device_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: `PersonSource`.
    source: Mapped[str] = mapped_column(String(20))
    #: Unit today.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: Industry today.
    industry_id: Mapped[int | None] = mapped_column(ForeignKey("industry.id"))
    #: Year of birth.
    birth_year: Mapped[int | None]
    #: `Sex`.
    sex: Mapped[str | None] = mapped_column(String(10))
    #: `Education`.
    education: Mapped[str | None] = mapped_column(String(20))
    #: `KeyGroup`; None where nobody said.
    key_group: Mapped[str | None] = mapped_column(String(20))
    #: `JobRole` today.
    job_role: Mapped[str | None] = mapped_column(String(20))
    #: The person that this one was merged into; such a row stands for nobody by itself.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    #: Since when the person stands on a roster.
    rostered_on: Mapped[date | None]
    #: When the row was made.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When what says who it is was erased.
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @validates("name")
    def _follow_name(self, _key: str, name: str) -> str:
        self.name_key = name_key(name)
        return name


class PersonalCode(Base):
    """The code by which a person proves who they are at a door (个人码): on the phone of whoever is signed in, or on a printed card."""

    __tablename__ = "personal_code"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Whose.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: Twelve characters of Crockford's base 32, the last one a check character.
    code: Mapped[str] = mapped_column(String(12), unique=True)
    #: When it was made.
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was taken back (a lost card); the person then gets another.
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PersonMerge(Base):
    """Two rows found to be one person. For thirty days it can be taken back, unless one of them was erased."""

    __tablename__ = "person_merge"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The person who stays.
    kept_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: The person who was merged into it.
    merged_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: Part of a feature → what it moved (ids and codes), so that it can be moved back; "facts" → the counts beforehand.
    moved: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: The account that did it.
    done_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    done_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The account that took it back.
    undone_by: Mapped[int | None] = mapped_column(BigId)
    #: When it was taken back.
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UnitMerge(Base):
    """Two units that became one. The merged one stays as a closed child of the other. For thirty days it can be taken back."""

    __tablename__ = "unit_merge"
    __table_args__ = (
        # of two merges of one unit at once one is made
        Index(
            "uq_unit_merge_standing",
            "merged_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The unit that stays.
    kept_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: The unit that was merged into it.
    merged_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: "parts": part → table → keys of the moved rows; "parent_id", "closed_at", "children": the tree as it was; "facts": the counts.
    moved: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: Whether the grants at the merged unit went along.
    carry_grants: Mapped[bool] = mapped_column(default=False)
    #: The account that did it.
    done_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    done_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The account that took it back.
    undone_by: Mapped[int | None] = mapped_column(BigId)
    #: When it was taken back.
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportState(StrEnum):
    """Where an import stands."""

    READING = "reading"
    READ = "read"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    DROPPED = "dropped"


class ImportBatch(Base):
    """One file of people or units on its way in: read and shown first, then taken in as a whole, or not at all."""

    __tablename__ = "import_batch"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Unguessable name in links.
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: "roster" (people of a session) or "units".
    kind: Mapped[str] = mapped_column(String(10))
    #: The session whose roster it is, for "roster".
    target_id: Mapped[int | None] = mapped_column(BigId)
    #: The unit below which it was imported.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: The account that brought it.
    account_id: Mapped[int | None] = mapped_column(BigId)
    #: The file, until it was taken in or its term is over.
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id", ondelete="SET NULL"))
    #: The job that reads it or takes it in.
    job_id: Mapped[int | None] = mapped_column(BigId)
    #: `ImportState`.
    state: Mapped[str] = mapped_column(String(10))
    #: Field → number of the column in the file, from 0.
    columns: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: Counts: rows, new, known, faulty …
    summary: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: The first faulty rows: row number, field, code, data without personal values.
    faults: Mapped[list[Any]] = mapped_column(Json, default=list)
    #: When it was brought.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was taken in.
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
