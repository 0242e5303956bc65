"""In which order an attempt shows the options of a question.

The order follows from the attempt's seed by SHA-256, never from a library's shuffle: the same attempt shows the same order after any
upgrade. What is stored is option ids, never places.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

#: The present rule; an attempt keeps the version with which it was started.
ORDER_VERSION = 1


def option_order(seed: str, position: int, option_ids: Sequence[str], *, ordered: bool) -> list[str]:
    """The ids in the order of display; `ordered` ones (numbers) stay as they are.

    >>> sorted(option_order("seed", 1, ["a", "b", "c"], ordered=False))
    ['a', 'b', 'c']
    """
    if ordered:
        return list(option_ids)
    return sorted(option_ids, key=lambda option: sha256(f"{seed}\x1f{position}\x1f{option}".encode()).digest())
