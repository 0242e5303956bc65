"""Another key for phone numbers: everything stays readable and findable at each step, and whoever is stopped goes on."""

from __future__ import annotations

import os
import subprocess  # runs the command that is killed
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, func, select
from sqlalchemy.orm import Session

from quizapp.accounts.errors import SignInFailed
from quizapp.accounts.models import Account, SecondFactor
from quizapp.accounts.services.second_factor import PURPOSE as FACTOR
from quizapp.accounts.services.signing import complete_sign_in, sign_up, verify_sign_in
from quizapp.cli import group
from quizapp.core.db import Base, Database, transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import keep_file, read_file
from quizapp.jobs.models import Job
from quizapp.mail.models import OutgoingMail
from quizapp.mail.services import open_address, queue_mail, seal_address
from quizapp.operations.doctor.ground import keys as look_at_keys
from quizapp.operations.installation import Installation
from quizapp.operations.key_rotation import REWRITTEN, RotationRefused, rotate_phone_key
from quizapp.organisation.models import Person
from quizapp.organisation.people import identify
from quizapp.trainings.models import Registration
from tests.conftest import START, make_settings
from tests.factories import PASSWORD, make_account, make_registration, make_session, make_unit

#: Hashes that are no phone's: of secrets and browsers, made without a key, and of contents.
HASHES = {"secret_hash", "right_hash", "reader_hash", "device_hash", "receipt_hash", "code_hash", "digest", "subject"}
#: Columns of numbers that the roll-ups keep: people by their row, not by their phone.
NUMBERS = {"people", "days", "places"}
#: Lists from which surveys were drawn: people by their row.
LISTS = {"frame"}
UNKEYED = HASHES | NUMBERS | LISTS
PHONE = "138000{:05d}"


def phones(count: int) -> list[str]:
    return [PHONE.format(number) for number in range(count)]


@pytest.fixture
def installation(either_database: Database, tmp_path: Path) -> Installation:
    return make_installation(either_database, tmp_path)


def make_installation(database: Database, folder: Path) -> Installation:
    values = make_settings(folder, database)
    return Installation(values, database, Keys.load(values.keys_folder), lambda: START)


def known(db: Session, keys: Keys, phone: str, name: str = "王芳") -> int | None:
    nothing = {"unit_id": None, "industry_id": None, "birth_year": None, "sex": None, "education": None}
    found = identify(db, keys=keys, name=name, phone=phone, device_hash=None, now=START, **nothing)
    return found.person_id


def fill(installation: Installation, count: int) -> dict[str, int | None]:
    """Some of everything that hangs on the key; gives number → person."""
    keys = installation.keys
    with installation.database.session() as db, transaction(db):
        people = {phone: known(db, keys, phone) for phone in phones(count)}
        account = make_account(db, phone="13911112222", keys=keys)
        factor = {"secret_sealed": keys.seal(b"shared", FACTOR), "last_step": 0, "enrolled_at": START}
        db.add(SecondFactor(account_id=account.id, **factor))
        training = make_session(db, make_unit(db))
        address = seal_address(keys, "wang@example.org")
        make_registration(db, training.id, people[PHONE.format(0)] or 0, email_encrypted=address)
        queue_mail(db, "reminder", about_id=1, mark=0, address_sealed=address, language="zh", now=START)
        term = START + timedelta(days=9)
        for content in (b"one", b"two"):
            keep_file(
                db,
                content,
                kind=FileKind.EVIDENCE,
                media_type="image/jpeg",
                name="a.jpg",
                expires_at=term,
                keys=keys,
                actor=SYSTEM,
                now=START,
            )
    return people


