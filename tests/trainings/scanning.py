"""A scanning phone for tests: it signs what it writes down."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person
from quizapp.trainings.models import CheckInMethod, EntryKind, HelperPass, RosterEntry, TrainingSession
from quizapp.trainings.services.scanning import Sent, Taken, device_key, receive, register_device, signature
from tests.conftest import START

TRAINER = Actor(account_id=7)


def expect(db: Session, session: TrainingSession, person: Person) -> None:
    """Put somebody on a session's roster."""
    db.add(
        RosterEntry(
            session_id=session.id, person_id=person.id, source="rule", added_at=to_ms(START), unit_id=person.unit_id
        )
    )
    db.flush()


@dataclass
class ScanPhone:
    """A phone at a door."""

    db: Session
    session: TrainingSession
    keys: Keys
    helper: HelperPass | None = None
    #: How far its clock is ahead, ms.
    ahead: int = 0
    public_id: str = ""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        device = register_device(self.db, session=self.session, actor=TRAINER, helper=self.helper, now=START)
        self.public_id = device.public_id

    def write(self, kind: EntryKind = EntryKind.IN, *, at: datetime = START, **values: Any) -> Sent:
        """One signed entry; `person_id=…`, `code=…`, `name=…` or `undoes=…` says whom it means."""
        sent = Sent(
            **{
                "client_id": secrets.token_hex(16),
                "sequence": next(self._numbers),
                "kind": kind,
                "method": CheckInMethod.PERSONAL,
                "person_id": None,
                "code": "",
                "foreign": "",
                "name": "",
                "phone": "",
                "unit": "",
                "undoes": "",
                "phone_at_ms": to_ms(at) + self.ahead,
                "sure": False,
                "signature": "",
                **values,
            }
        )
        return self.sign(sent)

    def sign(self, sent: Sent) -> Sent:
        """The same entry with the signature that it needs."""
        return replace(sent, signature=signature(device_key(self.keys, self.public_id), sent))

    def deliver(self, *entries: Sent, now: datetime = START, **options: Any) -> list[Taken]:
        """Send entries; the phone's own clock goes with them."""
        return receive(
            self.db,
            session=self.session,
            device_id=self.public_id,
            entries=list(entries),
            keys=self.keys,
            now=now,
            **{"sent_at_ms": to_ms(now) + self.ahead, **options},
        )
