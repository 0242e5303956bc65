"""Sign-ins: listed with words for the device, ended one by one or all at once, felt at the next request."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from quizapp.accounts.devices import device_of
from quizapp.accounts.models import Account, AccountGrant, AccountSession
from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit
from tests.accounts.pages import csrf_of, send, sign_in
from tests.conftest import FakeClock
from tests.factories import make_account, make_session, make_unit

WECHAT = "Mozilla/5.0 (Linux; Android 13; V2148A) AppleWebKit/537.36 Chrome/107 Mobile MicroMessenger/8.0.40"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0"


@pytest.fixture
def street(either_db: Session) -> OrgUnit:
    with transaction(either_db) as db:
        street = make_unit(db, name="滨江街道", kind="street")
        make_account(db, (Role.COORDINATOR, street), username="linxiao", unit=street)
        make_account(db, (Role.ADMINISTRATOR, None), username="boss")
        return street


def browser(app: Flask, user_agent: str = FIREFOX, login: str = "linxiao") -> FlaskClient:
    """Somebody who signed in with a browser of their own."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = user_agent
    assert sign_in(client, login).status_code == 303
    return client


def inside(client: FlaskClient) -> bool:
    return client.get("/me/account").status_code == 200


def post(client: FlaskClient, url: str, page: str = "/me/account") -> int:
    return client.post(url, data={"csrf_token": csrf_of(client, page)}).status_code


@pytest.mark.parametrize(
    ("name", "device"),
    [
        (WECHAT, "wechat/android"),
        (FIREFOX, "firefox/windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "safari/iphone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Chrome/120 Safari/537.36 Edg/120", "edge/mac"),
        ("curl/8.0", "other/other"),
        ("", "other/other"),
    ],
)
def test_a_browser_is_known_by_two_codes(name: str, device: str) -> None:
    assert device_of(name) == device


def test_own_sign_ins_are_listed_and_one_is_ended(either_app: Flask, either_db: Session, street: OrgUnit) -> None:
    desk, phone = browser(either_app), browser(either_app, WECHAT)
    page = desk.get("/me/account").text
    assert "微信 · 安卓手机" in page
    assert "Firefox · Windows 电脑" in page
    ends = re.findall(r"/me/account/sign-ins/\d+/end", page)
    assert len(ends) == 1  # the own one is a sign-out
    assert post(desk, ends[0]) == 303
    assert inside(desk)
    assert not inside(phone)
    line = either_db.scalars(select(AuditEvent).where(AuditEvent.action == "sign_ins_ended")).one()
    assert list(line.details) == ["sign_in_id"]


def test_all_others_are_ended_at_once(either_app: Flask, street: OrgUnit) -> None:
    clients = [browser(either_app) for _ in range(3)]
    assert post(clients[0], "/me/account/sign-ins/end-others") == 303
    assert [inside(client) for client in clients] == [True, False, False]


def test_a_sign_out_ends_the_row_so_that_a_copied_cookie_opens_nothing(either_app: Flask, street: OrgUnit) -> None:
    client, thief = browser(either_app), either_app.test_client()
    cookie = client.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    assert inside(thief)
    assert post(client, "/sign-out") == 303
    assert not inside(thief)


def test_an_administrator_ends_the_sign_ins_of_an_account(
    either_app: Flask, either_db: Session, street: OrgUnit
) -> None:
    boss, other = browser(either_app, login="boss"), browser(either_app, WECHAT)
    account = either_db.scalars(select(Account).where(Account.username == "linxiao")).one()
    url = f"/admin/accounts/{account.id}"
    assert "微信 · 安卓手机" in boss.get(url).text
    assert post(boss, f"{url}/sign-ins/end", url) == 303
    assert not inside(other)
    assert inside(browser(either_app))  # it may sign in again
    assert "现在没有登录" not in boss.get(url).text
    assert post(boss, f"{url}/suspend", url) == 303
    assert "现在没有登录" in boss.get(url).text


def test_a_sign_in_that_is_not_used_ends_and_one_that_is_used_or_remembered_goes_on(
    app: Flask, db: Session, clock: FakeClock
) -> None:
    with transaction(db):
        make_account(db, username="linxiao")
    idle, used, remembered = (app.test_client() for _ in range(3))
    sign_in(idle, "linxiao", remember="")
    sign_in(used, "linxiao", remember="")
    sign_in(remembered, "linxiao")
    clock.forward(hours=7)
    assert inside(used)
    seen = {row.seen_at for row in db.scalars(select(AccountSession))}
    assert len(seen) == 2
    clock.forward(hours=7)
    assert [inside(client) for client in (idle, used, remembered)] == [False, True, True]
    clock.forward(days=31)
    assert not inside(remembered)


def test_who_asks_is_found_by_one_query(app: Flask, database: Database, db: Session) -> None:
    with transaction(db):
        make_account(db, (Role.ADMINISTRATOR, None), username="linxiao")
    client = browser(app)
    statements: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    assert client.get("/admin/industries").status_code == 200
    assert len([s for s in statements if "account" in s]) == 1


def test_rows_of_long_ago_go_with_a_new_sign_in(app: Flask, db: Session, clock: FakeClock) -> None:
    with transaction(db):
        make_account(db, username="linxiao")
    for _ in range(2):
        browser(app)
        clock.forward(days=200)
    browser(app)
    assert len(db.scalars(select(AccountSession)).all()) == 1


def test_a_page_of_yesterdays_unit_is_not_found_and_says_why_it_may_be(
    either_app: Flask, either_db: Session, street: OrgUnit
) -> None:
    """Access goes by today's grants at each request. A foreign object stays one that may not exist."""
    db = either_db
    with transaction(db):
        session_id = make_session(db, street).id
        elsewhere = make_unit(db, name="城西街道", kind="street").id
    client = browser(either_app)
    assert client.get(f"/sessions/{session_id}").status_code == 200
    with transaction(db):
        grant = db.scalars(select(AccountGrant).where(AccountGrant.unit_id == street.id)).one()
        grant.unit_id, grant.reach = elsewhere, f"coordinator/{elsewhere}/-"
    foreign, unknown = (client.get(f"/sessions/{number}") for number in (session_id, 99999))
    assert foreign.status_code == unknown.status_code == 404
    for reply in (foreign, unknown):
        assert "您的授权可能改过" in reply.text
    assert "您的授权可能改过" not in either_app.test_client().get("/nowhere").text
    assert client.get("/sessions").status_code == 200
    assert send(client, "/sign-out", "/me/account").status_code == 303
