"""What the chooser of demo roles shows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.core.tokens import Keys
from quizapp.demo.district import RESIDENT, STAFF
from quizapp.demo.places import DISTRICT
from quizapp.organisation.models import OrgUnit, Person, UnitKind
from quizapp.quizzes.models import Delivery

#: Role in the address → sign-in name; the resident signs in by a number. In the order of the page.
ROLES: dict[str, str | None] = {
    "resident": None,
    "trainer": "demo-trainer",
    "coordinator": "demo-coordinator",
    "leader": "demo-leader",
    "editor": "demo-editor",
    "reviewer": "demo-reviewer",
    "administrator": "demo-administrator",
}


@dataclass(frozen=True)
class DemoRole:
    """A role with the name and the unit of its account; the unit None is the whole district."""

    role: str
    name: str
    unit: str | None


@dataclass(frozen=True)
class DemoFacts:
    """How large the demo is, and the code of its open literacy test."""

    streets: int
    units: int
    people: int
    poster_code: str | None


def demo_roles() -> list[DemoRole]:
    """The roles of the chooser."""
    roles = []
    for role, username in ROLES.items():
        if username is None:
            roles.append(DemoRole(role, RESIDENT[0], RESIDENT[2]))
        else:
            name, _, unit = STAFF[username]
            roles.append(DemoRole(role, name, None if unit in (None, DISTRICT[0]) else unit))
    return roles


def find_demo_account(db: Session, keys: Keys, role: str) -> Account | None:
    """The account of a role; None for an unknown role, or where the demo was not made by this version."""
    if role not in ROLES:
        return None
    username = ROLES[role]
    if username is None:
        return db.scalar(select(Account).where(Account.phone_hash == keys.phone_hash(RESIDENT[1])))
    return db.scalar(select(Account).where(Account.username == username))


def demo_facts(db: Session, now_ms: int) -> DemoFacts:
    """Count streets, units and people (those on a roster or with an account); find the delivery that is open longest."""
    streets = db.scalar(select(func.count()).where(OrgUnit.kind == UnitKind.STREET)) or 0
    code = db.scalar(
        select(Delivery.poster_code)
        .where(Delivery.opens_at <= now_ms, Delivery.closes_at > now_ms, Delivery.state == "ready")
        .order_by(Delivery.closes_at.desc())
        .limit(1)
    )
    known = Person.source.in_(("roster", "account"))
    return DemoFacts(
        streets=streets,
        units=db.scalar(select(func.count(OrgUnit.id))) or 0,
        people=db.scalar(select(func.count()).where(known, Person.phone_hash.is_not(None))) or 0,
        poster_code=code,
    )
