"""Slowing down who guesses, and nobody else.

Failures alone are counted, in the database, for fifteen minutes: per account (or phone), code and browser session, and per address. From
the fifth failure on, the next try for that account, code or session waits 2 to 30 seconds. An address is shared by a hall or a mobile
carrier and is never refused: where many failures came from one, each form carries a signed not-before time of its own, 2 to 30 seconds
ahead, good for one guess, which nobody else's failure can move. No worker ever sleeps: a try that comes too
early is answered at once, before anything is looked up, with the seconds to wait.

A page with a form that can be guessed does this:

    throttle.check(db, keys=keys, kind="receipt", subjects=subjects, token=form.not_before.data, now=now)   # raises TooMany
    try: …look the code up…
    except CodeUnknown: delay = throttle.record_failure(
        db, keys=keys, kind="receipt", subjects=subjects, token=form.not_before.data, now=now
    )

and puts `delay.token` into the form's hidden field, `delay.wait_seconds` on the page. On GET it asks `throttle.delay(…)` for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Failure
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import TooMany
from quizapp.core.tokens import Keys

#: How long a failure counts, milliseconds.
WINDOW_MS = 15 * 60 * 1000
#: Failures that cost nothing: for one account, code or session; for an address.
FREE = 5
FREE_ADDRESS = 30
#: Seconds of waiting: the first, and the longest.
LEAST_WAIT = 2
MOST_WAIT = 30
#: How long a form may be used after its not-before time, milliseconds.
FORM_MS = 30 * 60 * 1000


@dataclass(frozen=True)
class Subject:
    """What failures are counted for: `name` is "account", "phone", "code", "session" or "address"."""

    name: str
    value: str

    @property
    def shared(self) -> bool:
        """Whether honest people stand behind the same one: it slows, it never refuses."""
        return self.name == "address"


@dataclass(frozen=True)
class Delay:
    """How long to wait, and the signed time for the form; nothing to wait is (0, None)."""

    wait_seconds: int = 0
    token: str | None = None


def wait_after(failures: int, free: int = FREE, step: int = 1) -> int:
    """Seconds to wait after so many failures: none while they are free, then 2, 4, 8, 16, 30, 30 …, doubled every `step` failures.

    >>> [wait_after(n) for n in (4, 5, 6, 9, 1000)]
    [0, 2, 4, 30, 30]
    """
    if failures < free:
        return 0
    return int(min(MOST_WAIT, LEAST_WAIT * 2 ** min((failures - free) // step, 10)))


def check(
    db: Session, *, keys: Keys, kind: str, subjects: Sequence[Subject], token: str | None = None, now: datetime
) -> None:
    """Raise TooMany (`wait_seconds`, `token` for the form that is shown again) when this try comes too early."""
    now_ms = to_ms(now)
    not_before = _read_token(keys, kind, subjects, token)
    if not_before is not None and now_ms < not_before:
        raise TooMany(wait_seconds=ceil((not_before - now_ms) / 1000), token=token)
    if not_before is not None and _used_up(db, keys, kind, token):
        not_before = None
    wait, shared_wait = _waits(db, keys, kind, subjects, now_ms)
    if wait > 0:
        made = _delay(keys, kind, subjects, now_ms, wait)
        raise TooMany(wait_seconds=made.wait_seconds, token=made.token)
    if shared_wait > 0 and (not_before is None or now_ms > not_before + FORM_MS):
        made = _delay(keys, kind, subjects, now_ms, shared_wait * 1000)
        raise TooMany(wait_seconds=made.wait_seconds, token=made.token)


def delay(db: Session, *, keys: Keys, kind: str, subjects: Sequence[Subject], now: datetime) -> Delay:
    """What a form that is shown now has to carry."""
    now_ms = to_ms(now)
    wait, shared_wait = _waits(db, keys, kind, subjects, now_ms)
    return _delay(keys, kind, subjects, now_ms, max(wait, shared_wait * 1000))


def record_failure(
    db: Session, *, keys: Keys, kind: str, subjects: Sequence[Subject], token: str | None = None, now: datetime
) -> Delay:
    """Count a failure in a transaction of its own, and say what the form that is shown again has to carry.

    The form that failed (its `token`) is used up: who waited once has waited for one guess. Rows that no longer count are taken away
    with it.
    """
    now_ms = to_ms(now)
    subjects_of_token = [_form(token)] if token and _read_token(keys, kind, subjects, token) is not None else []
    with transaction(db):
        db.execute(sql_delete(Failure).where(Failure.at_ms < now_ms - WINDOW_MS))
        db.add_all(
            Failure(kind=kind, subject=subject_hash(keys, subject), at_ms=now_ms)
            for subject in [*subjects, *subjects_of_token]
        )
    return delay(db, keys=keys, kind=kind, subjects=subjects, now=now)


def _waits(db: Session, keys: Keys, kind: str, subjects: Sequence[Subject], now_ms: int) -> tuple[int, int]:
    """(milliseconds that an own subject still waits, seconds that a form from a shared address has to wait)."""
    if not subjects:
        return 0, 0
    by_hash = {subject_hash(keys, subject): subject for subject in subjects}
    rows = db.execute(
        select(Failure.subject, func.count(), func.max(Failure.at_ms))
        .where(Failure.kind == kind, Failure.subject.in_(by_hash), Failure.at_ms > now_ms - WINDOW_MS)
        .group_by(Failure.subject)
    ).all()
    own = shared = 0
    for stored, count, last in rows:
        subject = by_hash[bytes(stored)]
        if subject.shared:
            shared = max(shared, wait_after(count, FREE_ADDRESS, FREE_ADDRESS))
        else:
            own = max(own, last + wait_after(count) * 1000 - now_ms if count >= FREE else 0)
    return own, shared


def _delay(keys: Keys, kind: str, subjects: Sequence[Subject], now_ms: int, wait_ms: int) -> Delay:
    if wait_ms <= 0:
        return Delay()
    not_before = now_ms + wait_ms
    return Delay(
        ceil(wait_ms / 1000), f"{not_before}.{keys.sign('not-before', kind, _owner(subjects), str(not_before))}"
    )


def _read_token(keys: Keys, kind: str, subjects: Sequence[Subject], token: str | None) -> int | None:
    """The not-before time of a form, or None where it carries none of ours for this browser."""
    moment, _, signature = (token or "").partition(".")
    if not moment.isdecimal() or len(moment) > 15 or not signature.isascii():
        return None
    if not keys.verify(signature, "not-before", kind, _owner(subjects), moment):
        return None
    return int(moment)


def _form(token: str) -> Subject:
    return Subject("form", token)


def _used_up(db: Session, keys: Keys, kind: str, token: str | None) -> bool:
    """Whether a guess with this form has failed before."""
    used = select(Failure.id).where(Failure.kind == kind, Failure.subject == subject_hash(keys, _form(token or "")))
    return db.scalar(used.limit(1)) is not None


def _owner(subjects: Sequence[Subject]) -> str:
    """Whose form it is: the session, or the address where there is none."""
    values = {subject.name: subject.value for subject in subjects}
    return values.get("session") or values.get("address") or ""


def subject_hash(keys: Keys, subject: Subject) -> bytes:
    """What is stored of a subject."""
    return keys.sign("throttle", subject.name, subject.value).encode()
