"""Reads DESIGN.toml: how the sample was drawn and what is to be estimated."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from quizapp.analyse.documents import finite, read_toml
from quizapp.analyse.refusals import Refused
from quizapp.analyse.sample import LARGEST
from quizapp.measurement.survey.design import SurveyRefused
from quizapp.measurement.survey.intervals import METHODS
from quizapp.measurement.survey.standards import Standard, one_standard

#: The one kind of sampling from which a population can be estimated.
PROBABILITY = "probability"
#: What `disposition` says of somebody who does not belong to the population.
OUTSIDE = "ineligible"


@dataclass(frozen=True)
class DesignFile:
    """What a DESIGN.toml says; columns by their headings."""

    #: "probability", or any other word: then there is no estimate for a population.
    sampling: str
    outcome: str
    #: "rate" or "mean".
    statistic: str = "rate"
    #: Of a rate: the value that counts, or the score from which it counts; neither: the outcome is 0 or 1.
    success: str | None = None
    at_least: float | None = None
    #: The standard of the scores; its level gives `at_least`. `standard_column` holds each row's.
    standard: Standard | None = None
    standard_column: str | None = None
    #: Age in years: people under 18 stand in no literacy rate.
    age: str | None = None
    #: True: only adults were drawn. False: people of all ages count, so that the rate is no literacy rate. None: nothing was said.
    adults_only: bool | None = None
    #: What became of each row; `OUTSIDE` there: not of the population. Whoever else has no outcome did not answer.
    disposition: str | None = None
    weight: str | None = None
    strata: str | None = None
    clusters: tuple[str, ...] = ()
    #: "" at a stage: with replacement.
    fpc: tuple[str, ...] = ()
    interval: str = "korn_graubard"
    confidence: float = 0.95
    by: str | None = None
    #: Column (or "one*other": both together) → group → people in the population.
    margins: dict[str, dict[str, float]] = field(default_factory=dict)
    trim: tuple[float, float] | None = None


_WORDS = (
    *("sampling", "outcome", "statistic", "success", "at_least", "standard", "level", "standard_column", "age"),
    *(
        "adults_only",
        "disposition",
        "weight",
        "strata",
        "clusters",
        "fpc",
        "interval",
        "confidence",
        "by",
        "margins",
        "trim",
    ),
)


def read_design(path: Path) -> DesignFile:
    """The design of a file. Raises Refused (bad_design, unknown_standard, unknown_level) with what to write instead."""
    given = read_toml(path, "bad_design")
    unknown = sorted(set(given) - set(_WORDS))
    if unknown:
        raise Refused(
            "bad_design", f"unknown: {', '.join(unknown)}. The words are {', '.join(_WORDS)}; tables come last"
        )
    statistic = _choice(given, "statistic", ("rate", "mean"), "rate")
    design = DesignFile(
        sampling=(_word(given, "sampling") or "").casefold(),
        outcome=_word(given, "outcome") or _needed("outcome"),
        statistic=statistic,
        success=_value(given),
        at_least=_number(given, "at_least"),
        standard=None,
        standard_column=_word(given, "standard_column"),
        age=_word(given, "age"),
        adults_only=_flag(given, "adults_only"),
        disposition=_word(given, "disposition"),
        weight=_word(given, "weight"),
        strata=_word(given, "strata"),
        clusters=_words(given, "clusters"),
        fpc=_words(given, "fpc"),
        interval=_choice(given, "interval", METHODS, "korn_graubard"),
        confidence=_confidence(given),
        by=_word(given, "by"),
        margins=_margins(given),
        trim=_trim(given),
    )
    rules = [name for name in ("success", "at_least", "standard") if name in given]
    if len(rules) > 1 or (rules and statistic == "mean"):
        raise Refused(
            "bad_design", f"{' and '.join(rules)}: name one of success, at_least, standard, or statistic = mean"
        )
    return _with_standard(design, given)


def _with_standard(design: DesignFile, given: dict[str, Any]) -> DesignFile:
    code, level = _word(given, "standard"), _word(given, "level")
    if code is None:
        if level or design.standard_column:
            raise Refused("bad_design", "level and standard_column go with standard")
        if design.adults_only is not None and design.at_least is None:
            raise Refused("bad_design", "adults_only goes with standard or at_least")
        return design
    if design.age is None and design.adults_only is not True:
        raise Refused(
            "age_needed",
            "people under 18 stand in no literacy rate: name the column of ages (age), or say adults_only = true "
            "where only adults were drawn",
        )
    try:
        standard = one_standard([code])
        threshold = standard.threshold(level)
    except SurveyRefused as refusal:
        raise Refused(refusal.code, str(refusal)) from refusal
    return DesignFile(**{**vars(design), "standard": standard, "at_least": float(threshold)})


def _needed(name: str) -> str:
    raise Refused("bad_design", f"{name} is missing: the column that is estimated")


def _word(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused("bad_design", f"{name} is one text in quotes")
    return value.strip()


def _flag(given: dict[str, Any], name: str) -> bool | None:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused("bad_design", f"{name} is true or false")
    return value


def _words(given: dict[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused("bad_design", f"{name} is a list of columns, one for each stage")
    return tuple(one.strip() for one in value)


def _choice(given: dict[str, Any], name: str, choices: tuple[str, ...], otherwise: str) -> str:
    value = given.get(name, otherwise)
    if value not in choices:
        raise Refused("bad_design", f"{name} is one of {', '.join(choices)}")
    return str(value)


def _number(given: dict[str, Any], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if not finite(value) or abs(value) > LARGEST:
        raise Refused("bad_design", f"{name} is a number up to {LARGEST:g}")
    return float(value)


def _value(given: dict[str, Any]) -> str | None:
    value = given.get("success")
    if value is None:
        return None
    if not isinstance(value, str) and not finite(value):
        raise Refused("bad_design", "success is the value that counts, a text or a number")
    return str(value).strip()


def _confidence(given: dict[str, Any]) -> float:
    value = _number(given, "confidence")
    if value is not None and not 0.5 <= value < 1:
        raise Refused("bad_design", "confidence is a share from 0.5 to below 1, such as 0.95")
    return 0.95 if value is None else value


def _trim(given: dict[str, Any]) -> tuple[float, float] | None:
    value = given.get("trim")
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not (finite(value[0]) and (finite(value[1]) or value[1] == inf))
    ):
        raise Refused("bad_design", "trim is [lowest weight, highest weight]")
    return float(value[0]), float(value[1])


def _margins(given: dict[str, Any]) -> dict[str, dict[str, float]]:
    value = given.get("margins", {})
    if not isinstance(value, dict):
        raise Refused("bad_design", "margins are tables: [margins.COLUMN] with a line GROUP = people for each group")
    margins: dict[str, dict[str, float]] = {}
    for column, groups in value.items():
        if not isinstance(groups, dict) or not groups:
            raise Refused(
                "bad_design",
                f"[margins.{column}] needs a line GROUP = people for each group; a name with a dot is quoted",
            )
        for group, people in groups.items():
            if not finite(people) or not 0 <= people <= LARGEST:
                raise Refused(
                    "bad_design", f"[margins.{column}] {group} is no number of people; a name with a dot is quoted"
                )
        margins[column] = {group: float(people) for group, people in groups.items()}
    return margins
