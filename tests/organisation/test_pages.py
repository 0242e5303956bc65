"""The unit search, and the administrator's pages for units and industries."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import Industry, OrgUnit
from tests.accounts.pages import send, sign_in
from tests.conftest import START
from tests.factories import make_account, make_unit

Place = tuple[OrgUnit, OrgUnit, OrgUnit]


@pytest.fixture
def place(db: Session) -> Place:
    with transaction(db):
        district = make_unit(db, name="临江区", kind="district", code="LJ")
        own = make_unit(db, district, name="滨江街道", kind="street", code="LJ-1")
        foreign = make_unit(db, district, name="城西街道", kind="street", code="LJ-2")
        make_unit(db, own, name="滨江社区", initials="bjsq", code="LJ-11")
        make_account(db, (Role.ADMINISTRATOR, own), username="limited")
        make_account(db, (Role.ADMINISTRATOR, None), username="boss")
    return district, own, foreign


@pytest.fixture
def limited(client: FlaskClient, place: Place) -> FlaskClient:
    sign_in(client, "limited")
    return client


@pytest.fixture
def boss(client: FlaskClient, place: Place) -> FlaskClient:
    sign_in(client, "boss")
    return client


def test_anybody_finds_a_unit_from_the_second_character_on(client: FlaskClient, place: Place) -> None:
    assert client.get("/units/search?q=滨").json == []
    found = client.get("/units/search?q=bjsq").json
    assert [(u["name"], u["path"], u["kind"], u["matched"]) for u in found] == [  # type: ignore[union-attr] # a list
        ("滨江社区", "滨江街道", "社区", "initials")
    ]
    assert client.get("/units/search").json == []


def test_a_search_stays_within_a_unit(client: FlaskClient, place: Place) -> None:
    _district, own, foreign = place
    assert len(client.get(f"/units/search?q=滨江&within={own.id}").json) == 2  # type: ignore[arg-type] # a list
    for within in (foreign.id, 999, "NOSUCHCD"):
        assert client.get(f"/units/search?q=滨江&within={within}").json == []


def test_the_tree_unfolds_step_by_step(boss: FlaskClient, place: Place) -> None:
    page = boss.get("/admin/units").text
    assert "临江区" in page
    assert "滨江街道" not in page
    page = boss.get(f"/admin/units?open={place[0].id}").text
    assert "滨江街道" in page
    assert "滨江社区" not in page
    assert "滨江社区" in boss.get("/admin/units?q=bjsq").text
    assert "没有找到" in boss.get("/admin/units?q=不存在").text
    assert boss.get("/admin/units?open=x.-1.99999999999999999").status_code == 200


def test_a_unit_is_made_changed_closed_and_reopened(boss: FlaskClient, place: Place, db: Session) -> None:
    own = place[1]
    new = f"/admin/units/new?parent={own.id}"
    assert send(boss, new, name="紫兴社区", kind="community", code="LJ-12").status_code == 303
    unit = db.scalars(select(OrgUnit).where(OrgUnit.code == "LJ-12")).one()
    assert unit.parent_id == own.id
    url = f"/admin/units/{unit.id}"
    assert send(boss, url, name="银杏社区", kind="community", code="LJ-12", name_en="Ginkgo").status_code == 303
    assert send(boss, url, name="银杏社区", kind="community", code="LJ-12", residence="rural").status_code == 303
    assert re.search(r'<option selected value="rural">', boss.get(url).text)
    assert send(boss, url, name="银杏社区", kind="community", code="LJ-12", residence="hill").status_code == 422
    assert send(boss, f"{url}/close", page=url).status_code == 303
    assert boss.get("/units/search?q=银杏").json == []
    assert "已停用" in boss.get(url).text
    assert send(boss, f"{url}/reopen", page=url).status_code == 303
    assert len(boss.get("/units/search?q=银杏").json) == 1  # type: ignore[arg-type] # a list


def test_a_fault_stands_at_its_field_and_keeps_what_was_typed(boss: FlaskClient, place: Place) -> None:
    answer = send(boss, f"/admin/units/{place[1].id}", name="改名街道", kind="street", code="LJ-2")
    assert answer.status_code == 422
    assert "这个代码已有人用" in answer.text
    assert "改名街道" in answer.text
    empty = send(boss, "/admin/units/new", name="", kind="street")
    assert empty.status_code == 422
    assert "请填写名称" in empty.text


def test_a_foreign_unit_is_not_there(limited: FlaskClient, place: Place, db: Session) -> None:
    district, own, foreign = place
    tree = limited.get(f"/admin/units?open={district.id}.{own.id}.{foreign.id}").text
    assert "城西街道" not in tree
    assert "临江区" not in tree
    assert "城西街道" not in limited.get("/admin/units?q=街道").text
    token_page = f"/admin/units/{own.id}"
    for unit in (district, foreign):
        assert limited.get(f"/admin/units/{unit.id}").status_code == 404
        assert limited.get(f"/admin/units/new?parent={unit.id}").status_code == 404
        for action in ("", "/close", "/reopen"):
            url = f"/admin/units/{unit.id}{action}"
            assert send(limited, url, page=token_page, name="改", kind="street").status_code == 404
    assert send(limited, "/admin/units/new", page=token_page, name="顶", kind="city").status_code == 403
    assert not db.scalars(select(OrgUnit).where(OrgUnit.name.in_(["改", "顶"]))).all()


def test_industries_are_kept_by_whoever_manages_all_units(
    app: Flask, boss: FlaskClient, place: Place, db: Session
) -> None:
    assert send(boss, "/admin/industries/new", name="宾馆", name_en="Hotels", code="hotel").status_code == 303
    again = send(boss, "/admin/industries/new", name="宾馆", name_en="Hotels", code="hotel")
    assert again.status_code == 422
    assert "这个代码已有人用" in again.text
    industry = db.scalars(select(Industry)).one()
    url = f"/admin/industries/{industry.id}"
    assert send(boss, url, name="酒店", name_en="Hotels", code="hotel").status_code == 303
    assert send(boss, f"{url}/close", page=url).status_code == 303
    assert "停用" in boss.get("/admin/industries").text
    assert send(boss, f"{url}/reopen", page=url).status_code == 303
    limited = app.test_client()
    sign_in(limited, "limited")
    assert "酒店" in limited.get("/admin/industries").text
    values = {"name": "改", "name_en": "x", "code": "x"}
    assert send(limited, url, **values).status_code == 403
    for action in ("close", "reopen"):
        assert send(limited, f"{url}/{action}", page=url).status_code == 403
    assert send(limited, "/admin/industries/new", page=url, **values).status_code == 403
    assert boss.get("/admin/industries/999").status_code == 404


def test_a_closed_industry_stays_with_the_unit_that_has_it(boss: FlaskClient, place: Place, db: Session) -> None:
    with transaction(db):
        industry = Industry(code="hotel", name="宾馆", name_en="Hotels", closed_at=START)
        db.add(industry)
        db.flush()
        unit = make_unit(db, name="大酒店", kind="enterprise", industry_id=industry.id)
    page = boss.get(f"/admin/units/{unit.id}").text
    assert f'<option selected value="{industry.id}">宾馆' in page
    assert "宾馆" not in boss.get("/admin/units/new").text


@pytest.mark.parametrize("url", ["/admin/units", "/admin/units/new", "/admin/units/1", "/admin/industries"])
def test_whoever_does_not_manage_units_is_turned_away(app: Flask, place: Place, db: Session, url: str) -> None:
    with transaction(db):
        make_account(db, (Role.COORDINATOR, None), username="coordinator")
    client = app.test_client()
    assert client.get(url).status_code == 401
    sign_in(client, "coordinator")
    assert client.get(url).status_code == 403
