"""Accounts, grants, sign-ins, second factors, one-time links, and the failures that slow a guesser down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId, UtcDateTime


class Account(Base):
    """Somebody who can sign in."""

    __tablename__ = "account"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Name for staff who sign in by a name, lower case.
    username: Mapped[str | None] = mapped_column(String(60), unique=True)
    #: Keyed hash of the phone number that signs in.
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    #: argon2 hash; None until the owner has set a password.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    #: The person behind the account.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    #: Changes with each password change or suspension: older sign-ins end.
    session_epoch: Mapped[int] = mapped_column(default=0)
    #: When it was suspended.
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Remembered choices: "elder", "normal"; language; text size.
    elder: Mapped[bool] = mapped_column(default=False)
    #: "zh_Hans_CN", "en" or None for the browser's.
    language: Mapped[str | None] = mapped_column(String(20))
    #: "normal", "large", "largest".
    text_size: Mapped[str] = mapped_column(String(10), default="normal")
    #: When it was made.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def _reach_of_row(context: DefaultExecutionContext) -> str:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
    return grant_reach(row["role"], row.get("unit_id"), row.get("industry_id"))


def grant_reach(role: str, unit_id: int | None, industry_id: int | None) -> str:
    """Role, unit and industry of a grant in one text; "-" stands for all.

    >>> grant_reach("coordinator", 7, None)
    'coordinator/7/-'
    """
    return f"{role}/{unit_id or '-'}/{industry_id or '-'}"


class AccountGrant(Base):
    """Role × unit × industry; an empty unit or industry means all."""

    __tablename__ = "account_grant"
    # A button pressed twice grants once: a revoked grant must not live on in a twin.
    __table_args__ = (UniqueConstraint("account_id", "reach"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: To whom.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    #: `core.scope.Role`.
    role: Mapped[str] = mapped_column(String(20))
    #: The unit with all below.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: The industry.
    industry_id: Mapped[int | None] = mapped_column(ForeignKey("industry.id"))
    #: Role, unit and industry in one text ("coordinator/7/-"), because empty columns are never equal in a unique key.
    reach: Mapped[str] = mapped_column(String(60), default=_reach_of_row)
    #: Who granted it; None for the installation itself.
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    #: When.
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountSession(Base):
    """One sign-in in one browser. The cookie carries its secret; a row that has ended lets nobody in any more."""

    __tablename__ = "account_session"
    __table_args__ = (Index("ix_account_session_account_id_ended_at", "account_id", "ended_at"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: SHA-256 of the secret in the browser's cookie.
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    #: Whose.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    #: `Account.session_epoch` at the sign-in: a new password or a suspension ends it.
    epoch: Mapped[int]
    #: Which browser on what, as two codes ("wechat/android"), never the browser's whole name.
    device: Mapped[str] = mapped_column(String(40))
    #: Whether a second factor was checked.
    second_factor: Mapped[bool] = mapped_column(default=False)
    #: When it was made.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was last used, to a few minutes.
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Until when it holds at the longest.
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was ended: by signing out, from another browser, or by an administrator.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SecondFactor(Base):
    """The shared secret of an account's authenticator app (RFC 6238)."""

    __tablename__ = "second_factor"

    #: The account.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    #: The secret, encrypted.
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: The time step of the code that was used last: no code works twice.
    last_step: Mapped[int] = mapped_column(BigId, default=0)
    #: When it was set up.
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """One of ten codes that each stand once for the authenticator app."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("account_id", "code_hash"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Whose.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    #: Keyed hash of the code.
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    #: When it was used.
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SetUpLink(Base):
    """A link that sets a password once."""

    __tablename__ = "set_up_link"

    #: SHA-256 of the link's secret.
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    #: Whose password it sets.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    #: Until when.
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was used.
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When it was made.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Failure(Base):
    """A failed try of something that could be guessed. Successes are not kept."""

    __tablename__ = "failure"
    __table_args__ = (Index("ix_failure_kind_subject_at", "kind", "subject", "at_ms"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: What was tried: "sign_in", "second_factor", "receipt", "transfer", "poster", "certificate"; with "_lock" it is a lock and
    #: `at_ms` its end.
    kind: Mapped[str] = mapped_column(String(20))
    #: Keyed hash of the account, code, session or address prefix that it is counted for.
    subject: Mapped[bytes] = mapped_column(LargeBinary)
    #: When, milliseconds UTC.
    at_ms: Mapped[int] = mapped_column(BigId)
