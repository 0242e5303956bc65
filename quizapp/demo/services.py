"""Making the demo district: 600 people, deliveries, 1,900 attempts and six sessions, through the functions of real use.

Everything follows from one seed and the instant at which it is made; keys and codes alone are random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import Clock, day_start, local_date
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM
from quizapp.demo.district import District, Member, make_people, make_staff, make_units
from quizapp.demo.gains import hold_tests
from quizapp.demo.people import Resident, make_resident
from quizapp.demo.surveys import hold_survey
from quizapp.demo.taking import Ending, Plan, Taker, daytime, random_token
from quizapp.demo.trainings import SESSIONS, hold_sessions
from quizapp.jobs.worker import run_pending
from quizapp.operations.installation import Installation
from quizapp.organisation.models import OrgUnit, UnitKind
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.services.audience import AudienceLine
from quizapp.quizzes.services.deliveries import create_delivery
from quizapp.quizzes.services.starting import Profile
from quizapp.reports.leaders.services import make_grid

SEED = 20261123
#: Attempts in one transaction.
BATCH = 100

Say = Callable[[str], None]


@dataclass(frozen=True)
class Offer:
    """A delivery of the demo: days from today on which its window begins and ends, and how many attempts it gets."""

    blueprint: str
    title: str
    title_en: str
    unit: str
    purpose: str
    opens: int
    closes: int
    attempts: int
    fields: dict[str, str]
    tries: int | None = None
    reveal: str = "after_close"
    poster_code: str | None = None
    #: The units that it is for; none: everybody who scans the poster.
    audience: tuple[str, ...] = ()
    papers: int = 4
    #: What its takers knew more than they do otherwise, in units of ability.
    knew: float = 0.0

    def roots(self, district: District) -> tuple[OrgUnit, ...]:
        """The units whose people take it."""
        return tuple(district.units[name] for name in self.audience or (self.unit,))


_LITERACY_FIELDS = {
    "name": "optional",
    "phone": "optional",
    "unit": "required",
    "birth_year": "required",
    "sex": "required",
    "education": "required",
    "key_group": "required",
}
_ROSTER_FIELDS = {"name": "required", "phone": "required", "unit": "required"}
_OPEN_FIELDS = {"name": "optional", "phone": "optional", "unit": "optional", "birth_year": "optional"}
_HEALTH_FIELDS = {**_OPEN_FIELDS, "sex": "optional", "education": "optional", "key_group": "optional"}

OFFERS: tuple[Offer, ...] = (
    Offer(
        "literacy_2016", "2026年公民科学素质测试", "Scientific literacy test 2026", "临江区", "估计本区公民科学素质水平",
        -24, 21, 360, _LITERACY_FIELDS, tries=2, poster_code="DEMXTEST",
    ),
    Offer(
        "safety_20", "企业安全生产知识测试", "Workplace safety quiz", "临江区", "检验企业安全培训效果",
        -75, -40, 390, _ROSTER_FIELDS, tries=3,
    ),
    Offer(
        "safety_20", "冬季消防安全测试", "Winter fire safety quiz", "滨江街道", "检验冬季消防宣传效果",
        -9, 16, 170, _OPEN_FIELDS, reveal="at_once",
    ),
    Offer(
        "energy_environment_20", "节能环保知识竞答", "Energy and environment quiz", "临江区", "检验节能宣传周效果",
        -16, 12, 280, {**_OPEN_FIELDS, "unit": "required"}, reveal="at_once",
        audience=("紫兴街道", "滨江街道", "区教育局"), papers=6,
    ),
    Offer(
        "health_20", "健康素养测试", "Health quiz", "临江区", "检验健康讲座效果",
        -60, -30, 280, _HEALTH_FIELDS, papers=2,
    ),
    Offer(
        "literacy_2016", "2026年终科学素质复测", "Scientific literacy retest 2026", "临江区", "与上半年结果比较",
        9, 39, 0, _LITERACY_FIELDS,
    ),
    Offer(
        "health_20", "健康素养测试（上一年）", "Health quiz (the year before)", "临江区", "检验健康讲座效果",
        -425, -395, 320, _HEALTH_FIELDS, papers=2, knew=-0.6,
    ),
)  # fmt: skip


def make_demo(installation: Installation, say: Say) -> None:
    """Fill a prepared, empty demo database."""
    rng = Random(SEED)  # noqa: S311 # a simulation: it must come out the same again
    now = installation.clock().replace(microsecond=0)
    keys = installation.keys
    with installation.database.session() as db:
        say("Demo: units, people and accounts of 临江区")
        made = now - timedelta(days=120)
        with transaction(db):
            district = make_units(db, made)
            make_people(db, district, rng, keys, made)
            make_staff(db, district, made)
        say("Demo: assembling papers")
        offers = _publish(installation, db, district, now)
        plans = sorted(
            (plan for offer, delivery in offers for plan in _plans(rng, district, offer, delivery, now)),
            key=lambda plan: plan.starts,
        )
        say(f"Demo: {len(plans)} attempts")
        _take_all(db, Taker(keys, rng), plans, now)
        say("Demo: a sample survey")
        chance, tickets = _own("survey"), _own("survey tickets")
        hold_survey(installation, db, district, Taker(keys, tickets), chance, midnight=_local_midnight(now))
        say(f"Demo: {len(SESSIONS)} training sessions")
        with transaction(db):
            hold_sessions(db, district, rng, keys, midnight=_local_midnight(now), now=now)
        hold_tests(installation, db, district, Taker(keys, _own("test tickets")), _own("tests"), now=now)
        make_grid(db, local_date(now))
        with transaction(db):
            record(db, actor=SYSTEM, action="demo_made", object_type="org_unit", object_id=district.root.id, now=now)


def _own(use: str) -> Random:
    """A generator of its own: what comes after this use stays as it was, and its tickets are nobody else's."""
    return Random(f"{SEED} {use}")  # noqa: S311 # as above


