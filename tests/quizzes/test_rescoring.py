"""Results afterwards: corrected keys, attempts made void, later ends and extra time, and the new scores."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp import tasks
from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.jobs.worker import run_pending
from quizapp.quizzes.errors import (
    AcceptedInvalid,
    AttemptNotClosed,
    EndNotLater,
    ProposalDecided,
    ProposalOpen,
    ReasonMissing,
    SecondPersonNeeded,
)
from quizapp.quizzes.models import Attempt, Delivery, LateResponse, Paper, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache, answers_of
from quizapp.quizzes.rescoring.models import KeyCorrection, ResultChange
from quizapp.quizzes.scoring import score
from quizapp.quizzes.services.extending import extend_delivery, give_extra_time
from quizapp.quizzes.services.proposals import (
    confirm_correction,
    confirm_voiding,
    drop_correction,
    propose_correction,
    propose_voiding,
)
from quizapp.quizzes.services.submitting import close_if_over, submit_attempt
from tests.conftest import START, FakeClock
from tests.factories import make_delivery, make_person
from tests.quizzes.support import begin

assert tasks
ONE, OTHER = Actor(account_id=41, name="林晓"), Actor(account_id=42, name="周敏")


class Ground:
    """What a worker stands on."""

    def __init__(self, database: Database, keys: Keys, clock: FakeClock) -> None:
        self.database, self.keys, self.clock = database, keys, clock
        self.settings = None


@pytest.fixture
def run(either_database: Database, keys: Keys, clock: FakeClock) -> Callable[[], int]:
    return lambda: run_pending(Ground(either_database, keys, clock))  # type: ignore[arg-type]


def answer(db: Session, attempt: Attempt, answers: dict[int, str], at: int = to_ms(START)) -> None:
    for position, text in answers.items():
        db.add(Response(attempt_id=attempt.id, position=position, answer=text, sequence=position, saved_at=at))
    db.flush()


def submitted(db: Session, delivery: Delivery, keys: Keys, answers: dict[int, str], name: str = "李国") -> Attempt:
    attempt = begin(db, delivery, keys, name=name, phone="13900000009").attempt
    with transaction(db):
        answer(db, attempt, answers)
        submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=to_ms(START) + 60_000)
    return attempt


def correct(db: Session, delivery: Delivery, position: int, accepted: list[list[str]]) -> KeyCorrection:
    """A correction of the item at a position of the first paper, by two persons."""
    place = (Paper.delivery_id == delivery.id, PaperItem.position == position)
    item = db.scalars(select(PaperItem).join(Paper, Paper.id == PaperItem.paper_id).where(*place)).first()
    assert item is not None
    with transaction(db):
        row = propose_correction(
            db,
            delivery=delivery,
            item_version_id=item.item_version_id,
            accepted=accepted,
            reason="教材改了",
            actor=ONE,
            now=START,
        )
    with transaction(db):
        return confirm_correction(db, row.id, delivery=delivery, actor=OTHER, now=START)


def test_a_corrected_key_gives_new_scores_and_lists_whose_result_changed(
    either_db: Session, keys: Keys, run: Callable[[], int]
) -> None:
    db = either_db
    delivery = make_delivery(db, items=5, papers=2)  # pass at 60 of 100
    db.commit()
    wrong = submitted(db, delivery, keys, {1: "d", 2: "t", 3: "a,c"}, "甲")  # 40
    right = submitted(db, delivery, keys, {1: "b", 2: "t", 3: "a,c"}, "乙")  # 60
    assert [(a.score, a.passed) for a in (wrong, right)] == [(40, False), (60, True)]
    correct(db, delivery, 1, [["b"], ["d"]])
    run()
    db.rollback()
    assert [(a.score, a.passed) for a in (wrong, right)] == [(60, True), (60, True)]
    assert db.scalars(select(Paper.scoring_revision)).all() == [2, 2]
    change = db.scalars(select(ResultChange)).one()
    assert (change.attempt_id, change.cause) == (wrong.id, "correction")
    assert (change.before["score"], change.after["score"]) == (40, 60)
    assert (change.before["passed"], change.after["passed"]) == (False, True)
    assert {a.scoring_revision for a in (wrong, right)} == {2}
    run()
    later = submitted(db, delivery, keys, {1: "d"}, "丙")
    assert later.score == 20


def test_a_correction_takes_a_second_person_a_reason_and_something_else(either_db: Session, keys: Keys) -> None:
    db = either_db
    delivery = make_delivery(db)
    db.commit()
    version = db.scalars(select(PaperItem.item_version_id).where(PaperItem.position == 1)).one()

    def propose(accepted: list[list[str]], reason: str = "教材改了") -> KeyCorrection:
        with transaction(db):
            return propose_correction(
                db, delivery=delivery, item_version_id=version, accepted=accepted, reason=reason, actor=ONE, now=START
            )

    for accepted in ([], [["b"]], [["x"]], [["b", "d"]]):
        with pytest.raises(AcceptedInvalid):
            propose(accepted)
    with pytest.raises(ReasonMissing):
        propose([["d"]], " ")
    row = propose([["d"]])
    with pytest.raises(ProposalOpen):
        propose([["a"]])
    with pytest.raises(SecondPersonNeeded), transaction(db):
        confirm_correction(db, row.id, delivery=delivery, actor=ONE, now=START)
    with transaction(db):
        assert drop_correction(db, row.id, delivery=delivery, actor=OTHER, now=START).state == "refused"
    with pytest.raises(ProposalDecided), transaction(db):
        confirm_correction(db, row.id, delivery=delivery, actor=OTHER, now=START)
    assert db.scalars(select(Paper.scoring_revision)).all() == [1]
    details = db.scalars(select(AuditEvent.details)).all()
    assert "教材改了" not in str(details)  # the log holds no typed text


def test_void_by_two_persons_makes_the_next_attempt_the_first(either_db: Session, keys: Keys) -> None:
    db = either_db
    delivery = make_delivery(db, tries=None)
    db.commit()
    first = submitted(db, delivery, keys, {1: "b"})
    second = submitted(db, delivery, keys, {1: "b", 2: "t"})
    assert (first.is_first, second.is_first) == (True, False)
    running = begin(db, delivery, keys, name="甲", phone="13900000001").attempt
    with pytest.raises(AttemptNotClosed), transaction(db):
        propose_voiding(db, attempt=running, reason="代答", actor=ONE, now=START)
    with transaction(db):
        row = propose_voiding(db, attempt=first, reason="代答", actor=ONE, now=START)
    with pytest.raises(SecondPersonNeeded), transaction(db):
        confirm_voiding(db, row.id, attempt=first, actor=ONE, now=START)
    with transaction(db):
        confirm_voiding(db, row.id, attempt=first, actor=OTHER, now=START)
    db.expire_all()
    assert (first.state, first.is_first, second.is_first) == ("void", False, True)
    assert first.score == 20  # kept, and counted nowhere
    change = db.scalars(select(ResultChange)).one()
    assert (change.cause, change.before["state"], change.after["state"]) == ("voided", "submitted", "void")


def test_a_later_end_takes_late_answers_in(
    either_db: Session, keys: Keys, run: Callable[[], int], clock: FakeClock
) -> None:
    db = either_db
    delivery = make_delivery(db, closes_at=to_ms(START + timedelta(minutes=10)))
    db.commit()
    late = begin(db, delivery, keys, name="甲", phone="13900000001").attempt
    nothing = begin(db, delivery, keys, name="乙", phone="13900000002").attempt
    running = begin(db, delivery, keys, name="丙", phone="13900000003").attempt
    end = to_ms(START + timedelta(minutes=10))
    assert {a.deadline_at for a in (late, nothing, running)} == {end}
    with transaction(db):
        answer(db, late, {1: "b"})
        for attempt in (late, nothing):
            close_if_over(db, attempt.id, papers=PaperCache(), now_ms=end + 60_000)
        for attempt in (late, nothing):
            db.add(LateResponse(attempt_id=attempt.id, position=2, answer="t", sequence=9, received_at=end + 90_000))
        # one that came after the new end too
        db.add(LateResponse(attempt_id=late.id, position=3, answer="a,c", sequence=10, received_at=end + 3_600_000))
    assert (late.state, late.score, nothing.state) == ("expired", 20, "void")
    clock.forward(minutes=12)
    with pytest.raises(EndNotLater), transaction(db):
        extend_delivery(db, delivery.id, closes_at=START + timedelta(minutes=11), actor=ONE, now=clock())
    with transaction(db):
        extend_delivery(db, delivery.id, closes_at=START + timedelta(minutes=20), actor=ONE, now=clock())
    run()
    db.rollback()
    assert running.deadline_at == to_ms(START + timedelta(minutes=20))
    assert (late.score, late.answered_count, late.state) == (40, 2, "expired")
    assert (nothing.state, nothing.score, nothing.is_first) == ("expired", 20, True)
    assert db.scalars(select(LateResponse.position)).all() == [3]  # still kept, still not scored
    assert sorted(db.scalars(select(ResultChange.attempt_id))) == sorted([late.id, nothing.id])


def test_extra_time_is_for_this_attempt_and_for_the_next(either_db: Session, keys: Keys) -> None:
    db = either_db
    delivery = make_delivery(db, time_limit_s=600)
    db.commit()
    attempt = begin(db, delivery, keys, name="甲", phone="13900000001").attempt
    before = attempt.deadline_at
    with transaction(db):
        give_extra_time(db, attempt=attempt, minutes=5, actor=ONE, now=START)
    with transaction(db):
        give_extra_time(db, attempt=attempt, minutes=10, actor=ONE, now=START)  # the new number, not the sum
    db.expire_all()
    assert (attempt.deadline_at - before, attempt.extra_s) == (600_000, 600)
    assert attempt.accepts_until == attempt.deadline_at + 30_000
    with transaction(db):
        submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=to_ms(START) + 1000)
    again = begin(db, delivery, keys, name="甲", phone="13900000001").attempt
    other = begin(db, delivery, keys, name="乙", phone="13900000002").attempt
    assert again.deadline_at - other.deadline_at == 600_000


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.lists(st.sampled_from(["correct", "void", "extend", "submit", "run"]), max_size=9))
def test_whatever_happens_scores_are_those_from_scratch_and_one_attempt_is_the_first(
    sqlite_template: object, tmp_path_factory: pytest.TempPathFactory, keys: Keys, seed: int, steps: list[str]
) -> None:
    import shutil

    path = tmp_path_factory.mktemp("rescore") / "t.sqlite3"
    shutil.copyfile(str(sqlite_template), path)
    database = Database(f"sqlite:///{path}")
    clock, dice = FakeClock(), random.Random(seed)
    with database.session() as db:
        delivery = make_delivery(db, items=6, papers=2, tries=None, closes_at=to_ms(START + timedelta(hours=1)))
        people = [make_person(db).id for _ in range(3)]
        db.commit()
        for step in [*steps, "run"]:
            if step == "submit":
                actor = Actor(account_id=None, person_id=None)
                attempt = begin(
                    db, delivery, keys, name=f"人{dice.randrange(3)}", phone="13900000001", actor=actor
                ).attempt
                with transaction(db):
                    for position in range(1, 7):
                        if dice.random() < 0.8:
                            answer(db, attempt, {position: dice.choice(["a", "b", "t", "f", "a,c"])})
                    submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=to_ms(clock()) + 1000)
            elif step == "correct":
                options = [["b"], ["d"], ["a"]] if dice.random() < 0.5 else [["c"]]
                with contextlib.suppress(AcceptedInvalid):
                    correct(db, delivery, dice.choice([1, 4]), options)
            elif step == "extend":
                with transaction(db):
                    end = delivery.closes_at + 600_000
                    from quizapp.core.clock import from_ms

                    extend_delivery(db, delivery.id, closes_at=from_ms(end), actor=ONE, now=clock())
            elif step == "void":
                closed = db.scalars(select(Attempt).where(Attempt.state == "submitted")).first()
                if closed is not None:
                    with transaction(db):
                        row = propose_voiding(db, attempt=closed, reason="核查", actor=ONE, now=clock())
                    with transaction(db):
                        confirm_voiding(db, row.id, attempt=closed, actor=OTHER, now=clock())
            else:
                run_pending(Ground(database, keys, clock))  # type: ignore[arg-type]
                db.rollback()
        assert people
        papers = PaperCache()
        for attempt in db.scalars(select(Attempt).where(Attempt.state == "submitted")):
            revision = db.get_one(Paper, attempt.paper_id).scoring_revision
            expected = score(papers.keys(db, attempt.paper_id, revision), answers_of(db, attempt.id))
            assert (attempt.score, attempt.scoring_revision) == (expected.points, revision)
            assert attempt.passed == (expected.points >= delivery.pass_score)
        firsts = db.execute(
            select(Attempt.person_id, func.sum(Attempt.is_first), func.count())
            .where(Attempt.state != "void")
            .group_by(Attempt.person_id)
        ).all()
        assert all(number == 1 for _, number, _ in firsts)
    database.dispose()
