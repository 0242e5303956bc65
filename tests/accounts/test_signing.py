"""Signing in and up, without pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from quizapp.accounts import queries, services
from quizapp.accounts.errors import PasswordPlain, PasswordShort, SignInFailed, UsernameInvalid
from quizapp.accounts.models import Account
from quizapp.accounts.passwords import check_password, hash_password, needs_rehash, verify_password
from quizapp.core.db import transaction
from quizapp.core.scope import Permission, Role
from quizapp.core.tokens import Keys
from quizapp.organisation.errors import UnitClosed
from quizapp.organisation.models import Person
from tests.conftest import START
from tests.factories import PASSWORD, make_account, make_unit

PHONE = "13800001234"


def sign_up(db: Session, keys: Keys, password: str = PASSWORD, **values: object) -> None:
    with transaction(db):
        services.sign_up(
            db,
            keys=keys,
            password_hash=hash_password(password),
            now=START,
            **{"phone": PHONE, "name": "李国强", "unit_id": None, **values},  # type: ignore[arg-type] # one dictionary of defaults
        )


def test_whoever_signed_up_signs_in_by_phone(either_db: Session, keys: Keys) -> None:
    sign_up(either_db, keys)
    verified = services.verify_sign_in(either_db, keys=keys, login="+86 138 0000 1234", password=PASSWORD)
    person = either_db.get_one(Person, verified.account.person_id)
    assert (person.source, person.name) == ("account", "李国强")
    assert verified.new_hash is None


def test_a_second_sign_up_changes_nothing_and_says_nothing(either_db: Session, keys: Keys) -> None:
    sign_up(either_db, keys)
    sign_up(either_db, keys, password="quite another word", name="别人")
    assert either_db.scalar(select(func.count()).select_from(Account)) == 1
    assert either_db.scalar(select(func.count()).select_from(Person)) == 1
    with pytest.raises(SignInFailed):
        services.verify_sign_in(either_db, keys=keys, login=PHONE, password="quite another word")


def test_a_sign_up_joins_nobody_on_a_roster(db: Session, keys: Keys) -> None:
    with transaction(db):
        db.add(Person(name="李国强", source="roster", phone_hash=keys.phone_hash(PHONE), created_at=START))
    sign_up(db, keys)
    account = db.scalars(select(Account)).one()
    assert db.get_one(Person, account.person_id).source == "account"


def test_a_closed_unit_takes_nobody(db: Session, keys: Keys) -> None:
    with transaction(db):
        unit = make_unit(db, closed_at=START)
    with pytest.raises(UnitClosed):
        sign_up(db, keys, unit_id=unit.id)


@pytest.mark.parametrize("case", ["unknown name", "unknown phone", "wrong password", "suspended", "no password yet"])
def test_every_refused_sign_in_is_the_same_refusal(db: Session, keys: Keys, case: str) -> None:
    with transaction(db):
        account = make_account(db, username="linxiao")
        make_account(db, phone=PHONE, keys=keys)
        if case == "suspended":
            account.suspended_at = START
        if case == "no password yet":
            account.password_hash = None
    login = {"unknown name": "nobody", "unknown phone": "13900000000"}.get(case, "linxiao")
    with pytest.raises(SignInFailed) as refused:
        services.verify_sign_in(
            db, keys=keys, login=login, password="wrong password" if case == "wrong password" else PASSWORD
        )
    assert refused.value.code == "sign_in_failed"


def test_an_older_hash_is_renewed_at_sign_in(db: Session, keys: Keys) -> None:
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with transaction(db):
        account = make_account(db, username="linxiao")
        account.password_hash = old
    verified = services.verify_sign_in(db, keys=keys, login="LinXiao ", password=PASSWORD)
    with transaction(db):
        services.complete_sign_in(db, verified=verified, now=START)
    assert account.password_hash != old
    assert not needs_rehash(account.password_hash or "")


def test_without_an_account_a_password_is_checked_all_the_same() -> None:
    assert not verify_password(None, "nobody's password")
    assert not verify_password("no hash at all", PASSWORD)
    assert not verify_password(hash_password(PASSWORD), "x" * 1000)


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    assert verify_password(hash_password("ＡＢＣ三片绿叶 12345"), "ABC三片绿叶 12345")


@pytest.mark.parametrize(
    "password",
    ["0123456789", "1234567890", "9876543210", "aaaaaaaaaaaa", "13800001234", "43210000831", "Password123", "x" * 129]
)  # fmt: skip
def test_what_everybody_guesses_first_is_no_password(password: str) -> None:
    with pytest.raises(PasswordPlain):
        check_password(password, PHONE, "linxiao")


@given(st.text(max_size=9))
def test_fewer_than_ten_characters_are_no_password(password: str) -> None:
    with pytest.raises(PasswordShort):
        check_password(password)


@pytest.mark.parametrize("name", ["", "ab", "13800001234", "林晓", "a b c", "x" * 41])
def test_a_name_to_sign_in_by_is_plain(name: str) -> None:
    with pytest.raises(UsernameInvalid):
        services.normalize_username(name)


def test_the_actor_has_todays_grants_in_one_query(either_db: Session) -> None:
    with transaction(either_db):
        unit = make_unit(either_db)
        account = make_account(either_db, (Role.COORDINATOR, unit), (Role.TRAINER, None))
    statements: list[str] = []

    @event.listens_for(either_db.get_bind(), "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement != "BEGIN":
            statements.append(statement)

    actor = queries.find_actor(either_db, account.id, 0)
    event.remove(either_db.get_bind(), "before_cursor_execute", _count)
    assert len(statements) == 1
    assert actor is not None
    assert {(g.role, g.path) for g in actor.scope.grants} == {(Role.COORDINATOR, unit.path), (Role.TRAINER, None)}
    assert actor.scope.covers(Permission.SEE_FIGURES, unit.path)


def test_an_account_without_grants_sees_nothing_of_others(db: Session, keys: Keys) -> None:
    with transaction(db):
        account = make_account(db, phone=PHONE, keys=keys)
    actor = queries.find_actor(db, account.id, 0)
    assert actor is not None
    assert actor.scope.grants == ()


def test_a_suspension_or_a_new_password_ends_older_sign_ins(db: Session) -> None:
    with transaction(db):
        account = make_account(db)
    assert queries.find_actor(db, account.id, 1) is None
    with transaction(db):
        account.suspended_at = START
    assert queries.find_actor(db, account.id, 0) is None
