"""What the same people gained between the tests before and after a session."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from flask import Flask
from scipy import stats
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.measurement.gain import paired_gain
from quizapp.measurement.intervals import paired_rate_difference
from quizapp.quizzes.models import Attempt, AttemptState, Delivery
from quizapp.trainings.errors import TestsNotParallel, TestsSame
from quizapp.trainings.models import Attendance, TrainingSession
from quizapp.trainings.queries.gains import choosable_tests, find_tests, gain_data
from quizapp.trainings.services.testing import set_tests
from tests.conftest import START
from tests.factories import make_attempt, make_attendance, make_delivery, make_person, make_session, make_unit


def two_tests(db: Session) -> tuple[TrainingSession, Delivery, Delivery]:
    unit = make_unit(db, kind="district")
    before = make_delivery(db, unit)
    after = make_delivery(db, unit)
    after.blueprint_id = before.blueprint_id
    session = make_session(db, unit)
    db.flush()
    return session, before, after


def take(
    db: Session, session: TrainingSession, delivery: Delivery, person_id: int, score: int, **values: object
) -> None:
    attempt = make_attempt(db, delivery, session.unit, person_id=person_id, **values)
    attempt.score, attempt.passed = score, score >= delivery.pass_score


def test_only_those_who_came_and_took_both_are_paired(either_db: Session) -> None:
    db = either_db
    session, before, after = two_tests(db)
    people = [make_person(db).id for _ in range(5)]
    for person in people[:4]:
        make_attendance(db, session.id, person)
    make_attendance(db, session.id, people[4], state="struck")
    for person, score in zip(people, (10, 20, 30, 40, 50), strict=True):
        take(db, session, before, person, score)
    for person, score in zip(people[1:], (25, 35, 40, 60), strict=True):
        take(db, session, after, person, score)
    tests = set_tests(db, session=session, before=before, after=after, actor=SYSTEM, now=START)
    data = gain_data(db, session, tests)
    assert sorted(data.pairs) == [(20, 25), (30, 35), (40, 40)]
    assert (data.before_only, data.after_only, data.came) == (1, 0, 4)


HOUR = 3_600_000


def test_who_took_them_in_another_order_is_in_no_pair(either_db: Session) -> None:
    db = either_db
    session, before, after = two_tests(db)
    begin, end = session.starts_at, session.ends_at
    #: (begun, handed in) of both; None: the time of the test before ran out.
    cases: dict[str, tuple[tuple[int, int | None], int, bool]] = {
        "the day before and the day after": ((begin - 24 * HOUR, begin - 23 * HOUR), end + 24 * HOUR, True),
        "both in the session": ((begin, begin + 60_000), end - 60_000, True),
        "begun before, never handed in": ((begin - HOUR, None), end, True),
        "the test before a month after": ((end + 720 * HOUR, end + 721 * HOUR), end + 800 * HOUR, False),
        "begun before, handed in after": ((begin - HOUR, end + 1), end + HOUR, False),
        "handed in while the test after was open": ((begin, begin + 2 * 60_000), begin + 60_000, False),
        "the test after a month before": ((begin - 800 * HOUR, begin - 799 * HOUR), begin - 720 * HOUR, False),
        "both turned round": ((end + HOUR, end + 2 * HOUR), begin - HOUR, False),
    }
    for (begun, done), then, _ in cases.values():
        person = make_person(db).id
        make_attendance(db, session.id, person)
        take(db, session, before, person, 40, started_at=begun, closed_at=done or end + 9 * HOUR)
        if done is None:
            db.scalars(select(Attempt).where(Attempt.person_id == person)).one().state = AttemptState.EXPIRED
        take(db, session, after, person, 80, started_at=then, closed_at=then + 60_000)
    late = make_person(db).id
    make_attendance(db, session.id, late)
    take(db, session, before, late, 70, started_at=end + HOUR)
    make_attendance(db, session.id, make_person(db).id)
    tests = set_tests(db, session=session, before=before, after=after, actor=SYSTEM, now=START)
    data = gain_data(db, session, tests)
    in_order = sum(kept for *_, kept in cases.values())
    assert (len(data.pairs), data.out_of_order) == (in_order, len(cases) - in_order)
    assert (data.before_only, data.after_only, data.neither) == (1, 0, 1)


def test_two_tests_of_one_quiz_are_needed(either_db: Session) -> None:
    db = either_db
    session, before, after = two_tests(db)
    other = make_delivery(db, session.unit)
    with pytest.raises(TestsSame):
        set_tests(db, session=session, before=before, after=before, actor=SYSTEM, now=START)
    with pytest.raises(TestsNotParallel):
        set_tests(db, session=session, before=before, after=other, actor=SYSTEM, now=START)
    assert find_tests(db, session.id) is None
    foreign = make_delivery(db, make_unit(db, kind="district"))
    assert {d.id for d in choosable_tests(db, session)} == {before.id, after.id, other.id}
    assert foreign.id not in {d.id for d in choosable_tests(db, session)}


def test_the_page_shows_the_gain_with_its_interval_and_hides_few(db: Session, app: Flask) -> None:
    session, before, after = two_tests(db)
    path = session.unit.path
    scores = [(40 + 3 * n, 50 + 3 * n + (n % 4)) for n in range(12)]
    people = [make_person(db).id for _ in scores]
    for person, (pre, post) in zip(people, scores, strict=True):
        make_attendance(db, session.id, person)
        take(db, session, before, person, pre)
        if person != people[-1]:
            take(db, session, after, person, post)
    db.commit()
    actor = Actor(account_id=5, name="周敏", scope=Scope((Grant(Role.TRAINER, path),)))
    app.extensions["quizapp"].load_actor = lambda: actor
    client = app.test_client()
    address = f"/sessions/{session.id}/gain"

    def post(**form: object) -> int:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(address).text)
        return client.post(address, data={**form, "csrf_token": token[1] if token else ""}).status_code

    assert post(before=before.id, after=before.id) == 422
    assert post(before=before.id, after=after.id) == 303
    page = client.get(address).text
    gains = [post_ - pre for pre, post_ in scores[:-1]]
    low, high = stats.ttest_1samp(gains, 0).confidence_interval()
    assert f"+{sum(gains) / len(gains):.1f}" in page
    assert f"+{low:.1f} 到 +{high:.1f}" in page
    assert "到场 12 人：11 人两次都做了，1 人只做了前测，0 人只做了后测，0 人都没做" in page
    assert "知道的单位不到 3 个" in page
    passed = [(pre >= before.pass_score, post_ >= before.pass_score) for pre, post_ in scores[:-1]]
    cells = Counter(passed)
    change = paired_rate_difference(
        *(cells[key] for key in ((True, True), (False, True), (True, False), (False, False)))
    )
    assert change is not None
    assert change[0] > 0
    assert f"+{100 * change[0]:.1f} 个百分点" in page
    assert re.search(rf"[+−]{abs(100 * change[1]):.1f} 到 \+{100 * change[2]:.1f}", page)
    for words in ("没有不受训的对照组", "这样大或更大", "两次都来做的人"):
        assert words in page
    assert "确实" not in page
    drawn = re.findall(r'data-row="(\w+)".*?<svg class="interval"[^>]*aria-label="([^"]+)"', page, re.S)
    assert [row for row, _ in drawn] == ["score", "passing"], "a drawing beside each row of the table"
    english = client.get(address, headers={"Accept-Language": "en"}).text
    for words in (
        "no untrained control group",
        "of this size or larger",
        "which chance variation alone does not explain",
    ):
        assert words in english
    assert client.get(f"/sessions/{session.id + 99}/gain").status_code == 404
    assert "次序不对" not in page
    turned = db.scalars(select(Attempt).where(Attempt.delivery_id == before.id, Attempt.person_id == people[0])).one()
    turned.started_at = session.ends_at + 1
    db.commit()
    assert "还有 1 人两次都做了，但次序不对" in client.get(address).text
    english = client.get(address, headers={"Accept-Language": "en"}).text
    assert "1 more took both in the wrong order" in english
    turned.started_at = session.starts_at
    units = [make_unit(db, session.unit).id for _ in range(4)]
    for number, person in enumerate(people):
        attendance = db.scalars(select(Attendance).where(Attendance.person_id == person)).one()
        attendance.unit_id = units[number % 4]
    db.commit()
    page = client.get(address).text
    assert "平均变化的区间按 4 个单位算" in page
    by_units = paired_gain(*zip(*scores[:-1], strict=True), units=[n % 4 for n in range(11)])
    assert by_units.low is not None
    assert by_units.low < low
    assert f"+{by_units.low:.1f} 到 +{by_units.high:.1f}" in page