def check(installation: Installation, keys: Keys, people: dict[str, int | None]) -> None:
    """Everybody is found and read with these keys, nobody stands twice, and the account signs in."""
    with installation.database.session() as db, transaction(db):
        assert {phone: known(db, keys, phone) for phone in people} == people
        stored = db.execute(select(Person.phone_encrypted, Person.phone_hash).where(Person.source == "typed")).all()
        read = [keys.decrypt_phone(row[0]) for row in stored]
        assert sorted(map(str, read)) == sorted(people)
        assert all(bytes(row[1]) in keys.phone_hashes(number or "") for row, number in zip(stored, read, strict=True))
        sign_up(db, keys=keys, phone="13911112222", password_hash="x", name="别人", unit_id=None, now=START)
        assert db.scalar(select(func.count()).select_from(Account)) == 1
        complete_sign_in(db, verified=verify_sign_in(db, keys=keys, login="13911112222", password=PASSWORD), now=START)
        for column in (Registration.email_encrypted, OutgoingMail.address_encrypted):
            assert [open_address(keys, row) for row in db.scalars(select(column))] == ["wang@example.org"]
        assert keys.unseal(db.scalars(select(SecondFactor.secret_sealed)).one(), FACTOR) == b"shared"
        files = db.scalars(select(StoredFile.id).order_by(StoredFile.id)).all()
        assert [read_file(db, one, keys=keys, now=START) for one in files] == [b"one", b"two"]


def test_everything_is_found_at_each_step_and_with_the_new_key_alone_at_the_end(installation: Installation) -> None:
    people = fill(installation, 210)
    before, serving, steps = installation.keys, installation.keys, []

    def look(words: str) -> None:
        steps.append(words)
        check(installation, serving.current(), people)

    done = rotate_phone_key(installation, say=look, settle=0)
    assert len(steps) == 7
    assert done.rows == {
        "people": 211,
        "accounts_rewritten": 0,
        "registrations": 1,
        "mails": 1,
        "factors": 1,
        "files": 2,
    }, done
    assert (done.unreadable, done.twins, done.waiting) == (0, [], 0)
    folder = installation.settings.keys_folder
    after = Keys.load(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "phone.key",
        "phone.key.until-20261123-020000",
        "session.key",
    ]
    assert serving.current() == after != before
    assert after.session == before.session
    check(installation, after, people)
    with installation.database.session() as db:
        assert before.decrypt_phone(db.scalars(select(Person.phone_encrypted)).first() or b"") is None
        with pytest.raises(SignInFailed):
            verify_sign_in(db, keys=before, login="13911112222", password=PASSWORD)
    # the key that was put aside opens what was made with it
    assert done.aside is not None
    assert done.aside.read_bytes() == before.phone
    assert done.aside.stat().st_mode & 0o777 == 0o600


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, 6), max_size=4))
def test_whoever_is_stopped_between_any_steps_goes_on(
    stops: list[int], sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "one.sqlite3").write_bytes(sqlite_template.read_bytes())
    installation = make_installation(Database(f"sqlite:///{folder / 'one.sqlite3'}"), folder)
    people = fill(installation, 3)
    for stop in stops:
        say = stopping_at(stop)
        with pytest.raises(KeyboardInterrupt):
            rotate_phone_key(installation, say=say, settle=0)
        check(installation, installation.keys.current(), people)
    done = rotate_phone_key(installation, say=lambda _: None, settle=0)
    assert done.aside is not None
    check(installation, Keys.load(installation.settings.keys_folder), people)
    installation.database.dispose()


def stopping_at(stop: int) -> Callable[[str], None]:
    steps: list[str] = []

    def say(words: str) -> None:
        steps.append(words)
        # a change that goes on says less than a new one
        if len(steps) >= stop or words.startswith("Files"):
            raise KeyboardInterrupt

    return say


def test_what_a_process_writes_with_the_key_before_is_brought_over(installation: Installation) -> None:
    """The request that began with the old key and ends after the change, and one number typed twice in that moment."""
    stale = Keys(installation.keys.session, installation.keys.phone)
    people = fill(installation, 3)

    def late(words: str) -> None:
        if not words.startswith("New key in use"):
            return
        with installation.database.session() as db, transaction(db):
            people["13700000001"] = known(db, stale, "13700000001")
            twins.append(known(db, stale, "13700000002"))
            # whoever has both keys would have found the row, had it been stored a moment sooner
            people["13700000002"] = known(db, Keys(stale.session, installation.keys.current().phone), "13700000002")

    twins: list[int | None] = []
    done = rotate_phone_key(installation, say=late, settle=0)
    assert done.twins == twins
    assert done.aside is not None
    after = Keys.load(installation.settings.keys_folder)
    with installation.database.session() as db, transaction(db):
        assert {phone: known(db, after, phone) for phone in people} == people
        twin = db.get_one(Person, twins[0])
        assert twin.phone_hash is None
        assert after.decrypt_phone(twin.phone_encrypted or b"") == "13700000002"


