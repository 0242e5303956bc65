"""Certificates, when two persons are merged: they go to the one who stays. Where both hold a valid one for the same run, the merged
one's stays where it is, valid as it was printed, and is reached through the merge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from quizapp.certificates.models import Certificate
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


def preview(db: Session, kept_id: int, merged_id: int) -> list[MergeFact]:
    """How many certificates each has; `both`: those that stay because the other holds one for the same run."""
    kept, merged = (
        db.scalar(select(func.count()).where(Certificate.person_id == person_id)) or 0
        for person_id in (kept_id, merged_id)
    )
    return [MergeFact("certificates", kept, merged, len(_doubles(db, kept_id, merged_id)))]


def do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Move all but those for which the partial unique index has no room."""
    doubles = _doubles(db, merging.kept_id, merging.merged_id)
    ids = list(
        db.scalars(
            select(Certificate.id)
            .where(Certificate.person_id == merging.merged_id, Certificate.id.not_in(doubles))
            .order_by(Certificate.id)
            .with_for_update(of=Certificate)
        )
    )
    db.execute(update(Certificate).where(Certificate.id.in_(ids)).values(person_id=merging.kept_id))
    return {"certificates": ids}


def undo(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Move them back."""
    db.execute(
        update(Certificate)
        .where(Certificate.id.in_(moved["certificates"]), Certificate.person_id == merging.kept_id)
        .values(person_id=merging.merged_id)
    )


def _doubles(db: Session, kept_id: int, merged_id: int) -> list[int]:
    """The valid certificates of the merged one for runs of which the other holds a valid one."""
    valid = Certificate.revoked_at.is_(None)
    runs = select(Certificate.run_id).where(Certificate.person_id == kept_id, valid)
    return list(
        db.scalars(
            select(Certificate.id).where(Certificate.person_id == merged_id, valid, Certificate.run_id.in_(runs))
        )
    )


add_merge_person(
    MergePersonPart(name="certificates", moves=("certificate.person_id",), preview=preview, do=do, undo=undo)
)


def _no_facts(_db: Session, _units: Select[int], _now: datetime) -> list[UnitFact]:
    return []


def _no_rows(_db: Session, _merging: UnitMerging) -> dict[str, list[int]]:
    return {}


def _nothing_back(_db: Session, _merging: UnitMerging, _moved: dict[str, list[int]]) -> None:
    return


add_merge_unit(
    MergeUnitPart(
        name="certificates",
        moves=(),
        stays={
            "certificate.unit_id": "the unit of the day of issue",
            "certificate.unit_path": "the unit's path of the day of issue",
        },
        preview=_no_facts,
        do=_no_rows,
        undo=_nothing_back,
    )
)
