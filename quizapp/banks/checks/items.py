"""The checks of a single item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import permutations

from quizapp.banks.checks.making import refuse, warn
from quizapp.banks.checks.negatives import negative_word
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
#: The same in English, in words.
ECHO_WORDS_WARN, ECHO_WORDS_REFUSE = 0, 2

#: An option about the other options, in the wordings that are met.
_ALL_OF_ABOVE = re.compile(
    r"(以上|上述|上面|前面)([两二三四几各]?[项种个条句点者])?(选项|做法|说法|情况)?(都|均|皆|全)|以上(各|几|两|三|四|选项|所有)|"
    r"([前这][两二三四几]|其[他余][两二三四几]?)[项种个条句点者](选项|做法|说法|情况)?(都|均|皆|全)|^(都|均|皆|全)(是|对|不|错|正确|错误|可以)|"
    r"全部选项|选项\s*[A-E]|[A-E]\s*[和与、]\s*[A-E]|没有(正确的?(答案|选项|说法)|一[项个](是|对|正确|符合))|"
    r"(?i:\b(all|none|both|any|neither|either)( (two|three|four|five))? of (the|these|those|them)\b|\b(all|none|any)( the)? above\b|"
    r"\b(all|both|none)( the)?( (two|three|four|five))? (options|answers|choices)( are\b|$))|\b([Oo]ptions?|[Aa]nswers?) [A-E]\b"
)
#: What things are called where the stem tells of several; numbers are told by `option_numbers`.
_LABELS = ("甲乙丙丁戊", "一二三四五", "①②③④⑤", "ABCDE")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
#: A sentence's end; not that of an abbreviation (3 p.m.).
_FULL_STOP = re.compile(r"[。；;！!]$|(?<!\bp\.m)(?<!\ba\.m)\.$")
#: English words of four letters or more that any question may have, as `_root` writes them.
_PLAIN_WORD = re.compile(
    "about|after|also|because|befor|between|does|dur|each|every|from|have|into|item|more|most|must|only|other|over|people|person|same|"
    "some|than|that|their|them|then|thes|they|this|thos|under|was|were|what|when|wher|which|whil|will|with|would"
)
#: A stem that speaks of a picture or a table which the taker must see.
_SPEAKS_OF_PICTURE = {
    "zh": re.compile(
        r"(?<![地视企意版插构蓝草])(?:图[中里]|图示)|(?:如|见|[上下左右附]|这[张幅个])图|"
        r"(?:^|[，。；：？！（按由据看从在照和])表[中里]|(?:如|见|[上下左右附]|这[张个])表(?![示明达述现决面])"
    ),
    "en": re.compile(
        r"\b(the|this|each) (picture|chart|diagram|graph|table|figure|drawing|photo) (shows?|below|above|gives?|lists?|tells?|says?)\b|"
        r"\bin (the|this) (picture|chart|diagram|graph|table|figure|drawing|photo)\b|\b(shown|pictured|drawn) (here|below|above)\b",
        re.IGNORECASE,
    ),
}
#: Words that stand where an article should.
_NO_ARTICLE = re.compile(r"[-—/无略]|全文|原文|见原文|不详|n/?a|none|\W*", re.IGNORECASE)


def item_faults(item: ParsedItem, today: date) -> Iterator[Fault]:
    """What is wrong with one item, whatever the others are."""
    yield from _key_faults(item)
    yield from _stem_faults(item)
    yield from _picture_faults(item)
    yield from _option_faults(item)
    yield from _rationale_faults(item)
    for article in dict.fromkeys(source_words(item.citation["article"], language) for language in LANGUAGES):
        if _NO_ARTICLE.fullmatch(article):
            yield refuse(item, "E2", "article_vague", "citation", article=article)
    if item.bank == AUDIENCE_BANK and not item.audience:
        yield refuse(item, "A1", "audience_missing", "id", bank=item.bank)
    yield from stale_faults(item, today)


def echo(item: ParsedItem) -> int:
    """C1: pairs of characters that the stem shares with the key, less those that it shares with the likest distractor."""
    stem = grams(item.stem["zh"], 2)
    shared = {option.id: len(stem & grams(option.zh, 2)) for option in item.options}
    return max(shared[k] for k in item.key) - max((n for k, n in shared.items() if k not in item.key), default=0)


def _root(word: str) -> str:
    """A word without the commonest endings, so that "harmed" echoes "harm"."""
    for end in ("ing", "ies", "ied", "es", "ed", "ly", "s", "e"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word.removesuffix(end)
    return word


def echo_words(item: ParsedItem) -> int:
    """C1 in English: words that the stem shares with the key, less those that it shares with the likest distractor."""

    def content(text: str) -> set[str]:
        found = {_root(word) for word in re.findall(r"[a-z]{4,}", text.lower())}
        return {word for word in found if not _PLAIN_WORD.fullmatch(word)}

    stem = content(item.stem["en"])
    shared = {option.id: len(stem & content(option.en)) for option in item.options}
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
        count = echo_words(item)
        if count > ECHO_WORDS_WARN:
            state = refuse if count > ECHO_WORDS_REFUSE else warn
            yield state(item, "C1", "stem_echo_words", "key", count=count)


def _picture_faults(item: ParsedItem) -> Iterator[Fault]:
    """A taker who needs a picture has it."""
    if item.image is not None or "image" in item.field_lines:  # a file that cannot be read is told of by itself
        return
    if item.stimulus in ("picture", "chart"):
        yield refuse(item, "I1", "picture_missing", "stimulus", stimulus=item.stimulus)
        return
    for language, pattern in _SPEAKS_OF_PICTURE.items():
        if found := pattern.search(item.stem[language]):
            yield refuse(item, "I1", "picture_spoken_of", "stem", found=found.group().strip("，。；：？！（"))
            return


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
