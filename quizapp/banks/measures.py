"""What is measured of a bank: the figures that the checks judge and that QUALITY.md keeps. Approved items alone count.

The measures follow the flaws that item-writing research and public banks show (see `checks`): a reader who knows nothing must not find
the key by its length, its place, or a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import erfc, exp, pi, sqrt
from statistics import fmean, median, quantiles

from quizapp.banks.near_duplicates import similar_pairs
from quizapp.banks.parsed import Option, ParsedItem

LANGUAGES = ("zh", "en")
#: Fewer single-choice items than these teach a guesser of forms nothing.
FEWEST_TO_LEARN = 60
#: Words that tempt guessers to "false", by language.
ABSOLUTE = {
    "zh": re.compile(r"一定|必须|所有|任何|绝对|从不|只有|完全|全部|永远"),
    "en": re.compile(r"\b(always|never|all|every|any|only|must|completely|entirely|absolutely|none)\b", re.IGNORECASE),
}
#: Words that tempt guessers to the key.
HEDGE = re.compile(r"一般|通常|可能|适当")
_MARKS = re.compile(r"\s|\*\*")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Share:
    """`hits` of `of`."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """The fraction; 0 of none."""
        return self.hits / self.of if self.of else 0.0


def length(text: str) -> int:
    """Characters without spaces and marks."""
    return len(_MARKS.sub("", text))


def words(option: Option, language: str) -> str:
    """The option's text in one language."""
    return option.zh if language == "zh" else option.en


def of_type(items: Iterable[ParsedItem], *types: str) -> list[ParsedItem]:
    """The items of these types whose key names options that exist."""
    return [
        item
        for item in items
        if item.type in types and (not item.options or {*item.key} <= {option.id for option in item.options})
    ]


def extreme(item: ParsedItem, choose: Callable[[Sequence[int]], int], language: str = "zh") -> str | None:
    """The id of the one longest (`max`) or shortest (`min`) option; None where several are equally long."""
    lengths = [length(words(option, language)) for option in item.options]
    wanted = choose(lengths)
    found = [option.id for option, n in zip(item.options, lengths, strict=True) if n == wanted]
    return found[0] if len(found) == 1 else None


def extreme_is_key(
    items: Iterable[ParsedItem], choose: Callable[[Sequence[int]], int], language: str = "zh"
) -> tuple[list[ParsedItem], list[ParsedItem]]:
    """Single-choice items with one longest (shortest) option, and those of them whose key it is."""
    unique = [item for item in of_type(items, "single_choice") if extreme(item, choose, language)]
    return unique, [item for item in unique if extreme(item, choose, language) == item.key[0]]


def key_length_ratio(items: Iterable[ParsedItem], language: str = "zh") -> float | None:
    """Mean length of keys ÷ mean length of distractors, single choice; None without items."""
    single = of_type(items, "single_choice")
    keys = [length(words(o, language)) for item in single for o in item.options if o.id in item.key]
    others = [length(words(o, language)) for item in single for o in item.options if o.id not in item.key]
    return fmean(keys) / fmean(others) if keys else None


def key_letters(items: Iterable[ParsedItem], count: int) -> tuple[dict[str, int], float]:
    """Keys of the single-choice items with `count` options by letter, and the p-value of chi-square against equal numbers."""
    letters = "abcd"[:count]
    found = Counter(item.key[0] for item in of_type(items, "single_choice") if len(item.options) == count)
    counts = {letter: found[letter] for letter in letters}
    expected = sum(counts.values()) / count
    chi2 = sum((n - expected) ** 2 / expected for n in counts.values()) if expected else 0.0
    return counts, _chi_square_tail(chi2, count - 1)


def _chi_square_tail(value: float, freedom: int) -> float:
    """P(chi-square >= value) for 2 or 3 degrees of freedom, in closed form (Abramowitz & Stegun 26.4.4 and 26.4.5)."""
    if freedom == 2:
        return exp(-value / 2)
    return erfc(sqrt(value / 2)) + sqrt(2 * value / pi) * exp(-value / 2)


def true_share(items: Iterable[ParsedItem]) -> Share:
    """True ones of the true/false items."""
    found = of_type(items, "true_false")
    return Share(sum(item.is_true for item in found), len(found))


def absolute_words(items: Iterable[ParsedItem], language: str = "zh") -> tuple[Share, Share]:
    """Statements with an absolute word: of the false ones, of the true ones."""
    found = of_type(items, "true_false")
    return (
        _with_word([item for item in found if not item.is_true], language),
        _with_word([item for item in found if item.is_true], language),
    )


def _with_word(items: list[ParsedItem], language: str) -> Share:
    return Share(sum(bool(ABSOLUTE[language].search(item.stem[language])) for item in items), len(items))


def stem_lengths(items: Iterable[ParsedItem]) -> tuple[float, float]:
    """Median and 90th percentile of the Chinese stems, in characters. Two items at least."""
    lengths = [length(item.stem["zh"]) for item in items]
    return median(lengths), quantiles(lengths, n=10, method="inclusive")[-1]


def is_common(character: str) -> bool:
    """Whether a Chinese character is of level 1 of GB 2312: the 3,755 that general reading uses."""
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return b"\xb0\xa1" <= code <= b"\xd7\xf9"


def rare_characters(items: Iterable[ParsedItem]) -> Share:
    """Chinese characters of stems and options outside the common ones."""
    text = "".join(item.stem["zh"] + "".join(o.zh for o in item.options) for item in items)
    characters = _HAN.findall(text)
    return Share(sum(not is_common(c) for c in characters), len(characters))


def sentence_lengths(items: Iterable[ParsedItem]) -> float:
    """Mean characters between two marks of punctuation, in Chinese stems: what a reader holds in mind at once."""
    clauses = [part for item in items for part in re.split(r"[，。；：？！、]", item.stem["zh"]) if part.strip()]
    return fmean(length(part) for part in clauses)


def similar_items(items: Sequence[ParsedItem], at_least: float) -> list[tuple[ParsedItem, ParsedItem, float]]:
    """Pairs of items that ask nearly the same, of all banks: by stem, text alternative of the picture, and key together."""
    texts = [
        item.stem["zh"]
        + (item.image.alt["zh"] if item.image else "")
        + "".join(option.zh for option in item.options if option.id in item.key)
        for item in items
    ]
    return [(items[i], items[j], share) for i, j, share in similar_pairs(texts, at_least)]


@dataclass(frozen=True)
class Counts:
    """How many items of a bank have which mark."""

    items: int
    types: dict[str, int]
    uses: dict[str, int]
    dimensions: dict[str, int]
    levels: dict[int, int]
    topics: dict[str, int]
    audiences: dict[str, int]
    stimuli: dict[str, int]
    pictures: int


def counts_of(items: Sequence[ParsedItem]) -> Counts:
    """Count the marks of some items."""

    def count(values: Iterable[str]) -> dict[str, int]:
        return dict(sorted(Counter(values).items()))

    return Counts(
        items=len(items),
        types=count(item.type for item in items),
        uses=count(item.use for item in items),
        dimensions=count(item.dimension for item in items),
        levels=dict(sorted(Counter(item.difficulty for item in items).items())),
        topics=count(item.topic for item in items),
        audiences=count(a for item in items for a in item.audience),
        stimuli=count(item.stimulus for item in items if item.stimulus),
        pictures=sum(item.image is not None for item in items),
    )
