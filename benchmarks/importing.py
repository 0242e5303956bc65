"""A file of 20,000 people onto a roster: the product's two jobs against reading the same file and one `executemany`, each by itself."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from benchmarks.results import Result, Results
from benchmarks.server import ROOT
from benchmarks.sheet import peak_megabytes

_HEADS = ("序号", "姓名", "手机号", "单位", "岗位", "出生年份", "性别")
_UNITS = 500


def workbook(count: int) -> bytes:
    """So many people of five hundred units, numbers as numbers."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, _HEADS)
    for n in range(count):
        row = (
            n + 1,
            f"张三{n}",
            13_800_000_000 + n,
            f"企业{n % _UNITS}",
            "职工",
            1960 + n % 40,
            "女" if n % 2 else "男",
        )
        sheet.write_row(n + 1, 0, row)
    book.close()
    return buffer.getvalue()


def import_ours(content: bytes, folder: Path) -> dict[str, float]:
    """Bring the file, have it read, have it taken in; gives the processor seconds of both jobs, and how long it took."""
    import quizapp.models
    import quizapp.tasks
    from quizapp.core import migrate
    from quizapp.core.clock import system_clock, to_ms
    from quizapp.core.db import Database, transaction
    from quizapp.core.scope import Actor
    from quizapp.core.tokens import Keys
    from quizapp.jobs.worker import run_pending
    from quizapp.organisation.imports.batches import ROSTER, ask_to_apply, receive_file
    from quizapp.organisation.models import ImportBatch, OrgUnit
    from quizapp.trainings.models import TrainingSession

    assert quizapp.models
    assert quizapp.tasks
    database = Database(f"sqlite:///{folder / 'ours.sqlite3'}")
    migrate.upgrade(database)
    keys, actor, now = Keys.load(folder / "keys"), Actor(account_id=1), system_clock()
    ground: Any = SimpleNamespace(database=database, keys=keys, clock=system_clock, settings=None)
    with database.session() as db, transaction(db):
        for n in range(_UNITS):
            db.add(
                OrgUnit(id=n + 1, path=f"/{n + 1}/", name=f"企业{n}", code=f"E{n}", initials="qy", kind="enterprise", created_at=now)
            )  # fmt: skip
        db.flush()
        at = to_ms(now)
        session = TrainingSession(
            code="ABCDEFGH", title="合训", kind="joint", place="二楼", unit_id=1, starts_at=at, ends_at=at + 3_600_000,
            check_in_from=at, check_in_until=at + 3_600_000, created_at=at,
        )  # fmt: skip
        db.add(session)
        db.flush()
        session_id = session.id
    before, marks, cpu = peak_megabytes(), [time.perf_counter()], [time.process_time()]
    with database.session() as db, transaction(db):
        batch = receive_file(
            db, content, kind=ROSTER, target_id=session_id, unit_id=1, reach=None, after=None, keys=keys, actor=actor, now=now
        )  # fmt: skip
        batch_id = batch.id
    run_pending(ground)
    marks.append(time.perf_counter())
    cpu.append(time.process_time())
    with database.session() as db, transaction(db):
        ask_to_apply(db, db.get_one(ImportBatch, batch_id), reach=None, actor=actor, now=now)
    run_pending(ground)
    marks.append(time.perf_counter())
    cpu.append(time.process_time())
    with database.session() as db:
        batch = db.get_one(ImportBatch, batch_id)
        if batch.state != "applied":
            raise RuntimeError(f"the import ended as {batch.state}: {batch.faults[:3]}")
        added = int(batch.summary["added"])
    return {
        "read": cpu[1] - cpu[0],
        "apply": cpu[2] - cpu[1],
        "cpu": cpu[2] - cpu[0],
        "seconds": marks[2] - marks[0],
        "rows": added,
        "grown": peak_megabytes() - before,
    }


def import_floor(content: bytes, folder: Path) -> dict[str, float]:
    """Read the file, hash and encrypt each number, write people and entries with two `executemany`."""
    from cryptography.fernet import Fernet
    from python_calamine import CalamineWorkbook

    database = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, phone_hash BLOB, phone_encrypted BLOB, unit TEXT, role TEXT,"
        " year INTEGER, sex TEXT); CREATE INDEX ix ON person (phone_hash, name); CREATE INDEX iu ON person (unit);"
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, session INTEGER, person INTEGER, UNIQUE (session, person));"
        "CREATE INDEX ip ON entry (person)"
    )
    cipher, before, begin, cpu = (
        Fernet(Fernet.generate_key()),
        peak_megabytes(),
        time.perf_counter(),
        time.process_time(),
    )
    people = []
    sheet = CalamineWorkbook.from_object(io.BytesIO(content)).get_sheet_by_index(0)
    for number, row in enumerate(sheet.iter_rows()):
        if number:
            phone = str(int(row[2])).encode()
            hashed = hmac.new(b"key", phone, hashlib.sha256).digest()
            people.append((number, row[1], hashed, cipher.encrypt(phone), row[3], row[4], row[5], row[6]))
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", people)
    database.executemany("INSERT INTO entry (session, person) VALUES (1, ?)", ((person[0],) for person in people))
    database.execute("COMMIT")
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "rows": len(people), "grown": peak_megabytes() - before}


def measure(results: Results, *, count: int, rounds: int) -> None:
    """Seconds and memory of both, in turn."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "floor": []}
    for _ in range(rounds):
        for side, values in found.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.importing", side, str(count)],
                cwd=ROOT, check=True, capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            values.append(json.loads(done.stdout))
            if values[-1]["rows"] != count:
                results.fault(f"{side} took in {values[-1]['rows']:.0f} of {count} people")
    ours, floor = (median(row["cpu"] for row in found[side]) for side in ("ours", "floor"))
    read, apply, took = (median(row[part] for row in found["ours"]) for part in ("read", "apply", "seconds"))
    name = f"import of {count:,} people"
    note = (
        f"floor {floor:.2f}, × {ours / floor:.1f}; reading {read:.2f}, taking in {apply:.2f}; {took:.1f} s by the clock"
    )
    results.add(Result(name, ours, None, "CPU-s", "sqlite", note=note, target=15, absolute=True))
    grown = max(row["grown"] for row in found["ours"])
    note = f"beyond the idle worker; the floor {max(row['grown'] for row in found['floor']):.0f} MB"
    results.add(Result(f"{name}, memory", grown, None, "MB", "sqlite", note=note, target=60, absolute=True))


if __name__ == "__main__":
    table = workbook(int(sys.argv[2]))
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps({"ours": import_ours, "floor": import_floor}[sys.argv[1]](table, Path(place))))
