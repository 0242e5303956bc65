"""Units, industries and people."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, validates

from quizapp.core.db import Base, BigId, PathText, UtcDateTime


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
    #: Key group of the action plan (rural residents, elderly …), a short code.
    key_group: Mapped[str | None] = mapped_column(String(20))
    #: Since when the person stands on a roster.
    rostered_on: Mapped[date | None]
    #: When the row was made.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @validates("name")
    def _follow_name(self, _key: str, name: str) -> str:
        self.name_key = name_key(name)
        return name
