"""What is odd about an item, in plain words; all limits stand in `Thresholds`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quizapp.measurement.classical import ItemFigures, OptionFigures


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
    #: A distractor counts against the key only where its correlation is higher by more than so many standard errors of the difference.
    suspect_errors: float = 0.0
    #: More than this share of those who were given the item did not get as far as it.
    speeded: float = 0.05


#: The limits that are used where nobody gives others.
THRESHOLDS: Final = Thresholds()
#: Those by which reviewers are called: with a hundred answers, chance alone lifts a distractor over the key in one item of ten.
FOR_REVIEWERS: Final = Thresholds(suspect_errors=1.645)


@dataclass(frozen=True)
class Flag:
    """Something odd about an item: a stable `code`, and the sentence for people."""

    code: str
    words: str


#: The codes of all flags, the most harmful first: what scores people wrongly, then what measures something else, then what wastes a place.
HARM: Final = ("key_suspect", "no_discrimination", "speeded", "dead_distractor", "too_easy")


def flags(
    figures: ItemFigures,
    names: Sequence[str],
    *,
    blank: int | None = None,
    unreached: int = 0,
    scored: bool = False,
    thresholds: Thresholds = THRESHOLDS,
) -> tuple[Flag, ...]:
    """What is odd about an item, in the order of `HARM`.

    `names`: what each answer is called, by its number less one. `blank`: the number of "given, not answered", which is no distractor;
    `unreached`: how many did not get as far as the item. `scored`: answers are right and wrong, not options. The limits are those of
    `thresholds` alone. Nobody was given the item: none. An answer that nobody chose is dead only where `figures.options` lists it. An item
    with fewer than two distractors (true/false) has no dead one, and neither has one that is flagged too easy.
    """
    if figures.n == 0 or figures.difficulty is None:
        return ()
    distractors = [o for o in figures.options if not o.is_key and o.answer != blank]
    easy = figures.difficulty > thresholds.too_easy
    found = [
        _key_suspect(figures, distractors, names, scored, thresholds),
        _no_discrimination(figures, thresholds),
        _speeded(figures, unreached, thresholds),
        None if easy or scored else _dead(distractors, names, figures, blank, thresholds),
        _too_easy(figures.difficulty, thresholds) if easy else None,
    ]
    return tuple(flag for flag in found if flag is not None)


def _key_suspect(
    figures: ItemFigures,
    distractors: Sequence[OptionFigures],
    names: Sequence[str],
    scored: bool,
    thresholds: Thresholds,
) -> Flag | None:
    key = next((o for o in figures.options if o.is_key), None)
    of_key = -math.inf if key is None or key.rest_correlation is None else key.rest_correlation
    rivals = [
        (o.rest_correlation, o)
        for o in distractors
        if o.rest_correlation is not None
        and o.n >= thresholds.fewest_choosers
        and o.rest_correlation > of_key
        and (
            key is None
            or key.rest_correlation is None
            or o.rest_correlation - of_key > thresholds.suspect_errors * _difference_error(key, o, figures.n)
        )
    ]
    if not rivals:
        return None
    r, rival = max(rivals, key=lambda pair: pair[0])
    if scored:
        words = f"key suspect: those who are right here do worse elsewhere (r = {of_key:.2f})"
    else:
        ours = "nobody chose it" if math.isinf(of_key) else f"r = {of_key:.2f}"
        words = (
            f"key suspect: those who do well elsewhere choose {names[rival.answer - 1]} (r = {r:.2f}) "
            f"rather than the key {names[key.answer - 1] if key else '?'} ({ours})"
        )
    return Flag("key_suspect", words)


def _difference_error(key: OptionFigures, other: OptionFigures, n: int) -> float:
    """The standard error of the difference of two options' correlations with the rest, over the same n people; each chose at most one.

    Source: Steiger J. H. (1980), Psychological Bulletin 87, 245-251, (2) and (3), with the correlation of two exclusive choices.
    """
    a, b = key.rest_correlation or 0.0, other.rest_correlation or 0.0
    p, q = key.n / n, other.n / n
    both = -math.sqrt(p * q / ((1 - p) * (1 - q))) if p < 1 and q < 1 else 0.0
    shared = both * (1 - a * a - b * b) - a * b * (1 - a * a - b * b - both * both) / 2
    return math.sqrt(max(0.0, (1 - a * a) ** 2 + (1 - b * b) ** 2 - 2 * shared) / n)


def _no_discrimination(figures: ItemFigures, thresholds: Thresholds) -> Flag | None:
    r, least = figures.rest_correlation, thresholds.no_discrimination
    if r is None or r >= least:
        return None
    words = f"no discrimination: right or wrong here says little about the rest (r = {r:.2f}, below {least:.2f})"
    return Flag("no_discrimination", words)


def _speeded(figures: ItemFigures, unreached: int, thresholds: Thresholds) -> Flag | None:
    most = thresholds.speeded
    if unreached <= most * figures.n:
        return None
    words = f"speeded: {unreached / figures.n:.1%} did not get as far as this item, more than {most:.0%}"
    return Flag("speeded", words)


def _dead(
    distractors: Sequence[OptionFigures],
    names: Sequence[str],
    figures: ItemFigures,
    blank: int | None,
    thresholds: Thresholds,
) -> Flag | None:
    answered = sum(o.n for o in figures.options if o.answer != blank)
    dead = [names[o.answer - 1] for o in distractors if o.n < thresholds.dead_distractor * answered]
    if len(distractors) < 2 or not dead:
        return None
    words = f"dead distractor: {', '.join(dead)} chosen by fewer than {thresholds.dead_distractor:.0%}"
    return Flag("dead_distractor", words)


def _too_easy(difficulty: float, thresholds: Thresholds) -> Flag:
    return Flag("too_easy", f"too easy: {difficulty:.1%} are right, more than {thresholds.too_easy:.0%}")
