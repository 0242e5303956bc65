"""A guesser that cannot read: it learns from the form of options alone which one tends to be the key.

A conditional logit over the options of each single-choice item, with features that a person without knowledge could see: length, digits,
punctuation, absolute and hedging words, how much an option shares with the others, and place. It is fitted on nine tenths of the items
and guesses the last tenth, ten times over; how far it comes above chance is what the form gives away, whatever anybody knows.

Source: McFadden D. (1974), "Conditional logit analysis of qualitative choice behavior"; the features are the cues of Millman J., Bishop
C. & Ebel R. (1965), "An analysis of test-wiseness", Educational and Psychological Measurement 25, 707–726.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quizapp.banks.measures import ABSOLUTE, FEWEST_TO_LEARN, HEDGE, length, of_type, words
from quizapp.banks.near_duplicates import grams, jaccard
from quizapp.banks.parsed import ParsedItem

#: Parts of which each is guessed from the others.
FOLDS = 10
#: Weight of the ridge, in items: cues that a few items show by chance are not believed.
_RIDGE = 4.0
#: Newton's steps at most; five are enough in practice.
_STEPS = 25


def form_guesses(items: Sequence[ParsedItem], language: str = "zh") -> tuple[int, float, int] | None:
    """(keys found, keys that blind choice would find on average, items) over single-choice items; None for fewer than `FEWEST_TO_LEARN`."""
    single = of_type(items, "single_choice")
    if len(single) < FEWEST_TO_LEARN:
        return None
    tables = [_features(item, language) for item in single]
    keys = [[option.id for option in item.options].index(item.key[0]) for item in single]
    fold = [int(hashlib.sha256(item.code.encode()).hexdigest(), 16) % FOLDS for item in single]
    found = 0
    for part in range(FOLDS):
        taught = [n for n in range(len(single)) if fold[n] != part]
        weights = _fit([tables[n] for n in taught], [keys[n] for n in taught])
        found += sum(int(np.argmax(tables[n] @ weights)) == keys[n] for n in range(len(single)) if fold[n] == part)
    return found, sum(1 / len(item.options) for item in single), len(single)


def _features(item: ParsedItem, language: str) -> NDArray[np.float64]:
    """Options × cues, each centred within the item."""
    texts = [words(option, language) for option in item.options]
    sets = [grams(text, 2) for text in texts]
    rows = []
    for place, text in enumerate(texts):
        others = [jaccard(sets[place], other) for n, other in enumerate(sets) if n != place]
        lengths = [length(t) for t in texts]
        rows.append(
            [
                length(text) / max(lengths),
                float(length(text) == max(lengths)),
                float(length(text) == min(lengths)),
                float(bool(re.search(r"\d", text))),
                float(len(re.findall(r"[，,、；;：:（(]", text))),
                float(bool(ABSOLUTE[language].search(text))),
                float(bool(HEDGE.search(text))),
                float(bool(re.search(r"不|没|无|非|\bnot?\b", text))),
                max(others),
                sum(others) / len(others),
                float(place in (1, 2)),
            ]
        )
    table = np.array(rows)
    centred: NDArray[np.float64] = table - table.mean(axis=0)
    return centred


def _fit(tables: Sequence[NDArray[np.float64]], keys: Sequence[int]) -> NDArray[np.float64]:
    """The weights of the cues, by penalised maximum likelihood: Newton's steps, for the function is concave."""
    count = tables[0].shape[1]
    weights = np.zeros(count)
    for _ in range(_STEPS):
        slope = -2 * _RIDGE * weights
        bend = 2 * _RIDGE * np.eye(count)
        for table, key in zip(tables, keys, strict=True):
            utility = table @ weights
            chances = np.exp(utility - utility.max())
            chances /= chances.sum()
            mean = chances @ table
            slope += table[key] - mean
            bend += (table * chances[:, None]).T @ table - np.outer(mean, mean)
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights
