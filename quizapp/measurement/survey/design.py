"""How a sample was drawn, and what that makes of the variance of a total."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]


class SurveyRefused(ValueError):
    """No estimate: `code` is stable, `str()` says what is wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, eq=False)
class Design:
    """A drawn sample: the n rows of which something is known. Made by `make_design`."""

    #: (n,) people for whom each row stands; 0: the row keeps its place in the design and counts for nobody.
    weights: Numbers
    #: (n,) stratum of the first stage, 0 …
    strata: Codes
    #: One (n,) per stage: the unit drawn at that stage, 0 …, unique within all of the sample. The first are the first-stage units.
    stages: tuple[Codes, ...]
    #: One per stage: (n,) number of units from which the stage drew (in the stratum, in the unit above), or None: with replacement.
    populations: tuple[Numbers | None, ...]
    #: One per stage: (n,) number of units drawn in the stratum or unit above, heard of or not; none: as many as there are.
    drawn: tuple[Codes, ...] = ()
    #: Whether weights were given: they then stand for those who were drawn, and how many of them answered is chance, too.
    given: bool = False
    #: What the weights were fitted to: (n, m) indicators or values of the margins; the weights before; the weights that meet the margins,
    #: from which `weights` differ where they were trimmed. None: nothing.
    margins: Numbers | None = None
    base: Numbers | None = None
    fitted: Numbers | None = None

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """(n,) rows that count for somebody."""
        return self.weights > 0

    def first_stage_units(self, inside: NDArray[np.bool_] | None = None) -> int:
        """Number of first-stage units with a row that counts (inside a domain)."""
        rows = self.counted if inside is None else self.counted & inside
        return len(np.unique(self.stages[0][rows]))

    def degrees_of_freedom(self, inside: NDArray[np.bool_] | None = None) -> int:
        """First-stage units minus strata, of those with a row that counts (inside a domain), as R's degf of a subset."""
        rows = self.counted if inside is None else self.counted & inside
        return len(np.unique(self.stages[0][rows])) - len(np.unique(self.strata[rows]))

    def alone(self) -> int:
        """Strata and units in which one unit (or person) alone was heard of, of several drawn."""
        found, parents = 0, self.strata
        for number, units in enumerate(self.stages):
            drawn = _Stage.of(parents, units, None).drawn
            found += int(((drawn == 1) & (self._drawn(number, parents) > 1)).sum())
            parents = units
        return found

    def _left_to_chance(self, values: Numbers) -> Numbers:
        """(n,) weight · value, less what the margins explain of it."""
        weighted = self.weights * values
        if self.margins is None or self.base is None or self.fitted is None:
            return weighted
        root = np.sqrt(self.base)
        cut = np.divide(weighted, self.fitted, out=np.zeros_like(weighted), where=self.fitted != 0)
        line, *_ = np.linalg.lstsq(self.margins * root[:, None], cut * root, rcond=None)
        return np.asarray(self.fitted * (cut - self.margins @ line), np.float64)

    def fixes(self, values: Numbers) -> bool:
        """Whether Σ weight · value had to come out as it did: everybody was counted, or the margins explain each value.

        A variance of 0 alone does not say so: units that happen to be alike have it, too.
        """
        weighted = self._left_to_chance(values)
        scale = float(np.abs(self.weights * values).max())
        # where all have the same value nothing is said of anybody who was not counted
        matters = np.abs(weighted) > 1e-9 * scale if scale else self.counted
        parents = self.strata
        above = np.ones(int(parents.max()) + 1)
        for units, population in zip(self.stages, self.populations, strict=True):
            shape = _Stage.of(parents, units, population)
            if (above * (1 - shape.fraction) > 0)[parents[matters]].any():
                return False
            above = (above * shape.fraction)[shape.parent]
            parents = units
        return True

    def variance(self, values: Numbers) -> float:
        """The variance of Σ weight · value over the sample; `values` (n,), 0 outside a domain.

        Stage by stage: Σ over the parents p of (f above) · (1 − f_p) · n_p/(n_p − 1) · Σ (t_c − t̄_p)², t_c the weighted total of a unit c,
        f_p = n_p/N_p (0 with replacement). With weights that were fitted to margins, `values` is first replaced by its residual from
        the regression on the margins with the weights before, then weighted with the weights after. What was trimmed counts as a fixed
        factor of the value.

        Where several were drawn in a stratum or unit and one of them alone was heard of, its spread is taken from the others of the stage:
        with W_c the weights within c and u_c = t_c/W_c, the spread of the t is W_c² · Σ_p Σ (u_c − ū_p)² / Σ_p (n_p − 1).
        Where weights were given, nobody's was raised for those who did not answer, so that their number adds Σ_p (f above) ·
        (1/n_p − 1/m_p) · (Σ t_c)² for m_p drawn.

        Source: Cochran W. G. (1977), Sampling Techniques, 3rd ed., 5.5, 9A.7, 10.8; Särndal, Swensson & Wretman (1992), Model Assisted
        Survey Sampling, 4.3, 6.6, 15.6; Deville & Särndal (1992), JASA 87, 376-382. The same as R survey's svyrecvar. Raises SurveyRefused
        (lonely_psu) where the spread of a parent is needed and only one unit was drawn in it, or each has one unit alone.
        """
        weighted = self._left_to_chance(values)
        total = 0.0
        parents = self.strata
        above = np.ones(int(parents.max()) + 1)
        for number, (units, population) in enumerate(zip(self.stages, self.populations, strict=True)):
            shape = _Stage.of(parents, units, population)
            lonely = (shape.drawn == 1) & (shape.fraction < 1) & (above > 0)
            totals = np.bincount(units, weighted, minlength=len(shape.parent)).astype(np.float64)
            spread = shape.squares(totals) / np.maximum(shape.drawn - 1, 1)
            if lonely.any():
                alone = lonely & (self._drawn(number, parents) > 1)
                if (lonely & ~alone).any() or not (shape.drawn > 1).any():
                    raise _lonely(first_stage=number == 0, count=int(lonely.sum()))
                stands_for = np.bincount(units, self.weights, minlength=len(shape.parent)).astype(np.float64)
                spread = np.where(alone, shape.pooled(totals, stands_for), spread)
            total += float(np.sum(above * (1 - shape.fraction) * shape.drawn * spread))
            if self.given and self.drawn:
                of_all = np.bincount(shape.parent, totals, minlength=len(above)) ** 2
                total += float(np.sum(above * (1 / shape.drawn - 1 / self._drawn(number, parents)) * of_all))
            above = (above * shape.fraction)[shape.parent]
            if not above.any():
                break
            parents = units
        return total

    def _drawn(self, stage: int, parents: Codes) -> Numbers:
        """(parents,) units that were drawn in each parent, heard of or not; 1 where that was not told."""
        found = np.ones(int(parents.max()) + 1)
        if self.drawn:
            found[parents] = self.drawn[stage]
        return found


