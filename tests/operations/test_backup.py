"""A backup made while people answer, restored into an empty place, gives the same answers and figures; whatever is wrong is refused."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.config import Settings
from quizapp.core import migrate
from quizapp.core.clock import local_date, system_clock
from quizapp.core.db import Database, transaction
from quizapp.core.registry import Restoring
from quizapp.core.scope import Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.models import Base
from quizapp.operations.backup.archive import MANIFEST, BackupRefused
from quizapp.operations.backup.making import make_backup
from quizapp.operations.backup.restoring import check_backup, restore_backup
from quizapp.operations.installation import Installation, open_installation
from quizapp.quizzes.views.access import form_token
from quizapp.reports.figures import FigureFilters, PassRateTable, pass_rate_table
from tests.conftest import START, _postgres_admin, _postgres_url, make_settings
from tests.factories import RIGHT, make_account, make_attempt, make_delivery, make_person, make_session, make_unit
from tests.operations.support import environment, get, run_command, serving, wait_until
from tests.operations.test_server import ITEMS, Phone, prepare_instance, settings_of
from tests.quizzes.support import begin

#: Attempts that are taken and submitted one after the other while the backup is made.
QUICK = 160


@dataclass
class Quick:
    """An attempt of five questions that somebody takes in a second."""

    id: int
    public_id: str
    secret: str


class Submitter(threading.Thread):
    """Answers five questions, submits, and goes on with the next attempt."""

    def __init__(self, port: int, code: str, attempts: list[Quick], keys: Keys) -> None:
        super().__init__(daemon=True)
        self.port, self.code, self.attempts, self.keys = port, code, attempts, keys
        self.submitted: list[int] = []
        self.over = False

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            for one in self.attempts:
                if self.over:
                    return
                self._take(connection, one)
                self.submitted.append(one.id)
        except (OSError, http.client.HTTPException, ValueError):
            return
        finally:
            connection.close()

    def _take(self, connection: http.client.HTTPConnection, one: Quick) -> None:
        address = f"/q/{self.code}/a/{one.public_id}"
        cookie = {"Cookie": f"a_{one.public_id}={one.secret}", "Sec-Fetch-Site": "same-origin"}
        kinds = ("single_choice", "true_false", "multiple_choice", "single_choice", "true_false")
        items = [{"position": at, "answer": RIGHT[kind], "sequence": at} for at, kind in enumerate(kinds, start=1)]
        body = json.dumps({"items": items})
        connection.request("POST", f"{address}/answers", body, {**cookie, "Content-Type": "application/json"})
        statuses = [result["status"] for result in json.loads(connection.getresponse().read())["results"]]
        assert statuses == ["saved"] * 5
        form = urlencode({"form_token": form_token(self.keys, one.public_id, one.secret)})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{address}/submit", form, {**cookie, **kind})
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 303


def table_of(database: Database, delivery_id: int) -> PassRateTable:
    """What the page of pass rates shows an administrator of a delivery."""
    scope = Scope((Grant(Role.ADMINISTRATOR, None),))
    day = local_date(system_clock())
    filters = FigureFilters(delivery_id=delivery_id, first_day=day - timedelta(days=1), last_day=day)
    with database.session() as db:
        return pass_rate_table(db, scope, filters)


def numbers(table: PassRateTable) -> list[tuple[object, ...]]:
    return [
        (
            row.kind,
            row.unit and row.unit.name,
            row.started,
            row.closed,
            row.first,
            row.passed,
            row.rate,
            row.low,
            row.mean_score,
        )
        for row in table.rows
    ]


Empty = Callable[[Path], tuple[Database, dict[str, str]]]


def check_backup_under_load(instance: Path, database: Database, empty: Empty, tmp_path: Path, **settings: str) -> None:
    """Backup while phones save and submit; restore; compare."""
    keys = Keys.load(settings_of(instance, database).keys_folder)
    with database.session() as db:
        now = system_clock()
        with transaction(db):
            district = make_unit(db, kind="district")
            streets = [make_unit(db, district) for _ in range(3)]
            quiet = make_delivery(db, district, now=now)
            for number in range(60):
                make_attempt(db, quiet, streets[number % 3], now=now, passed=number % 4 > 0)
            long, quick = make_delivery(db, items=ITEMS, now=now), make_delivery(db, now=now)
        started = [begin(db, long, keys, now=now) for _ in range(3)]
        phones_of = [(one.attempt.id, one.attempt.public_id, one.secret) for one in started]
        attempts = [
            Quick(one.attempt.id, one.attempt.public_id, one.secret)
            for one in (begin(db, quick, keys, now=now) for _ in range(QUICK))
        ]
    before = numbers(table_of(database, quiet.id))
    with serving(instance, **settings) as server:
        phones = [Phone(server.port, long.poster_code, public_id, secret) for _, public_id, secret in phones_of]
        submitter = Submitter(server.port, quick.poster_code, attempts, keys)
        for thread in (*phones, submitter):
            thread.start()
        wait_until(lambda: len(submitter.submitted) >= 10 and min(len(phone.acknowledged) for phone in phones) >= 10)
        acknowledged = [dict(phone.acknowledged) for phone in phones]
        submitted = list(submitter.submitted)
        made = run_command(instance, "backup", str(tmp_path), "--keep", "2", **settings)
        assert made.returncode == 0, made.stderr
        at_end = len(submitter.submitted)
        submitter.over = True
    for thread in (*phones, submitter):
        thread.join(15)
    assert len(submitted) < at_end <= QUICK, "nobody was held up by the backup"
    file = Path(made.stdout.splitlines()[-1])
    assert file.stat().st_mode & 0o077 == 0

    place = tmp_path / "elsewhere"
    target, where = empty(place)
    refused = run_command(tmp_path, "restore", str(file), INSTANCE=str(place), **where)
    assert refused.returncode == 1
    assert "phone.key and session.key of this backup are not in" in refused.stderr
    assert not (place / "quizapp.sqlite3").exists()
    shutil.copytree(instance / "keys", place / "keys", dirs_exist_ok=True)
    spoil(Path(shutil.copyfile(file, tmp_path / "spoiled.zip")), 0.6)
    damaged = run_command(tmp_path, "restore", "spoiled.zip", INSTANCE=str(place), **where)
    assert "is damaged" in damaged.stderr
    restored = run_command(tmp_path, "restore", str(file), INSTANCE=str(place), **where)
    assert restored.returncode == 0, restored.stderr

    assert numbers(table_of(target, quiet.id)) == before
    with target.session() as db:
        for (attempt_id, _, _), answers in zip(phones_of, acknowledged, strict=True):
            stored = dict(
                db.execute(
                    text("SELECT position, sequence FROM response WHERE attempt_id = :id"), {"id": attempt_id}
                ).all()
            )
            assert all(stored[position] >= sequence for position, (_, sequence) in answers.items())
        closed = set(
            db.scalars(text("SELECT id FROM attempt WHERE delivery_id = :id AND state = 'submitted'"), {"id": quick.id})
        )
        # one instant: who is closed has all answers and their score, and whoever was acknowledged before is closed
        whole = db.execute(
            text(
                "SELECT a.id FROM attempt a JOIN response r ON r.attempt_id = a.id"
                " WHERE a.delivery_id = :id AND a.state = 'submitted' AND a.score = 100 GROUP BY a.id HAVING count(*) = 5"
            ),
            {"id": quick.id},
        )
        assert set(whole.scalars()) == closed
        assert set(submitted) <= closed <= set(submitter.submitted) | {one.id for one in attempts}
        assert len(submitted) <= len(closed) <= at_end + 1
    shown = table_of(target, quick.id).total
    assert (shown.closed, shown.started) == (len(closed), QUICK)
    again = run_command(tmp_path, "restore", str(file), INSTANCE=str(place), **where)
    assert again.returncode == 1
    assert ("holds a database already" if target.is_sqlite else "is not empty") in again.stderr
    with target.session() as db, transaction(db):  # numbers go on where they were
        make_delivery(db, now=now)
        make_person(db)
    with serving(place, **where) as server:
        assert get(f"{server.url}/q/{quick.poster_code}")[0] == 200
    target.dispose()


def test_a_backup_under_load_gives_the_same_figures_again_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    instance = tmp_path / "here"
    database = prepare_instance(sqlite_template, instance)

    def empty(place: Path) -> tuple[Database, dict[str, str]]:
        place.mkdir()
        return Database(f"sqlite:///{place / 'quizapp.sqlite3'}"), {}

    check_backup_under_load(instance, database, empty, tmp_path)
    database.dispose()


@pytest.mark.postgres
def test_a_backup_under_load_gives_the_same_figures_again_on_postgresql(
    postgres_database: Database, postgres_server: str, tmp_path: Path
) -> None:
    (instance := tmp_path / "here").mkdir()
    url = postgres_database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with new_postgres(postgres_server) as empty_url:

        def empty(place: Path) -> tuple[Database, dict[str, str]]:
            place.mkdir()
            return Database(empty_url), {"DATABASE_URL": empty_url}

        check_backup_under_load(instance, postgres_database, empty, tmp_path, DATABASE_URL=url)


@contextmanager
def new_postgres(server: str) -> Iterator[str]:
    """An empty database."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    _postgres_admin(server, f"CREATE DATABASE {name}")
    yield _postgres_url(server, name)
    _postgres_admin(server, f"DROP DATABASE {name} WITH (FORCE)")


