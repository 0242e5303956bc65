"""Signing in, up and out, as a browser without scripts sees it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from quizapp.accounts import services
from quizapp.accounts.models import Account
from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys
from tests.accounts.pages import csrf_of, send, sign_in
from tests.conftest import START, FakeClock
from tests.factories import PASSWORD, make_account, make_unit

PHONE = "13800001234"


@pytest.fixture
def app_keys(app: Flask) -> Keys:
    keys: Keys = app.extensions["quizapp"].keys
    return keys


@pytest.fixture
def staff(db: Session) -> Account:
    with transaction(db):
        return make_account(db, (Role.ADMINISTRATOR, None), username="linxiao")


def plain(page: str) -> str:
    """A page without what differs from one request to the next."""
    return re.sub(r'value="[^"]*"', "", page)


def test_staff_sign_in_by_name_and_residents_by_phone(
    client: FlaskClient, staff: Account, db: Session, app_keys: Keys
) -> None:
    with transaction(db):
        make_account(db, phone=PHONE, keys=app_keys)
    assert sign_in(client, " LinXiao ").status_code == 303
    assert client.get("/admin/accounts").status_code == 200
    assert send(client, "/sign-out", page="/admin/accounts").status_code == 303
    assert client.get("/admin/accounts").status_code == 401
    assert sign_in(client, "138 0000 1234").status_code == 303
    assert client.get("/admin/accounts").status_code == 403


@pytest.mark.parametrize("login", ["linxiao", "nobody", PHONE, "13900000000"])
def test_every_refused_sign_in_reads_alike(
    client: FlaskClient, staff: Account, db: Session, app_keys: Keys, login: str
) -> None:
    with transaction(db):
        make_account(db, phone=PHONE, keys=app_keys)
    answer = sign_in(client, login, "wrong password")
    assert answer.status_code == 422
    assert "手机号或密码不对" in answer.text
    assert plain(answer.text) == plain(sign_in(client, "somebody else", "wrong password").text)
    assert PASSWORD not in answer.text
    assert login in answer.text


def test_a_refused_sign_in_is_logged_without_what_was_typed(client: FlaskClient, staff: Account, db: Session) -> None:
    sign_in(client, "linxiao", "wrong password")
    sign_in(client, "nobody", "wrong password")
    events = db.scalars(select(AuditEvent).where(AuditEvent.action == "sign_in_refused").order_by(AuditEvent.id)).all()
    assert [(e.object_id, e.details) for e in events] == [(staff.id, {}), (None, {})]


def test_after_five_wrong_passwords_the_page_counts_down_and_the_right_one_waits(
    client: FlaskClient, staff: Account, clock: FakeClock
) -> None:
    for _ in range(5):
        answer = sign_in(client, "linxiao", "wrong password")
    assert 'data-wait="2"' in answer.text
    early = sign_in(client, "linxiao")
    assert early.status_code == 429
    assert "秒再试" in early.text
    clock.forward(seconds=2)
    assert sign_in(client, "linxiao").status_code == 303


def test_a_guesser_elsewhere_does_not_keep_the_owner_waiting(app: Flask, staff: Account, clock: FakeClock) -> None:
    owner, guesser = app.test_client(), app.test_client()
    assert sign_in(owner, "linxiao").status_code == 303
    send(owner, "/sign-out", page="/admin/accounts")
    for _ in range(8):
        sign_in(guesser, "linxiao", "wrong password")
    assert sign_in(app.test_client(), "linxiao").status_code == 429
    assert sign_in(owner, "linxiao").status_code == 303


def test_a_whole_hall_signs_in_behind_one_address(app: Flask, staff: Account, clock: FakeClock) -> None:
    for number in range(40):
        sign_in(app.test_client(), f"visitor{number}", "wrong password")
    client = app.test_client()
    page = client.get("/sign-in").text
    token = re.search(r'name="not_before"[^>]*value="([^"]+)"', page)
    assert token
    clock.forward(seconds=2)
    answer = client.post(
        "/sign-in",
        data={
            "csrf_token": re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1],  # type: ignore[index] # it stands there
            "login": "linxiao",
            "password": PASSWORD,
            "not_before": token[1],
        },
    )
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("address", "to"),
    [
        ("/admin/units?q=x", "/admin/units?q=x"),
        ("http://localhost/me", "/me"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_next_stays_on_our_own_host(client: FlaskClient, staff: Account, address: str, to: str) -> None:
    assert sign_in(client, "linxiao", next=address).headers["Location"] == to


def test_the_cookies_are_for_the_server_alone(
    make_app: Callable[..., Flask], database: Database, staff: Account
) -> None:
    client = make_app(database, public_url="https://quiz.example.org").test_client()
    token = re.search(
        r'name="csrf_token"[^>]*value="([^"]+)"',
        client.get("/sign-in", base_url="https://quiz.example.org").text,
    )
    assert token
    answer = client.post(
        "/sign-in",
        base_url="https://quiz.example.org",
        headers={"Referer": "https://quiz.example.org/sign-in"},
        data={"csrf_token": token[1], "login": "linxiao", "password": PASSWORD, "remember": "y"},
    )
    assert answer.status_code == 303
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" in cookie


def test_a_suspension_ends_a_sign_in_at_once(client: FlaskClient, staff: Account, db: Session) -> None:
    sign_in(client, "linxiao")
    with transaction(db):
        staff.suspended_at = START
    assert client.get("/admin/accounts").status_code == 401


def test_a_forged_session_value_signs_nobody_in(client: FlaskClient, staff: Account) -> None:
    for value in ("x", "1", "", f"{staff.id}.0", "0" * 22):
        with client.session_transaction() as session:
            session["_user_id"] = value
        assert client.get("/admin/accounts").status_code == 401


def test_a_page_without_a_session_asks_the_database_for_no_account(
    client: FlaskClient, database: Database, staff: Account
) -> None:
    statements: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    assert client.get("/units/search?q=xx").status_code == 200
    assert not [s for s in statements if "FROM account" in s]


def test_sign_up_answers_alike_for_a_known_phone(app: Flask, db: Session, app_keys: Keys) -> None:
    values = {"name": "李国强", "phone": "138-0000-1234", "password": PASSWORD, "consent": "y"}
    first = send(app.test_client(), "/sign-up", **values)
    second = send(app.test_client(), "/sign-up", **{**values, "password": "quite another word"})
    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    pages = [app.test_client().get(answer.headers["Location"]).text for answer in (first, second)]
    assert plain(pages[0]) == plain(pages[1])
    assert "注册的信息收到了" in pages[0]
    assert db.scalar(select(func.count()).select_from(Account)) == 1
    assert sign_in(app.test_client(), PHONE).status_code == 303
    assert sign_in(app.test_client(), PHONE, "quite another word").status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("phone", "138 0000", "手机号要有 11 位，现在是 7 位"),
        ("password", "short", "密码至少要有 10 个字符"),
        ("password", "1234567890", "这个密码太好猜"),
        ("name", "", "请填写姓名"),
        ("consent", "", "请先看隐私说明并勾选同意"),
    ],
)
def test_an_error_stands_at_its_field_and_keeps_what_was_typed(
    client: FlaskClient, db: Session, field: str, value: str, words: str
) -> None:
    values = {"name": "李国强", "phone": PHONE, "password": PASSWORD, "consent": "y", field: value}
    answer = send(client, "/sign-up", **{k: v for k, v in values.items() if v})
    assert answer.status_code == 422
    assert answer.text.count(words) >= 2  # in the summary and at the field
    assert PASSWORD not in answer.text
    if field != "name":
        assert "李国强" in answer.text
    assert db.scalar(select(func.count()).select_from(Account)) == 0


def test_the_unit_is_found_without_scripts(client: FlaskClient, db: Session) -> None:
    with transaction(db):
        unit = make_unit(db, name="紫兴社区", initials="zxsq")
    found = send(client, "/sign-up", name="李国强", unit_id_query="zxsq", unit_id_search="1")
    assert found.status_code == 200
    assert "紫兴社区" in found.text
    assert "李国强" in found.text
    answer = send(client, "/sign-up", name="李国强", phone=PHONE, password=PASSWORD, consent="y", unit_id=str(unit.id))
    assert answer.status_code == 303
    person_id = db.scalars(select(Account.person_id)).one()
    from quizapp.organisation.models import Person

    assert db.get_one(Person, person_id).unit_id == unit.id


def test_a_set_up_link_makes_the_first_administrator(client: FlaskClient, db: Session) -> None:
    with transaction(db):
        secret = services.ensure_first_administrator(db, START)
    url = f"/set-up/{secret}"
    assert "可不填" not in client.get(url).text
    assert "请填写登录名" in send(client, url, username="", password=PASSWORD, repeated=PASSWORD).text
    assert "两次输的密码不一样" in send(client, url, username="boss", password=PASSWORD, repeated="another one").text
    assert "密码至少要有" in send(client, url, username="boss", password="short", repeated="short").text
    assert "登录名要有" in send(client, url, username="老板", password=PASSWORD, repeated=PASSWORD).text
    assert send(client, url, username="boss", password=PASSWORD, repeated=PASSWORD).status_code == 303
    assert client.get("/admin/accounts").status_code == 200
    assert client.get(url).status_code == 404


def test_preferences_are_kept_per_account_and_come_back_at_sign_in(app: Flask, staff: Account, db: Session) -> None:
    client = app.test_client()
    sign_in(client, "linxiao")
    client.post("/preferences", data={"elder": "1", "lang": "en", "text": "large"})
    elsewhere = app.test_client()
    answer = sign_in(elsewhere, "linxiao")
    assert {c.split(";")[0] for c in answer.headers.getlist("Set-Cookie")} >= {"elder=1", "lang=en", "text=large"}
    assert "data-elder" in elsewhere.get("/admin/accounts").text
    client.post("/preferences", data={"elder": "0"})
    db.expire_all()
    assert db.get_one(Account, staff.id).elder is False


def test_a_form_from_elsewhere_is_refused(client: FlaskClient, staff: Account) -> None:
    csrf_of(client, "/sign-in")
    assert client.post("/sign-in", data={"login": "linxiao", "password": PASSWORD}).status_code == 400


def test_whoever_is_signed_in_goes_on(client: FlaskClient, staff: Account) -> None:
    sign_in(client, "linxiao")
    assert client.get("/sign-in?next=/admin/units").headers["Location"] == "/admin/units"
