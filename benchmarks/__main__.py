"""`make bench`: measure against the floors, print a line for each figure, write bench.json.

QUICK=1 takes under three minutes; FLOOR=path runs another floor. Figures never fail the run: the status is 1 when something did not run
or an acknowledged answer is not stored.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    attempt,
    burst,
    certificates,
    door,
    figures,
    importing,
    libraries,
    measurement,
    pages,
    papers,
    rollups,
    saving,
    sheet,
)
from benchmarks.ground import Ground, postgresql_ground, sqlite_ground
from benchmarks.phones import FloorSide, OursSide
from benchmarks.results import Results
from benchmarks.server import FLOOR, OURS, ROOT, Server

#: Open files of the load and of each server.
FILES = 8192


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    slice_seconds: float
    attempts: int
    attempt_rounds: int
    #: (phones, connections) on SQLite and on PostgreSQL.
    sqlite_bursts: tuple[tuple[int, int], ...]
    postgresql_bursts: tuple[tuple[int, int], ...]
    #: Seconds in which the phones arrive, and in which they go on.
    arrival: float
    after: float
    pass_rate_attempts: int
    summed_attempts: int
    sheet_rows: int
    sheet_rounds: int
    check_ins: int
    check_in_rounds: int
    certificates: int


FULL = Extent(
    5,
    4.0,
    160,
    3,
    ((1000, 1000), (4000, 400)),
    ((1000, 1000), (2000, 400)),
    60,
    10,
    20_000,
    1_000_000,
    100_000,
    2,
    1000,
    5,
    1000,
)
#: The same rates for a sixth of the time: phones and arrival are a sixth each.
QUICK = Extent(3, 1.2, 64, 1, ((667, 400),), ((333, 333),), 10, 6, 20_000, 50_000, 10_000, 1, 300, 3, 1000)


def measure(kind: str, extent: Extent, results: Results) -> None:
    """All that is measured on one database."""
    attempted(f"{kind}: preparing the database", results, lambda: _on_ground(kind, extent, results))


def _on_ground(kind: str, extent: Extent, results: Results) -> None:
    with sqlite_ground() if kind == "sqlite" else postgresql_ground() as ground, ExitStack() as stack:
        codes = door.prepare(ground, extent.check_ins, 1 + 3 * extent.check_in_rounds)
        urls = {name: ground.copy(name) for name in ("ours", "floor")}
        ours = stack.enter_context(Server(OURS, ground.environment(urls["ours"]), ground.folder / "ours.log"))
        floor = stack.enter_context(Server(FLOOR, ground.environment(urls["floor"]), ground.folder / "floor.log"))
        attempted(
            f"{kind}: autosave",
            results,
            lambda: saving.measure(ground, ours, floor, results, rounds=extent.rounds, seconds=extent.slice_seconds),
        )
        attempted(
            f"{kind}: whole attempt",
            results,
            lambda: attempt.measure(ground, ours, floor, results, rounds=extent.attempt_rounds, count=extent.attempts),
        )
        attempted(
            f"{kind}: check-in",
            results,
            lambda: door.measure(
                ground, ours, floor, results, codes=codes, rounds=extent.check_in_rounds, count=extent.check_ins
            ),
        )
        bursts = extent.sqlite_bursts if kind == "sqlite" else extent.postgresql_bursts
        sides: list[tuple[Server, OursSide | FloorSide, str]] = [
            (ours, OursSide(ground), urls["ours"]),
            (floor, FloorSide(ground), urls["floor"]),
        ]
        for phones, connections in bursts:
            attempted(
                f"{kind}: burst of {phones}", results, _burst(ground, sides, results, phones, connections, extent)
            )
        attempted(f"{kind}: memory", results, lambda: pages.memory(ground, ours, results))
        if kind == "sqlite":
            attempted("taking page", results, lambda: pages.weigh(ours, ground.code, ground.attempts[-1], results))
        stack.close()
        attempted(f"{kind}: server start", results, lambda: pages.start_seconds(ground, results, rounds=3))
        if kind == "sqlite":
            attempted(
                "pass-rate page",
                results,
                lambda: figures.measure(ground, results, attempts=extent.pass_rate_attempts, rounds=extent.rounds),
            )
            attempted(
                "pass-rate page from sums",
                results,
                lambda: rollups.measure(ground, results, attempts=extent.summed_attempts, rounds=extent.rounds),
            )
        attempted(f"{kind}: triggers of the sums", results, lambda: rollups.triggers(ground, results))


def _burst(
    ground: Ground,
    sides: list[tuple[Server, OursSide | FloorSide, str]],
    results: Results,
    phones: int,
    connections: int,
    extent: Extent,
) -> Callable[[], None]:
    return lambda: burst.measure(
        ground, sides, results, phones=phones, connections=connections, arrival=extent.arrival, after=extent.after
    )


def attempted(name: str, results: Results, work: Callable[[], None]) -> None:
    """Do one part; a part that breaks is a fault, and the others go on."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 # whatever it is, the other figures are still wanted
        traceback.print_exc()
        results.fault(f"{name} did not run: {error}")


def _allow_connections() -> None:
    """A thousand phones need more open files than a shell allows unasked; the servers take this over."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> int:
    """Measure everything; gives the exit status."""
    extent = QUICK if os.environ.get("QUICK") else FULL
    if path := os.environ.get("FLOOR"):
        os.environ["FLOOR"] = str(Path(path).absolute())
    _allow_connections()
    results, begin = Results(), time.perf_counter()
    for kind in ("sqlite", "postgresql"):
        measure(kind, extent, results)
    attempted("xlsx", results, lambda: sheet.measure(results, count=extent.sheet_rows, rounds=extent.sheet_rounds))
    attempted(
        "certificates",
        results,
        lambda: certificates.measure(results, count=extent.certificates, rounds=extent.sheet_rounds),
    )
    attempted("import", results, lambda: importing.measure(results, count=20_000, rounds=extent.sheet_rounds))
    attempted(
        "measurement",
        results,
        lambda: measurement.measure(results, people=200_000, model_people=20_000, rounds=extent.sheet_rounds),
    )
    with tempfile.TemporaryDirectory() as folder:
        attempted("papers", results, lambda: papers.measure(results, folder=Path(folder)))
    attempted("named libraries", results, lambda: libraries.measure(results, rounds=extent.sheet_rounds))
    results.write(ROOT / "bench.json")
    missed = [result.name for result in results.all if result.met is False]
    print(
        f"{len(results.all)} figures in {time.perf_counter() - begin:.0f} s, {len(missed)} missed; bench.json is written"
    )
    return 1 if results.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
