"""Reading accounts: the actor behind a sign-in, and the lists of the staff pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from quizapp.accounts.errors import LinkInvalid
from quizapp.accounts.logins import normalize_login
from quizapp.accounts.models import Account, AccountGrant, SetUpLink
from quizapp.audit import queries as audit
from quizapp.audit.models import AuditEvent
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Grant, Permission, Role, Scope
from quizapp.core.tokens import Keys, digest
from quizapp.organisation.models import Industry, OrgUnit, Person
from quizapp.organisation.queries import unit_ids_in

#: Accounts and log lines on a page.
PAGE = 50


@dataclass(frozen=True)
class GrantRow:
    """A grant with the names of its unit and industry; None means all."""

    grant: AccountGrant
    unit: OrgUnit | None
    industry: Industry | None


@dataclass(frozen=True)
class AccountRow:
    """An account with its person, unit and grants, as far as the asker's scope shows them."""

    account: Account
    person: Person
    unit: OrgUnit | None
    grants: tuple[GrantRow, ...]


def find_actor(db: Session, account_id: int, session_epoch: int) -> Actor | None:
    """Who is behind a sign-in, with today's grants, in one query; None when the account is suspended or signed in anew since."""
    rows: Sequence[Any] = db.execute(
        select(
            Account.person_id,
            Person.name,
            AccountGrant.role,
            AccountGrant.unit_id,
            OrgUnit.path,
            AccountGrant.industry_id,
        )
        .join(Person, Person.id == Account.person_id)
        .outerjoin(AccountGrant, AccountGrant.account_id == Account.id)
        .outerjoin(OrgUnit, OrgUnit.id == AccountGrant.unit_id)
        .where(Account.id == account_id, Account.session_epoch == session_epoch, Account.suspended_at.is_(None))
        .order_by(AccountGrant.id)
    ).all()
    if not rows:
        return None
    grants = tuple(
        Grant(Role(row.role), row.path, row.industry_id)
        for row in rows
        if row.role is not None and (row.unit_id is None or row.path is not None)
    )
    return Actor(account_id=account_id, person_id=rows[0][0], name=rows[0][1], scope=Scope(grants))


def find_set_up(db: Session, secret: str, now: datetime) -> Account:
    """The account that a set-up link opens. Raises LinkInvalid when it is unknown, used or expired."""
    account = db.scalar(
        select(Account)
        .join(SetUpLink, SetUpLink.account_id == Account.id)
        .where(
            SetUpLink.secret_hash == digest(secret),
            SetUpLink.used_at.is_(None),
            SetUpLink.expires_at > now,
            Account.suspended_at.is_(None),
        )
    )
    if account is None:
        raise LinkInvalid
    return account


def find_account_by_username(db: Session, username: str) -> Account | None:
    """The account that signs in by a name."""
    return db.scalar(select(Account).where(Account.username == username.strip().lower()))


def list_accounts(
    db: Session,
    scope: Scope,
    *,
    keys: Keys,
    text: str = "",
    role: Role | None = None,
    residents: bool = False,
    after_id: int = 0,
    limit: int = PAGE,
) -> list[AccountRow]:
    """Accounts of the scope: staff (with a grant or a name to sign in by) or, with `residents`, all; by name part, sign-in name or
    whole phone number."""
    query = (
        select(Account, Person, OrgUnit)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(_visible(scope), Account.id > after_id)
        .order_by(Account.id)
        .limit(limit)
    )
    typed = text.strip()
    if typed:
        kind, name = normalize_login(typed)
        query = query.where(
            Account.phone_hash == keys.phone_hash(name)
            if kind == "phone"
            else or_(Account.username.startswith(name, autoescape=True), Person.name.contains(typed, autoescape=True))
        )
    if role is not None:
        query = query.where(Account.id.in_(select(AccountGrant.account_id).where(AccountGrant.role == role.value)))
    if not residents:
        query = query.where(or_(Account.username.is_not(None), Account.id.in_(select(AccountGrant.account_id))))
    rows = db.execute(query).all()
    grants = _grants_of(db, [account.id for account, _, _ in rows])
    return [AccountRow(account, person, unit, tuple(grants.get(account.id, ()))) for account, person, unit in rows]


