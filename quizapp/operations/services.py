"""Bringing an installation to the state in which it can serve: schema, banks, the first administrator."""

from __future__ import annotations

from collections.abc import Callable

from quizapp import models, tasks  # noqa: F401 # all tables and background tasks
from quizapp.accounts.services import ensure_first_administrator
from quizapp.banks.faults import Fault, Level
from quizapp.banks.services import Loaded, fingerprint, load_banks, loaded_content, note_content
from quizapp.core import migrate
from quizapp.core.clock import local_date
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.paths import data_folder
from quizapp.core.scope import SYSTEM
from quizapp.operations.installation import Installation, set_mark
from quizapp.quizzes.services import blueprints  # noqa: F401 # takes part in each load of banks

Say = Callable[[str], None]


class BankFilesRefused(DomainError):
    """The bank files have faults; nothing was loaded. `faults` has a line for each."""

    code = "bank_files_refused"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults=len(faults))
        self.faults = faults


def prepare(installation: Installation, say: Say) -> None:
    """Migrate and load the banks where that is needed; where nothing is, it costs two reads. Raises BankFilesRefused."""
    upgrade(installation.database, demo=installation.settings.demo, say=say)
    load_bank_files(installation, say)


def upgrade(database: Database, *, demo: bool, say: Say) -> None:
    """Bring the schema to the newest state; a new database gets its mark."""
    revision = migrate.current(database)
    if revision == migrate.head():
        return
    say("Database: making the tables" if revision is None else "Database: bringing the tables up to date")
    if revision is None:
        set_mark(database, demo=demo)
    migrate.upgrade(database)


def load_bank_files(installation: Installation, say: Say) -> Loaded | None:
    """Check and load the bank files unless the database has them as they are. Raises BankFilesRefused."""
    folder = data_folder("question_banks")
    content = fingerprint(folder)
    with installation.database.session() as db:
        if loaded_content(db) == content:
            return None
        from quizapp.banks.checks import check_banks  # readers and checkers of files: not at each start
        from quizapp.banks.formats.yaml_bank import read_folder

        say("Question banks: checking and loading")
        now = installation.clock()
        reading = read_folder(folder)
        refused = [fault for fault in check_banks(reading, local_date(now)) if fault.level == Level.REFUSE]
        if refused:
            raise BankFilesRefused(refused)
        with transaction(db):
            loaded = load_banks(db, reading.banks, actor=SYSTEM, now=now, reviews=reading.reviews)
            note_content(db, content, actor=SYSTEM, now=now)
    say(f"Question banks: {len(reading.banks.items)} questions in {len(reading.banks.bank_codes)} banks")
    return loaded


def first_link(installation: Installation) -> str | None:
    """The one-time address at which the first administrator sets a password; None once one can sign in."""
    with installation.database.session() as db, transaction(db):
        secret = ensure_first_administrator(db, installation.clock())
    return f"{installation.settings.public_url}/set-up/{secret}" if secret else None
