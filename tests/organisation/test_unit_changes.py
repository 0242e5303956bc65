"""Moving a unit with all below it, merging two, and the way back: the tree stays a tree, history stays as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.errors import GrantTooWide
from quizapp.accounts.models import AccountGrant
from quizapp.accounts.queries import find_actor
from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, Forbidden, NotFound
from quizapp.core.scope import SYSTEM, Actor, Grant, Permission, Role, Scope
from quizapp.organisation.errors import (
    LaterMergeFirst,
    MergeIntoBelow,
    MergeSameUnit,
    MergeTooOld,
    MoveBelowItself,
    UnitClosed,
    UnitIsMerged,
    UnitsChanged,
    UnitTooDeep,
)
from quizapp.organisation.models import OrgUnit, Person, UnitKind, UnitMerge
from quizapp.organisation.services import close_unit, create_unit, reopen_unit
from quizapp.organisation.tree import move_unit
from quizapp.organisation.unit_merging import facts_of, merge_units, undo_unit_merge
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.surveys.models import Survey
from quizapp.trainings.models import AudienceRule, Place, TrainingSession
from tests.conftest import START
from tests.factories import make_account, make_attempt, make_delivery, make_person, make_session, make_unit

LATER = START + timedelta(days=1)


@dataclass
class Town:
    """A city with two streets; the first has two communities, one of them with an enterprise."""

    city: OrgUnit
    east: OrgUnit
    west: OrgUnit
    first: OrgUnit
    second: OrgUnit
    shop: OrgUnit


@pytest.fixture
def town(either_db: Session) -> Town:
    with transaction(either_db) as db:
        city = make_unit(db, name="市", kind="city")
        east, west = (make_unit(db, city, name=name, kind="street") for name in ("东街", "西街"))
        first, second = (make_unit(db, east, name=name) for name in ("一社区", "二社区"))
        return Town(city, east, west, first, second, make_unit(db, first, name="店", kind="enterprise"))


def whole(db: Session) -> None:
    """Every path says the way down from the top, and nobody is above themselves."""
    units = {unit.id: unit for unit in db.scalars(select(OrgUnit).execution_options(populate_existing=True))}
    for unit in units.values():
        above = units[unit.parent_id].path if unit.parent_id is not None else "/"
        assert unit.path == f"{above}{unit.id}/"


def move(db: Session, unit: OrgUnit, parent: OrgUnit | None, actor: Actor = SYSTEM) -> None:
    with transaction(db):
        move_unit(db, unit=unit, parent=parent, actor=actor, now=START)
    whole(db)


def merge(db: Session, kept: OrgUnit, merged: OrgUnit, *, carry: bool = False, actor: Actor = SYSTEM) -> UnitMerge:
    with transaction(db):
        done = merge_units(db, kept_id=kept.id, merged_id=merged.id, carry_grants=carry, actor=actor, now=START)
    whole(db)
    return done


def undo(db: Session, done: UnitMerge, *, now: object = LATER, actor: Actor = SYSTEM) -> None:
    with transaction(db):
        undo_unit_merge(db, merge=done, actor=actor, now=now)  # type: ignore[arg-type] # a moment
    whole(db)


def administrator(*units: OrgUnit) -> Actor:
    return Actor(account_id=1, scope=Scope(tuple(Grant(Role.ADMINISTRATOR, unit.path) for unit in units)))


def test_a_unit_moves_with_all_below_it_and_history_stays(either_db: Session, town: Town) -> None:
    with transaction(either_db):
        attempt = make_attempt(either_db, make_delivery(either_db, town.city), town.shop)
        before = attempt.unit_path
    move(either_db, town.first, town.west)
    assert town.shop.path == f"{town.west.path}{town.first.id}/{town.shop.id}/"
    assert either_db.get_one(Attempt, attempt.id).unit_path == before
    event = either_db.scalars(select(AuditEvent)).one()
    assert (event.action, event.details) == (
        "unit_moved",
        {"from_parent_id": town.east.id, "parent_id": town.west.id, "units": 2},
    )
    move(either_db, town.first, town.west)  # twice is harmless
    assert len(either_db.scalars(select(AuditEvent)).all()) == 1
    move(either_db, town.first, None)
    assert town.shop.path == f"/{town.first.id}/{town.shop.id}/"


@pytest.mark.parametrize(
    ("unit", "parent", "error"),
    [
        ("east", "east", MoveBelowItself),
        ("east", "shop", MoveBelowItself),
        ("first", "closed", UnitClosed),
    ],
)
def test_a_place_that_is_none_is_refused(
    either_db: Session, town: Town, unit: str, parent: str, error: type[DomainError]
) -> None:
    with transaction(either_db):
        closed = make_unit(either_db, town.city, closed_at=START)
    places = {**vars(town), "closed": closed}
    with pytest.raises(error):
        move(either_db, places[unit], places[parent])
    whole(either_db)


def test_a_tree_that_would_be_too_deep_is_refused(either_db: Session, town: Town) -> None:
    with transaction(either_db):
        deep = town.west
        while len(deep.path) < 252:
            deep = make_unit(either_db, deep)
    with pytest.raises(UnitTooDeep):
        move(either_db, town.first, deep)


def test_who_moves_is_responsible_for_the_unit_for_where_it_was_and_for_where_it_goes(
    either_db: Session, town: Town
) -> None:
    with pytest.raises(NotFound):  # not for where it goes
        move(either_db, town.first, town.west, administrator(town.east))
    with pytest.raises(Forbidden):  # not for where it was
        move(either_db, town.first, town.west, administrator(town.first, town.west))
    with pytest.raises(Forbidden):  # not for the top
        move(either_db, town.first, None, administrator(town.city))
    move(either_db, town.first, town.west, administrator(town.east, town.west))


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-1, 7), st.booleans()), max_size=12))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_moves_and_merges_come_the_tree_stays_a_tree(db: Session, steps: list[tuple[int, int, bool]]) -> None:
    with transaction(db):
        units = [make_unit(db)]
        for number in range(7):
            units.append(make_unit(db, units[number // 2]))
    for one, other, merging in steps:
        try:
            if merging and other >= 0:
                merge(db, units[other], units[one])
            else:
                move(db, units[one], units[other] if other >= 0 else None)
        except DomainError:
            db.rollback()
        whole(db)
    for done in reversed(db.scalars(select(UnitMerge).order_by(UnitMerge.id)).all()):
        try:
            undo(db, done)
        except (LaterMergeFirst, UnitsChanged):
            db.rollback()
    whole(db)


@dataclass
class Filled:
    """What stands at the second community."""

    person: int
    running: int
    ended: int
    coming: int
    past: int
    rule: int
    place: int
    double: int
    grant: int
    attempt: int
    survey: int


@pytest.fixture
def filled(either_db: Session, town: Town) -> Filled:
    with transaction(either_db) as db:
        unit = town.second
        make_unit(db, unit, name="下级")
        person = make_person(db, unit_id=unit.id)
        running = make_delivery(db, unit)
        ended = make_delivery(db, unit, closes_at=to_ms(START) - 1)
        coming, past = make_session(db, unit), make_session(db, unit, starts_at=to_ms(START - timedelta(days=9)))
        rule = AudienceRule(session_id=coming.id, unit_id=unit.id)
        places = [Place(unit_id=unit.id, name=name, created_at=0) for name in ("礼堂", "操场")]
        twin = Place(unit_id=town.first.id, name="操场", created_at=0)
        db.add_all([rule, *places, twin])
        account = make_account(db, (Role.COORDINATOR, unit), unit=unit)
        attempt = make_attempt(db, running, unit, person_id=person.id)
        survey = Survey(
            unit_id=unit.id, title="抽样调查", delivery_id=running.id, design="simple", frame_kind="roster", plan={}, seed="第2026131期",
            created_at=START,
        )  # fmt: skip
        db.add(survey)
        db.flush()
        grant = db.scalars(select(AccountGrant.id).where(AccountGrant.account_id == account.id)).one()
        return Filled(
            person.id, running.id, ended.id, coming.id, past.id, rule.id, places[0].id, places[1].id, grant, attempt.id,
            survey.id,
        )  # fmt: skip


def units_of(db: Session, filled: Filled) -> dict[str, int | None]:
    """Where each row stands."""
    db.expire_all()
    return {
        "person": db.get_one(Person, filled.person).unit_id,
        "running": db.get_one(Delivery, filled.running).unit_id,
        "ended": db.get_one(Delivery, filled.ended).unit_id,
        "coming": db.get_one(TrainingSession, filled.coming).unit_id,
        "past": db.get_one(TrainingSession, filled.past).unit_id,
        "rule": db.get_one(AudienceRule, filled.rule).unit_id,
        "place": db.get_one(Place, filled.place).unit_id,
        "double": db.get_one(Place, filled.double).unit_id,
        "grant": db.get_one(AccountGrant, filled.grant).unit_id,
        "attempt": db.get_one(Attempt, filled.attempt).unit_id,
        "survey": db.get_one(Survey, filled.survey).unit_id,
    }


def test_what_is_of_today_goes_along_and_what_was_recorded_stays(
    either_db: Session, town: Town, filled: Filled
) -> None:
    db = either_db
    kept, merged = town.first, town.second
    before = units_of(db, filled)
    path = db.get_one(Attempt, filled.attempt).unit_path
    facts = {fact.kind: fact.count for fact in facts_of(db, merged, START, alone=True)}
    assert facts == {
        "units": 1, "enterprises": 0, "people": 2, "accounts": 1, "grants": 1,
        "deliveries": 1, "surveys": 1, "sessions": 1, "courses": 0, "places": 2,
    }  # fmt: skip
    done = merge(db, kept, merged)
    stays = {"ended", "past", "double", "grant", "attempt"}
    assert units_of(db, filled) == {name: merged.id if name in stays else kept.id for name in before}
    assert db.get_one(Attempt, filled.attempt).unit_path == path
    assert (merged.parent_id, merged.closed_at) == (kept.id, START)
    assert db.scalars(select(OrgUnit.parent_id).where(OrgUnit.name == "下级")).one() == kept.id
    assert merge(db, kept, merged).id == done.id  # twice is once
    with transaction(db):
        newcomer = make_person(db, unit_id=kept.id).id
    undo(db, done)
    assert units_of(db, filled) == before
    assert (merged.parent_id, merged.closed_at) == (town.east.id, None)
    assert db.scalars(select(OrgUnit.parent_id).where(OrgUnit.name == "下级")).one() == merged.id
    assert db.get_one(Person, newcomer).unit_id == kept.id
    undo(db, done)  # twice is once
    actions = db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert list(actions) == ["unit_merged", "unit_merge_undone"]


def test_grants_go_along_where_that_is_said_and_no_wider_than_ones_own(
    either_db: Session, town: Town, filled: Filled
) -> None:
    db = either_db
    coordinator = Actor(account_id=1, scope=Scope((Grant(Role.ADMINISTRATOR, town.east.path),)))
    with transaction(db):
        holder = db.get_one(AccountGrant, filled.grant).account_id
    done = merge(db, town.first, town.second, carry=True, actor=coordinator)
    actor = find_actor(db, holder, 0)
    assert actor is not None
    assert actor.scope.covers(Permission.SEE_FIGURES, town.shop.path)
    assert db.get_one(AccountGrant, filled.grant).reach == f"coordinator/{town.first.id}/-"
    undo(db, done, actor=coordinator)
    assert db.get_one(AccountGrant, filled.grant).reach == f"coordinator/{town.second.id}/-"


def test_units_alone_may_be_merged_by_whoever_may_not_grant(
    either_db: Session, town: Town, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that manages units without accounts could not hand out access this way."""
    monkeypatch.setattr("quizapp.accounts.merging.may_grant", lambda *_: False)
    with pytest.raises(GrantTooWide):
        merge(either_db, town.first, town.second, carry=True)
    either_db.rollback()
    merge(either_db, town.first, town.second)


