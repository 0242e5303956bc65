"""How likely blind guessing passes a paper.

A taker who knows nothing and picks evenly among the possible answers is right on item i with probability p_i. The number of right
answers is then Poisson-binomial: its distribution is the convolution of one two-point distribution per item, which is computed here
exactly (to rounding), without approximation.

Source: Wang Y. H. (1993), "On the number of successes in independent trials", Statistica Sinica 3, 295-312. Checked against R's
pbinom and its convolution (tests).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

#: Right answers of a multiple choice are 2 to 4; a guesser is taken to know that.
_MULTIPLE_RIGHT: Final = range(2, 5)


def guess_probability(item_type: str, options: int | None = None) -> float:
    """The probability that one blind guess is right, 0 to 1.

    `true_false`: 1/2. `single_choice`: 1/options (4 where not given). `multiple_choice`: one of all sets of 2 to 4 options (4 options
    where not given: 1/11), since all right ones and no wrong one must be chosen. Raises ValueError for another type or fewer than
    two options.
    """
    if item_type == "true_false":
        return 0.5
    count = 4 if options is None else options
    if count < 2:
        raise ValueError(f"an item needs two options or more, not {count}")
    if item_type == "single_choice":
        return 1 / count
    if item_type == "multiple_choice":
        return 1 / sum(math.comb(count, right) for right in _MULTIPLE_RIGHT)
    raise ValueError(f"no rule of guessing for items of type {item_type!r}")


def right_count_distribution(probabilities: Iterable[float]) -> list[float]:
    """P(exactly k right) for k = 0 … n, by convolution; a list of n + 1 numbers that sum to 1.

    Item by item P(k) ← P(k)(1 − p) + P(k − 1)p (Wang 1993, as in the module). No item: [1.0]. Raises ValueError for what is no probability.
    """
    distribution = [1.0]
    for p in probabilities:
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no probability")
        wrong = [share * (1 - p) for share in distribution]
        right = [share * p for share in distribution]
        distribution = [a + b for a, b in zip([*wrong, 0.0], [0.0, *right], strict=True)]
    return distribution


def tail_probability(probabilities: Iterable[float], at_least: int) -> float:
    """P(`at_least` or more right), that end of `right_count_distribution`: 1 for ≤ 0, 0 where it is more than there are items."""
    return min(1.0, math.fsum(right_count_distribution(probabilities)[max(at_least, 0) :]))


def guess_pass(items: Sequence[tuple[str, int | None]], pass_right: int) -> float:
    """The probability that blind guessing passes, 0 to 1, for a paper where every item carries the same points.

    `items`: type and number of options (None: the usual number) of each item; `pass_right`: right answers needed to pass. 30 of 50
    with 25 true/false and 25 four-option items gives 0.000695; with 50 true/false 0.1013. `tail_probability` of `guess_probability`; no
    items and 0 needed: 1. Raises ValueError for a type that cannot be guessed.
    """
    return tail_probability((guess_probability(kind, options) for kind, options in items), pass_right)
