"""Comparing two years: asked for by a coordinator, computed by a job, kept as the job's result for whoever asked.

The job works with the grants of whoever asked, as they are when it runs; its result is shown only while they are the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.scope import Actor, Scope
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.services import enqueue
from quizapp.measurement.clusters import clustered_difference, clustered_wilson
from quizapp.measurement.floors import FEWEST, anchors_needed
from quizapp.reports.exports import grants_mark
from quizapp.reports.years.queries import (
    PERMISSION,
    Answers,
    Choice,
    Side,
    Taken,
    answers_of,
    choices,
    drawn,
    get_choice,
    questions,
    taken,
)

#: The job.
TASK = "compare_years"
#: How it is computed: what was computed in another way is not shown.
METHOD = "people-by-units"
#: Own jobs that are looked through for one of the same sides.
_LOOKED_AT = 100
#: The most papers of the first year on which the second year's people are expected to score.
MOST_FORMS = 10


def ask_for_years(db: Session, *, first: Side, second: Side, actor: Actor, now: datetime) -> Job:
    """The job that compares two sides: one that waits or runs already, or a new one. Raises NotFound out of reach."""
    found = choices(db, actor.scope, now)
    for side in (first, second):
        get_choice(found, side)
    known = find_years(db, first, second, actor)
    if known is not None and known.state in (JobState.WAITING, JobState.RUNNING):
        return known
    return enqueue(db, TASK, _arguments(first, second, actor), actor=actor, now=now)


def _arguments(first: Side, second: Side, actor: Actor) -> dict[str, Any]:
    return {
        "first": first.as_text(),
        "second": second.as_text(),
        "grants": grants_mark(actor.scope),
        "method": METHOD,
    }


def find_years(db: Session, first: Side, second: Side, actor: Actor) -> Job | None:
    """The newest job of the actor that compares these sides with the grants of today; None where there is none."""
    wanted = _arguments(first, second, actor)
    own = select(Job).where(Job.name == TASK, Job.account_id == actor.account_id)
    jobs = db.scalars(own.order_by(Job.id.desc()).limit(_LOOKED_AT))
    return next((job for job in jobs if job.arguments == wanted), None)


def compare(
    db: Session,
    scope: Scope,
    first: Side,
    second: Side,
    now: datetime,
    on_read: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """What the page shows, as codes and numbers: {"refused": …} where data or anchors are too few, else {"found": …, "anchors": …}.

    Beside either: `raw`, the shares that passed as they are; `both`, how many people took both; `drawn`, how many go into the model.
    """
    found = choices(db, scope, now)
    sides = [get_choice(found, side) for side in (first, second)]
    attempts = [taken(db, scope, side) for side in sides]
    counted = [[one for one, _person in side] for side in attempts]
    both = len({p for _, p in attempts[0] if p is not None} & {p for _, p in attempts[1] if p is not None})
    result: dict[str, Any] = {"raw": _raw(counted), "both": both, "drawn": [len(drawn(side)) for side in counted]}
    for number, side in enumerate(counted):
        if len(side) < FEWEST["rasch"]:
            few = {"code": "too_few_respondents", "side": number, "found": len(side), "needed": FEWEST["rasch"]}
            return {**result, "refused": few}
    total, read = sum(len(drawn(side)) for side in counted), 0
    answers: list[Answers] = []
    units = [[one.unit_id for one in drawn(side)] for side in counted]
    for side in counted:

        def tell(done: int, before: int = read) -> None:
            on_read(before + done, total)

        answers.append(answers_of(db, drawn(side), tell))
        read += len(answers[-1].rows)
    return {**result, **_linked(db, answers, units, sides)}


def _raw(counted: Sequence[Sequence[Taken]]) -> dict[str, Any]:
    """Pass rates and their difference, with their intervals by units."""
    by_unit: list[dict[tuple[int, bool], tuple[int, int]]] = []
    for side in counted:
        found: dict[tuple[int, bool], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for one in side:
            k, n = found[one.cluster]
            found[one.cluster] = k + one.passed, n + 1
        by_unit.append(found)
    rates = []
    for units in by_unit:
        k, n = (sum(pair[place] for pair in units.values()) for place in (0, 1))
        interval = clustered_wilson(list(units.values()))
        rates.append({"n": n, "passed": k, "rate": k / n if n else None, "interval": interval})
    return {"sides": rates, "difference": clustered_difference(*by_unit)}


def _linked(
    db: Session, answers: Sequence[Answers], units: Sequence[Sequence[int | None]], sides: Sequence[Choice]
) -> dict[str, Any]:
    import numpy as np

    from quizapp.measurement.form_scores import Form
    from quizapp.measurement.irt import NotConverged, TooFewData
    from quizapp.measurement.years import NoLink, TooFewAnchors, Year, compare_years

    years = []
    for side, of_whom in zip(answers, units, strict=True):
        table = np.full((len(side.rows), len(side.columns)), np.nan)
        for person, row in enumerate(side.rows):
            for column, right in row:
                table[person, column] = right
        years.append(Year(table, side.columns, np.array([-1 if unit is None else unit for unit in of_whom])))
    forms = [Form(np.array(at), np.array(points), least) for at, points, least in answers[0].papers[:MOST_FORMS]]
    length = max(side.length for side in sides)
    try:
        found = compare_years(years[0], years[1], forms, length=length)
    except TooFewAnchors as few:
        refused = {"code": few.code, "found": few.found, "needed": few.needed, "drifted": few.drifted}
        return {"refused": refused}
    except TooFewData as few:
        return {"refused": {"code": few.code, "found": few.found, "needed": few.needed}}
    except (NoLink, NotConverged) as error:
        return {"refused": {"code": error.code}}
    version_of = dict(zip(answers[0].columns, answers[0].versions, strict=True))
    shares = [dict(zip(year.items, np.nanmean(year.responses, axis=0).tolist(), strict=True)) for year in years]
    texts = questions(db, [version_of[anchor.item] for anchor in found.anchors])
    anchors = [
        {
            "code": texts[version_of[anchor.item]][0],
            "stem": texts[version_of[anchor.item]][1],
            "rates": [shares[0][anchor.item], shares[1][anchor.item]],
            "places": [anchor.place_first, anchor.place_second],
            "moved": anchor.moved,
            "robust_z": None if math.isnan(anchor.robust_z) else anchor.robust_z,
            "drifted": anchor.drifted,
        }
        for anchor in sorted(found.anchors, key=lambda one: (not one.drifted, -abs(one.moved)))
    ]
    figures = {
        "model": found.model,
        "slope": found.link.slope,
        "shift": found.link.shift,
        "used": found.used,
        "needed": anchors_needed(length),
        "level": found.level._asdict(),
        "spread": found.spread,
        "score": found.score._asdict() if found.score else None,
        "passing": found.passing._asdict() if found.passing else None,
        "forms": found.forms,
        "movement": found.movement,
        "se_people": found.se_people,
        "se_strangers": found.se_strangers,
        "se_anchors": found.se_anchors,
        "basis": found.basis,
        "units": found.units,
        "df_units": None if math.isnan(found.df_units) else found.df_units,
        "few_units": found.few_units,
        "without_unit": sum(unit is None for side in units for unit in side),
        "people": found.people,
        "items": found.items,
    }
    return {"found": figures, "anchors": anchors}


__all__ = ["MOST_FORMS", "PERMISSION", "TASK", "ask_for_years", "compare", "find_years"]
