"""The pass-rate page at a million attempts: from sums, against the best SQL over the attempts; and what the triggers cost."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from benchmarks.attempt import ask_all
from benchmarks.figures import add_reader, sign_in
from benchmarks.ground import Ground, make_unit
from benchmarks.load import request
from benchmarks.results import Result, Results
from benchmarks.server import OURS, Server
from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import Database, transaction
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, Delivery, Paper
from quizapp.reports.rollups.services import advance, refresh
from quizapp.reports.rollups.triggers import CREATE_TRIGGERS, DROP_TRIGGERS

#: Units below one unit, level after level: five levels with the district, 5,060 units.
_TREE = (8, 8, 8, 9)
#: Days over which the attempts are spread.
_DAYS = 360

BEST = """
SELECT a.unit_path, count(*), sum(a.state IN ('submitted', 'expired')),
  sum(a.is_first AND a.state IN ('submitted', 'expired')), sum(a.is_first AND a.passed AND a.state IN ('submitted', 'expired')),
  sum(a.state = 'void'), sum(a.state IN ('submitted', 'expired') AND a.person_id IS NULL)
FROM attempt a WHERE {which} GROUP BY a.unit_path
"""
BEST_PEOPLE = "SELECT count(DISTINCT person_id) FROM attempt WHERE {which} AND state IN ('submitted', 'expired')"


def fill(db: Session, ground: Ground, count: int) -> int:
    """A tree of five thousand units with so many attempts of one delivery over a year, by people who take one each."""
    now = datetime.now(UTC)
    delivery = db.scalars(select(Delivery).where(Delivery.poster_code == ground.code)).one()
    delivery.opens_at = to_ms(now - timedelta(days=_DAYS + 1))
    paper = db.scalars(select(Paper.id).where(Paper.delivery_id == delivery.id)).first()
    level, numbers = [db.get_one(OrgUnit, delivery.unit_id)], itertools.count(1000)
    for breadth in _TREE:
        level = [make_unit(db, parent, next(numbers), now) for parent in level for _ in range(breadth)]
    first_person = (db.scalar(select(Person.id).order_by(Person.id.desc())) or 0) + 1
    people = (
        {"id": first_person + n, "name": "某", "name_key": "某", "source": "typed", "created_at": now}
        for n in range(count)
    )
    for piece in _pieces(people):
        db.execute(insert(Person), piece)
    places = [(unit.id, unit.path) for unit in level]
    rows = _attempts(delivery.id, paper, places, first_person, count, local_date(now), to_ms(now))
    for piece in _pieces(rows):
        db.execute(insert(Attempt), piece)
    add_reader(db, delivery.unit_id, now)
    return delivery.id


def _attempts(
    delivery_id: int,
    paper: int | None,
    places: list[tuple[int, str]],
    first_person: int,
    count: int,
    today: date,
    started: int,
) -> Iterator[dict[str, Any]]:
    rng = random.Random(20261123)
    bands, sexes = ("18-29", "30-44", "45-59", "60+"), ("female", "male")
    for number in range(count):
        unit_id, path = rng.choice(places)
        score = rng.randrange(0, 101, 2)
        yield {
            "public_id": f"million{number}", "delivery_id": delivery_id, "paper_id": paper, "secret_hash": b"s",
            "order_seed": "seed", "order_version": 1, "state": "submitted", "started_at": started, "deadline_at": started,
            "accepts_until": started, "closed_at": started, "local_date": today - timedelta(days=number * _DAYS // count + 1),
            "try_number": 1, "is_first": True, "identity_level": "matched", "unit_id": unit_id, "unit_path": path,
            "unit_known": "self_declared", "age_band": rng.choice(bands), "sex": rng.choice(sexes), "guardian": False,
            "notice_version": "1", "marked": [], "score": score, "passed": score >= 60, "person_id": first_person + number,
        }  # fmt: skip


def _pieces(rows: Iterator[dict[str, Any]], size: int = 20_000) -> Iterator[list[dict[str, Any]]]:
    while piece := list(itertools.islice(rows, size)):
        yield piece


def measure(ground: Ground, results: Results, *, attempts: int, rounds: int) -> None:
    """The page on a million attempts, its memory, the job, and the same counts by SQL over the attempts."""
    url = ground.copy("rollups")
    database = Database(url)
    with database.session() as db, transaction(db):
        delivery_id = fill(db, ground, attempts)
    with database.session() as db:
        begin = time.process_time()
        advance(db, local_date(datetime.now(UTC)))
        while refresh(db):
            pass
        summing = time.process_time() - begin
    database.dispose()
    size = f"{attempts:,} attempts"
    results.add(Result(f"summing {size} for the first time", summing, None, "CPU-s", ground.kind))
    with (
        Server(OURS, ground.environment(url), ground.folder / "rollups.log") as server,
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection,
    ):
        cookies = sign_in(server)
        first_day = local_date(datetime.now(UTC)) - timedelta(days=_DAYS + 1)
        for name, query, which, target in (
            ("pass-rate page of a year", {"from": first_day}, ("local_date >= ?", str(first_day)), 300.0),
            ("pass-rate page", {"delivery": delivery_id}, ("delivery_id = ?", delivery_id), 300.0),
            ("pass-rate page by band", {"delivery": delivery_id, "age": "60+"}, ("delivery_id = ?", delivery_id), None),
        ):
            page = request("GET", f"/reports/pass-rates?{urlencode(query)}", cookies=cookies)
            before, mine, waited, raw = server.largest_worker(), [], [], []
            for _ in range(rounds + 1):
                cpu, begin = server.cpu(), time.perf_counter()
                replies = asyncio.run(ask_all(server.port, [page] * 3, 1))
                mine.append((server.cpu() - cpu) * 1000 / 3)
                waited.append((time.perf_counter() - begin) * 1000 / 3)
                if any(reply.status != 200 for reply in replies):
                    raise RuntimeError(f"pass-rate page: status {replies[0].status}")
                if "age" not in query and f"{attempts:,}".encode() not in replies[0].body:
                    raise RuntimeError("pass-rate page: not all attempts are counted")
                cpu = time.process_time()
                for best in (BEST, BEST_PEOPLE):
                    connection.execute(best.format(which=which[0]), which[1:]).fetchall()
                raw.append((time.process_time() - cpu) * 1000)
            title = f"{name} at {size}"
            note = "floor: counts and people by SQL over the attempts"
            results.add(Result(title, median(mine[1:]), median(raw[1:]), "CPU-ms", ground.kind, target=2.0, note=note))
            results.add(
                Result(f"{title}, waited", median(waited[1:]), None, "ms", ground.kind, target=target, absolute=True)
            )
            grown = server.largest_worker() - before
            results.add(Result(f"{title}, memory grown", grown, None, "MB", ground.kind, target=48.0, absolute=True))


def triggers(ground: Ground, results: Results, *, count: int = 2000, rounds: int = 5) -> None:
    """A start's insert and a submit's update with the triggers and without, on today's attempts."""
    database = Database(ground.copy("triggers"))
    kind = "sqlite" if database.is_sqlite else "postgresql"
    with database.session() as db:
        advance(db, local_date(datetime.now(UTC)))
    taken: dict[str, dict[bool, list[float]]] = {"start": {True: [], False: []}, "submit": {True: [], False: []}}
    with database.session() as db:
        delivery = db.scalars(select(Delivery).where(Delivery.poster_code == ground.code)).one()
        paper = db.scalars(select(Paper.id).where(Paper.delivery_id == delivery.id)).first()
        place = [(delivery.unit_id, db.get_one(OrgUnit, delivery.unit_id).path)]
        today = local_date(datetime.now(UTC))
    for turn in range(2 * rounds):
        armed = turn % 2 == 0
        if turn:
            _arm(database, kind, armed=armed)
        with database.session() as db, transaction(db):
            rows = list(
                _attempts(delivery.id, paper, place, 0, count, today + timedelta(days=_DAYS), to_ms(datetime.now(UTC)))
            )
            for number, row in enumerate(rows):
                row |= {"public_id": f"t{turn}-{number}", "local_date": today, "person_id": None, "state": "open"}
            connection = db.connection()
            begin = time.perf_counter()
            connection.execute(insert(Attempt), rows)
            taken["start"][armed].append((time.perf_counter() - begin) * 1e6 / count)
            change = text("UPDATE attempt SET state = 'submitted', passed = true, score = 60 WHERE public_id = :id")
            names = [{"id": f"t{turn}-{number}"} for number in range(count)]
            begin = time.perf_counter()
            connection.execute(change, names)
            taken["submit"][armed].append((time.perf_counter() - begin) * 1e6 / count)
            db.rollback()
    database.dispose()
    for what, both in taken.items():
        title = f"row of a {what} with the triggers of the sums"
        results.add(Result(title, median(both[True]), median(both[False]), "µs", ground.kind, note="floor: without"))


def _arm(database: Database, kind: str, *, armed: bool) -> None:
    with database.session() as db, transaction(db):
        for statement in (CREATE_TRIGGERS if armed else DROP_TRIGGERS)[kind]:
            db.connection().exec_driver_sql(statement)
