"""Near-duplicate texts by shared character trigrams.

The similarity of two texts is the Jaccard index of their sets of three-character sequences (punctuation, spaces and width forms do not
count). Pairs are found through an inverted index with a prefix filter: of each text only its rarest trigrams are indexed, as many as a
partner of the wanted similarity cannot all lack, so that common phrases ("下列哪一项") do not make every text a candidate.

Source: Chaudhuri S., Ganti V., Kaushik R. (2006), "A primitive operator for similarity joins in data cleaning", ICDE.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

_LENGTH = 3


def normalised(text: str) -> str:
    """Letters, digits and Chinese characters alone, in one width and in small letters."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def grams(text: str, length: int = _LENGTH) -> frozenset[str]:
    """The sequences of `length` characters of a normalised text; the text itself where it is shorter."""
    plain = normalised(text)
    if len(plain) <= length:
        return frozenset([plain] if plain else [])
    return frozenset(plain[i : i + length] for i in range(len(plain) - length + 1))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared ÷ all, 0 to 1; 0 where both are empty."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0


def similar_pairs(texts: Sequence[str], at_least: float) -> list[tuple[int, int, float]]:
    """All pairs (i < j) with a similarity of `at_least` (above 0) or more, with the similarity, sorted by i, j."""
    if not 0 < at_least <= 1:
        raise ValueError("a similarity above 0, at most 1")
    sets = [grams(text) for text in texts]
    frequency = Counter(gram for one in sets for gram in one)
    index: dict[str, list[int]] = defaultdict(list)
    pairs = []
    for j, one in enumerate(sets):
        rarest = sorted(one, key=lambda gram: (frequency[gram], gram))
        # A partner shares at least ⌈t·n⌉ of the n trigrams, so it shares one of the n - ⌈t·n⌉ + 1 rarest.
        prefix = rarest[: len(rarest) - math.ceil(at_least * len(rarest) - 1e-9) + 1]
        candidates = {i for gram in prefix for i in index[gram]}
        for i in candidates:
            small, large = sorted((len(one), len(sets[i])))
            if small >= at_least * large - 1e-9:
                share = jaccard(one, sets[i])
                if share >= at_least:
                    pairs.append((i, j, share))
        for gram in prefix:
            index[gram].append(j)
    return sorted(pairs)
