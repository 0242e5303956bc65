"""The demo's survey: planned, drawn, answered by most of those who were drawn, and estimated."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import Actor
from quizapp.demo.district import District
from quizapp.demo.people import Resident
from quizapp.demo.taking import Ending, Plan, Taker, daytime, random_token
from quizapp.jobs.worker import run_pending
from quizapp.measurement.survey.drawing import LEAST
from quizapp.operations.installation import Installation
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.services.deliveries import create_delivery
from quizapp.quizzes.services.starting import Profile
from quizapp.surveys.models import Design, FrameKind, Outcome, Survey, SurveyInvitation
from quizapp.surveys.services.drawing import draw_survey
from quizapp.surveys.services.estimating import estimate_survey, store_estimate
from quizapp.surveys.services.inviting import close_survey, note_outcome, reopen_survey
from quizapp.surveys.services.planning import Numbers, Planned, check_plan, plan_survey

BLUEPRINT = "survey_2024"
TITLE = "2026年临江区公民科学素质抽样调查"
#: Days from today on which it was planned and drawn, and its window.
DRAWN, OPENS, CLOSES = -13, -12, 18
#: The share of those drawn who answered, and what becomes of every 25 of the others: it is dealt out, not thrown, so
#: that every outcome is there to be seen.
ANSWERED = 0.62
NOTED: tuple[Outcome | None, ...] = (
    *[Outcome.REFUSED] * 3,
    *[Outcome.UNREACHABLE] * 4,
    Outcome.INELIGIBLE,
    *[None] * 17,
)


def hold_survey(
    installation: Installation, db: Session, district: District, taker: Taker, rng: Random, *, midnight: datetime
) -> None:
    """Make it, as a coordinator and those who were drawn would. `midnight`: the last one."""
    coordinator = district.staff["demo-coordinator"]
    now = installation.clock().replace(microsecond=0)
    drawn_at = midnight + timedelta(days=DRAWN, hours=10)
    delivery = _publish(installation, db, district, coordinator, midnight, drawn_at - timedelta(hours=1))
    plan = Planned(
        title=TITLE,
        unit_id=district.root.id,
        delivery_id=delivery.id,
        design=Design.STRATIFIED.value,
        frame_kind=FrameKind.ROSTER.value,
        numbers=Numbers(margin=0.08, response=0.65),
        seed="第2026131期 4 9 2",
    )
    with transaction(db):
        checked = check_plan(db, plan, actor=coordinator, now=drawn_at)
        survey = plan_survey(db, checked, actor=coordinator, now=drawn_at)
        draw_survey(db, survey=survey, keys=installation.keys, actor=coordinator, now=drawn_at)
    _answer(db, district, taker, rng, survey, installation, now)
    with transaction(db):
        close_survey(db, survey=survey, actor=coordinator, now=now)
    found = estimate_survey(db, survey)
    with transaction(db):
        store_estimate(db, survey=survey, found=found, actor=coordinator, now=now)
        reopen_survey(db, survey=survey, actor=coordinator, now=now)


def _publish(
    installation: Installation, db: Session, district: District, actor: Actor, midnight: datetime, at: datetime
) -> Delivery:
    rules = db.scalars(select(QuizBlueprint.rules).where(QuizBlueprint.code == BLUEPRINT)).one()
    with transaction(db):
        delivery = create_delivery(
            db,
            blueprint_code=BLUEPRINT,
            title="公民科学素质调查卷（抽样调查用）",
            title_en="Scientific literacy survey, for people drawn by lot",
            unit_id=district.root.id,
            opens_at=midnight + timedelta(days=OPENS, hours=8),
            closes_at=midnight + timedelta(days=CLOSES),
            time_limit_s=rules["minutes"] * 60,
            tries=1,
            pass_score=rules["pass_score"],
            fields={"birth_year": "required", "sex": "required", "education": "required"},
            guests=False,
            paper_count=4,
            keeper="临江区科协",
            purpose="估计本区公民科学素质水平",
            contact="0000-000000",
            retention_months=36,
            actor=actor,
            now=at,
            seed="demo-survey",
        )
    run_pending(replace(installation, clock=lambda: at))
    db.refresh(delivery)
    return delivery


def _answer(
    db: Session,
    district: District,
    taker: Taker,
    rng: Random,
    survey: Survey,
    installation: Installation,
    now: datetime,
) -> None:
    residents: dict[bytes | None, Resident] = {
        installation.keys.phone_hash(member.resident.phone): member.resident for member in district.members
    }
    rows = db.execute(
        select(SurveyInvitation, Person.phone_hash, OrgUnit.kind)
        .join(Person, Person.id == SurveyInvitation.person_id)
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(SurveyInvitation.survey_id == survey.id)
        .order_by(SurveyInvitation.number)
    ).all()
    of_stratum = Counter(one.stratum for one, _phone_hash, _kind in rows)
    first = now + timedelta(days=OPENS + 1)
    noted: list[Outcome | None] = []
    with transaction(db):
        for one, phone_hash, _kind in rows:
            resident = residents[phone_hash]
            # the old and those of little schooling answer less often
            # and where two alone were drawn they are asked until they do
            if rng.random() < ANSWERED + 0.1 * resident.ability or of_stratum[one.stratum] <= LEAST:
                taker.take(db, _plan(rng, survey, one, resident, first, now), now)
                continue
            noted = noted or rng.sample(NOTED, len(NOTED))
            outcome = noted.pop()
            if outcome is not None:
                note_outcome(
                    db,
                    survey=survey,
                    invitation=one,
                    outcome=outcome,
                    actor=district.staff["demo-coordinator"],
                    now=now - timedelta(hours=3),
                )


def _plan(
    rng: Random, survey: Survey, one: SurveyInvitation, resident: Resident, first: datetime, now: datetime
) -> Plan:
    return Plan(
        daytime(rng, first, now - timedelta(hours=2)),
        survey.delivery_id,
        resident,
        Profile(birth_year=resident.birth_year, sex=resident.sex, education=resident.education, consent=True),
        device=random_token(rng),
        ending=rng.choices(list(Ending), (0.96, 0.03, 0.01))[0],
        invitation=one,
    )
