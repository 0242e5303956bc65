"""The demo district's units, rosters and accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.accounts.queries import find_actor
from quizapp.accounts.services import create_staff_account, sign_up
from quizapp.core.clock import local_date
from quizapp.core.scope import SYSTEM, Actor, Role
from quizapp.core.tokens import Keys
from quizapp.demo.people import Resident, make_resident
from quizapp.demo.places import DEPARTMENTS, DISTRICT, ENTERPRISES, INDUSTRIES, SCHOOLS, STREETS, WORDS
from quizapp.organisation.models import Industry, JobRole, OrgUnit, Person, PersonSource, Residence, UnitKind
from quizapp.organisation.services import create_industry, create_unit

#: People of the district: on a roster, and with an account of their own.
ROSTERED, WITH_ACCOUNT = 560, 40
#: Sign-in name → (name, role, unit) of the staff; the unit None is the whole district and all beside it.
STAFF: dict[str, tuple[str, Role, str | None]] = {
    "demo-trainer": ("陈立新", Role.TRAINER, "区应急管理局"),
    "demo-coordinator": ("林晓", Role.COORDINATOR, DISTRICT[0]),
    "demo-editor": ("何静", Role.EDITOR, "区科协"),
    "demo-reviewer": ("高远", Role.REVIEWER, "区科协"),
    "demo-administrator": ("系统管理员", Role.ADMINISTRATOR, None),
    "demo-leader": ("方志明", Role.LEADER, DISTRICT[0]),
    "demo-liaison": ("苏梅", Role.UNIT_LIAISON, "紫兴社区"),
    "demo-street": ("罗建华", Role.COORDINATOR, "滨江街道"),
    "demo-centre": ("唐颖", Role.TRAINER, "临江社区服务中心"),
}
#: What somebody of an industry does at work; who leads and who looks after safety is drawn.
WORK = {
    "market": JobRole.WORKER,
    "hotel": JobRole.HOTEL_STAFF,
    "entertainment": JobRole.ENTERTAINMENT_STAFF,
    "transport": JobRole.DRIVER,
    "demolition": JobRole.CREW,
    "construction": JobRole.CREW,
    "property": JobRole.WORKER,
}
#: The resident of the chooser: name, number, unit.
RESIDENT = ("周敏", "10000000001", "紫兴社区")
#: No password has this as its hash: the demo's accounts open with one click only.
_NEVER = "!"


@dataclass
class Member:
    """Somebody of the district with their unit; `actor` where they have an account."""

    resident: Resident
    unit: OrgUnit
    actor: Actor | None = None


@dataclass
class District:
    """What the further steps need of it."""

    root: OrgUnit
    units: dict[str, OrgUnit]
    industries: dict[str, Industry]
    members: list[Member] = field(default_factory=list)
    staff: dict[str, Actor] = field(default_factory=dict)

    @property
    def homes(self) -> list[OrgUnit]:
        """The units that people belong to: communities, enterprises, schools."""
        kinds = (UnitKind.COMMUNITY, UnitKind.ENTERPRISE, UnitKind.SCHOOL)
        return [unit for unit in self.units.values() if unit.kind in kinds]


def make_units(db: Session, now: datetime) -> District:
    """The tree: departments, streets with communities and enterprises, schools."""
    industries = {
        code: create_industry(db, code=code, name=name, name_en=english, actor=SYSTEM, now=now)
        for code, (name, english) in INDUSTRIES.items()
    }
    root = create_unit(
        db,
        parent=None,
        name=DISTRICT[0],
        name_en=DISTRICT[1],
        kind=UnitKind.DISTRICT,
        code="LJ",
        residence=Residence.URBAN,
        actor=SYSTEM,
        now=now,
    )
    units = {root.name: root}

    def add(
        parent: OrgUnit, name: str, kind: UnitKind, english: str | None = None, industry: str | None = None
    ) -> None:
        units[name] = create_unit(
            db,
            parent=parent,
            name=name,
            name_en=english,
            kind=kind,
            industry=industries[industry] if industry else None,
            residence=Residence.RURAL if name.endswith("村") else None,
            actor=SYSTEM,
            now=now,
        )

    for name, english in DEPARTMENTS:
        add(root, name, UnitKind.DEPARTMENT, english)
    for number, (street, communities) in enumerate(STREETS.items()):
        add(root, street, UnitKind.STREET)
        for community in communities:
            add(units[street], community, UnitKind.COMMUNITY)
        for turn in range(6):
            industry, ending = ENTERPRISES[(number * 6 + turn) % len(ENTERPRISES)]
            place = street.removesuffix("街道").removesuffix("镇")
            name = f"{place}{WORDS[(number * 3 + turn) % len(WORDS)]}{ending}"
            add(units[street], name, UnitKind.ENTERPRISE, industry=industry)
    for school in SCHOOLS:
        add(units["区教育局"], school, UnitKind.SCHOOL)
    return District(root, units, industries)


def make_people(db: Session, district: District, rng: Random, keys: Keys, now: datetime) -> None:
    """The rosters, and residents with accounts; the first account is the chooser's resident."""
    homes = district.homes
    weights = [3 if unit.kind == UnitKind.COMMUNITY else 2 for unit in homes]
    for number in range(1, ROSTERED + WITH_ACCOUNT + 1):
        resident = make_resident(rng, number)
        unit = rng.choices(homes, weights)[0]
        if number <= WITH_ACCOUNT:
            if number == 1:
                resident = Resident(RESIDENT[0], RESIDENT[1], 1972, "female", "senior", 0.2, 1.0)
                unit = district.units[RESIDENT[2]]
            actor = _sign_up(db, resident, unit, keys, now)
            district.members.append(Member(resident, unit, actor))
            continue
        db.add(
            Person(
                name=resident.name,
                phone_encrypted=keys.encrypt_phone(resident.phone),
                phone_hash=keys.phone_hash(resident.phone),
                source=PersonSource.ROSTER.value,
                unit_id=unit.id,
                industry_id=unit.industry_id,
                birth_year=resident.birth_year,
                sex=resident.sex,
                education=resident.education,
                key_group=resident.key_group(unit.kind),
                job_role=_job_role(district, unit, number).value,
                rostered_on=local_date(now),
                created_at=now,
            )
        )
        district.members.append(Member(resident, unit))
    db.flush()


