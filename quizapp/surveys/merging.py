"""Invitations, when two persons are merged, and planned surveys, when two units are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from quizapp.core.registry import (
    MergeFact,
    MergePersonPart,
    MergeUnitPart,
    PersonMerging,
    UnitFact,
    UnitMerging,
    add_merge_person,
    add_merge_unit,
)
from quizapp.organisation.unit_merging import move_rows, return_rows
from quizapp.surveys.models import Survey, SurveyInvitation


def preview(db: Session, kept_id: int, merged_id: int) -> list[MergeFact]:
    """How many invitations each has; `both`: in how many surveys both were drawn."""
    counts = [
        db.scalar(select(func.count()).where(SurveyInvitation.person_id == person)) or 0
        for person in (kept_id, merged_id)
    ]
    surveys = select(SurveyInvitation.survey_id)
    meet = surveys.where(SurveyInvitation.person_id == kept_id).intersect(
        surveys.where(SurveyInvitation.person_id == merged_id)
    )
    return [
        MergeFact(
            "invitations", counts[0], counts[1], db.scalar(select(func.count()).select_from(meet.subquery())) or 0
        )
    ]


def do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Move them. Where both were drawn, two places of the sample were theirs: the second stays as it was drawn."""
    theirs = select(SurveyInvitation.survey_id).where(SurveyInvitation.person_id == merging.kept_id)
    moved = db.execute(
        update(SurveyInvitation)
        .where(SurveyInvitation.person_id == merging.merged_id, SurveyInvitation.survey_id.not_in(theirs))
        .values(person_id=merging.kept_id)
        .returning(SurveyInvitation.id)
        .execution_options(synchronize_session=False)
    )
    return {"invitations": sorted(moved.scalars())}


def undo(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Move back those that are still where they were put."""
    db.execute(
        update(SurveyInvitation)
        .where(SurveyInvitation.id.in_(moved["invitations"]), SurveyInvitation.person_id == merging.kept_id)
        .values(person_id=merging.merged_id)
        .execution_options(synchronize_session=False)
    )


add_merge_person(
    MergePersonPart(name="surveys", moves=("survey_invitation.person_id",), preview=preview, do=do, undo=undo)
)


def preview_units(db: Session, units: Select[int], _now: datetime) -> list[UnitFact]:
    """How many surveys are planned or go on."""
    count = select(func.count()).where(Survey.unit_id.in_(units), Survey.closed_at.is_(None))
    return [UnitFact("surveys", db.scalar(count) or 0)]


def move_plans(db: Session, merging: UnitMerging) -> dict[str, list[int]]:
    """Plans follow their people. What was drawn is a sample of the unit of its day and stays there."""
    return {"survey": move_rows(db, Survey.unit_id, merging, Survey.drawn_at.is_(None))}


def return_plans(db: Session, merging: UnitMerging, moved: dict[str, list[int]]) -> None:
    """Give them back."""
    return_rows(db, Survey.unit_id, merging, moved["survey"])


add_merge_unit(
    MergeUnitPart(name="surveys", moves=("survey.unit_id",), preview=preview_units, do=move_plans, undo=return_plans)
)
