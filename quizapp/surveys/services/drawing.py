"""The draw: once, from the announced list or the list as it stands, by the public seed. The list is kept: anybody can draw it again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from quizapp.analyse.drawing import Frame, digest, draw, listing
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.core.tokens import digest as digest_secret
from quizapp.measurement.survey.drawing import Drawn
from quizapp.organisation.models import Person
from quizapp.organisation.queries import residences_of
from quizapp.quizzes.services.standing import lock_delivery
from quizapp.surveys.errors import SurveyDrawn, SurveyValueMissing
from quizapp.surveys.models import FrameKind, Outcome, Survey, SurveyInvitation
from quizapp.surveys.services.announcing import frame_today, keep_frame
from quizapp.surveys.services.planning import Sizes, lock_survey
from quizapp.surveys.services.recording import record_survey

#: Characters of the numbers that are waited for.
LEAST_RESULT, MOST_RESULT = 3, 60


def card_secret(keys: Keys, survey_id: int, number: int) -> str:
    """The 128 bits in a card's QR code: they can be made again, so that a card can be printed again."""
    return keys.sign("survey-card", survey_id, number)


def draw_survey(db: Session, *, survey: Survey, keys: Keys, actor: Actor, now: datetime, came_out: str = "") -> Survey:
    """Draw, and invite whom it hits; the test's scores are held back until the survey is closed.

    `came_out`: the numbers that were waited for, where the list was announced.
    Raises SurveyDrawn (of two at once one draws), SurveyValueMissing (the numbers), and as `sizes_of`.
    """
    delivery = lock_delivery(db, survey.delivery_id)
    lock_survey(db, survey)
    if survey.drawn_at is not None:
        raise SurveyDrawn
    if survey.announced is not None:
        survey.seed = seed_of(survey, came_out)
    frame, sizes, left_out = frame_today(db, survey, now)
    drawn = _draw(survey, frame, sizes)
    homes = {person: unit for person, _, unit in frame.people}
    rows = [_row(survey, number, one, homes, keys) for number, one in enumerate(drawn, start=1)]
    residences = residences_of(db, {int(str(row["home"])) for row in rows})
    _follow_merges(db, rows)
    db.execute(insert(SurveyInvitation), [{**row, "residence": residences.get(int(str(row["home"])))} for row in rows])
    keep_frame(survey, frame)
    survey.drawn_digest = digest(listing(drawn))
    survey.counts = _counts(frame, sizes, drawn, left_out)
    survey.drawn_at = now
    delivery.scores_held = True
    record_survey(
        db,
        survey,
        action="survey_drawn",
        actor=actor,
        now=now,
        details={"people": sizes.population, "drawn": len(drawn), "list": str(survey.frame_digest)[:16]},
    )
    return survey


def _draw(survey: Survey, frame: Frame, sizes: Sizes) -> list[Drawn]:
    if sizes.units is None:
        return draw(frame, seed=survey.seed, people=sizes.people)
    return draw(frame, seed=survey.seed, people=int(survey.plan["per_unit"]), units=sizes.units)


def seed_of(survey: Survey, came_out: str) -> str:
    """What was announced, followed by what came out. Raises SurveyValueMissing."""
    result = " ".join(came_out.split())
    if not LEAST_RESULT <= len(result) <= MOST_RESULT:
        raise SurveyValueMissing(field="came_out")
    return f"{survey.seed} {result}"


def _follow_merges(db: Session, rows: list[dict[str, object]]) -> None:
    """Invite the record that stands of whoever was merged since the list was announced, unless that was drawn too."""
    drawn = {row["person_id"] for row in rows}
    merged = db.execute(
        select(Person.id, Person.merged_into_id).where(Person.id.in_(drawn), Person.merged_into_id.is_not(None))
    )
    kept_by: dict[object, int | None] = {row.id: row.merged_into_id for row in merged}
    for row in rows:
        kept = kept_by.get(row["person_id"])
        if kept is not None and kept not in drawn:
            row["person_id"] = kept
            drawn.add(kept)


def _row(survey: Survey, number: int, one: Drawn, homes: dict[str, str], keys: Keys) -> dict[str, object]:
    listed = survey.frame_kind == FrameKind.UNITS
    return {
        "survey_id": survey.id,
        "number": number,
        "person_id": None if listed else int(one.id),
        "place": int(one.id.split(":")[1]) if listed else None,
        "stratum": one.stratum,
        "home": one.unit if listed else homes[one.id],
        "weight": one.weight,
        "populations": list(one.populations),
        "secret_hash": digest_secret(card_secret(keys, survey.id, number)),
        "outcome": Outcome.INVITED.value,
    }


def _counts(frame: Frame, sizes: Sizes, drawn: list[Drawn], left_out: dict[str, int]) -> dict[str, object]:
    strata = {name: sum(units.values()) for name, units in frame.homes().items() if name}
    return {
        "people": sizes.population,
        "answers": sizes.answers,
        "design_effect": sizes.design_effect,
        "drawn": len(drawn),
        "wanted": sizes.people,
        "units": sizes.units,
        "units_there": sizes.units_there,
        "strata": strata,
        "left_out": left_out,
    }
