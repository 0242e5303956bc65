"""The errors of two years on one scale: those of people, by units where these are known, and those of the anchors; see `years`.

People of one unit are alike. Their part of a figure's error is then that of unit sums: each unit's influence on the parameters of both
years (`irt_units`), so that a unit that stands in both counts once and what lasts in it cancels, as do people who took both. Each
year's influence counts 1/√(1 − h) times, h the unit's share of that year's people: for c equal units that is the factor c/(c − 1) of the
variance, for one large unit more. Source: Bell R. M., McCaffrey D. F. (2002), Survey Methodology 28, 169-181, with information in
proportion to people; Cameron A. C., Miller D. L. (2015), J. Human Resources 50, 317-372.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement import irt
from quizapp.measurement.clusters import FEWEST_CLUSTERS, degrees_of_freedom
from quizapp.measurement.irt_curves import Floats, probabilities
from quizapp.measurement.irt_units import unit_influences
from quizapp.measurement.linking import Link, mean_mean, stocking_lord
from quizapp.measurement.units import alone_apart

#: With fewer effective units the interval is rough: the page warns.
FEW_UNITS: Final = 10

#: How people are taken: by units; as strangers because no unit is known; as strangers because a year has fewer than `FEWEST_CLUSTERS`.
Basis = Literal["units", "no_units", "too_few_units"]


class NoLink(ValueError):
    """The anchors do not join the scales, or the parameters have no error."""

    code = "no_link"


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Pair(NamedTuple):
    """A figure of both years and the second less the first."""

    first: Interval
    second: Interval
    difference: Interval


class Errors(NamedTuple):
    """Standard errors of a figure: by people as strangers, by people of units (NaN where these do not serve), by anchors."""

    strangers: float
    units: float
    anchors: float
    #: Degrees of freedom of the part by units.
    df_units: float

    @property
    def people(self) -> float:
        """The part by people that counts: never less than that of strangers."""
        return float(np.fmax(self.strangers, self.units))


@dataclass(frozen=True)
class UnitErrors:
    """What the units of both years add to all parameters, each year's corrected for the unit's share."""

    #: (units of both years, parameters of both).
    influences: Floats
    #: (2, units of both years): share of the year's people.
    shares: Floats
    #: Parameters of the first year; the rest are the second's.
    first: int

    def of(self, by: Floats) -> tuple[float, float]:
        """Standard error and degrees of freedom of a figure with these derivatives by the parameters.

        Degrees of freedom: `clusters.degrees_of_freedom` of the units' shares, each year's in proportion to its part of the variance.
        """
        parts = self.influences[:, : self.first] @ by[: self.first], self.influences[:, self.first :] @ by[self.first :]
        variances = np.array([float(part @ part) for part in parts])
        both = parts[0] + parts[1]
        weights = (variances / variances.sum()) @ self.shares if variances.sum() > 0 else self.shares.mean(axis=0)
        return float(np.sqrt(both @ both)), degrees_of_freedom(weights.tolist())


def unit_errors(
    responses: Sequence[NDArray[Any]], units: Sequence[NDArray[Any] | None], fits: tuple[irt.Fit, irt.Fit]
) -> tuple[Basis, tuple[int, int], UnitErrors | None]:
    """How people are taken, how many units are known in each year, and what they add.

    `responses`: (persons, items) of each year as they were fitted; `units`: the unit of each person of a year, the same numbers in both; a
    negative one: nobody knows, such people stand alone. Whoever was given nothing counts nowhere. Fewer than `FEWEST_CLUSTERS` known units
    in a year: people are strangers (None). Formula and source: the module's.
    """
    of_year = [np.full(len(x), -1) if u is None else np.asarray(u) for x, u in zip(responses, units, strict=True)]
    here = [~np.isnan(x).all(axis=1) for x in responses]
    of_year = [u[there] for u, there in zip(of_year, here, strict=True)]
    responses = [x[there] for x, there in zip(responses, here, strict=True)]
    known = len(np.unique(of_year[0][of_year[0] >= 0])), len(np.unique(of_year[1][of_year[1] >= 0]))
    if max(known) == 0:
        return "no_units", known, None
    if min(known) < FEWEST_CLUSTERS:
        return "too_few_units", known, None
    everybody = alone_apart(np.concatenate(of_year))
    places = everybody[: len(of_year[0])], everybody[len(of_year[0]) :]
    count = int(everybody.max()) + 1
    shares, influences = np.zeros((2, count)), []
    for year in (0, 1):
        shares[year] = np.bincount(places[year], minlength=count) / len(places[year])
        found = np.zeros((count, 2 * len(fits[year].a)))
        mine = unit_influences(responses[year], fits[year], places[year])
        found[: len(mine)] = mine
        influences.append(found / np.sqrt(1 - shares[year])[:, None])
    return "units", known, UnitErrors(np.hstack(influences), shares, influences[0].shape[1])


def join(fits: tuple[irt.Fit, irt.Fit], places: tuple[Any, Any]) -> Link:
    """The link of two fits through the items at these places: mean-mean of Rasch fits, else Stocking and Lord (see `linking`).

    Raises NoLink where the anchors are too few, not finite or of slopes that do not point the same way.
    """
    (base, new), (at_base, at_new) = fits, places
    found = mean_mean if base.model == "rasch" else stocking_lord
    try:
        return found(base.a[at_base], base.b[at_base], new.a[at_new], new.b[at_new])
    except ValueError as error:
        raise NoLink(str(error)) from error


class Ends:
    """The link of two fits with its derivatives by all parameters: (a, b) of the first, then (a, b) of the second.

    Raises NoLink where there is no link, or a parameter has no standard error.
    """

    def __init__(
        self,
        fits: tuple[irt.Fit, irt.Fit],
        places: tuple[NDArray[np.intp], NDArray[np.intp]],
        units: UnitErrors | None = None,
    ) -> None:
        self.fits, self.places, self.units = fits, places, units
        self.link = join(fits, places)
        self.items = len(fits[0].a), len(fits[1].a)
        sizes = [2 * count for count in self.items]
        self.covariance = np.zeros((sum(sizes), sum(sizes)))
        self.covariance[: sizes[0], : sizes[0]] = fits[0].covariance
        self.covariance[sizes[0] :, sizes[0] :] = fits[1].covariance
        if not np.isfinite(self.covariance).all():
            raise NoLink("the parameters of an item have no standard error")
        #: Places of the anchors' parameters among all: a and b of the first year, a and b of the second.
        start = sizes[0]
        self.of_anchors = (
            places[0],
            self.items[0] + places[0],
            start + places[1],
            start + self.items[1] + places[1],
        )
        self.by_link = self._link_derivatives()

    def zero(self) -> Floats:
        """(parameters of both years,) derivatives that are all 0, to be filled."""
        return np.zeros(len(self.covariance))

    def _link_derivatives(self) -> Floats:
        """(2, parameters): of slope and shift."""
        base, new = self.fits
        at_base, at_new = self.places
        a1, b1, a2, b2 = base.a[at_base], base.b[at_base], new.a[at_new], new.b[at_new]
        found = np.zeros((2, len(self.covariance)))
        if base.model == "rasch":
            slope, count = self.link.slope, len(a1)
            of_slope = (-slope / a1.sum() * np.ones(count), np.zeros(count), np.ones(count) / a1.sum(), np.zeros(count))
            of_shift = (
                -b2.mean() * of_slope[0],
                np.full(count, 1 / count),
                -b2.mean() * of_slope[2],
                np.full(count, -slope / count),
            )
            for where, one, other in zip(self.of_anchors, of_slope, of_shift, strict=True):
                found[0, where], found[1, where] = one, other
            return found
        # Stocking-Lord is where the slope of its loss is zero: implicit derivatives.
        inner, by_parameter = _loss_slopes(self.link, a1, b1, a2, b2)
        moved = -np.linalg.solve(inner, by_parameter)
        for part, where in enumerate(self.of_anchors):
            found[:, where] = moved[:, part * len(a1) : (part + 1) * len(a1)]
        return found


def _loss_slopes(link: Link, a1: Floats, b1: Floats, a2: Floats, b2: Floats) -> tuple[Floats, Floats]:
    """Second derivatives of Stocking and Lord's loss: by (slope, shift) twice, and by (slope, shift) and each of a1, b1, a2, b2.

    The loss is Σ w·g², g = Σ P(θ; a1, b1) − Σ P(θ; a2/A, A·b2 + B); the slope of it is differentiated by central differences.
    """
    theta = np.linspace(-4, 4, 161)
    weight = np.exp(-0.5 * theta**2)
    weight = weight / weight.sum()
    count = len(a1)

    def slope(x: Floats) -> Floats:
        at, shift = x[:2]
        one, two, three, four = x[2:].reshape(4, count)
        a, b = three / at, at * four + shift
        p = probabilities(theta, a, b)
        gap = probabilities(theta, one, two).sum(axis=1) - p.sum(axis=1)
        steep = p * (1 - p)
        # a(θ − b) = a2·((θ − B)/A − b2)
        by_slope = -(steep * three * (theta[:, None] - shift)).sum(axis=1) / at**2
        by_shift = -(steep * a).sum(axis=1)
        return np.array([-(weight * gap) @ by_slope, -(weight * gap) @ by_shift])

    at = np.concatenate([[link.slope, link.shift], a1, b1, a2, b2])
    step = 1e-5
    found = np.empty((2, len(at)))
    for k in range(len(at)):
        shifted = np.zeros(len(at))
        shifted[k] = step
        found[:, k] = (slope(at + shifted) - slope(at - shifted)) / (2 * step)
    return found[:, :2], found[:, 2:]


def movement_of(ends: Ends) -> float:
    """Variance by which the anchors moved beyond the people's error, on the first year's scale.

    The link's residuals r, less their mean, are about N(0, V + movement·RR′/A²): V is their covariance by the error of people as strangers,
    R their derivative by the second year's places, both through the link. (What people of a unit have in common in ability moves all
    anchors alike and leaves the residuals; what they have in common in single anchors counts as movement.) The SD of movement τ has the
    greatest restricted likelihood times τ: that factor keeps it off 0, where few anchors would claim to know that nothing moved. Source:
    Chung Y., Rabe-Hesketh S., Choi I. (2013), Statistics in Medicine 32, 4071-4089.
    """
    from scipy.optimize import minimize_scalar

    base, new = ends.fits
    b_base, b_new = base.b[ends.places[0]], new.b[ends.places[1]]
    count = len(b_base)
    rows = np.arange(count)
    by = -np.outer(b_new, ends.by_link[0]) - ends.by_link[1]
    by[rows, ends.of_anchors[1]] += 1
    by[rows, ends.of_anchors[3]] -= ends.link.slope
    # an orthonormal basis of what is left without the mean
    contrasts = np.linalg.svd(np.eye(count) - 1 / count)[0][:, : count - 1].T
    y = contrasts @ (b_base - ends.link.ability(b_new))
    by = contrasts @ by
    people = by @ ends.covariance @ by.T
    moved = by[:, ends.of_anchors[3]] / ends.link.slope
    moved = moved @ moved.T

    def unlikely(tau: float) -> float:
        covariance = people + tau**2 * moved
        return float(0.5 * (np.linalg.slogdet(covariance)[1] + y @ np.linalg.solve(covariance, y)) - np.log(tau))

    return float(minimize_scalar(unlikely, bounds=(1e-4, 3), method="bounded").x) ** 2


def errors_of(ends: Ends, movement: float, by: Floats) -> Errors:
    """The standard errors of a figure with derivatives g, `by` (parameters of both years,), by the delta method.

    Strangers √(g′Vg), V the covariance of both fits; units: `UnitErrors.of`, NaN where units do not serve; anchors √(movement·Σ(g_b/A)²)
    over the second year's anchor places, A the slope of the link, since an anchor that moves does so on the first year's scale. Source:
    Kolen & Brennan (2014), 7.3 (delta method); Bell & McCaffrey (2002) as in the module.
    """
    strangers = float(np.sqrt(by @ ends.covariance @ by))
    units, df = ends.units.of(by) if ends.units is not None else (float("nan"), float("nan"))
    # an anchor that moves does so on the first year's scale: by movement/A² on its own
    moved = by[ends.of_anchors[3]] / ends.link.slope
    return Errors(strangers, units, float(np.sqrt(movement * float(moved @ moved))), df)


def interval_of(ends: Ends, movement: float, value: float, by: Floats) -> Interval:
    """value ± t·√(people² + anchors²) with Student's t; the wider of people as strangers (their part counted as known) and by units.

    Degrees of freedom: (p² + a²)²/(p⁴/df_p + a⁴/(anchors − 1)), Satterthwaite F. E. (1946), Biometrics Bulletin 2, 110-114. Errors of 0 (a
    figure that no parameter moves): the value alone.
    """
    from scipy.special import stdtrit

    found, free = errors_of(ends, movement, by), len(ends.places[0]) - 1
    reach = 0.0
    for people, df_people in ((found.strangers, np.inf), (found.units, found.df_units)):
        whole = people**2 + found.anchors**2
        if np.isnan(people) or whole == 0:
            continue
        df = whole**2 / (people**4 / df_people + found.anchors**4 / free + 1e-300)
        reach = max(reach, float(stdtrit(min(df, 1e9), 0.975)) * float(np.sqrt(whole)))
    return Interval(value, value - reach, value + reach)


def pair_of(ends: Ends, movement: float, first: tuple[float, Floats], second: tuple[float, Floats]) -> Pair:
    """A figure of both years, each as (value, derivatives by all parameters), and the second less the first, all with `interval_of`.

    The difference has the difference of the derivatives, so what both years share cancels.
    """
    return Pair(
        interval_of(ends, movement, *first),
        interval_of(ends, movement, *second),
        interval_of(ends, movement, second[0] - first[0], second[1] - first[1]),
    )