def test_a_job_that_began_with_the_key_before_is_waited_for(database: Database, tmp_path: Path) -> None:
    installation = make_installation(database, tmp_path)
    fill(installation, 1)
    job = {"public_id": "x", "name": "import_people", "arguments": {}, "state": "running", "tries": 1}
    times = {"created_at": START, "due_at": START, "started_at": START, "seen_at": START}
    with database.session() as db, transaction(db):
        db.add(Job(**job, **times))
    said: list[str] = []

    def finish(words: str) -> None:
        said.append(words)
        if words.startswith("Waiting"):
            with database.session() as db, transaction(db):
                db.scalars(select(Job)).one().state = "done"

    assert rotate_phone_key(installation, say=finish, settle=0).aside is not None
    assert "Waiting for what began before: import_people" in said


def test_an_account_whose_number_nobody_has_keeps_both_keys(database: Database, tmp_path: Path) -> None:
    installation = make_installation(database, tmp_path)
    with database.session() as db, transaction(db):
        account = make_account(db, phone="13911112222", keys=installation.keys)
        person = db.get_one(Person, account.person_id)
        person.phone_encrypted = person.phone_hash = None
    run = CliRunner(
        env={"INSTANCE": str(installation.settings.instance), "DATABASE_URL": str(database.url), "DEMO": "0"}
    )
    first = run.invoke(group, ["keys", "rotate", "--settle", "0"])
    assert (first.exit_code, "1 accounts have a number that no person has" in first.stderr) == (1, True), first.output
    now = make_installation(database, tmp_path)
    assert any("quizapp keys rotate" in str(finding) for finding in look_at_keys(now))
    with database.session() as db:
        assert verify_sign_in(db, keys=now.keys, login="13911112222", password=PASSWORD).new_phone_hash is not None
    second = run.invoke(group, ["keys", "rotate", "--settle", "0", "--leave-behind"])
    assert (second.exit_code, "The old key is" in second.stdout) == (0, True), second.output
    assert all(finding.good for finding in look_at_keys(make_installation(database, tmp_path)))


def test_two_changes_at_once_are_refused(database: Database, tmp_path: Path) -> None:
    installation = make_installation(database, tmp_path)

    def again(_words: str) -> None:
        with pytest.raises(RotationRefused, match="wait for it"):
            rotate_phone_key(installation, say=print, settle=0)

    rotate_phone_key(installation, say=again, settle=0)


def test_a_change_that_is_killed_loses_nothing(installation: Installation) -> None:
    """Killed at moments that spread over the whole of it, then carried to its end."""
    people = fill(installation, 250)
    environment = {
        **os.environ,
        "INSTANCE": str(installation.settings.instance),
        "DATABASE_URL": installation.database.url.render_as_string(hide_password=False),
        "DEMO": "0",
    }
    command = [sys.executable, "-m", "quizapp.cli", "keys", "rotate", "--settle", "0"]
    killed = 0
    for pause in (0.0, 0.05):
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:  # this program itself
            assert process.stdout is not None
            process.stdout.readline()  # the next key is there
            time.sleep(pause)
            process.kill()
        killed += process.returncode == -9
        check(installation, installation.keys.current(), people)
    assert killed
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # the same
    assert ended.returncode == 0, ended.stderr
    check(installation, Keys.load(installation.settings.keys_folder), people)


def test_every_column_that_hangs_on_the_key_is_rewritten() -> None:
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name not in UNKEYED
    }
    assert binary == set(REWRITTEN), "name the column in quizapp/operations/key_rotation.py, or among UNKEYED here"
