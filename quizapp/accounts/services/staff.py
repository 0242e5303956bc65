"""Staff accounts: made by somebody with a wider grant, opened with a one-time link, limited by grants, suspended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quizapp.accounts.errors import (
    AccountBeyond,
    AccountErased,
    GrantTooWide,
    LastAdministrator,
    LinkInvalid,
    UsernameTaken,
)
from quizapp.accounts.models import Account, AccountGrant, SetUpLink, grant_reach
from quizapp.accounts.services.signing import normalize_username
from quizapp.audit.services import record
from quizapp.core.db import insert_once
from quizapp.core.errors import NotFound
from quizapp.core.scope import ROLE_PERMISSIONS, SYSTEM, Actor, Permission, Role
from quizapp.core.tokens import digest, new_secret
from quizapp.organisation.errors import NameNeeded, UnitClosed
from quizapp.organisation.models import Industry, OrgUnit, Person, PersonSource
from quizapp.organisation.services import clean_name

#: How long a set-up link lives.
LINK_LIFE = timedelta(days=7)
#: The name of the first administrator, until the set-up chooses another.
FIRST_USERNAME = "admin"


def may_grant(actor: Actor, role: Role, path: str | None, industry_id: int | None) -> bool:
    """Whether a grant lies within one of the actor's own grants that manage accounts: role, unit and industry."""
    if actor.system:
        return True
    return any(
        ROLE_PERMISSIONS[role] <= ROLE_PERMISSIONS[own.role] and own.covers(path, industry_id)
        for own in actor.scope.with_permission(Permission.MANAGE_ACCOUNTS)
    )


def create_staff_account(
    db: Session,
    *,
    username: str,
    name: str,
    role: Role,
    unit: OrgUnit | None,
    industry: Industry | None = None,
    actor: Actor,
    now: datetime,
) -> tuple[Account, str]:
    """A new account with one grant, and the secret of the set-up link to hand over.

    Raises UsernameInvalid, UsernameTaken, NameNeeded, GrantTooWide, UnitClosed.
    """
    login = normalize_username(username)
    label = clean_name(name)
    if not label:
        raise NameNeeded(field="name")
    if unit is not None and unit.closed_at is not None:
        raise UnitClosed(field="unit_id")
    account = _new_account(db, login, label, unit.id if unit else None, now)
    if account is None:
        raise UsernameTaken(field="username")
    _record(db, actor, "account_created", account.id, unit.id if unit else None, {"role": role.value}, now)
    create_grant(db, account=account, role=role, unit=unit, industry=industry, actor=actor, now=now)
    return account, make_set_up_link(db, account=account, actor=actor, now=now)


def ensure_first_administrator(db: Session, now: datetime) -> str | None:
    """The secret of a fresh set-up link while no administrator over all units has a password; None once one can sign in.

    Makes the account on the first start; later calls end the unused link and give another.
    """
    administrators = _administrators(db)
    if any(account.password_hash and account.suspended_at is None for account in administrators):
        return None
    account = next((a for a in administrators if a.suspended_at is None and a.password_hash is None), None)
    if account is None:
        account = _new_account(db, FIRST_USERNAME, "管理员", None, now)
        if account is None:  # the name belongs to somebody without the grant: another start, or another role
            account = db.scalars(select(Account).where(Account.username == FIRST_USERNAME)).one()
            if account.password_hash is not None:
                return None
        create_grant(db, account=account, role=Role.ADMINISTRATOR, unit=None, industry=None, actor=SYSTEM, now=now)
    return make_set_up_link(db, account=account, actor=SYSTEM, now=now)


def make_set_up_link(db: Session, *, account: Account, actor: Actor, now: datetime) -> str:
    """The secret of a new link that sets the account's password once within seven days; an older unused link ends.

    Raises AccountErased, and AccountBeyond: whoever sets a password can act as the account.
    """
    check_reaches_account(db, actor, account)
    _check_not_erased(db, account)
    db.execute(delete(SetUpLink).where(SetUpLink.account_id == account.id, SetUpLink.used_at.is_(None)))
    secret = new_secret()
    db.add(SetUpLink(secret_hash=digest(secret), account_id=account.id, expires_at=now + LINK_LIFE, created_at=now))
    _record(db, actor, "set_up_link_made", account.id, None, {}, now)
    return secret


def use_set_up_link(db: Session, *, secret: str, username: str | None, password_hash: str, now: datetime) -> Account:
    """Set the password (and the name to sign in by, where one is given) of the link's account; older sign-ins end.

    Of two uses at once one succeeds. Raises LinkInvalid, UsernameInvalid, UsernameTaken.
    """
    account_id = db.execute(
        update(SetUpLink)
        .where(SetUpLink.secret_hash == digest(secret), SetUpLink.used_at.is_(None), SetUpLink.expires_at > now)
        .values(used_at=now)
        .returning(SetUpLink.account_id)
    ).scalar()
    account = db.get(Account, account_id) if account_id is not None else None
    if account is None or account.suspended_at is not None:
        raise LinkInvalid
    if username is not None:
        account.username = normalize_username(username)
    account.password_hash = password_hash
    account.session_epoch += 1
    try:
        with db.begin_nested():
            db.flush()
    except IntegrityError as error:
        raise UsernameTaken(field="username") from error
    _record(db, Actor(account_id=account.id), "password_set", account.id, None, {}, now)
    return account


