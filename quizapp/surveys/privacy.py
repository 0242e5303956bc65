"""Invitations, when a person is erased or asks what is known. The place in the sample stays with its stratum and its weight: an
estimate that was made does not change."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.core.privacy_parts import (
    ErasePersonPart,
    Erasing,
    Exporting,
    ExportPersonPart,
    ExportSection,
    InventoryEntry,
    InventoryPart,
    add_erase_person,
    add_export_person,
    add_inventory,
)
from quizapp.surveys.models import Survey, SurveyInvitation


def erase(db: Session, erasing: Erasing) -> None:
    """Their cards open nothing any more."""
    db.execute(
        update(SurveyInvitation)
        .where(SurveyInvitation.person_id.in_(erasing.person_ids))
        .values(secret_hash=None)
        .execution_options(synchronize_session=False)
    )


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """In which surveys they were drawn."""
    rows = db.execute(
        select(SurveyInvitation, Survey.title, Survey.drawn_at)
        .join(Survey, Survey.id == SurveyInvitation.survey_id)
        .where(SurveyInvitation.person_id.in_(exporting.person_ids))
        .order_by(SurveyInvitation.id)
    )
    return [
        ExportSection(
            "survey_invitation",
            tuple(
                {"title": title, "at": drawn_at, "outcome": one.outcome, "started": one.attempt_id is not None}
                for one, title, drawn_at in rows
            ),
        )
    ]


add_erase_person(
    ErasePersonPart(
        name="surveys",
        empties=("survey_invitation.secret_hash",),
        stays={"survey_invitation.person_id": "the sample stays as it was drawn; it leads to an emptied row"},
        do=erase,
    )
)
add_export_person(ExportPersonPart(name="surveys", reads=("survey_invitation",), do=export))
add_inventory(
    InventoryPart(
        name="surveys",
        entries=(InventoryEntry("invitations", ("survey_invitation", "survey"), "literacy", "lasting"),),
    )
)
