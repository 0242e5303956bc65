"""A restored database is older than the ledger of erasures: who was erased after the backup is erased again before anybody is served."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

import quizapp.parts  # noqa: F401 # an erasure needs every feature's part
from quizapp.accounts.erasing import erase_person
from quizapp.core.erasure_ledger import read
from quizapp.core.errors import NotFound
from quizapp.core.registry import after_restore
from quizapp.core.scope import SYSTEM

#: An erasure is written down a moment before it is stored: one that a backup has just missed may bear an earlier instant.
MARGIN = timedelta(minutes=5)


class Restored(Protocol):
    """A database that was filled from a backup, as whoever restores it describes it."""

    @property
    def begun_at(self) -> datetime:
        """The instant of the backup."""

    @property
    def keys_folder(self) -> Path:
        """Where the keys stand, and the ledger beside them."""

    @property
    def now(self) -> datetime:
        """The instant of the restore."""


@after_restore("erased again")
def apply(db: Session, restored: Restored) -> int:
    """Erase again, in the caller's transaction, whom the ledger names since the backup; gives how many that were.

    Older lines are left alone: their persons were empty in the backup already, and a number that was free again after an earlier
    restore may stand for somebody else by now. Raises LedgerUnusable.
    """
    count = 0
    for entry in read(restored.keys_folder):
        if entry.at < restored.begun_at - MARGIN:
            continue
        for person_id in entry.person_ids:
            try:
                count += erase_person(db, person_id=person_id, ledger=None, actor=SYSTEM, now=restored.now).changed
            except NotFound:
                continue  # made after the backup: it is not there
    return count
