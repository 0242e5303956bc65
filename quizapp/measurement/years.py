"""Two years on one scale: how much more the takers of a second test know than those of a first, through the items that both had.

Each year is fitted alone, with ability N(0, 1) in its own people; the common items (anchors) link the two (`linking`), so that on the
first year's scale the first year has mean 0 and SD 1, the second mean B and SD A. An anchor that changed between the years (was practised,
grew old) is left out by a rule and the link made anew.

Errors. (1) People: the covariance of all item parameters of both fits, carried by the delta method through the link to each figure
(Ogasawara H. 2000, Economic Review, Otaru 51(1), 1-23; 2001, Applied Psychological Measurement 25, 53-67). (2) Anchors: they are a sample
of the items that could be common, and each may have moved a little. The variance of that movement is estimated from what the residuals
vary more than the people's error explains (`_movement`); it acts on the figures as on each anchor's place in the second year. With few
anchors this is the larger part (Monseur C., Berezner A. 2007, J. Applied Measurement 8, 323-335). The interval is that of Student's t
with Satterthwaite's degrees of freedom, the people's part counted as known.

People of one year are taken to be independent of one another and of the other year's; who took both makes the interval too wide rather than
too narrow. Nothing here corrects for who chose to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement import irt
from quizapp.measurement.floors import FEWEST, FEWEST_OF_EACH, anchors_needed
from quizapp.measurement.form_scores import Form, FormScore, form_scores
from quizapp.measurement.irt_curves import Floats, probabilities
from quizapp.measurement.linking import Link, drift, mean_mean, stocking_lord

#: An anchor is left out when its robust z lies beyond this, about one and a half interquartile ranges outside of the quartiles (Tukey J. W.
#: 1977, Exploratory Data Analysis, ch. 2) …
DRIFT_Z: Final = 2.7
#: … it moved by more than this in logits, which matters (Miller G. E., Rotou O., Twing J. S. 2004, J. Applied Measurement 5, 172-177) …
DRIFT_LOGITS: Final = 0.3
#: … and by more than so many of its own standard errors, so that no item is accused for having been answered by few.
DRIFT_ERRORS: Final = 1.96


class TooFewAnchors(ValueError):
    """Fewer common items than needed: `found`, `needed`, and how many more there were before those that drifted went."""

    code = "too_few_anchors"

    def __init__(self, found: int, needed: int, drifted: int = 0) -> None:
        super().__init__(f"{found} common items, at least {needed} are needed")
        self.found, self.needed, self.drifted = found, needed, drifted


class NoLink(ValueError):
    """The anchors do not join the scales, or the parameters have no error."""

    code = "no_link"


@dataclass(frozen=True)
class Year:
    """The answers of one year: (persons, items), 1/0, NaN = not given; `items` names the columns."""

    responses: NDArray[Any]
    items: Sequence[str]


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


@dataclass(frozen=True)
class Anchor:
    """A common item: places in both years on the first year's scale (`place`), how far apart, and whether it was left out."""

    item: str
    place_first: float
    place_second: float
    #: a · (place in the first year − in the second year, less the median of that): logits by which it became easier (+) or harder (−).
    moved: float
    #: NaN where the anchors do not vary.
    robust_z: float
    drifted: bool


@dataclass(frozen=True)
class YearComparison:
    """What `compare_years` finds. Abilities are in SDs of the first year's people."""

    model: irt.Model
    link: Link
    anchors: Sequence[Anchor]
    #: Mean ability less the mean place of the anchors: only against something fixed has a year an error of its own.
    level: Pair
    #: The second year's SD of ability, the first year's being 1.
    spread: Interval
    #: Of the first year's forms: expected share of the points, share that passes. None where no form has all its items calibrated.
    score: Pair | None
    passing: Pair | None
    #: Forms that these are the mean of.
    forms: int
    #: SD by which anchors moved beyond chance, in units of ability.
    movement: float
    #: Standard error of the difference in level: by people alone, by anchors alone.
    se_people: float
    se_anchors: float
    #: People and items that went into each fit.
    people: tuple[int, int]
    items: tuple[int, int]

    @property
    def used(self) -> int:
        """Anchors that make the link."""
        return sum(not anchor.drifted for anchor in self.anchors)


