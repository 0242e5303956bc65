"""The whole demo, made once: its sizes, its sense, and that it is made as in real use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.certificates.models import Certificate
from quizapp.config import SettingInvalid, Settings, read_settings
from quizapp.core.clock import from_ms, to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.demo.answering import Question, answer_paper
from quizapp.demo.district import Member
from quizapp.demo.gains import deal_out
from quizapp.demo.making import demo_file, make_demo_file
from quizapp.demo.people import make_resident
from quizapp.demo.queries import demo_facts
from quizapp.demo.taking import Ending, Plan, Taker
from quizapp.measurement.gain import paired_gain
from quizapp.operations.installation import check_mark
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, DeliveryState, Paper, PaperItem, Response
from quizapp.quizzes.services.starting import Profile
from quizapp.surveys.models import Outcome, Survey, SurveyInvitation
from quizapp.trainings.models import Attendance, Registration, SessionTests, TrainingSession
from quizapp.trainings.queries import numbers_of
from quizapp.trainings.queries.gains import gain_data
from tests.conftest import START, FakeClock
from tests.factories import make_delivery, make_unit


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = read_settings({"DEMO": "1", "INSTANCE": str(tmp_path_factory.mktemp("demo"))})
    make_demo_file(settings, lambda _line: None)
    return settings


@pytest.fixture
def demo_db(made: Settings) -> Iterator[Session]:
    database = Database(made.database_url)
    with database.session() as session:
        yield session
    database.dispose()


def test_the_demo_has_its_size(demo_db: Session) -> None:
    people = select(func.count()).where(Person.source.in_(("roster", "account")), Person.phone_hash.is_not(None))
    assert demo_db.scalar(people) == 600
    assert demo_facts(demo_db, 0).people == 600  # what the chooser says
    assert demo_db.scalar(select(func.count(Attempt.id)).where(Attempt.identity_level != "invited")) == 1879
    assert demo_db.scalar(select(func.count(TrainingSession.id))) == 6  # five were held, one is to come
    assert 4 <= (demo_db.scalar(select(func.count(Delivery.id))) or 0) <= 10
    assert set(demo_db.scalars(select(Delivery.state))) == {DeliveryState.READY}
    assert (demo_db.scalar(select(func.count(OrgUnit.id))) or 0) > 80
    assert (demo_db.scalar(select(func.count(Attendance.id))) or 0) > 150


def test_its_survey_was_drawn_answered_and_estimated(demo_db: Session) -> None:
    survey = demo_db.scalars(select(Survey)).one()
    assert survey.estimate is not None
    assert survey.estimate["main"]["low"] < survey.estimate["main"]["estimate"] < survey.estimate["main"]["high"]
    assert 0.4 < survey.estimate["response"] < 0.8
    assert set(demo_db.scalars(select(SurveyInvitation.outcome))) == set(Outcome)


def test_its_sessions_have_rosters_registrations_and_certificates(demo_db: Session) -> None:
    methods = set(demo_db.scalars(select(Attendance.method).distinct()))
    assert methods == {"rotating", "poster", "by_hand"}
    held = select(TrainingSession).where(TrainingSession.kind == "sector")
    for session in demo_db.scalars(held):
        numbers = numbers_of(demo_db, session.id)
        assert 0 < numbers.came_rostered <= numbers.rostered
    waiting = select(func.count()).where(Registration.state == "waiting")
    assert demo_db.scalar(waiting) == 3
    assert (demo_db.scalar(select(func.count(Certificate.id))) or 0) > 40


def test_one_training_has_its_tests_and_those_who_took_both_know_more_after_it(demo_db: Session) -> None:
    tests = demo_db.scalars(select(SessionTests)).one()
    found = gain_data(demo_db, demo_db.get_one(TrainingSession, tests.session_id), tests)
    assert (found.came, len(found.pairs), found.before_only, found.after_only) == (46, 36, 5, 2)
    gain = paired_gain(*zip(*found.pairs, strict=True))
    assert gain.mean_gain is not None
    assert 0 < gain.mean_gain < 25, "something, and no wonder"
    papers = [
        set(demo_db.scalars(select(PaperItem.item_version_id).join(Paper).where(Paper.delivery_id == delivery_id)))
        for delivery_id in (tests.before_id, tests.after_id)
    ]
    assert len(papers[0] & papers[1]) < 5, "parallel papers, not the same one twice"


def test_who_takes_which_test_is_dealt_out_the_same_every_time() -> None:
    unit = OrgUnit(id=4, industry_id=2)
    opens = to_ms(START)
    before, after = (Delivery(id=n, opens_at=opens + n * 10**9, closes_at=opens + (n + 1) * 10**9) for n in (1, 2))

    def dealt(seed: int) -> list[Plan]:
        return deal_out([Member(make_resident(Random(n), n), unit) for n in range(46)], before, after, Random(seed))

    plans = dealt(3)
    assert plans == dealt(3) != dealt(4)
    takers = [{plan.profile.phone for plan in plans if plan.delivery_id == one.id} for one in (before, after)]
    assert (len(takers[0]), len(takers[1]), len(takers[0] & takers[1])) == (41, 38, 36)
    assert all(plan.starts < from_ms(before.closes_at) for plan in plans if plan.delivery_id == before.id)


def test_its_results_look_like_peoples(demo_db: Session) -> None:
    closed = Attempt.state.in_((AttemptState.SUBMITTED, AttemptState.EXPIRED))
    rows = demo_db.execute(select(Attempt, Delivery.max_score).join(Delivery).where(closed)).all()
    shares = [attempt.score / maximum for attempt, maximum in rows]
    mean = sum(shares) / len(shares)
    spread = (sum((share - mean) ** 2 for share in shares) / len(shares)) ** 0.5
    assert 0.5 < mean < 0.8
    assert 0.1 < spread < 0.3
    schooled = {level: [] for level in ("primary", "university")}
    for attempt, maximum in rows:
        if attempt.education in schooled:
            schooled[attempt.education].append(attempt.score / maximum)
    assert sum(schooled["university"]) / len(schooled["university"]) > (
        sum(schooled["primary"]) / len(schooled["primary"]) + 0.05
    )
    assert set(demo_db.scalars(select(Attempt.state).distinct())) >= {"submitted", "expired", "void"}
    levels = set(demo_db.scalars(select(Attempt.identity_level).distinct()))
    assert levels == {"signed_in", "invited", "matched", "device", "none"}
    assert (demo_db.scalar(select(func.max(Attempt.try_number))) or 0) >= 2
    firsts = select(func.count()).where(Attempt.is_first).group_by(Attempt.delivery_id, Attempt.person_id)
    assert set(demo_db.scalars(firsts)) == {1}


def test_the_demo_is_marked_and_made_only_once(made: Settings) -> None:
    with pytest.raises(SettingInvalid, match="stands already"):
        make_demo_file(made, lambda _line: None)
    with pytest.raises(SettingInvalid, match="set DEMO=1"):
        make_demo_file(replace(made, demo=False), lambda _line: None)
    database = Database(made.database_url)
    with pytest.raises(SettingInvalid, match="can never become a real installation"):
        check_mark(database, demo=False)
    database.dispose()


def test_half_a_demo_is_never_served(tmp_path: Path) -> None:
    settings = read_settings({"DEMO": "1", "INSTANCE": str(tmp_path)})

    def fail(*_: object) -> None:
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        make_demo_file(settings, lambda _line: None, fill=fail)
    assert not demo_file(settings).exists()


def test_abler_residents_answer_more_and_time_runs_out_for_slow_ones() -> None:
    questions = [Question(position, "single_choice", ("a", "b", "c", "d"), ("b",), 1, 0.0) for position in range(1, 41)]
    rng = Random(1)
    able = replace(make_resident(rng, 1), ability=2.5, pace=1.0)
    weak = replace(able, ability=-2.5)

    def right(resident: Any) -> int:
        return sum(
            {g.position: g.answer for g in answer_paper(rng, resident, questions, 3600)}.get(q.position) == "b"
            for q in questions
        )

    assert right(able) > right(weak) + 10
    assert len(answer_paper(rng, replace(able, pace=5.0), questions, 300)) < 20


#: What no two attempts share: keys, names, secrets, and what is derived from them.
OWN = {"id", "public_id", "secret_hash", "device_hash", "receipt_hash", "order_seed", "person_id", "paper_id"}


def columns(row: Attempt | Response, without: set[str]) -> dict[str, Any]:
    """All columns of a row but some."""
    return {c.name: getattr(row, c.name) for c in row.__table__.columns if c.name not in without}


def test_an_attempt_of_the_demo_equals_one_made_through_the_pages(
    app: Flask, db: Session, keys: Keys, clock: FakeClock
) -> None:
    with transaction(db):
        unit = make_unit(db, kind="district")
        fields = {"name": "required", "phone": "required", "unit": "required", "birth_year": "optional"}
        delivery = make_delivery(db, unit, fields=fields, items=6)
    resident = make_resident(Random(5), 77)
    profile = Profile(
        name=resident.name, phone=resident.phone, unit_id=unit.id, birth_year=resident.birth_year, consent=True
    )
    plan = Plan(START, delivery.id, resident, profile, device="demo", ending=Ending.SUBMITTED)
    with transaction(db):
        made = Taker(keys, Random(3)).take(db, plan, START + timedelta(hours=3))
        made_id = made.id
    answers = {r.position: r for r in db.scalars(select(Response).where(Response.attempt_id == made_id))}
    order = sorted(answers.values(), key=lambda response: response.sequence)
    # a changed answer is stored once, so the phone's sequences have a gap where it was
    client = app.test_client()
    other = f"1001{77:07d}"
    client.get(f"/q/{delivery.poster_code}")
    app.config["WTF_CSRF_ENABLED"] = False
    started = client.post(
        f"/q/{delivery.poster_code}/start",
        data={
            "ticket": "t" * 22,
            "under_14": "no",
            "name": resident.name,
            "phone": other,
            "unit_id": str(unit.id),
            "birth_year": str(resident.birth_year),
            "consent": "y",
        },
    )
    assert started.status_code == 303, started.text
    public_id = started.headers["Location"].split("/")[4]
    for response in order:
        clock.now = START + timedelta(milliseconds=response.saved_at - made.started_at)
        reply = client.post(
            f"/q/{delivery.poster_code}/a/{public_id}/answers",
            json={"items": [{"position": response.position, "answer": response.answer, "sequence": response.sequence}]},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert reply.get_json()["results"][0]["status"] == "saved"
    clock.now = START + timedelta(milliseconds=(made.closed_at or 0) - made.started_at)
    page = client.get(f"/q/{delivery.poster_code}/a/{public_id}/submit").text
    token = page.split('name="form_token" value="')[1].split('"')[0]
    done = client.post(f"/q/{delivery.poster_code}/a/{public_id}/submit", data={"form_token": token})
    assert done.status_code == 303
    db.rollback()
    paged = db.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
    assert paged.state == AttemptState.SUBMITTED
    assert columns(made, OWN) == columns(paged, OWN)
    for name in OWN:
        assert type(getattr(made, name)) is type(getattr(paged, name)), name
    stored = {r.position: r for r in db.scalars(select(Response).where(Response.attempt_id == paged.id))}
    assert {p: columns(r, {"attempt_id"}) for p, r in answers.items()} == {
        p: columns(r, {"attempt_id"}) for p, r in stored.items()
    }