def rows_of(database: Database) -> dict[str, list[str]]:
    """Every row of every table, but what a backup and a restore write into the log themselves."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in Base.metadata.sorted_tables
            if table.name != "audit_event"
        }


def test_every_row_comes_back_as_it_was(
    either_database: Database, request: pytest.FixtureRequest, tmp_path: Path, keys: Keys
) -> None:
    """Also texts that look like COPY's own signs, bytes, documents, instants to the microsecond, and numbers beyond 32 bits."""
    with either_database.session() as db, transaction(db):
        unit = make_unit(db, name="a\\b\n\tc\\N\r'\"\\.\n\\.", created_at=START.replace(microsecond=123456))
        account = make_account(db, (Role.COORDINATOR, unit), phone="13800001234", keys=keys, unit=unit)
        account.elder = True
        make_attempt(db, make_delivery(db, unit, fields={"name": "required", "注": ["\\n", None, 1.5]}), unit)
        make_session(db, unit, title="𠮷野家", place="")
    settings = make_settings(tmp_path, either_database, instance=tmp_path / "here")
    Keys.load(settings.keys_folder)
    made = make_backup(Installation(settings, either_database, keys), tmp_path, say=lambda _: None)
    before = rows_of(either_database)
    with ExitStack() as open_until_the_end:
        (place := tmp_path / "there").mkdir()
        shutil.copytree(settings.keys_folder, place / "keys")
        if either_database.is_sqlite:
            target = Database(f"sqlite:///{place / 'quizapp.sqlite3'}")
        else:
            server = request.getfixturevalue("postgres_server")
            target = Database(open_until_the_end.enter_context(new_postgres(server)))
        restore_backup(make_settings(tmp_path, target, instance=place), made.path, say=lambda _: None)
        after = rows_of(target)
        target.dispose()
    assert [name for name in before if before[name] != after[name]] == []
    assert sum(map(len, before.values())) > 600


