"""What was measured: one line for each figure, and bench.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One figure beside its floor. `target`: the largest ratio (or figure, where there is no floor); negative: the smallest ratio."""

    name: str
    ours: float
    floor: float | None
    unit: str
    database: str = ""
    connections: int | None = None
    note: str = ""
    target: float | None = None
    #: The target is a limit of our own figure, not of the ratio.
    absolute: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours divided by the floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        compared = self.ours if self.absolute else self.ratio
        if self.target is None or compared is None:
            return None
        return compared >= -self.target if self.target < 0 else compared <= self.target

    def line(self) -> str:
        """The figure for people."""
        place = f"{self.name}, {self.database}" if self.database else self.name
        if self.connections:
            place += f", {self.connections} connections"
        words = f"{self.ours:,.2f} {self.unit}"
        if self.floor is not None:
            words += f" against {self.floor:,.2f}"
        if self.ratio is not None:
            words += f": × {self.ratio:.2f}"
        if self.target is not None:
            sign = "≥" if self.target < 0 else "≤"
            limit = f"{abs(self.target):g}"
            words += f" (target {sign} {limit}{f' {self.unit}' if self.absolute else ' ×'}: {'met' if self.met else 'missed'})"
        return f"{place:<58} {words}{f'  [{self.note}]' if self.note else ''}"


@dataclass
class Results:
    """All figures of a run, and what went wrong."""

    all: list[Result] = field(default_factory=list)
    #: What did not run, and acknowledged answers that are not stored.
    faults: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Keep a figure and print it."""
        self.all.append(result)
        print(result.line(), flush=True)

    def fault(self, text: str) -> None:
        """Keep a fault and print it: the run ends with status 1."""
        self.faults.append(text)
        print(f"FAULT: {text}", flush=True)

    def write(self, path: Path) -> None:
        """Write bench.json."""
        rows = []
        for result in self.all:
            row = asdict(result)
            del row["target"], row["absolute"]
            row["ratio"] = result.ratio
            row["note"] = "; ".join(part for part in (_verdict(result), result.note) if part)
            rows.append({name: _rounded(value) for name, value in row.items()})
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _verdict(result: Result) -> str:
    if result.met is None or result.target is None:
        return ""
    return f"target {'at least' if result.target < 0 else 'at most'} {abs(result.target):g}: {'met' if result.met else 'missed'}"


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
