"""The demo's courses and sessions: who was expected, who registered, who came and how, and the certificates of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from quizapp.certificates.services import issue_certificates
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.demo.district import District, Member
from quizapp.demo.taking import random_token
from quizapp.trainings.models import CodeMode, CourseRun, RegistrationMode, SessionKind, TrainingSession
from quizapp.trainings.rotating import Right
from quizapp.trainings.services import (
    RunPlan,
    SessionPlan,
    add_audience_rule,
    add_course,
    add_run,
    check_in,
    check_in_by_hand,
    close_session,
    plan_session,
)
from quizapp.trainings.services.registering import Reminders, register_account, register_by_trainer
from quizapp.trainings.services.rosters import refresh_roster

#: Minutes from a session's begin to the end that the demo gives every session.
LENGTH = timedelta(hours=2)


@dataclass(frozen=True)
class Held:
    """A session of the demo. `day` and `hour` count from today in Shanghai; day 0 is going on when the demo is made."""

    title: str
    place: str
    unit: str
    day: int
    hour: int
    #: How many come, or (for a day ahead) register.
    count: int
    #: Staff account that holds it.
    holder: str
    kind: SessionKind = SessionKind.LECTURE
    #: Industry of those who are expected.
    industry: str | None = None
    #: Title of the course whose first run it belongs to.
    course: str | None = None
    rotating: bool = False
    registration: RegistrationMode = RegistrationMode.CLOSED
    capacity: int | None = None
    hours_tenths: int = 20


SESSIONS = (
    Held(
        "市场消防安全培训班", "区应急管理局三楼会议室", "区应急管理局", -52, 9, 46, "demo-trainer",
        kind=SessionKind.SECTOR, industry="market", course="企业负责人和安全员培训", rotating=True, hours_tenths=40,
    ),
    Held(
        "拆除工地安全交底会", "东门街道文化站", "区应急管理局", -33, 14, 28, "demo-trainer", kind=SessionKind.CREW,
    ),
    Held(
        "社区健康讲座", "临江社区服务中心多功能厅", "临江社区服务中心", -20, 15, 52, "demo-centre",
        course="居民急救与健康",
    ),
    Held("家庭节能科普讲座", "临江社区服务中心一楼", "临江社区服务中心", -6, 10, 37, "demo-centre"),
    Held(
        "宾馆饭店消防培训", "紫兴街道文化站", "区应急管理局", 0, 0, 33, "demo-trainer",
        kind=SessionKind.SECTOR, industry="hotel", rotating=True, registration=RegistrationMode.AUDIENCE,
    ),
    Held(
        "电动自行车安全充电讲座", "紫兴社区党群服务中心二楼", "区应急管理局", 4, 14, 27, "demo-trainer",
        rotating=True, registration=RegistrationMode.ANYONE, capacity=24,
    ),
)  # fmt: skip
#: The course whose run has its certificates.
CERTIFIED = "居民急救与健康"
#: Share of those who came whom the trainer writes down.
BY_HAND = 0.1


def hold_sessions(
    db: Session, district: District, rng: Random, keys: Keys, *, midnight: datetime, now: datetime
) -> None:
    """Plan the sessions, let people register and come, close what is over, and issue the certificates of one run."""
    for held in SESSIONS:
        actor = district.staff[held.holder]
        starts = midnight + timedelta(days=held.day, hours=held.hour)
        if held.day == 0:
            starts = now - timedelta(minutes=5 + now.minute % 10)
        planned_at = min(now, starts - timedelta(days=5))
        run = _run_of(db, district, held, actor, planned_at)
        session = _planned(db, district, held, run, starts, actor, planned_at)
        if held.day > 0:
            _register(db, district, rng, keys, session, held, actor, now - timedelta(hours=30))
            continue
        _arrive(db, district, rng, keys, session, held, actor, starts, now)
        if held.day < 0:
            close_session(db, session=session, actor=actor, now=starts + LENGTH + timedelta(minutes=10))
        if run is not None and held.course == CERTIFIED:
            coordinator = district.staff["demo-coordinator"]
            issue_certificates(db, run=run, actor=coordinator, now=starts + timedelta(days=1))


def _run_of(db: Session, district: District, held: Held, actor: Actor, now: datetime) -> CourseRun | None:
    if held.course is None:
        return None
    unit_id = district.units[held.unit].id
    course = add_course(
        db, title=held.course, subject=held.title, kind=held.kind, unit_id=unit_id, actor=actor, now=now
    )
    plan = RunPlan(title=f"{now.year} 年第 1 期", certificate_months=36)
    return add_run(db, course=course, plan=plan, actor=actor, now=now)


def _planned(
    db: Session,
    district: District,
    held: Held,
    run: CourseRun | None,
    starts: datetime,
    actor: Actor,
    now: datetime,
) -> TrainingSession:
    plan = SessionPlan(
        title=held.title,
        place=held.place,
        unit_id=district.units[held.unit].id,
        starts_at=starts,
        ends_at=starts + LENGTH,
        kind=held.kind,
        run_id=run.id if run else None,
        capacity=held.capacity,
        code_mode=CodeMode.ROTATING if held.rotating else CodeMode.POSTER,
        hours_tenths=held.hours_tenths,
        registration=held.registration,
    )
    session = plan_session(db, plan=plan, actor=actor, now=now)
    if held.industry is not None:
        # the bureau's own trainer reaches the bureau alone: whom the district should send, its coordinator says
        coordinator = district.staff["demo-coordinator"]
        add_audience_rule(
            db,
            session=session,
            unit_id=district.root.id,
            industry_id=district.industries[held.industry].id,
            job_role=None,
            actor=coordinator,
            now=now,
        )
        refresh_roster(db, session=session, actor=coordinator, now=now)
    return session


def _expected(district: District, held: Held) -> list[Member]:
    """Those who could come: the industry's people, or everybody; the chooser's resident first."""
    if held.industry is None:
        return district.members
    industry = district.industries[held.industry].id
    return [member for member in district.members if member.unit.industry_id == industry]


def _arrive(
    db: Session,
    district: District,
    rng: Random,
    keys: Keys,
    session: TrainingSession,
    held: Held,
    actor: Actor,
    starts: datetime,
    now: datetime,
) -> None:
    """People scan the code at the door; a few are written down by the trainer."""
    pool = _expected(district, held)
    count = min(held.count, len(pool))
    coming = rng.sample(pool, count)
    if held.course == CERTIFIED and district.members[0] not in coming:
        coming[0] = district.members[0]  # the chooser's resident has a certificate to show
    arrivals = sorted(min(now, starts + timedelta(minutes=rng.gauss(-6, 7))) for _ in coming)
    for at, member in zip(arrivals, coming, strict=True):
        name, phone = member.resident.name, member.resident.phone
        if rng.random() < BY_HAND and member.actor is None:
            ticket = random_token(rng)
            check_in_by_hand(db, session=session, name=name, phone=phone, ticket=ticket, keys=keys, actor=actor, now=at)
            continue
        right = None
        if held.rotating:
            right = Right.new(session.code, to_ms(at - timedelta(seconds=rng.uniform(8, 50))))
        check_in(
            db,
            session=session,
            name=None if member.actor else name,
            phone=None if member.actor else phone,
            device_hash=random_token(rng).encode().ljust(32)[:32],
            keys=keys,
            actor=member.actor or Actor(),
            now=at,
            right=right,
        )


def _register(
    db: Session,
    district: District,
    rng: Random,
    keys: Keys,
    session: TrainingSession,
    held: Held,
    actor: Actor,
    now: datetime,
) -> None:
    """Those with an account register by themselves, the others ring up; the last ones wait."""
    others = rng.sample(district.members[1:], held.count - 1)
    for number, member in enumerate([district.members[0], *others]):
        at = now + timedelta(minutes=17 * number)
        if member.actor is not None:
            register_account(db, session=session, actor=member.actor, reminders=Reminders(), now=at)
        else:
            register_by_trainer(
                db,
                session=session,
                name=member.resident.name,
                phone=member.resident.phone,
                actor=actor,
                keys=keys,
                now=at,
            )
