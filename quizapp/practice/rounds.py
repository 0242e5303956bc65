"""Which questions a round asks, in which order, and when it is over: pure rules.

A round asks its items once each; what was answered wrong comes back once at the end. The results so far are a string with one
character for each answer in the order of asking: "1" right, "0" wrong. So an address (or a signed cookie) holds all there is to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Protocol, TypeVar

#: Questions of the daily quiz.
DAILY_COUNT = 5
#: Questions that a round may have; a topic begins with the first, a bank with the second.
ROUND_SIZES = (5, 10)

_SEED = re.compile(r"[0-9A-Za-z]{4,16}")
_RESULTS = re.compile(r"[01]*")


class Coded(Protocol):
    """Something with the item's code and the bank it stands in."""

    @property
    def code(self) -> str:
        """The item's id in the files."""

    @property
    def bank(self) -> str:
        """The bank's code."""


T = TypeVar("T", bound=Coded)


def is_seed(text: str) -> bool:
    """Whether a text may be a round's seed (it has no hyphen, so that it is never taken for a date)."""
    return _SEED.fullmatch(text) is not None


def _rank(seed: str, code: str) -> bytes:
    return sha256(f"{seed}\x1f{code}".encode()).digest()


def choose_items(items: Iterable[T], seed: str, count: int) -> tuple[T, ...]:
    """The first `count` items in the order that follows from the seed: a reload shows the same."""
    return tuple(sorted(items, key=lambda item: _rank(seed, item.code))[:count])


def choose_daily(items: Iterable[T], day: date, count: int = DAILY_COUNT) -> tuple[T, ...]:
    """The items of a local day, the same for everybody, spread over the banks.

    Each item has its own rank of the day, so that one that goes out of practice during the day is replaced alone.
    """
    banks: dict[str, list[T]] = {}
    for item in sorted(items, key=lambda item: _rank(day.isoformat(), item.code)):
        banks.setdefault(item.bank, []).append(item)
    queues = [banks[code] for code in sorted(banks, key=lambda code: _rank(day.isoformat(), code))]
    chosen: list[T] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(queue.pop(0))
    return tuple(chosen)


@dataclass(frozen=True)
class Round:
    """`size` items and the results so far."""

    size: int
    results: str = ""

    @classmethod
    def read(cls, size: int, results: str) -> Round:
        """A round from an address; what cannot be results of it is cut off."""
        match = _RESULTS.match(results)
        text = match.group() if match else ""
        return cls(size, text[: size + text[:size].count("0")])

    @property
    def wrong_places(self) -> Sequence[int]:
        """Places (from 0) of the items answered wrong at first."""
        return [place for place, mark in enumerate(self.results[: self.size]) if mark == "0"]

    @property
    def total(self) -> int:
        """How many questions there are in all, with those that come back, as far as known."""
        return self.size + (len(self.wrong_places) if len(self.results) >= self.size else 0)

    @property
    def over(self) -> bool:
        """Whether everything was asked."""
        return len(self.results) >= self.total

    @property
    def right(self) -> int:
        """Right answers at the first asking."""
        return self.results[: self.size].count("1")

    def item_at(self, place: int) -> int:
        """Which item (from 0) the question at a place (from 0) asks: beyond the size the wrong ones again."""
        return place if place < self.size else self.wrong_places[place - self.size]

    def after(self, right: bool) -> Round:
        """The round with one more answer."""
        return Round(self.size, self.results + ("1" if right else "0"))

    def segments(self, current: int | None) -> list[str]:
        """right, wrong, current or open for each question of the bar at the top."""
        marks = ["right" if mark == "1" else "wrong" for mark in self.results[: self.total]]
        marks += ["open"] * (self.total - len(marks))
        if current is not None and current < len(marks) and marks[current] == "open":
            marks[current] = "current"
        return marks
