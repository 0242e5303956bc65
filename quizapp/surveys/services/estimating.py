"""From the rows of a survey to what its page says: the same functions as `quizapp analyse literacy`, run by a job and stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.analyse.design_file import DesignFile
from quizapp.analyse.refusals import Refused
from quizapp.core.scope import Actor
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.surveys.errors import SurveyNotDrawn, SurveyStillOpen
from quizapp.surveys.models import Design, Survey
from quizapp.surveys.queries import Place
from quizapp.surveys.services.planning import lock_survey
from quizapp.surveys.services.recording import record_survey
from quizapp.surveys.services.rows import SurveyRows, design_of, sample_of, survey_rows

TASK = "estimate_survey"
#: What the estimate is shown by, where groups are large enough.
GROUPS = ("age_band", "sex", "education", "residence")
#: Share of those eligible below which the estimate stands under a warning.
LOW_RESPONSE = 0.5
#: Fields of an estimate that a page shows.
_FIELDS = ("estimate", "se", "low", "high", "n", "units", "df", "design_effect", "effective_n", "method")


def ask_for_estimate(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> Job:
    """Estimate in the background. Raises SurveyNotDrawn, SurveyStillOpen."""
    if survey.drawn_at is None:
        raise SurveyNotDrawn
    if survey.first_closed_at is None:
        raise SurveyStillOpen
    return enqueue(db, TASK, {"survey_id": survey.id}, actor=actor, now=now)


def store_estimate(db: Session, *, survey: Survey, found: dict[str, Any], actor: Actor, now: datetime) -> None:
    """Keep what was found, unless the weighting has changed meanwhile."""
    lock_survey(db, survey)
    if survey.weighting != found["weighting"]:
        return
    survey.estimate, survey.estimated_at = found, now
    record_survey(
        db,
        survey,
        action="survey_estimated",
        actor=actor,
        now=now,
        details={"answers": found["answers"], "refusal": found.get("refusal")},
    )


def estimate_survey(db: Session, survey: Survey) -> dict[str, Any]:
    """Everything that the page says, as JSON; where there is no estimate, the code of the refusal. Raises SurveyStillOpen."""
    from quizapp.analyse.literacy import estimate

    rows = survey_rows(db, survey)
    sample, design = sample_of(rows), design_of(survey, rows)
    found: dict[str, Any] = {
        "weighting": survey.weighting,
        "answers": sum(place.answered for place in rows.places),
        "counted": len(rows.counted),
        "standard": rows.standard.code,
        "confidence": design.confidence,
        "margins": {name: sum(groups.values()) for name, groups in design.margins.items()},
        "response": response_rate(rows.places),
        "struck_out": rows.struck_out,
    }
    if len(rows.counted) < FEWEST_ANSWERS:
        return {**found, "refusal": "few_counted" if rows.counted else "no_rows"}
    try:
        main = estimate(sample, design)
        logit = estimate(sample, replace(design, interval="logit"))
        mean = estimate(sample, _mean(design))
    except Refused as refusal:
        return {**found, "refusal": refusal.code}
    found |= {
        "main": _kept(main),
        "logit": _kept(logit),
        "mean": _kept(mean),
        "levels": {name: {**_kept(level), "from": level["from"]} for name, level in main["levels"].items()},
        "weights": main["weights"],
        "jackknife_se": main["jackknife_se"],
        "with_replacement_se": main["with_replacement_se"],
        "alone": main["alone"],
        "groups": _by_groups(survey, rows, design),
    }
    return {**found, "warnings": _warnings(survey, found, rows)}


def _by_groups(survey: Survey, rows: SurveyRows, design: DesignFile) -> dict[str, dict[str, Any]]:
    from quizapp.analyse.literacy import estimate

    names = (*GROUPS, "stratum") if Design(survey.design).in_strata else GROUPS
    groups: dict[str, dict[str, Any]] = {}
    for name in names:
        try:
            domains = estimate(sample_of(rows), replace(design, by=name))["domains"]
        except Refused:
            continue
        hidden = hidden_groups({label: domain["n"] for label, domain in domains.items()})
        if len(domains) > 1 and len(hidden) < len(domains):
            groups[name] = {
                label: {"n": domain["n"], "estimate": None} if label in hidden else _kept(domain)
                for label, domain in domains.items()
            }
    if _told_by_strata(groups, rows):
        del groups["residence"]
    return groups


def hidden_groups(people: dict[str, int]) -> set[str]:
    """The groups whose rates are not shown: those too small, and the next smallest until what is hidden is not small together.

    So that the rate of all less those shown is not the rate of fewer than ten.
    """
    by_size = sorted(people, key=lambda label: (people[label], label))
    hidden = {label for label in by_size if people[label] < FEWEST_ANSWERS}
    for label in by_size:
        if not hidden or (len(hidden) > 1 and sum(people[one] for one in hidden) >= FEWEST_ANSWERS):
            break
        hidden.add(label)
    return hidden


def _told_by_strata(groups: dict[str, dict[str, Any]], rows: SurveyRows) -> bool:
    """Whether town or country less the strata shown would tell of fewer than ten: whole strata are the one or the other."""
    if "residence" not in groups:
        return False
    hidden = {label for label, group in groups.get("stratum", {}).items() if group["estimate"] is None}
    left = Counter(place.invitation.residence for place in rows.counted if place.invitation.stratum in hidden)
    return any(people < FEWEST_ANSWERS for people in left.values())


def _mean(design: DesignFile) -> DesignFile:
    return replace(design, statistic="mean", standard=None, standard_column=None, at_least=None)


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    kept = {name: answer[name] for name in _FIELDS}
    # within one unit an error says nothing of the differences among units: no number that looks like one
    return kept if answer["estimate"] is None or answer["df"] > 0 else {**kept, "se": None}


def response_rate(places: tuple[Place, ...]) -> float | None:
    """Answered of those who were drawn and not found to be outside of the population."""
    eligible = [place for place in places if place.invitation.outcome != "ineligible"]
    return sum(place.answered for place in eligible) / len(eligible) if eligible else None


def _warnings(survey: Survey, found: dict[str, Any], rows: SurveyRows) -> list[str]:
    """What weakens the estimate, as codes; the page has the words."""
    from quizapp.analyse.literacy import DIFFERENT, FEW_ANSWERS, FEW_UNITS
    from quizapp.measurement.survey.intervals import EXACT

    main = found["main"]
    warnings = []
    if main["units"] < FEW_UNITS:
        warnings.append("few_units")
    if main["n"] < FEW_ANSWERS:
        warnings.append("few_answers")
    if found["response"] is not None and found["response"] < LOW_RESPONSE:
        warnings.append("low_response")
    if main["method"] == EXACT and 0 < main["estimate"] < 1:
        warnings.append("no_spread")
    if rows.struck_out:
        warnings.append("struck_out")
    if found["answers"] > found["counted"] + rows.struck_out:
        warnings.append("not_adults")
    strata = survey.counts.get("strata") or {}
    if strata and strata.keys() != {place.invitation.stratum for place in rows.counted}:
        warnings.append("stratum_empty")
    if main["effective_n"] is not None and main["effective_n"] > main["n"]:
        warnings.append("effective_n")
    if survey.weighting.get("cap") and found["margins"]:
        warnings.append("trimmed")
    if found["alone"]:
        warnings.append("alone")
    checked, plain = found["jackknife_se"], found["with_replacement_se"]
    if checked is not None and plain and not 1 / DIFFERENT < checked / plain < DIFFERENT:
        warnings.append("jackknife")
    return warnings
