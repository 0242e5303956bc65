"""A key is corrected by two persons, an attempt made void, the end moved; the figures follow, and the taker reads why."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text

from quizapp import tasks
from quizapp.core.clock import system_clock, to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.jobs.worker import run_pending
from quizapp.quizzes.models import Attempt, Delivery, LateResponse, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services.submitting import close_if_over, submit_attempt
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_delivery, make_person, make_unit
from tests.quizzes.support import begin

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
assert tasks

#: Right on a paper of five questions of `make_delivery`, but for the first.
ALL_BUT_THE_FIRST = {2: "t", 3: "a,c"}


def prepare(live: Live) -> tuple[int, str]:
    """A district with two coordinators and a running test that twelve people have taken; its key, and one attempt's name."""
    now = system_clock()
    with live.database.session() as db:
        district = make_unit(db, name="临江区", kind="district", code="LJ")
        street = make_unit(db, district, name="滨河街道", kind="street", code="LJ-1")
        for username, name in (("coordinator", "林晓"), ("colleague", "罗建华")):
            make_account(db, (Role.COORDINATOR, district), username=username, name=name)
        delivery = make_delivery(db, district, title="安全测验", items=5, now=now)
        db.commit()
        names = []
        for number in range(12):
            person = {"name": f"李建{number}", "phone": f"139000000{number:02}", "unit_id": street.id}
            attempt = begin(db, delivery, live.app.extensions["quizapp"].keys, now=now, **person).attempt
            with transaction(db):
                given = {1: "d" if number < 4 else "b", **ALL_BUT_THE_FIRST}
                for position, answer in given.items():
                    row = Response(
                        attempt_id=attempt.id, position=position, answer=answer, sequence=position, saved_at=1
                    )
                    db.add(row)
                submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=to_ms(now) + 60_000)
            names.append(attempt.public_id)
        return delivery.id, names[0]


def rates(page: Page, delivery_id: int) -> str:
    """What the pass-rate page says of the whole district."""
    page.goto(f"/reports/pass-rates?delivery={delivery_id}")
    return page.inner_text("tr.total [data-figure=pass_rate]").strip()


def test_two_persons_correct_a_key_and_void_an_attempt_and_the_figures_follow(live: Live, visit: Visit) -> None:
    delivery_id, public_id = prepare(live)
    one, other = visit(size=DESKTOP), visit(size=DESKTOP)
    sign_in(one, "coordinator")
    sign_in(other, "colleague")
    assert rates(one, delivery_id) == "66.7%"

    one.goto(f"/deliveries/{delivery_id}")
    one.click("text=更正答案")
    check_accessible(one)
    one.click("tr[data-item$='-001'] a")
    one.check("input[name=accepted][value=d]")
    one.click("button:has-text('提出更正')")
    assert "请写明理由" in one.inner_text("main")
    assert one.is_checked("input[name=accepted][value=d]")
    one.fill("[name=reason]", "教材第二版改了")
    one.click("button:has-text('提出更正')")
    one.wait_for_selector("[data-correction][data-state=proposed]")
    assert one.locator("button:has-text('复核通过')").count() == 0

    other.goto(f"/deliveries/{delivery_id}/corrections")
    other.click("button:has-text('复核通过')")
    other.wait_for_selector("[data-state=confirmed]")
    run_pending(live.app.extensions["quizapp"])
    assert rates(other, delivery_id) == "100.0%"
    other.goto(f"/deliveries/{delivery_id}/changes")
    assert other.locator("tr[data-attempt]").count() == 4
    check_accessible(other)

    one.goto(f"/attempts/{public_id}")
    one.fill("[name=reason]", "别人代答")
    one.click("button:has-text('提出作废')")
    other.goto(f"/attempts/{public_id}")
    check_accessible(other)
    other.click("button:has-text('复核作废')")
    other.wait_for_selector("[data-attempt-state=void]")

    phone = visit(size=PHONE)
    phone.goto(f"/deliveries/{delivery_id}/live")
    assert "安全测验" not in phone.inner_text("main")  # nothing of it for anybody else

    # figures → records → workbook, compared with SQL of its own
    one.goto(f"/reports/pass-rates?delivery={delivery_id}")
    one.click("tr.total [data-figure=void] a")
    one.wait_for_selector(f"[data-attempt='{public_id}']")
    check_accessible(one)
    one.go_back()
    with one.expect_download() as download:
        one.click("a[href*='/pass_rates/xlsx']")
    book = CalamineWorkbook.from_filelike(io.BytesIO(download.value.path().read_bytes()))
    head, total, *_ = book.get_sheet_by_name("参与与合格率").to_python()
    row = dict(zip(head, total, strict=True))
    with live.database.session() as db:
        first, passed, void = db.execute(
            text(
                "SELECT sum(is_first AND state = 'submitted'), sum(is_first AND state = 'submitted' AND passed),"
                " sum(state = 'void') FROM attempt"
            )
        ).one()
    assert (first, passed, void) == (11, 11, 1)
    assert (row["首次作答（人）"], row["合格（人）"], row["作废（人次）"]) == (first, passed, void)
    no_sideways(one)


def test_a_later_end_takes_in_what_came_late_and_the_live_page_follows(live: Live, visit: Visit) -> None:
    delivery_id, _ = prepare(live)
    now = to_ms(system_clock())
    with live.database.session() as db:
        delivery = db.get_one(Delivery, delivery_id)
        delivery.closes_at = now - 60_000
        attempt = db.scalars(select(Attempt).order_by(Attempt.id)).first()
        assert attempt is not None
        late = Attempt(
            **{c.key: getattr(attempt, c.key) for c in Attempt.__table__.columns if c.key not in ("id", "receipt_hash")}
        )
        late.public_id, late.state, late.person_id, late.is_first = "late-attempt", "open", make_person(db).id, True
        late.score = late.passed = late.closed_at = late.scoring_revision = None
        late.deadline_at, late.accepts_until = now - 60_000, now - 30_000
        db.add(late)
        db.flush()
        position = db.scalars(select(PaperItem.position).order_by(PaperItem.position)).first() or 1
        db.add(Response(attempt_id=late.id, position=2, answer="t", sequence=1, saved_at=now - 90_000))
        db.add(LateResponse(attempt_id=late.id, position=position, answer="b", sequence=2, received_at=now - 10_000))
        db.commit()
        with transaction(db):
            close_if_over(db, late.id, papers=PaperCache(), now_ms=now)
    page = visit(size=DESKTOP)
    sign_in(page, "coordinator")
    page.goto("/attempts/late-attempt")
    assert "1 题的答案过了时间才到" in page.inner_text("main")
    page.goto(f"/deliveries/{delivery_id}")
    page.click("text=延长截止")
    page.fill("[name=closes_at]", "2099-01-01T10:00")
    check_accessible(page)
    page.click("button:has-text('延长截止')")
    page.wait_for_url(f"**/deliveries/{delivery_id}")
    run_pending(live.app.extensions["quizapp"])
    page.goto("/attempts/late-attempt")
    assert "40 分" in page.inner_text("main")
    assert "截止延长" in page.inner_text("main")

    page.goto(f"/deliveries/{delivery_id}/live")
    check_accessible(page)
    assert page.inner_text("[data-live] .figures li:first-child b") == "13"
    with live.database.session() as db:
        delivery = db.get_one(Delivery, delivery_id)
        begin(db, delivery, live.app.extensions["quizapp"].keys, name="新人", phone="13911110000", now=system_clock())
    page.locator("[data-live] .figures b", has_text="14").first.wait_for(timeout=30_000)
