"""Before and after, of a table with columns `pre_ITEM` and `post_ITEM`; the mathematics stands in `measurement.gain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quizapp.analyse.gain_times import Times
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
    #: Took the test before later than the one after; None: the table does not say when.
    out_of_order: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The object of the command's contract, with who is not in it and the effect sizes."""
        total = self.total
        return {
            "pairs": total.pairs,
            "only_pre": self.only_pre,
            "only_post": self.only_post,
            "incomplete": self.incomplete,
            "out_of_order": self.out_of_order,
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
            "undefined": self._undefined(),
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

    def _undefined(self) -> dict[str, str]:
        """Why a figure has no value, by its name."""
        total, found = self.total, dict[str, str]()
        if total.low is None:
            why = "one pair has no spread" if total.pairs < 2 else "all gains are the same, so they have no spread"
            found |= dict.fromkeys(("low", "high", "t", "p", "effect_size_dz"), why)
        if total.pairs < 2:
            found["df"] = "one pair has no spread"
        if total.g_average is None:
            found["effect_size_g"] = (
                f"{total.pairs} pairs leave fewer than two degrees of freedom, for which the correction is not defined"
                if total.pairs < 3
                else "all scores before are the same, and all after, so they have no spread"
            )
        if self._normalized() is None:
            found["normalized_gain"] = "everybody had all points before: nothing was left to gain"
        return found

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
        if self.out_of_order:
            away += f", {self.out_of_order} took the test before later than the one after"
        head = [
            f"{total.pairs} people took both tests; {away}: they are not in these figures",
            f"before {number(total.mean_pre, 2)}, after {number(total.mean_post, 2)} of {self.length} points",
            f"mean gain {number(total.mean_gain, 2)} points, 95% interval {number(total.low, 2)} to {number(total.high, 2)} "
            f"(t = {number(total.t, 2)}, df = {total.df if total.df is not None else '–'}, p = {p_value(total.p)}); "
            f"effect size d_z {number(total.d_z, 2)}, g {number(total.g_average, 2)}",
        ]
        if self.out_of_order is None:
            head.append(
                "The table does not say when the tests were taken (pre_at, post_at): their order is not checked."
            )
        reasons: dict[str, list[str]] = {}
        for name, why in self._undefined().items():
            reasons.setdefault(why, []).append(name)
        head += [f"Not defined: {', '.join(names)}: {why}" for why, names in reasons.items()]
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


def analyse_gain(data: Keyed, times: Times | None = None) -> GainReport:
    """Compare both tests. Raises Refused where the columns are not a pair of tests, or nobody took both.

    With times, whoever took the test before later than the one after is in no figure; where a time is missing, the order is taken as right.
    """
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
    turned = np.zeros(len(scores), dtype=np.bool_)
    if times is not None:
        pairs = zip(times.pre, times.post, strict=True)
        turned = np.array(
            [before_at is not None and after_at is not None and before_at > after_at for before_at, after_at in pairs]
        )
    pre, post = scores[:, before], scores[:, after]
    took_pre, took_post = ~np.isnan(pre).all(axis=1), ~np.isnan(post).all(axis=1)
    turned &= took_pre & took_post
    scores[turned] = np.nan
    whole = ~np.isnan(pre).any(axis=1) & ~np.isnan(post).any(axis=1) & ~turned
    if not whole.any():
        late = f" ({int(turned.sum())} took the test before later than the one after)" if turned.any() else ""
        raise Refused("no_pairs", f"nobody took both tests with every item{late}: at least two such people are needed")
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
        incomplete=int((took_pre & took_post & ~whole & ~turned).sum()),
        out_of_order=None if times is None else int(turned.sum()),
    )
