"""The checks of the item banks: each rule with its limits, and one function that applies all.

The rules follow the item-writing literature (Haladyna, Downing & Rodriguez 2002; Case & Swanson 1996) and the flaws measured in public
Chinese banks: the longest option is the key, keys pile up at one letter, stems repeat, explanations copy the key. Shares are judged
over a whole bank and only from `FEWEST` items up, because a share of few items says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from quizapp.banks.checks.coverage import blueprint_faults, health_faults, literacy_faults, shared_fact_faults
from quizapp.banks.checks.duplicates import duplicate_faults
from quizapp.banks.checks.items import item_faults
from quizapp.banks.checks.shares import share_faults
from quizapp.banks.checks.texts import language_faults
from quizapp.banks.faults import Fault
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
    faults = [
        *reading.faults,
        *duplicate_faults(banks),
        *(fault for item in banks.items for fault in item_faults(item, today)),
        *(fault for item in banks.items for fault in language_faults(item)),
        *share_faults(banks),
        *literacy_faults(banks),
        *shared_fact_faults(banks),
        *health_faults(banks),
    ]
    if not any(fault.check == "format" for fault in faults):
        faults += blueprint_faults(banks)
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.code))
