"""Two units that become one: looking at it beforehand, doing it, taking it back.

The merged unit stays as a closed child of the other, so that what was recorded of it is found below the one that stays; the units below
it go to the one that stays. What is of today moves: that is each feature's part (`core.registry.MergeUnitPart`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.db import Base
from quizapp.core.errors import Forbidden, NotFound
from quizapp.core.registry import (
    MERGE_UNIT,
    MergeUnitPart,
    PartMissing,
    UnitFact,
    UnitMerging,
    add_merge_unit,
    unanswered_unit_columns,
)
from quizapp.core.scope import Actor, below
from quizapp.organisation.errors import (
    LaterMergeFirst,
    MergeIntoBelow,
    MergeSameUnit,
    MergeTooOld,
    UnitClosed,
    UnitIsMerged,
    UnitsChanged,
)
from quizapp.organisation.merging import UNDO_DAYS
from quizapp.organisation.models import OrgUnit, Person, UnitKind, UnitMerge
from quizapp.organisation.tree import (
    check_not_merged,
    check_reach,
    find_standing_merge,
    lock_below,
    lock_tree,
    reaches_above,
    set_parent,
)

Moved = dict[str, dict[str, list[int]]]


def facts_of(db: Session, unit: OrgUnit, now: datetime, *, alone: bool = False) -> list[UnitFact]:
    """What stands at a unit and all below it today, or (`alone`) at it without those below, by every part."""
    ids: Select[int] = select(OrgUnit.id).where(OrgUnit.id == unit.id if alone else below(OrgUnit.path, unit.path))
    return [fact for part in _parts() for fact in part.preview(db, ids, now)]


def merge_units(
    db: Session, *, kept_id: int, merged_id: int, carry_grants: bool = False, actor: Actor, now: datetime
) -> UnitMerge:
    """Let one unit stand for both. `carry_grants`: whoever had a grant at the merged unit gets it at the one that stays.

    Twice is harmless. It takes a grant over both units and over the unit above the merged one. Raises MergeSameUnit, NotFound and
    Forbidden (out of reach), UnitIsMerged, UnitClosed (the one that would stay), MergeIntoBelow, and what a part refuses.
    """
    if kept_id == merged_id:
        raise MergeSameUnit
    lock_tree(db)
    kept, merged = (_reached(db, actor, unit_id) for unit_id in (kept_id, merged_id))
    standing = find_standing_merge(db, merged.id)
    if standing is not None and standing.kept_id == kept.id:
        return standing
    if not reaches_above(db, actor, merged):
        raise Forbidden
    if standing is not None:
        raise UnitIsMerged
    check_not_merged(db, kept)
    if kept.path.startswith(merged.path):
        raise MergeIntoBelow
    facts = [(fact.kind, fact.count) for fact in facts_of(db, merged, now, alone=True)]
    merging = UnitMerging(kept.id, merged.id, carry_grants, actor, now)
    # Most rows move before the units are locked: whoever holds one of the rows may be about to ask for the unit. What comes in between
    # moves under the lock.
    moved = _do(db, merging)
    lock_below(db, merged)
    db.scalar(select(OrgUnit.id).where(OrgUnit.id == kept.id).with_for_update())
    db.refresh(kept)
    if kept.closed_at is not None:
        raise UnitClosed
    for part, tables in _do(db, merging).items():
        for table, ids in tables.items():
            moved[part][table] = sorted({*moved[part][table], *ids})
    children = list(db.scalars(select(OrgUnit).where(OrgUnit.parent_id == merged.id).order_by(OrgUnit.id)))
    tree = {"parent_id": merged.parent_id, "was_closed": merged.closed_at is not None}
    for child in children:
        set_parent(db, child, kept, now)
    set_parent(db, merged, kept, now)
    merged.closed_at = merged.closed_at or now
    merge = UnitMerge(
        kept_id=kept.id,
        merged_id=merged.id,
        moved={**tree, "children": [child.id for child in children], "facts": facts, "parts": moved},
        carry_grants=carry_grants,
        done_by=actor.account_id,
        done_at=now,
    )
    db.add(merge)
    db.flush()
    _record(db, actor, "unit_merged", merge, now)
    return merge


def undo_unit_merge(db: Session, *, merge: UnitMerge, actor: Actor, now: datetime) -> UnitMerge:
    """Take a merge back: the unit and those below it return to their places, and every row that moved and stands where it was put.

    What came to the unit that stayed since then stays there. Twice is harmless. Raises NotFound and Forbidden (out of reach), and what
    `find_obstacle` finds.
    """
    lock_tree(db)
    kept, merged = (_reached(db, actor, unit_id) for unit_id in (merge.kept_id, merge.merged_id))
    db.refresh(merge)
    if merge.undone_at is not None:
        return merge
    if (obstacle := find_obstacle(db, merge, now)) is not None:
        raise obstacle
    above = db.get(OrgUnit, merge.moved["parent_id"]) if merge.moved["parent_id"] is not None else None
    check_reach(actor, above)
    merging = UnitMerging(kept.id, merged.id, merge.carry_grants, actor, now)
    for part in reversed(_parts()):
        if part.name in merge.moved["parts"]:
            part.undo(db, merging, merge.moved["parts"][part.name])
    set_parent(db, merged, above, now)
    for child in _children(db, merge):
        set_parent(db, child, merged, now)
    if not merge.moved["was_closed"]:
        merged.closed_at = None
    merge.undone_by, merge.undone_at = actor.account_id, now
    _record(db, actor, "unit_merge_undone", merge, now)
    return merge


def find_obstacle(db: Session, merge: UnitMerge, now: datetime) -> MergeTooOld | LaterMergeFirst | UnitsChanged | None:
    """Why a merge cannot be taken back: it is too old, another stands on top of it, or somebody changed the tree there since."""
    if now > undo_until(merge):
        return MergeTooOld(days=UNDO_DAYS)
    involved = [merge.kept_id, merge.merged_id, *merge.moved["children"]]
    later = select(UnitMerge.id).where(
        UnitMerge.id > merge.id,
        UnitMerge.undone_at.is_(None),
        or_(UnitMerge.kept_id.in_(involved), UnitMerge.merged_id.in_(involved)),
    )
    if db.scalar(later.limit(1)) is not None:
        return LaterMergeFirst()
    merged, children = db.get_one(OrgUnit, merge.merged_id), _children(db, merge)
    below_merged = db.scalar(select(func.count()).where(OrgUnit.parent_id == merged.id))
    above_id = merge.moved["parent_id"]
    above = db.get(OrgUnit, above_id) if above_id is not None else None
    returning = (merged, *children)
    if (
        merged.closed_at is None
        or below_merged
        or any(unit.parent_id != merge.kept_id for unit in returning)
        or (
            above is not None and (above.closed_at is not None or any(above.path.startswith(u.path) for u in returning))
        )
    ):
        return UnitsChanged()
    return None


def undo_until(merge: UnitMerge) -> datetime:
    """The last instant at which a merge can be taken back."""
    return merge.done_at + timedelta(days=UNDO_DAYS)


def get_unit_merge(db: Session, in_scope: ColumnElement[bool], merge_id: int) -> tuple[UnitMerge, OrgUnit, OrgUnit]:
    """A merge whose kept unit is in the scope, with the two units. Raises NotFound."""
    merge = db.scalar(
        select(UnitMerge).join(OrgUnit, OrgUnit.id == UnitMerge.kept_id).where(UnitMerge.id == merge_id, in_scope)
    )
    if merge is None:
        raise NotFound
    return merge, db.get_one(OrgUnit, merge.kept_id), db.get_one(OrgUnit, merge.merged_id)


def move_rows(
    db: Session, column: Any, merging: UnitMerging, *conditions: ColumnElement[bool], values: Mapping[str, Any] = {}
) -> list[int]:
    """Give the rows of a table at the merged unit to the one that stays; what most parts do. Gives their keys."""
    model = column.class_
    rows = select(model.id).where(column == merging.merged_id, *conditions).order_by(model.id).with_for_update(of=model)
    ids = list(db.scalars(rows))
    if ids:
        changes = {column.key: merging.kept_id, **values}
        db.execute(update(model).where(model.id.in_(ids)).values(changes).execution_options(synchronize_session=False))
        db.expire_all()
    return ids


def return_rows(db: Session, column: Any, merging: UnitMerging, ids: list[int]) -> None:
    """Give them back, those that nobody has put elsewhere since."""
    model = column.class_
    db.execute(
        update(model)
        .where(model.id.in_(ids), column == merging.kept_id)
        .values({column.key: merging.merged_id})
        .execution_options(synchronize_session=False)
    )
    db.expire_all()


def _reached(db: Session, actor: Actor, unit_id: int) -> OrgUnit:
    unit = db.get(OrgUnit, unit_id, populate_existing=True)
    if unit is None:
        raise NotFound
    check_reach(actor, unit)
    return unit


def _children(db: Session, merge: UnitMerge) -> list[OrgUnit]:
    return list(
        db.scalars(
            select(OrgUnit)
            .where(OrgUnit.id.in_(merge.moved["children"]))
            .order_by(OrgUnit.id)
            .execution_options(populate_existing=True)
        )
    )


def _do(db: Session, merging: UnitMerging) -> Moved:
    return {part.name: part.do(db, merging) for part in _parts()}


def _parts() -> list[MergeUnitPart]:
    parts = list(MERGE_UNIT.values())
    if missing := unanswered_unit_columns(Base.metadata, parts):
        raise PartMissing(f"no part of a merge of units answers for {', '.join(missing)}")
    return parts


def _record(db: Session, actor: Actor, action: str, merge: UnitMerge, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="org_unit",
        object_id=merge.kept_id,
        unit_id=merge.kept_id,
        details={"merge_id": merge.id, "merged_id": merge.merged_id, "carry_grants": merge.carry_grants},
        now=now,
    )


def _preview(db: Session, units: Select[int], _now: datetime) -> list[UnitFact]:
    people = select(func.count()).where(Person.unit_id.in_(units), Person.merged_into_id.is_(None), Person.name != "")
    inside = select(func.count()).where(OrgUnit.id.in_(units), OrgUnit.closed_at.is_(None))
    enterprises = inside.where(OrgUnit.kind == UnitKind.ENTERPRISE.value)
    return [
        UnitFact("units", db.scalar(inside) or 0),
        UnitFact("enterprises", db.scalar(enterprises) or 0),
        UnitFact("people", db.scalar(people) or 0),
    ]


def _move_people(db: Session, merging: UnitMerging) -> dict[str, list[int]]:
    return {"person": move_rows(db, Person.unit_id, merging)}


def _return_people(db: Session, merging: UnitMerging, moved: dict[str, list[int]]) -> None:
    return_rows(db, Person.unit_id, merging, moved["person"])


add_merge_unit(
    MergeUnitPart(
        name="organisation",
        moves=("person.unit_id", "org_unit.parent_id"),
        stays={
            "unit_merge.kept_id": "the record of what was merged",
            "unit_merge.merged_id": "the record of what was merged",
            "import_batch.unit_id": "below which unit a file was brought in, which is history",
            "audit_event.unit_id": "the log is never changed; it is found through the closed child",
        },
        preview=_preview,
        do=_move_people,
        undo=_return_people,
    )
)
