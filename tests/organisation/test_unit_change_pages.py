"""The pages that change the tree: what they show beforehand, what they refuse, and the way back."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit
from tests.accounts.pages import send, sign_in
from tests.factories import make_account, make_delivery, make_person, make_unit

Place = dict[str, OrgUnit]


@pytest.fixture
def place(either_db: Session) -> Place:
    with transaction(either_db) as db:
        district = make_unit(db, name="临江区", kind="district")
        east, west = (make_unit(db, district, name=name, kind="street") for name in ("滨江街道", "城西街道"))
        community, other = make_unit(db, east, name="滨江社区"), make_unit(db, east, name="紫兴社区")
        make_delivery(db, community)
        make_person(db, unit_id=community.id)
        make_account(db, (Role.ADMINISTRATOR, None), username="boss")
        make_account(db, (Role.ADMINISTRATOR, east), username="limited")
        make_account(db, (Role.COORDINATOR, east), name="东街的人")
        make_account(db, (Role.LEADER, west), name="西街的人")
        make_account(db, (Role.TRAINER, community), name="社区的人")
        return {"district": district, "east": east, "west": west, "community": community, "other": other}


def visitor(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, name).status_code == 303
    return client


def words(client: FlaskClient, url: str) -> str:
    """What a page's main part says."""
    main = client.get(url).text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_before_a_move_the_page_says_what_goes_along_and_who_sees_it_then(either_app: Flask, place: Place) -> None:
    page = words(visitor(either_app, "boss"), f"/admin/units/{place['community'].id}/move?to={place['west'].id}")
    assert "人员（人） 1" in page
    assert "没结束的测验（次） 1" in page
    lost, gained = page.partition("看不到了")[2].split("以后能看到")
    assert "东街的人 · 单位管理员 · 滨江街道" in lost
    assert "西街的人 · 领导（只看汇总） · 城西街道" in gained
    assert "社区的人" not in page  # they go along


def test_a_move_is_done_and_refused_in_words(either_app: Flask, either_db: Session, place: Place) -> None:
    client = visitor(either_app, "boss")
    url = f"/admin/units/{place['east'].id}/move"
    assert "不能移到自己" in words(client, f"{url}?to={place['community'].id}")
    refused = send(client, url, to=str(place["community"].id))
    assert refused.status_code == 303
    assert "不能移到自己" in client.get(refused.location).text
    assert send(client, url, unit_id="").status_code == 422
    chosen = send(client, url, unit_id=str(place["west"].id))
    assert chosen.location.endswith(f"/move?to={place['west'].id}")
    assert send(client, url, to="top").status_code == 303
    either_db.expire_all()
    assert either_db.get_one(OrgUnit, place["community"].id).path == f"/{place['east'].id}/{place['community'].id}/"


def test_whoever_is_responsible_for_the_unit_alone_takes_it_away_from_nobody(either_app: Flask, place: Place) -> None:
    client = visitor(either_app, "limited")
    assert client.get(f"/admin/units/{place['east'].id}/move").status_code == 403
    assert client.get(f"/admin/units/{place['west'].id}/move").status_code == 404
    assert "移到别的上级" not in client.get(f"/admin/units/{place['east'].id}").text
    url = f"/admin/units/{place['community'].id}/move"
    assert "移到最上面" not in client.get(url).text
    for to in (str(place["west"].id), "top", "x"):
        assert client.get(f"{url}?to={to}").status_code == 404
        assert send(client, url, to=to).status_code == 404
    assert "不归您管" in send(client, url, unit_id=str(place["west"].id)).text


def test_closing_shows_what_stands_there_first(either_app: Flask, either_db: Session, place: Place) -> None:
    client = visitor(either_app, "limited")
    url = f"/admin/units/{place['east'].id}/close"
    assert "下面 2 个在用单位不跟着停用" in words(client, url)
    assert either_db.get_one(OrgUnit, place["east"].id).closed_at is None
    assert send(client, url).status_code == 303
    either_db.expire_all()
    assert either_db.get_one(OrgUnit, place["east"].id).closed_at is not None


def test_a_merge_and_the_way_back(either_app: Flask, place: Place) -> None:
    client = visitor(either_app, "limited")
    url = f"/admin/units/{place['community'].id}/merge"
    page = words(client, f"{url}?into={place['other'].id}")
    assert "1 人转到留下的单位" in page
    assert "社区的人 · 培训教师 · 滨江社区" in page
    done = send(client, url, into=str(place["other"].id)).location
    assert "授权没有转" in words(client, done)
    merged = client.get(f"/admin/units/{place['community'].id}").text
    assert "这个单位已并入上级" in merged
    assert "停用单位" not in merged
    refused = send(client, f"/admin/units/{place['community'].id}/reopen", f"/admin/units/{place['community'].id}")
    assert "要恢复，请撤销那次合并" in client.get(refused.location).text
    assert send(client, f"{done}/undo", done).status_code == 303
    assert "已撤销" in words(client, done)
    assert "停用单位" in client.get(f"/admin/units/{place['community'].id}").text
    again = send(client, url, into=str(place["other"].id)).location
    send(client, f"/admin/units/{place['other'].id}/move", to=str(place["east"].id))
    send(client, f"/admin/units/{place['east'].id}/close")
    assert "不能再撤销" in words(client, again)
    assert send(client, f"{again}/undo", f"/admin/units/{place['east'].id}").status_code == 409
