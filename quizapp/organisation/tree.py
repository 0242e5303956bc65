"""The shape of the unit tree: who may change it, one after the other, and moving a unit with all below it.

A path names every unit above, so that a move writes the paths of all below it, in one transaction. Two rules keep them true:

- Whoever changes the shape (a move, a merge, an import of units) takes `lock_tree` first: two moves never make a circle.
- Whoever starts an attempt of a unit, or hangs a unit below it, holds that unit (`hold_unit`) until the transaction ends; the change
  takes all units whose paths it writes (`lock_below`) and waits for them. Holders do not wait for each other.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.errors import Forbidden, NotFound
from quizapp.core.registry import BEFORE_MOVE
from quizapp.core.scope import Actor, Permission, below
from quizapp.organisation.errors import MoveBelowItself, UnitClosed, UnitIsMerged, UnitTooDeep
from quizapp.organisation.models import OrgUnit, UnitMerge

#: PostgreSQL: changes of the tree's shape take turns.
_LOCK = 7_310_002
#: Characters of the longest path that is stored.
MOST_PATH = 255


def lock_tree(db: Session) -> None:
    """Wait until nobody else changes the tree's shape. (SQLite has one writer.)"""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(text(str(_LOCK)))))


def hold_unit(db: Session, unit_id: int) -> OrgUnit | None:
    """A unit as it stands now; it keeps its place, and stays open where it is, until the transaction ends."""
    return db.scalar(
        select(OrgUnit)
        .where(OrgUnit.id == unit_id)
        .with_for_update(read=True, key_share=True)
        .execution_options(populate_existing=True)
    )


def lock_below(db: Session, unit: OrgUnit) -> list[int]:
    """Take a unit and all below it for update; gives their keys.

    While some are waited for, somebody may still hang a new unit below one of them: it is asked again until nothing new is found.
    """
    found: list[int] = []
    while True:
        ids = list(
            db.scalars(select(OrgUnit.id).where(below(OrgUnit.path, unit.path)).order_by(OrgUnit.id).with_for_update())
        )
        if len(ids) == len(found):
            return ids
        found = ids


def move_unit(db: Session, *, unit: OrgUnit, parent: OrgUnit | None, actor: Actor, now: datetime) -> OrgUnit:
    """Put a unit, with all below it, under another one (None: at the top). What was recorded keeps the path of its day.

    Twice is harmless. It takes a grant over the unit, over the unit above it and over the new one. Raises NotFound and Forbidden (out of
    reach), MoveBelowItself, UnitClosed (the new parent), UnitIsMerged, UnitTooDeep.
    """
    check_reach(actor, unit)
    lock_tree(db)
    db.refresh(unit)
    before = unit.parent_id
    if before == (parent.id if parent else None):
        return unit
    if parent is not None:
        parent = hold_unit(db, parent.id)
        if parent is None:
            raise NotFound
    check_reach(actor, unit)
    check_reach(actor, parent)
    _check_above(db, actor, unit)
    if parent is not None and parent.path.startswith(unit.path):
        raise MoveBelowItself(field="parent")
    if parent is not None and parent.closed_at is not None:
        raise UnitClosed(field="parent")
    check_not_merged(db, unit)
    count = set_parent(db, unit, parent, now)
    record(
        db,
        actor=actor,
        action="unit_moved",
        object_type="org_unit",
        object_id=unit.id,
        unit_id=unit.id,
        details={"from_parent_id": before, "parent_id": unit.parent_id, "units": count},
        now=now,
    )
    return unit


def set_parent(db: Session, unit: OrgUnit, parent: OrgUnit | None, now: datetime) -> int:
    """Hang a unit below another and write the paths of all below it; gives how many units these are. Raises UnitTooDeep.

    The caller has the tree's lock and has looked that no circle comes of it.
    """
    count = len(lock_below(db, unit))
    old, new = unit.path, f"{parent.path if parent else '/'}{unit.id}/"
    longest = db.scalar(select(func.max(func.length(OrgUnit.path))).where(below(OrgUnit.path, old))) or 0
    if longest - len(old) + len(new) > MOST_PATH:
        raise UnitTooDeep(field="parent")
    for write in BEFORE_MOVE.values():
        write(db, old, now)
    unit.parent_id = parent.id if parent else None
    db.flush()
    db.execute(
        update(OrgUnit)
        .where(below(OrgUnit.path, old))
        .values(path=new + func.substr(OrgUnit.path, len(old) + 1))
        .execution_options(synchronize_session=False)
    )
    db.expire_all()
    return count


def check_reach(actor: Actor, unit: OrgUnit | None) -> None:
    """The actor manages this unit; None stands for the whole tree. A unit out of reach looks like none."""
    if actor.system:
        return
    if not actor.scope.covers(Permission.MANAGE_UNITS, unit.path if unit else None):
        raise NotFound if unit is not None else Forbidden


def reaches_above(db: Session, actor: Actor, unit: OrgUnit) -> bool:
    """Whether the actor also manages the unit above: who takes a unit away from there must be responsible for both."""
    above = db.get(OrgUnit, unit.parent_id) if unit.parent_id is not None else None
    return actor.system or actor.scope.covers(Permission.MANAGE_UNITS, above.path if above else None)


def check_not_merged(db: Session, unit: OrgUnit) -> None:
    """Raise UnitIsMerged for a unit that stands for itself no more."""
    if find_standing_merge(db, unit.id) is not None:
        raise UnitIsMerged(field="unit_id")


def find_standing_merge(db: Session, unit_id: int) -> UnitMerge | None:
    """The merge by which a unit became part of another, unless it was taken back."""
    return db.scalar(select(UnitMerge).where(UnitMerge.merged_id == unit_id, UnitMerge.undone_at.is_(None)))


def _check_above(db: Session, actor: Actor, unit: OrgUnit) -> None:
    if not reaches_above(db, actor, unit):
        raise Forbidden
