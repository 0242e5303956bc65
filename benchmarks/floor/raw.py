"""The raw floor: what the work costs on the same server with bare Flask and the database's own driver, and nothing around it.

It stands on a copy of the same database. Save: one statement with the same check (owner, state, deadline; on PostgreSQL the attempt's row
is taken shared). Start: fifty of the bank's items are drawn and stored with the attempt. Scan, submit and review: the rows that they need.

What is stored is as safe as in the product: an answer with `synchronous=NORMAL`, a start and a submit with FULL, because no phone would
send them again after a power cut. A floor that flushed less would do less work.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from flask import Flask, Response, request

from benchmarks.floor.door import add_door

Rows = list[tuple[Any, ...]]
Run = Callable[[str, Mapping[str, Any]], Rows]

#: Questions of a paper.
ITEMS = 50

SAVE = """
INSERT INTO response (attempt_id, position, answer, sequence, saved_at)
SELECT id, :position, :answer, :sequence, :now FROM attempt
WHERE public_id = :attempt AND secret_hash = :secret AND state = 'open' AND accepts_until >= :now {lock}
ON CONFLICT (attempt_id, position) DO UPDATE
SET answer = excluded.answer, sequence = excluded.sequence, saved_at = excluded.saved_at
WHERE excluded.sequence > response.sequence
RETURNING position
"""
ATTEMPT = """
INSERT INTO attempt (public_id, delivery_id, paper_id, secret_hash, order_seed, order_version, state, started_at, deadline_at,
  accepts_until, extra_s, local_date, try_number, is_first, identity_level, unit_known, guardian, notice_version, marked)
VALUES (:public_id, :delivery, :paper, :secret, 'seed', 1, 'open', :now, :until, :until, 0, '2026-11-23', 1, false, 'none', 'none', false,
  '1', '[]')
