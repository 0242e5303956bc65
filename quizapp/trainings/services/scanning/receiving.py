"""Taking in what scanning phones wrote down: in any order, however often, each line once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.scope import below
from quizapp.core.tokens import Keys, digest
from quizapp.organisation.models import OrgUnit, Person
from quizapp.organisation.people import clean_name, identify
from quizapp.organisation.personal_codes import find_code, kept_person
from quizapp.trainings.errors import ScanDeviceRevoked, ScanDeviceUnknown
from quizapp.trainings.models import (
    Attendance,
    AttendanceEntry,
    AttendanceState,
    CheckInMethod,
    EntryKind,
    Expected,
    ScanDevice,
    TrainingSession,
)
from quizapp.trainings.queries.scanning import expectation, find_device, has_roster
from quizapp.trainings.services.scanning.rule import CLOCK_MARGIN_MS, verdict
from quizapp.trainings.services.scanning.settling import settle
from quizapp.trainings.services.scanning.wire import Sent, check_signatures, device_key

FOREIGN = "foreign"
CODE_REVOKED = "code_revoked"


@dataclass(frozen=True)
class Taken:
    """What one entry came to."""

    client_id: str
    #: "in", "again", "out", "undone", "pending" or "foreign".
    outcome: str
    reason: str | None = None
    person_id: int | None = None
    name: str = ""
    unit: str = ""
    #: Earliest check-in of the person, ms UTC.
    at_ms: int | None = None
    #: Whether it arrived before.
    known: bool = False


@dataclass(frozen=True)
class _Who:
    """Whom an entry means."""

    person: Person | None
    code_hash: bytes | None = None
    reason: str | None = None
    unit_text: str = ""


def receive(
    db: Session,
    *,
    session: TrainingSession,
    device_id: str,
    entries: list[Sent],
    keys: Keys,
    now: datetime,
    sent_at_ms: int | None = None,
    round_trip_ms: int = 0,
    by_file: bool = False,
) -> list[Taken]:
    """Keep the entries of one phone and bring the attendances in line with them; one result each, in their order.

    `sent_at_ms` is the phone's clock at the sending: with half the round trip it says how far that clock is ahead, and every entry is
    set right by it. A file carries no such instant: what was measured last holds. A phone that was shut out is refused as a whole over
    the network; its file is taken, every line of it waiting for the trainer. Raises ScanDeviceUnknown, ScanDeviceRevoked,
    ScanSignatureWrong.
    """
    device = find_device(db, session.id, device_id, lock=True)
    if device is None:
        raise ScanDeviceUnknown
    if device.revoked_at is not None and not by_file:
        raise ScanDeviceRevoked
    check_signatures(device_key(keys, device.public_id), entries)
    now_ms = to_ms(now)
    if sent_at_ms is not None:
        device.clock_ahead_ms = sent_at_ms + min(max(0, round_trip_ms), 20_000) // 2 - now_ms
    device.seen_at = now_ms
    device.last_sequence = max([device.last_sequence, *(sent.sequence for sent in entries)])
    return _Intake(db, session, device, keys, now).take(entries)


class _Intake:
    """One delivery of one phone."""

    def __init__(self, db: Session, session: TrainingSession, device: ScanDevice, keys: Keys, now: datetime) -> None:
        self.db, self.session, self.device, self.keys, self.now = db, session, device, keys, now
        self.now_ms = to_ms(now)
        self.roster = has_roster(db, session)

    def take(self, entries: list[Sent]) -> list[Taken]:
        """Keep the lines, then settle person by person, always in the same order, so that two deliveries never wait for each other."""
        known = self._known(entries)
        new: set[str] = set()
        notes: dict[int, str] = {}
        for sent in sorted(entries, key=lambda one: (one.name, one.phone, one.sequence)):
            if sent.client_id not in known and sent.client_id not in new:
                self._keep(sent, notes)
                new.add(sent.client_id)
        self.db.flush()
        rows = {row.client_id: row for row in self._rows([sent.client_id for sent in entries])}
        targets = {row.client_id: row for row in self._rows([row.undoes for row in rows.values() if row.undoes])}
        for undo in rows.values():
            target = targets.get(undo.undoes or "")
            if target is not None and target.device_id == undo.device_id:
                undo.person_id = target.person_id
        settled: dict[int, Attendance | None] = {}
        for person_id in sorted({row.person_id for row in rows.values() if row.person_id is not None}):
            settled[person_id] = settle(
                self.db,
                session=self.session,
                person=self.db.get_one(Person, person_id),
                recorded_by=self.device.account_id,
                now=self.now,
            )
        for person_id, note in notes.items():
            attendance = settled[person_id]
            if attendance is not None and not attendance.note:
                attendance.note = note
        results = []
        for sent in entries:
            row = rows[sent.client_id]
            taken = self._taken(row, settled.get(row.person_id or 0), known=sent.client_id in known)
            if sent.client_id in new:
                row.outcome = taken.outcome
            results.append(taken)
        self.db.flush()
        return results

    def _rows(self, client_ids: Iterable[str]) -> list[AttendanceEntry]:
        wanted = sorted(set(client_ids))
        found: list[AttendanceEntry] = []
        for start in range(0, len(wanted), 500):
            found += self.db.scalars(
                select(AttendanceEntry).where(
                    AttendanceEntry.session_id == self.session.id,
                    AttendanceEntry.client_id.in_(wanted[start : start + 500]),
                )
            )
        return found

    def _known(self, entries: list[Sent]) -> set[str]:
        return {row.client_id for row in self._rows(sent.client_id for sent in entries)}

    def _keep(self, sent: Sent, notes: dict[int, str]) -> None:
        at_ms = sent.phone_at_ms - self.device.clock_ahead_ms
        if self.now_ms < at_ms <= self.now_ms + CLOCK_MARGIN_MS:
            at_ms = self.now_ms  # nobody scans in the future; a measurement is a little off
        who = self._who(sent)
        reason = who.reason
        if who.person is not None:
            reason = self._verdict(sent, who.person, at_ms)
            if who.unit_text:
                notes[who.person.id] = who.unit_text
        insert_once(
            self.db,
            AttendanceEntry,
            {
                "session_id": self.session.id,
                "client_id": sent.client_id,
                "device_id": self.device.id,
                "sequence": sent.sequence,
                "kind": sent.kind.value,
                "method": sent.method.value,
                "person_id": who.person.id if who.person else None,
                "undoes": sent.undoes or None,
                "at_ms": at_ms,
                "phone_at_ms": sent.phone_at_ms,
                "received_at": self.now_ms,
                "outcome": FOREIGN,
                "reason": reason,
                "sure": self._sure(sent),
                "code_hash": who.code_hash,
            },
            ["client_id"],
        )

    def _sure(self, sent: Sent) -> bool:
        """A helper's word is not the trainer's."""
        return sent.sure and self.device.account_id is not None

    def _verdict(self, sent: Sent, person: Person, at_ms: int) -> str | None:
        arriving = sent.kind is EntryKind.IN
        state = self.db.scalar(
            select(Attendance.state).where(Attendance.session_id == self.session.id, Attendance.person_id == person.id)
        )
        return verdict(
            at_ms=at_ms,
            now_ms=self.now_ms,
            window=(self.session.check_in_from, self.session.check_in_until),
            closed_at=self.session.closed_at,
            from_revoked=self.device.revoked_at is not None,
            unexpected=arriving and self.roster and expectation(self.db, self.session, person.id) == Expected.WALK_IN,
            struck=arriving and state == AttendanceState.STRUCK,
            sure=self._sure(sent),
        )

    def _who(self, sent: Sent) -> _Who:
        if sent.undoes:
            return _Who(None)
        if sent.foreign:
            return _Who(None, bytes.fromhex(sent.foreign))
        if sent.code:
            return self._by_code(sent.code)
        if sent.person_id is not None:
            found = self.db.get(Person, sent.person_id)
            person = kept_person(self.db, found) if found is not None else None
            return _Who(person if person is not None and self._belongs(person) else None)
        return self._by_name(sent)

    def _by_code(self, text: str) -> _Who:
        code = find_code(self.db, text)
        if code is None or code.revoked_at is not None:
            # only a keyed hash is kept of what was not ours: people hold up all sorts of codes
            hashed = self.keys.sign("foreign-code", text).encode()
            return _Who(None, hashed, CODE_REVOKED if code is not None else None)
        return _Who(kept_person(self.db, self.db.get_one(Person, code.person_id)))

    def _belongs(self, person: Person) -> bool:
        """A phone can only write down by key whom it was given: the expected, and those who are on the list."""
        if expectation(self.db, self.session, person.id) in (Expected.ROSTER, Expected.REGISTERED):
            return True
        about = select(Attendance.id).where(Attendance.session_id == self.session.id, Attendance.person_id == person.id)
        return self.db.scalar(about) is not None

    def _by_name(self, sent: Sent) -> _Who:
        try:
            phone = normalize_phone(sent.phone) if sent.phone else None
        except PhoneInvalid:
            phone = None  # typed at a door without a network: better somebody without a number than nobody
        unit = self._unit(sent.unit)
        found = identify(
            self.db,
            keys=self.keys,
            name=sent.name,
            phone=phone,
            device_hash=digest(f"scan {self.session.id} {sent.client_id}"),
            unit_id=unit.id if unit else None,
            industry_id=None,
            birth_year=None,
            sex=None,
            education=None,
            now=self.now,
        )
        if found.person_id is None:
            return _Who(None)
        person = kept_person(self.db, self.db.get_one(Person, found.person_id))
        return _Who(person, unit_text="" if unit else clean_name(sent.unit))

    def _unit(self, text: str) -> OrgUnit | None:
        name = clean_name(text)
        if not name:
            return None
        found = self.db.scalars(
            select(OrgUnit)
            .where(OrgUnit.name == name, below(OrgUnit.path, self.session.unit.path), OrgUnit.closed_at.is_(None))
            .limit(2)
        ).all()
        return found[0] if len(found) == 1 else None

    def _taken(self, row: AttendanceEntry, attendance: Attendance | None, *, known: bool) -> Taken:
        if row.kind == EntryKind.UNDO:
            return Taken(row.client_id, "undone", known=known)
        if row.person_id is None or attendance is None:
            return Taken(row.client_id, FOREIGN, row.reason, known=known)
        person = self.db.get_one(Person, row.person_id)
        unit = self.db.get(OrgUnit, attendance.unit_id) if attendance.unit_id is not None else None
        taken = Taken(
            row.client_id,
            "in",
            person_id=person.id,
            name=person.name,
            unit=unit.name if unit else "",
            at_ms=attendance.at_ms,
            known=known,
        )
        if attendance.state in (AttendanceState.PENDING, AttendanceState.STRUCK):
            return replace(taken, outcome="pending", reason=row.reason or attendance.reason)
        if row.kind == EntryKind.OUT:
            return replace(taken, outcome="out")
        if attendance.state == AttendanceState.UNDONE:
            return replace(taken, outcome="undone")
        if attendance.at_ms != row.at_ms or attendance.method != row.method:
            return replace(taken, outcome="again")
        return taken


def count_waiting(db: Session, session_id: int) -> int:
    """How many attendances wait for the trainer's word."""
    statement = select(func.count()).where(
        Attendance.session_id == session_id, Attendance.state == AttendanceState.PENDING
    )
    return db.scalar(statement) or 0


def check_in_on_page(
    db: Session,
    *,
    session: TrainingSession,
    device: ScanDevice,
    text: str,
    sure: bool,
    ticket: str,
    keys: Keys,
    now: datetime,
) -> Taken:
    """One personal code that came by a form, from a browser without scripts: the page is its own phone. `ticket`: 32 hexadecimal digits
    of the form, so that a double press is one entry."""
    sent = Sent(
        client_id=ticket,
        sequence=device.last_sequence + 1,
        kind=EntryKind.IN,
        method=CheckInMethod.PERSONAL,
        person_id=None,
        code=text,
        foreign="",
        name="",
        phone="",
        unit="",
        undoes="",
        phone_at_ms=to_ms(now),
        sure=sure,
        signature="",
    )
    device.last_sequence += 1
    device.clock_ahead_ms = 0
    return _Intake(db, session, device, keys, now).take([sent])[0]