def _job_role(district: District, unit: OrgUnit, number: int) -> JobRole:
    if unit.kind == UnitKind.SCHOOL:
        return JobRole.PUPIL
    if unit.kind != UnitKind.ENTERPRISE:
        return JobRole.COMMUNITY_STAFF if number % 17 == 0 else JobRole.RESIDENT
    industry = next(code for code, row in district.industries.items() if row.id == unit.industry_id)
    if number % 9 == 0:
        return JobRole.HEAD
    if number % 6 == 0:
        return JobRole.SAFETY_OFFICER
    if industry == "market" and number % 3 == 0:
        return JobRole.MARKET_MANAGER
    return WORK[industry]


def _sign_up(db: Session, resident: Resident, unit: OrgUnit, keys: Keys, now: datetime) -> Actor:
    sign_up(
        db,
        keys=keys,
        phone=resident.phone,
        password_hash=_NEVER,
        name=resident.name,
        unit_id=unit.id,
        now=now,
    )
    account = db.scalars(select(Account).where(Account.phone_hash == keys.phone_hash(resident.phone))).one()
    person = db.get_one(Person, account.person_id)
    person.birth_year, person.sex, person.education = resident.birth_year, resident.sex, resident.education
    person.key_group = resident.key_group(unit.kind)
    return Actor(account_id=account.id, person_id=person.id, name=person.name)


def make_staff(db: Session, district: District, now: datetime) -> None:
    """An account of every role; nobody gets a password or a link."""
    for username, (name, role, unit) in STAFF.items():
        account, _ = create_staff_account(
            db,
            username=username,
            name=name,
            role=role,
            unit=district.units[unit] if unit else None,
            actor=SYSTEM,
            now=now,
        )
        account.password_hash = _NEVER
        db.flush()
        actor = find_actor(db, account.id, account.session_epoch)
        if actor is not None:
            district.staff[username] = actor
