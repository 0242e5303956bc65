"""The fewest data that a model and a link of two years are made from. Plain numbers, so that a page can say them without NumPy."""

from __future__ import annotations

import math
from typing import Final

#: Respondents per item below which a model is refused: Linacre J. M. (1994), Rasch Measurement Transactions 7(4), 328 (b within half a
#: logit with 95 %); Drasgow F. (1989), Applied Psychological Measurement 13, 77-90 (a of the 2PL bearable from 200).
FEWEST: Final = {"rasch": 100, "2pl": 200}
#: Items below which a and b cannot be told from one another.
FEWEST_ITEMS: Final = {"rasch": 2, "2pl": 3}
#: Right and wrong answers that each item needs.
FEWEST_OF_EACH: Final = 5
#: Anchors below which two years are not compared, whatever the length of the test.
FEWEST_ANCHORS: Final = 5
#: The part of the longer test that anchors make up at least, and the number that is always enough: Kolen M. J., Brennan R. L. (2014), Test
#: Equating, Scaling, and Linking, 3rd ed., 8.1.
ANCHOR_SHARE: Final = 0.2
ENOUGH_ANCHORS: Final = 20
#: Distance of the shares right, at equal totals, from the model's from which an item is called a misfit.
OFF_MODEL: Final = 0.1
#: The part of a pool or of a paper that must be calibrated for the model to be asked about it.
ENOUGH_CALIBRATED: Final = 0.5


def anchors_needed(length: int) -> int:
    """Anchors that a test of `length` items needs: a fifth of it, rounded up, at least 5, 20 at most (Kolen & Brennan 2014, 8.1)."""
    return min(ENOUGH_ANCHORS, max(FEWEST_ANCHORS, math.ceil(ANCHOR_SHARE * length)))
