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
    """A drawn sample of n rows. Made by `make_design`."""

    #: (n,) people for whom each row stands; 0: the row keeps its place in the design and counts for nobody.
    weights: Numbers
    #: (n,) stratum of the first stage, 0 …
    strata: Codes
    #: One (n,) per stage: the unit drawn at that stage, 0 …, unique within all of the sample. The first are the first-stage units.
    stages: tuple[Codes, ...]
    #: One per stage: (n,) number of units from which the stage drew (in the stratum, in the unit above), or None: with replacement.
    populations: tuple[Numbers | None, ...]
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

        Source: Cochran W. G. (1977), Sampling Techniques, 3rd ed., 5.5, 9A.7, 10.8; Särndal, Swensson & Wretman (1992), Model Assisted
        Survey Sampling, 4.3 and 6.6; Deville & Särndal (1992), JASA 87, 376-382. The same as R survey's svyrecvar. Raises SurveyRefused
        (lonely_psu) where the spread of a parent is needed and only one unit was drawn in it.
        """
        weighted = self._left_to_chance(values)
        total = 0.0
        parents = self.strata
        above = np.ones(int(parents.max()) + 1)
        for units, population in zip(self.stages, self.populations, strict=True):
            shape = _Stage.of(parents, units, population)
            lonely = (shape.drawn == 1) & (shape.fraction < 1) & (above > 0)
            if lonely.any():
                raise _lonely(first_stage=parents is self.strata, count=int(lonely.sum()))
            totals = np.bincount(units, weighted, minlength=len(shape.parent))
            means = np.bincount(shape.parent, totals, minlength=len(above)) / shape.drawn
            squares = np.bincount(shape.parent, (totals - means[shape.parent]) ** 2, minlength=len(above))
            scale = shape.drawn / np.maximum(shape.drawn - 1, 1)
            total += float(np.sum(above * (1 - shape.fraction) * scale * squares))
            above = (above * shape.fraction)[shape.parent]
            if not above.any():
                break
            parents = units
        return total


@dataclass(frozen=True, eq=False)
class _Stage:
    """One stage of a design: the parent of each unit, and per parent how many were drawn and what share that is."""

    parent: Codes
    drawn: Numbers
    fraction: Numbers

    @classmethod
    def of(cls, parents: Codes, units: Codes, population: Numbers | None) -> _Stage:
        _, first = np.unique(units, return_index=True)
        parent = parents[first]
        count = int(parents.max()) + 1
        drawn = np.bincount(parent, minlength=count).astype(np.float64)
        if population is None:
            return cls(parent, drawn, np.zeros(count))
        size = np.ones(count)
        size[parents] = population
        return cls(parent, drawn, drawn / size)


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
) -> Design:
    """A design of `rows` respondents.

    `strata`: (n,) labels of the first stage. `clusters`: for each stage the (n,) labels of its units; none: each row is a unit drawn by
    itself. Labels need be unique within the stratum or unit above only. `populations`: for each stage the (n,) number of units from
    which it drew; None, or fewer than stages: with replacement; one more than `clusters`: the persons drawn within the last unit.
    `weights`: (n,); none: the product of population/drawn over the stages where all are known, else 1 for each row.

    Raises SurveyRefused: no_rows, bad_weight (negative, not finite, all 0), bad_population (below what was drawn, or different within a
    stratum or unit), weight_missing (populations of some stages only, and no weights).
    """
    if rows < 1:
        raise SurveyRefused("no_rows", "nobody is in the sample")
    strata_codes = _codes([strata] if strata is not None else [np.zeros(rows)])
    labels = list(clusters)
    if len(populations) > len(labels):
        labels.append(list(range(rows)))
    if len(populations) > len(labels):
        raise SurveyRefused("bad_population", "more population sizes than stages")
    stages: list[Codes] = []
    for stage in labels or [list(range(rows))]:
        stages.append(_codes([stages[-1] if stages else strata_codes, stage]))
    sizes = [None if population is None else np.asarray(population, np.float64) for population in populations]
    sizes += [None] * (len(stages) - len(sizes))
    ratio = np.ones(rows)
    parents = strata_codes
    for units, size in zip(stages, sizes, strict=True):
        if size is not None:
            ratio *= _expansion(parents, units, size)
        parents = units
    if weights is None:
        if any(size is not None for size in sizes) and any(size is None for size in sizes):
            raise SurveyRefused("weight_missing", "population sizes of some stages only: name the column of weights")
        weighted = ratio
    else:
        weighted = np.asarray(weights, np.float64)
        if not np.isfinite(weighted).all() or (weighted < 0).any() or not weighted.any():
            raise SurveyRefused("bad_weight", "a weight is missing, negative or not a number, or all are 0")
    return Design(weighted, strata_codes, tuple(stages), tuple(sizes))


def _codes(labels: Sequence[Iterable[Any]]) -> Codes:
    """(n,) numbers 0 … of the combinations of labels."""
    numbered = [np.unique(np.asarray(list(column)), return_inverse=True)[1] for column in labels]
    if len(numbered) == 1:
        return numbered[0].astype(np.intp)
    _, codes = np.unique(np.column_stack(numbered), axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.intp)


def _expansion(parents: Codes, units: Codes, population: Numbers) -> Numbers:
    """(n,) population/drawn of a stage, each row's."""
    if not np.isfinite(population).all():
        raise SurveyRefused("bad_population", "a population size is missing or no number")
    highest = np.full(int(parents.max()) + 1, -np.inf)
    lowest = np.full(int(parents.max()) + 1, np.inf)
    np.maximum.at(highest, parents, population)
    np.minimum.at(lowest, parents, population)
    drawn = _Stage.of(parents, units, None).drawn
    if (highest != lowest).any():
        raise SurveyRefused("bad_population", "a population size differs within a stratum or unit")
    if (highest < drawn).any():
        raise SurveyRefused("bad_population", "a population size is smaller than the number that was drawn from it")
    return population / drawn[parents]
