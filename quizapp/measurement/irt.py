"""Item response theory: the two-parameter logistic model and the Rasch model, by marginal maximum likelihood.

P(right | θ) = 1 / (1 + exp(−a(θ − b))), θ ~ N(0, 1) in the population that was tested, logistic metric (D = 1; for D = 1.7 divide a by
1.7). b is the ability at which half are right, a how steeply it rises there. `2pl`: each item has its a. `rasch`: all items share one
common a, ability stays N(0, 1). (Other programs fix a = 1 and estimate the variance: the same model and likelihood on another scale,
b there = a·b here. Conditional likelihood differs a little more.)

How: the integral over θ becomes a sum over equally spaced points from −6 to 6 (Bock & Aitkin). EM steps bring the parameters near, then
Newton steps on the marginal likelihood itself, with its exact second derivatives by Louis's identity, to where the slope is zero. The
same second derivatives, inverted, give the standard errors: the observed information, not the cross-product of scores.

Missing answers (NaN) are left out of a person's likelihood: right where who was given what does not depend on ability. Sources: Bock R.
D., Aitkin M. (1981), Psychometrika 46, 443-459; Louis T. A. (1982), JRSS B 44, 226-233; Thissen D. (1982), Psychometrika 47, 175-186
(Rasch by marginal likelihood); Baker & Kim (2004), Item Response Theory, 2nd ed. Agrees with R's mirt, ltm and TAM on LSAT-6 (tests).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.floors import FEWEST, FEWEST_ITEMS, FEWEST_OF_EACH
from quizapp.measurement.irt_curves import POINTS, Floats, logistic, quadrature
from quizapp.measurement.irt_derivatives import derivatives
from quizapp.measurement.irt_patterns import Patterns, patterns_of, posteriors
from quizapp.measurement.populations import Populations

Model = Literal["2pl", "rasch"]

_MOST_CYCLES: Final = 500
_MOST_NEWTON: Final = 30
#: Twice the gain in log-likelihood from which a common slope is told from none, at 5 %.
_COMMON: Final = 2.706
#: A Newton step is not longer than this in any parameter.
_LONGEST_STEP: Final = 1.0


class TooFewData(ValueError):
    """The data do not carry the model. `code`, and what is there and needed: `found`, `needed`, `item` where it is about one."""

    def __init__(self, code: str, message: str, *, found: int, needed: int, item: int | None = None) -> None:
        super().__init__(message)
        self.code, self.found, self.needed, self.item = code, found, needed, item


class NotConverged(ValueError):
    """No maximum of the likelihood was found; `item` is the one whose slope went furthest."""

    code = "not_converged"

    def __init__(self, item: int) -> None:
        super().__init__("the likelihood has no clear maximum: the slope grows without end")
        self.item = item


class NoCommonAbility(NotConverged):
    """Whoever is right on one item is no more often right on the others: there is no scale on which items could have a place."""

    code = "no_common_ability"

    def __init__(self, statistic: float, needed: float) -> None:
        ValueError.__init__(
            self,
            "the items have no ability in common: being right on one says nothing of the others. One common slope raises twice the "
            f"log-likelihood by {statistic:.2f} over none, and at least {needed:.2f} are needed",
        )
        self.statistic = statistic


@dataclass(frozen=True)
class Fit:
    """A fitted model. Arrays have one entry per item, in the order of the data; all in logits of N(0, 1)."""

    model: Model
    a: Floats
    b: Floats
    #: Standard errors from the observed information; NaN where it cannot be inverted or b is not defined (a = 0).
    se_a: Floats
    se_b: Floats
    log_likelihood: float
    #: Free parameters: 2 per item, or 1 per item and the common a; and 2 per group of people after the first.
    parameters: int
    respondents: int
    #: Largest absolute slope of the log-likelihood at the end, and steps of EM and Newton taken.
    gradient: float
    steps: int
    #: Covariance of the estimates (a of all items, then b of all items), from the same information; NaN where they have no error.
    covariance: Floats
    #: Ability of the groups of people: mean and SD of each; the first is 0 and 1.
    populations: Populations = field(default_factory=Populations.one)

    @property
    def aic(self) -> float:
        """2·parameters − 2·log-likelihood (Akaike 1974)."""
        return 2 * self.parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """ln(respondents)·parameters − 2·log-likelihood (Schwarz 1978)."""
        return math.log(self.respondents) * self.parameters - 2 * self.log_likelihood


@dataclass(frozen=True)
class Abilities:
    """Expected a posteriori abilities: `eap` and `sd` of each person, in logits of N(0, 1)."""

    eap: Floats
    sd: Floats


def check_data(responses: NDArray[Any], model: Model, *, shared: NDArray[np.bool_] | None = None) -> None:
    """Refuse by rule what does not carry the model; raises TooFewData with the number that is needed.

    Items: 2 (Rasch), 3 (2PL). People who were given each item: 100 (Rasch, and `shared` items of a 2PL), 200 (2PL). Right and wrong answers
    to each: 5 (sources in `floors`). One respondent, an item that all or nobody had right, an item that nobody was given: refused by the
    same rules.
    """
    responses = np.asarray(responses, dtype=np.float64)
    people, items = responses.shape
    some = shared is not None and bool(shared.any())
    needed = FEWEST["rasch" if some else model]
    if items < FEWEST_ITEMS[model]:
        least = FEWEST_ITEMS[model]
        raise TooFewData("too_few_items", f"{items} items: {model} needs at least {least}", found=items, needed=least)
    if people < needed:
        message = f"{people} respondents: {model} needs at least {needed} for each item"
        raise TooFewData("too_few_respondents", message, found=people, needed=needed)
    given = ~np.isnan(responses)
    counts = given.sum(axis=0)
    right = np.where(given, responses, 0).sum(axis=0)
    for item in range(items):
        n, k = int(counts[item]), int(right[item])
        needed = FEWEST["rasch" if shared is not None and shared[item] else model]
        if n < needed:
            message = f"given to {n} respondents: {model} needs at least {needed} for each item"
            raise TooFewData("too_few_respondents", message, found=n, needed=needed, item=item)
        if min(k, n - k) < FEWEST_OF_EACH:
            kind = "right" if k < n - k else "wrong"
            message = f"{min(k, n - k)} {kind} answers: each item needs at least {FEWEST_OF_EACH} right and {FEWEST_OF_EACH} wrong ones"
            raise TooFewData("too_few_answers", message, found=min(k, n - k), needed=FEWEST_OF_EACH, item=item)


def fit(
    responses: NDArray[Any],
    model: Model,
    *,
    points: int = POINTS,
    shared: NDArray[np.bool_] | None = None,
    groups: NDArray[Any] | None = None,
) -> Fit:
    """Fit the 2PL or the Rasch model (one common a) to 0/1 responses, (persons, items), NaN = not given.

    Maximises Σ_p ln Σ_q w_q Π_j P_j(θ_q)^x (1 − P_j(θ_q))^(1 − x) over slopes a and intercepts −a·b. Standard errors: √ of the diagonal
    of the inverse observed information, carried to (a, b) by the delta method, b = −intercept/a. The sign of all a together is chosen
    positive on the whole. Persons who were given nothing add nothing and are not counted.

    `shared`, (items,): items of a 2PL that have one a between them, where their data do not carry one each. `groups`, (persons,), whole
    numbers from 0: groups of people whose abilities may differ; the first is N(0, 1), mean and SD of the others are estimated with the
    items, as far as common items tell (Bock & Zimowski 1997, in Handbook of Modern Item Response Theory, ch. 25). The errors hold that of
    the groups.

    Without a common ability b = −c/a is a number divided by nothing. So the one slope of a Rasch model must be told from 0: refused
    (NoCommonAbility) where twice the gain in log-likelihood over independent items, Σ_j r_j ln(r_j/n_j) + w_j ln(w_j/n_j), is below 2.71,
    the 5 % point of ½χ²(0) + ½χ²(1), 0 being the edge of what a slope can be (Self & Liang 1987, JASA 82, 605-610).

    Raises TooFewData as `check_data` does, NotConverged where the likelihood has no maximum (an a that grows without end), ValueError for
    fewer than 61 points or a group without people. 20,000 × 50 takes seconds; on a busy machine the fewer threads of BLAS, the faster.
    LSAT-6, 2PL: log-likelihood −2466.6534, b −3.3588 … −3.1259.
    """
    if points < 61:
        raise ValueError("fewer than 61 points are too coarse")
    responses = np.asarray(responses, dtype=np.float64)
    check_data(responses, model, shared=shared)
    present = ~np.isnan(responses).all(axis=1)
    responses = responses[present]
    items = responses.shape[1]
    patterns = patterns_of(responses, None if groups is None else np.asarray(groups)[present])
    theta, _ = quadrature(points)
    count = int(patterns.group.max()) + 1
    if len(np.unique(patterns.group)) < count:
        raise ValueError("a group without people")
    shape = _shape(model, items, shared, count)
    estimate, steps = _em(patterns, theta, shape, _start(patterns, shape, count))
    estimate, information, slope, value, more = _newton(patterns, theta, shape, estimate)
    full = shape @ estimate
    a, c = full[:items], full[items : 2 * items]
    populations = Populations.read(full[2 * items :])
    if model == "rasch" and (gain := 2 * (value - _without_ability(responses))) < _COMMON:
        raise NoCommonAbility(max(0.0, gain), _COMMON)
    if a.sum() < 0:
        a, sign, populations = -a, -1.0, populations.mirrored()
    else:
        sign = 1.0
    covariance = _covariance(shape[: 2 * items], information, a, c, sign)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.where(np.diag(covariance) >= 0, np.diag(covariance), np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        b = np.where(a == 0, np.nan, -c / a)
    return Fit(
        model=model,
        a=a,
        b=b,
        se_a=errors[:items],
        se_b=errors[items:],
        log_likelihood=value,
        parameters=len(estimate),
        respondents=int(patterns.people.sum()),
        gradient=slope,
        steps=steps + more,
        covariance=covariance,
        populations=populations,
    )


def _without_ability(responses: Floats) -> float:
    """The largest log-likelihood of items that have nothing to do with one another."""
    given = ~np.isnan(responses)
    n, right = given.sum(axis=0), np.where(given, responses, 0).sum(axis=0)
    return float((right * np.log(right / n) + (n - right) * np.log1p(-right / n)).sum())


def log_likelihood(responses: NDArray[Any], a: Any, b: Any, *, points: int = POINTS) -> float:
    """The marginal log-likelihood Σ_p ln Σ_q w_q Π_j P_j(θ_q)^x (1 − P_j(θ_q))^(1 − x) of given a, b, (items,), as `fit` maximises it.

    `responses`: (persons, items) of 0, 1 and NaN (not given, left out of the product); who was given nothing adds 0, no persons give 0.
    Source: Bock & Aitkin (1981). Raises ValueError for other responses. LSAT-6 at R's parameters: −2466.6534.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    theta, weight = quadrature(points)
    patterns = patterns_of(np.asarray(responses, dtype=np.float64))
    return sum(
        float(patterns.people[rows] @ evidence) for rows, _, evidence in posteriors(patterns, theta, weight, a, -a * b)
    )


