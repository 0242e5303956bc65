"""Planning, moving, calling off and closing: what a session becomes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import GUEST, Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Industry, JobRole
from quizapp.trainings import queries
from quizapp.trainings.errors import (
    AudienceTooWide,
    AudienceTwice,
    CheckInClosed,
    CourseClosed,
    PeriodInvalid,
    PlaceGivenUp,
    PlaceMissing,
    PlaceNameTaken,
    PlanInvalid,
    RegistrationEndInvalid,
    RunClosed,
    SessionAttended,
    SessionCancelled,
    SessionClosed,
    TrainerUnknown,
)
from quizapp.trainings.models import Place, Registration, SessionKind, TrainingSession
from quizapp.trainings.services import (
    RunPlan,
    add_audience_rule,
    add_course,
    add_place,
    add_run,
    call_off,
    check_in,
    check_in_by_hand,
    close_course,
    close_session,
    copy_audience,
    drop_audience_rule,
    edit_place,
    edit_run,
    edit_session,
    end_run,
    give_up_place,
    plan_of,
    plan_session,
    reinstate,
    reopen_run,
    take_back_place,
)
from tests.conftest import START
from tests.factories import make_account, make_attendance, make_person, make_session
from tests.trainings.support import Street, actor_of, make_street

HOUR = timedelta(hours=1)


@pytest.fixture
def street(either_db: Session) -> Street:
    return make_street(either_db)


def change(street: Street, session: TrainingSession, **values: Any) -> TrainingSession:
    plan = replace(plan_of(street.db, session), **values)
    return edit_session(street.db, session=session, plan=plan, actor=street.actor, now=START + HOUR)


def register(street: Street, session: TrainingSession) -> Registration:
    person = make_person(street.db)
    row = Registration(
        session_id=session.id,
        person_id=person.id,
        state="registered",
        via="self",
        registered_at=0,
        queued_at=0,
        known_revision=session.revision,
    )
    street.db.add(row)
    street.db.flush()
    return row


def last_event(db: Session) -> AuditEvent:
    return db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()  # type: ignore[return-value] # there is one


def test_a_plan_comes_back_from_the_session_that_it_made(street: Street) -> None:
    place = add_place(
        street.db,
        name="文化礼堂",
        address="",
        capacity=200,
        unit_id=street.unit.id,
        actor=street.actor,
        now=START,
    )
    plan = street.plan(
        place_id=place.id,
        place=" 一楼  大厅",
        subject="用电",
        capacity=60,
        hours_tenths=15,
        check_out=True,
        opens_before=HOUR,
        closes_after=timedelta(0),
        registration_until=START - HOUR,
        full_names=True,
    )
    session = plan_session(street.db, plan=plan, actor=street.actor, now=START)
    assert session.place == "文化礼堂 一楼 大厅"
    assert session.check_in_from == to_ms(START - HOUR)
    assert session.check_in_until == session.ends_at
    stored = plan_of(street.db, session)
    assert stored == replace(plan, place="一楼 大厅", trainers=(street.account.id,))
    again = stored.next_week()
    assert again.starts_at - plan.starts_at == timedelta(days=7)
    assert again.registration_until == START - HOUR + timedelta(days=7)
    assert (again.run_id, again.place_id) == (plan.run_id, place.id)


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"ends_at": START}, PeriodInvalid, "ends"),
        ({"ends_at": START + timedelta(hours=25)}, PeriodInvalid, "ends"),
        ({"capacity": 0}, PlanInvalid, "capacity"),
        ({"hours_tenths": 241}, PlanInvalid, "hours"),
        ({"opens_before": timedelta(hours=25)}, PlanInvalid, "opens_before"),
        ({"closes_after": timedelta(hours=-1)}, PlanInvalid, "closes_after"),
        ({"registration_until": START + HOUR}, RegistrationEndInvalid, "registration_until"),
        ({"place": "  "}, PlaceMissing, "place"),
        ({"trainers": (10**9,)}, TrainerUnknown, "trainers"),
    ],
)
def test_what_no_session_can_be_is_refused_at_its_field(
    db: Session, values: dict[str, Any], refusal: type[Exception], field: str
) -> None:
    street = make_street(db)
    with pytest.raises(refusal) as caught:
        street.open(**values)
    assert caught.value.data["field"] == field  # type: ignore[attr-defined] # all are refusals of ours


@pytest.mark.parametrize("what", ["unit_id", "run_id", "place_id"])
def test_what_belongs_to_a_foreign_unit_is_not_there(street: Street, what: str) -> None:
    db = street.db
    foreign = actor_of(street.trainer(street.foreign), street.foreign)
    course = add_course(
        db, title="课", subject="", kind=SessionKind.JOINT, unit_id=street.foreign.id, actor=foreign, now=START
    )
    ids = {
        "unit_id": street.foreign.id,
        "run_id": add_run(db, course=course, plan=RunPlan("1"), actor=foreign, now=START).id,
        "place_id": add_place(
            db, name="a", address="", capacity=None, unit_id=street.foreign.id, actor=foreign, now=START
        ).id,
    }
    with pytest.raises(NotFound):
        street.open(**{what: ids[what]})


def test_who_plans_a_session_teaches_it_unless_others_of_the_scope_are_named(street: Street) -> None:
    db = street.db
    other, coordinator = street.trainer(), street.trainer(role=Role.COORDINATOR)
    foreign, lower = street.trainer(street.foreign), street.trainer(street.community)
    choice = {row.account_id for row in queries.trainers_to_choose(db, street.actor, unit_path=street.unit.path)}
    assert choice == {street.account.id, other.id, coordinator.id}
    below = {row.account_id for row in queries.trainers_to_choose(db, street.actor, unit_path=street.community.path)}
    assert below == choice | {lower.id}
    session = street.open(trainers=(other.id, coordinator.id))
    assert {row.account_id for row in queries.trainers_of(db, session.id)} == {other.id, coordinator.id}
    with pytest.raises(TrainerUnknown):
        street.open(trainers=(foreign.id,))
    # a trainer from beyond the scope, put there from above, is neither taken away nor added by others
    above = make_account(db, (Role.TRAINER, None), name="区里的老师")
    whole = Actor(account_id=above.id, scope=Scope((Grant(Role.TRAINER, None),)))
    plan = replace(plan_of(db, session), trainers=(above.id, other.id))
    edit_session(db, session=session, plan=plan, actor=whole, now=START)
    change(street, session, trainers=(street.account.id,))
    assert {row.account_id for row in queries.trainers_of(db, session.id)} == {above.id, street.account.id}
    with pytest.raises(TrainerUnknown):
        street.open(trainers=(above.id,))


def test_a_session_moved_after_registration_says_what_was_and_who_has_not_seen_it(street: Street) -> None:
    session = street.open()
    before = register(street, session)
    change(street, session, title="改了名", capacity=30)
    assert (session.revision, session.moved_at) == (0, None)
    assert last_event(street.db).details["fields"] == ["capacity", "title"]
    change(street, session, starts_at=START + HOUR, ends_at=START + 3 * HOUR)
    assert session.revision == 1
    assert (session.moved_from_at, session.moved_from_place) == (to_ms(START), "二楼")
    assert session.moved_at == to_ms(START + HOUR)
    assert session.check_in_from == to_ms(START - HOUR)  # the window moved along
    assert last_event(street.db).action == "session_moved"
    register(street, session)  # knows the new time
    assert queries.numbers_of(street.db, session.id).unaware == 1
    change(street, session, place="三楼")
    assert (session.revision, session.moved_from_place) == (2, "二楼")
    assert queries.numbers_of(street.db, session.id).unaware == 2
    before.known_revision = 2
    street.db.flush()
    assert queries.numbers_of(street.db, session.id).unaware == 1


def test_what_was_called_off_takes_nobody_and_can_be_held_after_all(street: Street, keys: Keys) -> None:
    db = street.db
    session = street.open()

    def scan() -> None:
        check_in(
            db,
            session=session,
            name="李建国",
            phone="13800001234",
            device_hash=None,
            keys=keys,
            actor=GUEST,
            now=START,
        )

    call_off(db, session=session, actor=street.actor, now=START)
    call_off(db, session=session, actor=street.actor, now=START)
    assert (session.revision, session.cancelled_at) == (1, to_ms(START))
    refused: list[Callable[[], object]] = [
        scan,
        lambda: check_in_by_hand(
            db, session=session, name="张", phone=None, ticket="t", keys=keys, actor=street.actor, now=START
        ),
        lambda: change(street, session, title="a"),
        lambda: close_session(db, session=session, actor=street.actor, now=START),
        lambda: add_audience_rule(
            db,
            session=session,
            unit_id=street.unit.id,
            industry_id=None,
            job_role=None,
            actor=street.actor,
            now=START,
        ),
    ]
    for one in refused:
        with pytest.raises(SessionCancelled):
            one()
    reinstate(db, session=session, actor=street.actor, now=START)
    reinstate(db, session=session, actor=street.actor, now=START)
    assert (session.revision, session.cancelled_at) == (2, None)
    scan()
    with pytest.raises(SessionAttended) as caught:
        call_off(db, session=session, actor=street.actor, now=START)
    assert caught.value.data == {"count": 1}


def test_a_closed_session_is_frozen(street: Street) -> None:
    db = street.db
    session = street.open()
    close_session(db, session=session, actor=street.actor, now=START)
    with pytest.raises(SessionClosed):
        change(street, session, title="a")
    with pytest.raises(SessionClosed):
        call_off(db, session=session, actor=street.actor, now=START)
    with pytest.raises(CheckInClosed):
        drop_audience_rule(db, session=session, rule_id=1, actor=street.actor, now=START)


def test_audience_rules_add_up_and_keep_to_the_scope(street: Street) -> None:
    db = street.db
    hotels = Industry(code="hotel", name="酒店业", name_en="Hotels")
    db.add(hotels)
    db.flush()
    session, other = street.open(), street.open(starts_at=START + 48 * HOUR)

    def add(unit_id: int | None, industry_id: int | None = None, role: JobRole | None = None) -> None:
        add_audience_rule(
            db,
            session=session,
            unit_id=unit_id,
            industry_id=industry_id,
            job_role=role,
            actor=street.actor,
            now=START,
        )

    add(street.unit.id, hotels.id, JobRole.SAFETY_OFFICER)
    add(street.community.id)
    with pytest.raises(AudienceTwice):
        add(street.community.id)
    with pytest.raises(AudienceTooWide):
        add(None)
    for unit_id, industry_id in ((street.foreign.id, None), (10**9, None), (street.unit.id, 10**9)):
        with pytest.raises(NotFound):
            add(unit_id, industry_id)
    rules = queries.audience_of(db, session.id)
    assert [(one.unit, one.industry) for one in rules] == [(street.unit, hotels), (street.community, None)]
    assert copy_audience(db, source=session, target=other, actor=street.actor) == 2
    with pytest.raises(NotFound):
        drop_audience_rule(db, session=other, rule_id=rules[0].rule.id, actor=street.actor, now=START)
    drop_audience_rule(db, session=session, rule_id=rules[0].rule.id, actor=street.actor, now=START)
    assert len(queries.audience_of(db, session.id)) == 1
    assert len(queries.audience_of(db, other.id)) == 2


def test_runs_are_numbered_and_an_ended_one_takes_no_sessions(street: Street) -> None:
    db = street.db
    course = add_course(
        db,
        title="安全员培训",
        subject="",
        kind=SessionKind.JOINT,
        unit_id=street.unit.id,
        actor=street.actor,
        now=START,
    )
    first = add_run(db, course=course, plan=RunPlan(""), actor=street.actor, now=START)
    second = add_run(db, course=course, plan=RunPlan("补课", 160, 36), actor=street.actor, now=START)
    assert [(run.number, run.title) for run in (first, second)] == [(1, "2026 年第 1 期"), (2, "补课")]
    session = street.open(run_id=first.id)
    end_run(db, run=first, actor=street.actor, now=START)
    with pytest.raises(RunClosed):
        street.open(run_id=first.id)
    change(street, session, title="仍在这一期")
    assert [row.sessions for row in queries.list_runs(db, street.actor.scope, course_id=course.id)] == [0, 1]
    assert [row.run for row in queries.list_runs(db, street.actor.scope, open_only=True)] == [second]
    reopen_run(db, run=first, actor=street.actor, now=START)
    street.open(run_id=first.id)
    for plan in (RunPlan("a", 0), RunPlan("a", 10, 0)):
        with pytest.raises(PlanInvalid):
            edit_run(db, run=second, plan=plan, actor=street.actor, now=START)
    close_course(db, course=course, actor=street.actor, now=START)
    with pytest.raises(CourseClosed):
        add_run(db, course=course, plan=RunPlan("a"), actor=street.actor, now=START)


def test_a_place_is_kept_once_and_a_new_name_moves_nobody(street: Street) -> None:
    db = street.db

    def keep(name: str) -> Place:
        return add_place(db, name=name, address="", capacity=50, unit_id=street.unit.id, actor=street.actor, now=START)

    hall, room = keep("文化礼堂"), keep("会议室")
    with pytest.raises(PlaceNameTaken):
        keep(" 文化礼堂 ")
    session = street.open(place_id=hall.id, place="一楼")
    past = street.open(place_id=hall.id, starts_at=START - 48 * HOUR)
    with pytest.raises(PlaceNameTaken):
        edit_place(db, place=hall, name="会议室", address="", capacity=None, actor=street.actor, now=START)
    with pytest.raises(PlanInvalid):
        edit_place(db, place=hall, name="礼堂", address="", capacity=0, actor=street.actor, now=START)
    edit_place(db, place=hall, name="东岸礼堂", address="", capacity=50, actor=street.actor, now=START)
    assert (session.place, past.place) == ("东岸礼堂 一楼", "文化礼堂 二楼")
    change(street, session, title="a")
    assert session.revision == 0
    give_up_place(db, place=hall, actor=street.actor, now=START)
    with pytest.raises(PlaceGivenUp):
        street.open(place_id=hall.id)
    change(street, session, title="b")  # it keeps the place that it has
    assert [row.place for row in queries.list_places(db, street.actor.scope)] == [room]
    take_back_place(db, place=hall, actor=street.actor, now=START)
    street.open(place_id=hall.id, starts_at=START + 48 * HOUR)


def test_the_trainers_lists_are_today_coming_past_and_what_waits(street: Street) -> None:
    db, scope, unit = street.db, street.actor.scope, street.unit
    day = 24 * 3_600_000
    begin = to_ms(START)
    morning = make_session(db, unit, starts_at=begin)
    night = make_session(db, unit, starts_at=begin - 10 * 3_600_000 - 1)  # began a millisecond before midnight
    tomorrow = make_session(db, unit, starts_at=begin + day)
    open_still = make_session(db, unit, starts_at=begin - 2 * day)
    done = make_session(db, unit, starts_at=begin - 3 * day, closed_at=begin)
    asked = make_session(db, unit, starts_at=begin - 4 * day, closed_at=begin)
    off = make_session(db, unit, starts_at=begin - 5 * day, cancelled_at=begin)
    make_session(db, street.foreign, starts_at=begin)
    make_attendance(db, asked.id, make_person(db).id, state="pending")
    assert list(queries.list_today(db, scope, START)) == [night, morning]
    assert list(queries.list_coming(db, scope, START)) == [tomorrow]
    assert list(queries.list_past(db, scope, START)) == [open_still, done, asked, off]
    assert list(queries.list_past(db, scope, START, limit=2, offset=1)) == [done, asked]
    assert queries.count_past(db, scope, START) == 4
    assert list(queries.list_to_finish(db, scope, START)) == [open_still, asked]
