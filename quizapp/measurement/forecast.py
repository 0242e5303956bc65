"""How a paper will come out that nobody has taken: its mean, its spread, its reliability, and the share that passes.

What is known is how its items were answered in earlier papers: the share right p and the correlation r of right with the rest of the
paper. Everything follows from three assumptions:

- The people who will take it are like those who took the items before. Nothing here can tell whether they are.
- One ability stands behind all items, so that two items are related by their relations to it alone: corr(i, j) = λ_i·λ_j (congeneric
  tests, Jöreskog 1971). λ is the loading, the correlation of an item with the ability.
- Scores are distributed as those of earlier papers, moved and stretched to the new paper's mean and spread (linear equating); where there
  are too few of those, as a beta-binomial distribution of that mean and variance (Keats & Lord 1962).

The standard library alone: pages ask for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class KnownItem:
    """What earlier answers say of an item."""

    #: Share right, 0 to 1.
    right: float
    #: Corrected item-total correlation; None where it is not defined (all right, or all wrong).
    rest: float | None
    #: How many questions of the paper it stands for: 1, or a part where the paper will be drawn from more items than it has.
    weight: float = 1.0


@dataclass(frozen=True)
class PaperForecast:
    """A paper as it will come out; points are right answers."""

    questions: int
    mean: float
    sd: float
    #: KR-20; None for fewer than two questions, or where nothing varies.
    reliability: float | None
    #: Share of people with at least the right answers that were asked for.
    passing: float


def loadings(items: Sequence[KnownItem], length: float) -> list[float]:
    """The correlation λ of each item with the ability behind the paper; the items' rests are those of papers of `length` questions.

    A rest is no perfect measure: r_j = λ_j·√ρ, ρ the reliability of a rest of m = length − 1 questions like these (correction for
    attenuation). With A, B, D the means of s·r, (s·r)² and s², s = √(p(1 − p)), ρ follows from the same items: such a rest has the true
    variance m²A²/ρ and the error variance m(D − B/ρ), so Dρ² + (mA² − B)ρ − mA² = 0, whose positive root is taken. Where the mean
    relation A is not positive no common ability is to be seen and every λ is 0. A λ beyond ±1, which chance can give, is cut to ±1.

    Source: Lord F. M., Novick M. R. (1968), Statistical Theories of Mental Test Scores, 3.9 (attenuation); Jöreskog K. G. (1971),
    Psychometrika 36, 109-133. Raises ValueError for a length below 2.
    """
    if length < 2:
        raise ValueError("a rest needs a paper of two questions or more")
    total = math.fsum(item.weight for item in items)
    products = [_sd(item) * (item.rest or 0.0) for item in items]
    rest = length - 1
    mean = math.fsum(item.weight * x for item, x in zip(items, products, strict=True)) / total if total else 0.0
    if mean <= 1e-9:  # nothing but rounding
        return [0.0] * len(items)
    squares = math.fsum(item.weight * x * x for item, x in zip(items, products, strict=True)) / total
    spread = math.fsum(item.weight * _sd(item) ** 2 for item in items) / total
    linear, common = rest * mean * mean - squares, rest * mean * mean
    reliability = (math.sqrt(linear * linear + 4 * spread * common) - linear) / (2 * spread)
    return [max(-1.0, min(1.0, (item.rest or 0.0) / math.sqrt(reliability))) for item in items]


def forecast(
    items: Sequence[KnownItem],
    pass_right: int,
    length: float | None = None,
    earlier: Sequence[Mapping[int, int]] = (),
) -> PaperForecast:
    """The forecast of a paper; `pass_right`: right answers needed; `length`: questions of the earlier papers (default: as many as this);
    `earlier`: of each earlier paper, right answers → people.

    Mean Σp; variance Σs²(1 − λ²) + (Σsλ)², with s = √(p(1 − p)) and λ by `loadings`; reliability KR-20 = k/(k − 1)·(1 − Σs²/variance)
    (Kuder & Richardson 1937), which for items of unequal λ lies a little below the share of true variance; passing by `equated_tail`,
    where there are too few earlier scores by `beta_binomial_tail`. Item statistics of few people make the variance too large and the
    forecast uncertain: docs/methods.md has how far off it is. Raises ValueError where the weights do not add up to a whole number of
    questions, at least one.
    """
    exact = math.fsum(item.weight for item in items)
    questions = round(exact)
    if questions < 1 or abs(exact - questions) > 1e-6:
        raise ValueError(f"{exact} questions")
    mean = math.fsum(item.weight * item.right for item in items)
    of_items = math.fsum(item.weight * _sd(item) ** 2 for item in items)
    known = loadings(items, max(2.0, length or questions))
    common = math.fsum(item.weight * _sd(item) * λ for item, λ in zip(items, known, strict=True))
    own = math.fsum(item.weight * _sd(item) ** 2 * (1 - λ * λ) for item, λ in zip(items, known, strict=True))
    variance = own + common * common
    reliability = None
    if questions > 1 and variance > 1e-12:
        reliability = questions / (questions - 1) * (1 - of_items / variance)
    passing = equated_tail(earlier, mean, math.sqrt(variance), pass_right)
    if passing is None:
        passing = beta_binomial_tail(questions, mean, variance, pass_right)
    return PaperForecast(questions, mean, math.sqrt(variance), reliability, passing)


#: People of one earlier paper, and of all, from which their scores say how scores are distributed.
FEWEST_OF_PAPER, FEWEST_SCORES = 30, 100


def equated_tail(earlier: Sequence[Mapping[int, int]], mean: float, sd: float, at_least: int) -> float | None:
    """P(X ≥ `at_least`) of a score with this mean and spread, distributed as those of earlier papers; 0 to 1.

    Linear equating: in paper p with the mean m_p and the spread s_p, x_p = m_p + (at_least − ½ − mean)·s_p/sd stands where the pass mark
    of the new paper stands; the share above it, each whole score taken as spread evenly over ± ½, averaged over the papers by their
    people. It keeps what a formula would lose: people who gave up, two groups of people. None where nothing varies or fewer than 100
    people, in papers of 30 or more, are known.

    Source: Kolen M. J., Brennan R. L. (2014), Test Equating, Scaling, and Linking, 3rd ed., 2.4 and 2.5.
    """
    people = above = 0.0
    for scores in earlier:
        n = sum(scores.values())
        if n < FEWEST_OF_PAPER:
            continue
        of_paper = sum(score * k for score, k in scores.items()) / n
        spread = math.sqrt(sum(k * (score - of_paper) ** 2 for score, k in scores.items()) / n)
        if spread == 0 or sd < 1e-9:
            continue
        mark = of_paper + (at_least - 0.5 - mean) * spread / sd
        people += n
        above += math.fsum(k * min(1.0, max(0.0, score + 0.5 - mark)) for score, k in scores.items())
    return above / people if people >= FEWEST_SCORES else None


def beta_binomial_tail(questions: int, mean: float, variance: float, at_least: int) -> float:
    """P(X ≥ `at_least`) of a number of right answers of `questions` with this mean and variance, 0 to 1.

    Beta-binomial with π = mean/k and overdispersion ρ = (variance/(kπ(1 − π)) − 1)/(k − 1): α = π(1/ρ − 1), β = (1 − π)(1/ρ − 1).
    People who differ make the variance larger than the binomial one; where it is not (items of very unequal difficulty, people alike),
    the normal distribution with continuity correction stands in.

    Source: Keats J. A., Lord F. M. (1962), Psychometrika 27, 59-72; Huynh H. (1976), J. Educ. Meas. 13, 253-264. Raises ValueError for a
    mean outside of 0 … k or a negative variance.
    """
    if not 0 <= mean <= questions or variance < 0:
        raise ValueError("a mean between none and all, and a variance of at least 0")
    if at_least <= 0:
        return 1.0
    if at_least > questions:
        return 0.0
    share = mean / questions
    binomial = questions * share * (1 - share)
    if variance <= binomial * (1 + 1e-6) or questions < 2:
        if variance < 1e-12:
            return 1.0 if mean >= at_least - 1e-9 else 0.0
        return 1 - NormalDist(mean, math.sqrt(variance)).cdf(at_least - 0.5)
    over = min((variance / binomial - 1) / (questions - 1), 1 - 1e-6)
    alpha, beta = share * (1 / over - 1), (1 - share) * (1 / over - 1)
    terms = (
        math.exp(_log_choose(questions, k) + _log_beta(k + alpha, questions - k + beta) - _log_beta(alpha, beta))
        for k in range(at_least, questions + 1)
    )
    return min(1.0, math.fsum(terms))


def _sd(item: KnownItem) -> float:
    return math.sqrt(item.right * (1 - item.right))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
