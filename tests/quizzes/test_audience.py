"""Whom a delivery is for: the rule, what coordinators may set, what takers see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Industry, OrgUnit
from quizapp.portal.queries import open_deliveries
from quizapp.quizzes import errors
from quizapp.quizzes.models import Attempt, Delivery, DeliveryAudience
from quizapp.quizzes.services.audience import AudienceLine, admits, in_reach, lines_of, reach_condition
from quizapp.quizzes.services.deliveries import close_early, update_delivery
from tests.conftest import START, FakeClock
from tests.factories import make_delivery, make_person, make_unit
from tests.quizzes.banks import make_blueprint
from tests.quizzes.staff import client_of, coordinator_of
from tests.quizzes.support import begin
from tests.quizzes.test_deliveries import publish
from tests.quizzes.test_page_cache import plain

ASKED = {"unit": "required", "name": "off", "phone": "off"}


def _industry(db: Session, code: str = "F") -> Industry:
    industry = Industry(code=code, name="餐饮", name_en="Catering")
    db.add(industry)
    db.flush()
    return industry


def _limit(db: Session, delivery: Delivery, *lines: AudienceLine, actor: Actor = SYSTEM) -> None:
    update_delivery(db, delivery.id, changes={"audience": lines}, actor=actor, now=START)


def test_a_unit_is_meant_with_all_below_it_and_an_industry_narrows_it(db: Session) -> None:
    street, other = make_unit(db), make_unit(db)
    community = make_unit(db, street)
    line = AudienceLine(street.id)
    assert admits([], None, None)
    assert admits([line], street, None)
    assert admits([line], community, 7)
    assert not admits([line], other, None)
    assert not admits([line], None, None)
    assert not admits([AudienceLine(community.id)], street, None)
    assert admits([AudienceLine(street.id, 7)], community, 7)
    assert not admits([AudienceLine(street.id, 7)], community, None)
    # 1 is not in /11/, however the path begins
    assert not admits([AudienceLine(1)], OrgUnit(path="/11/12/"), None)


def test_a_coordinator_sets_lines_within_the_own_grant_and_leaves_the_others(either_db: Session) -> None:
    db = either_db
    district = make_unit(db)
    street, other, closed = make_unit(db, district), make_unit(db, district), make_unit(db, district, closed_at=START)
    delivery = make_delivery(db, street, fields=ASKED)
    above, own = coordinator_of(district), coordinator_of(street)
    _limit(db, delivery, AudienceLine(street.id), AudienceLine(other.id), AudienceLine(street.id), actor=above)
    assert lines_of(delivery) == (AudienceLine(street.id), AudienceLine(other.id))
    # the street takes its own line away; what the district set beyond the street stays
    _limit(db, delivery, AudienceLine(make_unit(db, street).id), actor=own)
    assert next(iter(lines_of(delivery))).unit_id == other.id
    assert len(lines_of(delivery)) == 2
    for foreign in (district, closed, make_unit(db)):
        with pytest.raises(errors.AudienceForeign):
            _limit(db, delivery, AudienceLine(foreign.id), actor=own if foreign is not closed else above)
    with pytest.raises(errors.AudienceForeign):
        _limit(db, delivery, AudienceLine(street.id, 999), actor=own)
    _limit(db, delivery, actor=above)
    assert (delivery.limited, db.scalars(select(DeliveryAudience)).all()) == (False, [])


def test_an_audience_that_nobody_could_be_held_against_is_refused(db: Session, clock: FakeClock) -> None:
    make_blueprint(db)
    unit, industry = make_unit(db), _industry(db)
    line, narrow = AudienceLine(unit.id), AudienceLine(unit.id, industry.id)
    for fields, lines, needs in (
        ({"unit": "optional"}, [line], "unit"),
        ({"unit": "required"}, [narrow], "industry"),
    ):
        with pytest.raises(errors.AudienceUnknowable) as caught:
            publish(db, unit, clock, fields=fields, audience=lines)
        assert caught.value.data["needs"] == needs
    made = publish(db, unit, clock, fields={"unit": "required", "industry": "required"}, audience=[narrow])
    assert lines_of(made) == (narrow,)
    with pytest.raises(errors.AudienceUnknowable):
        update_delivery(db, made.id, changes={"fields": {"unit": "required"}}, actor=SYSTEM, now=clock())


def test_a_declared_unit_or_the_accounts_own_decides(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        district = make_unit(db)
        street, other = make_unit(db, district), make_unit(db, district)
        industry = _industry(db)
        delivery = make_delivery(db, district, fields=ASKED)
        _limit(db, delivery, AudienceLine(street.id))
        inside = make_person(db, source="roster", unit_id=make_unit(db, street).id)
        outside = make_person(db, source="roster", unit_id=other.id)
    assert begin(db, delivery, keys, unit_id=street.id).attempt.unit_id == street.id
    for unit in (other.id, district.id):
        with pytest.raises(errors.OutsideAudience):
            begin(db, delivery, keys, unit_id=unit)
    with pytest.raises(errors.OutsideAudience):
        begin(db, delivery, keys, unit_unlisted=True)
    account = Actor(account_id=None, person_id=inside.id)
    assert begin(db, delivery, keys, actor=account, unit_unlisted=True).attempt.unit_id == inside.unit_id
    with pytest.raises(errors.OutsideAudience):
        begin(db, delivery, keys, actor=Actor(account_id=None, person_id=outside.id), unit_id=street.id)
    assert len(db.scalars(select(Attempt)).all()) == 2
    # without a limit it is as before: the unit that offers it and all below
    with transaction(db):
        free = make_delivery(db, street, fields=ASKED)
        narrow = make_delivery(db, district, fields={"unit": "required", "industry": "required"})
        _limit(db, narrow, AudienceLine(street.id, industry.id))
        catering = _industry(db, "H").id
    with pytest.raises(errors.UnitOutside):
        begin(db, free, keys, unit_id=other.id)
    assert begin(db, free, keys, unit_unlisted=True).attempt.unit_id is None
    assert begin(db, narrow, keys, unit_id=street.id, industry_id=industry.id).attempt.industry_id == industry.id
    with pytest.raises(errors.OutsideAudience):
        begin(db, narrow, keys, unit_id=street.id, industry_id=catering)


def test_a_moved_unit_is_meant_where_it_stands_today(db: Session, keys: Keys) -> None:
    with transaction(db):
        district = make_unit(db)
        street, other = make_unit(db, district), make_unit(db, district)
        community = make_unit(db, other)
        delivery = make_delivery(db, district, fields=ASKED)
        _limit(db, delivery, AudienceLine(street.id))
    with pytest.raises(errors.OutsideAudience):
        begin(db, delivery, keys, unit_id=community.id)
    with transaction(db):
        moved = db.get_one(OrgUnit, community.id)
        moved.parent_id, moved.path = street.id, f"{street.path}{community.id}/"
    assert begin(db, delivery, keys, unit_id=community.id).attempt.unit_path == moved.path


def test_the_home_page_offers_a_limited_delivery_to_its_units_alone(either_db: Session) -> None:
    db = either_db
    district = make_unit(db)
    bureau, street, other = make_unit(db, district), make_unit(db, district), make_unit(db, district)
    limited = make_delivery(db, bureau, fields=ASKED)
    _limit(db, limited, AudienceLine(street.id))
    free = make_delivery(db, district)

    def offered(unit: OrgUnit | None) -> set[int]:
        path = unit.path if unit else None
        return {row.delivery.id for row in open_deliveries(db, unit_path=path, account_id=None, now=START)}

    assert offered(make_unit(db, street)) == {limited.id, free.id}
    assert offered(other) == offered(None) == offered(bureau) == {free.id}


def test_the_rule_in_python_and_its_two_forms_in_sql_agree(either_db: Session) -> None:
    db, rng = either_db, Random(7)
    for _ in range(4):
        units = [make_unit(db)]
        for _ in range(14):
            units.append(make_unit(db, rng.choice(units)))
        delivery = make_delivery(db, units[0], items=1, fields=ASKED)
        _limit(db, delivery, *(AudienceLine(unit.id) for unit in rng.sample(units[1:], 3)))
        found = set(db.scalars(select(OrgUnit.id).where(reach_condition(delivery))))
        meant = {unit.id for unit in units if admits(lines_of(delivery), unit, None)}
        offered = {
            unit.id
            for unit in units
            if any(
                row.delivery.id == delivery.id
                for row in open_deliveries(db, unit_path=unit.path, account_id=None, now=START)
            )
        }
        assert found == meant == offered
        assert meant == {unit.id for unit in units if in_reach(delivery, unit)}


def _form(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(csrf_token|ticket)" value="([^"]*)"', page))


def test_the_picker_offers_the_audiences_units_and_others_get_a_clear_page(
    either_database: Database, make_app: Callable[..., Flask]
) -> None:
    with either_database.session() as db, transaction(db):
        district = make_unit(db, name="临江区", kind="district")
        street, lake = make_unit(db, district, name="滨江街道"), make_unit(db, district, name="东湖街道")
        make_unit(db, street, name="滨江社区"), make_unit(db, lake, name="东湖社区")
        mountain = make_unit(db, district, name="山前街道")
        hill = make_unit(db, mountain, name="山前社区")
        delivery = make_delivery(db, district, fields=ASKED)
        _limit(db, delivery, AudienceLine(street.id), AudienceLine(lake.id))
        code, hill_id, street_id = delivery.poster_code, hill.id, street.id
        outside = make_person(db, source="roster", unit_id=hill.id)
    client = make_app(either_database).test_client()

    def found(text: str) -> list[str]:
        return [row["name"] for row in client.get(f"/q/{code}/units/search?q={text}").json or []]

    assert found("社区") == ["滨江社区", "东湖社区"]
    assert found("山前") == []
    steps = client.get(f"/q/{code}/units").text
    assert "滨江街道" in steps
    assert "东湖街道" in steps
    assert "临江区</h1>" not in steps
    assert client.get(f"/q/{code}/units?parent={hill_id}").status_code == 404
    assert "滨江社区" in client.get(f"/q/{code}/units?parent={street_id}").text
    assert "滨江街道、东湖街道" in client.get(f"/q/{code}").text
    page = client.get(f"/q/{code}/start").text
    searched = client.post(f"/q/{code}/start", data={**_form(page), "unit_id_search": "1", "unit_id_query": "社区"})
    assert "滨江社区" in searched.text
    assert "山前社区" not in searched.text
    # whoever is not on the list, and whoever sends another unit, reads whom it is for, and can practise
    for unit in ("none", str(hill_id)):
        reply = client.post(f"/q/{code}/start", data={**_form(page), "unit_id": unit, "consent": "y"})
        assert reply.status_code == 303
        told = client.get(reply.location).text
        assert 'data-closed="outside"' in told
        assert "这次测试面向：滨江街道、东湖街道" in told
        assert "/practice" in told
        assert f"/q/{code}/start" in told
    account = client_of(make_app(either_database), Actor(account_id=7, person_id=outside.id))
    told = account.get(f"/q/{code}").text
    assert 'data-closed="outside"' in told
    assert account.get(f"/q/{code}/start").status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        lambda db, d, other: _limit(db, d, AudienceLine(other)),
        lambda db, d, _other: close_early(db, d.id, actor=SYSTEM, now=START + timedelta(seconds=1)),
        lambda db, d, _other: update_delivery(db, d.id, changes={"title": "改了"}, actor=SYSTEM, now=START),
    ],
)
def test_a_change_by_one_worker_is_seen_at_once_by_another(
    database: Database, make_app: Callable[..., Flask], clock: FakeClock, change: Callable[..., Any]
) -> None:
    with database.session() as db, transaction(db):
        district = make_unit(db)
        street, other = make_unit(db, district), make_unit(db, district, name="东湖街道")
        delivery = make_delivery(db, district, fields=ASKED)
        _limit(db, delivery, AudienceLine(street.id))
        delivery_id, other_id, code = delivery.id, other.id, delivery.poster_code
    one, two = make_app(database), make_app(database)
    addresses = (f"/q/{code}", f"/q/{code}/start")
    before = [plain(app.test_client().get(address).text) for app in (one, two) for address in addresses]
    assert [plain(app.test_client().get(address).text) for app in (one, two) for address in addresses] == before
    with one.extensions["quizapp"].database.session() as db, transaction(db):
        change(db, db.get_one(Delivery, delivery_id), other_id)
    clock.forward(seconds=1)
    fresh = make_app(database).test_client()
    for address in addresses:
        expected = plain(fresh.get(address).text)
        assert [plain(app.test_client().get(address).text) for app in (one, two)] == [expected] * 2
    assert plain(two.test_client().get(addresses[0]).text) != before[0]
    found = two.test_client().get(f"/q/{code}/units/search?q=东湖").json or []
    assert [row["id"] for row in found] in ([], [other_id])
