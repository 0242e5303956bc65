"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do where it is not good."""

    name: str
    good: bool
    found: str
    cure: str = ""

    def __str__(self) -> str:
        line = f"{'ok   ' if self.good else 'fault'} {self.name}: {self.found}"
        return line if self.good else f"{line}. {self.cure}"
