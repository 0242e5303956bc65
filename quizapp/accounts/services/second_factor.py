"""The second factor of staff: set up, checked at sign-in, renewed, taken away by its owner or by an administrator."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from quizapp.accounts.errors import AccountBeyond, FactorCodeWrong, FactorMissing, FactorStands
from quizapp.accounts.models import Account, AccountGrant, RecoveryCode, SecondFactor
from quizapp.accounts.services.staff import check_reaches_account
from quizapp.accounts.totp import matching_step, new_recovery_codes, read_code
from quizapp.audit.services import record
from quizapp.core.db import insert_once
from quizapp.core.scope import SYSTEM, Actor
from quizapp.core.tokens import Keys, digest

#: For what the secret is encrypted.
PURPOSE = "second-factor"


def has_second_factor(db: Session, account_id: int) -> bool:
    """Whether an account has one."""
    return db.get(SecondFactor, account_id) is not None


def is_staff(db: Session, account_id: int) -> bool:
    """Whether an account has a grant: residents are never asked for a second factor."""
    return db.scalar(select(AccountGrant.id).where(AccountGrant.account_id == account_id).limit(1)) is not None


def enrol(db: Session, *, keys: Keys, account: Account, secret: str, code: str, now: datetime) -> list[str]:
    """Set up the app whose code this is; gives the recovery codes, which are shown once. Raises FactorStands, FactorCodeWrong."""
    step = matching_step(secret, read_code(code)[1], now)
    if step is None:
        raise FactorCodeWrong(field="code")
    made = insert_once(
        db,
        SecondFactor,
        {
            "account_id": account.id,
            "secret_sealed": keys.seal(secret.encode(), PURPOSE),
            "last_step": step,
            "enrolled_at": now,
        },
        ["account_id"],
    )
    if not made:
        raise FactorStands
    _record(db, Actor(account_id=account.id), "second_factor_set_up", account.id, {}, now)
    return _new_codes(db, account.id)


def check_second_factor(db: Session, *, keys: Keys, account: Account, code: str, now: datetime) -> None:
    """Take a code of the app, or a recovery code, each of which is good once. Raises FactorMissing, FactorCodeWrong.

    Of two uses of one code at once, one succeeds.
    """
    factor = db.get(SecondFactor, account.id, populate_existing=True)
    if factor is None:
        raise FactorMissing
    kind, typed = read_code(code)
    if kind == "totp":
        step = matching_step(keys.unseal(factor.secret_sealed, PURPOSE).decode(), typed, now)
        if step is not None and _use_step(db, account.id, step):
            return
    elif kind == "recovery":
        taken = (
            update(RecoveryCode)
            .where(
                RecoveryCode.account_id == account.id,
                RecoveryCode.code_hash == digest(typed),
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=now)
            .returning(RecoveryCode.id)
        )
        if db.execute(taken).first() is not None:
            _record(db, Actor(account_id=account.id), "recovery_code_used", account.id, {}, now)
            return
    raise FactorCodeWrong(field="code", account_id=account.id)


def guess_subject(db: Session, account: Account) -> str:
    """For what wrong codes are counted: the account with its present factor, so that a new one starts anew."""
    factor = db.get(SecondFactor, account.id)
    return f"{account.id}:{int(factor.enrolled_at.timestamp()) if factor else 'new'}"


def record_lock(db: Session, *, account_id: int, now: datetime) -> None:
    """Log that so many codes were wrong that the second step is closed."""
    _record(db, SYSTEM, "second_factor_locked", account_id, {}, now)


def record_refused_code(db: Session, *, account_id: int, now: datetime) -> None:
    """Log a code that was not right."""
    _record(db, SYSTEM, "second_factor_refused", account_id, {}, now)


def renew_recovery_codes(db: Session, *, keys: Keys, account: Account, code: str, now: datetime) -> list[str]:
    """Ten new codes in place of the old ones. Raises FactorMissing, FactorCodeWrong."""
    check_second_factor(db, keys=keys, account=account, code=code, now=now)
    _record(db, Actor(account_id=account.id), "recovery_codes_renewed", account.id, {}, now)
    return _new_codes(db, account.id)


def remove_second_factor(db: Session, *, keys: Keys, account: Account, code: str, now: datetime) -> None:
    """The owner takes it away. Raises FactorMissing, FactorCodeWrong."""
    check_second_factor(db, keys=keys, account=account, code=code, now=now)
    _take_away(db, account.id)
    _record(db, Actor(account_id=account.id), "second_factor_removed", account.id, {}, now)


def reset_second_factor(db: Session, *, account: Account, actor: Actor, now: datetime) -> None:
    """Take it away for somebody else, who lost phone and codes. Twice is harmless. Raises AccountBeyond.

    One's own takes a code (`remove_second_factor`): whoever finds a signed-in browser does not get rid of it.
    """
    check_reaches_account(db, actor, account)
    if actor.account_id == account.id:
        raise AccountBeyond
    if has_second_factor(db, account.id):
        _take_away(db, account.id)
        _record(db, actor, "second_factor_reset", account.id, {}, now)


def codes_left(db: Session, account_id: int) -> int:
    """How many recovery codes are unused."""
    unused = select(RecoveryCode.id).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return len(db.scalars(unused).all())


def _use_step(db: Session, account_id: int, step: int) -> bool:
    used = (
        update(SecondFactor)
        .where(SecondFactor.account_id == account_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.account_id)
    )
    return db.execute(used).first() is not None


def _new_codes(db: Session, account_id: int) -> list[str]:
    db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = new_recovery_codes()
    db.add_all(RecoveryCode(account_id=account_id, code_hash=digest(code)) for code in codes)
    db.flush()
    return codes


def _take_away(db: Session, account_id: int) -> None:
    db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    db.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
    db.expire_all()


def _record(db: Session, actor: Actor, action: str, account_id: int, details: dict[str, int], now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="account",
        object_id=account_id,
        details=details,
        now=now,
    )
