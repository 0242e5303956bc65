"""A person's own row and personal codes: erasing them, giving them out."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, aliased

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
from quizapp.organisation.models import Industry, OrgUnit, Person, PersonalCode


def erase(db: Session, erasing: Erasing) -> None:
    """Empty the rows and delete the codes. The unit stays: coverage counts the row, as it did before."""
    db.execute(delete(PersonalCode).where(PersonalCode.person_id.in_(erasing.person_ids)))
    db.execute(
        update(Person)
        .where(Person.id.in_(erasing.person_ids))
        .values(
            name="",
            name_key="",
            phone_encrypted=None,
            phone_hash=None,
            device_hash=None,
            birth_year=None,
            sex=None,
            education=None,
            key_group=None,
            job_role=None,
            erased_at=erasing.now,
        )
    )


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """What is known of the person, each row that stands for them, and their codes."""
    unit = aliased(OrgUnit)
    people = db.execute(
        select(Person, unit.name, Industry.name)
        .outerjoin(unit, unit.id == Person.unit_id)
        .outerjoin(Industry, Industry.id == Person.industry_id)
        .where(Person.id.in_(exporting.person_ids))
        .order_by(Person.id)
    ).all()
    codes = db.scalars(
        select(PersonalCode).where(PersonalCode.person_id.in_(exporting.person_ids)).order_by(PersonalCode.id)
    )
    return [
        ExportSection(
            "person",
            tuple(
                {
                    "name": person.name,
                    "phone": exporting.keys.decrypt_phone(person.phone_encrypted) if person.phone_encrypted else None,
                    "unit": unit_name,
                    "industry": industry,
                    "birth_year": person.birth_year,
                    "sex": person.sex,
                    "education": person.education,
                    "key_group": person.key_group,
                    "job_role": person.job_role,
                    "source": person.source,
                    "rostered_on": person.rostered_on,
                    "created_at": person.created_at,
                }
                for person, unit_name, industry in people
            ),
        ),
        ExportSection(
            "personal_code",
            tuple({"code": one.code, "issued_at": one.issued_at, "revoked_at": one.revoked_at} for one in codes),
        ),
    ]


add_erase_person(
    ErasePersonPart(
        name="organisation",
        empties=("person.phone_encrypted", "person.phone_hash", "person.device_hash", "personal_code.person_id"),
        stays={
            "person.merged_into_id": "which rows were one person; each of them is emptied",
            "person_merge.kept_id": "the record of a merge, ids alone; an erasure ends its undo",
            "person_merge.merged_id": "the record of a merge, ids alone; an erasure ends its undo",
        },
        do=erase,
    )
)
add_export_person(
    ExportPersonPart(
        name="organisation",
        reads=("person", "personal_code"),
        leaves={"person_merge": "ids of rows alone; the rows themselves are given"},
        do=export,
    )
)
add_inventory(
    InventoryPart(
        name="organisation",
        entries=(
            InventoryEntry("contact", ("person",), "identify", "contact"),
            InventoryEntry("codes", ("personal_code",), "door", "person"),
            InventoryEntry("merges", ("person_merge",), "count_once", "lasting"),
        ),
    )
)
