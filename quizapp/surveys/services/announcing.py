"""Announcing a list before its draw: it is fixed, everybody can read its fingerprint, and the seed comes out only afterwards.

Whoever holds list and seed at the same time could try seeds until a draw pleases. So the list is fixed and announced first, together with
where the seed will come from (the numbers of a lottery draw of a coming day); nothing of it can be changed unseen.
"""

from __future__ import annotations

import zlib
from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.analyse.drawing import Frame, digest, frame_text, parse_frame
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.surveys.errors import SurveyAnnounced, SurveyDrawn, SurveyNotDrawn
from quizapp.surveys.models import Survey
from quizapp.surveys.services.planning import Sizes, frame_of, lock_survey, numbers_of, sizes_of
from quizapp.surveys.services.recording import record_survey


def frame_today(db: Session, survey: Survey, now: datetime) -> tuple[Frame, Sizes, dict[str, int]]:
    """From whom is drawn now (the announced list, else the list as it stands), what that needs, and how many are left out, by reason.

    Raises as `sizes_of`.
    """
    announced = survey.announced
    if announced is not None:
        frame, left_out = parse_frame(frame_file(survey)), announced["left_out"]
    else:
        frame, left_out = frame_of(db, survey.unit, survey.design, survey.frame_kind, survey.unit_sizes, now)
    return frame, sizes_of(frame, survey.design, numbers_of(survey)), left_out


def keep_frame(survey: Survey, frame: Frame) -> str:
    """Keep a list with its fingerprint, and give that."""
    text = frame_text(frame)
    survey.frame, survey.frame_digest = zlib.compress(text.encode()), digest(text)
    return survey.frame_digest


def frame_file(survey: Survey) -> str:
    """The list from which was drawn, or will be, as its file. Raises SurveyNotDrawn."""
    if survey.frame is None:
        raise SurveyNotDrawn
    return zlib.decompress(survey.frame).decode()


def announce_survey(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> Survey:
    """Fix the list as it stands and make its fingerprint known. Raises SurveyDrawn, SurveyAnnounced, and as `sizes_of`."""
    lock_survey(db, survey)
    if survey.drawn_at is not None:
        raise SurveyDrawn
    if survey.announced is not None:
        raise SurveyAnnounced
    frame, sizes, left_out = frame_today(db, survey, now)
    found = keep_frame(survey, frame)
    entry = {"at": to_ms(now), "list": found, "people": sizes.population, "seed": survey.seed, "left_out": left_out}
    survey.announcements = [*survey.announcements, entry]
    details: dict[str, object] = {"people": sizes.population, "list": found[:16]}
    record_survey(db, survey, action="survey_announced", actor=actor, now=now, details=details)
    return survey


def withdraw_announcement(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> Survey:
    """Take the announced list back; that it was announced stays to be seen. Twice is harmless. Raises SurveyDrawn."""
    lock_survey(db, survey)
    if survey.drawn_at is not None:
        raise SurveyDrawn
    if survey.announced is not None:
        survey.announcements = [*survey.announcements[:-1], {**survey.announcements[-1], "withdrawn_at": to_ms(now)}]
        survey.frame, survey.frame_digest = None, None
        record_survey(db, survey, action="survey_announcement_withdrawn", actor=actor, now=now)
    return survey
