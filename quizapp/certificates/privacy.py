"""Certificates, when a person is erased or asks what is known: one stays valid by its number, with nobody's name on it."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from quizapp.certificates.models import Certificate
from quizapp.certificates.services.printing import file_name
from quizapp.core.clock import from_ms
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
from quizapp.files.models import FileKind, StoredFile


def erase(db: Session, erasing: Erasing) -> None:
    """Empty what was typed about them, and delete the printed files that hold their name: they can be made again without it."""
    mine = Certificate.person_id.in_(erasing.person_ids)
    names = {file_name(run_id) for run_id in db.scalars(select(Certificate.run_id).where(mine).distinct())}
    db.execute(delete(StoredFile).where(StoredFile.kind == FileKind.RESULT.value, StoredFile.name.in_(names)))
    db.execute(update(Certificate).where(mine).values(revoke_reason=None))


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """Every certificate."""
    rows = db.scalars(
        select(Certificate).where(Certificate.person_id.in_(exporting.person_ids)).order_by(Certificate.id)
    )
    return [
        ExportSection(
            "certificate",
            tuple(
                {
                    "number": row.number,
                    "course": row.course_title,
                    "title": row.run_title,
                    "issuer": row.issuer,
                    "hours": row.hours_tenths / 10,
                    "issued_on": row.issued_on,
                    "valid_until": row.valid_until,
                    "revoked_at": from_ms(row.revoked_at) if row.revoked_at is not None else None,
                    "reason": row.revoke_reason,
                }
                for row in rows
            ),
        )
    ]


add_erase_person(
    ErasePersonPart(
        name="certificates",
        empties=("certificate.revoke_reason",),
        stays={"certificate.person_id": "the name is printed from the person's row, which is empty"},
        do=erase,
    )
)
add_export_person(ExportPersonPart(name="certificates", reads=("certificate",), do=export))
add_inventory(
    InventoryPart(name="certificates", entries=(InventoryEntry("certificates", ("certificate",), "proof", "lasting"),))
)