RETURNING id
"""
DRAWN = "INSERT INTO floor_item (attempt_id, position, item_version_id) VALUES (:attempt, :position, :version)"
DELIVERY = """
SELECT id, title, opens_at, closes_at, time_limit_s, item_count, pass_score, state FROM delivery WHERE poster_code = :code
"""
OWNER = "SELECT id, paper_id, state, score FROM attempt WHERE public_id = :attempt AND secret_hash = :secret {lock}"
SCORING = """
SELECT paper_item.position, paper_item.points, item_version.key, response.answer
FROM paper_item JOIN item_version ON item_version.id = paper_item.item_version_id
LEFT JOIN response ON response.attempt_id = :id AND response.position = paper_item.position
WHERE paper_item.paper_id = :paper
"""
CLOSE = "UPDATE attempt SET state = 'submitted', closed_at = :now, score = :score, passed = :passed WHERE id = :id"
REVIEW = """
SELECT paper_item.position, item_version.stem, item_version.key, item_version.rationale, response.answer
FROM paper_item JOIN item_version ON item_version.id = paper_item.item_version_id
LEFT JOIN response ON response.attempt_id = :id AND response.position = paper_item.position
WHERE paper_item.paper_id = :paper ORDER BY paper_item.position
"""


class Sqlite:
    """Two connections for each thread: one for single statements, one whose transactions are flushed to the disk."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._local = threading.local()

    def connection(self, synchronous: str = "NORMAL") -> sqlite3.Connection:
        """This thread's connection of one durability."""
        found: sqlite3.Connection | None = getattr(self._local, synchronous, None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            found.execute("PRAGMA journal_mode=WAL")
            found.execute(f"PRAGMA synchronous={synchronous}")
            found.execute("PRAGMA foreign_keys=ON")
            setattr(self._local, synchronous, found)
        return found

    def close(self) -> None:
        """Close this thread's connections."""
        self.connection().close()
        self.connection("FULL").close()

    def run(self, statement: str, values: Mapping[str, Any]) -> Rows:
        """One statement by itself."""
        return self.connection().execute(statement.format(lock=""), values).fetchall()

    def together(self, work: Callable[[Run], Any]) -> Any:
        """Several statements in one transaction."""
        connection = self.connection("FULL")

        def run(statement: str, values: Mapping[str, Any]) -> Rows:
            return connection.execute(statement.format(lock=""), values).fetchall()

        connection.execute("BEGIN IMMEDIATE")
        try:
            found = work(run)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return found

    def insert_many(self, statement: str, rows: list[dict[str, Any]]) -> None:
        """Many rows inside `together`."""
        self.connection("FULL").executemany(statement, rows)


class Postgresql:
    """Connections from a pool, their statements prepared."""

    def __init__(self, url: str) -> None:
        from psycopg_pool import ConnectionPool

        self._pool = ConnectionPool(url, min_size=1, max_size=4, open=True, kwargs={"autocommit": True})
        self._local = threading.local()

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    @staticmethod
    def _text(statement: str) -> str:
        found = _TEXTS.get(statement)
        if found is None:
            found = _TEXTS[statement] = re.sub(r":([a-z_]+)", r"%(\1)s", statement)
        return found

    def run(self, statement: str, values: Mapping[str, Any]) -> Rows:
        """One statement by itself."""
        with self._pool.connection() as connection:
            return connection.execute(self._text(statement.format(lock="FOR SHARE")), values, prepare=True).fetchall()

    def together(self, work: Callable[[Run], Any]) -> Any:
        """Several statements in one transaction."""
        with self._pool.connection() as connection, connection.transaction():
            self._local.connection = connection

            def run(statement: str, values: Mapping[str, Any]) -> Rows:
                cursor = connection.execute(self._text(statement.format(lock="FOR UPDATE")), values, prepare=True)
                return cursor.fetchall() if cursor.description else []

            return work(run)

    def insert_many(self, statement: str, rows: list[dict[str, Any]]) -> None:
        """Many rows inside `together`."""
        self._local.connection.cursor().executemany(self._text(statement), rows)


_TEXTS: dict[str, str] = {}


def create_app() -> Flask:
    """The application, with the addresses of quizapp."""
    url = os.environ["DATABASE_URL"]
    base: Any = Sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else Postgresql(url)
    app = Flask("floor", static_folder=None)
    app.extensions["base"] = base
    versions = [row[0] for row in base.run("SELECT DISTINCT item_version_id FROM paper_item", {})]

    def reply(content: object) -> Response:
        return Response(json.dumps(content, ensure_ascii=False, default=str), mimetype="application/json")

    def owner(public_id: str) -> dict[str, Any]:
        secret = request.cookies.get(f"a_{public_id}", "")
        return {"attempt": public_id, "secret": sha256(secret.encode()).digest()}

    @app.post("/q/<code>/a/<public_id>/answers")
    def save(code: str, public_id: str) -> Response:  # noqa: ARG001
        now = time.time_ns() // 1_000_000
        values = owner(public_id)
        results, highest = [], 0
        for item in request.get_json()["items"]:
            highest = item["sequence"]
            values.update(position=item["position"], answer=item["answer"], sequence=highest, now=now)
            status = "saved" if base.run(SAVE, values) else "closed"
            results.append({"position": item["position"], "status": status})
        return reply({"results": results, "highest": highest, "now": now})

    @app.get("/q/<code>")
    def scan(code: str) -> Response:
        return reply(base.run(DELIVERY, {"code": code}))

    @app.post("/q/<code>/start")
    def start(code: str) -> Response:
        public_id, secret = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        now = time.time_ns() // 1_000_000
        drawn = random.sample(versions, min(ITEMS, len(versions)))

        def work(run: Run) -> None:
            delivery = run("SELECT delivery.id, min(paper.id) FROM delivery JOIN paper ON paper.delivery_id = delivery.id "
                           "WHERE poster_code = :code GROUP BY delivery.id", {"code": code})[0]  # fmt: skip
            values = {"public_id": public_id, "delivery": delivery[0], "paper": delivery[1], "now": now}
            values |= {"secret": sha256(secret.encode()).digest(), "until": now + 3_600_000}
            attempt = run(ATTEMPT, values)[0][0]
            base.insert_many(
                DRAWN, [{"attempt": attempt, "position": p, "version": v} for p, v in enumerate(drawn, start=1)]
            )

        base.together(work)
        found = reply({"attempt": public_id})
        found.set_cookie(f"a_{public_id}", secret, path=f"/q/{code}", httponly=True, samesite="Lax")
        return found

    @app.post("/q/<code>/a/<public_id>/submit")
    def submit(code: str, public_id: str) -> Response:  # noqa: ARG001
        now = time.time_ns() // 1_000_000

        def work(run: Run) -> int:
            attempt_id, paper, state, score = run(OWNER, owner(public_id))[0]
            if state != "open":
                return int(score)
            rows = run(SCORING, {"id": attempt_id, "paper": paper})
            points: int = sum(row[1] for row in rows if (row[3] or "") == ",".join(sorted(_list(row[2]))))
            run(CLOSE, {"now": now, "score": points, "passed": points >= 60, "id": attempt_id})
            return points

        return reply({"score": base.together(work)})

    @app.get("/q/<code>/a/<public_id>/result")
    def review(code: str, public_id: str) -> Response:  # noqa: ARG001
        attempt_id, paper, _, score = base.run(OWNER, owner(public_id))[0]
        return reply({"score": score, "questions": base.run(REVIEW, {"id": attempt_id, "paper": paper})})

    add_door(app, base)
    return app


def _list(value: Any) -> list[str]:
    found: list[str] = json.loads(value) if isinstance(value, str) else value
    return found
