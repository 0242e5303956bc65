"""Reading accounts: the actor behind a sign-in, and the lists of the staff pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from quizapp.accounts.errors import LinkInvalid
from quizapp.accounts.logins import normalize_login
from quizapp.accounts.models import Account, AccountGrant, AccountSession, SetUpLink
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


@dataclass(frozen=True)
class SignIn:
    """A sign-in that stands, with who is behind it."""

    id: int
    actor: Actor
    seen_at: datetime
    second_factor: bool


def find_actor(db: Session, account_id: int, session_epoch: int) -> Actor | None:
    """Who an account is, with today's grants, in one query; None when it is suspended or its sign-ins have ended."""
    rows = db.execute(_actor_rows().where(Account.id == account_id, Account.session_epoch == session_epoch)).all()
    return _actor(rows)


def find_sign_in(db: Session, secret: str, now: datetime) -> SignIn | None:
    """Who is behind a browser's secret, with today's grants, in one query.

    None when the sign-in has ended, at any browser, or the account is suspended or has a new password.
    """
    rows = db.execute(
        _actor_rows()
        .add_columns(AccountSession.id.label("session_id"), AccountSession.seen_at, AccountSession.second_factor)
        .join(AccountSession, AccountSession.account_id == Account.id)
        .where(
            AccountSession.secret_hash == digest(secret),
            AccountSession.ended_at.is_(None),
            AccountSession.expires_at > now,
            AccountSession.epoch == Account.session_epoch,
        )
    ).all()
    actor = _actor(rows)
    if actor is None:
        return None
    return SignIn(rows[0].session_id, actor, rows[0].seen_at, rows[0].second_factor)


def list_sign_ins(db: Session, account: Account, now: datetime) -> Sequence[AccountSession]:
    """The sign-ins of an account that stand, the last used first."""
    return db.scalars(
        select(AccountSession)
        .where(
            AccountSession.account_id == account.id,
            AccountSession.ended_at.is_(None),
            AccountSession.expires_at > now,
            AccountSession.epoch == account.session_epoch,
        )
        .order_by(AccountSession.seen_at.desc(), AccountSession.id.desc())
        .limit(PAGE)
    ).all()


def _actor_rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Account.id,
            Account.person_id,
            Person.name,
            AccountGrant.role,
            AccountGrant.unit_id,
            OrgUnit.path,
            AccountGrant.industry_id,
        )
        .select_from(Account)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(AccountGrant, AccountGrant.account_id == Account.id)
        .outerjoin(OrgUnit, OrgUnit.id == AccountGrant.unit_id)
        .where(Account.suspended_at.is_(None))
        .order_by(AccountGrant.id)
    )


def _actor(rows: Sequence[Any]) -> Actor | None:
    if not rows:
        return None
    grants = tuple(
        Grant(Role(row.role), row.path, row.industry_id)
        for row in rows
        if row.role is not None and (row.unit_id is None or row.path is not None)
    )
    return Actor(account_id=rows[0].id, person_id=rows[0].person_id, name=rows[0].name, scope=Scope(grants))


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
            Account.phone_hash.in_(keys.phone_hashes(name))
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


#: Keys of a log line's details that name a unit.
UNIT_KEYS = frozenset({"parent_id", "from_parent_id", "unit_id"})


@dataclass(frozen=True)
class AuditRow:
    """A log line with the names of who acted, of what was acted on, and of the units in it, as they are today."""

    event: AuditEvent
    name: str | None
    username: str | None
    unit: str | None
    #: The name of the unit, industry or account that it was done to; None for other objects, which have numbers.
    object_name: str | None
    #: Names of the units that the details speak of.
    units: Mapping[int, str]


@dataclass(frozen=True)
class AuditSearch:
    """What is looked for in the log; empty parts look for nothing in particular."""

    #: A part of the name, or the beginning of the sign-in name, of who acted.
    who: str = ""
    action: str | None = None
    object_type: str | None = None
    object_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None


def search_audit(
    db: Session, scope: Scope, wanted: AuditSearch, *, before_id: int | None = None, limit: int = PAGE
) -> list[AuditRow]:
    """The log of the scope, newest first; `before_id` goes on where an earlier page stopped."""
    events = audit.search(
        db,
        scope,
        unit_in_scope=unit_ids_in(scope, Permission.SEE_AUDIT, AuditEvent.unit_id),
        accounts=_accounts_called(wanted.who) if wanted.who.strip() else None,
        action=wanted.action,
        object_type=wanted.object_type,
        object_id=wanted.object_id,
        start=wanted.start,
        end=wanted.end,
        before_id=before_id,
        limit=limit,
    )
    objects = {
        kind: {e.object_id for e in events if e.object_type == kind} for kind in ("account", "org_unit", "industry")
    }
    account_ids = {e.account_id for e in events if e.account_id is not None} | objects["account"]
    people = {
        account_id: (name, login)
        for account_id, name, login in db.execute(
            select(Account.id, Person.name, Account.username)
            .join(Person, Person.id == Account.person_id)
            .where(Account.id.in_(account_ids - {None}))
        )
    }
    unit_ids = {e.unit_id for e in events} | objects["org_unit"] | {i for e in events for i in _unit_ids(e)}
    units = dict(db.execute(select(OrgUnit.id, OrgUnit.name).where(OrgUnit.id.in_(unit_ids - {None}))).all())
    industries = dict(
        db.execute(select(Industry.id, Industry.name).where(Industry.id.in_(objects["industry"] - {None}))).all()
    )
    result = []
    for event in events:
        name, login = people.get(event.account_id or 0, (None, None))
        key = event.object_id or 0
        called = {
            "account": next((text for text in people.get(key, (None, None)) if text), None),
            "org_unit": units.get(key),
            "industry": industries.get(key),
        }
        result.append(AuditRow(event, name, login, units.get(event.unit_id or 0), called.get(event.object_type), units))
    return result


def _accounts_called(text: str) -> Select[int]:
    """The accounts that a typed name may mean."""
    typed = text.strip()
    return (
        select(Account.id)
        .join(Person, Person.id == Account.person_id)
        .where(
            or_(
                Account.username.startswith(typed.lower(), autoescape=True),
                Person.name.contains(typed, autoescape=True),
            )
        )
    )


def _unit_ids(event: AuditEvent) -> list[int]:
    keys = UNIT_KEYS | ({"merged_id"} if event.object_type == "org_unit" else set())
    return [value for key, value in event.details.items() if key in keys and isinstance(value, int)]


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


def names_of(db: Session, account_ids: Collection[int | None]) -> Mapping[int, str]:
    """Account → the name of the person behind it."""
    known = [one for one in account_ids if one is not None]
    names = select(Account.id, Person.name).join(Person, Person.id == Account.person_id)
    return dict(db.execute(names.where(Account.id.in_(known))).all())
