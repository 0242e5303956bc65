"""The rows of a survey as `quizapp analyse literacy` takes them, with the design that says what they are.

Whoever was drawn is a row; who answered in a unit (drawn singly: in a stratum) stands for those of it who did not, and who is ineligible
stays in the design and counts for nobody. There is neither a name nor the number of a card in them, the file is in an order of its own, and
none is read before the survey was closed: who notes what became of a card is not to know its score.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from quizapp.analyse.design_file import PROBABILITY, DesignFile
from quizapp.analyse.sample import Sample
from quizapp.measurement.survey.standards import ADULT, Standard
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.surveys.errors import SurveyStillOpen
from quizapp.surveys.models import Design, Outcome, Survey
from quizapp.surveys.queries import YOUNGEST, Place, places_of

#: Headings of the rows. `age` is the youngest age of the band; sizes are those of the stages of the draw.
COLUMNS = (
    *("stratum", "unit", "weight", "size_1", "size_2", "outcome", "score", "standard"),
    *("age", "age_band", "sex", "education", "residence"),
)
_SCORE, _AGE = COLUMNS.index("score"), COLUMNS.index("age")
#: The most times the mean weight that a weight may be.
LEAST_CAP, MOST_CAP = 1.5, 20.0


@dataclass(frozen=True)
class SurveyRows:
    """Everybody who was drawn, and of what standard the scores are."""

    places: tuple[Place, ...]
    standard: Standard
    rows: tuple[tuple[str, ...], ...]

    @property
    def counted(self) -> tuple[Place, ...]:
        """Those who stand in the rate: adults with a score."""
        return tuple(
            place
            for place, row in zip(self.places, self.rows, strict=True)
            if row[_SCORE] and row[_AGE] and int(row[_AGE]) >= ADULT
        )

    @property
    def struck_out(self) -> int:
        """Of how many it was noted only after they had answered that they do not belong to the population."""
        return sum(place.answered and place.invitation.outcome == Outcome.INELIGIBLE for place in self.places)

    def eligible_shares(self) -> dict[str, float]:
        """Stratum → the share of those belonging to the population among those of whom it is known.

        The lists' sizes hold people who have moved away or are younger than 18; of those of whom nothing was heard as many are taken to.
        Source: the estimated eligibility e of AAPOR (2023), Standard Definitions, response rate 3.
        """
        inside = Counter(place.invitation.stratum for place in self.counted)
        inside += Counter(
            place.invitation.stratum
            for place in self.places
            if not place.answered and place.invitation.outcome == Outcome.REFUSED
        )
        counted = {place.invitation.number for place in self.counted}
        outside = Counter(
            place.invitation.stratum
            for place in self.places
            if place.invitation.number not in counted
            and (place.answered or place.invitation.outcome == Outcome.INELIGIBLE)
        )
        return {name: people / (people + outside[name]) for name, people in inside.items()}


def survey_rows(db: Session, survey: Survey) -> SurveyRows:
    """The rows as they stand. Raises SurveyStillOpen until the survey was closed: they hold scores."""
    if survey.first_closed_at is None:
        raise SurveyStillOpen
    standard = standard_of(survey.delivery)
    if standard is None:
        raise LookupError("a survey's test has a standard")  # checked when it was planned
    places = tuple(places_of(db, survey))
    by_units = Design(survey.design).by_units
    return SurveyRows(places, standard, tuple(_row(place, standard, by_units) for place in places))


def _row(place: Place, standard: Standard, by_units: bool) -> tuple[str, ...]:
    one, attempt = place.invitation, place.attempt
    # who does not belong to the population has no place in its rate, whatever they answered
    scored = place.answered and one.outcome != Outcome.INELIGIBLE
    band = attempt.age_band if attempt is not None and scored else None
    sizes = [str(size) for size in one.populations]
    return (
        one.stratum,
        one.home if by_units else "",
        repr(float(one.weight)),
        sizes[0],
        sizes[1] if len(sizes) > 1 else "",
        "answered" if scored else one.outcome,
        str(attempt.score) if attempt is not None and scored else "",
        standard.code,
        str(YOUNGEST[band]) if band in YOUNGEST else "",
        band or "",
        (attempt.sex or "") if attempt is not None and scored else "",
        (attempt.education or "") if attempt is not None and scored else "",
        one.residence or "",
    )


def sample_of(rows: SurveyRows) -> Sample:
    """The rows as columns."""
    columns = {name: [row[number] for row in rows.rows] for number, name in enumerate(COLUMNS)}
    return Sample(columns, tuple(range(2, len(rows.rows) + 2)))


def sample_csv(rows: SurveyRows) -> str:
    """The rows as a file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(rows.rows))
    return out.getvalue()


def design_of(survey: Survey, rows: SurveyRows) -> DesignFile:
    """How the sample was drawn, and how it is weighted."""
    plan = survey.plan
    drawn_as = Design(survey.design)
    design = DesignFile(
        sampling=PROBABILITY,
        outcome="score",
        standard=rows.standard,
        at_least=float(rows.standard.threshold()),
        standard_column="standard",
        age="age",
        disposition="outcome",
        strata="stratum" if drawn_as.in_strata else None,
        clusters=("unit",) if drawn_as.by_units else (),
        fpc=("size_1", "size_2") if drawn_as.by_units else ("size_1",),
        confidence=float(plan["confidence"]),
        margins=_margins(survey, rows),
    )
    cap = survey.weighting.get("cap")
    if cap is None or not rows.counted:
        return design  # without a column of weights they follow from the sizes and from how many answered
    return replace(design, trim=(0.0, float(cap) * _mean_weight(design, rows)))


def _margins(survey: Survey, rows: SurveyRows) -> dict[str, dict[str, float]]:
    """What was typed; else the sizes of the strata, where somebody answered in each of them: so that strata count by their people.

    Of a size the share is taken that belongs to the population, as far as is known of those who were drawn.
    """
    typed: dict[str, dict[str, float]] = survey.weighting.get("margins") or {}
    if typed:
        return {name: {group: float(people) for group, people in groups.items()} for name, groups in typed.items()}
    strata: dict[str, int] = survey.counts.get("strata") or {}
    if not Design(survey.design).in_strata or strata.keys() != {place.invitation.stratum for place in rows.counted}:
        return {}
    shares = rows.eligible_shares()
    return {"stratum": {name: people * shares[name] for name, people in sorted(strata.items())}}


def _mean_weight(design: DesignFile, rows: SurveyRows) -> float:
    from quizapp.analyse.literacy import weights_of

    people = (
        sum(next(iter(design.margins.values())).values())
        if design.margins
        else sum(weights_of(sample_of(rows), design))
    )
    return float(people) / len(rows.counted)


def design_toml(design: DesignFile) -> str:
    """The design as the file that `quizapp analyse literacy` reads."""
    values: dict[str, Any] = {
        "sampling": design.sampling,
        "outcome": design.outcome,
        "standard": design.standard.code if design.standard else None,
        "standard_column": design.standard_column,
        "age": design.age,
        "disposition": design.disposition,
        "strata": design.strata,
        "clusters": list(design.clusters) or None,
        "fpc": list(design.fpc),
        "interval": design.interval,
        "confidence": design.confidence,
        "trim": list(design.trim) if design.trim else None,
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value is not None]
    for name, groups in design.margins.items():
        lines += ["", f"[margins.{json.dumps(name, ensure_ascii=False)}]"]
        lines += [f"{json.dumps(group, ensure_ascii=False)} = {people!r}" for group, people in groups.items()]
    return "\n".join(lines) + "\n"
