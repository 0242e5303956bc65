"""Staff accounts, their links and their grants."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts import queries, services
from quizapp.accounts.errors import (
    AccountBeyond,
    GrantTooWide,
    LastAdministrator,
    LinkInvalid,
    UsernameTaken,
)
from quizapp.accounts.models import Account, AccountGrant
from quizapp.accounts.passwords import hash_password
from quizapp.accounts.queries import AuditSearch
from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit
from tests.conftest import START
from tests.factories import PASSWORD, make_account, make_unit

HASH = hash_password(PASSWORD)


def actor_of(db: Session, account: Account) -> Actor:
    actor = queries.find_actor(db, account.id, account.session_epoch)
    assert actor is not None
    return actor


def tree(db: Session) -> tuple[OrgUnit, OrgUnit, OrgUnit]:
    with transaction(db):
        district = make_unit(db, kind="district")
        return district, make_unit(db, district), make_unit(db, district)


def test_a_link_sets_the_password_once(either_db: Session, keys: Keys) -> None:
    _district, own, _foreign = tree(either_db)
    with transaction(either_db):
        account, secret = services.create_staff_account(
            either_db, username="LinXiao", name="林晓", role=Role.COORDINATOR, unit=own, actor=SYSTEM, now=START
        )
    assert queries.find_set_up(either_db, secret, START).id == account.id
    with transaction(either_db):
        services.use_set_up_link(either_db, secret=secret, username=None, password_hash=HASH, now=START)
    assert services.verify_sign_in(either_db, keys=keys, login="linxiao", password=PASSWORD).account.id == account.id
    assert account.session_epoch == 1
    with pytest.raises(LinkInvalid), transaction(either_db):
        services.use_set_up_link(either_db, secret=secret, username=None, password_hash=HASH, now=START)
    with pytest.raises(LinkInvalid):
        queries.find_set_up(either_db, secret, START)


def test_a_link_ends_after_seven_days_or_with_the_next_one(db: Session) -> None:
    with transaction(db):
        account = make_account(db)
        first = services.make_set_up_link(db, account=account, actor=SYSTEM, now=START)
        second = services.make_set_up_link(db, account=account, actor=SYSTEM, now=START)
    with pytest.raises(LinkInvalid):
        queries.find_set_up(db, first, START)
    with pytest.raises(LinkInvalid):
        queries.find_set_up(db, second, START + timedelta(days=7))
    with pytest.raises(LinkInvalid):
        queries.find_set_up(db, "no such link", START)


def test_a_name_to_sign_in_by_belongs_to_one_account(either_db: Session) -> None:
    with transaction(either_db):
        make_account(either_db, username="linxiao")
        other = make_account(either_db)
        secret = services.make_set_up_link(either_db, account=other, actor=SYSTEM, now=START)
    with pytest.raises(UsernameTaken), transaction(either_db):
        services.create_staff_account(
            either_db, username="linxiao", name="林", role=Role.TRAINER, unit=None, actor=SYSTEM, now=START
        )
    with pytest.raises(UsernameTaken), transaction(either_db):
        services.use_set_up_link(either_db, secret=secret, username="linxiao", password_hash=HASH, now=START)
    assert queries.find_set_up(either_db, secret, START).id == other.id


def test_the_first_start_makes_one_administrator_and_a_fresh_link_until_it_is_used(either_db: Session) -> None:
    with transaction(either_db):
        first = services.ensure_first_administrator(either_db, START)
    with transaction(either_db):
        second = services.ensure_first_administrator(either_db, START)
    assert first
    assert second
    assert first != second
    assert len(either_db.scalars(select(Account)).all()) == 1
    with transaction(either_db):
        account = services.use_set_up_link(either_db, secret=second, username="boss", password_hash=HASH, now=START)
    assert account.username == "boss"
    with transaction(either_db):
        assert services.ensure_first_administrator(either_db, START) is None
    grant = either_db.scalars(select(AccountGrant)).one()
    assert (grant.role, grant.unit_id, grant.industry_id) == ("administrator", None, None)


def test_nobody_grants_wider_than_their_own(db: Session) -> None:
    district, own, foreign = tree(db)
    with transaction(db):
        limited = make_account(db, (Role.ADMINISTRATOR, own))
        coordinator = make_account(db, (Role.COORDINATOR, None))
        target = make_account(db)
    for actor, unit in (
        (actor_of(db, limited), foreign),
        (actor_of(db, limited), district),
        (actor_of(db, limited), None),
        (actor_of(db, coordinator), own),
    ):
        with pytest.raises(GrantTooWide), transaction(db):
            services.create_grant(
                db, account=target, role=Role.TRAINER, unit=unit, industry=None, actor=actor, now=START
            )
    with transaction(db):
        services.create_grant(
            db,
            account=target,
            role=Role.COORDINATOR,
            unit=own,
            industry=None,
            actor=actor_of(db, limited),
            now=START,
        )
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "grant_created")).one()
    assert (event.account_id, event.object_id, event.unit_id) == (limited.id, target.id, own.id)


paths = st.sampled_from([None, "/1/", "/1/2/", "/1/3/", "/4/"])
industries = st.sampled_from([None, 1, 2])


@given(st.sampled_from(list(Role)), paths, industries, st.sampled_from(list(Role)), paths, industries)
def test_what_may_be_granted_lies_within_the_own_grant(
    own_role: Role, own_path: str | None, own_industry: int | None, role: Role, path: str | None, industry: int | None
) -> None:
    own = Scope((Grant(own_role, own_path, own_industry),))
    given_scope = Scope((Grant(role, path, industry),))
    if not services.may_grant(Actor(account_id=1, scope=own), role, path, industry):
        return
    for unit in ("/1/", "/1/2/", "/1/2/5/", "/1/3/", "/4/", "/9/"):
        for sector in (None, 1, 2):
            for grant in given_scope.grants:
                if grant.covers(unit, sector):
                    assert own.grants[0].covers(unit, sector)


def test_the_same_grant_twice_is_one(either_db: Session) -> None:
    _district, own, _ = tree(either_db)
    with transaction(either_db):
        target = make_account(either_db)
    for _ in range(2):
        with transaction(either_db):
            services.create_grant(
                either_db, account=target, role=Role.TRAINER, unit=own, industry=None, actor=SYSTEM, now=START
            )
    assert len(either_db.scalars(select(AccountGrant)).all()) == 1
    assert len(either_db.scalars(select(AuditEvent).where(AuditEvent.action == "grant_created")).all()) == 1


def test_a_revoked_grant_is_gone_with_the_next_request(db: Session) -> None:
    _district, own, _ = tree(db)
    with transaction(db):
        target = make_account(db, (Role.COORDINATOR, own))
    grant = db.scalars(select(AccountGrant)).one()
    with transaction(db):
        services.revoke_grant(db, account=target, grant_id=grant.id, actor=SYSTEM, now=START)
    assert actor_of(db, target).scope.grants == ()
    with pytest.raises(NotFound), transaction(db):
        services.revoke_grant(db, account=target, grant_id=grant.id, actor=SYSTEM, now=START)


def test_an_account_with_wider_grants_is_out_of_reach(db: Session) -> None:
    """A limited administrator may see a colleague, but whoever sets a password can act as the account."""
    _district, own, foreign = tree(db)
    with transaction(db):
        limited = make_account(db, (Role.ADMINISTRATOR, own))
        wider = make_account(db, (Role.TRAINER, own), (Role.TRAINER, foreign), unit=own)
        plain = make_account(db, (Role.TRAINER, own))
    actor = actor_of(db, limited)
    with pytest.raises(AccountBeyond), transaction(db):
        services.make_set_up_link(db, account=wider, actor=actor, now=START)
    with pytest.raises(AccountBeyond), transaction(db):
        services.suspend_account(db, account=wider, actor=actor, now=START)
    wide_grant = db.scalars(select(AccountGrant.id).where(AccountGrant.unit_id == foreign.id)).one()
    with pytest.raises(GrantTooWide), transaction(db):
        services.revoke_grant(db, account=wider, grant_id=wide_grant, actor=actor, now=START)
    with transaction(db):
        services.suspend_account(db, account=plain, actor=actor, now=START)
    assert plain.suspended_at == START
    with transaction(db):
        services.restore_account(db, account=plain, actor=actor, now=START)
    assert plain.suspended_at is None


def test_accounts_of_other_units_are_not_to_be_found(db: Session, keys: Keys) -> None:
    _district, own, foreign = tree(db)
    with transaction(db):
        limited = make_account(db, (Role.ADMINISTRATOR, own), name="甲")
        near = make_account(db, (Role.TRAINER, own), name="乙")
        far = make_account(db, (Role.TRAINER, foreign), name="丙")
        top = make_account(db, (Role.ADMINISTRATOR, None), name="丁")
        resident = make_account(db, phone="13800001234", keys=keys, unit=own)
    scope = actor_of(db, limited).scope
    assert [r.account.id for r in queries.list_accounts(db, scope, keys=keys)] == [limited.id, near.id]
    for account in (far, top):
        with pytest.raises(NotFound):
            queries.get_account(db, scope, account.id)
    found = queries.list_accounts(db, scope, keys=keys, text="138 0000 1234", residents=True)
    assert [r.account.id for r in found] == [resident.id]
    everything = actor_of(db, top).scope
    assert len(queries.list_accounts(db, everything, keys=keys, residents=True)) == 5
    assert [r.account.id for r in queries.list_accounts(db, everything, keys=keys, text="丙")] == [far.id]
    trainers = queries.list_accounts(db, everything, keys=keys, role=Role.TRAINER)
    assert [r.account.id for r in trainers] == [near.id, far.id]


def test_the_last_administrator_stays(either_db: Session) -> None:
    with transaction(either_db):
        first = make_account(either_db, (Role.ADMINISTRATOR, None))
        second = make_account(either_db, (Role.ADMINISTRATOR, None))
    grants = {g.account_id: g.id for g in either_db.scalars(select(AccountGrant))}
    with transaction(either_db):
        services.suspend_account(either_db, account=second, actor=SYSTEM, now=START)
    with pytest.raises(LastAdministrator), transaction(either_db):
        services.suspend_account(either_db, account=first, actor=SYSTEM, now=START)
    with pytest.raises(LastAdministrator), transaction(either_db):
        services.revoke_grant(either_db, account=first, grant_id=grants[first.id], actor=SYSTEM, now=START)


@pytest.mark.race
@pytest.mark.postgres
def test_two_administrators_who_revoke_each_other_leave_one(postgres_database: Database) -> None:
    with postgres_database.session() as db, transaction(db):
        accounts = [make_account(db, (Role.ADMINISTRATOR, None)).id for _ in range(2)]
    with postgres_database.session() as db:
        grants = {g.account_id: g.id for g in db.scalars(select(AccountGrant))}
    barrier = threading.Barrier(2)
    refused: list[LastAdministrator] = []

    def revoke(account_id: int) -> None:
        with postgres_database.session() as db:
            barrier.wait()
            try:
                with transaction(db):
                    account = db.get_one(Account, account_id)
                    services.revoke_grant(db, account=account, grant_id=grants[account_id], actor=SYSTEM, now=START)
            except LastAdministrator as error:
                refused.append(error)

    threads = [threading.Thread(target=revoke, args=(account_id,)) for account_id in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with postgres_database.session() as db:
        assert len(db.scalars(select(AccountGrant)).all()) == 1
    assert len(refused) == 1


@pytest.mark.race
@pytest.mark.postgres
def test_a_link_used_twice_at_once_sets_one_password(postgres_database: Database) -> None:
    with postgres_database.session() as db, transaction(db):
        account = make_account(db)
        secret = services.make_set_up_link(db, account=account, actor=SYSTEM, now=START)
    barrier = threading.Barrier(4)
    results: list[str] = []

    def use() -> None:
        with postgres_database.session() as db:
            barrier.wait()
            try:
                with transaction(db):
                    services.use_set_up_link(db, secret=secret, username=None, password_hash=HASH, now=START)
                results.append("set")
            except LinkInvalid:
                results.append("refused")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused", "refused", "refused", "set"]


def test_the_log_shows_only_the_own_units(db: Session) -> None:
    _district, own, foreign = tree(db)
    with transaction(db):
        limited = make_account(db, (Role.ADMINISTRATOR, own), username="limited")
        for unit in (own, foreign):
            services.create_staff_account(
                db, username=f"u{unit.id}xx", name="新", role=Role.TRAINER, unit=unit, actor=SYSTEM, now=START
            )
    scope = actor_of(db, limited).scope
    assert {row.event.unit_id for row in queries.search_audit(db, scope, AuditSearch())} == {own.id}
    everything = Scope((Grant(Role.ADMINISTRATOR, None),))
    assert {row.event.unit_id for row in queries.search_audit(db, everything, AuditSearch())} == {
        own.id,
        foreign.id,
        None,
    }
    assert queries.search_audit(db, everything, AuditSearch(who="nobody")) == []
    assert queries.search_audit(db, everything, AuditSearch(who="limited")) == []
    only = queries.search_audit(
        db,
        everything,
        AuditSearch(action="grant_created", object_type="account", start=START, end=START + timedelta(seconds=1)),
    )
    assert len(only) == 2
    assert queries.search_audit(db, everything, AuditSearch(action="grant_created", end=START)) == []
    assert (
        len(queries.search_audit(db, everything, AuditSearch(action="grant_created"), before_id=only[0].event.id)) == 1
    )
