"""The tree of units and the industries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.db import transaction
from quizapp.core.errors import Forbidden, NotFound
from quizapp.core.scope import SYSTEM, Actor, Grant, Permission, Role, Scope
from quizapp.organisation import queries, services
from quizapp.organisation.errors import CodeTaken, IndustryClosed, NameNeeded, UnitClosed
from quizapp.organisation.models import OrgUnit, Residence, UnitKind
from tests.conftest import START


def make(db: Session, name: str, parent: OrgUnit | None = None, **values: Any) -> OrgUnit:
    with transaction(db):
        return services.create_unit(
            db, parent=parent, name=name, actor=SYSTEM, now=START, **{"kind": UnitKind.COMMUNITY, **values}
        )


def administrator(path: str | None) -> Actor:
    return Actor(account_id=1, scope=Scope((Grant(Role.ADMINISTRATOR, path),)))


def edit(db: Session, unit: OrgUnit, actor: Actor = SYSTEM, now: datetime = START, **values: Any) -> OrgUnit:
    with transaction(db):
        return services.edit_unit(
            db,
            unit=unit,
            actor=actor,
            now=now,
            **{"name": unit.name, "kind": UnitKind(unit.kind), "code": unit.code, **values},
        )


def test_a_path_holds_the_keys_from_the_top_down(either_db: Session) -> None:
    district = make(either_db, "临江区", kind=UnitKind.DISTRICT)
    street = make(either_db, "滨江街道", district, kind=UnitKind.STREET)
    assert district.path == f"/{district.id}/"
    assert street.path == f"/{district.id}/{street.id}/"
    assert (street.initials, street.code) == ("bjjd", f"U{street.id}")


def test_a_code_belongs_to_one_unit(either_db: Session) -> None:
    make(either_db, "甲", code="A-1")
    other = make(either_db, "乙", code="A-2")
    with pytest.raises(CodeTaken):
        make(either_db, "丙", code=" A-1 ")
    with pytest.raises(CodeTaken):
        edit(either_db, other, code="A-1")


def test_a_renamed_unit_is_found_by_its_new_initials(db: Session) -> None:
    unit = make(db, "紫兴社区")
    edit(db, unit, name="银杏社区")
    assert [hit.unit.id for hit in queries.search_units(db, "yxsq")] == [unit.id]
    assert queries.search_units(db, "zxsq") == []
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "unit_edited")).one()
    assert event.details == {"fields": ["name"]}


def test_town_or_country_is_that_of_the_nearest_unit_above_that_says_it(either_db: Session) -> None:
    district = make(either_db, "临江区", kind=UnitKind.DISTRICT, residence=Residence.URBAN)
    town = make(either_db, "云溪镇", district, kind=UnitKind.STREET)
    village = make(either_db, "溪头村", town, residence=Residence.RURAL)
    team = make(either_db, "一组", village, kind=UnitKind.WORK_TEAM)
    other = make(either_db, "别处")
    found = queries.residences_of(either_db, [district.id, town.id, village.id, team.id, other.id])
    assert found == {district.id: "urban", town.id: "urban", village.id: "rural", team.id: "rural"}
    edit(either_db, town, residence=Residence.RURAL)
    edit(either_db, village)  # says nothing any more
    assert queries.residences_of(either_db, [village.id, team.id]) == {village.id: "rural", team.id: "rural"}
    assert queries.residences_of(either_db, []) == {}


def test_an_edit_that_changes_nothing_is_not_logged(db: Session) -> None:
    edit(db, make(db, "紫兴社区"))
    assert not db.scalars(select(AuditEvent).where(AuditEvent.action == "unit_edited")).all()


def test_a_closed_unit_stays_and_takes_no_units(db: Session) -> None:
    unit = make(db, "紫兴社区")
    for _ in range(2):
        with transaction(db):
            services.close_unit(db, unit=unit, actor=SYSTEM, now=START)
    assert queries.find_open_unit(db, unit.id) is None
    with pytest.raises(UnitClosed):
        make(db, "一网格", unit)
    assert len(db.scalars(select(AuditEvent).where(AuditEvent.action == "unit_closed")).all()) == 1
    with transaction(db):
        services.reopen_unit(db, unit=unit, actor=SYSTEM, now=START)
    assert queries.find_open_unit(db, unit.id) is unit


def test_an_empty_name_is_refused(db: Session) -> None:
    with pytest.raises(NameNeeded):
        make(db, " 　 ")


def test_a_limited_administrator_changes_only_the_own_units(db: Session) -> None:
    district = make(db, "临江区")
    own = make(db, "滨江街道", district)
    foreign = make(db, "城西街道", district)
    actor = administrator(own.path)
    with pytest.raises(NotFound):
        edit(db, foreign, actor, name="改名")
    with pytest.raises(NotFound):
        edit(db, district, actor, name="改名")
    with pytest.raises(Forbidden), transaction(db):
        services.create_unit(db, parent=None, name="顶", kind=UnitKind.CITY, actor=actor, now=START)
    with pytest.raises(Forbidden), transaction(db):
        services.create_industry(db, code="x", name="行业", name_en="", actor=actor, now=START)
    assert edit(db, own, actor, name="滨江新街道").name == "滨江新街道"
    assert [r.unit.id for r in queries.list_units(db, actor.scope)] == [own.id]
    with pytest.raises(NotFound):
        queries.get_unit(db, actor.scope, foreign.id)


def test_the_tree_shows_only_what_was_opened(db: Session) -> None:
    district = make(db, "临江区")
    street = make(db, "滨江街道", district)
    make(db, "紫兴社区", street)
    scope = administrator(None).scope
    assert [(r.unit.name, r.children) for r in queries.list_units(db, scope)] == [("临江区", 1)]
    names = [r.unit.name for r in queries.list_units(db, scope, opened=[district.id, street.id])]
    assert names == ["临江区", "滨江街道", "紫兴社区"]


@pytest.mark.parametrize(
    ("typed", "found", "matched"),
    [
        ("紫兴", ["紫兴社区", "紫兴街道", "老紫兴小学"], "name"),
        ("ZXSQ", ["紫兴社区"], "initials"),
        ("lj-0", ["紫兴社区"], "code"),
        ("LJ-01", ["紫兴社区"], "code"),
        ("ＬＪ－０１", ["紫兴社区"], "code"),
        ("紫", [], ""),
        ("%_", [], ""),
        ("不存在", [], ""),
    ],
)
def test_a_search_finds_by_name_initials_and_code(
    either_db: Session, typed: str, found: list[str], matched: str
) -> None:
    make(either_db, "老紫兴小学")
    make(either_db, "紫兴社区", code="LJ-01")
    make(either_db, "紫兴街道")
    hits = queries.search_units(either_db, typed)
    assert sorted(h.unit.name for h in hits) == sorted(found)
    assert {h.matched for h in hits} <= {matched}
    if len(hits) > 1:
        assert hits[-1].unit.name == "老紫兴小学"


def test_a_search_keeps_within_a_unit_and_to_eight(db: Session) -> None:
    left, right = make(db, "左区"), make(db, "右区")
    for number in range(10):
        make(db, f"江湾社区{number}", left)
    inside = make(db, "江湾学校", right)
    assert len(queries.search_units(db, "江湾")) == 8
    assert [h.unit.id for h in queries.search_units(db, "江湾", right.path)] == [inside.id]
    assert queries.search_units(db, "江湾", right.path)[0].parent == "右区"


def test_closed_units_are_not_offered(db: Session) -> None:
    top = make(db, "临江区")
    unit = make(db, "紫兴社区", top)
    with transaction(db):
        services.close_unit(db, unit=unit, actor=SYSTEM, now=START)
    assert queries.search_units(db, "紫兴社区") == []
    assert queries.children_of(db, top.id) == []
    assert [r.children for r in queries.children_of(db, None)] == [0]


def test_a_closed_industry_is_chosen_for_nothing_new(db: Session) -> None:
    with transaction(db):
        industry = services.create_industry(db, code="hotel", name="宾馆", name_en="Hotels", actor=SYSTEM, now=START)
    unit = make(db, "大酒店", industry=industry)
    with transaction(db):
        services.close_industry(db, industry=industry, actor=SYSTEM, now=START)
    with pytest.raises(IndustryClosed):
        make(db, "小酒店", industry=industry)
    assert edit(db, unit, name="老酒店", industry=industry).industry_id == industry.id
    assert list(queries.list_industries(db)) == []
    assert list(queries.list_industries(db, closed_too=True)) == [industry]


def test_two_industries_never_share_a_code(db: Session) -> None:
    for number in range(2):
        with transaction(db):
            services.create_industry(db, code=f"c{number}", name="行业", name_en="Industry", actor=SYSTEM, now=START)
    second = queries.list_industries(db)[1]
    with pytest.raises(CodeTaken), transaction(db):
        services.edit_industry(db, industry=second, code="c0", name="行业", name_en="", actor=SYSTEM, now=START)


def test_ancestors_stand_from_the_top_down(db: Session) -> None:
    top = make(db, "临江区")
    street = make(db, "滨江街道", top)
    unit = make(db, "紫兴社区", street)
    assert [u.name for u in queries.ancestors_of(db, unit)] == ["临江区", "滨江街道"]
    assert queries.ancestors_of(db, top) == []


def test_a_grant_limited_to_an_industry_reaches_no_unit(db: Session) -> None:
    make(db, "临江区")
    scope = Scope((Grant(Role.ADMINISTRATOR, None, 3),))
    assert queries.list_units(db, scope) == []
    assert queries.units_to_choose(db, scope, Permission.MANAGE_UNITS) == []
