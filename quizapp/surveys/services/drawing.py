"""The draw: once, from the list as it stands, by the public seed. What it was drawn from is kept, so that anybody can draw it again."""

from __future__ import annotations

import zlib
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from quizapp.analyse.drawing import Frame, digest, draw, frame_text, listing
from quizapp.audit.services import record
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.core.tokens import digest as digest_secret
from quizapp.measurement.survey.drawing import Drawn
from quizapp.organisation.queries import residences_of
from quizapp.surveys.errors import SurveyDrawn, SurveyNotDrawn
from quizapp.surveys.models import FrameKind, Outcome, Survey, SurveyInvitation
from quizapp.surveys.services.planning import Sizes, frame_of, lock_survey, numbers_of, sizes_of


def card_secret(keys: Keys, survey_id: int, number: int) -> str:
    """The 128 bits in a card's QR code: they can be made again, so that a card can be printed again."""
    return keys.sign("survey-card", survey_id, number)


def sizes_today(db: Session, survey: Survey, now: datetime) -> tuple[Sizes, dict[str, int]]:
    """What a draw would take today, and how many are left out, by reason. Raises as `sizes_of`."""
    frame, left_out = frame_of(db, survey.unit, survey.design, survey.frame_kind, survey.unit_sizes, now)
    return sizes_of(frame, survey.design, numbers_of(survey)), left_out


def draw_survey(db: Session, *, survey: Survey, keys: Keys, actor: Actor, now: datetime) -> Survey:
    """Draw, and invite whom it hits. Raises SurveyDrawn (of two at once one draws), and as `sizes_of`."""
    lock_survey(db, survey)
    if survey.drawn_at is not None:
        raise SurveyDrawn
    frame, left_out = frame_of(db, survey.unit, survey.design, survey.frame_kind, survey.unit_sizes, now)
    sizes = sizes_of(frame, survey.design, numbers_of(survey))
    drawn = _draw(survey, frame, sizes)
    homes = {person: unit for person, _, unit in frame.people}
    rows = [_row(survey, number, one, homes, keys) for number, one in enumerate(drawn, start=1)]
    residences = residences_of(db, {int(str(row["home"])) for row in rows})
    db.execute(insert(SurveyInvitation), [{**row, "residence": residences.get(int(str(row["home"])))} for row in rows])
    text = frame_text(frame)
    survey.frame = zlib.compress(text.encode())
    survey.frame_digest, survey.drawn_digest = digest(text), digest(listing(drawn))
    survey.counts = _counts(frame, sizes, drawn, left_out)
    survey.drawn_at = now
    db.flush()
    record(
        db,
        actor=actor,
        action="survey_drawn",
        object_type="survey",
        object_id=survey.id,
        unit_id=survey.unit_id,
        details={"people": sizes.population, "drawn": len(drawn), "list": survey.frame_digest[:16]},
        now=now,
    )
    return survey


def _draw(survey: Survey, frame: Frame, sizes: Sizes) -> list[Drawn]:
    if sizes.units is None:
        return draw(frame, seed=survey.seed, people=sizes.people)
    return draw(frame, seed=survey.seed, people=int(survey.plan["per_unit"]), units=sizes.units)


def frame_file(survey: Survey) -> str:
    """The list from which was drawn, as its file. Raises SurveyNotDrawn."""
    if survey.frame is None:
        raise SurveyNotDrawn
    return zlib.decompress(survey.frame).decode()


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
