"""The share of the literate: of adults who took part, by the standard's score, with its records; people under 18 are in none of it."""

from __future__ import annotations

import io
import random
import re
from typing import Any

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Role
from quizapp.measurement.clusters import clustered_wilson
from quizapp.measurement.intervals import wilson
from quizapp.measurement.sample_size import sample_size
from quizapp.organisation.people import AGE_BANDS
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.figures import FigureFilters, Literacy, literacy_of
from quizapp.reports.tables import Hidden
from tests.factories import make_attempt, make_person
from tests.reports.test_figures import District, make_district, scope_of
from tests.reports.test_pages import client_for

ADULTS = ("18-29", "30-39", "40-49", "50-59", "60-69", "70+")


def follow(db: Session, delivery: Delivery, standard: str, levels: dict[str, int]) -> None:
    """The delivery is of a literacy standard; its own pass mark is another."""
    delivery.blueprint.rules = {**delivery.blueprint.rules, "standard": standard, "levels": levels}
    delivery.max_score, delivery.pass_score = 100, 45
    db.flush()


def took(db: Session, delivery: Delivery, unit: Any, scores: list[int], age_band: str | None, **values: Any) -> None:
    for score in scores:
        values = {"passed": score >= delivery.pass_score, "person_id": make_person(db).id, **values}
        make_attempt(db, delivery, unit, score=score, age_band=age_band, **values)
        values.pop("person_id")


def shares(db: Session, d: District, **values: Any) -> Literacy | None:
    scope = values.pop("scope", scope_of(d.top))
    return literacy_of(
        db,
        scope,
        Permission.SEE_FIGURES,
        values.pop("filters", FigureFilters(delivery_id=d.delivery.id)),
        delivery=d.delivery,
        **{"unit": None, **values},
    )


@pytest.fixture
def d(either_db: Session) -> District:
    d = make_district(either_db)
    follow(either_db, d.delivery, "literacy_2016", {"literate": 60})
    return d


def test_only_adults_are_counted_and_only_by_the_standard_s_score(either_db: Session, d: District) -> None:
    db = either_db
    took(db, d.delivery, d.left, [60, 58, 90, 30, 46, 45, 62], "18-29")
    took(db, d.delivery, d.right, [59, 61, 20], "70+")
    took(db, d.delivery, d.left, [100, 98, 96], "14-17")
    took(db, d.delivery, d.left, [100], "0-13")
    took(db, d.delivery, d.left, [100, 100], None)
    took(db, d.delivery, d.left, [100], "30-39", state="void", is_first=False)
    took(db, d.delivery, d.left, [100], "30-39", is_first=False)
    took(db, d.delivery, d.left, [0], "30-39", state="open")
    took(db, d.delivery, d.other, [100] * 15, "30-39")
    found = shares(db, d, unit=d.street)
    assert found is not None
    assert (found.adults, found.minors, found.unknown) == (10, 4, 2)
    assert (found.literate.reached, found.literate.share) == (4, 0.4)
    assert (found.literate.low, found.literate.high) == pytest.approx(wilson(4, 10), abs=1e-9)
    assert found.needed == sample_size(0.4, 0.02)
    assert found.needed_at_most == 2401
    assert shares(db, d, scope=scope_of(d.other)).adults == 15  # type: ignore[union-attr]
    few = shares(db, d, unit=d.right)
    assert few is not None
    assert (few.adults, few.literate.share, few.literate.low, few.needed) == (3, None, None, 2401)
    assert (few.literate.reached, few.hidden) == (None, Hidden.FEW)
    assert shares(db, d, unit=d.street, complete=True).literate.low is None  # type: ignore[union-attr]


def test_the_bands_of_the_attempts_meet_at_eighteen() -> None:
    assert {first for first, _ in AGE_BANDS} >= {18}
    assert tuple(band for first, band in reversed(AGE_BANDS) if first >= 18) == ADULTS


def test_each_level_of_the_survey_counts_those_above_it(either_db: Session) -> None:
    """Against counting one by one, over several units: the interval is that of the pass rates, by units."""
    db, dice = either_db, random.Random(3)
    d = make_district(db)
    follow(db, d.delivery, "survey_2024", {"advanced": 85, "literate": 70, "basic": 55})
    for _ in range(90):
        band = dice.choice([*ADULTS, "14-17", None])
        took(db, d.delivery, dice.choice([d.left, d.right, d.street, None]), [2 * dice.randrange(10, 51)], band)
    found = shares(db, d)
    assert found is not None
    adults = [a for a in db.scalars(select(Attempt)) if a.age_band in ADULTS]
    assert [(level.code, level.score) for level in found.levels] == [("advanced", 85), ("literate", 70), ("basic", 55)]
    for level in found.levels:
        reached = [a for a in adults if (a.score or 0) >= level.score]
        assert (level.reached, level.share) == (len(reached), len(reached) / len(adults))
        units = {a.unit_id for a in adults}
        counts = [(sum(a.unit_id == u for a in reached), sum(a.unit_id == u for a in adults)) for u in units]
        assert (level.low, level.high) == pytest.approx(clustered_wilson(counts), abs=1e-9)


