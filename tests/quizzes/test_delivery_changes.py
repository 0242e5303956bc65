"""Changing a delivery before and after the first start, ending it early, and two who change it at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import from_ms, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.hot import session_runner
from quizapp.core.tokens import Keys, digest
from quizapp.jobs.models import Job
from quizapp.quizzes import errors
from quizapp.quizzes.models import Attempt, Delivery, DeliveryState, LateResponse, Paper, PaperItem
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services import assembly
from quizapp.quizzes.services.audience import AudienceLine
from quizapp.quizzes.services.deliveries import close_early, update_delivery
from quizapp.quizzes.services.paper_checks import paper_facts
from quizapp.quizzes.services.publish_checks import stored_checks
from quizapp.quizzes.services.saving import AnswerItem, SaveStatus, save_answers
from quizapp.quizzes.services.starting import Started
from quizapp.quizzes.services.submitting import close_if_over
from tests.conftest import FakeClock
from tests.factories import make_delivery, make_unit
from tests.quizzes.banks import make_blueprint
from tests.quizzes.staff import coordinator_of
from tests.quizzes.support import begin
from tests.quizzes.test_deliveries import publish


def _last_event(db: Session) -> AuditEvent:
    return db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()  # type: ignore[return-value] # there is one


def test_everything_may_change_before_the_first_start(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    unit = make_unit(db)
    below = make_unit(db, unit)
    delivery = make_delivery(db, unit)
    actor = coordinator_of(unit)
    changes = {
        "title": " 新  名称 ",
        "pass_score": 80,
        "fields": {"phone": "optional"},
        "keeper": "应急局",
        "unit_id": below.id,
    }
    before = delivery.notice["version"]
    papers = db.scalars(select(Paper.id)).all()
    changed = update_delivery(db, delivery.id, changes=changes, actor=actor, now=clock(), revision=1)
    assert (changed.title, changed.pass_score, changed.fields["phone"]) == ("新 名称", 80, "optional")
    assert (changed.unit.id, changed.revision, changed.state) == (below.id, 2, DeliveryState.READY)
    # nothing of that makes other papers; the chance of guessing follows theirs: 2 × 1/4, 2 × 1/2, 1 × 1/11, four of them right
    assert db.scalars(select(Paper.id)).all() == papers
    right = [0.25, 0.5, 1 / 11, 0.25, 0.5]
    every = right[0] * right[1] * right[2] * right[3] * right[4]
    assert changed.guess_pass == pytest.approx(every * (1 + sum((1 - p) / p for p in right)))
    assert changed.notice["keeper"] == "应急局"
    assert changed.notice["version"] != before
    details = {"fields": ["fields", "keeper", "pass_score", "title", "unit_id"], "after_start": False}
    assert (_last_event(db).action, _last_event(db).details) == ("delivery_changed", details)
    with pytest.raises(NotFound):
        update_delivery(db, delivery.id, changes={"unit_id": make_unit(db).id}, actor=actor, now=clock())
    assert update_delivery(db, delivery.id, changes={"title": "新 名称"}, actor=actor, now=clock()).revision == 2


def test_another_number_of_papers_or_another_quiz_makes_new_papers(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    with transaction(db):
        make_blueprint(db)
        make_blueprint(db, code="health_6", drawn=6)
        unit = make_unit(db)
        delivery = publish(db, unit, clock)
    assembly.assemble_papers(db, delivery.id, now=clock())
    seed = delivery.seed
    clock.forward(minutes=10)
    with transaction(db):
        update_delivery(
            db, delivery.id, changes={"paper_count": 3}, actor=coordinator_of(unit), now=clock(), revision=1
        )
    assert (delivery.state, delivery.seed != seed, delivery.asked_at) == ("preparing", True, to_ms(clock()))
    assert db.scalars(select(PaperItem)).all() == []
    assert len(db.scalars(select(Job)).all()) == 2
    with pytest.raises(errors.AssemblyRunning):  # asked for just now, however old the delivery is
        assembly.ask_again(db, delivery, actor=coordinator_of(unit), now=clock())
    assembly.assemble_papers(db, delivery.id, now=clock())
    assert (delivery.state, len(db.scalars(select(Paper)).all())) == ("ready", 3)
    with transaction(db), pytest.raises(errors.DeliveryValueOutOfRange):
        update_delivery(
            db,
            delivery.id,
            changes={"blueprint_code": "health_6", "pass_score": 31},
            actor=coordinator_of(unit),
            now=clock(),
        )
    with transaction(db):
        update_delivery(
            db,
            delivery.id,
            changes={"blueprint_code": "health_6", "pass_score": 20},
            actor=coordinator_of(unit),
            now=clock(),
        )
    assert (delivery.item_count, delivery.max_score, delivery.blueprint.code) == (6, 30, "health_6")
    assembly.assemble_papers(db, delivery.id, now=clock())
    facts = paper_facts(db, delivery.id)
    assert facts is not None
    assert (facts.papers, facts.items) == (3, 6)


def test_a_job_that_worked_on_the_old_draw_keeps_its_papers_to_itself(
    either_db: Session, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = either_db
    with transaction(db):
        make_blueprint(db)
        unit = make_unit(db)
        delivery = publish(db, unit, clock, paper_count=2)
    solve: Callable[..., Any] = assembly._solve

    def change_meanwhile(*arguments: Any) -> Any:
        forms = solve(*arguments)
        monkeypatch.setattr(assembly, "_solve", solve)
        with transaction(db):
            changes = {"paper_count": 4}
            update_delivery(db, delivery.id, changes=changes, actor=coordinator_of(unit), now=clock())
        return forms

    monkeypatch.setattr(assembly, "_solve", change_meanwhile)
    assembly.assemble_papers(db, delivery.id, now=clock())
    assert (delivery.state, db.scalars(select(Paper)).all()) == ("preparing", [])
    assembly.assemble_papers(db, delivery.id, now=clock())
    assert len(db.scalars(select(Paper)).all()) == 4


def test_after_the_first_start_only_end_audience_and_what_is_shown_change(
    either_db: Session, clock: FakeClock, keys: Keys
) -> None:
    db = either_db
    with transaction(db):
        unit = make_unit(db)
        delivery = make_delivery(db, unit, fields={"unit": "required"})
        make_blueprint(db)
    begin(db, delivery, keys, unit_id=unit.id)
    actor = coordinator_of(unit)

    def change(**changes: Any) -> Delivery:
        return update_delivery(db, delivery.id, changes=changes, actor=actor, now=clock())

    everything = {
        "title": "别的",
        "title_en": "Other",
        "opens_at": clock() - timedelta(days=2),
        "time_limit_s": 60,
        "tries": 9,
        "capacity": 3,
        "pass_score": 20,
        "paper_count": 9,
        "guests": False,
        "fields": {"unit": "required", "name": "optional"},
        "blueprint_code": "safety_20",
        "unit_id": make_unit(db, unit).id,
        "keeper": "别人",
        "purpose": "别的",
        "contact": "别处",
        "retention_months": 1,
    }
    for name, value in everything.items():
        with pytest.raises(errors.DeliveryStarted) as caught:
            change(**{name: value, "reveal": "score_only"})
        assert caught.value.data["fields"] == [name]
    assert delivery.reveal == "at_once"
    with pytest.raises(errors.EndOnlyEarlier):
        change(closes_at=from_ms(delivery.closes_at) + timedelta(hours=1))
    end = clock() + timedelta(minutes=5)
    changed = change(closes_at=end, reveal="score_only", audience=[AudienceLine(unit.id)])
    assert (changed.closes_at, changed.reveal, changed.limited) == (to_ms(end), "score_only", True)
    event = _last_event(db)
    assert event.details == {
        "fields": ["audience", "closes_at", "reveal"],
        "after_start": True,
        "audience": [unit.id],
    }
    # nobody's time ends after the window
    attempt = db.scalars(select(Attempt)).one()
    db.refresh(attempt)
    assert (attempt.deadline_at, attempt.accepts_until) == (to_ms(end), to_ms(end) + 30_000)
    with pytest.raises(NotFound):
        update_delivery(
            db, delivery.id, changes={"reveal": "at_once"}, actor=coordinator_of(make_unit(db)), now=clock()
        )


def _save(db: Session, started: Started, position: int, now_ms: int) -> str:
    with transaction(db):
        reply = save_answers(
            session_runner(db),
            attempt=started.attempt.public_id,
            secret_hash=digest(started.secret),
            items=[AnswerItem(position, "b", position)],
            now_ms=now_ms,
        )
    return reply.results[0].status


def test_ending_early_keeps_what_was_saved_and_tells_who_comes_later(
    either_db: Session, clock: FakeClock, keys: Keys
) -> None:
    db = either_db
    with transaction(db):
        unit = make_unit(db)
        delivery = make_delivery(db, unit)
        waiting = make_delivery(db, unit, opens_at=to_ms(clock()) + 60_000)
    started, empty = begin(db, delivery, keys), begin(db, delivery, keys)
    actor = coordinator_of(unit)
    assert _save(db, started, 1, to_ms(clock())) == SaveStatus.SAVED
    now = clock.forward(minutes=3)
    with transaction(db):
        assert close_early(db, delivery.id, actor=actor, now=now) == 2
    assert (delivery.closes_at, delivery.revision) == (to_ms(now), 2)
    assert (_last_event(db).action, _last_event(db).details) == ("delivery_closed_early", {"answering": 2})
    # an answer that was on its way counts; a later one is kept beside
    assert _save(db, started, 4, to_ms(now) + 20_000) == SaveStatus.SAVED
    assert _save(db, started, 5, to_ms(now) + 31_000) == SaveStatus.LATE
    assert db.scalars(select(LateResponse.position)).all() == [5]
    with transaction(db):
        later = to_ms(now) + 31_000
        closed = close_if_over(db, started.attempt.id, papers=PaperCache(), now_ms=later)
        void = close_if_over(db, empty.attempt.id, papers=PaperCache(), now_ms=later)
    assert (closed.state, closed.closed_at, closed.answered_count, void.state) == ("expired", to_ms(now), 2, "void")
    with pytest.raises(errors.DeliveryEnded):
        begin(db, delivery, keys, now=now)
    with pytest.raises(errors.DeliveryEnded):
        close_early(db, delivery.id, actor=actor, now=now)
    with pytest.raises(errors.DeliveryNotOpen):
        close_early(db, waiting.id, actor=actor, now=clock() - timedelta(minutes=3))
    with pytest.raises(NotFound):
        close_early(db, waiting.id, actor=coordinator_of(make_unit(db)), now=now)


def test_the_second_of_two_editors_is_refused_and_nothing_is_lost(either_db: Session, clock: FakeClock) -> None:
    db = either_db
    unit = make_unit(db)
    delivery = make_delivery(db, unit)
    actor = coordinator_of(unit)
    update_delivery(db, delivery.id, changes={"title": "甲"}, actor=actor, now=clock(), revision=1)
    with pytest.raises(errors.DeliveryEdited):
        update_delivery(db, delivery.id, changes={"tries": 5}, actor=actor, now=clock(), revision=1)
    db.refresh(delivery)
    assert (delivery.title, delivery.tries, delivery.revision) == ("甲", None, 2)
    update_delivery(db, delivery.id, changes={"tries": 5}, actor=actor, now=clock(), revision=2)
    assert (delivery.title, delivery.tries, delivery.revision) == ("甲", 5, 3)


def test_the_papers_tell_their_overlap_coverage_and_scores(db: Session, clock: FakeClock) -> None:
    with transaction(db):
        blueprint = make_blueprint(db, items=18)
        delivery = publish(db, make_unit(db), clock, paper_count=3)
    assert paper_facts(db, delivery.id) is None
    assembly.assemble_papers(db, delivery.id, now=clock())
    facts = paper_facts(db, delivery.id)
    assert facts is not None
    drawn = [
        set(db.scalars(select(PaperItem.item_version_id).where(PaperItem.paper_id == paper)))
        for paper in db.scalars(select(Paper.id).where(Paper.delivery_id == delivery.id))
    ]
    shared = [len(drawn[a] & drawn[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert (facts.most_shared, facts.mean_shared) == (max(shared), sum(shared) / 3)
    assert facts.different == len(set.union(*drawn))
    assert facts.easiest == pytest.approx(9 * 5 * 0.6)  # every item of the bank is equally hard
    codes = {check.code: check.state for check in stored_checks(facts, blueprint, delivery.guess_pass)}
    assert codes["paper_topics"] == codes["paper_scores"] == "ok"
    assert set(codes) == {"paper_topics", "paper_guess", "paper_overlap", "paper_scores"}
