"""The administrator's pages: accounts, grants, the log."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account, AccountGrant
from quizapp.audit.models import AuditEvent
from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit
from tests.accounts.pages import send, sign_in
from tests.factories import PASSWORD, make_account, make_unit

Place = tuple[OrgUnit, OrgUnit]


@pytest.fixture
def place(db: Session) -> Place:
    """Two streets of one district: the administrator's own, and another."""
    with transaction(db):
        district = make_unit(db, name="临江区", kind="district")
        own, foreign = make_unit(db, district, name="滨江街道"), make_unit(db, district, name="城西街道")
        make_account(db, (Role.ADMINISTRATOR, own), username="limited", name="甲")
        make_account(db, (Role.ADMINISTRATOR, None), username="boss", name="总管")
    return own, foreign


@pytest.fixture
def limited(client: FlaskClient, place: Place) -> FlaskClient:
    assert sign_in(client, "limited").status_code == 303
    return client


@pytest.fixture
def boss(client: FlaskClient, place: Place) -> FlaskClient:
    assert sign_in(client, "boss").status_code == 303
    return client


def new(client: FlaskClient, **values: str) -> tuple[int, str]:
    answer = send(client, "/admin/accounts/new", **{"name": "林晓", "username": "linxiao", "role": "trainer", **values})
    return answer.status_code, answer.text


