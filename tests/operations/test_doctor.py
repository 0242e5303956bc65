"""The doctor says what is wrong and the cure, on both databases; what is well is one line each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import text, update

from quizapp import __version__
from quizapp.app import create_app
from quizapp.audit.models import AuditEvent
from quizapp.audit.triggers import DROP_FURTHER_TRIGGERS, DROP_TRIGGERS
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue, ensure_periodic
from quizapp.operations.backup.making import make_backup
from quizapp.operations.doctor import Finding, examine
from quizapp.operations.doctor.address import judge
from quizapp.operations.installation import Installation, open_installation
from quizapp.operations.probe import probe_path
from tests.conftest import START, FakeClock, make_settings
from tests.factories import make_account
from tests.operations.support import free_port, run_command


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, either_database: Database, tmp_path: Path, clock: FakeClock
) -> Iterator[Installation]:
    if not either_database.is_sqlite:
        request.getfixturevalue("durable_postgres")
    settings = make_settings(tmp_path, either_database, public_url="https://quiz.example.org")
    opened = replace(open_installation(settings), clock=clock)
    yield opened
    opened.database.dispose()


def found(installation: Installation, **options: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(installation, **options)}


def write(installation: Installation, *statements: str) -> None:
    with installation.database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_an_installation_that_is_well(installation: Installation, clock: FakeClock, tmp_path: Path) -> None:
    if not installation.database.is_sqlite:
        clock.now = datetime.now(START.tzinfo)
    with installation.database.session() as db, transaction(db):
        ensure_periodic(db, "forget_finished_jobs", now=clock.now)
        make_account(db, phone="13800001234", keys=installation.keys)
    make_backup(installation, tmp_path, say=lambda _: None)
    named = replace(installation, settings=replace(installation.settings, data_keeper="科协", data_contact="010"))
    wrong = [str(finding) for finding in examine(named) if not finding.good]
    assert wrong == []
    assert "entries can only be added" in str(found(named)["audit log"])
    with installation.database.session() as db:  # what was tried is taken back
        assert "doctor_tried" not in db.scalars(text("SELECT action FROM audit_event")).all()


def test_each_fault_is_named_with_its_cure(installation: Installation, clock: FakeClock) -> None:
    if not installation.database.is_sqlite:
        clock.now = datetime.now(START.tzinfo)
    faults = {name: str(finding) for name, finding in found(installation).items() if not finding.good}
    assert set(faults) == {"jobs", "backups", "data notice"}
    assert "no worker has ever run here. Start: quizapp serve" in faults["jobs"]
    assert "Set DATA_KEEPER" in faults["data notice"]
    (installation.settings.keys_folder / "phone.key").chmod(0o644)
    with installation.database.session() as db, transaction(db):
        make_account(db, phone="13800001234", keys=Keys(session=b"x", phone=b"y"))
        ensure_periodic(db, "forget_finished_jobs", now=clock.now - timedelta(minutes=9))
    later = clock.now
    make_backup(installation, installation.settings.instance, say=lambda _: None)
    clock.forward(days=4)
    now = found(installation)
    assert "the newest is 4 days old" in str(now["backups"])
    clock.now = later
    dialect = "sqlite" if installation.database.is_sqlite else "postgresql"
    write(installation, *DROP_FURTHER_TRIGGERS[dialect])
    hole = "replaced" if installation.database.is_sqlite else "emptied"
    assert f"entries can be {hole}." in str(found(installation)["audit log"])
    write(installation, *DROP_TRIGGERS[dialect])
    changed = replace(installation.settings, public_url="http://127.0.0.1:1", trusted_proxies=("0.0.0.0/0",))
    now = found(replace(installation, settings=changed))
    assert "entries can be changed, deleted, " in str(now["audit log"])
    assert "others can read phone.key. Run: chmod 600" in str(now["keys"])
    assert "does not open the stored numbers" in str(now["key of telephone numbers"])
    assert "nobody has run the one that is due since 9 minutes" in str(now["jobs"])
    assert "set it to the address that phones reach" in str(now["address"])
    assert "believes everybody" in str(now["trusted proxies"])
    assert "none was ever made" not in str(now["backups"])
    clock.now = later - timedelta(hours=1)
    assert "seconds behind the" in str(found(installation)["clock"])
    write(installation, "UPDATE alembic_version SET version_num = '9999'")
    assert "which this version does not know. A newer version made it" in str(found(installation)["database"])


def test_a_job_that_failed_or_went_silent_is_told(installation: Installation, clock: FakeClock) -> None:
    with installation.database.session() as db, transaction(db):
        ensure_periodic(db, "forget_finished_jobs", now=clock.now)
        job = enqueue(db, "x", {}, actor=SYSTEM, now=clock.now)
    for values, words in (
        ({"state": "running", "seen_at": clock.now - timedelta(minutes=3)}, "1 began and went silent"),
        ({"state": "failed", "finished_at": clock.now}, "1 failed within a day"),
    ):
        with installation.database.session() as db, transaction(db):
            db.execute(update(Job).where(Job.id == job.id).values(**values))
        assert words in str(found(installation)["jobs"])


def test_the_clock_is_compared_with_the_last_entry_of_the_log(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.session() as db, transaction(db):
        db.add(AuditEvent(at=START + timedelta(hours=2), action="x", object_type="y", details={}))
    opened = replace(open_installation(make_settings(tmp_path, sqlite_database)), clock=lambda: START)
    finding = found(opened)["clock"]
    assert "7200 seconds behind the newest entry of the audit log. Let the machine follow a time server" in str(finding)
    opened.database.dispose()


ARRIVED = {
    "version": __version__,
    "peer": "10.0.0.2",
    "trusted": True,
    "visitor": "198.51.100.7",
    "scheme": "https",
    "host": "quiz.example.org",
    "forwarded_for": ["198.51.100.7"],
    "forwarded_proto": "https",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "arrive as they should through 10.0.0.2"),
        ({"trusted": False, "scheme": "http"}, "a proxy at 10.0.0.2 is not believed: all visitors look like one"),
        ({"forwarded_for": ["203.0.113.77"]}, "lets visitors claim any address"),
        ({"scheme": "http"}, "arrive as http, not https. Let the proxy send X-Forwarded-Proto"),
        ({"host": "127.0.0.1:8000"}, "arrive for 127.0.0.1:8000, not quiz.example.org. Let the proxy pass on Host"),
        ({"version": "0.0.1"}, "version 0.0.1. Restart it"),
    ],
)
def test_what_arrives_through_proxies_is_judged(change: dict[str, Any], words: str) -> None:
    findings = judge({**ARRIVED, **change}, "https://quiz.example.org")
    assert words in "\n".join(map(str, findings))
    assert all(finding.good for finding in findings) == (not change)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_the_running_site_tells_what_arrives_and_a_mail_server_whether_it_takes_us(
    database: Database, tmp_path: Path, clock: FakeClock
) -> None:
    port, post = free_port(), Controller(object(), hostname="127.0.0.1", port=free_port())
    settings = make_settings(
        tmp_path,
        database,
        public_url=f"http://127.0.0.1:{port}",
        smtp_url=f"smtp://127.0.0.1:{post.port}",
        mail_from="a@example.org",
    )
    opened = replace(open_installation(settings), clock=clock)
    down = found(opened, online=True)
    assert "nobody answers from here" in str(down["site"])
    assert "127.0.0.1 refuses (ConnectionRefusedError)" in str(down["mail"])
    app = create_app(settings, clock=clock, database=database, TESTING=True)
    server = make_server("127.0.0.1", port, app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    post.start()
    try:
        up = found(opened, online=True, time_from=f"http://127.0.0.1:{port}/")
        assert f"answers, version {__version__}" in str(up["site"])
        assert "no proxy, and none is believed" in str(up["proxy headers"])
        assert "takes mail from here" in str(up["mail"])
        assert "ahead of" in str(up["clock"]) or "behind" in str(up["clock"])  # the test's clock stands still
        other = replace(opened, keys=Keys(session=b"x", phone=b"y"))
        assert "answers 404, not as this installation" in str(found(other, online=True)["site"])
    finally:
        post.stop()
        server.shutdown()
        server.server_close()
    opened.database.dispose()


def test_only_who_holds_the_keys_learns_what_arrives(app: Flask, clock: FakeClock) -> None:
    keys, client = app.extensions["quizapp"].keys, app.test_client()
    path = probe_path(keys, to_ms(START))
    assert client.get(path).json["version"] == __version__
    assert client.get(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    clock.forward(minutes=6)
    assert client.get(path).status_code == 404


def test_the_command_ends_with_one_where_something_is_wrong(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "quizapp.sqlite3").write_bytes(sqlite_template.read_bytes())
    done = run_command(tmp_path, "doctor", "--offline")
    assert done.returncode == 1
    assert "ok    audit log: entries can only be added" in done.stdout
    assert "fault backups: none was ever made. Run: quizapp backup" in done.stderr
