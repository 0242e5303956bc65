"""The way of a reviewer through the work list, and what an item's page shows of looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from quizapp.accounts.queries import names_of
from quizapp.banks.forms import LookForm
from quizapp.banks.models import ItemLook, ItemState
from quizapp.banks.stock import FoundItem, Said, find_look, looks_of, next_waiting, said_of, waiting_items
from quizapp.core.scope import Permission
from quizapp.core.web import get_scope


@dataclass(frozen=True)
class Trail:
    """The part of the work list that a reviewer goes through, as it stands in addresses; `on` where he goes through it item by item."""

    bank: str | None
    flag: str | None
    on: bool

    @property
    def query(self) -> dict[str, Any]:
        """Its filters."""
        return {"bank": self.bank, "flag": self.flag}

    def item(self, code: str) -> str:
        """The page of an item of it."""
        return url_for("banks.item", code=code, work=1, **self.query)


def read_trail(values: MultiDict[str, str]) -> Trail:
    """From an address or a form."""
    bank, flag = values.get("bank", "")[:40], values.get("flag", "")[:40]
    return Trail(bank or None, flag or None, values.get("work") == "1")


@dataclass(frozen=True)
class Looks:
    """What an item's page shows of looks."""

    said: Said
    #: The one that nobody took back.
    standing: ItemLook | None
    #: Whether it holds today.
    holds: bool
    #: What the answers show since.
    new_flags: list[str]
    #: Every look, newest first: it, the number of its version, and its state: holds, outdated, taken_back, ended, earlier.
    history: list[tuple[ItemLook, int, str]]
    names: dict[int, str]
    trail: Trail
    #: How many wait in the trail, and the one after this.
    waiting: int
    following: str | None
    may_look: bool
    form: LookForm


def looks_at(db: Session, found: FoundItem, trail: Trail, form: LookForm) -> Looks:
    """What the page of an item shows of looks, for whoever reads it."""
    said, standing = said_of(db, found.version.id), find_look(db, found.version.id)
    holds = standing is not None and standing.holds(said.flags, said.asked)
    history = [
        (look, version.number, _state(look, holds=holds, present=version.id == found.version.id))
        for look, version in looks_of(db, found.item.id)
    ]
    waiting = waiting_items(db, **trail.query) if trail.on else []
    return Looks(
        said=said,
        standing=standing,
        holds=holds,
        new_flags=standing.new_flags(said.flags) if standing else [],
        history=history,
        names=dict(names_of(db, {one for look, *_rest in history for one in (look.looked_by, look.taken_back_by)})),
        trail=trail,
        waiting=len(waiting),
        following=next_waiting(waiting, harm=said.harm, code=found.item.code),
        may_look=get_scope().allows(Permission.REVIEW_ITEMS) and found.item.state != ItemState.RETIRED,
        form=form,
    )


def _state(look: ItemLook, *, holds: bool, present: bool) -> str:
    if look.taken_back_by is not None:
        return "taken_back"
    if look.ended_at is not None:
        return "ended"
    if not present:
        return "earlier"
    return "holds" if holds else "outdated"
