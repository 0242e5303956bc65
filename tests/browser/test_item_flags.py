"""From a delivery's figures to a question whose key those who know do not choose: the coordinator sees it, the reviewer is told of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update

from quizapp.banks.models import FEWEST_FOR_FLAGS, ItemFigure, ItemVersion
from quizapp.core.clock import system_clock
from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.quizzes.models import Attempt, Delivery, PaperItem, Response
from quizapp.reports.item_tallies import count_items
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_delivery, make_unit
from tests.reports.test_item_tallies import answer_by_chance

pytestmark = pytest.mark.browser


@pytest.fixture
def flagged(live: Live) -> tuple[int, str]:
    """A delivery that many have taken, and the code of its question with the wrong key; its coordinator and a reviewer."""
    with live.database.session() as db:
        district = make_unit(db, name="临江区", kind="district")
        make_account(db, (Role.COORDINATOR, district), username="coordinator")
        make_account(db, (Role.REVIEWER, None), username="reviewer", name="高远")
        delivery = make_delivery(db, district, items=6, now=system_clock())
        attempts = answer_by_chance(db, delivery, 2 * FEWEST_FOR_FLAGS)
        with transaction(db):
            place = db.execute(select(PaperItem.position, PaperItem.item_version_id).limit(1)).one()
            by_knowledge = sorted(attempts, key=lambda attempt: attempt.right_count or 0)
            for rank, attempt in enumerate(by_knowledge):  # the weak choose the key, the strong another option
                weak = rank < len(by_knowledge) // 2
                db.merge(
                    Response(
                        attempt_id=attempt.id,
                        position=place.position,
                        answer="b" if weak else "d",
                        sequence=2,
                        saved_at=2,
                    )
                )
            db.execute(update(Attempt).values(scoring_revision=7, local_date=system_clock().date()))
        count_items(db, system_clock())
        db.rollback()
        assert db.get_one(ItemFigure, place.item_version_id).flags[0] == "key_suspect"
        return db.scalars(select(Delivery.id)).one(), db.get_one(ItemVersion, place.item_version_id).item.code


def test_a_question_with_a_wrong_key_is_found_from_the_figures_and_reaches_its_reviewer(
    live: Live, visit: Callable[..., Page], flagged: tuple[int, str]
) -> None:
    delivery_id, code = flagged
    page = visit(size=DESKTOP)
    sign_in(page, "coordinator")
    page.goto(f"/reports/pass-rates?delivery={delivery_id}")
    page.click("main a:has-text('逐题情况')")
    page.wait_for_url(f"**/deliveries/{delivery_id}/items")
    check_accessible(page)
    no_sideways(page)
    page.click(f".banner a:has-text('{code}')")
    row = page.locator(f"tr[data-item='{code}']")
    assert "答案可疑" in row.inner_text()
    assert float(row.locator("[data-figure=discrimination]").inner_text().replace("−", "-")) < 0
    row.locator("a").first.click()
    page.wait_for_url(f"**/items/{code}#answers")
    assert "先核对答案和依据" in page.locator("#answers").inner_text()
    check_accessible(page)

    page = visit(size=PHONE)
    sign_in(page, "reviewer")
    page.goto("/banks")
    check_accessible(page)
    no_sideways(page)
    needs = page.locator("[data-needs]")
    assert code in needs.inner_text()
    needs.locator("a").first.click()
    page.wait_for_url("**/items/work-list")
    check_accessible(page)
    no_sideways(page)
    assert page.locator("tbody tr[data-item]").first.get_attribute("data-item") == code, "the most harmful first"
    page.click("summary:has-text('菜单')")
    counted = page.locator(".nav-menu .nav-count")
    assert int(counted.inner_text().split()[0]) == page.locator("tbody tr[data-item]").count()
    page.keyboard.press("Escape")
    page.goto("/items/work-list?flag=key_suspect")
    page.click(f"tr[data-item='{code}'] a")
    page.wait_for_url(f"**/items/{code}?work=1&flag=key_suspect")
    assert "答案可疑" in page.locator("#answers").inner_text()
    check_accessible(page)
    no_sideways(page)
    reviewer_works_through_the_list(page, code)


def reviewer_works_through_the_list(page: Page, code: str) -> None:
    """One is fine: the next one comes; what is not wanted is skipped; a look is found again among those looked at, and taken back."""
    page.goto("/items/work-list")
    waiting = [row.get_attribute("data-item") for row in page.locator("tbody tr[data-item]").all()]
    assert waiting[0] == code
    page.click("main a:has-text('一道一道看')")
    page.wait_for_url(f"**/items/{code}?work=1")
    page.fill("[data-look] textarea", "和依据对过，答案没错。")
    page.click("[data-look] button:has-text('看过，题没问题')")
    page.wait_for_url("**/items/work-list" if len(waiting) == 1 else f"**/items/{waiting[1]}?work=1")
    assert f"{code} 已记为" in page.locator("main [role=status]").inner_text()
    check_accessible(page)
    no_sideways(page)
    page.goto("/items/work-list")
    check_accessible(page)
    no_sideways(page)
    assert page.locator("tbody tr[data-item]").count() == len(waiting) - 1
    page.click("main .tabs a:has-text('看过')")
    page.wait_for_url("**/items/work-list?looked=1")
    assert "答案没错" in page.locator(f"tr[data-item='{code}']").inner_text()
    check_accessible(page)
    no_sideways(page)
    page.click(f"tr[data-item='{code}'] a")
    page.wait_for_url(f"**/items/{code}#answers")
    banner = page.locator("#answers .banner")
    assert "高远" in banner.inner_text()
    banner.locator("button").click()
    page.wait_for_selector("[data-look=taken_back]")
    check_accessible(page)
    page.goto("/items/work-list")
    page.click(f"tr[data-item='{code}'] button")
    page.wait_for_function(
        "count => document.querySelectorAll('tbody tr[data-item]').length === count", arg=len(waiting) - 1
    )
