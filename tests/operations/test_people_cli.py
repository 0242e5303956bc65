"""`quizapp people`: exit status 0, 1 and 2, a number that several share, a phone number that stands in no history."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

from sqlalchemy import select

from quizapp.core import migrate
from quizapp.core.db import Database, transaction
from quizapp.core.erasure_ledger import read
from quizapp.core.scope import Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person
from quizapp.reports.figures import FigureFilters, pass_rate_table
from tests.factories import make_attempt, make_delivery, make_person, make_unit
from tests.operations.support import run_command, run_here

PHONE, SHARED = "13800001234", "13900005678"


def people(instance: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return run_here(instance, "people", *arguments, typed=typed)


def test_a_person_is_exported_and_erased_from_the_terminal(tmp_path: Path) -> None:
    database, keys = Database(f"sqlite:///{tmp_path / 'quizapp.sqlite3'}"), Keys.load(tmp_path / "keys")
    migrate.upgrade(database)
    with database.session() as db, transaction(db):
        known = {"phone_hash": keys.phone_hash(PHONE), "phone_encrypted": keys.encrypt_phone(PHONE)}
        wanted = make_person(db, name="周敏", **known).id
        both = [make_person(db, name=name, phone_hash=keys.phone_hash(SHARED)).id for name in ("甲", "乙")]

    exported = people(tmp_path, "export", "--phone", "--to", "data.zip", typed="138 0000 1234\n")
    assert (exported.returncode, exported.stdout) == (0, f"Person {wanted}: data.zip\n")
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        assert PHONE in archive.read("my-data.html").decode()
    again = people(tmp_path, "export", "--person", str(wanted), "--to", "data.zip")
    assert (again.returncode, "name a new file" in again.stderr) == (1, True)

    several = people(tmp_path, "erase", "--phone", "--yes", typed=SHARED)
    assert several.returncode == 1
    assert all(str(key) in several.stderr for key in both)
    assert "甲*" in several.stderr
    for wrong in (["--phone"], [], ["--person", "1", "--phone"]):
        assert people(tmp_path, "erase", *wrong).returncode == 2
    assert people(tmp_path, "erase", "--phone", "--yes", typed="12").returncode == 2
    assert people(tmp_path, "erase", "--person", "999", "--yes").returncode == 1
    assert people(tmp_path, "erase", "--person", str(wanted), typed="n\n").returncode == 1

    done = people(tmp_path, "erase", "--phone", "--yes", typed=PHONE)
    assert (done.returncode, done.stdout) == (0, f"Erased: {wanted}\n")
    assert "erased before" in people(tmp_path, "erase", "--person", str(wanted), "--yes").stdout
    with database.session() as db:
        assert sorted(db.scalars(select(Person.name))) == sorted(["", "甲", "乙"])
    assert [entry.person_ids for entry in read(tmp_path / "keys")] == [(wanted,)]
    database.dispose()


def test_who_was_erased_after_a_backup_stays_erased_when_it_is_restored(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    database, keys = Database(f"sqlite:///{old / 'quizapp.sqlite3'}"), Keys.load(old / "keys")
    migrate.upgrade(database)
    with database.session() as db, transaction(db):
        known = {"phone_hash": keys.phone_hash(PHONE), "phone_encrypted": keys.encrypt_phone(PHONE)}
        wanted = make_person(db, name="周敏", **known).id
        delivery = make_delivery(db, make_unit(db, kind="district"))
        for number in range(11):
            owner = wanted if number == 0 else make_person(db).id
            make_attempt(db, delivery, delivery.unit, person_id=owner, passed=number % 3 > 0, score=60)
        delivery_id = delivery.id
    before = figures(database, delivery_id)
    backup = run_command(old, "backup", str(tmp_path / "b.zip"))
    assert backup.returncode == 0, backup.stderr
    assert people(old, "erase", "--person", str(wanted), "--yes").returncode == 0
    assert figures(database, delivery_id) == before
    database.dispose()

    new.mkdir()
    shutil.copytree(old / "keys", new / "keys")  # kept apart from the backup, the ledger of erasures beside them
    restored = run_command(new, "restore", str(tmp_path / "b.zip"))
    assert restored.returncode == 0, restored.stderr
    assert "erased again: 1" in restored.stdout.lower()
    again = Database(f"sqlite:///{new / 'quizapp.sqlite3'}")
    with again.session() as db:
        person = db.get_one(Person, wanted)
        assert (person.name, person.phone_hash, person.phone_encrypted) == ("", None, None)
    assert figures(again, delivery_id) == before
    again.dispose()


def figures(database: Database, delivery_id: int) -> list[tuple[object, ...]]:
    """The pass-rate table of a delivery, cell by cell."""
    with database.session() as db:
        scope = Scope((Grant(Role.ADMINISTRATOR, None),))
        table = pass_rate_table(db, scope, FigureFilters(delivery_id=delivery_id))
        return [
            (row.path, row.started, row.first, row.passed, row.rate, row.persons, row.mean_score) for row in table.rows
        ]
