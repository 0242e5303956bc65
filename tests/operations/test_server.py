"""The real server: what it prints, where it listens, how it ends, and that a kill loses no acknowledged answer."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from pathlib import Path

import pytest

from quizapp.config import Settings
from quizapp.core.clock import system_clock
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.operations.installation import open_installation, set_mark
from quizapp.quizzes.models import Attempt, Response
from tests.factories import make_delivery, make_unit
from tests.operations.support import Server, get, run_command, serving, wait_until
from tests.quizzes.support import begin

ITEMS = 30


def prepare_instance(sqlite_template: Path, instance: Path) -> Database:
    """An installation whose schema is at head; the banks are loaded at the first start."""
    instance.mkdir(exist_ok=True)
    (instance / "quizapp.sqlite3").write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{instance / 'quizapp.sqlite3'}")
    set_mark(database, demo=False)
    return database


def test_the_first_start_prints_the_address_and_a_set_up_link_that_works(tmp_path: Path) -> None:
    with serving(tmp_path, HOST="127.0.0.1", PUBLIC_URL="http://quiz.example.org:8080") as server:
        printed = server.printed()
        assert "quizapp: http://quiz.example.org:8080" in printed
        link = server.wait_for(r"http://quiz\.example\.org:8080(/set-up/\S+)")
        assert get(server.url + link[1])[0] == 200
        assert get(server.url + "/demo")[0] == 404
        assert server.stop() == 0
    again = run_command(tmp_path, "doctor", PUBLIC_URL="https://quiz.example.org", DATA_KEEPER="a", DATA_CONTACT="b")
    assert "ok    database" in again.stdout


def test_a_port_in_use_is_one_line_with_the_cure(sqlite_template: Path, tmp_path: Path) -> None:
    prepare_instance(sqlite_template, tmp_path).dispose()
    with serving(tmp_path) as server:
        second = run_command(tmp_path, "serve", PORT=str(server.port))
    assert second.returncode == 2
    assert (
        second.stderr.strip() == f"quizapp: PORT={server.port} is in use: stop the other program, or set another PORT"
    )


def test_the_job_worker_is_started_again_when_it_dies_and_ends_with_the_server(
    sqlite_template: Path, tmp_path: Path
) -> None:
    prepare_instance(sqlite_template, tmp_path).dispose()
    with serving(tmp_path) as server:
        wait_until(lambda: server.children("--parent"))
        first = server.children("--parent")[0]
        os.kill(first, signal.SIGKILL)
        server.wait_for("Jobs: the worker ended")
        wait_until(lambda: server.children("--parent") and server.children("--parent") != [first])
        second = server.children("--parent")[0]
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        wait_until(lambda: not Path(f"/proc/{second}/cmdline").exists() or not _running(second))


def _running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Phone(threading.Thread):
    """Saves answers one after the other and remembers what the server acknowledged."""

    def __init__(self, port: int, code: str, public_id: str, secret: str) -> None:
        super().__init__(daemon=True)
        self.port, self.code, self.public_id, self.secret = port, code, public_id, secret
        self.acknowledged: dict[int, tuple[str, int]] = {}

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"a_{self.public_id}={self.secret}",
            "Sec-Fetch-Site": "same-origin",
        }
        try:
            for sequence in range(1, 100_000):
                position = sequence % ITEMS + 1
                item = {"position": position, "answer": "ab"[sequence % 2], "sequence": sequence}
                connection.request(
                    "POST", f"/q/{self.code}/a/{self.public_id}/answers", json.dumps({"items": [item]}), headers
                )
                reply = connection.getresponse()
                result = json.loads(reply.read())["results"][0]
                assert result["status"] == "saved"
                self.acknowledged[position] = (item["answer"], sequence)
        except (OSError, http.client.HTTPException, ValueError):
            return
        finally:
            connection.close()


def check_kill(instance: Path, database: Database, settings: Settings, **environment: str) -> None:
    """Let phones save, kill everything, compare what was acknowledged with what is stored, and start again."""
    keys = Keys.load(settings.keys_folder)
    with database.session() as db:
        now = system_clock()
        with transaction(db):
            delivery = make_delivery(db, make_unit(db), items=ITEMS, now=now)
        started = [begin(db, delivery, keys, now=now) for _ in range(4)]
        code = delivery.poster_code
        names = [(one.attempt.id, one.attempt.public_id, one.secret) for one in started]
    server = Server(instance, WORKERS="2", **environment)
    try:
        server.wait_for("Stop with Ctrl-C")
        phones = [Phone(server.port, code, public_id, secret) for _, public_id, secret in names]
        for phone in phones:
            phone.start()
        wait_until(lambda: min(len(phone.acknowledged) for phone in phones) >= 20)
    finally:
        server.kill()
    for phone in phones:
        phone.join(15)
    with database.session() as db:
        for phone, (attempt_id, _, _) in zip(phones, names, strict=True):
            for position, (answer, sequence) in phone.acknowledged.items():
                stored = db.get_one(Response, (attempt_id, position))
                # a further answer may have been stored whose reply the phone did not get
                assert stored.sequence >= sequence
                assert stored.sequence > sequence or stored.answer == answer
            assert db.get_one(Attempt, attempt_id).state == "open"
    database.dispose()
    with serving(instance, **environment) as again:
        assert get(f"{again.url}/q/{code}")[0] == 200


def settings_of(instance: Path, database: Database) -> Settings:
    """The settings that the server reads, for the keys."""
    return Settings("127.0.0.1", 1, "http://127.0.0.1", database.url.render_as_string(False), instance, False, 1)


def test_kill_9_in_the_middle_of_a_load_loses_no_acknowledged_answer_on_sqlite(
    sqlite_template: Path, tmp_path: Path
) -> None:
    database = prepare_instance(sqlite_template, tmp_path)
    check_kill(tmp_path, database, settings_of(tmp_path, database))


@pytest.mark.postgres
def test_kill_9_in_the_middle_of_a_load_loses_no_acknowledged_answer_on_postgresql(
    postgres_database: Database, tmp_path: Path
) -> None:
    url = postgres_database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    check_kill(tmp_path, postgres_database, settings_of(tmp_path, postgres_database), DATABASE_URL=url)


def test_init_twice_changes_no_bank_and_gives_a_new_link(tmp_path: Path) -> None:
    first = run_command(tmp_path, "init")
    assert first.returncode == 0, first.stderr
    assert "Question banks: checking and loading" in first.stdout
    second = run_command(tmp_path, "init")
    assert second.returncode == 0
    assert "Question banks" not in second.stdout
    installation = open_installation(settings_of(tmp_path, Database(f"sqlite:///{tmp_path / 'quizapp.sqlite3'}")))
    installation.database.dispose()
