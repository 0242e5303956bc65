"""A restored database is older than the ledger of erasures: who was erased after the backup is erased again before anybody is served."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

import quizapp.parts  # noqa: F401 # an erasure needs every feature's part
from quizapp.accounts.erasing import erase_person
from quizapp.core.erasure_ledger import NAME, LedgerUnusable, read
from quizapp.core.errors import NotFound
from quizapp.core.registry import Restoring, after_restore
from quizapp.core.scope import SYSTEM
from quizapp.operations.backup.archive import BackupRefused

#: An erasure is written down a moment before it is stored: one that a backup has just missed may bear an earlier instant.
MARGIN = timedelta(minutes=5)


@after_restore("erased again")
def apply(db: Session, restoring: Restoring) -> int:
    """Erase again, in the caller's transaction, whom the ledger names since the backup; gives how many that were.

    Older lines are left alone: their persons were empty in the backup already, and a number that was free again after an earlier
    restore may stand for somebody else by now. Raises BackupRefused where the ledger cannot be read.
    """
    try:
        entries = read(restoring.keys_folder)
    except LedgerUnusable as error:
        raise BackupRefused(
            f"{restoring.keys_folder / NAME} cannot be read, and would say who was erased after the backup: bring it back from a copy"
        ) from error
    count = 0
    for entry in entries:
        if entry.at < restoring.begun_at - MARGIN:
            continue
        for person_id in entry.person_ids:
            try:
                count += erase_person(db, person_id=person_id, ledger=None, actor=SYSTEM, now=restoring.now).changed
            except NotFound:
                continue  # made after the backup: it is not there
    return count
