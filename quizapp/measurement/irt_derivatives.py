"""Exact first and second derivatives of the marginal log-likelihood of `irt.fit`."""

from __future__ import annotations

import numpy as np

from quizapp.measurement.irt_curves import Floats, logistic
from quizapp.measurement.irt_patterns import Patterns, posteriors
from quizapp.measurement.populations import Populations


def derivatives(patterns: Patterns, theta: Floats, shape: Floats, estimate: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, its gradient, and the observed information by Louis: E(complete) − E(score²) + E(score)².

    By the free parameters, (free,) and (free, free), each pattern as often as it occurs; answers that were not given are in neither.
    Source: Louis T. A. (1982), JRSS B 44, 226-233; held to numerical derivatives by tests. `shape @ estimate` are slopes, intercepts,
    means and log SDs of the groups after the first.
    """
    items = patterns.right.shape[1]
    full = shape @ estimate
    a, c = full[:items], full[items : 2 * items]
    populations = Populations.read(full[2 * items :])
    p = logistic(np.outer(theta, a) + c)
    value = 0.0
    gradient = np.zeros(len(full))
    information = np.zeros((len(full), len(full)))
    lost = np.zeros((2 * items, 2 * items))
    curve = np.zeros((len(theta), items))
    for rows, posterior, evidence in posteriors(patterns, theta, populations.weights(theta), a, c):
        people = patterns.people[rows]
        right, given = patterns.right[rows], patterns.given[rows]
        value += float(people @ evidence)
        # Of each power of θ: its posterior mean, and that of θ^m · P(right) for each item.
        moments = [posterior @ theta**m for m in range(3)]
        expected = [given * (posterior @ (theta[:, None] ** m * p)) for m in range(3)]
        scores = np.hstack([right * moments[1][:, None] - expected[1], right - expected[0]])
        gradient[: 2 * items] += people @ scores
        lost -= scores.T @ (people[:, None] * scores)
        weighted = posterior * people[:, None]
        together: list[Floats] = []
        for m in range(3):
            cross = right.T @ (people[:, None] * expected[m])
            together.append(right.T @ ((people * moments[m])[:, None] * right) - cross - cross.T)
        if patterns.complete:
            at_points = weighted.sum(axis=0)
            curve += at_points[:, None]
            for m in range(3):
                together[m] += (p * (at_points * theta**m)[:, None]).T @ p
        else:
            curve += weighted.T @ given
            for m, product in enumerate(_of_given(patterns, rows, weighted, theta, p)):
                together[m] += product
        lost += np.block([[together[2], together[1]], [together[1], together[0]]])
        _of_groups(patterns, rows, (weighted, scores), theta, p, populations, gradient, information)
    curve *= p * (1 - p)
    outer, cross, flat = (theta**2) @ curve, theta @ curve, curve.sum(axis=0)
    complete = np.block([[np.diag(outer), np.diag(cross)], [np.diag(cross), np.diag(flat)]])
    information[: 2 * items, : 2 * items] += complete - lost
    return value, shape.T @ gradient, shape.T @ information @ shape


def _of_groups(
    patterns: Patterns,
    rows: slice,
    of_rows: tuple[Floats, Floats],
    theta: Floats,
    p: Floats,
    populations: Populations,
    gradient: Floats,
    information: Floats,
) -> None:
    """Add what the mean and the log SD of each group after the first are to the gradient and to the information.

    Their scores are (θ − mean)/SD² and (θ − mean)²/SD², less what these are on average under the prior at the points (0 and 1, but for the
    ends of the quadrature). Items and groups meet in the complete information nowhere, so what is seen of them together is less the
    posterior covariance of their scores.
    """
    weighted, scores = of_rows
    groups, items = len(populations.mean), p.shape[1]
    priors = populations.weights(theta)
    for group in np.unique(patterns.group[rows]):
        if group == 0:
            continue
        of_group = np.flatnonzero(patterns.group[rows] == group)
        mine, people = weighted[of_group], patterns.people[rows][of_group]
        right, given = patterns.right[rows][of_group], patterns.given[rows][of_group]
        mean, sd = populations.mean[group], populations.sd[group]
        away = (theta - mean) / sd
        prior = priors[group]
        of_point = np.stack([away / sd, away**2])
        of_point -= of_point @ prior[:, None]
        sums = mine @ of_point.T  # people times the posterior mean of each score
        at = 2 * items + np.array([group - 1, groups - 1 + group - 1])
        gradient[at] += sums.sum(axis=0)
        # people less what the prior has of as many: the curvature of the prior's logarithm
        everybody = mine.sum(axis=0) - people.sum() * prior
        bent = np.array([[everybody.sum() / sd**2, 2 * everybody @ away / sd], [0.0, 2 * everybody @ away**2]])
        bent[1, 0] = bent[0, 1]
        information[np.ix_(at, at)] += bent - (of_point * everybody) @ of_point.T + (sums / people[:, None]).T @ sums
        for side, place in enumerate(at):
            by_point = mine * of_point[side]
            slopes = right.T @ (by_point @ theta) - (given * (by_point @ (theta[:, None] * p))).sum(axis=0)
            intercepts = right.T @ sums[:, side] - (given * (by_point @ p)).sum(axis=0)
            seen = np.concatenate([slopes, intercepts]) - scores[of_group].T @ sums[:, side]
            information[place, : 2 * items] -= seen
            information[: 2 * items, place] -= seen


def _of_given(patterns: Patterns, rows: slice, weighted: Floats, theta: Floats, p: Floats) -> list[Floats]:
    """Σ over persons and points of weight · θ^m · P_j·P_k for the pairs of items that a person was given, for m = 0, 1, 2.

    By distinct sets of items where there are few of them (papers), else point by point.
    """
    found = [np.zeros((p.shape[1], p.shape[1])) for _ in range(3)]
    of_set = patterns.of_set[rows]
    here = np.unique(of_set)
    if len(here) <= len(theta) * 4:
        for number in here:
            at = weighted[of_set == number].sum(axis=0)
            members = np.flatnonzero(patterns.sets[number])
            of_members = p[:, members]
            for m in range(3):
                found[m][np.ix_(members, members)] += (of_members * (at * theta**m)[:, None]).T @ of_members
        return found
    given = patterns.given[rows]
    for q, place in enumerate(theta):
        both = (given.T @ (weighted[:, q, None] * given)) * np.outer(p[q], p[q])
        for m in range(3):
            found[m] += place**m * both
    return found