@pytest.fixture
def installation(sqlite_template: Path, tmp_path: Path) -> Path:
    """The folder of an installation with a person and an account in it."""
    instance = tmp_path / "here"
    database = prepare_instance(sqlite_template, instance)
    keys = Keys.load(instance / "keys")
    with database.session() as db, transaction(db):
        make_account(db, username="chief", phone="13800001234", keys=keys)
    database.dispose()
    (instance / "root-files").mkdir()
    (instance / "root-files" / "MP_verify_abc.txt").write_text("abc")
    return instance


def place_settings(place: Path, **changes: object) -> Settings:
    """The settings of an empty place with the keys of `here`."""
    if not (place / "keys").exists():
        shutil.copytree(place.parent / "here" / "keys", place / "keys")
    database = Database(f"sqlite:///{place / 'quizapp.sqlite3'}")
    return make_settings(place.parent, database, **{"instance": place, **changes})


def test_the_file_never_holds_a_key_and_what_it_holds_comes_back(installation: Path, tmp_path: Path) -> None:
    made = run_command(installation, "backup")
    assert made.returncode == 0, made.stderr
    file = Path(made.stdout.splitlines()[-1])
    assert file.parent == installation / "backups"
    secrets = [path.read_bytes() for path in (installation / "keys").glob("*.key")]
    assert len(secrets) == 2
    with zipfile.ZipFile(file) as archive:
        contents = [file.read_bytes(), *(archive.read(name) for name in archive.namelist())]
    assert not [key for key in secrets for content in contents if key in content]
    settings = place_settings(tmp_path / "there")
    done = restore_backup(settings, file, say=lambda _: None)
    assert done.manifest.revision == migrate.head()
    assert (tmp_path / "there" / "root-files" / "MP_verify_abc.txt").read_text() == "abc"
    opened = open_installation(settings)
    with opened.database.session() as db:
        hidden = db.scalar(text("SELECT phone_encrypted FROM person WHERE phone_encrypted IS NOT NULL"))
        assert opened.keys.decrypt_phone(hidden) == "13800001234"
        actions = db.scalars(text("SELECT action FROM audit_event ORDER BY id")).all()
        assert actions[-1] == "backup_restored"  # the note of the backup itself was written after its instant
    opened.database.dispose()


