"""What is odd about an item, in plain words; all limits stand in `Thresholds`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quizapp.measurement.classical import ItemFigures


@dataclass(frozen=True)
class Thresholds:
    """All limits of the flags, in one place; each may be changed for one analysis."""

    #: More than this share right: the item tells nearly nothing of anybody.
    too_easy: float = 0.95
    #: A correlation of item and rest below this: the item does not tell who knows more.
    no_discrimination: float = 0.10
    #: A distractor chosen by a smaller share of those who answered is dead (Haladyna & Downing 1993).
    dead_distractor: float = 0.05
    #: A distractor counts against the key only where so many people chose it.
    fewest_choosers: int = 5
    #: More than this share of those who were given the item did not get as far as it.
    speeded: float = 0.05


#: The limits that are used where nobody gives others.
THRESHOLDS: Final = Thresholds()


@dataclass(frozen=True)
class Flag:
    """Something odd about an item: a stable `code`, and the sentence for people."""

    code: str
    words: str


def flags(
    figures: ItemFigures,
    names: Sequence[str],
    *,
    blank: int | None = None,
    unreached: int = 0,
    thresholds: Thresholds = THRESHOLDS,
) -> tuple[Flag, ...]:
    """What is odd about an item, the most harmful first: key_suspect, no_discrimination, too_easy, dead_distractor, speeded.

    `names`: what each answer is called, by its number less one. `blank`: the number of "given, not answered", which is no distractor;
    `unreached`: how many did not get as far as the item. The limits are those of `thresholds` alone. Nobody was given the item: none.
    An answer that nobody chose is dead only where `figures.options` lists it. An item with fewer than two distractors (true/false) has no
    dead one, and neither has one that is flagged too easy.
    """
    if figures.n == 0 or figures.difficulty is None:
        return ()
    found = []
    distractors = [o for o in figures.options if not o.is_key and o.answer != blank]
    key = next((o for o in figures.options if o.is_key), None)
    of_key = -math.inf if key is None or key.rest_correlation is None else key.rest_correlation
    for option in sorted(distractors, key=lambda o: -(o.rest_correlation or 0)):
        if (
            option.rest_correlation is not None
            and option.n >= thresholds.fewest_choosers
            and option.rest_correlation > of_key
        ):
            ours = "nobody chose it" if math.isinf(of_key) else f"{of_key:.2f}"
            named = names[key.answer - 1] if key else "?"
            found.append(
                Flag(
                    "key_suspect",
                    f"key suspect: those who do well elsewhere choose {names[option.answer - 1]} "
                    f"(r = {option.rest_correlation:.2f}) rather than the key {named} ({ours})",
                )
            )
            break
    if figures.rest_correlation is not None and figures.rest_correlation < thresholds.no_discrimination:
        found.append(
            Flag(
                "no_discrimination",
                f"no discrimination: right or wrong here says little about the rest (r = {figures.rest_correlation:.2f}, "
                f"below {thresholds.no_discrimination:.2f})",
            )
        )
    easy = figures.difficulty > thresholds.too_easy
    if easy:
        found.append(
            Flag("too_easy", f"too easy: {figures.difficulty:.1%} are right, more than {thresholds.too_easy:.0%}")
        )
    answered = sum(o.n for o in figures.options if o.answer != blank)
    if len(distractors) > 1 and answered and not easy:
        dead = [names[o.answer - 1] for o in distractors if o.n < thresholds.dead_distractor * answered]
        if dead:
            found.append(
                Flag(
                    "dead_distractor",
                    f"dead distractor: {', '.join(dead)} chosen by fewer than {thresholds.dead_distractor:.0%}",
                )
            )
    if unreached > thresholds.speeded * figures.n:
        found.append(
            Flag(
                "speeded",
                f"speeded: {unreached / figures.n:.1%} did not get as far as this item, more than {thresholds.speeded:.0%}",
            )
        )
    return tuple(found)
