"""The checks of the item banks: each rule with its limits, and one function that applies all.

The rules follow the item-writing literature (Haladyna, Downing & Rodriguez 2002; Case & Swanson 1996) and the flaws measured in public
Chinese banks: the longest option is the key, keys pile up at one letter, stems repeat, explanations copy the key. Shares are judged
over a whole bank and only from `FEWEST` items up, because a share of few items says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from quizapp.banks.checks.coverage import (
    blueprint_faults,
    health_faults,
    literacy_faults,
    point_faults,
    shared_fact_faults,
)
from quizapp.banks.checks.duplicates import duplicate_faults
from quizapp.banks.checks.items import item_faults
from quizapp.banks.checks.shares import share_faults
from quizapp.banks.checks.texts import language_faults
from quizapp.banks.faults import Fault, Level
from quizapp.banks.formats.yaml_bank import Reading
from quizapp.banks.parsed import ParsedBanks, ParsedItem, ParsedTopic

#: id → (rule, accepted, warned of, refused), for `quizapp banks check --help`.
CHECKS: dict[str, tuple[str, str, str]] = {
    "L1": ("longest option is the key, of items with one longest option", "-", "33 % Chinese, 36 % English"),
    "L2": ("longest option is the key, of all choice items", "25 %", "30 %"),
    "L3": ("mean length of keys / of distractors, each language", "outside 0.93 to 1.08", "1.15"),
    "L4": ("shortest option is the key, of items with one shortest", "10 points from chance", "-"),
    "K1": ("keys over the letters, chi-square", "p 0.05", "p 0.01"),
    "K2": ("same key in a row, single choice, within a file", "3", "4"),
    "T1": ("true among true/false", "-", "outside 45 to 55 %"),
    "T2": (
        "absolute words (一定, 所有 …; always, all …) in false statements more often than in true",
        "-",
        "10 points",
    ),
    "M1": ("all options right, of multiple choice", "-", "25 %"),
    "D1": ("same stem twice", "-", "any"),
    "D2": ("near-duplicates of all banks: stem, picture in words and key, shared trigrams", "45 %", "60 % (any)"),
    "D3": ("facts, points and types suffice for each blueprint", "-", "any lack"),
    "O1": ("an option like 以上都是, 以上都不是", "-", "any"),
    "O2": ("an option equal to or inside another", "-", "any"),
    "O3": ("numbers as options that do not ascend or may be mixed", "-", "any"),
    "O4": ("longest option / shortest; some options end in a full stop", "2.5 English", "2.5 Chinese; any"),
    "N1": ("negative stems: unmarked / share", "10 %", "unmarked; 15 %"),
    "I1": ("a picture or table that the item speaks of and does not have", "-", "any"),
    "C1": ("shared by stem and key alone: pairs of Chinese characters; English words", "2; none", "4; 2"),
    "C2": ("hedge word in the key alone", "5 %", "-"),
    "R1": ("length of stems", "median 18 to 32, 90 % up to 60", "60 characters; 160 with a stimulus"),
    "R2": ("Chinese characters that are not among the 3,755 common ones", "-", "2 %"),
    "E1": ("rationale: 25 to 120 characters, no copy of stem or key", "-", "any other"),
    "E2": ("citation names document, article (or section) and year", "-", "any other"),
    "E3": (
        "out of date: withdrawn documents, old limits, passed dates, review in more than 5 years",
        "review month passed",
        "any other",
    ),
    "A1": ("safety: each item says whom it is for", "-", "any other"),
    "B1": ("literacy, for the test: 8 items for each benchmark, 2 for each point", "-", "fewer"),
    "B2": ("literacy: an item, or a fact of any bank, both for practice and for the test", "-", "any"),
    "B3": ("health: each of the 66 points of health literacy has an item", "any lack", "-"),
    "G1": ("blind guessing passes a blueprint, worst paper", "-", "its guess_pass_max"),
}


def check_new(items: Sequence[ParsedItem], banks: ParsedBanks, today: date) -> list[Fault]:
    """What is wrong with items that somebody brings, each alone and against what is there; in the order of their rows."""
    new = {item.code for item in items}
    others = [item for item in banks.items if item.code not in new]
    mine = {(item.file, item.line) for item in items}
    together = ParsedBanks((ParsedTopic("", "", {}, (*others, *items)),))
    faults = [
        *(fault for item in items for fault in item_faults(item, today)),
        *(fault for item in items for fault in language_faults(item)),
        *(fault for item in items for fault in point_faults(item, banks.benchmark_of_point)),
        *(
            fault
            for fault in (*duplicate_faults(together), *shared_fact_faults(together))
            if (fault.file, fault.line) in mine
        ),
    ]
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.code))


def check_banks(reading: Reading, today: date) -> list[Fault]:
    """All faults of what was read: format first, then the checks; sorted by file and line."""
    banks: ParsedBanks = reading.banks
    whole = _whole_banks(reading)
    faults = [
        *reading.faults,
        *duplicate_faults(banks),
        *(fault for item in banks.items for fault in item_faults(item, today)),
        *(fault for item in banks.items for fault in language_faults(item)),
        *(fault for item in banks.items for fault in point_faults(item, banks.benchmark_of_point)),
        *share_faults(whole),
        *literacy_faults(whole),
        *shared_fact_faults(banks),
        *health_faults(whole),
        *_unread_notes(reading),
    ]
    faults += _blueprint_faults(whole, faults)
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.code))


def _whole_banks(reading: Reading) -> ParsedBanks:
    """The banks of which every file was read: only of these the shares and the coverage are those of the bank."""
    unread = reading.unread_banks
    topics = tuple(topic for topic in reading.banks.topics if topic.bank not in unread)
    blueprints = tuple(blueprint for blueprint in reading.banks.blueprints if blueprint.bank not in unread)
    return ParsedBanks(topics, reading.banks.benchmarks, blueprints)


def _unread_notes(reading: Reading) -> Iterator[Fault]:
    """What was not judged, and why."""
    for bank in sorted(reading.unread_banks):
        files = [file for file, banks in reading.unread.items() if bank in banks]
        yield Fault("bank_unread", Level.WARN, files[0], 1, {"bank": bank, "files": ", ".join(files)})


def _blueprint_faults(whole: ParsedBanks, faults: Sequence[Fault]) -> Iterator[Fault]:
    """The faults of the blueprints whose bank has none of format, and a note of the others."""
    unsure = {
        fault.file.partition("/")[0] for fault in faults if fault.check == "format" and fault.level == Level.REFUSE
    }
    sound = [blueprint for blueprint in whole.blueprints if blueprint.bank not in unsure]
    yield from blueprint_faults(ParsedBanks(whole.topics, whole.benchmarks, tuple(sound)))
    for bank, file in sorted({(b.bank, b.file) for b in whole.blueprints if b.bank in unsure}):
        yield Fault("blueprints_unread", Level.WARN, file, 1, {"bank": bank})
