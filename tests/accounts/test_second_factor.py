"""The second factor: codes as RFC 6238 says, good once; set up, asked for, lost, required."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.accounts import throttle
from quizapp.accounts.errors import AccountBeyond, FactorCodeWrong, FactorMissing, FactorStands, TriesLocked
from quizapp.accounts.lock import AFTER, check_lock, lock_after_failure
from quizapp.accounts.models import Account, RecoveryCode, SecondFactor
from quizapp.accounts.services import second_factor as factors
from quizapp.accounts.totp import matching_step, new_totp_secret, read_code
from quizapp.audit.models import AuditEvent
from quizapp.config import SettingInvalid, read_settings
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from tests.accounts.pages import send, sign_in
from tests.conftest import START, FakeClock
from tests.factories import make_account, make_unit

#: Appendix B of RFC 6238: the secret, and (instant, the last six of the eight digits of its SHA-1 rows).
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_ROWS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("second", "code"), RFC_ROWS)
def test_codes_are_those_of_the_rfc(second: int, code: str) -> None:
    assert matching_step(RFC_SECRET, code, datetime.fromtimestamp(second, UTC)) == second // 30


def test_a_clock_may_be_off_by_one_step_either_way() -> None:
    secret = new_totp_secret()
    code = pyotp.TOTP(secret).at(START)
    found = [matching_step(secret, code, START + timedelta(seconds=30 * step)) for step in (-2, -1, 0, 1, 2)]
    assert [step is not None for step in found] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("typed", "kind"), [("１２３ ４５６", "totp"), ("12345", ""), ("abcd-efgh-jkmn-pqrs", "recovery"), ("密码", "")]
)
def test_codes_are_read_as_people_type_them(typed: str, kind: str) -> None:
    assert read_code(typed)[0] == kind


@pytest.fixture
def account(either_db: Session) -> Account:
    with transaction(either_db) as db:
        return make_account(db, (Role.COORDINATOR, make_unit(db)), username="linxiao")


def enrol(db: Session, keys: Keys, account: Account) -> tuple[str, list[str]]:
    """The secret in the app, and the recovery codes."""
    secret = new_totp_secret()
    with transaction(db):
        codes = factors.enrol(
            db, keys=keys, account=account, secret=secret, code=pyotp.TOTP(secret).at(START), now=START
        )
    return secret, codes


def check(db: Session, keys: Keys, account: Account, code: str, now: datetime) -> bool:
    try:
        with transaction(db):
            factors.check_second_factor(db, keys=keys, account=account, code=code, now=now)
    except FactorCodeWrong:
        return False
    return True


def test_a_code_is_good_once_and_none_before_it_is_good_any_more(
    either_db: Session, keys: Keys, account: Account
) -> None:
    secret, _ = enrol(either_db, keys, account)
    totp, later = pyotp.TOTP(secret), START + timedelta(minutes=5)
    assert not check(either_db, keys, account, totp.at(START), START)  # used to set it up
    assert check(either_db, keys, account, totp.at(later), later)
    assert not check(either_db, keys, account, totp.at(later), later)
    assert not check(either_db, keys, account, totp.at(later - timedelta(seconds=30)), later)
    assert check(either_db, keys, account, totp.at(later + timedelta(seconds=30)), later)


def test_ten_recovery_codes_stand_in_once_each(either_db: Session, keys: Keys, account: Account) -> None:
    secret, codes = enrol(either_db, keys, account)
    assert len(set(codes)) == 10
    assert [check(either_db, keys, account, codes[0], START) for _ in range(2)] == [True, False]
    assert factors.codes_left(either_db, account.id) == 9
    now = START + timedelta(minutes=5)
    with transaction(either_db):
        fresh = factors.renew_recovery_codes(
            either_db, keys=keys, account=account, code=pyotp.TOTP(secret).at(now), now=now
        )
    assert not check(either_db, keys, account, codes[1], now)
    assert check(either_db, keys, account, fresh[1], now)


def test_what_is_stored_gives_neither_secret_nor_code_away(either_db: Session, keys: Keys, account: Account) -> None:
    secret, codes = enrol(either_db, keys, account)
    row = either_db.scalars(select(SecondFactor)).one()
    assert secret.encode() not in bytes(row.secret_sealed)
    stored = [bytes(value) for value in either_db.scalars(select(RecoveryCode.code_hash))]
    assert not {code.encode() for code in codes} & set(stored)
    assert all(len(value) == 32 for value in stored)


def test_a_second_one_is_not_set_up_beside_the_first(either_db: Session, keys: Keys, account: Account) -> None:
    enrol(either_db, keys, account)
    with pytest.raises(FactorStands):
        enrol(either_db, keys, account)
    assert either_db.scalar(select(func.count()).select_from(RecoveryCode)) == 10


def test_an_administrator_takes_it_away_within_their_own_grants(
    either_db: Session, keys: Keys, account: Account
) -> None:
    enrol(either_db, keys, account)
    elsewhere = Actor(account_id=9, scope=Scope((Grant(Role.ADMINISTRATOR, "/999/"),)))
    themselves = Actor(account_id=account.id, scope=Scope((Grant(Role.ADMINISTRATOR, None),)))
    for actor in (elsewhere, themselves):
        with pytest.raises(AccountBeyond), transaction(either_db):
            factors.reset_second_factor(either_db, account=account, actor=actor, now=START)
    for _ in range(2):
        with transaction(either_db):
            factors.reset_second_factor(either_db, account=account, actor=SYSTEM, now=START)
    with pytest.raises(FactorMissing):
        check(either_db, keys, account, "123456", START)
    actions = either_db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert list(actions) == ["second_factor_set_up", "second_factor_reset"]


@pytest.fixture
def site(database: Database, db: Session, make_app: Callable[..., Flask]) -> Callable[[str], Flask]:
    """`site("required")` gives an application with a coordinator and a resident."""

    def make(mode: str) -> Flask:
        app = make_app(database, second_factor=mode)
        with transaction(db):
            make_account(db, (Role.COORDINATOR, make_unit(db)), username="linxiao")
            make_account(db, username="resident")
        return app

    return make


def set_up(client: FlaskClient, clock: FakeClock) -> tuple[str, list[str]]:
    """Set up an app through the page; gives its secret and the recovery codes."""
    url = "/me/account/second-factor"
    page = client.get(url).text
    found = re.search(r"data-totp-secret>([A-Z2-7 ]+)<", page)
    sealed = re.search(r'name="sealed"[^>]*value="([^"]+)"', page)
    assert found
    assert sealed
    secret = found[1].replace(" ", "")
    wrong = send(client, url, code="000000", sealed=sealed[1])
    assert wrong.status_code == 422
    assert f"{found[1]}<" in wrong.text  # the same secret: the app has it by now
    done = send(client, url, code=pyotp.TOTP(secret).at(clock.now), sealed=sealed[1])
    assert done.status_code == 200
    assert done.headers["Cache-Control"] == "private, no-store"
    codes = re.findall(r"<code>([0-9A-Z-]{19})</code>", done.text)
    assert len(codes) == 10
    return secret, codes


def test_staff_set_it_up_and_are_asked_for_it(site: Callable[[str], Flask], clock: FakeClock, db: Session) -> None:
    app = site("optional")
    client, earlier = app.test_client(), app.test_client()
    sign_in(client, "linxiao")
    sign_in(earlier, "linxiao")
    secret, codes = set_up(client, clock)
    assert client.get("/sessions").status_code == 200
    assert earlier.get("/sessions").status_code == 401  # it came in without
    clock.forward(minutes=5)
    again = app.test_client()
    assert sign_in(again, "linxiao", next="/sessions").location == "/sign-in/code"
    assert again.get("/sessions").status_code == 401  # the password alone opens nothing
    assert send(again, "/sign-in/code", code="123456").status_code == 422
    done = send(again, "/sign-in/code", code=pyotp.TOTP(secret).at(clock.now))
    assert done.location == "/sessions"
    assert again.get("/sessions").status_code == 200
    by_code = app.test_client()
    sign_in(by_code, "linxiao")
    assert send(by_code, "/sign-in/code", code=codes[3].lower()).status_code == 303
    slow = app.test_client()
    sign_in(slow, "linxiao")
    clock.forward(minutes=11)
    assert slow.get("/sign-in/code").location == "/sign-in"  # too late
    actions = db.scalars(select(AuditEvent.action)).all()
    assert {"second_factor_set_up", "second_factor_refused", "recovery_code_used"} <= set(actions)


def test_guesses_are_slowed_per_account(site: Callable[[str], Flask], clock: FakeClock) -> None:
    app = site("optional")
    client = app.test_client()
    sign_in(client, "linxiao")
    secret, _ = set_up(client, clock)
    clock.forward(minutes=20)
    for number in range(5):
        guesser = app.test_client()
        sign_in(guesser, "linxiao")
        assert send(guesser, "/sign-in/code", code=f"00000{number}").status_code == 422
    late = app.test_client()
    sign_in(late, "linxiao")
    right = pyotp.TOTP(secret).at(clock.now)
    assert send(late, "/sign-in/code", code=right).status_code == 429
    clock.forward(seconds=40)
    assert send(late, "/sign-in/code", code=pyotp.TOTP(secret).at(clock.now)).status_code == 303


def test_ten_wrong_codes_close_the_second_step_for_an_hour(
    site: Callable[[str], Flask], clock: FakeClock, db: Session, keys: Keys
) -> None:
    app = site("optional")
    owner, guesser = app.test_client(), app.test_client()
    sign_in(owner, "linxiao")
    secret, codes = set_up(owner, clock)
    clock.forward(minutes=20)
    sign_in(guesser, "linxiao")
    for number in range(AFTER):
        clock.forward(seconds=31)  # as long as the page tells
        assert send(guesser, "/sign-in/code", code=f"00000{number}").status_code == 422
    fresh = app.test_client()
    for minutes in (0, 16, 30):  # longer than failures are counted for slowing
        clock.forward(minutes=minutes)
        sign_in(fresh, "linxiao")
        assert "先锁住" in fresh.get("/sign-in/code").text
        for code in (pyotp.TOTP(secret).at(clock.now), codes[0]):
            refused = send(fresh, "/sign-in/code", code=code)
            assert (refused.status_code, "先锁住" in refused.text) == (429, True)
    assert owner.get("/sessions").status_code == 200  # who is in stays in
    assert send(owner, "/me/account/second-factor/remove", "/me/account", code=codes[0]).status_code == 429
    clock.forward(minutes=15)
    sign_in(fresh, "linxiao")
    assert send(fresh, "/sign-in/code", code=pyotp.TOTP(secret).at(clock.now)).status_code == 303
    actions = db.scalars(select(AuditEvent.action)).all()
    assert actions.count("second_factor_locked") == 1


def test_a_new_factor_is_not_locked_by_wrong_codes_of_the_old_one(
    either_db: Session, keys: Keys, account: Account
) -> None:
    enrol(either_db, keys, account)

    def subject() -> throttle.Subject:
        return throttle.Subject("account", factors.guess_subject(either_db, account))

    guesses: dict[str, Any] = {"keys": keys, "kind": "second_factor", "now": START}
    locked = []
    for _ in range(AFTER):
        throttle.record_failure(either_db, subjects=[subject()], **guesses)
        locked.append(lock_after_failure(either_db, subject=subject(), **guesses))
    assert locked == [False] * (AFTER - 1) + [True]
    with pytest.raises(TriesLocked) as refused:
        check_lock(either_db, subject=subject(), **guesses)
    assert refused.value.data["minutes"] == 60
    with transaction(either_db):
        factors.reset_second_factor(either_db, account=account, actor=SYSTEM, now=START)
    check_lock(either_db, subject=subject(), **guesses)
    check_lock(either_db, subject=throttle.Subject("account", "another:new"), **guesses)


def test_the_owner_renews_codes_and_takes_it_away_with_a_code(site: Callable[[str], Flask], clock: FakeClock) -> None:
    client = site("optional").test_client()
    sign_in(client, "linxiao")
    _, codes = set_up(client, clock)
    own = "/me/account"
    assert send(client, f"{own}/second-factor/remove", own, code="999999").status_code == 422
    renewed = send(client, f"{own}/second-factor/codes", own, code=codes[0])
    fresh = re.findall(r"<code>([0-9A-Z-]{19})</code>", renewed.text)
    assert len(fresh) == 10
    assert send(client, f"{own}/second-factor/remove", own, code=codes[1]).status_code == 422
    assert send(client, f"{own}/second-factor/remove", own, code=fresh[0]).status_code == 303
    assert "设置两步验证" in client.get(own).text


def test_where_it_is_required_staff_set_it_up_before_they_come_in(
    site: Callable[[str], Flask], clock: FakeClock
) -> None:
    app = site("required")
    client = app.test_client()
    assert sign_in(client, "linxiao", next="/sessions").location == "/me/account/second-factor"
    assert client.get("/sessions").status_code == 401
    _, codes = set_up(client, clock)
    assert client.get("/sessions").status_code == 200
    own = "/me/account"
    assert send(client, f"{own}/second-factor/remove", own, code=codes[0]).status_code == 409
    resident = app.test_client()
    assert sign_in(resident, "resident").location == "/"
    assert "两步验证" not in resident.get(own).text
    assert resident.get("/me/account/second-factor").status_code == 303


def test_where_it_becomes_required_older_sign_ins_end(
    site: Callable[[str], Flask], database: Database, make_app: Callable[..., Flask]
) -> None:
    client = site("off").test_client()
    sign_in(client, "linxiao")
    assert "两步验证" not in client.get("/me/account").text
    assert client.post("/me/account/second-factor/remove").status_code in (400, 404)
    cookie = client.get_cookie("session")
    assert cookie is not None
    strict = make_app(database, second_factor="required").test_client()
    strict.set_cookie("session", cookie.value)
    assert strict.get("/sessions").status_code == 401


def test_the_setting_takes_three_words() -> None:
    assert read_settings({"SECOND_FACTOR": "required"}).second_factor == "required"
    assert read_settings({}).second_factor == "optional"
    with pytest.raises(SettingInvalid, match="SECOND_FACTOR=on must be off, optional or required"):
        read_settings({"SECOND_FACTOR": "on"})
