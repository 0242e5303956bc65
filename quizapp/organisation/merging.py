"""Two rows that are one person: looking at it beforehand, doing it, taking it back.

What happens to the rows of each feature is that feature's part (`core.registry.MergePersonPart`); here stand what holds for all of them
(who may, which rows are locked, in what order) and the part of the person's own row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.db import Base
from quizapp.core.errors import NotFound
from quizapp.core.registry import (
    MERGE_PERSON,
    MergeFact,
    MergePersonPart,
    PartMissing,
    PersonMerging,
    add_merge_person,
    unanswered_person_columns,
)
from quizapp.core.scope import Actor, Permission
from quizapp.organisation.errors import LaterMergeFirst, MergeSamePerson, MergeTooOld, PersonErased, PersonIsMerged
from quizapp.organisation.models import OrgUnit, Person, PersonMerge

#: For how long a merge can be taken back.
UNDO_DAYS = 30


def preview_merge(db: Session, *, kept_id: int, merged_id: int) -> list[MergeFact]:
    """What the two have and what would become of it, by every part, in the parts' order. Changes nothing."""
    return [fact for part in _parts() for fact in part.preview(db, kept_id, merged_id)]


def merge_people(db: Session, *, kept_id: int, merged_id: int, actor: Actor, now: datetime) -> PersonMerge:
    """Let one person stand for both. Nothing that is known of the one who stays is changed; the other's row stays and leads to them.

    Twice is harmless. Raises MergeSamePerson, NotFound (out of reach), PersonIsMerged, PersonErased, and what a part refuses.
    """
    if kept_id == merged_id:
        raise MergeSamePerson
    parts = _parts()
    kept, merged = _lock(db, actor, kept_id, merged_id)
    if merged.merged_into_id == kept.id:
        return db.scalars(
            select(PersonMerge).where(PersonMerge.merged_id == merged.id, PersonMerge.undone_at.is_(None))
        ).one()
    if kept.merged_into_id is not None or merged.merged_into_id is not None:
        raise PersonIsMerged
    if not kept.name or not merged.name:
        raise PersonErased
    merging = PersonMerging(kept.id, merged.id, actor, now)
    facts = [(fact.kind, fact.merged, fact.both) for fact in preview_merge(db, kept_id=kept.id, merged_id=merged.id)]
    moved = {"facts": facts} | {part.name: part.do(db, merging) for part in parts}
    merge = PersonMerge(kept_id=kept.id, merged_id=merged.id, moved=moved, done_by=actor.account_id, done_at=now)
    db.add(merge)
    db.flush()
    _record(db, actor, "person_merged", kept, merge, now)
    return merge


def undo_merge(db: Session, *, merge: PersonMerge, actor: Actor, now: datetime) -> PersonMerge:
    """Take a merge back: every row that it moved returns; what came for the one who stayed since then stays with them.

    Twice is harmless. Raises NotFound (out of reach), MergeTooOld, PersonErased (an erasure ends it), LaterMergeFirst (another merge
    stands on top of this one).
    """
    parts = _parts()
    kept, merged = _lock(db, actor, merge.kept_id, merge.merged_id)
    db.refresh(merge)
    if merge.undone_at is not None:
        return merge
    if now > undo_until(merge):
        raise MergeTooOld(days=UNDO_DAYS)
    if not kept.name or not merged.name:
        raise PersonErased
    if find_later_merge(db, merge) is not None:
        raise LaterMergeFirst
    merging = PersonMerging(kept.id, merged.id, actor, now)
    for part in reversed(parts):
        if part.name in merge.moved:
            part.undo(db, merging, merge.moved[part.name])
    merge.undone_by, merge.undone_at = actor.account_id, now
    _record(db, actor, "person_merge_undone", kept, merge, now)
    return merge


def undo_until(merge: PersonMerge) -> datetime:
    """The last instant at which a merge can be taken back."""
    return merge.done_at + timedelta(days=UNDO_DAYS)


def find_later_merge(db: Session, merge: PersonMerge) -> int | None:
    """A merge that was done on top of this one and stands: it must be taken back before."""
    both = (merge.kept_id, merge.merged_id)
    return db.scalar(
        select(PersonMerge.id)
        .where(
            PersonMerge.id > merge.id,
            PersonMerge.undone_at.is_(None),
            or_(PersonMerge.kept_id.in_(both), PersonMerge.merged_id.in_(both)),
        )
        .limit(1)
    )


def lock_people(db: Session, *person_ids: int) -> dict[int, Person]:
    """Take persons for update, in the order of their ids, so that two merges never wait for each other.

    Whoever is writing a row for one of them (`hold_person`, a start of an attempt) is waited for, and waits.
    """
    rows = db.scalars(
        select(Person)
        .where(Person.id.in_(person_ids))
        .order_by(Person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {person.id: person for person in rows}


def _lock(db: Session, actor: Actor, kept_id: int, merged_id: int) -> tuple[Person, Person]:
    found = lock_people(db, kept_id, merged_id)
    for person_id in (kept_id, merged_id):
        person = found.get(person_id)
        if person is None or not _reaches(db, actor, person):
            raise NotFound
    return found[kept_id], found[merged_id]


def _reaches(db: Session, actor: Actor, person: Person) -> bool:
    """The same rule as `people_search.in_reach`, for one person."""
    if actor.system:
        return True
    unit = db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None
    return actor.scope.covers(Permission.MERGE_PEOPLE, unit.path if unit else None, person.industry_id)


def _parts() -> list[MergePersonPart]:
    parts = list(MERGE_PERSON.values())
    if missing := unanswered_person_columns(Base.metadata, parts):
        raise PartMissing(f"no part of a merge of persons answers for {', '.join(missing)}")
    return parts


def _record(db: Session, actor: Actor, action: str, kept: Person, merge: PersonMerge, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="person",
        object_id=kept.id,
        unit_id=kept.unit_id,
        details={"merge_id": merge.id, "merged_id": merge.merged_id},
        now=now,
    )


def _preview(_db: Session, _kept_id: int, _merged_id: int) -> list[MergeFact]:
    return []  # the two rows are shown side by side


def _do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    _lead(db, merging.merged_id, merging.kept_id)
    return {}


def _undo(db: Session, merging: PersonMerging, _moved: dict[str, Any]) -> None:
    _lead(db, merging.merged_id, None)


def _lead(db: Session, person_id: int, into: int | None) -> None:
    db.execute(update(Person).where(Person.id == person_id).values(merged_into_id=into))


add_merge_person(
    MergePersonPart(
        name="organisation",
        moves=("person.merged_into_id",),
        stays={
            "personal_code.person_id": "a printed card goes on working: it is read as the one who stays (hold_person)",
            "person_merge.kept_id": "the record of what was merged",
            "person_merge.merged_id": "the record of what was merged",
        },
        preview=_preview,
        do=_do,
        undo=_undo,
    )
)