def calibrated_items(year: Year, model: irt.Model = "rasch") -> NDArray[np.bool_]:
    """Which items carry a parameter by the rules of `irt.check_data`: enough people, enough right and wrong answers."""
    given = ~np.isnan(year.responses)
    n = given.sum(axis=0)
    right = np.where(given, year.responses, 0).sum(axis=0)
    return np.asarray((n >= FEWEST[model]) & (np.minimum(right, n - right) >= FEWEST_OF_EACH))


def compare_years(first: Year, second: Year, forms: Sequence[Form], *, length: int) -> YearComparison:
    """Put both years on the first one's scale. `forms` are the first year's papers, in places of `first.items`.

    `length` is the number of items that a taker answers (the longer of both tests); it sets how many anchors are needed. Items that do
    not carry a parameter (`calibrated_items`) are left out. The 2PL where every item that is left has the data for it and it
    has a maximum, else Rasch. Raises irt.TooFewData where a year has too few people or items, TooFewAnchors, NoLink, irt.NotConverged.
    """
    kept = calibrated_items(first), calibrated_items(second)
    years = tuple(
        Year(year.responses[:, which], [name for name, one in zip(year.items, which, strict=True) if one])
        for year, which in zip((first, second), kept, strict=True)
    )
    needed = anchors_needed(length)
    common = [name for name in years[0].items if name in set(years[1].items)]
    if len(common) < needed:
        for year in (first, second):
            _check_people(year)
        raise TooFewAnchors(len(common), needed)
    fits = _fits(years)
    places = (np.array([years[0].items.index(n) for n in common]), np.array([years[1].items.index(n) for n in common]))
    anchors, stay = _anchors(fits, common, places)
    if int(stay.sum()) < needed:
        raise TooFewAnchors(int(stay.sum()), needed, int((~stay).sum()))
    ends = _Ends(fits, (places[0][stay], places[1][stay]))
    return _compared(ends, anchors, _renumbered(forms, kept[0]))


def _check_people(year: Year) -> None:
    most = int((~np.isnan(year.responses)).sum(axis=0).max(initial=0))
    if most < FEWEST["rasch"]:
        message = f"at most {most} people for an item, at least {FEWEST['rasch']} are needed"
        raise irt.TooFewData("too_few_respondents", message, found=most, needed=FEWEST["rasch"])


def _fits(years: Sequence[Year]) -> tuple[irt.Fit, irt.Fit]:
    if all(calibrated_items(year, "2pl").all() for year in years):
        try:
            return irt.fit(years[0].responses, "2pl"), irt.fit(years[1].responses, "2pl")
        except (irt.NotConverged, irt.TooFewData):
            pass
    return irt.fit(years[0].responses, "rasch"), irt.fit(years[1].responses, "rasch")


def _join(fits: tuple[irt.Fit, irt.Fit], places: tuple[Any, Any]) -> Link:
    (base, new), (at_base, at_new) = fits, places
    join = mean_mean if base.model == "rasch" else stocking_lord
    try:
        return join(base.a[at_base], base.b[at_base], new.a[at_new], new.b[at_new])
    except ValueError as error:
        raise NoLink(str(error)) from error


def _anchors(
    fits: tuple[irt.Fit, irt.Fit], names: Sequence[str], places: tuple[Any, Any]
) -> tuple[list[Anchor], NDArray[np.bool_]]:
    """Every common item, and which of them stay: those that moved far are left out once, and the link is made anew."""
    base, new = fits
    a, b_base, b_new = base.a[places[0]], base.b[places[0]], new.b[places[1]]
    link = _join(fits, places)
    off = drift(link, b_base, b_new)
    moved = a * (off.residual - np.median(off.residual))
    chance = np.hypot(base.se_b[places[0]], link.slope * new.se_b[places[1]])
    with np.errstate(invalid="ignore"):
        gone = (np.abs(off.robust_z) > DRIFT_Z) & (np.abs(moved) > DRIFT_LOGITS)
        gone &= np.abs(off.residual - np.median(off.residual)) > DRIFT_ERRORS * chance
    if gone.any() and int((~gone).sum()) >= 2:
        link = _join(fits, (places[0][~gone], places[1][~gone]))
        off_now = b_base - link.ability(b_new)
        moved = a * (off_now - np.median(off_now[~gone]))
    found = zip(names, b_base, link.ability(b_new), moved, off.robust_z, gone, strict=True)
    anchors = [Anchor(name, float(x), float(y), float(m), float(z), bool(out)) for name, x, y, m, z, out in found]
    return anchors, ~gone