def test_a_test_without_a_standard_has_no_such_share(either_db: Session) -> None:
    d = make_district(either_db)
    took(either_db, d.delivery, d.left, [100] * 12, "30-39")
    assert shares(either_db, d) is None
    follow(either_db, d.delivery, "literacy_2016", {"literate": 60})
    assert shares(either_db, d) is not None
    d.delivery.max_score = 40  # a short form is not the standard's paper
    assert shares(either_db, d) is None


def test_a_card_of_few_is_not_left_when_the_other_cards_are_subtracted(either_db: Session) -> None:
    """The card of the unit above less that of the neighbour; all less the women: what is left may not be of fewer than ten."""
    db = either_db
    d = make_district(db)
    follow(db, d.delivery, "survey_2024", {"advanced": 85, "literate": 70, "basic": 55})
    took(db, d.delivery, d.left, [90, 72, 30, 20, 20, 60, 58], "30-39", sex="male")
    took(db, d.delivery, d.right, [90, 72, 30, 20] * 8, "30-39", sex="female")
    took(db, d.delivery, d.other, [90, 72, 30, 60] * 9, "30-39", sex="female")
    cards = {unit: shares(db, d, unit=unit) for unit in (d.top, d.street, d.left, d.right, d.other)}
    assert [card.hidden for card in cards.values() if card] == [None, None, Hidden.FEW, Hidden.PROTECTS, None]
    for card in cards.values():
        assert card is not None
        assert all(
            (level.reached is None) == (level.share is None) == (card.hidden is not None) for level in card.levels
        )
    women = shares(db, d, filters=FigureFilters(delivery_id=d.delivery.id, sex="female"))
    assert women is not None
    assert (women.adults, women.hidden) == (68, Hidden.PROTECTS)
    assert shares(db, d, scope=scope_of(d.right)).hidden is None  # type: ignore[union-attr]
    three = FigureFilters(delivery_id=d.delivery.id, sex="female", age_band="30-39", identity="matched")
    assert shares(db, d, filters=three).hidden in (Hidden.NARROW, Hidden.FEW)  # type: ignore[union-attr]


def test_a_hidden_share_stands_neither_on_the_page_nor_in_the_file(db: Session, app: Flask) -> None:
    d = make_district(db)
    follow(db, d.delivery, "literacy_2016", {"literate": 60})
    took(db, d.delivery, d.left, [61, 62, 63, 20, 20, 10, 10], "30-39")
    took(db, d.delivery, d.right, [61] * 17 + [30] * 16, "30-39")
    db.commit()
    client = client_for(app, d.top)
    for unit, words in ((d.left, "18 岁及以上的不足 10 人，不显示"), (d.right, "能推算出人数少的另一张表，不显示")):
        query = f"delivery={d.delivery.id}&unit={unit.id}"
        card = client.get(f"/reports/pass-rates?{query}").text.split("data-literacy")[1].split("</section>")[0]
        assert words in card
        assert "figure=literate" not in card
        book = CalamineWorkbook.from_filelike(
            io.BytesIO(client.get(f"/reports/export/pass_rates/xlsx?{query}").data)
        ).get_sheet_by_index(0)
        fact = next(str(line[1]) for line in book.to_python() if line[0] == "具备科学素质比例")
        assert words in fact
        assert "÷" not in fact
    whole = client.get(f"/reports/pass-rates?delivery={d.delivery.id}").text
    assert "50.0%" in whole.split("data-literacy")[1].split("</section>")[0]


def test_each_number_of_the_card_opens_to_its_records_and_the_file_has_it(db: Session, app: Flask) -> None:
    d = make_district(db)
    follow(db, d.delivery, "survey_2024", {"advanced": 85, "literate": 70, "basic": 55})
    took(db, d.delivery, d.left, [90, 86, 72, 70, 69, 60, 50, 48, 40, 30, 20, 10], "40-49")
    took(db, d.delivery, d.left, [88, 90], "14-17")
    took(db, d.delivery, d.left, [77], None)
    db.commit()
    client = client_for(app, d.top)
    page = client.get(f"/reports/pass-rates?delivery={d.delivery.id}").text
    card = page.split("data-literacy")[1].split("</section>")[0]
    assert "33.3%" in card  # 4 of 12
    assert "2,401 名成年人" in card
    expected = {"advanced": 2, "literate": 4, "basic": 6, "adults": 12, "minors": 2, "unknown": 1}
    for code, count in expected.items():
        row = card.split(f'data-level="{code}"')[1].split("</tr>")[0]
        address = re.search(r'class="figure-records" href="([^"]+)">(\d+)<', row)
        assert address is not None, code
        assert int(address[2]) == count
        records = client.get(address[1].replace("&amp;", "&"))
        assert records.status_code == 200
        assert records.text.count("data-attempt=") == count, code
    query = f"delivery={d.delivery.id}"
    facts = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/reports/export/pass_rates/xlsx?{query}").data))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert next(str(line[1]) for line in facts if line[0] == "具备科学素质比例").startswith("33.3%（95% 区间")
    assert client.get(f"/reports/records?{query}&figure=literate&level=wise").text.count("data-attempt=") == 0
    assert client.get("/reports/records?figure=literate").status_code == 404, "of which standard?"
    leader = client_for(app, d.top, Role.LEADER).get(f"/reports/pass-rates?{query}").text
    assert "data-literacy" not in leader
