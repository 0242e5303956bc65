"""An account, when its person is merged with another: there is one at most, and it goes to the one who stays. Grants, when two units are
merged: they stay at the closed child, where they show what was recorded, or go along where the administrator says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from quizapp.accounts.errors import GrantTooWide, TwoAccounts
from quizapp.accounts.models import Account, AccountGrant, grant_reach
from quizapp.accounts.services import may_grant
from quizapp.core.registry import (
    MergeFact,
    MergePersonPart,
    MergeUnitPart,
    PersonMerging,
    UnitFact,
    UnitMerging,
    add_merge_person,
    add_merge_unit,
)
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit, Person


def preview(db: Session, kept_id: int, merged_id: int) -> list[MergeFact]:
    """Who of the two can sign in; two accounts are a refusal."""
    kept, merged = (_account_of(db, person_id) is not None for person_id in (kept_id, merged_id))
    return [MergeFact("account", int(kept), int(merged), refusal=TwoAccounts() if kept and merged else None)]


def do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Give the account to the one who stays. Raises TwoAccounts."""
    kept, merged = (_account_of(db, person_id) for person_id in (merging.kept_id, merging.merged_id))
    if merged is None:
        return {}
    if kept is not None:
        raise TwoAccounts
    _give(db, merged, merging.merged_id, merging.kept_id)
    return {"account": merged}


def undo(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Give it back."""
    if "account" in moved:
        _give(db, moved["account"], merging.kept_id, merging.merged_id)


def _account_of(db: Session, person_id: int) -> int | None:
    return db.scalar(select(Account.id).where(Account.person_id == person_id))


def _give(db: Session, account_id: int, before: int, after: int) -> None:
    db.execute(update(Account).where(Account.id == account_id, Account.person_id == before).values(person_id=after))


add_merge_person(MergePersonPart(name="accounts", moves=("account.person_id",), preview=preview, do=do, undo=undo))


def preview_units(db: Session, units: Select[int], _now: datetime) -> list[UnitFact]:
    """How many people there can sign in, and how many grants stand there."""
    accounts = select(func.count()).join(Person, Person.id == Account.person_id).where(Person.unit_id.in_(units))
    grants = select(func.count()).where(AccountGrant.unit_id.in_(units))
    return [
        UnitFact("accounts", db.scalar(accounts.select_from(Account)) or 0),
        UnitFact("grants", db.scalar(grants) or 0),
    ]


def carry_grants(db: Session, merging: UnitMerging) -> dict[str, list[int]]:
    """Give the grants of the merged unit to the one that stays, but those that the account has there already.

    Raises GrantTooWide: it is a grant like any other, never wider than the actor's own.
    """
    if not merging.carry_grants:
        return {"account_grant": []}
    path = db.get_one(OrgUnit, merging.kept_id).path
    moved = []
    for grant in _grants_at(db, merging.merged_id):
        if not may_grant(merging.actor, Role(grant.role), path, grant.industry_id):
            raise GrantTooWide
        if _put(db, grant, merging.kept_id):
            moved.append(grant.id)
    return {"account_grant": moved}


def return_grants(db: Session, merging: UnitMerging, moved: dict[str, list[int]]) -> None:
    """Give them back, those that stand."""
    for grant in _grants_at(db, merging.kept_id):
        if grant.id in moved["account_grant"]:
            _put(db, grant, merging.merged_id)


def _grants_at(db: Session, unit_id: int) -> list[AccountGrant]:
    rows = select(AccountGrant).where(AccountGrant.unit_id == unit_id).order_by(AccountGrant.id).with_for_update()
    return list(db.scalars(rows))


def _put(db: Session, grant: AccountGrant, unit_id: int) -> bool:
    """Let a grant be for another unit; False where the account has the same one there."""
    reach = grant_reach(grant.role, unit_id, grant.industry_id)
    twin = select(AccountGrant.id).where(AccountGrant.account_id == grant.account_id, AccountGrant.reach == reach)
    if db.scalar(twin) is not None:
        return False
    grant.unit_id, grant.reach = unit_id, reach
    db.flush()
    return True


add_merge_unit(
    MergeUnitPart(
        name="accounts",
        moves=("account_grant.unit_id",),
        preview=preview_units,
        do=carry_grants,
        undo=return_grants,
    )
)
