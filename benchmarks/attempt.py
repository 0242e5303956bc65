"""A whole attempt of fifty questions, step after step, in processor time: many attempts take each step together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from benchmarks.ground import Ground, Opened
from benchmarks.load import Connection, Reply, closed_loop
from benchmarks.phones import (
    ITEMS,
    FloorSide,
    Numbers,
    OursSide,
    hidden_value,
    opened_by,
    result_request,
    saves,
    scan_request,
)
from benchmarks.results import Result, Results
from benchmarks.server import Server

#: Connections over which the attempts go.
CONNECTIONS = 16
#: The steps whose sum is compared; the others are told beside it.
COMPARED = ("scan", "form", "start", "saves", "submit", "result")

Costs = dict[str, list[float]]


class Steps:
    """Runs steps on one server and notes what each cost, CPU-ms for one attempt (the database's own server included)."""

    def __init__(self, ground: Ground, server: Server) -> None:
        self._ground = ground
        self._server = server
        self.costs: dict[str, float] = {}

    def _cpu(self) -> float:
        return self._server.cpu() + self._ground.database_cpu()

    def run(self, name: str, requests: Sequence[bytes]) -> list[Reply]:
        """One request for each attempt. Raises RuntimeError when one is refused."""
        before = self._cpu()
        replies = asyncio.run(ask_all(self._server.port, requests, CONNECTIONS))
        self.costs[name] = (self._cpu() - before) * 1000 / len(requests)
        bad = [reply.status for reply in replies if not reply.good]
        if bad:
            raise RuntimeError(f"{name}: status {bad[0]} and {len(bad) - 1} more")
        return replies

    def save_all(self, attempts: Sequence[Opened]) -> None:
        """Fifty answers for each attempt. Raises RuntimeError when one is refused."""
        numbers = Numbers()
        streams = [
            [
                data
                for attempt in attempts[lane::CONNECTIONS]
                for data in saves(self._ground.code, attempt, numbers, ITEMS)
            ]
            for lane in range(min(CONNECTIONS, len(attempts)))
        ]
        before = self._cpu()
        outcome = asyncio.run(closed_loop(self._server.port, streams))
        self.costs["saves"] = (self._cpu() - before) * 1000 / len(attempts)
        if outcome.count != len(attempts) * ITEMS:
            raise RuntimeError(f"saves: {outcome.count} of {len(attempts) * ITEMS}, {outcome.statuses}")


async def ask_all(port: int, requests: Sequence[bytes], connections: int) -> list[Reply]:
    """Each request once, over so many connections; the replies in the order of the requests."""
    replies: list[Reply | None] = [None] * len(requests)

    async def lane(start: int) -> None:
        connection = await Connection.open(port)
        for index in range(start, len(requests), connections):
            replies[index] = await connection.ask(requests[index])
        connection.close()

    await asyncio.gather(*(lane(start) for start in range(min(connections, len(requests)))))
    return [reply for reply in replies if reply is not None]


def take_ours(ground: Ground, server: Server, count: int) -> dict[str, float]:
    """What each step of the product costs."""
    side, steps = OursSide(ground), Steps(ground, server)
    steps.run("scan", [scan_request(ground.code)] * count)
    forms = steps.run("form", [side.form_request()] * count)
    attempts = [opened_by(reply) for reply in steps.run("start", [side.start_request(form) for form in forms])]
    pages = steps.run("first question", [side.question_request(attempt) for attempt in attempts])
    steps.run("all questions", [side.questions_request(attempt) for attempt in attempts])
    steps.save_all(attempts)
    tokens = [hidden_value(page.body, "form_token") for page in pages]
    steps.run("submit", [side.submit_request(a, token) for a, token in zip(attempts, tokens, strict=True)])
    steps.run("result", [result_request(ground.code, attempt) for attempt in attempts])
    return steps.costs


def take_floor(ground: Ground, server: Server, count: int) -> dict[str, float]:
    """What each step of the floor costs."""
    side, steps = FloorSide(ground), Steps(ground, server)
    steps.run("scan", [scan_request(ground.code)] * count)
    attempts = [opened_by(reply) for reply in steps.run("start", [side.start_request()] * count)]
    steps.save_all(attempts)
    steps.run("submit", [side.submit_request(attempt) for attempt in attempts])
    steps.run("result", [result_request(ground.code, attempt) for attempt in attempts])
    return steps.costs


def measure(ground: Ground, ours: Server, floor: Server, results: Results, *, rounds: int, count: int) -> None:
    """The start beside drawing and inserting fifty rows, and the whole beside the raw sum."""
    mine: Costs = defaultdict(list)
    raw: Costs = defaultdict(list)
    take_ours(ground, ours, CONNECTIONS * 2)  # papers, templates, statements
    take_floor(ground, floor, CONNECTIONS * 2)
    for _ in range(rounds):
        for name, cost in take_ours(ground, ours, count).items():
            mine[name].append(cost)
        for name, cost in take_floor(ground, floor, count).items():
            raw[name].append(cost)
    one, other = ({name: median(values) for name, values in costs.items()} for costs in (mine, raw))
    results.add(
        Result(
            "start an attempt", one["start"], other["start"], "CPU-ms", ground.kind, CONNECTIONS,
            f"the form before it {one['form']:.1f}", target=1.0,
        )
    )  # fmt: skip
    results.add(
        Result(
            "whole attempt of 50 questions",
            sum(one[name] for name in COMPARED),
            sum(other.values()),
            "CPU-ms",
            ground.kind,
            CONNECTIONS,
            "ours " + _listed(one) + "; floor " + _listed(other),
            target=1.7,
        )
    )


def _listed(costs: dict[str, float]) -> str:
    return ", ".join(f"{name} {cost:.1f}" for name, cost in costs.items())
