"""Two years on one scale: how much more the takers of a second test know than those of a first, through the items that both had.

Each year is fitted alone, with ability N(0, 1) in its own people; the common items (anchors) link the two (`linking`), so that on the
first year's scale the first year has mean 0 and SD 1, the second mean B and SD A. An anchor that changed between the years (was practised,
grew old) is left out by a rule and the link made anew.

Errors (`year_errors`). (1) People: the covariance of all item parameters of both fits, carried by the delta method through the link to
each figure (Ogasawara H. 2000, Economic Review, Otaru 51(1), 1-23; 2001, Applied Psychological Measurement 25, 53-67). Where the units of
people are known, that of unit sums in its place, since people of one unit are alike. (2) Anchors: they are a sample
of the items that could be common, and each may have moved a little. The variance of that movement is estimated from what the residuals
vary more than the people's error explains (`movement_of`); it acts on the figures as on each anchor's place in the second year. With few
anchors this is the larger part (Monseur C., Berezner A. 2007, J. Applied Measurement 8, 323-335). The interval is that of Student's t
with Satterthwaite's degrees of freedom; it is never narrower than that of people who are strangers, whose part is counted as known.

Without units people of one year are taken to be independent of one another and of the other year's: who took both makes the interval too
wide, people of one unit make it too narrow. Nothing here corrects for who chose to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement import irt
from quizapp.measurement.floors import FEWEST, FEWEST_OF_EACH, anchors_needed
from quizapp.measurement.form_scores import Form, FormScore, form_scores
from quizapp.measurement.irt_curves import Floats
from quizapp.measurement.linking import Link, drift
from quizapp.measurement.year_errors import (
    FEW_UNITS,
    Basis,
    Ends,
    Interval,
    NoLink,
    Pair,
    errors_of,
    interval_of,
    join,
    movement_of,
    pair_of,
    unit_errors,
)

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


@dataclass(frozen=True)
class Year:
    """The answers of one year: (persons, items), 1/0, NaN = not given; `items` names the columns."""

    responses: NDArray[Any]
    items: Sequence[str]
    #: The unit of each person, (persons,), whole numbers that mean the same unit in both years; negative: not known. None: none is known.
    units: NDArray[Any] | None = None


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
    #: Standard error of the difference in level: by people alone, by people as if they were strangers, by anchors alone.
    se_people: float
    se_strangers: float
    se_anchors: float
    #: How people are taken, how many units of each year are known, and the degrees of freedom of the part by units (NaN without).
    basis: Basis
    units: tuple[int, int]
    df_units: float
    #: People and items that went into each fit.
    people: tuple[int, int]
    items: tuple[int, int]

    @property
    def used(self) -> int:
        """Anchors that make the link."""
        return sum(not anchor.drifted for anchor in self.anchors)

    @property
    def few_units(self) -> bool:
        """Whether the error by units comes from so few of them, or so few large ones, that it is rough."""
        return self.basis == "units" and self.df_units < FEW_UNITS - 1


def calibrated_items(year: Year, model: irt.Model = "rasch") -> NDArray[np.bool_]:
    """(items,) which carry a parameter by the rules of `irt.check_data`: enough people given it (not NaN), right and wrong answers."""
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
        Year(year.responses[:, which], [name for name, one in zip(year.items, which, strict=True) if one], year.units)
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
    basis, known, units = unit_errors([year.responses for year in years], [year.units for year in years], fits)
    ends = Ends(fits, (places[0][stay], places[1][stay]), units)
    return _compared(ends, anchors, _renumbered(forms, kept[0]), basis, known)


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


def _anchors(
    fits: tuple[irt.Fit, irt.Fit], names: Sequence[str], places: tuple[Any, Any]
) -> tuple[list[Anchor], NDArray[np.bool_]]:
    """Every common item, and which of them stay: those that moved far are left out once, and the link is made anew."""
    base, new = fits
    a, b_base, b_new = base.a[places[0]], base.b[places[0]], new.b[places[1]]
    link = join(fits, places)
    off = drift(link, b_base, b_new)
    moved = a * (off.residual - np.median(off.residual))
    chance = np.hypot(base.se_b[places[0]], link.slope * new.se_b[places[1]])
    with np.errstate(invalid="ignore"):
        gone = (np.abs(off.robust_z) > DRIFT_Z) & (np.abs(moved) > DRIFT_LOGITS)
        gone &= np.abs(off.residual - np.median(off.residual)) > DRIFT_ERRORS * chance
    if gone.any() and int((~gone).sum()) >= 2:
        link = join(fits, (places[0][~gone], places[1][~gone]))
        off_now = b_base - link.ability(b_new)
        moved = a * (off_now - np.median(off_now[~gone]))
    found = zip(names, b_base, link.ability(b_new), moved, off.robust_z, gone, strict=True)
    anchors = [Anchor(name, float(x), float(y), float(m), float(z), bool(out)) for name, x, y, m, z, out in found]
    return anchors, ~gone


def _renumbered(forms: Sequence[Form], kept: NDArray[np.bool_]) -> list[Form]:
    """The forms all of whose items are calibrated, in places of the items that are left."""
    new_place = np.cumsum(kept) - 1
    return [Form(new_place[form.items], form.points, form.pass_points) for form in forms if kept[form.items].all()]


def _compared(
    ends: Ends, anchors: list[Anchor], forms: list[Form], basis: Basis, known: tuple[int, int]
) -> YearComparison:
    base, new = ends.fits
    link, zero = ends.link, ends.zero
    movement = movement_of(ends)

    # Each figure: its value, its derivatives by all parameters.
    middle = zero()
    middle[ends.of_anchors[1]] = 1 / len(ends.places[0])
    origin = float(base.b[ends.places[0]].mean())
    level = pair_of(ends, movement, (-origin, -middle), (link.shift - origin, ends.by_link[1] - middle))
    errors = errors_of(ends, movement, ends.by_link[1])
    score = passing = None
    if forms:
        first = [form_scores(form, base.a, base.b, 0.0, 1.0) for form in forms]
        second = [form_scores(form, base.a, base.b, link.shift, link.slope) for form in forms]
        score, passing = (
            pair_of(
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
        spread=interval_of(ends, movement, link.slope, ends.by_link[0]),
        score=score,
        passing=passing,
        forms=len(forms),
        movement=float(np.sqrt(movement)),
        se_people=errors.people,
        se_strangers=errors.strangers,
        se_anchors=errors.anchors,
        basis=basis,
        units=known,
        df_units=errors.df_units,
        people=(base.respondents, new.respondents),
        items=ends.items,
    )


def _mean(ends: Ends, scores: Sequence[FormScore], linked: bool) -> tuple[float, Floats]:
    """The mean over the forms, with its derivatives; `linked` where the people's mean and SD are the link's."""
    items, found = ends.items[0], ends.zero()
    for score in scores:
        found[:items] += score.by_a
        found[items : 2 * items] += score.by_b
        if linked:
            found += score.by_mean * ends.by_link[1] + score.by_sd * ends.by_link[0]
    return float(np.mean([score.value for score in scores])), found / len(scores)


__all__ = [
    "Anchor",
    "Form",
    "Interval",
    "NoLink",
    "Pair",
    "TooFewAnchors",
    "Year",
    "YearComparison",
    "calibrated_items",
    "compare_years",
]
