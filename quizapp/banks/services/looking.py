"""A reviewer looks at an item whose answers say that something is wrong, and finds nothing wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.banks.errors import LookOutdated, NothingFlagged
from quizapp.banks.models import ItemLook, ItemState
from quizapp.banks.stock import find_look, get_item, get_look, said_of
from quizapp.core.db import insert_once
from quizapp.core.scope import Actor


def look_at(
    db: Session, *, code: str, version: int, flags: Collection[str], note: str, actor: Actor, now: datetime
) -> ItemLook:
    """Note that the item is fine in spite of its flags. `version` (its number) and `flags`: what the reviewer saw.

    Gives the look that stands now: another's, where somebody was quicker; what was typed then stays in the item's history beside it. The
    note is never written to the log. Raises NotFound, LookOutdated, NothingFlagged.
    """
    found = get_item(db, code)
    said = said_of(db, found.version.id)
    if found.item.state == ItemState.RETIRED or not said.flags:
        raise NothingFlagged
    if found.version.number != version or not set(said.flags) <= set(flags):
        raise LookOutdated
    words = note.strip() or None
    values = {
        "item_version_id": found.version.id,
        "flags": said.flags,
        "asked": said.asked,
        "note": words,
        "looked_by": actor.account_id,
        "looked_at": now,
    }
    standing = find_look(db, found.version.id)
    if standing is not None and not standing.holds(said.flags, said.asked):
        db.execute(update(ItemLook).where(ItemLook.id == standing.id, ItemLook.ended_at.is_(None)).values(ended_at=now))
        standing = None
    if standing is None and insert_once(db, ItemLook, values, ["item_version_id"], ItemLook.ended_at.is_(None)):
        record(
            db,
            actor=actor,
            action="item_looked_at",
            object_type="item",
            object_id=found.item.id,
            details={"flags": said.flags},
            now=now,
        )
        words = None
    look = find_look(db, found.version.id)
    if look is None:  # taken back in this very moment
        raise LookOutdated
    if words is not None and (words, actor.account_id) != (look.note, look.looked_by):
        db.add(ItemLook(**values, ended_at=now))
        db.flush()
    return look


def take_look_back(db: Session, *, code: str, look_id: int, actor: Actor, now: datetime) -> None:
    """Put the item back among those to look at; what has ended already stays as it is. Raises NotFound."""
    look = get_look(db, code, look_id)
    ended = db.execute(
        update(ItemLook)
        .where(ItemLook.id == look.id, ItemLook.ended_at.is_(None))
        .values(ended_at=now, taken_back_by=actor.account_id)
        .returning(ItemLook.id)
    ).first()
    if ended is not None:
        item_id = get_item(db, code).item.id
        record(db, actor=actor, action="item_look_taken_back", object_type="item", object_id=item_id, now=now)
