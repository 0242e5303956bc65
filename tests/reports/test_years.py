"""Two years through common questions: the service on simulated people of known difference, the job, the page and its files."""

from __future__ import annotations

import csv
import io
import math
import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account, AccountGrant
from quizapp.banks.models import ItemVersion
from quizapp.banks.wording import wording_hash
from quizapp.core.clock import from_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Role
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.worker import run_pending
from quizapp.measurement.clusters import clustered_difference, clustered_wilson
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery, Paper, PaperItem, Response
from quizapp.quizzes.queries.deliveries import item_uses
from quizapp.reports.forms.years import read_side
from quizapp.reports.years.queries import Side, SideKind, choices, common_questions, get_choice
from quizapp.reports.years.services import compare
from tests.conftest import START
from tests.factories import RIGHT, make_account, make_attempt, make_delivery, make_person, make_unit
from tests.reports.test_exports import client_for
from tests.reports.test_figures import scope_of

ITEMS, COMMON = 16, 8
YEAR_MS = 366 * 86_400_000
WRONG = {"single_choice": "a", "true_false": "f", "multiple_choice": "a,b"}


def versions_of(db: Session, delivery: Delivery) -> list[ItemVersion]:
    rows = select(ItemVersion).join(PaperItem, PaperItem.item_version_id == ItemVersion.id)
    found = db.scalars(rows.join(Paper).where(Paper.delivery_id == delivery.id).order_by(PaperItem.position))
    return list(found)


def two_deliveries(db: Session, unit: OrgUnit, common: int = COMMON) -> tuple[Delivery, Delivery]:
    """Last year's and this year's: the first questions are of one wording, though of other versions; the rest differ."""
    first = make_delivery(db, unit, items=ITEMS, title="去年的测验")
    second = make_delivery(db, unit, items=ITEMS, title="今年的测验")
    first.opens_at, first.closes_at = first.opens_at - YEAR_MS, first.closes_at - YEAR_MS
    for place, version in enumerate(versions_of(db, second)):
        if place < common:
            version.rationale = {"zh": "新写的解析", "en": "Another rationale"}
        else:
            version.stem = {"zh": f"今年第{place}个问题", "en": f"This year's question {place}"}
    db.flush()
    return first, second


def take(
    db: Session,
    delivery: Delivery,
    unit: OrgUnit,
    people: int,
    *,
    mean: float,
    places: list[float],
    seed: int,
    units: Sequence[OrgUnit | None] = (),
) -> None:
    """People of N(mean, 1) answer by the Rasch model; of `unit`, or of `units` in turn, which hold a tenth of the variance."""
    draw = random.Random(seed)
    levels = [draw.gauss(0, math.sqrt(0.1)) for _ in units]
    kinds = [version.type for version in versions_of(db, delivery)]
    for number in range(people):
        theta = draw.gauss(mean, 1)
        of_whom: OrgUnit | None = unit
        if units:
            place = number % len(units)
            theta = mean + levels[place] + math.sqrt(0.9) * (theta - mean)
            of_whom = units[place]
        right = [draw.random() < 1 / (1 + math.exp(b - theta)) for b in places]
        points = 20 * sum(right)
        attempt = make_attempt(
            db, delivery, of_whom, now=from_ms(delivery.opens_at), person_id=make_person(db).id, score=points,
            passed=points >= delivery.pass_score,
        )  # fmt: skip
        db.add_all(
            Response(attempt_id=attempt.id, position=p, answer=(RIGHT if hit else WRONG)[kind], sequence=1, saved_at=1)
            for p, (kind, hit) in enumerate(zip(kinds, right, strict=True), start=1)
        )
    db.flush()


def move(db: Session, account: Account, unit: OrgUnit) -> None:
    """Narrow the grant of an account to a new unit below."""
    db.rollback()  # what others wrote is seen
    below = make_unit(db, unit)
    db.execute(update(AccountGrant).where(AccountGrant.account_id == account.id).values(unit_id=below.id))
    db.commit()


#: This year's own questions are much harder; the sixth common one is by now known to everybody.
LAST = [-1.5 + 0.2 * place for place in range(ITEMS)]
THIS = [*LAST[:COMMON], *(b + 1.6 for b in LAST[COMMON:])]


def side(delivery: Delivery) -> Side:
    return Side(SideKind.DELIVERY, delivery.id)