def _publish(
    installation: Installation, db: Session, district: District, now: datetime
) -> list[tuple[Offer, Delivery]]:
    """Publish the offers by the coordinator's account, and run the jobs that assemble their papers."""
    published = []
    midnight = _local_midnight(now)
    blueprints = {row.code: row.rules for row in db.scalars(select(QuizBlueprint))}
    # the oldest first: what it used may stand in the papers of a year later
    for number, offer in sorted(enumerate(OFFERS), key=lambda numbered: numbered[1].opens > -365):
        rules = blueprints[offer.blueprint]
        at = min(now, midnight + timedelta(days=offer.opens - 3, hours=2))
        with transaction(db):
            delivery = create_delivery(
                db,
                blueprint_code=offer.blueprint,
                title=offer.title,
                title_en=offer.title_en,
                unit_id=district.units[offer.unit].id,
                opens_at=midnight + timedelta(days=offer.opens, hours=8),
                closes_at=midnight + timedelta(days=offer.closes),
                time_limit_s=rules["minutes"] * 60,
                tries=offer.tries,
                pass_score=rules["pass_score"],
                fields=offer.fields,
                reveal=offer.reveal,
                paper_count=offer.papers,
                audience=[AudienceLine(unit.id) for unit in offer.roots(district) if offer.audience],
                keeper="临江区科协",
                purpose=offer.purpose,
                contact="0000-000000",
                retention_months=36,
                actor=district.staff["demo-coordinator"],
                now=at,
                seed=f"demo-{number}",
                poster_code=offer.poster_code,
            )
        run_pending(replace(installation, clock=_standing(at)))
        db.refresh(delivery)
        published.append((number, offer, delivery))
    return [(offer, delivery) for _number, offer, delivery in sorted(published, key=lambda one: one[0])]


