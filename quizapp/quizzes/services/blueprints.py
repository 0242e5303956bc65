"""The blueprints of the question banks, stored with them in one transaction: `banks.services.load_banks` calls the part below."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemBank
from quizapp.banks.parsed import ParsedBlueprint
from quizapp.banks.services import LOAD_PARTS
from quizapp.quizzes.models import QuizBlueprint


def store_blueprints(db: Session, blueprints: tuple[ParsedBlueprint, ...]) -> None:
    """Bring the stored blueprints to what the files say; they must have passed the checks of the banks.

    A blueprint that the files no longer have stays, because deliveries were made from it. Deliveries keep their own figures.
    """
    banks = dict(db.execute(select(ItemBank.code, ItemBank.id)).all())
    stored = {row.code: row for row in db.scalars(select(QuizBlueprint))}
    for parsed in blueprints:
        values = {
            "bank_id": banks[parsed.bank],
            "title": parsed.title,
            "description": parsed.description,
            "rules": parsed.rules,
        }
        row = stored.get(parsed.code)
        if row is None:
            db.add(QuizBlueprint(code=parsed.code, **values))
            continue
        for name, value in values.items():
            if getattr(row, name) != value:
                setattr(row, name, value)
    db.flush()


if store_blueprints not in LOAD_PARTS:
    LOAD_PARTS.append(store_blueprints)
