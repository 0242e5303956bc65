"""A coordinator who was moved to another unit this morning: the pages of yesterday say why, those of today open, with the same sign-in."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.models import AccountGrant
from quizapp.accounts.services import create_grant, revoke_grant
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Role
from tests.accounts.pages import sign_in
from tests.conftest import START
from tests.factories import make_account, make_delivery, make_unit


def test_who_was_moved_sees_the_new_unit_at_once_and_reads_why_the_old_is_gone(
    db: Session, database: Database, make_app: Callable[..., Flask]
) -> None:
    with transaction(db):
        before, after = make_unit(db, kind="street"), make_unit(db, kind="street")
        account = make_account(db, (Role.COORDINATOR, before), username="linxiao", unit=before)
        old, new = make_delivery(db, before).id, make_delivery(db, after).id
    client = make_app(database).test_client()
    sign_in(client, "linxiao")
    addresses = {
        before.id: (
            f"/deliveries/{old}",
            f"/reports/pass-rates?unit={before.id}",
            f"/reports/sessions?unit={before.id}",
        ),
        after.id: (f"/deliveries/{new}", f"/reports/pass-rates?unit={after.id}", f"/reports/sessions?unit={after.id}"),
    }
    for address in addresses[before.id]:
        assert client.get(address).status_code == 200
    with transaction(db):
        grant = db.scalars(select(AccountGrant.id).where(AccountGrant.account_id == account.id)).one()
        values = {"account": account, "actor": SYSTEM, "now": START}
        revoke_grant(db, grant_id=grant, **values)  # type: ignore[arg-type] # the three
        create_grant(db, role=Role.COORDINATOR, unit=after, industry=None, **values)  # type: ignore[arg-type] # the three
    for address in addresses[after.id]:
        assert client.get(address).status_code == 200
    for address in addresses[before.id]:
        gone = client.get(address)
        assert gone.status_code == 404
        assert "您的授权可能改过，或它已经转到别的单位" in gone.text