def test_a_known_difference_is_found_where_raw_rates_say_the_opposite(either_db: Session) -> None:
    db = either_db
    unit = make_unit(db, kind="district")
    first, second = two_deliveries(db, unit)
    this = list(THIS)
    this[5] -= 2.5
    take(db, first, unit, 260, mean=0.0, places=LAST, seed=1)
    take(db, second, unit, 260, mean=0.5, places=this, seed=2)
    found = compare(db, scope_of(unit), side(first), side(second), START)
    figures = found["found"]
    value, low, high = figures["level"]["difference"]
    assert 0 < low < 0.5 < high
    assert value == pytest.approx(0.5, abs=0.35)
    assert [anchor["stem"]["zh"] for anchor in found["anchors"] if anchor["drifted"]] == ["第6个问题"]
    assert (figures["used"], len(found["anchors"])) == (COMMON - 1, COMMON)
    raw = [one["rate"] for one in found["raw"]["sides"]]
    assert raw[1] < raw[0], "the form was harder"
    assert figures["passing"]["difference"][1] > 0, "on last year's form more of them pass"
    assert figures["passing"]["first"][0] == pytest.approx(raw[0], abs=0.05), "the model knows what happened"
    assert figures["forms"] == 1
    assert found["both"] == 0
    assert (figures["basis"], figures["units"], figures["df_units"]) == ("too_few_units", (1, 1), None)


def test_people_of_one_unit_are_not_taken_for_strangers(db: Session) -> None:
    unit = make_unit(db, kind="district")
    units = [make_unit(db, unit) for _ in range(12)]
    first, second = two_deliveries(db, unit)
    take(db, first, unit, 240, mean=0.0, places=LAST, seed=7, units=units)
    take(db, second, unit, 255, mean=0.0, places=THIS, seed=8, units=[*units[3:], *units[:3], None])
    found = compare(db, scope_of(unit), side(first), side(second), START)
    figures = found["found"]
    assert (figures["basis"], figures["units"], figures["few_units"]) == ("units", (12, 12), False)
    assert figures["without_unit"] == 255 // 13
    assert figures["se_people"] > 1.2 * figures["se_strangers"]
    assert figures["df_units"] == pytest.approx(11, abs=2)
    counts: list[dict[int | None, list[int]]] = [defaultdict(lambda: [0, 0]) for _ in range(2)]
    for attempt in db.scalars(select(Attempt)):
        one = counts[attempt.delivery_id == second.id][attempt.unit_id]
        one[0], one[1] = one[0] + bool(attempt.passed), one[1] + 1
    before, after = ({name: (k, n) for name, (k, n) in year.items()} for year in counts)
    assert found["raw"]["difference"] == pytest.approx(clustered_difference(before, after))
    assert found["raw"]["sides"][1]["interval"] == pytest.approx(clustered_wilson(list(after.values())))


def test_what_is_too_little_is_refused_with_its_number_and_scope_is_kept(either_db: Session) -> None:
    db = either_db
    unit, other = make_unit(db, kind="district"), make_unit(db, kind="district")
    part = make_unit(db, unit)
    first, second = two_deliveries(db, unit, common=4)
    take(db, first, part, 40, mean=0.0, places=LAST, seed=3)
    take(db, first, unit, 70, mean=0.0, places=LAST, seed=3)
    take(db, second, unit, 110, mean=0.0, places=THIS, seed=4)
    found = choices(db, scope_of(unit), START)
    assert common_questions(db, get_choice(found, side(first)), get_choice(found, side(second))) == 4
    refused = compare(db, scope_of(unit), side(first), side(second), START)["refused"]
    assert refused == {"code": "too_few_anchors", "found": 4, "needed": 5, "drifted": 0}
    refused = compare(db, scope_of(part), side(first), side(second), START)["refused"]
    assert refused == {"code": "too_few_respondents", "side": 0, "found": 40, "needed": 100}
    with pytest.raises(NotFound):
        compare(db, scope_of(other), side(first), side(second), START)


def test_a_year_of_a_quiz_counts_everybody_once(db: Session) -> None:
    unit = make_unit(db, kind="district")
    first, second = two_deliveries(db, unit)
    again = make_delivery(db, unit, items=ITEMS, blueprint_id=first.blueprint_id, opens_at=first.opens_at + 1000)
    person = make_person(db)
    for delivery in (first, again):
        make_attempt(db, delivery, unit, now=from_ms(delivery.opens_at), person_id=person.id, passed=False, score=0)
    year = next(one for one in choices(db, scope_of(unit), START) if one.side.kind is SideKind.QUIZ)
    assert [delivery.id for delivery in year.deliveries] == [first.id, again.id]
    assert read_side(year.side.as_text()) == year.side
    found = compare(db, scope_of(unit), year.side, side(second), START)
    assert found["raw"]["sides"][0]["n"] == 1
    assert [read_side(text) for text in ("", "d", "q1", "x3", "q1-99999")] == [None] * 5


