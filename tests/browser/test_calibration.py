"""From the answers to a bank: what the model knows of it, a question that does not fit, and two papers that are made by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from quizapp.core.clock import system_clock
from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.services.assembly import assemble_papers
from quizapp.reports.calibration.services import calibrate_due
from quizapp.reports.item_tallies import count_items
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_items, make_person
from tests.reports.test_calibration import ITEMS, curve, offer, take

pytestmark = pytest.mark.browser
#: The question that those in the middle get wrong more often than the weak.
ODD = 7
KINDS = ("single_choice", "true_false", "multiple_choice")


@pytest.fixture
def answered(live: Live) -> tuple[int, str, str, str]:
    """A delivery whose bank was answered enough; the codes of its bank, of its odd question, and of a bank that nobody was asked."""
    now = system_clock()
    with live.database.session() as db:
        with transaction(db):
            versions = make_items(db, ITEMS, bank_code="asked")
            make_items(db, 4, bank_code="new")
            delivery = offer(db, versions)
            chances = curve(260, 0.0, 1, range(ITEMS))
            knowing = np.argsort(np.argsort(chances.mean(axis=1))) / len(chances)
            chances[:, ODD] = np.where((knowing > 1 / 3) & (knowing < 2 / 3), 0.03, 0.9)
            take(db, delivery, chances, 11)
            blueprint = db.get_one(QuizBlueprint, delivery.blueprint_id)
            blueprint.rules = {
                "items": 12,
                "types": dict.fromkeys(KINDS, 4),
                "points_each": 5,
                "pass_score": 36,
                "minutes": 9,
            }
            delivery.pass_score, delivery.fields = 36, {"name": "required", "unit": "required"}
            make_person(db, unit_id=delivery.unit_id, source="roster")
            make_account(db, (Role.COORDINATOR, db.get_one(OrgUnit, delivery.unit_id)), username="coordinator")
            make_account(db, (Role.REVIEWER, None), username="reviewer", name="高远")
        count_items(db, now)
        db.rollback()
        assert calibrate_due(db, now) == 1
        return delivery.id, "asked", versions[ODD].item.code, "new"


def test_what_the_answers_teach_of_a_bank_reaches_its_reviewer_and_its_next_papers(
    live: Live, visit: Callable[..., Page], answered: tuple[int, str, str, str]
) -> None:
    delivery_id, bank, odd, unasked = answered
    page = visit(size=PHONE)
    sign_in(page, "reviewer")
    page.goto(f"/banks/{unasked}")
    assert "满 100 人次首次作答才开始" in page.locator("#scale").inner_text(), "why there is nothing yet"
    check_accessible(page)
    page.goto("/banks")
    page.click(f"main a[href='/banks/{bank}']")
    page.wait_for_url(f"**/banks/{bank}")
    assert f"{ITEMS} 道题已估计，用的是全部测验的 260 人次" in page.locator("#scale").inner_text()
    check_accessible(page)
    no_sideways(page)

    # the question that does not go with the others, and what the model says of it
    page.click("#scale a:has-text('不合模型的题')")
    page.wait_for_url(f"**/items/work-list?bank={bank}&flag=misfit")
    assert page.locator("tbody tr[data-item]").first.get_attribute("data-item") == odd
    check_accessible(page)
    no_sideways(page)
    page.click(f"tr[data-item='{odd}'] a")
    page.wait_for_url(f"**/items/{odd}?work=1&bank={bank}&flag=misfit")
    known = page.locator("#calibration").inner_text()
    assert "260 人次首次作答估计" in known
    for words in ("难度", "区分度（模型）", "95% 区间", "不合：得分相同的人里"):
        assert words in known
    check_accessible(page)
    no_sideways(page)

    # the next papers are made by it
    desk = visit(size=DESKTOP)
    sign_in(desk, "coordinator")
    desk.goto(f"/deliveries/new?copy={delivery_id}")
    desk.fill("[name=title]", "春季测验")
    desk.fill("[name=paper_count]", "2")
    desk.wait_for_selector("[data-checks] li:has-text('组卷时让各卷在合格线附近一样难、一样准')")
    desk.click("[name=action][value=publish]")
    desk.wait_for_selector("[data-state=preparing]")
    with live.database.session() as db:
        made = db.scalars(select(Delivery.id).where(Delivery.title == "春季测验")).one()
        assemble_papers(db, made, now=system_clock())
    check = desk.locator("[data-papers] li:has-text('各卷在合格线上一样难、一样准')")
    check.wait_for()
    check_accessible(desk)
    no_sideways(desk)
