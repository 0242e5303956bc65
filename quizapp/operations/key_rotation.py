"""Another key for phone numbers, addresses and files, while the site serves.

    phone.key                       found with it, written with it
    phone.key + phone-next.key      written with the first, found with both: until every process has read the second
    phone.key + phone-before.key    the names have changed places: written with the new one, found with both; all rows are rewritten
    phone.key                       the new one alone; the other is put aside for the backups that were made with it

Each step is one change in the folder of the keys, and each batch of rows one transaction. Whoever is stopped anywhere begins again and
goes on from there: what is written under the new key already is left as it is.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import exists, func, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from quizapp.accounts.models import Account, SecondFactor
from quizapp.accounts.services.second_factor import PURPOSE as FACTOR
from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import PHONE_KEY, PHONE_KEY_BEFORE, PHONE_KEY_NEXT, Keys, SealBroken
from quizapp.files.models import StoredFile
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.services import DEAD_AFTER
from quizapp.mail.models import OutgoingMail
from quizapp.mail.services import PURPOSE as ADDRESS
from quizapp.operations.installation import Installation
from quizapp.organisation.models import Person
from quizapp.trainings.models import Registration

Say = Callable[[str], None]

#: Rows that one transaction rewrites; files are large and go by fewer.
BATCH = 200
FILES_BATCH = 5
#: Seconds in which a request that has the keys of before comes to its end.
SETTLE_SECONDS = 10.0
#: Where the key before is put aside; the name does not end in `.key`, so that it is no key of the installation.
ASIDE = "phone.key.until-{day}"

#: The columns that hang on the key of phone numbers. A policy test fails on an encrypted column that stands nowhere here.
REWRITTEN = (
    "person.phone_encrypted",
    "person.phone_hash",
    "account.phone_hash",
    "second_factor.secret_sealed",
    "registration.email_encrypted",
    "outgoing_mail.address_encrypted",
    "stored_file.content",
)
#: What is sealed: what it is called, the table's key, the column, the purpose of the seal or where it stands, rows at a time.
_SEALED: tuple[tuple[str, Any, Any, Any, int], ...] = (
    ("registrations", Registration.id, Registration.email_encrypted, ADDRESS, BATCH),
    ("mails", OutgoingMail.id, OutgoingMail.address_encrypted, ADDRESS, BATCH),
    ("factors", SecondFactor.account_id, SecondFactor.secret_sealed, FACTOR, BATCH),
    ("files", StoredFile.id, StoredFile.content, StoredFile.kind, FILES_BATCH),
)


class RotationRefused(Exception):
    """The key cannot be changed; the message says why and the cure."""


@dataclass
class Rotated:
    """What was done."""

    #: Kind → rows that were written anew.
    rows: dict[str, int] = field(default_factory=dict)
    #: Rows that neither key opens: they were lost before, and are left as they are.
    unreadable: int = 0
    #: People whose number had two rows for a moment: this one is found by it no more.
    twins: list[int] = field(default_factory=list)
    #: Accounts whose number nobody has in readable form: they keep the key before in use until they sign in.
    waiting: int = 0
    #: Where the key before was put aside; None while it is still in use.
    aside: Path | None = None


def rotate_phone_key(
    installation: Installation, *, say: Say, leave_behind: bool = False, settle: float = SETTLE_SECONDS
) -> Rotated:
    """Change the key, or go on where a change was stopped. Raises RotationRefused.

    `leave_behind` ends the change also where accounts wait that can be found with the key before alone; they sign up anew, or get a
    set-up link.
    """
    folder, done = installation.settings.keys_folder, Rotated()
    with _alone(folder), installation.database.session() as db:
        if (folder / PHONE_KEY_NEXT).exists() or not (folder / PHONE_KEY_BEFORE).exists():
            _bring_in(folder, say, settle)
        _await_jobs(db, installation, _moment(folder / PHONE_KEY_BEFORE), say)
        _rewrite_all(db, Keys.load(folder), done, say)
        done.waiting = _count_waiting(db)
        if done.waiting and not leave_behind:
            return done
        now = installation.clock()
        with transaction(db):
            details = {**done.rows, "unreadable": done.unreadable, "twins": len(done.twins), "left": done.waiting}
            record(db, actor=SYSTEM, action="phone_key_changed", object_type="person", details=details, now=now)
        done.aside = folder / ASIDE.format(day=f"{now:%Y%m%d-%H%M%S}")
        os.replace(folder / PHONE_KEY_BEFORE, done.aside)
        _secure(folder)
    return done


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One change at a time. Raises RotationRefused."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RotationRefused("the key is being changed by another command just now: wait for it") from error
    finally:
        os.close(handle)


def _moment(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _await_jobs(db: Session, installation: Installation, since: datetime, say: Say) -> None:
    """Wait for the jobs that began with the key of before: an import may write with it for minutes. Who is silent is started anew."""
    told = False
    while True:
        db.rollback()
        alive = Job.seen_at > installation.clock() - DEAD_AFTER
        waiting = db.scalars(
            select(Job.name).where(Job.state == JobState.RUNNING, Job.started_at <= since, alive)
        ).all()
        if not waiting:
            return
        if not told:
            say(f"Waiting for what began before: {', '.join(sorted(waiting))}")
            told = True
        time.sleep(1)


def _bring_in(folder: Path, say: Say, settle: float) -> None:
    """Make the next key, let everybody read it, and write with it from then on."""
    following, before, now = folder / PHONE_KEY_NEXT, folder / PHONE_KEY_BEFORE, folder / PHONE_KEY
    if not following.exists():
        _write(folder, following, secrets.token_hex(32).encode())
    say(f"New key: every process reads it within {settle:.0f} seconds")
    time.sleep(settle)
    # the old one stands under both names for a moment: at no time is it missing
    _write(folder, before, now.read_bytes())
    os.replace(following, now)
    _secure(folder)
    say(f"New key in use: what was begun before ends within {settle:.0f} seconds")
    time.sleep(settle)


def _write(folder: Path, path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    _secure(folder)


def _secure(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rewrite_all(db: Session, keys: Keys, done: Rotated, say: Say) -> None:
    """Every row under the new key. Whatever changes meanwhile is written with it by whoever changes it."""
    new, old = Keys(keys.session, keys.phone), Keys(keys.session, keys.phone_too or b"")
    _rewrite_people(db, new, old, done)
    say(f"Telephone numbers: {done.rows['people']} rewritten")
    for name, key, column, purpose, batch in _SEALED:
        count = 0
        for rows in _batches(
            db, key, [column, literal(purpose) if isinstance(purpose, str) else purpose], column, batch
        ):
            with transaction(db):
                for row_id, stored, meant in rows:
                    again = _sealed_again(new, old, stored, meant)
                    if again is None:
                        done.unreadable += 1
                    elif again:
                        same = update(key.class_).where(key == row_id, column == stored)
                        count += _written(db, same.values({column: again}))
        done.rows[name] = count
        say(f"{name.capitalize()}: {count} rewritten")


def _rewrite_people(db: Session, new: Keys, old: Keys, done: Rotated) -> None:
    """The numbers of people, and with each the accounts that sign in by it."""
    done.rows["people"] = done.rows["accounts_rewritten"] = 0
    for rows in _batches(db, Person.id, [Person.phone_encrypted], Person.phone_encrypted, BATCH):
        with transaction(db):
            for person_id, stored in rows:
                if (number := new.decrypt_phone(stored)) is None:
                    if (number := old.decrypt_phone(stored)) is None:
                        done.unreadable += 1
                        continue
                    values = {"phone_encrypted": new.encrypt_phone(number)}
                    same = (Person.id == person_id, Person.phone_encrypted == stored)
                    done.rows["people"] += _written(db, update(Person).where(*same).values(values))
                hashes = new.phone_hash(number), old.phone_hash(number)
                if not _hashed_again(db, Person, hashes, Person.id == person_id):
                    done.twins.append(person_id)
                if db.scalar(select(Account.id).where(Account.phone_hash == hashes[1])) is None:
                    continue
                if _hashed_again(db, Account, hashes):
                    done.rows["accounts_rewritten"] += 1
                else:
                    done.twins.append(person_id)


def _hashed_again(db: Session, model: Any, hashes: tuple[bytes, bytes], *further: Any) -> bool:
    """The new hash in place of the old one. Where another row has it already this one is found by it no more, and False is given.

    Two rows of one number come about where it was typed twice in the seconds in which the keys change places.
    """
    stale = update(model).where(model.phone_hash == hashes[1], *further).execution_options(synchronize_session=False)
    try:
        with db.begin_nested():
            db.execute(stale.values(phone_hash=hashes[0]))
    except IntegrityError:
        db.execute(stale.values(phone_hash=None))
        return False
    return True


def _count_waiting(db: Session) -> int:
    """Accounts whose hash is that of no person's number: under which key it was made cannot be told, nor can it be made anew."""
    owner = aliased(Person)
    nobody = ~exists().where(owner.phone_hash == Account.phone_hash, owner.phone_encrypted.is_not(None))
    return db.scalar(select(func.count()).where(Account.phone_hash.is_not(None), nobody)) or 0


def _sealed_again(new: Keys, old: Keys, stored: bytes, purpose: str) -> bytes | None:
    """The content under the new key; empty where it is so already, None where neither key opens it."""
    try:
        new.unseal(stored, purpose)
    except SealBroken:
        try:
            return new.seal(old.unseal(stored, purpose), purpose)
        except SealBroken:
            return None
    return b""


def _written(db: Session, statement: Any) -> int:
    """Carry out an update of one row; 0 where somebody was faster, and has written under the new key."""
    return int(db.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _batches(db: Session, key: Any, columns: list[Any], filled: Any, size: int) -> Iterator[Sequence[Any]]:
    after = 0
    while True:
        rows = db.execute(select(key, *columns).where(key > after, filled.is_not(None)).order_by(key).limit(size)).all()
        if not rows:
            return
        yield rows
        after = rows[-1][0]
