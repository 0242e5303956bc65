"""The checks of a whole bank: how often the key is the longest option, keys over the letters, true and false."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from statistics import fmean, median, quantiles

from quizapp.banks.checks.items import length, negative_word
from quizapp.banks.checks.making import names, percent, refuse, warn
from quizapp.banks.faults import Fault
from quizapp.banks.parsed import ParsedBanks, ParsedItem

#: Fewer items than these say nothing about a share.
FEWEST = 12
#: The upper 5 % and 1 % points of chi-square for 2 and 3 degrees of freedom (tables; R's qchisq).
CHI_SQUARE = {2: (5.991, 9.210), 3: (7.815, 11.345)}

ABSOLUTE = re.compile(r"一定|必须|所有|任何|绝对|从不|只有|完全")
HEDGE = re.compile(r"一般|通常|可能|适当")


def share_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """What is wrong with each bank as a whole."""
    for code in banks.bank_codes:
        items = [item for item in banks.items if item.bank == code and _sound(item)]
        single = [item for item in items if item.type == "single_choice"]
        choice = [item for item in items if item.options]
        true_false = [item for item in items if not item.options]
        yield from _longest(code, single)
        yield from _shortest(code, single)
        yield from _key_length(code, single)
        yield from _balance(code, single)
        yield from _true_share(code, true_false)
        yield from _absolute_words(code, true_false)
        yield from _all_right(code, [item for item in items if item.type == "multiple_choice"])
        yield from _negative_share(code, choice)
        yield from _hedges(code, choice)
        yield from _stem_lengths(code, items)
    for topic in banks.topics:
        yield from _runs([item for item in topic.items if item.type == "single_choice"])


def _sound(item: ParsedItem) -> bool:
    return not item.options or {*item.key} <= {option.id for option in item.options}


def _extreme(item: ParsedItem, choose: Callable[[Sequence[int]], int]) -> str | None:
    """The id of the one longest (or shortest) option; None where several are equally long."""
    lengths = [length(option.zh) for option in item.options]
    wanted = choose(lengths)
    found = [option.id for option, n in zip(item.options, lengths, strict=True) if n == wanted]
    return found[0] if len(found) == 1 else None


def _longest(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    unique = [item for item in single if _extreme(item, max)]
    hits = [item for item in unique if _extreme(item, max) == item.key[0]]
    if len(unique) >= FEWEST:
        chance = fmean(1 / len(item.options) for item in unique)
        share = len(hits) / len(unique)
        if share > chance + 0.08:
            state = refuse if share > chance + 0.15 else warn
            data = {"bank": bank, "n": len(unique), "share": percent(share), "chance": percent(chance)}
            yield state(hits[0], "L1", "longest_is_key", "options", ids=names(hits), **data)
    if len(single) >= FEWEST and len(hits) / len(single) > 0.25:
        share = len(hits) / len(single)
        state = refuse if share > 0.30 else warn
        data = {"bank": bank, "n": len(single), "share": percent(share), "ids": names(hits)}
        yield state(hits[0], "L2", "longest_is_key_all", "options", **data)


def _shortest(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    unique = [item for item in single if _extreme(item, min)]
    if len(unique) < FEWEST:
        return
    hits = [item for item in unique if _extreme(item, min) == item.key[0]]
    chance = fmean(1 / len(item.options) for item in unique)
    share = len(hits) / len(unique)
    if abs(share - chance) > 0.10:
        data = {"bank": bank, "n": len(unique), "share": percent(share), "chance": percent(chance)}
        yield warn((hits or unique)[0], "L4", "shortest_is_key", "options", **data)


def _key_length(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    if len(single) < FEWEST:
        return
    keys = [length(o.zh) for item in single for o in item.options if o.id in item.key]
    others = [length(o.zh) for item in single for o in item.options if o.id not in item.key]
    ratio = fmean(keys) / fmean(others)
    if not 0.93 <= ratio <= 1.08:
        state = refuse if ratio > 1.15 else warn
        yield state(single[0], "L3", "key_length", "options", bank=bank, ratio=f"{ratio:.2f}")


def _balance(bank: str, single: list[ParsedItem]) -> Iterator[Fault]:
    for count in (3, 4):
        items = [item for item in single if len(item.options) == count]
        if len(items) < 5 * count:  # chi-square needs five expected at each letter
            continue
        counts = Counter(item.key[0] for item in items)
        expected = len(items) / count
        chi2 = sum((counts[letter] - expected) ** 2 / expected for letter in "abcd"[:count])
        told, refused = CHI_SQUARE[count - 1]
        if chi2 > told:
            state = refuse if chi2 > refused else warn
            shown = ", ".join(f"{letter} {counts[letter]}" for letter in "abcd"[:count])
            yield state(items[0], "K1", "key_balance", "key", bank=bank, counts=shown, chi2=f"{chi2:.1f}")


def _runs(single: list[ParsedItem]) -> Iterator[Fault]:
    for key, run in groupby(single, key=lambda item: item.key):
        items = list(run)
        if len(items) > 3:
            state = refuse if len(items) > 4 else warn
            yield state(items[-1], "K2", "key_run", "key", length=len(items), key=key[0])


def _true_share(bank: str, true_false: list[ParsedItem]) -> Iterator[Fault]:
    if len(true_false) < FEWEST:
        return
    share = sum(item.is_true for item in true_false) / len(true_false)
    if not 0.45 <= share <= 0.55:
        state = warn if 0.40 <= share <= 0.60 else refuse
        yield state(true_false[0], "T1", "true_share", "key", bank=bank, share=percent(share), n=len(true_false))


def _absolute_words(bank: str, true_false: list[ParsedItem]) -> Iterator[Fault]:
    items = [item for item in true_false if ABSOLUTE.search(item.stem["zh"])]
    if len(items) < FEWEST:
        return
    share = sum(not item.is_true for item in items) / len(items)
    if not 0.35 <= share <= 0.65:
        state = refuse if share > 0.75 else warn
        yield state(items[0], "T2", "absolute_words", "stem", bank=bank, share=percent(share), n=len(items))


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
    lengths = [length(item.stem["zh"]) for item in items]
    middle, ninth = median(lengths), quantiles(lengths, n=10, method="inclusive")[-1]
    if not 18 <= middle <= 32 or ninth > 60:
        longest = max(items, key=lambda item: length(item.stem["zh"]))
        yield warn(longest, "R1", "stem_lengths", "stem", bank=bank, median=f"{middle:g}", p90=f"{ninth:.0f}")