def _plans(rng: Random, district: District, offer: Offer, delivery: Delivery, now: datetime) -> Iterable[Plan]:
    """Who takes a delivery, when, and how it ends."""
    if not offer.attempts:
        return
    midnight = _local_midnight(now)
    first = midnight + timedelta(days=offer.opens, hours=8)
    last = min(midnight + timedelta(days=offer.closes) - timedelta(hours=3), now - timedelta(hours=2))
    # each member comes once, and perhaps again
    roots = tuple(unit.path for unit in offer.roots(district))
    waiting = [m for m in district.members if m.unit.path.startswith(roots)]
    rng.shuffle(waiting)
    required = {name for name, demand in offer.fields.items() if demand == "required"}
    made = 0
    while made < offer.attempts:
        member, kind = _participant(rng, waiting, district, offer, required)
        device = random_token(rng)
        starts = daytime(rng, first, last)
        ending = rng.choices(list(Ending), (0.93, 0.045, 0.025))[0]
        actor = member.actor if kind == "account" else None
        profile = _profile(rng, member, kind, offer, required)
        resident = replace(member.resident, ability=member.resident.ability + offer.knew)
        plan = Plan(starts, delivery.id, resident, profile, device=device, ending=ending)
        plan = replace(plan, actor=actor) if actor else plan
        yield plan
        made += 1
        # somebody who may, tries again: a little better prepared
        again = starts + timedelta(hours=rng.uniform(1, 60))
        if made < offer.attempts and offer.tries != 1 and again < last and rng.random() < 0.09:
            learned = replace(resident, ability=resident.ability + 0.35)
            yield replace(plan, starts=again, resident=learned, ending=Ending.SUBMITTED)
            made += 1


def _participant(
    rng: Random, waiting: list[Member], district: District, offer: Offer, required: set[str]
) -> tuple[Member, str]:
    """A member of a roster or with an account, a guest with name and phone, one with a name alone, or one who gives nothing."""
    kinds = {"member": 0.70, "guest": 0.12, "named": 0.07, "nobody": 0.11}
    if "phone" in required:
        kinds = {"member": 0.88, "guest": 0.12}
    kind = rng.choices(list(kinds), list(kinds.values()))[0]
    if kind == "member" and waiting:
        member = waiting.pop()
        return member, "account" if member.actor else "member"
    roots = tuple(unit.path for unit in offer.roots(district))
    homes = [unit for unit in district.homes if unit.path.startswith(roots)]
    stranger = Member(make_resident(rng, rng.randrange(10_000, 9_999_999)), rng.choice(homes))
    return stranger, "guest" if kind == "member" else kind


def _profile(rng: Random, member: Member, kind: str, offer: Offer, required: set[str]) -> Profile:
    """What they type: everything that must be given, most of the rest; a child has a guardian and no phone number."""
    resident: Resident = member.resident
    child = kind == "named" and member.unit.kind == UnitKind.SCHOOL

    def says(name: str, share: float = 0.8) -> bool:
        return name in required or (name in offer.fields and rng.random() < share)

    return Profile(
        name=resident.name if kind != "nobody" and "name" in offer.fields else None,
        phone=resident.phone if kind in ("member", "guest", "account") and "phone" in offer.fields else None,
        unit_id=member.unit.id if says("unit") else None,
        birth_year=(2014 if child else resident.birth_year) if says("birth_year") else None,
        sex=resident.sex if says("sex") else None,
        education=("primary" if child else resident.education) if says("education") else None,
        key_group=("youth" if child else resident.key_group(member.unit.kind)) if says("key_group") else None,
        under_14=child,
        guardian=child,
        consent=True,
    )


def _take_all(db: Session, taker: Taker, plans: list[Plan], now: datetime) -> None:
    for begin in range(0, len(plans), BATCH):
        with transaction(db):
            for plan in plans[begin : begin + BATCH]:
                taker.take(db, plan, now)


def _standing(moment: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: moment


def _local_midnight(now: datetime) -> datetime:
    """The last midnight in Shanghai, as an instant."""
    return day_start(local_date(now))
