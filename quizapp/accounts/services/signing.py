"""Signing in and signing up. Both answer alike whether or not a phone number is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.errors import SignInFailed, UsernameInvalid
from quizapp.accounts.logins import normalize_login
from quizapp.accounts.models import Account, AccountGrant
from quizapp.accounts.passwords import hash_password, needs_rehash, verify_password
from quizapp.audit.services import record
from quizapp.core.db import insert_once
from quizapp.core.scope import SYSTEM, Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.errors import UnitClosed
from quizapp.organisation.models import Person, PersonSource
from quizapp.organisation.queries import find_open_unit
from quizapp.organisation.services import clean_name

_USERNAME = re.compile(r"[a-z0-9._-]{3,40}")


@dataclass(frozen=True)
class Verified:
    """An account whose password was right."""

    account: Account
    #: The password's hash in today's figures, where the stored one is older.
    new_hash: str | None
    #: The phone number's hash under today's key, where the stored one is older.
    new_phone_hash: bytes | None = None


def normalize_username(text: str) -> str:
    """A name to sign in by, lower case. Raises UsernameInvalid."""
    name = text.strip().lower()
    if not _USERNAME.fullmatch(name) or name.isdecimal():
        raise UsernameInvalid(field="username")
    return name


def verify_sign_in(db: Session, *, keys: Keys, login: str, password: str) -> Verified:
    """Check name and password without writing anything. Raises SignInFailed, alike and after the same time for every cause."""
    kind, name = normalize_login(login)
    hashes = keys.phone_hashes(name) if kind == "phone" else ()
    named = Account.phone_hash.in_(hashes) if hashes else Account.username == name
    account = db.scalar(select(Account).where(named).order_by(Account.id).limit(1))
    right = verify_password(account.password_hash if account else None, password)
    if account is None or not right or account.suspended_at is not None:
        raise SignInFailed(account_id=account.id if account else None)
    stored = account.password_hash or ""
    return Verified(
        account,
        hash_password(password) if needs_rehash(stored) else None,
        hashes[0] if hashes and bytes(account.phone_hash or b"") != hashes[0] else None,
    )


def keep_new_hash(db: Session, *, verified: Verified) -> Account:
    """Keep renewed hashes, of the password and of the phone number."""
    account = verified.account
    if verified.new_hash is not None:
        account.password_hash = verified.new_hash
    if verified.new_phone_hash is not None:
        account.phone_hash = verified.new_phone_hash
    db.flush()
    return account


def complete_sign_in(db: Session, *, verified: Verified, now: datetime) -> Account:
    """Keep renewed hashes; a staff member's sign-in is logged."""
    account = keep_new_hash(db, verified=verified)
    if db.scalar(select(AccountGrant.id).where(AccountGrant.account_id == account.id).limit(1)) is not None:
        actor = Actor(account_id=account.id)
        record(db, actor=actor, action="signed_in", object_type="account", object_id=account.id, details={}, now=now)
    return account


def record_failed_sign_in(db: Session, *, error: SignInFailed, now: datetime) -> None:
    """Log a refused sign-in: the account where there is one, never what was typed."""
    account_id = error.data.get("account_id")
    record(
        db,
        actor=SYSTEM,
        action="sign_in_refused",
        object_type="account",
        object_id=account_id if isinstance(account_id, int) else None,
        now=now,
    )


def sign_up(
    db: Session,
    *,
    keys: Keys,
    phone: str,
    password_hash: str,
    name: str,
    unit_id: int | None,
    now: datetime,
) -> None:
    """Make an account for a phone number (eleven digits), unless one stands: that one stays as it is, and nobody is told.

    The account's person is new: a number that was typed is no proof of who stands on a roster. Raises UnitClosed.
    """
    if unit_id is not None and find_open_unit(db, unit_id) is None:
        raise UnitClosed(field="unit_id")
    phone_hash, *older = keys.phone_hashes(phone)
    person = Person(
        name=clean_name(name),
        phone_encrypted=keys.encrypt_phone(phone),
        phone_hash=phone_hash,
        source=PersonSource.ACCOUNT.value,
        unit_id=unit_id,
        created_at=now,
    )
    db.add(person)
    db.flush()
    # the unique key tells two of one hash, not two hashes of one number
    stands = bool(older) and db.scalar(select(Account.id).where(Account.phone_hash.in_(older))) is not None
    made = not stands and insert_once(
        db,
        Account,
        {
            "phone_hash": phone_hash,
            "password_hash": password_hash,
            "person_id": person.id,
            "session_epoch": 0,
            "elder": False,
            "text_size": "normal",
            "created_at": now,
        },
        ["phone_hash"],
    )
    if not made:
        db.delete(person)
        db.flush()


def keep_preferences(
    db: Session,
    *,
    account_id: int,
    elder: bool | None = None,
    language: str | None = None,
    text_size: str | None = None,
) -> None:
    """Remember an account's choices of the elder edition, the language ("zh", "en") and the text size; None leaves one as it is."""
    account = db.get(Account, account_id)
    if account is None:
        return
    if elder is not None:
        account.elder = elder
    if language is not None:
        account.language = language
    if text_size is not None:
        account.text_size = text_size
    db.flush()
