"""A burst of phones in an open loop: each starts within the first minute and then saves every five seconds, whatever the server does."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import dataclass, field

from sqlalchemy import text

from benchmarks.ground import Ground, Opened
from benchmarks.load import Outcome, Pool, Reply, Unanswered, percentile
from benchmarks.phones import ITEMS, FloorSide, OursSide, Refused, is_saved, save_request
from benchmarks.results import Result, Results
from benchmarks.server import Server
from quizapp.core.db import Database

#: Seconds between two answers of a phone.
EVERY = 5.0
#: Largest waiting time of 95 of 100 requests, ms.
TARGET = 200.0


@dataclass
class Burst:
    """What came of one burst."""

    outcome: Outcome = field(default_factory=Outcome)
    started: int = 0
    #: attempt → position → (sequence, answer), the newest that was acknowledged.
    acknowledged: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    saved: int = 0

    @property
    def p95(self) -> float:
        """Waiting time from the planned instant, ms."""
        return percentile(self.outcome.waits, 0.95) * 1000


async def run_burst(
    server: Server, side: OursSide | FloorSide, *, phones: int, connections: int, arrival: float, after: float
) -> Burst:
    """Let phones arrive evenly over `arrival` seconds and go on for `after` seconds more."""
    burst = Burst()
    pool = Pool(server.port, connections)
    await pool.open()
    begin = time.perf_counter() + 0.5
    end = begin + arrival + after

    async def timed(data: bytes, planned: float) -> Reply:
        try:
            reply = await pool.ask(data)
        except Unanswered:
            burst.outcome.unanswered += 1
            raise
        burst.outcome.note(reply, time.perf_counter() - planned)
        return reply

    async def save(attempt: Opened, sequence: int, planned: float) -> None:
        position, answer = (sequence - 1) % ITEMS + 1, "ab"[sequence % 2]
        try:
            reply = await timed(save_request(side.code, attempt, position, answer, sequence), planned)
        except Unanswered:
            return
        if is_saved(reply):
            burst.saved += 1
            burst.acknowledged.setdefault(attempt.public_id, {})[position] = (sequence, answer)

    async def phone(number: int) -> None:
        planned = begin + arrival * number / phones
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        first = True

        async def ask(data: bytes) -> Reply:
            nonlocal first
            at = planned if first else time.perf_counter()
            first = False
            return await timed(data, at)

        try:
            attempt = await side.begin(ask)
        except (Refused, Unanswered):
            return
        burst.started += 1
        waiting = []
        sequence = 0
        while (planned := planned + EVERY) < end:
            await asyncio.sleep(max(0.0, planned - time.perf_counter()))
            sequence += 1
            waiting.append(asyncio.create_task(save(attempt, sequence, planned)))
        await asyncio.gather(*waiting)

    gc.collect()
    gc.disable()  # a pause of ours would be counted as the server's
    try:
        await asyncio.gather(*(phone(number) for number in range(phones)))
    finally:
        gc.enable()
    burst.outcome.seconds = time.perf_counter() - begin
    pool.close()
    return burst


def missing(url: str, burst: Burst) -> int:
    """How many acknowledged answers the database does not have as they were acknowledged."""
    database = Database(url, pooled=False)
    with database.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT attempt.public_id, response.position, response.sequence, response.answer "
                "FROM response JOIN attempt ON attempt.id = response.attempt_id"
            )
        )
        stored = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    database.dispose()
    return sum(
        stored.get((public_id, position)) != newest
        for public_id, positions in burst.acknowledged.items()
        for position, newest in positions.items()
    )


def measure(
    ground: Ground,
    sides: list[tuple[Server, OursSide | FloorSide, str]],
    results: Results,
    *,
    phones: int,
    connections: int,
    arrival: float,
    after: float,
) -> None:
    """One burst on ours and one on the floor, their waiting times, and what was acknowledged beside what is stored."""
    p95: dict[str, float] = {}
    notes = []
    for server, side, url in sides:
        cpu = server.cpu()
        burst = asyncio.run(
            run_burst(server, side, phones=phones, connections=connections, arrival=arrival, after=after)
        )
        busy = (server.cpu() - cpu) / burst.outcome.seconds
        p95[side.name] = burst.p95
        lost = missing(url, burst)
        notes.append(
            f"{side.name}: {burst.started} started, {burst.saved} saved, {burst.outcome.failed} refused, "
            f"{burst.outcome.unanswered} unanswered, {busy:.1f} cores"
        )
        if side.name == "ours":
            stored = "all acknowledged answers are stored" if not lost else f"{lost} acknowledged answers are missing"
            notes.append(stored)
            if lost:
                results.fault(f"burst, {ground.kind}, {phones} phones: {stored}")
    results.add(
        Result(
            f"burst of {phones} phones in {arrival:.0f} s, p95",
            p95["ours"],
            p95["floor"],
            "ms",
            ground.kind,
            connections,
            "; ".join(notes),
            target=TARGET,
            absolute=True,
        )
    )
