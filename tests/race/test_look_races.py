"""Two reviewers who look at the same item at once, on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.banks.models import ItemLook
from quizapp.banks.services import look_at, looking
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor
from tests.conftest import START
from tests.factories import make_figure, make_items
from tests.race.gate import together

pytestmark = [pytest.mark.race, pytest.mark.postgres]
AT_ONCE = 5


@pytest.fixture
def roomy(postgres_database: Database) -> Database:
    """A pool that holds a connection for each of them."""
    return Database(postgres_database.url, pooled=False)


def look_together(roomy: Database, *, after: int | None = None) -> tuple[list[Any], int, int]:
    """As many as there are look at one item; `after`: when so many had answered, somebody looked at it before. Gives what each got, the
    looks that stand, and the lines of the log."""
    with roomy.session() as db, transaction(db):
        version = make_items(db, 1)[0]
        make_figure(db, version, flags=["too_easy"], asked=400)
        if after is not None:
            db.add(ItemLook(item_version_id=version.id, flags=["too_easy"], asked=after, looked_at=START))
            db.flush()
        code = version.item.code

    def look(number: int) -> Any:
        def do(db: Session) -> int:
            with transaction(db):
                return look_at(
                    db, code=code, version=1, flags=["too_easy"], note="", actor=Actor(account_id=number), now=START
                ).id

        return do

    results = together(roomy, [look(number) for number in range(1, AT_ONCE + 1)], table="item_look")
    with roomy.session() as db:
        standing = select(func.count(ItemLook.id)).where(ItemLook.ended_at.is_(None))
        return results, db.scalar(standing) or 0, db.scalar(select(func.count(AuditEvent.id))) or 0


@pytest.mark.parametrize("after", [None, 100], ids=["the first", "an outdated one stands"])
def test_of_reviewers_at_once_one_takes_the_look_and_all_get_it(roomy: Database, after: int | None) -> None:
    results, standing, logged = look_together(roomy, after=after)
    assert len(set(results)) == 1
    assert isinstance(results[0], int)
    assert (standing, logged) == (1, 1)


def test_without_the_constraint_each_would_take_one(roomy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the same reviewers look before they insert, and nothing else keeps them apart."""

    def insert(db: Session, model: type[ItemLook], values: dict[str, Any], *_conflict: Any) -> bool:
        db.add(model(**values))
        db.flush()
        return True

    monkeypatch.setattr(looking, "insert_once", insert)
    with roomy.session() as db, transaction(db):
        db.execute(text("DROP INDEX uq_item_look_standing"))
    _results, standing, _logged = look_together(roomy)
    assert standing > 1
