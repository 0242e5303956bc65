"""A coordinator copies a test for two streets, looks through the checks, prints cards, meets a colleague's change and the first start,
and ends it early; the resident at the other end loses nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
import zxingcpp
from playwright.sync_api import Page
from sqlalchemy import select

from quizapp.core.clock import system_clock, to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Role
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.services.assembly import assemble_papers
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_delivery, make_person, make_unit
from tests.pdf import page_pictures
from tests.quizzes.banks import make_blueprint

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def prepare(live: Live) -> int:
    """A district with two streets, two coordinators, and a test of last month to be copied; gives its key."""
    now = system_clock()
    with live.database.session() as db, transaction(db):
        district = make_unit(db, name="临江区", kind="district", code="LJ")
        for number, name in enumerate(("滨河街道", "东湖街道"), start=1):
            street = make_unit(db, district, name=name, kind="street", code=f"LJ-{number}")
            make_person(db, unit_id=street.id, source="roster")
        make_unit(db, district, name="山前街道", kind="street", code="LJ-3")
        for username, name in (("coordinator", "林晓"), ("colleague", "罗建华")):
            make_account(db, (Role.COORDINATOR, district), username=username, name=name)
        blueprint = make_blueprint(db)
        source = make_delivery(
            db,
            district,
            title="冬季测验",
            title_en="Winter quiz",
            items=9,
            fields={"name": "required", "unit": "required"},
            opens_at=to_ms(now) - 40 * 86_400_000,
            closes_at=to_ms(now) - 10 * 86_400_000,
        )
        source.blueprint_id, source.pass_score = blueprint.id, 35
        return source.id


def add_unit(page: Page, name: str) -> None:
    """Put one more unit into the audience."""
    page.fill("[name=audience_unit_query]", name)
    page.click(f"[data-unit-results] .choice:has-text('{name}')")
    page.click("[name=action][value=add_audience]")
    page.wait_for_selector(f".tick:has-text('{name}及以下')")


def start(phone: Page, code: str, unit: str) -> None:
    """Scan, choose a unit of the audience, and begin."""
    phone.goto(f"/q/{code}/start")
    phone.fill("[name=unit_id_query]", unit)
    phone.click(f"[data-unit-results] .choice:has-text('{unit}')")
    phone.check("[name=under_14][value=no]", force=True)
    phone.fill("[name=name]", "周敏")
    phone.check("[name=consent]")
    phone.click("button[form=start]")
    phone.wait_for_selector("form[data-ready]")


def test_from_the_copy_over_the_checks_to_the_early_end(live: Live, visit: Visit) -> None:
    source = prepare(live)
    page = visit(size=DESKTOP)
    sign_in(page, "coordinator")

    # copy, and limit it to two streets; a red check says what to do and stops, an amber one asks once
    page.goto(f"/deliveries/{source}")
    page.click("main .desk-head a[href*='copy=']")
    page.fill("[name=title]", "春季测验")
    page.click("summary:has-text('限定单位')")
    add_unit(page, "滨河街道")
    add_unit(page, "东湖街道")
    page.select_option("[name=unit]", "optional")
    page.wait_for_selector("[data-checks] .check-stop:has-text('分不出谁在对象里')")
    page.click("[name=action][value=publish]")
    page.wait_for_selector("[data-error-summary]:has-text('设为必填')")
    check_accessible(page)
    no_sideways(page)
    page.select_option("[name=unit]", "required")
    page.select_option("[name=phone]", "required")
    page.wait_for_selector("[data-checks] .check-look:has-text('手机号必填')")
    page.click("[name=action][value=publish]")
    page.wait_for_selector("text=看过了，还要发")
    page.select_option("[name=phone]", "off")
    page.click("[name=action][value=publish]")
    page.wait_for_selector("[data-state=preparing]")
    with live.database.session() as db:
        delivery = db.scalars(select(Delivery).where(Delivery.title == "春季测验")).one()
        assemble_papers(db, delivery.id, now=system_clock())
        place, code = f"/deliveries/{delivery.id}", delivery.poster_code

    # open: the place says where it stands and what to do; cards are printed and lead there
    page.wait_for_selector("[data-state=open] [data-papers]")
    check_accessible(page)
    no_sideways(page)
    assert "滨河街道及以下、东湖街道及以下" in page.inner_text("main")
    for link, pictures in (("cards.pdf", 10), ("poster.pdf?size=a5", 1)):
        with page.expect_download() as download:
            page.click(f"main a[href='{place}/{link}']")
        content = Path(download.value.path()).read_bytes()
        text = "".join(pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text().split())
        assert "春季测验" in text
        assert "Winterquiz" in text
        (picture,) = page_pictures(content)
        assert [one.text for one in zxingcpp.read_barcodes(picture)] == [f"{live.url}/q/{code}"] * pictures

    # a colleague changes the title while this form is open: both are kept, and said
    page.goto(f"{place}/edit")
    colleague = visit(size=DESKTOP)
    sign_in(colleague, "colleague")
    colleague.goto(f"{place}/edit")
    colleague.fill("[name=title]", "早春测验")
    colleague.click("[name=action][value=save]")
    colleague.wait_for_url(f"**{place}")
    page.fill("[name=keeper]", "应急局")
    page.click("[name=action][value=save]")
    page.wait_for_selector("[data-edited] >> text=早春测验")
    assert "罗建华" in page.inner_text("main")
    assert (page.input_value("[name=title]"), page.input_value("[name=keeper]")) == ("早春测验", "应急局")
    check_accessible(page)
    page.click("[name=action][value=save]")
    page.wait_for_url(f"**{place}")

    # somebody starts: the form that is open is told what it can no longer change, and offers a copy
    page.goto(f"{place}/edit")
    phone = visit(size=PHONE)
    outsider = visit(size=PHONE)
    start(phone, code, "东湖街道")
    phone.click("[data-holder] .choice >> nth=0")
    phone.wait_for_selector("[data-saved-line][data-state=saved], [data-state=saved]", state="attached")
    page.fill("[name=tries]", "5")
    page.click("[name=action][value=save]")
    page.wait_for_selector("text=刚才有人开始答，没有保存：次数")
    assert page.locator("[data-refused]").count() == 1
    assert page.locator("[data-fixed]").count() == 1
    assert page.locator("[name=title]:not([type=hidden])").count() == 0
    check_accessible(page)
    no_sideways(page)

    # who is not meant finds no unit of theirs, reads whom it is for, and can practise
    outsider.goto(f"/q/{code}/start")
    outsider.fill("[name=unit_id_query]", "山前街道")
    outsider.wait_for_selector("[data-unit-status]:has-text('没找到')")
    outsider.check("[name=unit_id][value=none]")
    outsider.check("[name=under_14][value=no]", force=True)
    outsider.fill("[name=name]", "王强")
    outsider.check("[name=consent]")
    outsider.click("button[form=start]")
    outsider.wait_for_selector("[data-closed=outside]")
    assert "滨河街道、东湖街道" in outsider.inner_text("main")
    assert outsider.locator("a[href='/practice']").count() >= 1
    check_accessible(outsider)

    # end it now: who was answering is handed in with what was saved, who comes later reads that it has ended
    page.goto(place)
    page.click(f"main a[href='{place}/close']")
    assert "正在答" in page.inner_text("main")
    check_accessible(page)
    page.click("main form .button-danger")
    page.wait_for_selector("[data-state=ended]")
    assert "正在答的 1 份按存下的答案交卷" in page.inner_text("main")
    outsider.goto(f"/q/{code}")
    outsider.wait_for_selector("[data-closed=ended]")
    with live.database.session() as db:
        attempt = db.scalars(select(Attempt)).one()
        ended = db.get_one(Delivery, delivery.id)
        assert attempt.deadline_at == ended.closes_at <= to_ms(system_clock())
        assert attempt.accepts_until == ended.closes_at + 30_000
