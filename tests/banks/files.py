"""Bank files for tests: a sound one to spoil, and makers of items."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from quizapp.banks.faults import Fault
from quizapp.banks.parsed import Option, ParsedBanks, ParsedItem, ParsedTopic

#: A sound file of two items; tests replace a piece of it and look for the fault at its line.
SOUND = """\
bank: safety
topic: fire
title: {zh: 消防安全, en: Fire safety}
items:
  - id: SAF-FIRE-001
    type: single_choice
    use: both
    dimension: application
    state: approved
    difficulty: 3
    fact: D04
    audience: [resident]
    objective: {zh: 知道油锅起火的正确做法, en: Knows how to put out burning oil}
    stem:
      zh: 炒菜时油锅突然起火，最先该怎么做？
      en: A pan of oil catches fire while you are cooking. What do you do first?
    options:
      - {id: a, zh: 往锅里倒一碗清水, en: Pour a bowl of water into it}
      - {id: b, zh: 盖上锅盖并关火, en: Put the lid on and turn off the heat}
      - {id: c, zh: 端起锅跑到室外, en: Carry the pan outside}
      - {id: d, zh: 用湿手拍打火苗, en: Beat the flames with wet hands}
    key: b
    rationale:
      zh: 盖上锅盖隔绝空气，火就会熄灭；水遇热油会炸开，把燃着的油溅到身上和灶台上，端着锅跑则容易泼洒。
      en: A lid cuts off the air and the fire goes out. Water explodes in hot oil and spreads it; carrying the pan spills it.
    citation:
      document: {zh: 中华人民共和国消防法, en: Fire Protection Law of the People’s Republic of China}
      article: {zh: 第六条, en: Article 6}
      year: 2021
    review_by: 2028-12
  - id: SAF-FIRE-002
    type: true_false
    use: both
    dimension: knowledge
    state: approved
    difficulty: 2
    fact: D11
    audience: [resident]
    objective: {zh: 知道楼道的用途, en: Knows what stairwells are for}
    stem:
      zh: 楼道里可以暂时给电动自行车充电。
      en: An e-bike may be charged in the stairwell for a short time.
    key: false
    rationale:
      zh: 楼道是逃生的通道，电池起火时烟和火会封住出口；充电时间短也会起火，应到室外的充电处。
      en: The stairwell is the way out and a burning battery closes it. A short charge can burn too, so charge outdoors.
    citation:
      document: {zh: 高层民用建筑消防安全管理规定, en: Provisions on Fire Safety of High-Rise Civil Buildings}
      article: {zh: 第三十七条, en: Article 37}
      year: 2021
    review_by: 2028-12
"""


def write(folder: Path, text: str = SOUND, name: str = "safety/fire.yaml") -> Path:
    """Write a file of a bank folder and give the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def line_of(text: str, piece: str) -> int:
    """The line on which a piece of the text begins, from 1."""
    assert piece in text, piece
    return text[: text.index(piece)].count("\n") + 1


def spoilt(old: str, new: str) -> str:
    """The sound file with one piece replaced."""
    assert SOUND.count(old) == 1, old
    return SOUND.replace(old, new)


def character(number: int) -> str:
    """A common Chinese character; another for each number below 3,000."""
    return bytes([0xB0 + number // 94, 0xA1 + number % 94]).decode("gb2312")


def _distinct(code: str) -> str:
    """Twelve characters that follow from the id, so that stems are not near-duplicates."""
    return "".join(character(byte) for byte in sha256(code.encode()).digest()[:12])


def make_item(code: str = "SAF-FIRE-001", **values: Any) -> ParsedItem:
    """A sound single-choice item; further words change it. `options`: {"a": "…"} in Chinese."""
    options = values.pop(
        "options", {"a": "往锅里倒一碗清水", "b": "盖上锅盖并关火", "c": "端锅跑到室外", "d": "用湿手拍打火苗"}
    )
    words: dict[str, Any] = {
        "code": code,
        "bank": "safety",
        "topic": "fire",
        "type": "single_choice",
        "use": "both",
        "dimension": "knowledge",
        "difficulty": 3,
        "fact": code,
        "point": None,
        "objective": {"zh": "考点", "en": "Objective"},
        "stem": {"zh": f"{_distinct(code)}该怎么做？", "en": "What do you do first?"},
        "options": tuple(Option(id, zh, f"Option {id} {zh.encode().hex()}") for id, zh in options.items()),
        "ordered": False,
        "key": ("b",),
        "rationale": {
            "zh": "锅盖隔绝了空气，火就会熄灭；而水遇到热油会炸开，把燃着的油溅到身上和灶台上，更加危险。",
            "en": "A lid cuts off the air.",
        },
        "citation": {
            "document": {"zh": "消防安全手册", "en": "Fire safety handbook"},
            "article": {"zh": "第六条", "en": "Article 6"},
            "year": 2021,
        },
        "review_by": "2030-12",
        "audience": ("resident",),
        "file": "safety/fire.yaml",
        "line": 5,
    }
    return ParsedItem(**{**words, **values})


def make_true_false(code: str, *, true: bool, **values: Any) -> ParsedItem:
    """A sound true/false item."""
    stem = {"zh": f"这句话的编号写作{code}。", "en": "A sentence."}
    return make_item(
        code, **{"type": "true_false", "options": {}, "key": ("t",) if true else ("f",), "stem": stem, **values}
    )


def make_banks(*items: ParsedItem) -> ParsedBanks:
    """Items as one file."""
    return ParsedBanks((ParsedTopic("safety", "fire", {"zh": "消防", "en": "Fire"}, items, "safety/fire.yaml"),))


def told(faults: list[Fault]) -> list[tuple[str, str]]:
    """Code and level of each fault."""
    return [(fault.code, str(fault.level)) for fault in faults]