def create_grant(
    db: Session,
    *,
    account: Account,
    role: Role,
    unit: OrgUnit | None,
    industry: Industry | None,
    actor: Actor,
    now: datetime,
) -> AccountGrant:
    """Grant a role at a unit (None: all) and an industry (None: all). The same grant twice is one. Raises GrantTooWide, AccountErased."""
    _check_not_erased(db, account)
    path = unit.path if unit else None
    if not may_grant(actor, role, path, industry.id if industry else None):
        raise GrantTooWide(field="role")
    reach = grant_reach(role.value, unit.id if unit else None, industry.id if industry else None)
    made = insert_once(
        db,
        AccountGrant,
        {
            "account_id": account.id,
            "role": role.value,
            "unit_id": unit.id if unit else None,
            "industry_id": industry.id if industry else None,
            "reach": reach,
            "granted_by": actor.account_id,
            "granted_at": now,
        },
        ["account_id", "reach"],
    )
    grant = db.scalars(
        select(AccountGrant).where(
            AccountGrant.account_id == account.id,
            AccountGrant.reach == reach,
        )
    ).one()
    if made:
        details = {"role": role.value, "industry_id": grant.industry_id, "grant_id": grant.id}
        _record(db, actor, "grant_created", account.id, grant.unit_id, details, now)
    return grant


def revoke_grant(db: Session, *, account: Account, grant_id: int, actor: Actor, now: datetime) -> None:
    """Take a grant back; it ends with the next request. Raises NotFound, GrantTooWide, LastAdministrator."""
    grant = db.scalar(select(AccountGrant).where(AccountGrant.id == grant_id, AccountGrant.account_id == account.id))
    if grant is None:
        raise NotFound
    role = Role(grant.role)
    if not may_grant(actor, role, _path_of(db, grant.unit_id), grant.industry_id):
        raise GrantTooWide
    if _is_whole(grant):
        _check_administrator_left(db, account)
    details = {"role": role.value, "industry_id": grant.industry_id, "grant_id": grant.id}
    db.delete(grant)
    _record(db, actor, "grant_revoked", account.id, grant.unit_id, details, now)


def suspend_account(db: Session, *, account: Account, actor: Actor, now: datetime) -> None:
    """End all sign-ins of an account until it is restored. Twice is harmless. Raises AccountBeyond, LastAdministrator."""
    check_reaches_account(db, actor, account)
    if account.suspended_at is not None:
        return
    if any(_is_whole(grant) for grant in _grants(db, account.id)):
        _check_administrator_left(db, account)
    account.suspended_at = now
    account.session_epoch += 1
    _record(db, actor, "account_suspended", account.id, None, {}, now)


def check_may_close(db: Session, account: Account) -> None:
    """Another administrator is left when this account can sign in no more. Raises LastAdministrator."""
    if account.suspended_at is None and any(_is_whole(grant) for grant in _grants(db, account.id)):
        _check_administrator_left(db, account)


def restore_account(db: Session, *, account: Account, actor: Actor, now: datetime) -> None:
    """Let a suspended account sign in again. Raises AccountBeyond, AccountErased."""
    check_reaches_account(db, actor, account)
    _check_not_erased(db, account)
    if account.suspended_at is not None:
        account.suspended_at = None
        _record(db, actor, "account_restored", account.id, None, {}, now)


def _check_not_erased(db: Session, account: Account) -> None:
    """Raises AccountErased. The row of the person is read anew: an erasure may just have come."""
    erased = select(Person.erased_at).where(Person.id == account.person_id)
    if db.scalar(erased) is not None:
        raise AccountErased


def check_reaches_account(db: Session, actor: Actor, account: Account) -> None:
    """Every grant of the account lies within the actor's own. Raises AccountBeyond.

    Whether the account may be seen at all is `queries.get_account`'s to say.
    """
    for grant in _grants(db, account.id):
        if not may_grant(actor, Role(grant.role), _path_of(db, grant.unit_id), grant.industry_id):
            raise AccountBeyond


def _new_account(db: Session, username: str, name: str, unit_id: int | None, now: datetime) -> Account | None:
    """The account and its person, or None when the name is taken; a savepoint keeps the transaction usable."""
    try:
        with db.begin_nested():
            person = Person(name=name, source=PersonSource.ACCOUNT.value, unit_id=unit_id, created_at=now)
            db.add(person)
            db.flush()
            account = Account(username=username, person_id=person.id, created_at=now)
            db.add(account)
            db.flush()
    except IntegrityError:
        return None
    return account


def _grants(db: Session, account_id: int) -> Sequence[AccountGrant]:
    return db.scalars(select(AccountGrant).where(AccountGrant.account_id == account_id)).all()


def _is_whole(grant: AccountGrant) -> bool:
    return grant.role == Role.ADMINISTRATOR and grant.unit_id is None and grant.industry_id is None


def _administrators(db: Session) -> Sequence[Account]:
    """The accounts that administer everything; their grants are locked, so that two who revoke each other come one after the other."""
    grants = db.scalars(
        select(AccountGrant)
        .where(
            AccountGrant.role == Role.ADMINISTRATOR.value,
            AccountGrant.unit_id.is_(None),
            AccountGrant.industry_id.is_(None),
        )
        .order_by(AccountGrant.id)
        .with_for_update()
    ).all()
    return db.scalars(
        select(Account)
        .where(Account.id.in_([grant.account_id for grant in grants]))
        .order_by(Account.id)
        .execution_options(populate_existing=True)
    ).all()


def _check_administrator_left(db: Session, account: Account) -> None:
    others = (a for a in _administrators(db) if a.id != account.id)
    if not any(a.password_hash and a.suspended_at is None for a in others):
        raise LastAdministrator


def _path_of(db: Session, unit_id: int | None) -> str | None:
    return db.get_one(OrgUnit, unit_id).path if unit_id is not None else None


def _record(
    db: Session,
    actor: Actor,
    action: str,
    account_id: int,
    unit_id: int | None,
    details: Mapping[str, object],
    now: datetime,
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="account",
        object_id=account_id,
        unit_id=unit_id,
        details=details,
        now=now,
    )
