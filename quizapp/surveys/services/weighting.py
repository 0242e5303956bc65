"""What is known of the population, as a coordinator pastes it: `variable,value,people`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.scope import Actor
from quizapp.surveys.errors import MarginsInvalid, SurveyValueOutOfRange
from quizapp.surveys.models import Survey
from quizapp.surveys.services.recording import record_survey
from quizapp.surveys.services.rows import LEAST_CAP, MOST_CAP

#: Lines that may be pasted.
MOST_LINES = 500


def read_margins(
    text: str, names: Mapping[str, str], values: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, int]]:
    """A pasted table as column → group → people. "sex*age_band" crosses two columns.

    `names`: what a column may be called → the column; `values`: column → what a group may be called → the group. Raises MarginsInvalid.
    """
    margins: dict[str, dict[str, int]] = {}
    lines = [line for line in csv.reader(io.StringIO(text.replace("，", ",").replace("\t", ","))) if any(line)]
    if len(lines) > MOST_LINES:
        raise MarginsInvalid(field="margins", line=MOST_LINES + 1)
    for number, raw in enumerate(lines, start=1):
        cells = [cell.strip() for cell in raw]
        if number == 1 and len(cells) == 3 and not cells[2].isdecimal():
            continue  # a heading
        columns = [names.get(part.strip()) for part in cells[0].split("*")]
        groups = [part.strip() for part in cells[1].split("*")] if len(cells) == 3 else []
        found = [values.get(column or "", {}).get(group) for column, group in zip(columns, groups, strict=False)]
        if (
            len(cells) != 3
            or len(columns) != len(groups)
            or None in columns
            or None in found
            or not cells[2].isdecimal()
            or len(cells[2]) > 10
        ):
            raise MarginsInvalid(field="margins", line=number)
        name, group = "*".join(map(str, columns)), "*".join(map(str, found))
        if group in margins.setdefault(name, {}):
            raise MarginsInvalid(field="margins", line=number)
        margins[name][group] = int(cells[2])
    return margins


def set_weighting(
    db: Session,
    *,
    survey: Survey,
    margins: dict[str, dict[str, int]],
    cap: float | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep how answers are weighted; the estimate that stood before it says less than it did and goes. Raises SurveyValueOutOfRange."""
    if cap is not None and not LEAST_CAP <= cap <= MOST_CAP:
        raise SurveyValueOutOfRange(field="cap", low=f"{LEAST_CAP:g}", high=f"{MOST_CAP:g}")
    weighting: dict[str, Any] = {"margins": margins, "cap": cap}
    survey.weighting = weighting
    survey.estimate, survey.estimated_at = None, None
    record_survey(
        db, survey, action="survey_weighted", actor=actor, now=now, details={"columns": sorted(margins), "cap": cap}
    )