def abilities(
    responses: NDArray[Any],
    a: Any,
    b: Any,
    *,
    points: int = POINTS,
    groups: NDArray[Any] | None = None,
    populations: Populations | None = None,
) -> Abilities:
    """Expected a posteriori ability and its posterior SD for each person, given the item parameters; prior N(0, 1), or that of their group.

    E(θ | answers) = Σ_q θ_q·posterior_q, and the SD about it. Finite for all right and all wrong, and drawn towards 0: who answered
    nothing has 0 with SD 1. (persons, items) with NaN = not given. Source: Bock R. D., Mislevy R. J. (1982), Applied Psychological
    Measurement 6, 431-444. LSAT-6, 00000: −1.8968 ± 0.8013.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    theta, weight = quadrature(points)
    if populations is not None:
        weight = populations.weights(theta)
    patterns = patterns_of(np.asarray(responses, dtype=np.float64), groups)
    eap, sd = np.empty(len(patterns.people)), np.empty(len(patterns.people))
    for rows, posterior, _ in posteriors(patterns, theta, weight, a, -a * b):
        eap[rows] = posterior @ theta
        sd[rows] = np.sqrt(np.maximum(posterior @ theta**2 - eap[rows] ** 2, 0))
    return Abilities(eap[patterns.where], sd[patterns.where])


def _shape(model: Model, items: int, shared: NDArray[np.bool_] | None, groups: int) -> Floats:
    """The linear map from free parameters to slopes, intercepts, and mean and log SD of each group after the first."""
    together = np.full(items, model == "rasch") if shared is None else np.asarray(shared, dtype=np.bool_)
    own = np.flatnonzero(~together)
    slopes = np.zeros((items, len(own) + int(together.any())))
    slopes[own, np.arange(len(own))] = 1
    if together.any():
        slopes[together, -1] = 1
    rest = items + 2 * (groups - 1)
    shape = np.zeros((items + rest, slopes.shape[1] + rest))
    shape[:items, : slopes.shape[1]] = slopes
    shape[items:, slopes.shape[1] :] = np.eye(rest)
    return shape


def _start(patterns: Patterns, shape: Floats, groups: int) -> Floats:
    """Slopes 1, intercepts from the shares right, groups all alike."""
    counts = patterns.people @ patterns.given
    share = (patterns.people @ patterns.right + 0.5) / (counts + 1)
    full = np.concatenate([np.ones(len(share)), 1.2 * np.log(share / (1 - share)), np.zeros(2 * (groups - 1))])
    return np.asarray(np.linalg.lstsq(shape, full, rcond=None)[0])


def _em(patterns: Patterns, theta: Floats, shape: Floats, estimate: Floats) -> tuple[Floats, int]:
    """EM cycles until the parameters hardly move: near enough for Newton."""
    items = patterns.right.shape[1]
    free = shape.shape[1] - (shape.shape[0] - 2 * items)
    of_items = shape[: 2 * items, :free]
    for cycle in range(_MOST_CYCLES):
        full = shape @ estimate
        populations = Populations.read(full[2 * items :])
        right, given = np.zeros((items, len(theta))), np.zeros((items, len(theta)))
        everybody = np.zeros((len(populations.mean), len(theta)))
        weight = populations.weights(theta)
        for rows, posterior, _ in posteriors(patterns, theta, weight, full[:items], full[items : 2 * items]):
            posterior *= patterns.people[rows, None]
            right += patterns.right[rows].T @ posterior
            for group in np.unique(patterns.group[rows]):
                everybody[group] += posterior[patterns.group[rows] == group].sum(axis=0)
            if not patterns.complete:
                given += patterns.given[rows].T @ posterior
        if patterns.complete:
            given += everybody.sum(axis=0)
        new = np.concatenate(
            [_maximise(right, given, theta, of_items, estimate[:free]), Populations.of(everybody, theta).free()]
        )
        moved = float(np.abs(new - estimate).max())
        estimate = new
        if moved < 0.01:
            return estimate, cycle + 1
    return estimate, _MOST_CYCLES


def _maximise(right: Floats, given: Floats, theta: Floats, shape: Floats, estimate: Floats) -> Floats:
    """The M-step: logistic regressions of expected counts on θ, by Newton; no parameter leaves ±30."""
    items = len(right)
    for _ in range(5):
        full = shape @ estimate
        p = logistic(np.outer(full[:items], theta) + full[items:, None])
        miss = right - given * p
        curve = given * p * (1 - p)
        gradient = shape.T @ np.concatenate([miss @ theta, miss.sum(axis=1)])
        outer, cross, plain = curve @ theta**2, curve @ theta, curve.sum(axis=1)
        hessian = np.block([[np.diag(outer), np.diag(cross)], [np.diag(cross), np.diag(plain)]])
        hessian = shape.T @ hessian @ shape
        step = np.linalg.solve(hessian + 1e-9 * np.eye(len(hessian)), gradient)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        estimate = estimate + step
        if np.abs(step).max() < 1e-6:
            break
    return np.clip(estimate, -30, 30)


def _newton(
    patterns: Patterns, theta: Floats, shape: Floats, estimate: Floats
) -> tuple[Floats, Floats, float, float, int]:
    """Newton on the marginal likelihood; gives parameters, observed information, largest slope, log-likelihood, steps."""
    value, gradient, information = derivatives(patterns, theta, shape, estimate)
    people = float(patterns.people.sum())
    for step_number in range(_MOST_NEWTON):
        if float(np.abs(gradient).max()) < 1e-7 * people:
            return estimate, information, float(np.abs(gradient).max()), value, step_number
        step = _ascent(information, gradient)
        for _ in range(12):
            candidate = estimate + step
            found = derivatives(patterns, theta, shape, candidate)
            if found[0] > value - 1e-9 * people:
                break
            step = step / 4
        estimate = candidate
        value, gradient, information = found
        if not np.isfinite(value) or np.abs(estimate).max() > 50:
            break
    raise NotConverged(int(np.abs((shape @ estimate)[: patterns.right.shape[1]]).argmax()))


def _ascent(information: Floats, gradient: Floats) -> Floats:
    """The Newton step; where the surface is not concave, its eigenvalues are turned positive. No parameter moves far."""
    values, vectors = np.linalg.eigh(information)
    floor = 1e-8 * max(1.0, float(np.abs(values).max()))
    step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), floor))
    longest = float(np.abs(step).max())
    return np.asarray(step * min(1.0, _LONGEST_STEP / longest) if longest else step)


def _covariance(shape: Floats, information: Floats, a: Floats, c: Floats, sign: float) -> Floats:
    """Covariance of (a, b), b = −c/a by the delta method; NaN where the information cannot be inverted or b is not defined."""
    items = len(a)
    try:
        covariance = shape @ np.linalg.inv(information) @ shape.T
    except np.linalg.LinAlgError:
        return np.full((2 * items, 2 * items), np.nan)
    # a was turned by `sign`, the intercept was not.
    turn = np.concatenate([np.full(items, sign), np.ones(items)])
    covariance = covariance * np.outer(turn, turn)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_b = np.hstack([np.diag(c / a**2), np.diag(-1 / a)])
        of_b = to_b @ covariance
        return np.block([[covariance[:items, :items], of_b[:, :items].T], [of_b[:, :items], of_b @ to_b.T]])
