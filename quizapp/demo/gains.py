"""The demo's tests before and after one training: two deliveries of one quiz, taken by those who came to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import from_ms
from quizapp.core.db import transaction
from quizapp.core.scope import GUEST
from quizapp.demo.district import District, Member
from quizapp.demo.taking import Plan, Taker, daytime, random_token
from quizapp.jobs.worker import run_pending
from quizapp.operations.installation import Installation
from quizapp.organisation.models import Person
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.services.audience import AudienceLine
from quizapp.quizzes.services.deliveries import create_delivery
from quizapp.quizzes.services.starting import Profile
from quizapp.trainings.models import Attendance, AttendanceState, TrainingSession
from quizapp.trainings.services.testing import set_tests

BLUEPRINT = "safety_20"
#: The session that has them.
TRAINING = "市场消防安全培训班"
#: What they are called, in Chinese and English.
BEFORE = ("市场安全知识（训前测）", "Before the training: market safety")
AFTER = ("市场安全知识（训后测）", "After the training: market safety")
#: Industry of those who are expected there.
INDUSTRY = "market"
#: How many of those who came took both, and the one before or the one after alone; the others took none.
BOTH, BEFORE_ALONE, AFTER_ALONE = 36, 5, 2
#: What the training added to the ability, and how much more or less of it single people took home.
LEARNED, SPREAD = 1.1, 0.3


def hold_tests(
    installation: Installation, db: Session, district: District, taker: Taker, rng: Random, *, now: datetime
) -> None:
    """Publish both, let people take them, and say that they belong to the session."""
    session = db.scalars(select(TrainingSession).where(TrainingSession.title == TRAINING)).one()
    starts, ends = from_ms(session.starts_at), from_ms(session.ends_at)
    before = _publish(installation, db, district, session, BEFORE, (starts - timedelta(days=2), starts))
    after = _publish(installation, db, district, session, AFTER, (ends, ends + timedelta(days=5)))
    with transaction(db):
        set_tests(db, session=session, before=before, after=after, actor=district.staff["demo-trainer"], now=ends)
        plans = deal_out(_came(db, district, installation, session), before, after, rng)
        for plan in sorted(plans, key=lambda plan: plan.starts):
            taker.take(db, plan, now)


def _publish(
    installation: Installation,
    db: Session,
    district: District,
    session: TrainingSession,
    titles: tuple[str, str],
    window: tuple[datetime, datetime],
) -> Delivery:
    rules = db.scalars(select(QuizBlueprint.rules).where(QuizBlueprint.code == BLUEPRINT)).one()
    at = from_ms(session.starts_at) - timedelta(days=4)
    with transaction(db):
        delivery = create_delivery(
            db,
            blueprint_code=BLUEPRINT,
            title=titles[0],
            title_en=titles[1],
            unit_id=session.unit_id,
            opens_at=window[0],
            closes_at=window[1],
            time_limit_s=rules["minutes"] * 60,
            tries=1,
            pass_score=rules["pass_score"],
            fields={"name": "required", "phone": "required", "unit": "required", "industry": "required"},
            paper_count=1,
            audience=[AudienceLine(district.root.id, district.industries[INDUSTRY].id)],
            keeper="区应急管理局",
            purpose="比较培训前后",
            contact="0000-000000",
            retention_months=36,
            actor=district.staff["demo-coordinator"],
            now=at,
            seed=f"demo-{titles[1]}",
        )
    run_pending(replace(installation, clock=lambda: at))
    db.refresh(delivery)
    return delivery


def deal_out(came: list[Member], before: Delivery, after: Delivery, rng: Random) -> list[Plan]:
    """Who takes which, and when: dealt out, not thrown, so that there is always somebody of every kind. `came` is shuffled."""
    rng.shuffle(came)
    plans = []
    for number, member in enumerate(came[: BOTH + BEFORE_ALONE + AFTER_ALONE]):
        device = random_token(rng)
        learned = rng.gauss(LEARNED, SPREAD)
        if number < BOTH + BEFORE_ALONE:
            plans.append(_plan(rng, before, member, device, 0.0))
        if not BOTH <= number < BOTH + BEFORE_ALONE:
            plans.append(_plan(rng, after, member, device, learned))
    return plans


def _came(db: Session, district: District, installation: Installation, session: TrainingSession) -> list[Member]:
    """Those whose attendance counts, in the order of the rosters."""
    numbers = set(
        db.scalars(
            select(Person.phone_hash)
            .join(Attendance, Attendance.person_id == Person.id)
            .where(Attendance.session_id == session.id, Attendance.state == AttendanceState.COUNTED)
        )
    )
    return [member for member in district.members if installation.keys.phone_hash(member.resident.phone) in numbers]


def _plan(rng: Random, delivery: Delivery, member: Member, device: str, learned: float) -> Plan:
    resident = member.resident
    return Plan(
        daytime(rng, from_ms(delivery.opens_at), from_ms(delivery.closes_at) - timedelta(minutes=40)),
        delivery.id,
        replace(resident, ability=resident.ability + learned),
        Profile(
            name=resident.name,
            phone=resident.phone,
            unit_id=member.unit.id,
            industry_id=member.unit.industry_id,
            consent=True,
        ),
        actor=member.actor or GUEST,
        device=device,
    )