def spoil(file: Path, where: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(len(content) * where)] ^= 0xFF
    file.write_bytes(content)


def rewrite(file: Path, **changes: object) -> None:
    """Change the manifest."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[MANIFEST] = json.dumps({**json.loads(members[MANIFEST]), **changes}).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_what_does_not_fit_is_refused_with_the_cure_and_leaves_the_place_empty(
    installation: Path, tmp_path: Path
) -> None:
    made = run_command(installation, "backup")
    good = Path(made.stdout.splitlines()[-1])
    file, place = tmp_path / "copy.zip", tmp_path / "there"

    def refused(words: str, spoiled: Callable[[Path], None] = lambda _: None, **changes: object) -> None:
        shutil.copyfile(good, file)
        spoiled(file)
        with pytest.raises(BackupRefused, match=words):
            restore_backup(place_settings(place, **changes), file, say=lambda _: None)
        assert sorted(path.name for path in place.iterdir()) == ["keys"]

    refused("not the whole of one", lambda f: os.truncate(f, f.stat().st_size // 2))
    refused("is damaged", lambda f: spoil(f, 0.4))
    rows = json.loads(zipfile.ZipFile(good).read(MANIFEST))["rows"]
    refused("not what was packed \\(person\\)", lambda f: rewrite(f, rows={**rows, "person": 7}))
    refused("newer version .*install that version", lambda f: rewrite(f, revision="9999"))
    refused("form that this version does not know", lambda f: rewrite(f, format=2))
    refused("not those of its manifest", lambda f: rewrite(f, members={}))
    refused("with DATABASE_URL left out", database_url="postgresql://nowhere/quiz")
    refused("can never become a real installation", lambda f: rewrite(f, demo=True))
    refused("copy the keys", lambda f: rewrite(f, keys={"phone.key": "0" * 16}))
    with pytest.raises(BackupRefused, match="there is no file"):
        check_backup(tmp_path / "none.zip", lambda _: None)
    (place / "quizapp.sqlite3-wal").write_bytes(b"stray")
    with pytest.raises(BackupRefused, match="of an earlier database"):
        restore_backup(place_settings(place), good, say=lambda _: None)
    (place / "quizapp.sqlite3-wal").unlink()
    checked = run_command(tmp_path, "restore", "--check", str(good))
    assert checked.stdout.startswith("Good: made 20")
    rewrite(file := Path(shutil.copyfile(good, tmp_path / "lost.zip")), keys={"phone.key": "0" * 16})
    restore_backup(place_settings(place), file, other_keys=True, say=lambda _: None)


def test_what_must_be_done_before_serving_is_part_of_the_restore(
    either_database: Database,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: Keys,
) -> None:
    settings = make_settings(tmp_path, either_database, instance=tmp_path / "here")
    Keys.load(settings.keys_folder)
    with either_database.session() as db, transaction(db):
        make_person(db, name="忘掉我")
    made = make_backup(Installation(settings, either_database, keys), tmp_path, say=lambda _: None)
    steps: dict[str, Callable[[Session, Restoring], int]] = {}
    monkeypatch.setattr("quizapp.operations.backup.restoring.AFTER_RESTORE", steps)

    def forget(db: Session, restoring: Restoring) -> int:
        assert restoring.begun_at <= restoring.now
        assert restoring.keys_folder == place / "keys"
        return int(db.execute(text("UPDATE person SET name = '' WHERE name = '忘掉我'")).rowcount)  # type: ignore[attr-defined]

    def fail(db: Session, restoring: Restoring) -> int:
        forget(db, restoring)
        raise BackupRefused("the ledger cannot be read")

    (place := tmp_path / "there").mkdir()
    shutil.copytree(settings.keys_folder, place / "keys")
    with ExitStack() as open_until_the_end:
        url = f"sqlite:///{place / 'quizapp.sqlite3'}"
        if not either_database.is_sqlite:
            url = open_until_the_end.enter_context(new_postgres(request.getfixturevalue("postgres_server")))
        target = Database(url)
        there = make_settings(tmp_path, target, instance=place)
        steps["erased again"] = fail
        with pytest.raises(BackupRefused, match="ledger"):
            restore_backup(there, made.path, say=lambda _: None)
        assert migrate.current(target) is None  # nothing that could be served
        target.dispose()  # that look has made an empty file, which is replaced
        steps["erased again"] = forget
        assert restore_backup(there, made.path, say=lambda _: None).steps == {"erased again": 1}
        with target.session() as db:
            assert db.scalar(text("SELECT count(*) FROM person WHERE name = '忘掉我'")) == 0
            details = db.scalars(select(AuditEvent.details).where(AuditEvent.action == "backup_restored")).one()
            assert details["erased again"] == 1
        target.dispose()


def killed(folder: Path, pattern: str, *arguments: str, **settings: str) -> None:
    """Start a command and kill it when it has begun to write."""
    with subprocess.Popen(
        [sys.executable, "-m", "quizapp.cli", *arguments],
        env=environment(folder, **settings),
        cwd=folder,
        stdout=subprocess.DEVNULL,
    ) as running:
        wait_until(lambda: any(path.stat().st_size > 100_000 for path in folder.glob(pattern)))
        running.send_signal(signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL


def test_what_is_killed_leaves_nothing_under_its_name_and_the_next_run_clears_away(
    installation: Path, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{installation / 'quizapp.sqlite3'}")
    with database.session() as db, transaction(db):
        for number in range(8):
            db.execute(
                text(
                    "INSERT INTO stored_file (public_id, kind, media_type, name, size, digest, content, created_at, expires_at)"
                    " VALUES (:name, 'result', 'x', 'x', 1, x'00', randomblob(4000000), '2026-01-01', '2099-01-01')"
                ),
                {"name": str(number)},
            )
    database.dispose()
    folder = installation / "backups"
    folder.mkdir()
    (folder / "quizapp-20200101-030000.zip").touch()
    killed(installation, "backups/.quizapp-backup-*/part.zip", "backup")
    assert [path.name for path in folder.glob("*.zip")] == ["quizapp-20200101-030000.zip"]
    assert list(folder.glob(".quizapp-backup-*"))
    assert run_command(installation, "backup", "--keep", "1").returncode == 0
    (left,) = folder.iterdir()
    assert left.name > "quizapp-2026"

    place = tmp_path / "there"
    settings = place_settings(place)
    killed(place, ".quizapp-restore-*/quizapp.sqlite3", "restore", str(left))
    assert {path.name.partition("-restore-")[0] for path in place.iterdir()} == {"keys", ".quizapp"}
    restore_backup(settings, left, say=lambda _: None)
    assert {path.name for path in place.iterdir()} == {"keys", "quizapp.sqlite3", "root-files"}
