"""Whether a set of papers can be at all: what its papers draw together, and what two of them must share.

Both are asked of the solver as programs that any set of papers would meet, so that "no" is a proof, and "yes" is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from quizapp.measurement.conflicts import Demand, can_be_met
from quizapp.measurement.forms.model import Numbers

#: Seconds for one question.
QUESTION_LIMIT: Final = 2.0
#: Columns beyond which numbers need not be whole: the proof is then a little weaker, and many times faster.
MOST_WHOLE: Final = 1_500
#: Columns for single uses of items: where there are more, uses beyond the last that is told apart count as that one.
MOST_COLUMNS: Final = 10_000
#: Items of a pool up to which two papers are asked about: the table of that question has three columns and a row for each.
MOST_ITEMS: Final = 1_000


@dataclass(frozen=True, eq=False)
class PaperSet:
    """A set of papers: the demands on each, and the caps on all of them (None: no cap)."""

    #: (columns of a demand) items of the pool.
    items: int
    forms: int
    use_max: int | None
    overlap_max: int | None

    def drawn_together(self, demands: Sequence[Demand]) -> bool:
        """Whether what all papers draw together can meet the demands added up, within both caps.

        Item i is used y_i times, a whole number up to `forms`, and up to `use_max`. All papers meet forms·low ≤ row·y ≤ forms·high; an
        item is shared by each pair of papers that has it, so that Σ y_i(y_i − 1)/2 ≤ overlap_max·forms·(forms − 1)/2. The left side is
        convex: use k of an item costs k − 1, and uses are taken in that order. Items that no demand tells apart are one column.
        """
        if not demands:
            return True
        kinds, members = np.unique(np.array([demand.row for demand in demands]), axis=1, return_counts=True)
        most = self.forms if self.use_max is None else min(self.forms, self.use_max)
        steps = 1 if self.overlap_max is None else min(most, max(2, MOST_COLUMNS // len(members)))
        # one column for the first use of each item of a kind, one for the second, … and the last for all further ones
        upper = np.concatenate([members] * (steps - 1) + [members * (most - steps + 1)]).astype(np.float64)
        program = [
            Demand(d.key, d.name, np.tile(row, steps), self.forms * d.low, self.forms * d.high)
            for d, row in zip(demands, kinds, strict=True)
        ]
        if self.overlap_max is not None:
            pairs = self.forms * (self.forms - 1) / 2
            cost = np.repeat(np.arange(steps, dtype=np.float64), len(members))
            program.append(Demand("", "", cost, -np.inf, self.overlap_max * pairs))
        return can_be_met(program, upper, whole=len(upper) <= MOST_WHOLE, seconds=QUESTION_LIMIT)

    def two_can_be(self, demands: Sequence[Demand]) -> bool:
        """Whether two papers can be, within both caps: what two of them cannot, more cannot. Exact; of a pool that is too large, "yes".

        x and y are the papers, z_i ≥ x_i + y_i − 1 says that both have item i.
        """
        n = self.items
        if n > MOST_ITEMS:
            return True
        nothing: Numbers = np.zeros(n)
        program = []
        for d in demands:
            program += [
                Demand(d.key, d.name, np.concatenate([d.row, nothing, nothing]), d.low, d.high),
                Demand(d.key, d.name, np.concatenate([nothing, d.row, nothing]), d.low, d.high),
            ]
        if self.overlap_max is not None or self.use_max == 1:
            both = np.eye(n)
            program += [Demand("", "", np.concatenate([one, one, -one]), -np.inf, 1.0) for one in both]
            most = 0.0 if self.use_max == 1 else float(self.overlap_max or 0)
            program.append(Demand("", "", np.concatenate([nothing, nothing, np.ones(n)]), -np.inf, most))
        return can_be_met(program, np.ones(3 * n), seconds=QUESTION_LIMIT)

    def can_be(self, demands: Sequence[Demand], *, use: bool, overlap: bool) -> bool:
        """Whether neither proof speaks against papers with these demands and with these of the caps."""
        part = replace(self, use_max=self.use_max if use else None, overlap_max=self.overlap_max if overlap else None)
        return part.drawn_together(demands) and part.two_can_be(demands)
