"""Before and after, of a table with columns `pre_ITEM` and `post_ITEM`; the mathematics stands in `measurement.gain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quizapp.analyse.output import number, p_value, percent, table
from quizapp.analyse.refusals import Refused
from quizapp.analyse.scoring import Keyed
from quizapp.measurement.gain import ItemGain, PairedGain, holm, item_gain, normalized_gain, paired_gain

_PRE, _POST = "pre_", "post_"


@dataclass(frozen=True)
class GainReport:
    """What `quizapp analyse gain` answers."""

    total: PairedGain
    #: Items that stood in both tests, with their p values made honest for their number (Holm).
    items: Sequence[tuple[str, ItemGain]]
    holm: Sequence[float]
    #: Items of each test; with parallel papers they differ.
    length: int
    only_pre: int
    only_post: int
    #: Took both, but were not given every item.
    incomplete: int

    def as_json(self) -> dict[str, Any]:
        """The object of the command's contract, with who is not in it and the effect sizes."""
        total = self.total
        return {
            "pairs": total.pairs,
            "only_pre": self.only_pre,
            "only_post": self.only_post,
            "incomplete": self.incomplete,
            "mean_pre": total.mean_pre,
            "mean_post": total.mean_post,
            "mean_gain": total.mean_gain,
            "low": total.low,
            "high": total.high,
            "t": total.t,
            "df": total.df,
            "p": total.p,
            "effect_size_dz": total.d_z,
            "effect_size_g": total.g_average,
            "normalized_gain": self._normalized(),
            "items": [
                {
                    "item": name,
                    "pairs": gain.pairs,
                    "pre": gain.pre,
                    "post": gain.post,
                    "gained": gain.gained,
                    "lost": gain.lost,
                    "p_exact": gain.p_exact,
                    "p_mid": gain.p_mid,
                    "p_exact_holm": adjusted,
                }
                for (name, gain), adjusted in zip(self.items, self.holm, strict=True)
            ],
        }

    def _normalized(self) -> float | None:
        total = self.total
        if total.mean_pre is None or total.mean_post is None:
            return None
        return normalized_gain(total.mean_pre, total.mean_post, self.length)

    def as_text(self) -> str:
        """Tables and one sentence for each figure."""
        total = self.total
        away = f"{self.only_pre} took only the test before, {self.only_post} only the one after"
        if self.incomplete:
            away += f", {self.incomplete} were not given every item"
        head = [
            f"{total.pairs} people took both tests; {away}: they are not in these figures",
            f"before {number(total.mean_pre, 2)}, after {number(total.mean_post, 2)} of {self.length} points",
            f"mean gain {number(total.mean_gain, 2)} points, 95% interval {number(total.low, 2)} to {number(total.high, 2)} "
            f"(t = {number(total.t, 2)}, df = {total.df if total.df is not None else '–'}, p = {p_value(total.p)}); "
            f"effect size d_z {number(total.d_z, 2)}, g {number(total.g_average, 2)}",
        ]
        parts = ["\n".join(head)]
        if self.items:
            rows = [
                [
                    name,
                    percent(gain.pre),
                    percent(gain.post),
                    str(gain.gained),
                    str(gain.lost),
                    p_value(gain.p_exact),
                    p_value(adjusted),
                ]
                for (name, gain), adjusted in zip(self.items, self.holm, strict=True)
            ]
            parts.append(table(("item", "before", "after", "gained", "lost", "p", "p of all"), rows))
        return "\n\n".join([*parts, _METHODS])


_METHODS = """How it is computed
  mean gain     points after less points before, of the same people, with the t interval for pairs; only those who took both
  gained, lost  wrong before and right after; right before and wrong after
  p             could so uneven a change be chance? McNemar's exact test; "p of all" takes into account how many items are tested (Holm)
  d_z, g        mean gain in units of the spread of gains; of the average spread before and after
A gain between two tests also holds what people learn from the first test itself.
More in docs/methods.md, section "Gain"."""


def analyse_gain(data: Keyed) -> GainReport:
    """Compare both tests. Raises Refused where the columns are not a pair of tests, or nobody took both."""
    names = list(data.responses.items)
    odd = [name for name in names if not name.startswith((_PRE, _POST))]
    if odd:
        message = f"column «{odd[0]}» is neither pre_… nor post_…. Name the columns pre_ITEM and post_ITEM"
        raise Refused("not_before_after", message)
    before = [place for place, name in enumerate(names) if name.startswith(_PRE)]
    after = [place for place, name in enumerate(names) if name.startswith(_POST)]
    if not before or len(before) != len(after):
        message = f"{len(before)} items before and {len(after)} after: a gain in points needs as many in both tests"
        raise Refused("unequal_tests", message)
    scores = data.scores()
    pre, post = scores[:, before], scores[:, after]
    took_pre, took_post = ~np.isnan(pre).all(axis=1), ~np.isnan(post).all(axis=1)
    whole = ~np.isnan(pre).any(axis=1) & ~np.isnan(post).any(axis=1)
    if not whole.any():
        raise Refused("no_pairs", "nobody took both tests with every item: at least two such people are needed")
    at_after = {names[place].removeprefix(_POST): place for place in after}
    items = []
    for place in before:
        name = names[place].removeprefix(_PRE)
        if name in at_after:
            items.append((name, item_gain(scores[:, place], scores[:, at_after[name]])))
    return GainReport(
        total=paired_gain(pre[whole].sum(axis=1), post[whole].sum(axis=1)),
        items=items,
        holm=holm([gain.p_exact for _, gain in items]).tolist(),
        length=len(before),
        only_pre=int((took_pre & ~took_post).sum()),
        only_post=int((took_post & ~took_pre).sum()),
        incomplete=int((took_pre & took_post & ~whole).sum()),
    )
