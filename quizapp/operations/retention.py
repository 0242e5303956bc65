"""What goes when its term is over, by kind. Rows that figures count stay, without what says whose they are.

Each rule finds what is due without a lock, and deals with it in transactions of a few hundred rows, so that nobody waits for the whole
lot. A turn that breaks off has done what it has done; the next one finds the rest, and again finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from quizapp.accounts.models import Account
from quizapp.audit.models import AuditEvent
from quizapp.audit.services import record
from quizapp.certificates.models import Certificate
from quizapp.core.clock import to_ms
from quizapp.core.db import Base, transaction
from quizapp.core.privacy_parts import Erasing
from quizapp.core.scope import SYSTEM
from quizapp.files.models import FileKind, StoredFile
from quizapp.mail.models import MailState, OutgoingMail
from quizapp.organisation.models import Person, PersonSource
from quizapp.organisation.privacy import erase as erase_rows
from quizapp.quizzes.models import Attempt, AttemptState
from quizapp.quizzes.rescoring.models import Voiding
from quizapp.trainings.models import Attendance, Registration, RosterEntry, TrainingSession

#: Rows that one transaction deals with.
BATCH = 500
#: What the log says of a turn that had something to do.
APPLIED = "retention_applied"


@dataclass(frozen=True)
class RetentionRule:
    """What becomes of one kind of row when its term is over."""

    name: str
    #: Whose term it is: a key of `Settings.terms`.
    term: str
    #: The keys of the rows that stood before an instant and still have what must go.
    due: Callable[[datetime], Select[int]]
    #: Deal with some of them.
    do: Callable[[Session, Sequence[int], datetime], None]
    #: The table whose rows are held before it is asked again whether they are due, where somebody may come back meanwhile.
    held: type[Base] | None = None


@dataclass(frozen=True)
class Due:
    """What a rule would do now."""

    rule: RetentionRule
    #: What was before this instant is due.
    before: datetime
    count: int


def preview(db: Session, terms: Mapping[str, int], now: datetime) -> list[Due]:
    """How many rows each rule would deal with now."""
    dues = []
    for rule in RULES:
        before = now - timedelta(days=terms[rule.term])
        count = db.scalar(select(func.count()).select_from(rule.due(before).subquery())) or 0
        dues.append(Due(rule, before, count))
    return dues


def apply_retention(
    db: Session,
    terms: Mapping[str, int],
    now: datetime,
    *,
    batch: int = BATCH,
    on_batch: Callable[[], None] | None = None,
) -> dict[str, int]:
    """Deal with everything whose term is over; gives rule → rows. A turn that had something to do stands in the log."""
    counts: dict[str, int] = {}
    for rule in RULES:
        before = now - timedelta(days=terms[rule.term])
        query = rule.due(before)
        while ids := db.scalars(query.limit(batch)).all():
            with transaction(db):
                if rule.held is not None:
                    key: Any = rule.held.__table__.c.id
                    db.execute(select(key).where(key.in_(ids)).order_by(key).with_for_update())
                    ids = db.scalars(query.where(key.in_(ids))).all()
                rule.do(db, ids, now)
            counts[rule.name] = counts.get(rule.name, 0) + len(ids)
            if on_batch is not None:
                on_batch()
    if counts:
        with transaction(db):
            details = {f"{name}_aged": number for name, number in counts.items()}
            record(db, actor=SYSTEM, action=APPLIED, object_type="installation", details=details, now=now)
    return counts


def last_turns(db: Session, limit: int = 10) -> list[AuditEvent]:
    """The newest turns that had something to do."""
    query = select(AuditEvent).where(AuditEvent.action == APPLIED).order_by(AuditEvent.id.desc()).limit(limit)
    return list(db.scalars(query))


def _write(db: Session, model: Any, condition: ColumnElement[bool], **values: Any) -> None:
    db.execute(update(model).where(condition).values(**values).execution_options(synchronize_session=False))


def _attempts_due(before: datetime) -> Select[int]:
    # no secret hashes to nothing: an attempt without one opens for nobody
    marked = or_(
        Attempt.secret_hash != b"",
        Attempt.reader_hash.is_not(None),
        Attempt.device_hash.is_not(None),
        Attempt.receipt_hash.is_not(None),
    )
    ended = Attempt.state != AttemptState.OPEN
    return select(Attempt.id).where(Attempt.started_at < to_ms(before), ended, marked).order_by(Attempt.id)


def _close_attempts(db: Session, ids: Sequence[int], _now: datetime) -> None:
    _write(db, Voiding, Voiding.attempt_id.in_(ids), reason="")
    empty = {"secret_hash": b"", "reader_hash": None, "device_hash": None, "receipt_hash": None}
    _write(db, Attempt, Attempt.id.in_(ids), **empty)


def _people_due(before: datetime) -> Select[int]:
    """People who only typed who they are, and were not here since. Who has an account, a certificate or a place on a list stays.

    A row that was merged goes with the one that stands for it.
    """
    before_ms, kept = to_ms(before), aliased(Person)
    here_since = or_(
        exists().where(Attempt.person_id == Person.id, Attempt.started_at >= before_ms),
        exists().where(Attendance.person_id == Person.id, Attendance.at_ms >= before_ms),
        exists().where(Registration.person_id == Person.id, Registration.registered_at >= before_ms),
    )
    needed = or_(
        exists().where(Account.person_id == Person.id),
        exists().where(Certificate.person_id == Person.id),
        exists().where(RosterEntry.person_id == Person.id),
    )
    typed = Person.source.in_([PersonSource.TYPED.value, PersonSource.DEVICE.value])
    alone = and_(Person.merged_into_id.is_(None), typed, Person.created_at < before, ~here_since, ~needed)
    follows = exists().where(kept.id == Person.merged_into_id, kept.name == "")
    return select(Person.id).where(Person.name != "", or_(alone, follows)).order_by(Person.id)


def _empty_people(db: Session, ids: Sequence[int], now: datetime) -> None:
    """The same as when somebody is erased, for the row itself: what they did has terms of its own."""
    erase_rows(db, Erasing(tuple(ids), (), SYSTEM, now))


def _registrations_due(before: datetime) -> Select[int]:
    over = select(TrainingSession.id).where(TrainingSession.ends_at < to_ms(before))
    held = or_(Registration.email_encrypted.is_not(None), Registration.secret_hash.is_not(None))
    return select(Registration.id).where(Registration.session_id.in_(over), held).order_by(Registration.id)


def _empty_registrations(db: Session, ids: Sequence[int], _now: datetime) -> None:
    _write(db, Registration, Registration.id.in_(ids), email_encrypted=None, secret_hash=None)


def _attendances_due(before: datetime) -> Select[int]:
    held = or_(Attendance.device_hash.is_not(None), Attendance.right_hash.is_not(None), Attendance.note != "")
    return select(Attendance.id).where(Attendance.at_ms < to_ms(before), held).order_by(Attendance.id)


def _empty_attendances(db: Session, ids: Sequence[int], _now: datetime) -> None:
    _write(db, Attendance, Attendance.id.in_(ids), device_hash=None, right_hash=None, note="")


def _mails_due(before: datetime) -> Select[int]:
    held = OutgoingMail.address_encrypted.is_not(None)
    return select(OutgoingMail.id).where(OutgoingMail.created_at < before, held).order_by(OutgoingMail.id)


def _drop_mails(db: Session, ids: Sequence[int], now: datetime) -> None:
    waiting = and_(OutgoingMail.id.in_(ids), OutgoingMail.state == MailState.WAITING.value)
    _write(db, OutgoingMail, waiting, state=MailState.DROPPED.value, ended_at=now)
    _write(db, OutgoingMail, OutgoingMail.id.in_(ids), address_encrypted=None)


def _photos_due(before: datetime) -> Select[int]:
    evidence = StoredFile.kind == FileKind.EVIDENCE.value
    return select(StoredFile.id).where(StoredFile.created_at < before, evidence).order_by(StoredFile.id)


def _delete_photos(db: Session, ids: Sequence[int], _now: datetime) -> None:
    # what refers to a file is emptied by the database itself
    db.execute(delete(StoredFile).where(StoredFile.id.in_(ids)))


def _log_due(before: datetime) -> Select[int]:
    return select(AuditEvent.id).where(AuditEvent.at < before).order_by(AuditEvent.id)


def _delete_log(db: Session, ids: Sequence[int], _now: datetime) -> None:
    db.execute(delete(AuditEvent).where(AuditEvent.id.in_(ids)))


#: Every rule, in the order in which they are done.
RULES = (
    RetentionRule("attempts", "attempts", _attempts_due, _close_attempts),
    RetentionRule("people", "contact", _people_due, _empty_people, held=Person),
    RetentionRule("registrations", "contact", _registrations_due, _empty_registrations),
    RetentionRule("attendances", "contact", _attendances_due, _empty_attendances),
    RetentionRule("mails", "contact", _mails_due, _drop_mails),
    RetentionRule("photos", "photos", _photos_due, _delete_photos),
    RetentionRule("audit", "audit", _log_due, _delete_log),
)