def _renumbered(forms: Sequence[Form], kept: NDArray[np.bool_]) -> list[Form]:
    """The forms all of whose items are calibrated, in places of the items that are left."""
    new_place = np.cumsum(kept) - 1
    return [Form(new_place[form.items], form.points, form.pass_points) for form in forms if kept[form.items].all()]


class _Ends:
    """The link of two fits with its derivatives by all parameters: (a, b) of the first, then (a, b) of the second."""

    def __init__(self, fits: tuple[irt.Fit, irt.Fit], places: tuple[NDArray[np.intp], NDArray[np.intp]]) -> None:
        self.fits, self.places = fits, places
        self.link = _join(fits, places)
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


def _compared(ends: _Ends, anchors: list[Anchor], forms: list[Form]) -> YearComparison:
    base, new = ends.fits
    link, zero = ends.link, ends.zero
    movement = _movement(ends)

    # Each figure: its value, its derivatives by all parameters.
    middle = zero()
    middle[ends.of_anchors[1]] = 1 / len(ends.places[0])
    origin = float(base.b[ends.places[0]].mean())
    level = _pair(ends, movement, (-origin, -middle), (link.shift - origin, ends.by_link[1] - middle))
    _, people, by_anchors = _errors(ends, movement, ends.by_link[1])
    score = passing = None
    if forms:
        first = [form_scores(form, base.a, base.b, 0.0, 1.0) for form in forms]
        second = [form_scores(form, base.a, base.b, link.shift, link.slope) for form in forms]
        score, passing = (
            _pair(
                ends,
                movement,
                _mean(ends, [f[side] for f in first], False),
                _mean(ends, [s[side] for s in second], True),
            )
            for side in (0, 1)
        )
    return YearComparison(
        model=base.model,
        link=link,
        anchors=anchors,
        level=level,
        spread=_interval(ends, movement, link.slope, ends.by_link[0]),
        score=score,
        passing=passing,
        forms=len(forms),
        movement=float(np.sqrt(movement)),
        se_people=people,
        se_anchors=by_anchors,
        people=(base.respondents, new.respondents),
        items=ends.items,
    )


def _mean(ends: _Ends, scores: Sequence[FormScore], linked: bool) -> tuple[float, Floats]:
    """The mean over the forms, with its derivatives; `linked` where the people's mean and SD are the link's."""
    items, found = ends.items[0], ends.zero()
    for score in scores:
        found[:items] += score.by_a
        found[items : 2 * items] += score.by_b
        if linked:
            found += score.by_mean * ends.by_link[1] + score.by_sd * ends.by_link[0]
    return float(np.mean([score.value for score in scores])), found / len(scores)


def _movement(ends: _Ends) -> float:
    """Variance by which the anchors moved beyond the people's error, on the first year's scale.

    The link's residuals r, less their mean, are about N(0, V + movement·RR′/A²): V is their covariance by people's error, R their
    derivative by the second year's places, both through the link. The SD of movement τ has the greatest restricted likelihood times τ:
    that factor keeps it off 0, where few anchors would claim to know that nothing moved. Source: Chung Y., Rabe-Hesketh S., Choi I.
    (2013), Statistics in Medicine 32, 4071-4089.
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


def _errors(ends: _Ends, movement: float, by: Floats) -> tuple[float, float, float]:
    """Degrees of freedom, standard error by people, standard error by anchors of a figure with these derivatives."""
    people = float(by @ ends.covariance @ by)
    # an anchor that moves does so on the first year's scale: by movement/A² on its own
    moved = by[ends.of_anchors[3]] / ends.link.slope
    by_anchors = movement * float(moved @ moved)
    free = len(ends.places[0]) - 1
    whole = people + by_anchors
    df = free * (whole / by_anchors) ** 2 if by_anchors > 0 else np.inf
    return float(df), float(np.sqrt(people)), float(np.sqrt(by_anchors))


def _interval(ends: _Ends, movement: float, value: float, by: Floats) -> Interval:
    from scipy.special import stdtrit

    df, people, by_anchors = _errors(ends, movement, by)
    reach = float(stdtrit(min(df, 1e9), 0.975)) * float(np.hypot(people, by_anchors))
    return Interval(value, value - reach, value + reach)


def _pair(ends: _Ends, movement: float, first: tuple[float, Floats], second: tuple[float, Floats]) -> Pair:
    return Pair(
        _interval(ends, movement, *first),
        _interval(ends, movement, *second),
        _interval(ends, movement, second[0] - first[0], second[1] - first[1]),
    )