def test_a_corrected_or_changed_question_has_another_wording(db: Session) -> None:
    one, same, other = versions_of(db, make_delivery(db, items=3))
    same.type, same.stem, same.options, same.key = one.type, one.stem, one.options, list(one.key)
    same.citation = {"document": "另一份文件"}
    assert wording_hash(one) == wording_hash(same) != wording_hash(other)
    same.key = ["a"]
    assert wording_hash(one) != wording_hash(same)


def test_from_the_choice_by_the_job_to_the_file(db: Session, app: Flask) -> None:
    unit = make_unit(db, kind="district")
    first, second = two_deliveries(db, unit)
    take(db, first, unit, 130, mean=0.0, places=LAST, seed=5)
    account = make_account(db, (Role.COORDINATOR, unit))
    db.commit()
    client = client_for(db, app, account)
    query = {"first": f"d{first.id}", "second": f"d{second.id}"}
    page = client.get("/reports/years", query_string=query).text
    assert "“今年的测验" in page
    itself = {"first": query["first"], "second": query["first"]}
    sent = client.post("/reports/years", data=itself)
    for page_of_itself in (client.get("/reports/years", query_string=itself).text, client.get(sent.location).text):
        assert 'aria-describedby="second-error"' in page_of_itself
        assert "和前一次相同，请另选一次" in page_of_itself
        assert "开始比" not in page_of_itself
    assert "有 0 份首次作答，至少要 100 份" in page
    assert "开始比" not in page
    take(db, second, unit, 130, mean=0.6, places=THIS, seed=6)
    db.commit()
    page = client.get("/reports/years", query_string=query).text
    assert "8 道题相同" in page
    assert client.get("/reports/years.csv", query_string=query).status_code == 303
    asked = client.post("/reports/years", data=query)
    assert asked.status_code == 303
    assert client.post("/reports/years", data=query).location == asked.location, "asked twice, computed once"
    assert "正在计算" in client.get("/reports/years", query_string=query).text
    run_pending(app.extensions["quizapp"])
    assert "看对比结果" in client.get(asked.location).text
    db.rollback()
    job = db.scalars(select(Job).where(Job.name == "compare_years")).one()
    assert job.result is not None
    page = client.get("/reports/years", query_string=query).text
    assert page.count("<h1") == 1
    assert "怎么算的" in page
    assert "知道的单位太少（前一次 1 个，后一次 1 个" in page
    assert "平均水平更" not in page, "one unit knows nothing of how units differ"
    value = 100 * job.result["found"]["level"]["difference"][0]
    assert f'<b class="figure-big">+{value:.0f}</b>' in page
    rows = list(csv.reader(io.StringIO(client.get("/reports/years.csv", query_string=query).data.decode("utf-8-sig"))))
    assert float(rows[1][4]) == pytest.approx(value, abs=0.01)
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/reports/years.xlsx", query_string=query).data))
    assert len(book.get_sheet_by_name("共同的题").to_python()) == 1 + COMMON
    move(db, account, unit)
    page = client_for(db, app, account).get("/reports/years", query_string=query).text
    assert "figure-big" not in page, "other grants, nothing kept"
    leader = make_account(db, (Role.LEADER, unit))
    db.commit()
    assert client_for(db, app, leader).get("/reports/years").status_code == 403


def test_the_job_refuses_whoever_has_other_grants_by_now(db: Session, app: Flask) -> None:
    unit = make_unit(db, kind="district")
    first, second = two_deliveries(db, unit)
    account = make_account(db, (Role.COORDINATOR, unit))
    db.commit()
    client_for(db, app, account).post("/reports/years", data={"first": f"d{first.id}", "second": f"d{second.id}"})
    move(db, account, unit)
    run_pending(app.extensions["quizapp"])
    db.rollback()
    job = db.scalars(select(Job).where(Job.name == "compare_years")).one()
    assert (job.state, job.error) == (JobState.FAILED, "export_grant_changed")


def test_questions_of_last_year_may_come_back_and_those_of_this_year_rest(db: Session) -> None:
    unit = make_unit(db, kind="district")
    first, second = two_deliveries(db, unit)
    assert set(item_uses(db, second.blueprint.bank_id, START).values()) == {1}
    assert item_uses(db, first.blueprint.bank_id, START) == {}