def get_account(db: Session, scope: Scope, account_id: int) -> AccountRow:
    """One account of the scope. Raises NotFound."""
    row = db.execute(
        select(Account, Person, OrgUnit)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(_visible(scope), Account.id == account_id)
    ).first()
    if row is None:
        raise NotFound
    account, person, unit = row
    return AccountRow(account, person, unit, tuple(_grants_of(db, [account.id]).get(account.id, ())))


@dataclass(frozen=True)
class HolderRow:
    """A grant at a unit with who holds it."""

    grant: AccountGrant
    person: Person
    unit: OrgUnit


def grants_at(db: Session, scope: Scope, unit_ids: Sequence[int], limit: int = PAGE) -> list[HolderRow]:
    """The grants that stand at some units themselves, of accounts that are not suspended, as far as the scope manages these units."""
    if not unit_ids:
        return []
    rows = db.execute(
        select(AccountGrant, Person, OrgUnit)
        .join(Account, Account.id == AccountGrant.account_id)
        .join(Person, Person.id == Account.person_id)
        .join(OrgUnit, OrgUnit.id == AccountGrant.unit_id)
        .where(
            AccountGrant.unit_id.in_(unit_ids),
            Account.suspended_at.is_(None),
            scope.condition(Permission.MANAGE_ACCOUNTS, OrgUnit.path),
        )
        .order_by(OrgUnit.path, AccountGrant.id)
        .limit(limit)
    )
    return [HolderRow(grant, person, unit) for grant, person, unit in rows]


@dataclass(frozen=True)
class AuditRow:
    """A log line with the name of who acted and of the unit, as they are today."""

    event: AuditEvent
    name: str | None
    username: str | None
    unit: str | None


def search_audit(
    db: Session,
    scope: Scope,
    *,
    username: str = "",
    action: str | None = None,
    object_type: str | None = None,
    object_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    before_id: int | None = None,
    limit: int = PAGE,
) -> list[AuditRow]:
    """The log of the scope, newest first. An unknown sign-in name finds nothing."""
    account_id = None
    if username.strip():
        account = find_account_by_username(db, username)
        if account is None:
            return []
        account_id = account.id
    events = audit.search(
        db,
        scope,
        unit_in_scope=unit_ids_in(scope, Permission.SEE_AUDIT, AuditEvent.unit_id),
        account_id=account_id,
        action=action,
        object_type=object_type,
        object_id=object_id,
        start=start,
        end=end,
        before_id=before_id,
        limit=limit,
    )
    people = {
        account_id: (name, login)
        for account_id, name, login in db.execute(
            select(Account.id, Person.name, Account.username)
            .join(Person, Person.id == Account.person_id)
            .where(Account.id.in_({e.account_id for e in events if e.account_id is not None}))
        )
    }
    units = dict(
        db.execute(
            select(OrgUnit.id, OrgUnit.name).where(OrgUnit.id.in_({e.unit_id for e in events if e.unit_id is not None}))
        ).all()
    )
    result = []
    for event in events:
        name, login = people.get(event.account_id or 0, (None, None))
        result.append(AuditRow(event, name, login, units.get(event.unit_id or 0)))
    return result


def _visible(scope: Scope) -> ColumnElement[bool]:
    """Accounts whose person or one of whose grants stands in the scope."""
    permission = Permission.MANAGE_ACCOUNTS
    if any(g.path is None and g.industry_id is None for g in scope.with_permission(permission)):
        return Account.id.is_not(None)
    granted = select(AccountGrant.account_id).where(unit_ids_in(scope, permission, AccountGrant.unit_id))
    return or_(unit_ids_in(scope, permission, Person.unit_id), Account.id.in_(granted))


def _grants_of(db: Session, account_ids: Iterable[int]) -> dict[int, list[GrantRow]]:
    rows: Sequence[tuple[AccountGrant, OrgUnit | None, Industry | None]] = db.execute(
        select(AccountGrant, OrgUnit, Industry)
        .outerjoin(OrgUnit, OrgUnit.id == AccountGrant.unit_id)
        .outerjoin(Industry, Industry.id == AccountGrant.industry_id)
        .where(AccountGrant.account_id.in_(list(account_ids)))
        .order_by(AccountGrant.id)
    ).all()
    grants: dict[int, list[GrantRow]] = {}
    for grant, unit, industry in rows:
        grants.setdefault(grant.account_id, []).append(GrantRow(grant, unit, industry))
    return grants
