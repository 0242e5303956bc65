"""Banks as they were read from files or from the database: plain values, the same from both.

Nothing here loads SQLAlchemy, so that `quizapp banks check` starts at once.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Chinese and English.
Text = dict[str, str]
#: Words of a citation: in both languages, or plain, where whoever wrote them gave them in one.
Source = str | Mapping[str, str]

#: The author's estimate, 1 (nearly everybody answers right) to 5 (hard) → the share of right answers that is expected of it until
#: answers are known. Steps of 15 points, from what nearly everybody knows to what guesses hardly beat.
EXPECTED_SHARE = {1: 0.90, 2: 0.75, 3: 0.60, 4: 0.45, 5: 0.30}


def reading_length(stem: Mapping[str, str], options: Iterable[Mapping[str, str]]) -> int:
    """Characters that a taker of the Chinese paper reads: stem and options."""
    return len(stem["zh"]) + sum(len(option.get("zh", "")) for option in options)


def source_words(source: Source, language: str = "zh") -> str:
    """The words of a citation in a language; plain ones are the same in each."""
    return source if isinstance(source, str) else source[language]


@dataclass(frozen=True)
class Option:
    """One option of a choice item."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True)
class Picture:
    """The picture of an item: its file below the folder of the banks, its text alternative, and what the file holds."""

    file: str
    alt: Text
    #: The SVG with both languages.
    svg: str = field(default="", repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits: its name in the database and in addresses."""
        return hashlib.sha256(self.svg.encode()).hexdigest()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in its own units, so that a page can keep the place free before the picture is there."""
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.svg)
        return (math.ceil(float(box[1])), math.ceil(float(box[2]))) if box else (0, 0)

    def content(self) -> dict[str, Any]:
        """The value of `item_version.image`."""
        width, height = self.size
        return {"file": self.file, "alt": self.alt, "sha256": self.sha256, "width": width, "height": height}


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
    #: The author's estimate, 1 to 5.
    difficulty: int
    fact: str
    point: int | None
    objective: Text
    stem: Text
    options: tuple[Option, ...]
    ordered: bool
    key: tuple[str, ...]
    rationale: Text
    #: document and article (`Source`), year; valid_until and replaces (`Source`) where they are known.
    citation: dict[str, Any]
    review_by: str
    #: draft, in_review or approved: only what is approved is served and counted.
    state: str = "approved"
    #: Subjects, as short codes.
    tags: tuple[str, ...] = ()
    #: Who it is for; empty: for everybody.
    audience: tuple[str, ...] = ()
    #: What it gives to reason from: situation, table, chart, picture; None for a plain question.
    stimulus: str | None = None
    image: Picture | None = None
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
            "difficulty": EXPECTED_SHARE[self.difficulty],
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
            "tags": list(self.tags),
            "audience": list(self.audience),
            "stimulus": self.stimulus,
            "image": self.image and self.image.content(),
        }

    def shown_hash(self) -> str:
        """The first 12 digits of the SHA-256 of what a taker sees, and the key: by it a review names what it read."""
        shown = {name: self.content()[name] for name in ("type", "stem", "options", "key", "image")}
        canonical = json.dumps(shown, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

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