@dataclass(frozen=True, eq=False)
class _Stage:
    """One stage of a design: the parent of each unit, and per parent how many were drawn and what share that is."""

    parent: Codes
    drawn: Numbers
    fraction: Numbers

    @classmethod
    def of(cls, parents: Codes, units: Codes, population: Numbers | None) -> _Stage:
        parent = _parents(parents, units)
        count = int(parents.max()) + 1
        drawn = np.bincount(parent, minlength=count).astype(np.float64)
        if population is None:
            return cls(parent, drawn, np.zeros(count))
        size = np.ones(count)
        size[parents] = population
        return cls(parent, drawn, drawn / size)

    def squares(self, values: Numbers) -> Numbers:
        """(parents,) Σ (value − mean)² over the units of each parent."""
        count = len(self.drawn)
        means = np.bincount(self.parent, values, minlength=count) / self.drawn
        return np.asarray(np.bincount(self.parent, (values - means[self.parent]) ** 2, minlength=count), np.float64)

    def pooled(self, totals: Numbers, stands_for: Numbers) -> Numbers:
        """(parents,) the spread of a unit that is alone in its parent: that within the others, per person for whom a unit stands."""
        each = np.divide(totals, stands_for, out=np.zeros_like(totals), where=stands_for > 0)
        within = float(self.squares(each).sum() / (self.drawn - 1).sum())
        there = np.bincount(self.parent, stands_for, minlength=len(self.drawn))
        return np.asarray(there**2 * within, np.float64)


def _lonely(*, first_stage: bool, count: int) -> SurveyRefused:
    where = "strata" if first_stage else "units of the stage above"
    return SurveyRefused(
        "lonely_psu",
        f"a single unit was drawn in each of {count} {where}: its spread cannot be told. "
        "Join it with the one that is most like it before the estimate, and say so",
    )


