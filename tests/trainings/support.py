"""A street with its trainer, for tests of planning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.models import CodeMode, SessionKind, TrainingSession
from quizapp.trainings.services import SessionPlan, plan_session
from tests.conftest import START
from tests.factories import make_account, make_unit


@dataclass
class Street:
    """A unit with a trainer, and another unit beside it."""

    db: Session
    unit: OrgUnit
    community: OrgUnit
    foreign: OrgUnit
    account: Account
    actor: Actor

    def plan(self, **values: Any) -> SessionPlan:
        """A lecture of ninety minutes that begins at START."""
        starts: datetime = values.get("starts_at", START)
        return SessionPlan(
            **{
                "title": "消防疏散演练",
                "unit_id": self.unit.id,
                "starts_at": starts,
                "ends_at": starts + timedelta(minutes=90),
                "place": "二楼",
                "kind": SessionKind.LECTURE,
                "code_mode": CodeMode.POSTER,
                **values,
            }
        )

    def open(self, **values: Any) -> TrainingSession:
        """The session of such a plan."""
        return plan_session(self.db, plan=self.plan(**values), actor=self.actor, now=START)

    def trainer(self, unit: OrgUnit | None = None, role: Role = Role.TRAINER, name: str = "王海燕") -> Account:
        """One more account that teaches."""
        return make_account(self.db, (role, unit or self.unit), name=name)


def actor_of(account: Account, *units: OrgUnit, role: Role = Role.TRAINER) -> Actor:
    """What an account may do."""
    return Actor(account_id=account.id, name="陈立新", scope=Scope(tuple(Grant(role, unit.path) for unit in units)))


def make_street(db: Session) -> Street:
    """A street with a community, and a foreign street."""
    unit = make_unit(db, name="东岸街道", kind="street")
    community = make_unit(db, unit, name="紫兴社区")
    foreign = make_unit(db, name="西岸街道", kind="street")
    account = make_account(db, (Role.TRAINER, unit), name="陈立新", unit=unit)
    return Street(db, unit, community, foreign, account, actor_of(account, unit))