def test_a_merge_that_is_none_is_refused(either_db: Session, town: Town) -> None:
    db = either_db
    with pytest.raises(MergeSameUnit):
        merge(db, town.first, town.first)
    with pytest.raises(MergeIntoBelow):
        merge(db, town.shop, town.first)
    with pytest.raises(NotFound):
        merge(db, town.west, town.first, actor=administrator(town.east))
    with pytest.raises(Forbidden):
        merge(db, town.west, town.first, actor=administrator(town.first, town.west))
    with transaction(db):
        close_unit(db, unit=town.west, actor=SYSTEM, now=START)
    with pytest.raises(UnitClosed):
        merge(db, town.west, town.first)


def test_a_merged_unit_stands_for_itself_no_more(either_db: Session, town: Town) -> None:
    db = either_db
    merge(db, town.first, town.second)
    for refused in (
        lambda: merge(db, town.second, town.west),
        lambda: merge(db, town.west, town.second),
        lambda: move(db, town.second, town.west),
        lambda: reopen_unit(db, unit=town.second, actor=SYSTEM, now=START),
    ):
        with pytest.raises(UnitIsMerged):
            refused()
        db.rollback()
    with pytest.raises(UnitClosed):
        create_unit(db, parent=town.second, name="新", kind=UnitKind.WORK_TEAM, actor=SYSTEM, now=START)


def test_a_merge_is_taken_back_in_time_and_while_nothing_else_changed(either_db: Session, town: Town) -> None:
    db = either_db
    first = merge(db, town.first, town.second)
    with pytest.raises(MergeTooOld):
        undo(db, first, now=START + timedelta(days=31))
    second = merge(db, town.west, town.first)
    with pytest.raises(LaterMergeFirst):
        undo(db, first)
    db.rollback()
    undo(db, second)
    with transaction(db):
        close_unit(db, unit=town.east, actor=SYSTEM, now=START)
    with pytest.raises(UnitsChanged):
        undo(db, first)
    db.rollback()
    with transaction(db):
        reopen_unit(db, unit=town.east, actor=SYSTEM, now=START)
    undo(db, first)