def make_design(
    rows: int,
    *,
    weights: ArrayLike | None = None,
    strata: Sequence[Any] | None = None,
    clusters: Sequence[Sequence[Any]] = (),
    populations: Sequence[ArrayLike | None] = (),
    answered: ArrayLike | None = None,
) -> Design:
    """A design of `rows` drawn people.

    `strata`: (rows,) labels of the first stage. `clusters`: for each stage the (rows,) labels of its units; none: each row is a unit drawn
    by itself. Labels need be unique within the stratum or unit above only. `populations`: for each stage the (rows,) number of units from
    which it drew; None, or fewer than stages: with replacement; one more than `clusters`: the persons drawn within the last unit.
    `weights`: (rows,); none: the product of population/answered over the stages where all are known, else 1 for each row.

    `answered`: (rows,) of whom something is known: an answer, or that they are outside of the population. The others are no units: the
    design then has the n rows that are, in their order, and everything that is estimated from it is (n,). Who answered counts as drawn at
    random from those who were drawn in the same last unit (else stratum), a second phase: f of a stage is answered/population, not
    drawn/population; a first-stage unit in which nobody answered is as one that did not answer. Where the last stage took whole units and
    not everybody in them answered, a stage is added, people answered of people drawn.

    Source: Särndal, Swensson & Wretman (1992), 9.8 and 15.6 (response homogeneity groups: here the last units). Raises SurveyRefused:
    no_rows (also where nobody answered), bad_weight (another number of them, negative, not finite, all 0), bad_label (another number of
    strata or of a stage's units), bad_population (below what was drawn, different within a stratum or unit, or another number),
    weight_missing (populations of some stages only, and no weights).
    """
    heard = np.ones(rows, np.bool_) if answered is None else np.asarray(answered, np.bool_)
    if rows < 1 or not heard.any():
        raise SurveyRefused("no_rows", "nobody is in the sample" if rows < 1 else "nobody of the sample answered")
    if heard.shape != (rows,):
        raise ValueError("whether somebody answered is said of each row")
    labels = list(clusters)
    for name, column in (("strata", strata), *(("clusters", column) for column in labels)):
        if column is not None and len(column) != rows:
            raise SurveyRefused("bad_label", f"{name}: {len(column)} labels of {rows} rows")
    strata_codes = _codes([strata] if strata is not None else [np.zeros(rows)])
    if len(populations) > len(labels):
        labels.append(list(range(rows)))
    if len(populations) > len(labels):
        raise SurveyRefused("bad_population", "more population sizes than stages")
    stages: list[Codes] = []
    for stage in labels or [list(range(rows))]:
        stages.append(_codes([stages[-1] if stages else strata_codes, stage]))
    sizes = [None if population is None else np.asarray(population, np.float64) for population in populations]
    sizes += [None] * (len(stages) - len(sizes))
    for units, above, size in zip(stages, (strata_codes, *stages), sizes, strict=False):
        if size is not None:
            _check_population(above, units, size)
    if all(size is not None for size in sizes) and not heard[np.isin(stages[-1], stages[-1][heard])].all():
        sizes.append(np.bincount(stages[-1])[stages[-1]].astype(np.float64))
        stages.append(np.arange(rows, dtype=np.intp))
    drawn = tuple(
        np.bincount(_parents(above, units))[above]
        for units, above in zip(stages, (strata_codes, *stages), strict=False)
    )
    return _heard_of(heard, weights, strata_codes, stages, sizes, drawn)


def _heard_of(
    heard: NDArray[np.bool_],
    weights: ArrayLike | None,
    strata: Codes,
    stages: Sequence[Codes],
    sizes: Sequence[Numbers | None],
    drawn: Sequence[Codes],
) -> Design:
    """The design of the rows that were heard of."""
    strata, *units_of = (_codes([codes[heard]]) for codes in (strata, *stages))
    known = [None if size is None else size[heard] for size in sizes]
    if weights is None:
        if any(size is not None for size in sizes) and any(size is None for size in sizes):
            raise SurveyRefused("weight_missing", "population sizes of some stages only: name the column of weights")
        weighted = np.ones(int(heard.sum()))
        for units, above, size in zip(units_of, (strata, *units_of), known, strict=False):
            if size is not None:
                weighted *= size / np.bincount(_parents(above, units))[above]
    else:
        given = np.asarray(weights, np.float64)
        if given.shape != heard.shape:
            raise SurveyRefused("bad_weight", f"{given.size} weights of {len(heard)} rows")
        if not np.isfinite(given).all() or (given < 0).any() or not given.any():
            raise SurveyRefused("bad_weight", "a weight is missing, negative or not a number, or all are 0")
        weighted = given[heard]
    return Design(
        weighted, strata, tuple(units_of), tuple(known), tuple(one[heard] for one in drawn), weights is not None
    )


def _parents(above: Codes, units: Codes) -> Codes:
    """(units,) the stratum or unit above of each unit."""
    return above[np.unique(units, return_index=True)[1]]


def _codes(labels: Sequence[Iterable[Any]]) -> Codes:
    """(n,) numbers 0 … of the combinations of labels."""
    numbered = [np.unique(np.asarray(list(column)), return_inverse=True)[1] for column in labels]
    if len(numbered) == 1:
        return numbered[0].astype(np.intp)
    _, codes = np.unique(np.column_stack(numbered), axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.intp)


def _check_population(parents: Codes, units: Codes, population: Numbers) -> None:
    """Raise SurveyRefused where the sizes of a stage cannot be those from which it drew."""
    if population.shape != parents.shape:
        raise SurveyRefused("bad_population", f"{population.size} population sizes of {len(parents)} rows")
    if not np.isfinite(population).all():
        raise SurveyRefused("bad_population", "a population size is missing or no number")
    highest = np.full(int(parents.max()) + 1, -np.inf)
    lowest = np.full(int(parents.max()) + 1, np.inf)
    np.maximum.at(highest, parents, population)
    np.minimum.at(lowest, parents, population)
    if (highest != lowest).any():
        raise SurveyRefused("bad_population", "a population size differs within a stratum or unit")
    if (highest < np.bincount(_parents(parents, units), minlength=len(highest))).any():
        raise SurveyRefused("bad_population", "a population size is smaller than the number that was drawn from it")
