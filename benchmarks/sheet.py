"""A table of twelve columns as xlsx: the product's writer against xlsxwriter alone, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.results import Result, Results
from benchmarks.server import ROOT

_KINDS = ("text", "text", "text", "day", "moment", "whole", "whole", "whole", "percent", "decimal", "text", "text")


def rows(count: int) -> Iterator[list[Any]]:
    """So many rows as an export of attempts has them."""
    begin = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    for number in range(count):
        moment = begin + timedelta(seconds=number)
        yield [
            f"单位{number % 300}", f"街道{number % 12}", "成年人", moment.date(), moment, number, number % 50, 50,
            number % 50 / 50, number / 7, "合格" if number % 3 else "不合格", f"A{number:08}",
        ]  # fmt: skip


def write_ours(count: int) -> int:
    """The product's writer; gives the bytes."""
    from quizapp.core.spreadsheet import Column, Kind, write_xlsx

    columns = [Column(f"列{index}", Kind(kind)) for index, kind in enumerate(_KINDS)]
    return len(write_xlsx(columns, rows(count), title="明细", facts=[("口径", "全部")], facts_title="说明"))


def write_floor(count: int) -> int:
    """xlsxwriter alone; gives the bytes."""
    import io

    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    sheet = book.add_worksheet()
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    number = book.add_format({"num_format": "0.00"})
    for index, row in enumerate(rows(count), start=1):
        for place, (kind, value) in enumerate(zip(_KINDS, row, strict=True)):
            if kind == "text":
                sheet.write_string(index, place, value)
            elif kind == "moment":
                sheet.write_datetime(index, place, value.replace(tzinfo=None), moment)
            elif kind == "day":
                sheet.write_datetime(index, place, value, day)
            else:
                sheet.write_number(index, place, value, number)
    book.close()
    return len(buffer.getvalue())


def peak_megabytes() -> float:
    """The most memory that this program held. Not `getrusage`: that counts the parent's before this program was loaded."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def measure(results: Results, *, count: int, rounds: int) -> None:
    """Processor time and memory of both, in turn."""
    times: dict[str, list[float]] = {"ours": [], "floor": []}
    peak = 0.0
    for _ in range(rounds):
        for side, values in times.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.sheet", side, str(count)],
                cwd=ROOT, check=True, capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            found = json.loads(done.stdout)
            values.append(found["seconds"])
            if side == "ours":
                peak = max(peak, found["megabytes"])
    name = f"xlsx of {count:,} × 12"
    results.add(Result(name, median(times["ours"]), median(times["floor"]), "CPU-s", target=1.3))
    results.add(Result(f"{name}, largest memory", peak, None, "MB", target=60, absolute=True))


if __name__ == "__main__":
    before = time.process_time()
    {"ours": write_ours, "floor": write_floor}[sys.argv[1]](int(sys.argv[2]))
    print(
        json.dumps(
            {
                "seconds": time.process_time() - before,
                "megabytes": peak_megabytes(),
            }
        )
    )
