"""Autosave in a closed loop: processor time for a request and requests a second, ours and the floor in turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from statistics import median

from benchmarks.ground import Ground
from benchmarks.load import closed_loop
from benchmarks.phones import Numbers, saves
from benchmarks.results import Result, Results
from benchmarks.server import Server


@dataclass
class Slices:
    """What the slices of one side gave."""

    cpu: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)


def measure(ground: Ground, ours: Server, floor: Server, results: Results, *, rounds: int, seconds: float) -> None:
    """Both quantities at 16 and 64 connections."""
    numbers = {ours.port: Numbers(), floor.port: Numbers()}
    for server in (ours, floor):
        _slice(ground, server, numbers[server.port], 16, 1.0, Slices(), results)  # connections, caches, statements
    for connections in (16, 64):
        slices = {ours.port: Slices(), floor.port: Slices()}
        for number in range(rounds):
            for server in (ours, floor) if number % 2 == 0 else (floor, ours):
                _slice(ground, server, numbers[server.port], connections, seconds, slices[server.port], results)
        mine, raw = slices[ours.port], slices[floor.port]
        note = ""
        if ground.postmaster is not None:
            note = f"and in the database {median(mine.database):.2f} against {median(raw.database):.2f}"
        results.add(
            Result("autosave", median(mine.cpu), median(raw.cpu), "CPU-ms", ground.kind, connections, note, target=1.3)
        )
        results.add(
            Result(
                "autosave at saturation",
                median(mine.rate),
                median(raw.rate),
                "requests/s",
                ground.kind,
                connections,
                target=-0.75,
            )
        )


def _slice(
    ground: Ground,
    server: Server,
    numbers: Numbers,
    connections: int,
    seconds: float,
    slices: Slices,
    results: Results,
) -> None:
    streams = [saves(ground.code, attempt, numbers) for attempt in ground.attempts[:connections]]
    cpu, database = server.cpu(), ground.database_cpu()
    outcome = asyncio.run(closed_loop(server.port, streams, seconds))
    cpu, database = server.cpu() - cpu, ground.database_cpu() - database
    if outcome.failed or outcome.unanswered or not outcome.count:
        results.fault(
            f"autosave, {ground.kind}, {connections} connections: {outcome.failed} refused {outcome.statuses}, "
            f"{outcome.unanswered} unanswered"
        )
    if outcome.count:
        slices.cpu.append(cpu * 1000 / outcome.count)
        slices.database.append(database * 1000 / outcome.count)
        slices.rate.append(outcome.count / outcome.seconds)
