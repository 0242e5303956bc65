"""The pass-rate page at many attempts against the best SQL on the raw driver."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import time
from collections import defaultdict
from datetime import UTC, datetime
from statistics import median
from urllib.parse import urlencode

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from benchmarks.attempt import ask_all
from benchmarks.ground import Ground, make_unit
from benchmarks.load import Reply, request
from benchmarks.phones import cookies_of, hidden_value
from benchmarks.results import Result, Results
from benchmarks.server import OURS, Server
from quizapp.accounts.models import Account, AccountGrant
from quizapp.accounts.passwords import hash_password
from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, Delivery, Paper

PASSWORD = "three green leaves"
#: Units below one unit, level after level: five levels with the district.
_TREE = (4, 5, 5, 5)

BEST = """
SELECT unit_path, count(*), sum(state IN ('submitted', 'expired')), sum(is_first AND state IN ('submitted', 'expired')),
  sum(is_first AND passed AND state IN ('submitted', 'expired'))
FROM attempt WHERE delivery_id = ? GROUP BY unit_path
"""


def make_attempts(db: Session, ground: Ground, count: int) -> int:
    """A tree of five levels, so many closed attempts of nobody in particular in it, and who may see them; gives the delivery."""
    now = datetime.now(UTC)
    delivery_id = db.scalars(select(Delivery.id).where(Delivery.poster_code == ground.code)).one()
    delivery = db.get_one(Delivery, delivery_id)
    paper = db.scalars(select(Paper.id).where(Paper.delivery_id == delivery_id)).first()
    level = [db.get_one(OrgUnit, delivery.unit_id)]
    numbers = itertools.count(1000)
    for breadth in _TREE:
        level = [make_unit(db, parent, next(numbers), now) for parent in level for _ in range(breadth)]
    rng, started = random.Random(20261123), to_ms(now)
    rows = []
    for number in range(count):
        unit, score = rng.choice(level), rng.randrange(0, 101, 2)
        rows.append(
            {
                "public_id": f"bench{number}", "delivery_id": delivery_id, "paper_id": paper, "secret_hash": b"s",
                "order_seed": "seed", "order_version": 1, "state": "submitted", "started_at": started, "deadline_at": started,
                "accepts_until": started, "closed_at": started, "local_date": local_date(now), "try_number": 1,
                "is_first": True, "identity_level": "matched", "unit_id": unit.id, "unit_path": unit.path,
                "unit_known": "self_declared", "guardian": False, "notice_version": "1", "marked": [], "score": score,
                "passed": score >= 60,
            }
        )  # fmt: skip
    db.execute(insert(Attempt), rows)
    add_reader(db, delivery.unit_id, now)
    return delivery_id


def add_reader(db: Session, unit_id: int, now: datetime) -> None:
    """A coordinator who can sign in."""
    person = Person(name="林晓", source="account", created_at=now)
    db.add(person)
    db.flush()
    account = Account(username="bench", password_hash=hash_password(PASSWORD), person_id=person.id, created_at=now)
    db.add(account)
    db.flush()
    db.add(AccountGrant(account_id=account.id, role=Role.COORDINATOR.value, unit_id=unit_id, granted_at=now))
    db.flush()


def best_sql(connection: sqlite3.Connection, delivery_id: int) -> dict[str, list[int]]:
    """One grouped query, its counts added to every unit above."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for path, *counts in connection.execute(BEST, (delivery_id,)):
        parts = (path or "/").strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            total = totals["/".join(parts[:depth])]
            for index, value in enumerate(counts):
                total[index] += value or 0
    return totals


def measure(ground: Ground, results: Results, *, attempts: int, rounds: int) -> None:
    """The page's processor time beside the query's."""
    url = ground.copy("figures")
    database = Database(url)
    with database.session() as db, transaction(db):
        delivery_id = make_attempts(db, ground, attempts)
    database.dispose()
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    with Server(OURS, ground.environment(url), ground.folder / "figures.log") as server:
        cookies = sign_in(server)
        page = request("GET", f"/reports/pass-rates?delivery={delivery_id}", cookies=cookies)
        mine, raw = [], []
        for _ in range(rounds + 1):
            before = server.cpu()
            replies = asyncio.run(ask_all(server.port, [page] * 10, 1))
            mine.append((server.cpu() - before) * 100)
            if any(reply.status != 200 for reply in replies):
                raise RuntimeError(f"pass-rate page: status {replies[0].status}")
            before = time.process_time()
            for _ in range(10):
                best_sql(connection, delivery_id)
            raw.append((time.process_time() - before) * 100)
    connection.close()
    name = f"pass-rate page at {attempts:,} attempts"
    results.add(Result(name, median(mine[1:]), median(raw[1:]), "CPU-ms", ground.kind, target=2.0))


def sign_in(server: Server) -> str:
    """The cookies of the coordinator."""

    def ask(data: bytes) -> Reply:
        return asyncio.run(ask_all(server.port, [data], 1))[0]

    form = ask(request("GET", "/sign-in"))
    fields = {"csrf_token": hidden_value(form.body, "csrf_token"), "login": "bench", "password": PASSWORD}
    reply = ask(
        request(
            "POST",
            "/sign-in",
            cookies="; ".join(cookies_of(form)),
            body=urlencode(fields).encode(),
            kind="application/x-www-form-urlencoded",
        )
    )
    if reply.status not in (302, 303):
        raise RuntimeError(f"sign-in: status {reply.status}")
    return "; ".join(cookies_of(reply))
