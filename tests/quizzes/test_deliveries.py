"""Publishing, assembling and changing deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.jobs.models import Job
from quizapp.measurement.assembly import AssemblyInfeasible, Shortfall
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes import errors
from quizapp.quizzes.models import PROFILE_FIELDS, Attempt, Delivery, DeliveryState, Paper
from quizapp.quizzes.queries.deliveries import (
    get_delivery_in_scope,
    items_in_open_tests,
    list_deliveries,
)
from quizapp.quizzes.services import assembly
from quizapp.quizzes.services.deliveries import create_delivery
from tests.conftest import FakeClock
from tests.factories import make_delivery, make_unit
from tests.quizzes.banks import make_blueprint, versions_of
from tests.quizzes.staff import coordinator_of


def publish(db: Session, unit: OrgUnit, clock: FakeClock, actor: Actor = SYSTEM, **changes: Any) -> Delivery:
    """Publish a delivery of `make_blueprint`."""
    values: dict[str, Any] = {
        "blueprint_code": "safety_20",
        "title": "安全知识测试",
        "unit_id": unit.id,
        "opens_at": clock(),
        "closes_at": clock() + timedelta(days=7),
        "time_limit_s": 1200,
        "tries": 2,
        "pass_score": 25,
        "fields": {"name": "required", "unit": "required"},
        "paper_count": 2,
        "keeper": "科协",
        "purpose": "统计合格率",
        "contact": "0571-0000",
        "retention_months": 36,
    }
    return create_delivery(db, **{**values, **changes}, actor=actor, now=clock())


def _attempt(db: Session, delivery: Delivery, **values: Any) -> Attempt:
    paper = db.scalars(select(Paper).where(Paper.delivery_id == delivery.id)).first()
    assert paper is not None
    number = len(db.scalars(select(Attempt)).all())
    attempt = Attempt(
        **{
            "public_id": f"attempt{number}",
            "delivery_id": delivery.id,
            "paper_id": paper.id,
            "secret_hash": b"x" * 32,
            "order_seed": "s",
            "state": "open",
            "started_at": delivery.opens_at,
            "deadline_at": delivery.opens_at + 600_000,
            "accepts_until": delivery.opens_at + 630_000,
            "local_date": FakeClock()().date(),
            "identity_level": "none",
            "unit_known": "none",
            "notice_version": "1",
            "marked": [],
            **values,
        }
    )
    db.add(attempt)
    db.flush()
    return attempt


def test_a_published_delivery_has_its_job_its_notice_and_its_record(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    with transaction(db):
        make_blueprint(db)
        unit = make_unit(db)
        actor = coordinator_of(unit)
        delivery = publish(db, unit, clock, actor)
    assert delivery.state == DeliveryState.PREPARING
    assert (delivery.item_count, delivery.max_score, len(delivery.poster_code)) == (9, 45, 8)
    assert 0 < delivery.guess_pass < 0.2
    assert delivery.fields == {n: "required" if n in ("name", "unit") else "off" for n in PROFILE_FIELDS}
    assert delivery.notice["version"].startswith("20261123-")
    assert delivery.notice["keeper"] == "科协"
    job = db.scalars(select(Job)).one()
    assert (job.name, job.arguments, job.account_id) == ("assemble_papers", {"delivery_id": delivery.id}, 41)
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "delivery_published")).one()
    assert (event.object_id, event.unit_id, event.account_id) == (delivery.id, unit.id, 41)
    assert event.details == {"blueprint": "safety_20", "papers": 2, "fields": ["name", "unit"]}


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"title": "  "}, errors.DeliveryValueMissing, "title"),
        ({"title": "题" * 121}, errors.DeliveryTextTooLong, "title"),
        ({"pass_score": 46}, errors.DeliveryValueOutOfRange, "pass_score"),
        ({"pass_score": 0}, errors.DeliveryValueOutOfRange, "pass_score"),
        ({"tries": 0}, errors.DeliveryValueOutOfRange, "tries"),
        ({"paper_count": 101}, errors.DeliveryValueOutOfRange, "paper_count"),
        ({"time_limit_s": 30}, errors.DeliveryValueOutOfRange, "time_limit_s"),
        ({"blueprint_code": "nothing"}, errors.BlueprintUnknown, "blueprint"),
        ({"closes_at": FakeClock()() - timedelta(days=1)}, errors.WindowEmpty, "closes_at"),
    ],
)
def test_a_value_that_is_not_acceptable_is_refused_at_its_field(
    db: Session, clock: FakeClock, changes: dict[str, Any], refusal: type[DomainError], field: str
) -> None:
    make_blueprint(db)
    with pytest.raises(refusal) as caught:
        publish(db, make_unit(db), clock, **changes)
    assert caught.value.data["field"] == field


def test_nobody_publishes_for_another_district_or_a_closed_unit(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    make_blueprint(db)
    own, other = make_unit(db), make_unit(db)
    below = make_unit(db, own)
    assert publish(db, below, clock, coordinator_of(own)).unit_id == below.id
    with pytest.raises(NotFound):
        publish(db, other, clock, coordinator_of(own))
    industry = Actor(account_id=5, scope=Scope((Grant(Role.COORDINATOR, own.path, industry_id=3),)))
    with pytest.raises(NotFound):
        publish(db, own, clock, industry)
    closed = make_unit(db, own, closed_at=clock())
    with pytest.raises(errors.UnitClosedForDelivery):
        publish(db, closed, clock, coordinator_of(own))


def test_the_papers_are_stored_once_and_make_the_delivery_ready(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    with transaction(db):
        make_blueprint(db)
        delivery = publish(db, make_unit(db), clock)
    expected = delivery.guess_pass
    forms: list[int] = []
    assembly.assemble_papers(db, delivery.id, now=clock(), on_form=forms.append)
    assert forms == [1, 2]
    again = assembly.assemble_papers(db, delivery.id, now=clock(), on_form=forms.append)
    assert forms == [1, 2]
    assert again.state == DeliveryState.READY
    assert again.guess_pass == pytest.approx(expected)
    papers = db.scalars(select(Paper).where(Paper.delivery_id == delivery.id).order_by(Paper.number)).all()
    assert [p.number for p in papers] == [1, 2]
    for paper in papers:
        versions = versions_of(db, paper.id)
        assert len({v.item_id for v in versions}) == 9
        assert sorted(v.type for v in versions) == sorted(["single_choice", "true_false", "multiple_choice"] * 3)


def test_a_quarter_of_the_bank_is_left_to_practice(db: Session, clock: FakeClock) -> None:
    with transaction(db):
        make_blueprint(db, items=32)
        delivery = publish(db, make_unit(db), clock, paper_count=8)
    assert items_in_open_tests(db, clock()) == set()
    assembly.assemble_papers(db, delivery.id, now=clock())
    assert len(items_in_open_tests(db, clock())) == 24
    assert items_in_open_tests(db, clock() - timedelta(minutes=1)) == set()
    assert items_in_open_tests(db, clock() + timedelta(days=7)) == set()


def test_an_item_whose_source_is_out_of_force_is_not_drawn(db: Session, clock: FakeClock) -> None:
    with transaction(db):
        blueprint = make_blueprint(db, items=9)
        draw = assembly.read_draw(db, blueprint, now=clock())
        assert len(draw.pool.items) == 9
        delivery = publish(db, make_unit(db), clock)
        version = versions_of_bank(db)[0]
        version.citation = {**version.citation, "valid_until": "2026-10"}
    assert assembly.assemble_papers(db, delivery.id, now=clock()).failure == "items:all:8/9"


def test_demands_that_conflict_are_kept_together_as_far_as_they_fit() -> None:
    both = [Shortfall("benchmark_min", "13", 5, 4), Shortfall("type", "single_choice", 30, 25)]
    kept = "benchmark_min:13:5/4;type:single_choice:30/25"
    assert assembly.failure_code(AssemblyInfeasible(both)) == kept
    assert assembly.failure_code(AssemblyInfeasible([*both, Shortfall("topic_min", "nutrition", 9, 4)])) == kept
    one = Shortfall("topic_min", "nutrition", 3, 4)
    assert assembly.failure_code(AssemblyInfeasible([*both, one])) == one.code, "it fails by itself"
    assert assembly.failure_code(AssemblyInfeasible([])) == "assembly_infeasible"


def versions_of_bank(db: Session) -> list[Any]:
    """All versions there are."""
    from quizapp.banks.models import ItemVersion

    return list(db.scalars(select(ItemVersion).order_by(ItemVersion.id)))


def test_a_bank_that_is_too_small_leaves_its_reason_and_can_be_asked_again(
    either_db: Session, clock: FakeClock
) -> None:
    db = either_db
    with transaction(db):
        make_blueprint(db, items=8)
        delivery = publish(db, make_unit(db), clock)
    failed = assembly.assemble_papers(db, delivery.id, now=clock())
    assert (failed.state, failed.failure) == (DeliveryState.FAILED, "items:all:8/9")
    with transaction(db):
        assembly.ask_again(db, failed, actor=SYSTEM, now=clock())
    assert len(db.scalars(select(Job)).all()) == 2
    with pytest.raises(errors.AssemblyRunning):
        assembly.ask_again(db, failed, actor=SYSTEM, now=clock())
    clock.forward(minutes=2)
    assembly.ask_again(db, failed, actor=SYSTEM, now=clock())


def test_lists_and_pages_hold_ones_own_deliveries_only(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    own, other = make_unit(db), make_unit(db)
    older = make_delivery(db, make_unit(db, own))
    newer = make_delivery(db, own, created_at=to_ms(clock()) + 1)
    foreign = make_delivery(db, other)
    _attempt(db, older)
    _attempt(db, older, state="submitted")
    _attempt(db, older, state="expired")
    _attempt(db, older, state="void")
    scope = coordinator_of(own).scope
    page = list_deliveries(db, scope)
    assert [(row.delivery.id, row.started, row.closed) for row in page.rows] == [(newer.id, 0, 0), (older.id, 3, 2)]
    assert (page.total, page.pages) == (2, 1)
    assert list_deliveries(db, Scope()).total == 0
    assert get_delivery_in_scope(db, scope, older.id) is older
    with pytest.raises(NotFound):
        get_delivery_in_scope(db, scope, foreign.id)


def test_the_list_comes_in_pages_of_fifty(db: Session, clock: FakeClock) -> None:
    unit = make_unit(db)
    first = make_delivery(db, unit)
    for number in range(50):
        row = {c.key: getattr(first, c.key) for c in Delivery.__table__.columns if c.key != "id"}
        db.add(Delivery(**{**row, "poster_code": f"PAGE{number:04}", "created_at": first.created_at + 1 + number}))
    db.flush()
    scope = coordinator_of(unit).scope
    assert [row.delivery.poster_code for row in list_deliveries(db, scope).rows][:2] == ["PAGE0049", "PAGE0048"]
    last = list_deliveries(db, scope, page=9)
    assert (last.page, last.pages, [row.delivery.id for row in last.rows]) == (2, 2, [first.id])
