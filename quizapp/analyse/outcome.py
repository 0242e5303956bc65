"""What a sample says of each person: the outcome, whether there is one, whose counts, and that all scores are of one standard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quizapp.analyse.design_file import OUTSIDE, DesignFile
from quizapp.analyse.refusals import Refused
from quizapp.analyse.sample import Sample
from quizapp.measurement.survey import SurveyRefused
from quizapp.measurement.survey.standards import ADULT, STANDARDS, Standard, one_standard, standard_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How programs write that there is no outcome (R, pandas, SPSS, SQL), in small letters.
NO_OUTCOME = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "."})
#: A column of this name says by which standard a score was given, without being named.
STANDARD_COLUMN = "standard"
#: A column of such a name says how old people are, without being named.
AGE_COLUMNS = ("age", "年龄")
#: Nobody is older; a number from FIRST_YEAR on is the year in which somebody was born.
MOST_YEARS, FIRST_YEAR = 120, 1850


def outcome_of(sample: Sample, file: DesignFile) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    """(n,) the outcome as numbers, (n,) whether there is one, and what should be known of it. Raises Refused."""
    warnings: list[str] = []
    cells = sample.column(file.outcome, "outcome")
    counted = np.array([not missing(cell, file.success) for cell in cells])
    if file.success is not None:
        values = np.array([_same(cell, file.success) for cell in cells], dtype=np.float64)
        _tell_others(cells, file, values, counted, warnings)
    else:
        values = np.nan_to_num(np.array(sample.numbers(file.outcome, "outcome", missing=missing)))
        if file.standard is not None:
            _check_scores(sample, file, file.standard, values)
        if file.at_least is not None:
            values = (values >= file.at_least).astype(np.float64)
        elif file.statistic == "rate" and not np.isin(values[counted], (0.0, 1.0)).all():
            raise Refused("bad_design", 'the outcome is not 0 and 1: name success, at_least, or statistic = "mean"')
    _check_standards(sample, file, counted, warnings)
    if not counted.all():
        warnings.append(
            f"{int((~counted).sum())} without an outcome are left out: those who answered stand for the others drawn with them; "
            "whoever stays away may differ"
        )
    return values, counted, warnings


def missing(cell: str, success: str | None = None) -> bool:
    """Whether a cell says that there is no outcome, as programs write it; what the design counts is never missing."""
    return cell.casefold() in NO_OUTCOME and cell != success


def _tell_others(
    cells: list[str],
    file: DesignFile,
    values: NDArray[np.float64],
    counted: NDArray[np.bool_],
    warnings: list[str],
) -> None:
    """What counts as "has it not": more than one such value is told; the wanted one in other letters is refused."""
    others = Counter(cell for cell, has, kept in zip(cells, values, counted, strict=True) if kept and not has)
    wanted = str(file.success)
    if alike := [value for value in others if value.casefold() == wanted.casefold()]:
        raise Refused(
            "success_spelled_twice",
            f"the column {file.outcome} has {wanted!r} and {alike[0]!r}: write one of them throughout",
        )
    listed = ", ".join(f"{value!r} ({n})" for value, n in others.most_common(5)) + (", …" if len(others) > 5 else "")
    if others and not values[counted].any():
        warnings.append(f"nobody has {wanted!r} in the column {file.outcome}: {listed}")
    elif len(others) > 1:
        warnings.append(f"all of these count as not {wanted!r}: {listed}")


def _check_scores(sample: Sample, file: DesignFile, standard: Standard, values: NDArray[np.float64]) -> None:
    """Scores by a standard lie on its scale. Raises Refused."""
    most = standard.points
    outside = np.flatnonzero((values < 0) | (values > most))
    if len(outside):
        row = int(outside[0])
        raise Refused(
            "score_out_of_range",
            f"line {sample.lines[row]}, column {file.outcome}: {values[row]:g} is no score of {standard.code}, "
            f"which goes from 0 to {most}; {len(outside)} rows are outside",
        )


def _check_standards(sample: Sample, file: DesignFile, counted: NDArray[np.bool_], warnings: list[str]) -> None:
    """The scores are of one standard, and of the one that is named. Raises Refused.

    Every column is looked at, whatever it is called: none may hold the names of both standards, and one that holds names of standards and
    nothing else says by which the scores are. Of a column called "standard", beside a standard that is named, every cell must be one.
    """
    named = file.standard_column
    if named is None:
        named = next((column for column in sample.columns if column.casefold() == STANDARD_COLUMN), None)
    if file.standard_column is not None:
        sample.column(file.standard_column, "standard_column")
    said = False
    for name, cells in sample.columns.items():
        codes = {standard_code(cell) for cell in {cell for cell, kept in zip(cells, counted, strict=True) if kept}}
        found = codes & STANDARDS.keys()
        of_scores = file.standard is not None and (name == named or codes - {""} == found != set())
        if not of_scores and len(found) < 2:
            continue  # the column is about something else
        said = True
        try:
            given = one_standard(codes if name == named and file.standard is not None else found)
        except SurveyRefused as refusal:
            raise Refused(refusal.code, f"column {name}: {refusal}") from refusal
        if file.standard is not None and given != file.standard:
            message = f"column {name}: the scores are of {given.code}, the design names {file.standard.code}"
            raise Refused("standards_mixed", message)
    if file.standard is not None and not said:
        warnings.append(
            f"no column says by which test the scores are: all are taken as of {file.standard.code} "
            f"(standard_column, or a column {STANDARD_COLUMN!r}, would be checked)"
        )


def _same(cell: str, wanted: str) -> bool:
    if cell == wanted:
        return True
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False


@dataclass(frozen=True, eq=False)
class Belonging:
    """(n,) of each row: whether it stands in the rate, and whether it is known to be outside of the population."""

    counts: NDArray[np.bool_]
    outside: NDArray[np.bool_]


def belonging_of(sample: Sample, file: DesignFile, warnings: list[str]) -> Belonging:
    """Who belongs to the population: everybody; with ages, those of 18 and above; not whom `disposition` says to be ineligible.

    Margins are then those of adults. Raises Refused: bad_age, no_column.
    """
    counts, minors = _adults(sample, file, warnings)
    if file.disposition is None:
        return Belonging(counts, minors)
    said = [cell.casefold() == OUTSIDE for cell in sample.column(file.disposition, "disposition")]
    ineligible = np.array(said, dtype=np.bool_)
    if ineligible.any():
        warnings.append(f"{int(ineligible.sum())} are ineligible: they stay in the design and count for nobody")
    return Belonging(counts & ~ineligible, minors | ineligible)


def _adults(sample: Sample, file: DesignFile, warnings: list[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) who stands in the rate by age, and who is younger than 18.

    Where no column of ages is named, one called age is looked at beside a score from which people are literate: only those whom it says
    to be younger do not count, unless adults_only = false says that the rate is of all ages.
    """
    everybody, nobody = np.ones(sample.rows, dtype=np.bool_), np.zeros(sample.rows, dtype=np.bool_)
    name = file.age
    if name is None and file.at_least is not None and file.adults_only is not False:
        name = next((column for column in sample.columns if column.casefold() in AGE_COLUMNS), None)
    if name is None:
        return everybody, nobody
    if file.age is None and not all(missing(cell) or _number(cell) for cell in sample.column(name, "age")):
        warnings.append(f"the column {name} holds no numbers, so that nobody's age is known from it")
        return everybody, nobody
    ages = np.array(sample.numbers(name, "age", missing=missing))
    for row in np.flatnonzero((ages < 0) | (ages > MOST_YEARS)):
        born = ": a year of birth? Write the age in years" if ages[row] >= FIRST_YEAR else ""
        raise Refused(
            "bad_age", f"line {sample.lines[row]}, column {name}: {ages[row]:g} is no age from 0 to {MOST_YEARS}{born}"
        )
    minors = np.asarray(np.nan_to_num(ages, nan=ADULT) < ADULT, dtype=np.bool_)
    if file.age is None:
        if minors.any():
            warnings.append(
                f"{int(minors.sum())} younger than {ADULT} by the column {name} stand in no literacy rate"
                + ("" if file.standard else "; adults_only = false: the rate is of all ages, and no literacy rate")
            )
        return ~minors, minors
    adults = np.asarray(np.nan_to_num(ages) >= ADULT, dtype=np.bool_)
    if not adults.all():
        warnings.append(f"{int((~adults).sum())} younger than {ADULT} or of unknown age stand in no literacy rate")
    return adults, minors


def _number(cell: str) -> bool:
    try:
        return "_" not in cell and bool(np.isfinite(float(cell)))
    except ValueError:
        return False
