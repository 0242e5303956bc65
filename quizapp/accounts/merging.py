"""An account, when its person is merged with another: there is one at most, and it goes to the one who stays."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.accounts.errors import TwoAccounts
from quizapp.accounts.models import Account
from quizapp.core.registry import MergeFact, MergePersonPart, PersonMerging, add_merge_person


def preview(db: Session, kept_id: int, merged_id: int) -> list[MergeFact]:
    """Who of the two can sign in; two accounts are a refusal."""
    kept, merged = (_account_of(db, person_id) is not None for person_id in (kept_id, merged_id))
    return [MergeFact("account", int(kept), int(merged), refusal=TwoAccounts() if kept and merged else None)]


def do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Give the account to the one who stays. Raises TwoAccounts."""
    kept, merged = (_account_of(db, person_id) for person_id in (merging.kept_id, merging.merged_id))
    if merged is None:
        return {}
    if kept is not None:
        raise TwoAccounts
    _give(db, merged, merging.merged_id, merging.kept_id)
    return {"account": merged}


def undo(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Give it back."""
    if "account" in moved:
        _give(db, moved["account"], merging.kept_id, merging.merged_id)


def _account_of(db: Session, person_id: int) -> int | None:
    return db.scalar(select(Account.id).where(Account.person_id == person_id))


def _give(db: Session, account_id: int, before: int, after: int) -> None:
    db.execute(update(Account).where(Account.id == account_id, Account.person_id == before).values(person_id=after))


add_merge_person(MergePersonPart(name="accounts", moves=("account.person_id",), preview=preview, do=do, undo=undo))
