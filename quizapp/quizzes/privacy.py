"""Attempts, when a person is erased or asks what is known: results stay as anonymous rows, what opened them goes."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

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
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery, Response, TransferCode
from quizapp.quizzes.rescoring.models import ExtraTime, Voiding


def erase(db: Session, erasing: Erasing) -> None:
    """Empty every secret, receipt and device. An attempt that still runs can be answered no more and is scored at its deadline."""
    mine = _of(erasing)
    db.execute(delete(TransferCode).where(TransferCode.attempt_id.in_(select(Attempt.id).where(mine))))
    # words about an attempt may name who took it
    db.execute(update(Voiding).where(Voiding.attempt_id.in_(select(Attempt.id).where(mine))).values(reason=""))
    # no secret hashes to nothing: such an attempt opens for nobody
    db.execute(
        update(Attempt).where(mine).values(secret_hash=b"", reader_hash=None, device_hash=None, receipt_hash=None)
    )


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """Every attempt with its answers. Questions and right answers are the test's, not the person's."""
    mine = _of(exporting)
    rows = db.execute(
        select(Attempt, Delivery.title, Delivery.max_score, OrgUnit.name)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attempt.unit_id)
        .where(mine)
        .order_by(Attempt.started_at, Attempt.id)
    ).all()
    answers: dict[int, list[dict[str, object]]] = defaultdict(list)
    for response in db.scalars(
        select(Response)
        .where(Response.attempt_id.in_(select(Attempt.id).where(mine)))
        .order_by(Response.attempt_id, Response.position)
    ):
        answers[response.attempt_id].append(
            {"position": response.position, "answer": response.answer, "saved_at": from_ms(response.saved_at)}
        )
    more_time = db.execute(
        select(Delivery.title, ExtraTime.seconds, ExtraTime.given_at)
        .join(Delivery, Delivery.id == ExtraTime.delivery_id)
        .where(ExtraTime.person_id.in_(exporting.person_ids))
        .order_by(ExtraTime.id)
    )
    return [
        ExportSection(
            "extra_time",
            tuple({"title": row[0], "minutes": row[1] / 60, "at": from_ms(row[2])} for row in more_time),
        ),
        ExportSection(
            "attempt",
            tuple(
                {
                    "title": title,
                    "started_at": from_ms(attempt.started_at),
                    "closed_at": from_ms(attempt.closed_at) if attempt.closed_at is not None else None,
                    "state": attempt.state,
                    "score": attempt.score,
                    "max_score": max_score,
                    "passed": attempt.passed,
                    "first": attempt.is_first,
                    "identity_level": attempt.identity_level,
                    "unit": unit,
                    "age_band": attempt.age_band,
                    "sex": attempt.sex,
                    "education": attempt.education,
                    "key_group": attempt.key_group,
                    "answers": answers[attempt.id],
                }
                for attempt, title, max_score, unit in rows
            ),
        ),
    ]


def _of(person: Erasing | Exporting) -> ColumnElement[bool]:
    return or_(Attempt.person_id.in_(person.person_ids), Attempt.account_id.in_(person.account_ids))


add_erase_person(
    ErasePersonPart(
        name="quizzes",
        empties=(
            "attempt.secret_hash",
            "attempt.reader_hash",
            "attempt.device_hash",
            "attempt.receipt_hash",
            "transfer_code.code_hash",
            "voiding.reason",
        ),
        stays={
            "attempt.person_id": "persons are counted by it; it leads to an emptied row",
            "extra_time.person_id": "why an attempt took longer; it leads to an emptied row",
        },
        do=erase,
    )
)
add_export_person(ExportPersonPart(name="quizzes", reads=("attempt", "response", "extra_time"), do=export))
add_inventory(
    InventoryPart(
        name="quizzes",
        entries=(
            InventoryEntry("attempts", ("attempt", "response", "late_response"), "figures", "attempts"),
            InventoryEntry("changed_attempts", ("extra_time", "result_change", "voiding"), "fair", "attempts"),
            InventoryEntry("transfers", ("transfer_code",), "change_phone", "day"),
        ),
    )
)
