"""The checks of a single item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import permutations

from quizapp.banks.checks.making import refuse, warn
from quizapp.banks.checks.stale import stale_faults
from quizapp.banks.faults import Fault
from quizapp.banks.measures import LANGUAGES, length, words
from quizapp.banks.near_duplicates import grams, jaccard, normalised
from quizapp.banks.parsed import Option, ParsedItem, source_words

#: Characters of a Chinese stem: of a plain question, and of one that gives something to reason from.
STEM_MOST, SITUATION_MOST = 60, 160
#: The longest option ÷ the shortest, at most.
LENGTH_FACTOR = 2.5
#: A bank whose items all say whom they are for.
AUDIENCE_BANK = "safety"
RATIONALE_LENGTH = (25, 120)
#: Share of trigrams from which a rationale repeats the stem or the key.
COPY_SHARE = 0.8
#: Pairs of characters that stem and key share more than any distractor: told above the first, refused above the second.
ECHO_WARN, ECHO_REFUSE = 2, 4

_ALL_OF_ABOVE = re.compile(
    r"以上(都|均|皆|全|各|几|两|三|四|选项|所有)|^(都|均|皆|全)(是|对|不|正确|错误|可以)|"
    r"全部选项|上述(都|均|皆|全)|\b(all|none|both|any) of (the|these|them)( above)?\b",
    re.IGNORECASE,
)
#: Negative words, but not in "能不能", "是不是".
_NEGATIVE = (
    r"(?<!能)(?<!是)(?<!会)(?<!该)(?<!应)(?<!宜)(不正确|不恰当|不合适|不妥|错误|不属于|不包括|不包含|不是|不应|不宜|不能|不可|不得|"
    r"不需要|不适合|不该|不符合|不会)"
)
_NEGATIVE_STEM = re.compile(
    rf"哪[一些项种个类条处位]*[^，]{{0,4}}{_NEGATIVE}|(?:下列|以下)[^，]{{0,10}}{_NEGATIVE}|"
    rf"{_NEGATIVE}[^，]{{0,3}}的(?:是|有|做法|说法)|{_NEGATIVE}(?:哪|下列|以下|什么)|(除外)"
)
#: What things are called where the stem tells of several; numbers are told by `option_numbers`.
_LABELS = ("甲乙丙丁戊", "一二三四五", "①②③④⑤", "ABCDE")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
#: A sentence's end; not that of an abbreviation (3 p.m.).
_FULL_STOP = re.compile(r"[。；;！!]$|(?<!\bp\.m)(?<!\ba\.m)\.$")
#: Words that stand where an article should.
_NO_ARTICLE = re.compile(r"[-—/无略]|全文|原文|见原文|不详|n/?a|none|\W*", re.IGNORECASE)


def item_faults(item: ParsedItem, today: date) -> Iterator[Fault]:
    """What is wrong with one item, whatever the others are."""
    yield from _key_faults(item)
    yield from _stem_faults(item)
    yield from _option_faults(item)
    yield from _rationale_faults(item)
    for article in dict.fromkeys(source_words(item.citation["article"], language) for language in LANGUAGES):
        if _NO_ARTICLE.fullmatch(article):
            yield refuse(item, "E2", "article_vague", "citation", article=article)
    if item.bank == AUDIENCE_BANK and not item.audience:
        yield refuse(item, "A1", "audience_missing", "id", bank=item.bank)
    yield from stale_faults(item, today)


def negative_word(item: ParsedItem) -> str | None:
    """The word by which a choice item asks for what is not so, or None."""
    if not item.options:
        return None
    # Only the last clause asks; what stands before is the situation, and what is quoted is somebody else's word.
    stem = re.sub(r"“[^”]*”|\*\*", "", item.stem["zh"])
    asking = re.split(r"[，。；：！]", stem.strip("。？（） "))[-1]
    found = _NEGATIVE_STEM.search(asking)
    return next(group for group in found.groups() if group) if found else None


def echo(item: ParsedItem) -> int:
    """C1: pairs of characters that the stem shares with the key, less those that it shares with the likest distractor."""
    stem = grams(item.stem["zh"], 2)
    shared = {option.id: len(stem & grams(option.zh, 2)) for option in item.options}
    return max(shared[k] for k in item.key) - max((n for k, n in shared.items() if k not in item.key), default=0)


def _key_faults(item: ParsedItem) -> Iterator[Fault]:
    if not item.options:
        return
    ids = [option.id for option in item.options]
    if ids != list("abcde"[: len(ids)]):
        yield refuse(item, "format", "option_order", "options", given=", ".join(ids))
    unknown = [k for k in item.key if k not in ids]
    if unknown:
        yield refuse(item, "format", "key_unknown", "key", key=", ".join(unknown))


def _stem_faults(item: ParsedItem) -> Iterator[Fault]:
    stem = item.stem["zh"]
    most = SITUATION_MOST if item.stimulus else STEM_MOST
    if length(stem) > most:
        yield refuse(item, "R1", "stem_too_long", "stem", length=length(stem), most=most)
    if any(text.count("**") % 2 for text in item.stem.values()):
        yield refuse(item, "N1", "mark_unbalanced", "stem")
    negative = negative_word(item)
    if negative and "**" not in stem:
        yield refuse(item, "N1", "negative_unmarked", "stem", found=negative)
    if item.type == "single_choice" and item.key[0] in {option.id for option in item.options}:
        count = echo(item)
        if count > ECHO_REFUSE:
            yield refuse(item, "C1", "stem_echo", "key", count=count)
        elif count > ECHO_WARN:
            yield warn(item, "C1", "stem_echo", "key", count=count)


def _option_faults(item: ParsedItem) -> Iterator[Fault]:
    for option in item.options:
        for text in (option.zh, option.en):
            if found := _ALL_OF_ABOVE.search(text):
                at = f"option {option.id}"
                yield refuse(item, "O1", "all_of_above", at, option=option.id, found=found.group())
                break
    for one, other in permutations(item.options, 2):
        same = normalised(one.zh) == normalised(other.zh) or normalised(one.en) == normalised(other.en)
        at = f"option {max(one.id, other.id)}"
        if same and one.id < other.id:
            yield refuse(item, "O2", "option_same", at, one=one.id, other=other.id)
        elif not same and _inside(one.zh, other.zh):
            yield refuse(item, "O2", "option_inside", at, one=one.id, other=other.id)
    numbers = option_numbers(item.options)
    if numbers is None:
        yield from _length_faults(item)
    else:
        if numbers != sorted(numbers):
            yield refuse(item, "O3", "numbers_not_ascending", "options")
        elif not item.ordered:
            yield refuse(item, "O3", "numbers_not_ordered", "options")
    if labelled(item.options) and not item.ordered:
        yield refuse(item, "O3", "labels_not_ordered", "options")


def labelled(options: tuple[Option, ...]) -> bool:
    """Whether the options are nothing but the labels of what the stem or the picture tells, in their order: 甲厂, 乙厂 … or ①, ② …."""
    for labels in _LABELS:
        head, first, tail = options[0].zh.partition(labels[0]) if options else ("", "", "")
        if first and all(o.zh == f"{head}{label}{tail}" for o, label in zip(options, labels, strict=False)):
            return True
    return False


def _length_faults(item: ParsedItem) -> Iterator[Fault]:
    """Options of which one stands out by its length, or by a mark at its end."""
    if not item.options:
        return
    for language in LANGUAGES:
        lengths = [length(words(option, language)) for option in item.options]
        if max(lengths) > LENGTH_FACTOR * max(min(lengths), 2):  # one character and two are no difference
            state = refuse if language == "zh" else warn
            data = {"longest": max(lengths), "shortest": min(lengths), "language": language}
            yield state(item, "O4", "option_lengths", "options", **data)
        ends = {bool(_FULL_STOP.search(words(option, language))) for option in item.options}
        if len(ends) == 2:
            yield refuse(item, "O4", "option_ends", "options", language=language)


def option_numbers(options: tuple[Option, ...]) -> list[tuple[float, ...]] | None:
    """The numbers of each option, where all options are the same words around numbers; None otherwise."""
    if not options:
        return None
    texts = [option.zh.translate(_WIDTH) for option in options]
    if len({_NUMBER.sub("#", text) for text in texts}) != 1 or not _NUMBER.search(texts[0]):
        return None
    return [tuple(float(n.replace(",", "")) for n in _NUMBER.findall(text)) for text in texts]


#: Full-width digits and points as plain ones.
_WIDTH = str.maketrans("０１２３４５６７８９．，", "0123456789.,")


def _inside(small: str, large: str) -> bool:
    """Whether one option stands within another; a number within a longer number does not count (2个月, 12个月)."""
    part, whole = normalised(small), normalised(large)
    at = whole.find(part)
    if not part or at < 0:
        return False
    before, after = whole[at - 1 : at], whole[at + len(part) : at + len(part) + 1]
    cut = (part[0].isdigit() and before.isdigit()) or (part[-1].isdigit() and after.isdigit())
    return not cut


def _rationale_faults(item: ParsedItem) -> Iterator[Fault]:
    text = item.rationale["zh"]
    low, high = RATIONALE_LENGTH
    if not low <= length(text) <= high:
        yield refuse(item, "E1", "rationale_length", "rationale", length=length(text))
    sources = [("stem", item.stem["zh"])]
    sources += [("key", option.zh) for option in item.options if option.id in item.key]
    for what, source in sources:
        if jaccard(grams(text), grams(source)) >= COPY_SHARE:
            yield refuse(item, "E1", "rationale_copy", "rationale", what=what)
