"""Shares over a whole bank: the length and the place of keys, true and false, words that give an answer away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from statistics import fmean

from quizapp.banks.checks.making import names, percent, refuse, warn
from quizapp.banks.checks.negatives import negative_word
from quizapp.banks.faults import Fault
from quizapp.banks.measures import (
    HEDGE,
    LANGUAGES,
    absolute_words,
    extreme_is_key,
    key_length_ratio,
    key_letters,
    of_type,
    rare_characters,
    stem_lengths,
    true_share,
)
from quizapp.banks.parsed import ParsedBanks, ParsedItem

#: Fewer items than these say nothing about a share.
FEWEST = 12
#: The longest option may be the key in at most this share of the items that have one longest option (chance: a quarter).
LONGEST_MOST = {"zh": 0.33, "en": 0.36}
#: True statements among true/false items.
TRUE_SHARE = (0.45, 0.55)
#: By so much more often an absolute word may stand in false statements than in true ones.
ABSOLUTE_MORE = 0.10
#: Fewer statements than these say nothing about words in them.
FEWEST_STATEMENTS = 30
#: Chinese characters that are not common, of all.
RARE_MOST = 0.02


def share_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """What is wrong with each bank as a whole: at the line of one item, but not that item's own fault."""
    yield from (replace(fault, item="", at="") for fault in _bank_faults(banks))
    for topic in banks.topics:
        yield from _runs([item for item in topic.items if item.type == "single_choice"])


def _bank_faults(banks: ParsedBanks) -> Iterator[Fault]:
    for code in banks.bank_codes:
        items = [item for item in banks.items if item.bank == code and item.state == "approved"]
        single = of_type(items, "single_choice")
        choice = of_type(items, "single_choice", "multiple_choice")
        for language in LANGUAGES:
            yield from _longest(code, single, language)
            yield from _key_length(code, single, language)
            yield from _absolute_words(code, items, language)
        yield from _longest_of_all(code, single)
        yield from _shortest(code, single)
        yield from _balance(code, single)
        yield from _true_share(code, items)
        yield from _all_right(code, of_type(items, "multiple_choice"))
        yield from _negative_share(code, choice)
        yield from _hedges(code, choice)
        yield from _stem_lengths(code, items)
        yield from _rare(code, items)


def _longest(bank: str, single: list[ParsedItem], language: str) -> Iterator[Fault]:
    unique, hits = extreme_is_key(single, max, language)
    if len(unique) < FEWEST or len(hits) / len(unique) <= LONGEST_MOST[language]:
        return
    data = {"bank": bank, "n": len(unique), "share": percent(len(hits) / len(unique)), "language": language}
    most = percent(LONGEST_MOST[language])
    yield refuse(hits[0], "L1", "longest_is_key", "options", ids=names(hits), most=most, **data)


