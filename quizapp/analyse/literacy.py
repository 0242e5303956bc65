"""From a sample and its design to the estimate, as plain values."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from quizapp.analyse.design_file import PROBABILITY, DesignFile
from quizapp.analyse.outcome import belonging_of, missing, outcome_of
from quizapp.analyse.refusals import Refused
from quizapp.analyse.sample import Sample
from quizapp.measurement.sample_size import UNKNOWN_RATE, sample_size
from quizapp.measurement.survey import (
    Design,
    Estimate,
    Margin,
    SurveyRefused,
    calibrate,
    estimate_mean,
    estimate_rate,
    jackknife,
    make_design,
    rake,
    trim,
    weight_report,
)
from quizapp.measurement.survey.estimates import SINGLY
from quizapp.measurement.survey.intervals import EXACT

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The margin of error for which a refusal names the sample.
TARGET = 0.02
#: With fewer first-stage units intervals cover less often than they say.
FEW_UNITS = 30
#: With fewer answers the same.
FEW_ANSWERS = 400
#: First-stage units × rows up to which the jackknife is made, with margins and without.
JACKKNIFED_RAKED, JACKKNIFED = 1_000_000, 40_000_000
#: Standard errors by linearisation and by the jackknife that differ by more than this are told.
DIFFERENT = 1.25
#: Why a domain has no interval.
NO_SPREAD_AMONG = (
    "all of its people are in as many first-stage units as strata: what differs among units cannot be told, so there is no interval, "
    "and the standard error holds the stages below alone (0 where there are none)"
)
#: What an estimate holds, in the answer's words.
_FIELDS = (
    "estimate",
    "se",
    "low",
    "high",
    "confidence",
    "method",
    "df",
    "n",
    "units",
    "design_effect",
    "effective_n",
)


def estimate(sample: Sample, design: DesignFile) -> dict[str, Any]:
    """The answer of `analyse literacy`. Raises Refused."""
    if design.sampling != PROBABILITY:
        raise _volunteers(sample, design)
    values, answered, warnings = outcome_of(sample, design)
    belonging = belonging_of(sample, design, warnings)
    heard, counted = answered | belonging.outside, answered & belonging.counts
    try:
        plain = _design(sample, design, heard, counted)
        if plain.alone():
            warnings.append(
                f"in {plain.alone()} units or strata one person (or unit) alone answered of those drawn: "
                "their spread is taken from the others"
            )
        answer = _estimated(sample.only(heard), design, plain, values[heard], counted[heard], warnings)
    except SurveyRefused as refusal:
        raise Refused(refusal.code, str(refusal), warnings=warnings) from refusal
    return {**answer, "missing": int((~answered).sum())}


def _estimated(
    sample: Sample,
    file: DesignFile,
    design: Design,
    values: NDArray[np.float64],
    counted: NDArray[np.bool_],
    warnings: list[str],
) -> dict[str, Any]:
    margins = [
        Margin(name, _groups(sample, name, counted, totals), dict(totals)) for name, totals in file.margins.items()
    ]
    if margins:
        design = calibrate(design, margins, file.trim)
    elif file.trim is not None:
        design = replace(design, weights=trim(design.weights, *file.trim))
    elif file.weight is None and not any(file.fpc):
        warnings.append("neither weights nor population sizes: every answer counts the same")
    whole = _of(design, file, values, counted)
    answer = _as_json(whole)
    if whole.units < FEW_UNITS:
        warnings.append(
            f"{whole.units} first-stage units, fewer than {FEW_UNITS}: the interval covers less often than it says"
        )
    if whole.n < FEW_ANSWERS:
        warnings.append(f"{whole.n} answers, fewer than {FEW_ANSWERS}")
    if whole.effective_n is not None and whole.effective_n > whole.n:
        warnings.append(
            "the design says more than as many people drawn singly: the effective number is not capped at n"
        )
    if whole.method == SINGLY or (whole.method == EXACT and 0 < whole.value < 1):
        warnings.append(
            "the first-stage units are all alike, so their spread says nothing: "
            "the interval is that of as many people drawn singly, and the standard error 0 is none"
        )
    if margins and file.trim is not None:
        warnings.append("after trimming the margins hold only nearly")
    if file.by is not None:
        labels = np.array(sample.column(file.by, "by"))
        answer["domains"] = {
            str(label): _domain(design, file, values, labels == label)
            for label in sorted(set(labels[design.counted].tolist()))
        }
    else:
        answer["domains"] = {}
    if file.standard is not None:
        scores = np.nan_to_num(np.array(sample.numbers(file.outcome, "outcome", missing=missing)))
        answer["levels"] = {
            name: {"from": threshold, **_domain(design, file, (scores >= threshold).astype(np.float64), counted)}
            for name, threshold in file.standard.levels.items()
        }
    answer["statistic"] = file.statistic
    answer["alone"] = design.alone()
    answer["weights"] = asdict(weight_report(design.weights))
    answer |= _checked(design, file, values, counted, margins, warnings)
    answer["warnings"] = warnings
    return answer


def _design(sample: Sample, file: DesignFile, heard: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Design:
    """The design of those of whom something is known; who of them stands in no rate has the weight 0."""
    design = make_design(
        sample.rows,
        weights=None if file.weight is None else np.array(sample.numbers(file.weight, "weight")),
        strata=None if file.strata is None else sample.labels(file.strata, "strata", missing=missing),
        clusters=[sample.labels(name, "clusters", missing=missing) for name in file.clusters],
        populations=[np.array(sample.numbers(name, "fpc")) if name else None for name in file.fpc],
        answered=heard,
    )
    kept = np.where(counted[heard], design.weights, 0.0)
    if not kept.any():
        raise Refused("no_rows", "no row has an outcome and a weight")
    return replace(design, weights=kept)


def weights_of(sample: Sample, file: DesignFile) -> list[float]:
    """The weights of those who count, before margins and trimming. Raises Refused."""
    _, answered, warnings = outcome_of(sample, file)
    belonging = belonging_of(sample, file, warnings)
    try:
        design = _design(sample, file, answered | belonging.outside, answered & belonging.counts)
    except SurveyRefused as refusal:
        raise Refused(refusal.code, str(refusal)) from refusal
    return [float(weight) for weight in design.weights[design.counted]]


def _of(design: Design, file: DesignFile, values: NDArray[np.float64], inside: NDArray[np.bool_]) -> Estimate:
    inside = inside & design.counted
    if file.statistic == "mean":
        return estimate_mean(design, values, inside, confidence=file.confidence)
    return estimate_rate(
        design,
        values,
        inside,
        method=file.interval,
        confidence=file.confidence,
        by_stratum=file.strata is not None and file.outcome == file.strata,
    )


def _domain(design: Design, file: DesignFile, values: NDArray[np.float64], inside: NDArray[np.bool_]) -> dict[str, Any]:
    try:
        found = _as_json(_of(design, file, values, inside))
    except SurveyRefused as refusal:
        nothing = dict.fromkeys(_FIELDS, None)
        n = int((inside & design.counted).sum())
        return {**nothing, "n": n, "error": {"code": refusal.code, "message": str(refusal)}}
    if found["df"] < 1:
        found |= {"method": None, "error": {"code": "too_few_units", "message": NO_SPREAD_AMONG}}
    return found


def _as_json(found: Estimate) -> dict[str, Any]:
    return {"estimate" if name == "value" else name: value for name, value in asdict(found).items()}


def _groups(sample: Sample, name: str, counted: NDArray[np.bool_], totals: dict[str, float]) -> list[str]:
    """The group of each row; "one*other" joins two columns. A row without outcome takes no part and may be of any group."""
    names = [name] if name in sample.columns else name.split("*")
    parts = [sample.column(one.strip(), "margins") for one in names]
    first = next(iter(totals))
    return ["*".join(cells) if kept else first for cells, kept in zip(zip(*parts, strict=True), counted, strict=True)]


def _checked(
    design: Design,
    file: DesignFile,
    values: NDArray[np.float64],
    counted: NDArray[np.bool_],
    margins: list[Margin],
    warnings: list[str],
) -> dict[str, float | None]:
    """The standard error by leaving out units, and the one of linearisation that it is held against: both as if drawn with replacement.

    The jackknife knows no finite population correction; with it in the one alone, nearly complete counts would differ without a fault.
    """
    checked = _jackknife(design, file, values, margins)
    try:
        plain = _of(replace(design, populations=(None,) * len(design.stages)), file, values, counted).se
    except SurveyRefused:
        plain = None
    if checked is not None and plain and not 1 / DIFFERENT < checked / plain < DIFFERENT:
        warnings.append(
            "the standard error by leaving out units differs: too few units, or units of very different size"
        )
    return {"jackknife_se": checked, "with_replacement_se": plain}


def _jackknife(
    design: Design,
    file: DesignFile,
    values: NDArray[np.float64],
    margins: list[Margin],
) -> float | None:
    """A check of the standard error; without finite population correction. None where it would take long or cannot be made."""
    plain = (
        design if design.base is None else replace(design, weights=design.base, margins=None, base=None, fitted=None)
    )
    if len(np.unique(plain.stages[0])) * len(values) > (JACKKNIFED_RAKED if margins else JACKKNIFED):
        return None

    def mean(weights: NDArray[np.float64]) -> float:
        fitted = rake(weights, margins) if margins else weights
        if margins and file.trim is not None:
            fitted = trim(fitted, *file.trim)
        return float(fitted @ values / fitted.sum()) if fitted.any() else math.nan

    try:
        found = jackknife(plain, mean)
    except SurveyRefused:
        return None
    return found if math.isfinite(found) else None


def _if_near(rate: float, people: int) -> str:
    """The sample that does where the rate of all is like the one of those who took part; "near 0.0 %" would promise what nobody knows."""
    edge = 100 * TARGET
    if rate < TARGET:
        return f", {people} if next to nobody has it (none of them then means at most {edge:.0f} %)"
    if rate > 1 - TARGET:
        return f", {people} if nearly everybody has it (all of them then means at least {100 - edge:.0f} %)"
    return f", {people} if it is near {100 * rate:.1f} %"


def _volunteers(sample: Sample, file: DesignFile) -> Refused:
    """Why there is no estimate, what can be said of those who took part, and the sample that would do."""
    part: dict[str, Any] = {"n": None, "successes": None, "rate": None}
    said, rate = "", None
    try:
        values, counted, _ = outcome_of(sample, file)
        adults = belonging_of(sample, file, []).counts
    except Refused as reason:
        said = f"What they answered cannot be told: {reason}. "
    else:
        taken = values[counted & adults]
        part["n"] = len(taken)
        if file.statistic == "mean":
            part = {"n": len(taken), "mean": float(taken.mean()) if len(taken) else None}
            said = f"Of those who took part, the mean of {len(taken)} is {part['mean']}. "
        elif len(taken):
            rate = float(taken.mean())
            part = {"n": len(taken), "successes": int(taken.sum()), "rate": rate}
            said = f"Of those who took part, {int(taken.sum())} of {len(taken)} ({100 * rate:.1f} %). "
    wanted = UNKNOWN_RATE if rate is None else rate
    at_rate, at_half = sample_size(wanted, TARGET), sample_size(UNKNOWN_RATE, TARGET)
    said_of = f"sampling = {file.sampling!r}"
    if not file.sampling:
        said_of = f'the word sampling is missing; write sampling = "{PROBABILITY}" if all had a known chance. As it is'
    elif PROBABILITY in file.sampling:
        said_of += f' is not the word "{PROBABILITY}", alone'
    message = (
        f"{said_of}: people who chose to take part had no known chance of being drawn, so neither weights nor "
        f"an interval make a rate of the population of them. {said}"
        f"For ± {100 * TARGET:.0f} points draw people at random: {at_half} answers whatever the rate is"
        + ("" if rate is None else _if_near(rate, at_rate))
        + "; about twice as many where they are drawn by units"
    )
    return Refused(
        "not_a_probability_sample",
        message,
        of_those_who_took_part=part,
        sample_needed={"margin": TARGET, "rate": rate, "people": at_rate, "people_whatever_the_rate": at_half},
    )