def test_a_new_account_gets_a_link_that_opens_it(app: Flask, limited: FlaskClient, place: Place, db: Session) -> None:
    status, page = new(limited, unit_id=str(place[0].id))
    assert status == 200
    link = re.search(r"http://localhost(/set-up/[\w-]+)", page)
    assert link
    visitor = app.test_client()
    assert send(visitor, link[1], username="linxiao", password=PASSWORD, repeated=PASSWORD).status_code == 303
    assert visitor.get("/admin/accounts").status_code == 403
    row = limited.get("/admin/accounts").text
    assert "林晓" in row
    assert "培训教师 · 滨江街道" in row
    actions = list(db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    assert actions == [
        "signed_in",
        "account_created",
        "grant_created",
        "set_up_link_made",
        "password_set",
        "signed_in",
    ]


def test_nobody_grants_beyond_the_own_unit(limited: FlaskClient, place: Place, db: Session) -> None:
    before = len(db.scalars(select(Account)).all())
    for reach in ({"unit_id": str(place[1].id)}, {"all_units": "y"}):
        status, page = new(limited, **reach)
        assert status == 422
        assert "只能在自己的授权范围内授权" in page
    status, page = new(limited)
    assert status == 422
    assert "请选一个单位" in page
    assert len(db.scalars(select(Account)).all()) == before
    assert "全部单位</span>" not in limited.get("/admin/accounts/new").text


def test_a_taken_name_and_a_missing_one_are_said_at_the_field(boss: FlaskClient) -> None:
    assert "这个登录名已有人用" in new(boss, username="limited", all_units="y")[1]
    assert "请填写姓名" in new(boss, name="", all_units="y")[1]


def test_a_foreign_account_is_not_there(limited: FlaskClient, place: Place, db: Session) -> None:
    with transaction(db):
        foreign = make_account(db, (Role.TRAINER, place[1]), name="丙")
    token_page = "/admin/accounts/new"
    assert "丙" not in limited.get("/admin/accounts?who=all").text
    assert limited.get(f"/admin/accounts/{foreign.id}").status_code == 404
    for action in ("suspend", "restore", "link", "grants", "grants/1/revoke"):
        assert send(limited, f"/admin/accounts/{foreign.id}/{action}", page=token_page).status_code == 404
    assert db.get_one(Account, foreign.id).suspended_at is None


def test_a_grant_comes_and_goes(boss: FlaskClient, place: Place, db: Session) -> None:
    with transaction(db):
        account = make_account(db, username="linxiao", name="林晓")
    url = f"/admin/accounts/{account.id}"
    assert "没有授权" in boss.get(url).text
    answer = send(boss, f"{url}/grants", page=url, role="coordinator", unit_id=str(place[0].id))
    assert answer.status_code == 303
    assert "单位管理员" in boss.get(url).text
    grant = db.scalars(select(AccountGrant).where(AccountGrant.account_id == account.id)).one()
    assert send(boss, f"{url}/grants/{grant.id}/revoke", page=url).status_code == 303
    db.rollback()
    assert not db.scalars(select(AccountGrant).where(AccountGrant.account_id == account.id)).all()


def test_the_unit_of_a_grant_is_found_without_scripts(boss: FlaskClient, place: Place, db: Session) -> None:
    account = db.scalars(select(Account).where(Account.username == "limited")).one()
    url = f"/admin/accounts/{account.id}"
    page = send(boss, f"{url}/grants", page=url, role="trainer", unit_id_query="城西", unit_id_search="1")
    assert page.status_code == 200
    assert f'value="{place[1].id}"' in page.text


def test_a_suspended_account_comes_back(app: Flask, boss: FlaskClient, db: Session) -> None:
    account = db.scalars(select(Account).where(Account.username == "limited")).one()
    url = f"/admin/accounts/{account.id}"
    assert send(boss, f"{url}/suspend", page=url).status_code == 303
    assert sign_in(app.test_client(), "limited").status_code == 422
    assert send(boss, f"{url}/restore", page=url).status_code == 303
    assert sign_in(app.test_client(), "limited").status_code == 303


def test_the_last_administrator_cannot_be_suspended(boss: FlaskClient, db: Session) -> None:
    account = db.scalars(select(Account).where(Account.username == "boss")).one()
    url = f"/admin/accounts/{account.id}"
    assert "停用账号" not in boss.get(url).text
    assert send(boss, f"{url}/suspend", page=url).status_code == 409


def test_somebody_with_a_wider_grant_is_seen_but_not_changed(limited: FlaskClient, place: Place, db: Session) -> None:
    with transaction(db):
        wider = make_account(db, (Role.TRAINER, place[0]), (Role.TRAINER, place[1]), name="丁")
    url = f"/admin/accounts/{wider.id}"
    page = limited.get(url).text
    assert "范围以外的授权" in page
    assert "生成设置链接" not in page
    assert send(limited, f"{url}/link", page=url).status_code == 403
    assert send(limited, f"{url}/suspend", page=url).status_code == 403


def test_the_log_shows_the_own_units_and_no_names_of_others(
    app: Flask, limited: FlaskClient, place: Place, db: Session
) -> None:
    boss = app.test_client()
    sign_in(boss, "boss")
    new(boss, username="near", unit_id=str(place[0].id))
    new(boss, username="far", unit_id=str(place[1].id))
    page = limited.get("/admin/audit").text
    assert "滨江街道" in page
    assert "城西街道" not in page
    everything = boss.get("/admin/audit").text
    assert "城西街道" in everything
    assert "总管" in everything
    only = boss.get("/admin/audit?action=signed_in&account=boss&from=2026-11-23&to=2026-11-23&object=account").text
    assert only.count("<tr>") == 2
    assert "没有符合条件的记录" in boss.get("/admin/audit?to=2026-11-22").text
    assert boss.get("/admin/audit?from=x&to=y&id=z&before=q").status_code == 200


def test_a_long_list_goes_on_where_it_stopped(boss: FlaskClient, db: Session) -> None:
    with transaction(db):
        for number in range(60):
            make_account(db, name=f"人{number:03}")
    page = boss.get("/admin/accounts").text
    assert "人010" in page
    assert "人059" not in page
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following
    assert "人059" in boss.get(following[1].replace("&amp;", "&")).text


@pytest.mark.parametrize("url", ["/admin/accounts", "/admin/accounts/new", "/admin/accounts/1", "/admin/audit"])
def test_whoever_does_not_manage_accounts_is_turned_away(app: Flask, db: Session, place: Place, url: str) -> None:
    with transaction(db):
        make_account(db, (Role.COORDINATOR, None), username="coordinator")
    client = app.test_client()
    assert client.get(url).status_code == 401
    sign_in(client, "coordinator")
    assert client.get(url).status_code == 403
