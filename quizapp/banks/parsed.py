"""Banks as they were read from files or from the database: plain values, the same from both.

Nothing here loads SQLAlchemy, so that `quizapp banks check` starts at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Chinese and English.
Text = dict[str, str]


@dataclass(frozen=True)
class Option:
    """One option of a choice item."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True)
class ParsedItem:
    """One item. A true/false item has no options and the key ("t",) or ("f",)."""

    code: str
    bank: str
    topic: str
    #: true_false, single_choice or multiple_choice.
    type: str
    #: practice, test or both.
    use: str
    dimension: str
    difficulty: float
    fact: str
    point: int | None
    objective: Text
    stem: Text
    options: tuple[Option, ...]
    ordered: bool
    key: tuple[str, ...]
    rationale: Text
    citation: dict[str, Any]
    review_by: str
    #: Where it stands; not part of its content.
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    #: Line of each field, by name: "stem", "options", "key" …
    field_lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_true(self) -> bool:
        """Whether the key of a true/false item is "true"."""
        return self.key == ("t",)

    def line_of(self, name: str) -> int:
        """The line of a field, or of the item."""
        return self.field_lines.get(name, self.line)

    def content(self) -> dict[str, Any]:
        """What makes up a version, as JSON values: the columns of `item_version` but its number and times."""
        options = [{"id": o.id, "zh": o.zh, "en": o.en} for o in self.options]
        return {
            "type": self.type,
            "use": self.use,
            "dimension": self.dimension,
            "difficulty": self.difficulty,
            "fact": self.fact,
            "point_number": self.point,
            "objective": self.objective,
            "stem": self.stem,
            "options": options or [{"id": "t"}, {"id": "f"}],
            "ordered": self.ordered,
            "key": list(self.key),
            "rationale": self.rationale,
            "citation": self.citation,
            "review_by": self.review_by,
        }

    def content_hash(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits."""
        canonical = json.dumps(self.content(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class ParsedTopic:
    """One file of a bank."""

    bank: str
    code: str
    title: Text
    items: tuple[ParsedItem, ...]
    file: str = field(default="", compare=False)


@dataclass(frozen=True)
class ParsedBenchmark:
    """One benchmark with its points (number → paraphrase)."""

    number: int
    name: Text
    title: Text
    points: dict[int, Text]


@dataclass(frozen=True)
class ParsedBlueprint:
    """One quiz of blueprints.yaml."""

    code: str
    bank: str
    title: Text
    description: Text
    rules: dict[str, Any]
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class ParsedBanks:
    """Everything that a folder of banks holds."""

    topics: tuple[ParsedTopic, ...] = ()
    benchmarks: tuple[ParsedBenchmark, ...] = ()
    blueprints: tuple[ParsedBlueprint, ...] = ()

    @property
    def items(self) -> tuple[ParsedItem, ...]:
        """All items, in the order of the files."""
        return tuple(item for topic in self.topics for item in topic.items)

    @property
    def bank_codes(self) -> tuple[str, ...]:
        """The banks, sorted."""
        return tuple(sorted({topic.bank for topic in self.topics}))

    @property
    def benchmark_of_point(self) -> dict[int, int]:
        """Point number → benchmark number."""
        return {point: b.number for b in self.benchmarks for point in b.points}