def _longest_of_all(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    _unique, hits = extreme_is_key(single, max)
    if len(single) >= FEWEST and len(hits) / len(single) > 0.25:
        share = len(hits) / len(single)
        state = refuse if share > 0.30 else warn
        data = {"bank": bank, "n": len(single), "share": percent(share), "ids": names(hits)}
        yield state(hits[0], "L2", "longest_is_key_all", "options", **data)


def _shortest(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    unique, hits = extreme_is_key(single, min)
    if len(unique) < FEWEST:
        return
    chance = fmean(1 / len(item.options) for item in unique)
    share = len(hits) / len(unique)
    if abs(share - chance) > 0.10:
        data = {"bank": bank, "n": len(unique), "share": percent(share), "chance": percent(chance)}
        yield warn((hits or unique)[0], "L4", "shortest_is_key", "options", **data)


def _key_length(bank: str, single: list[ParsedItem], language: str) -> Iterator[Fault]:
    ratio = key_length_ratio(single, language)
    if len(single) >= FEWEST and ratio is not None and not 0.93 <= ratio <= 1.08:
        state = refuse if ratio > 1.15 else warn
        yield state(single[0], "L3", "key_length", "options", bank=bank, ratio=f"{ratio:.2f}", language=language)


def _balance(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    for count in (3, 4):
        items = [item for item in single if len(item.options) == count]
        if len(items) < 5 * count:  # chi-square needs five expected at each letter
            continue
        counts, p = key_letters(items, count)
        if p < 0.05:
            state = refuse if p < 0.01 else warn
            shown = ", ".join(f"{letter} {n}" for letter, n in counts.items())
            yield state(items[0], "K1", "key_balance", "key", bank=bank, counts=shown, p=f"{p:.4f}")


def _runs(single: list[ParsedItem]) -> Iterator[Fault]:
    for key, run in groupby(single, key=lambda item: item.key):
        items = list(run)
        if len(items) > 3:
            state = refuse if len(items) > 4 else warn
            yield state(items[-1], "K2", "key_run", "key", length=len(items), key=key[0])


def _true_share(bank: str, items: list[ParsedItem]) -> Iterator[Fault]:
    found, (low, high) = true_share(items), TRUE_SHARE
    if found.of >= FEWEST and not low <= found.share <= high:
        first = of_type(items, "true_false")[0]
        yield refuse(first, "T1", "true_share", "key", bank=bank, share=percent(found.share), n=found.of)


def _absolute_words(bank: str, items: list[ParsedItem], language: str) -> Iterator[Fault]:
    false, true = absolute_words(items, language)
    if false.of + true.of < FEWEST_STATEMENTS or false.share - true.share <= ABSOLUTE_MORE:
        return
    first = of_type(items, "true_false")[0]
    data = {"bank": bank, "false": percent(false.share), "true": percent(true.share), "language": language}
    yield refuse(first, "T2", "absolute_words", "stem", **data)


def _all_right(bank: str, multiple: list[ParsedItem]) -> Iterator[Fault]:
    full = [item for item in multiple if len(item.key) == len(item.options)]
    if full and len(full) / len(multiple) > 0.25:
        share = percent(len(full) / len(multiple))
        yield refuse(full[-1], "M1", "all_options_right", "key", bank=bank, share=share, ids=names(full))


def _negative_share(bank: str, choice: list[ParsedItem]) -> Iterator[Fault]:
    negative = [item for item in choice if negative_word(item)]
    if len(choice) >= FEWEST and len(negative) / len(choice) > 0.10:
        share = len(negative) / len(choice)
        state = refuse if share > 0.15 else warn
        data = {"bank": bank, "share": percent(share), "ids": names(negative)}
        yield state(negative[0], "N1", "negative_share", "stem", **data)


def _hedges(bank: str, choice: list[ParsedItem]) -> Iterator[Fault]:
    def only_key(item: ParsedItem) -> bool:
        hedged = {option.id for option in item.options if HEDGE.search(option.zh)}
        return bool(hedged) and hedged <= {*item.key}

    hits = [item for item in choice if only_key(item)]
    if len(choice) >= FEWEST and len(hits) / len(choice) > 0.05:
        data = {"bank": bank, "share": percent(len(hits) / len(choice)), "ids": names(hits)}
        yield warn(hits[0], "C2", "hedge_share", "options", **data)


def _stem_lengths(bank: str, items: list[ParsedItem]) -> Iterator[Fault]:
    if len(items) < FEWEST:
        return
    middle, ninth = stem_lengths(items)
    if not 18 <= middle <= 32 or ninth > 60:
        longest = max(items, key=lambda item: len(item.stem["zh"]))
        yield warn(longest, "R1", "stem_lengths", "stem", bank=bank, median=f"{middle:g}", p90=f"{ninth:.0f}")


def _rare(bank: str, items: list[ParsedItem]) -> Iterator[Fault]:
    found = rare_characters(items)
    if len(items) >= FEWEST and found.share > RARE_MOST:
        yield refuse(items[0], "R2", "rare_characters", "stem", bank=bank, share=percent(found.share))
