"""Who may open an attempt in this browser: the cookie of its own name, or the account that it belongs to.

The secret lives in a cookie per attempt with the delivery's path. So scanning the poster again offers "go on" and "another person",
and a forwarded link shows the start page, never somebody's paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from urllib.parse import urlsplit

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from quizapp.accounts.throttle import Subject
from quizapp.core.tokens import Keys, digest, new_secret, normalize_code
from quizapp.core.web import get_actor, get_keys, get_runtime
from quizapp.quizzes.errors import AttemptNotYours, AttemptReadOnly, FormExpired
from quizapp.quizzes.models import Attempt, AttemptState, Delivery
from quizapp.quizzes.queries.taking import find_attempt, get_delivery

#: How long after the window a browser can still open the result, seconds.
REVIEW_SECONDS = 90 * 24 * 3600
#: How long a receipt code opens a result before it is typed again, seconds.
RECEIPT_SECONDS = 30 * 60
DEVICE_COOKIE = "device"
_DEVICE_SECONDS = 365 * 24 * 3600


class Right(StrEnum):
    """What this browser may do with an attempt."""

    #: It answers.
    WRITE = "write"
    #: It answered before the attempt moved on, or holds the receipt, or its account owns it.
    READ = "read"


@dataclass(frozen=True)
class Access:
    """An attempt with the right that this browser has to it."""

    delivery: Delivery
    attempt: Attempt
    right: Right
    secret: str | None


def cookie_name(public_id: str) -> str:
    """The name of an attempt's cookie."""
    return f"a_{public_id}"


def receipt_cookie_name(public_id: str) -> str:
    """The name of the cookie that a receipt code earns."""
    return f"r_{public_id}"


def cookie_path(delivery: Delivery) -> str:
    """All that belongs to a delivery lies below its poster address."""
    return f"/q/{delivery.poster_code}"


def keep_secret(response: Response, delivery: Delivery, attempt: Attempt, secret: str, now_ms: int) -> None:
    """Put an attempt's secret into this browser."""
    response.set_cookie(
        cookie_name(attempt.public_id),
        secret,
        max_age=max(0, delivery.closes_at - now_ms) // 1000 + REVIEW_SECONDS,
        path=cookie_path(delivery),
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )


def keep_receipt_right(response: Response, delivery: Delivery, attempt: Attempt, now_ms: int) -> None:
    """Let this browser read a result for half an hour."""
    until = now_ms // 1000 + RECEIPT_SECONDS
    response.set_cookie(
        receipt_cookie_name(attempt.public_id),
        f"{until}.{get_keys().sign('receipt-right', attempt.public_id, until)}",
        max_age=RECEIPT_SECONDS,
        path=cookie_path(delivery),
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )


def device_token() -> str | None:
    """This browser's device token, if it has one."""
    token = request.cookies.get(DEVICE_COOKIE)
    return token if token and len(token) == 22 else None


def keep_device(response: Response, token: str | None) -> str:
    """Give this browser a device token (or keep its own); returns it."""
    value = token or new_secret()
    response.set_cookie(
        DEVICE_COOKIE,
        value,
        max_age=_DEVICE_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )
    return value


def attempts_in_browser() -> list[str]:
    """Public ids of the attempts whose cookies came with the request."""
    return [name[2:] for name in request.cookies if name.startswith("a_")][:20]


def right_to(attempt: Attempt, now_ms: int) -> tuple[Right, str | None] | None:
    """What this browser may do with an attempt, and with which secret."""
    secret = request.cookies.get(cookie_name(attempt.public_id))
    if secret:
        hashed = digest(secret)
        if compare_digest(hashed, bytes(attempt.secret_hash)):
            return Right.WRITE, secret
        if attempt.reader_hash is not None and compare_digest(hashed, bytes(attempt.reader_hash)):
            return Right.READ, secret
    if attempt.account_id is not None and attempt.account_id == get_actor().account_id:
        return Right.READ, None
    if attempt.state != AttemptState.OPEN and _receipt_right(attempt, now_ms):
        return Right.READ, None
    return None


def _receipt_right(attempt: Attempt, now_ms: int) -> bool:
    until, _, signature = request.cookies.get(receipt_cookie_name(attempt.public_id), "").partition(".")
    if not until.isdecimal() or int(until) * 1000 < now_ms:
        return False
    return get_keys().verify(signature, "receipt-right", attempt.public_id, until)


def open_attempt(db: Session, poster_code: str, public_id: str, now_ms: int) -> Access:
    """The attempt that this browser may at least read. Raises NotFound (no such poster) or AttemptNotYours."""
    delivery = get_delivery(db, poster_code)
    attempt = find_attempt(db, delivery.id, public_id)
    right = right_to(attempt, now_ms) if attempt is not None else None
    if attempt is None or right is None:
        raise AttemptNotYours(poster_code=delivery.poster_code)
    return Access(delivery, attempt, *right)


def writable(access: Access) -> str:
    """The secret with which this browser writes. Raises AttemptReadOnly."""
    if access.right != Right.WRITE or access.secret is None:
        raise AttemptReadOnly(poster_code=access.delivery.poster_code, public_id=access.attempt.public_id)
    return access.secret


def form_token(keys: Keys, public_id: str, secret: str) -> str:
    """The signature that an attempt's forms carry instead of a session's token."""
    return keys.sign("attempt-form", public_id, secret)


def check_form(access: Access) -> str:
    """Check the signature of a posted attempt form and give the secret. Raises AttemptReadOnly or FormExpired."""
    secret = writable(access)
    if not get_keys().verify(request.form.get("form_token", ""), "attempt-form", access.attempt.public_id, secret):
        raise FormExpired
    return secret


def same_origin() -> bool:
    """Whether a script request comes from our own pages."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    source = request.headers.get("Origin") or request.headers.get("Referer")
    return bool(source) and urlsplit(source).netloc == request.host


def guess_subjects(code: str) -> list[Subject]:
    """What failures with a typed code are counted for: the code itself, this browser, and (only slowed) the address."""
    subjects = [Subject("address", request.remote_addr or "")]
    if device := device_token():
        subjects.append(Subject("session", device))
    if normal := normalize_code(code)[:12]:
        subjects.append(Subject("code", normal))
    return subjects
