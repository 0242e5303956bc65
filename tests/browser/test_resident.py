"""A resident on a bus: scans, answers, loses the network, closes the browser, comes back, submits, learns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route
from sqlalchemy import delete, select

from quizapp.core.db import Database, transaction
from quizapp.core.hot import HotConnections
from quizapp.quizzes.models import Attempt, Response
from quizapp.quizzes.views import quizzes_runtime
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.factories import make_delivery

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def deliver(database: Database, **values: object) -> str:
    with database.session() as db, transaction(db):
        return make_delivery(db, items=6, now=datetime.now(UTC), **values).poster_code


def start(page: Page, code: str) -> None:
    page.goto(f"/q/{code}")
    page.click("a[href$='/start']")
    page.check("input[name=consent]")
    page.click("button[form=start]")
    page.wait_for_selector("form[data-ready]")


def choose(page: Page, index: int) -> None:
    page.click(f"[data-holder] .choice >> nth={index}")


def forward(page: Page, position: int) -> None:
    page.click("[data-go='1']")
    page.wait_for_selector(f"form[data-ready][data-position='{position}']")


def ready_for_no_network(page: Page) -> None:
    """Wait until the phone has the page and all questions: from here on it needs no network."""
    page.evaluate("""async () => {
        for (let tries = 0; tries < 200; tries += 1) {
            const both = await Promise.all(["/question", "/questions"].map((name) => caches.match(name)));
            if (both.every(Boolean)) return;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error("the phone does not have the questions");
    }""")


def saved(page: Page) -> None:
    page.wait_for_selector("form[data-ready][data-state=saved][data-waiting='0']", state="attached")


def stored(database: Database) -> dict[int, str]:
    with database.session() as db:
        return {row.position: row.answer for row in db.scalars(select(Response)) if row.answer}


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_the_network_is_cut_in_the_middle_and_the_browser_closed(
    live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str, elder: bool
) -> None:
    code = deliver(database)
    page = visit(size=size, lang=lang, elder=elder)
    page.goto(f"/q/{code}")
    check_accessible(page)
    start(page, code)
    check_accessible(page)
    choose(page, 1)
    saved(page)
    ready_for_no_network(page)
    forward(page, 2)
    page.context.set_offline(True)
    live.stop()  # what the browser sends in spite of it, as from a page that is being closed, reaches nobody either
    choose(page, 0)
    page.wait_for_selector("form[data-state=waiting][data-waiting='1']")
    forward(page, 3)
    choose(page, 0)
    page.wait_for_selector("form[data-waiting='2']")
    page.reload()
    page.wait_for_selector("form[data-ready][data-waiting='2']")
    assert page.get_attribute("form[data-attempt]", "data-position") == "3"
    context = page.context
    page.close()  # the browser is closed with two answers waiting
    assert set(stored(database)) == {1}
    live.again()
    page = context.new_page()
    context.set_offline(False)
    page.goto(f"/q/{code}")
    page.click("a[href$='/1']")
    saved(page)
    assert set(stored(database)) == {1, 2, 3}
    page.click("[data-sheet]")
    check_accessible(page)
    page.click("[data-to-summary]")
    page.wait_for_selector("[data-submit-button]")
    check_accessible(page)
    page.click("[data-submit-button]")
    page.wait_for_url("**/result")
    check_accessible(page)
    page.click(".number-cell[data-state=wrong] >> nth=0")
    check_accessible(page)
    with database.session() as db:
        attempt = db.scalars(select(Attempt)).one()
        assert (attempt.state, attempt.answered_count) == ("submitted", 3)


def test_a_further_question_comes_without_a_page_load_and_the_back_button_goes_back(
    live: Live, visit: Visit, database: Database
) -> None:
    page = visit()
    start(page, deliver(database))
    requests: list[str] = []
    choose(page, 1)
    saved(page)
    ready_for_no_network(page)
    page.on("request", lambda request: requests.append(request.url))
    forward(page, 2)
    forward(page, 3)
    assert [url for url in requests if not url.endswith((".svg", "/answers"))] == []
    page.go_back()
    page.wait_for_selector("form[data-position='2']")
    assert page.url.endswith("/2")


def test_handing_in_without_a_network_stays_on_the_page_and_says_so(
    live: Live, visit: Visit, database: Database
) -> None:
    """From the grid as from the last question: no error page of the browser, and no word of answers sent."""
    page = visit()
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    page.context.set_offline(True)
    page.click("[data-sheet]")
    page.click("[data-to-summary]")
    page.wait_for_selector("[data-notice=stay]")
    assert "没有网络" in page.inner_text("[data-notices]")
    assert "补传" not in page.inner_text("[data-notices]")
    assert page.url.endswith("/1")
    page.context.set_offline(False)
    page.click("[data-sheet]")
    page.click("[data-to-summary]")
    page.wait_for_selector("[data-submit-button]")


def test_back_from_the_result_never_shows_the_open_paper(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    page.click("[data-sheet]")
    page.click("[data-to-summary]")
    page.wait_for_selector("[data-submit-button]")
    page.dblclick("[data-submit-button]")
    page.wait_for_url("**/result")
    for _ in range(2):
        page.go_back()
        page.wait_for_url("**/result")
    with database.session() as db:
        assert db.scalars(select(Attempt.state)).all() == ["submitted"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_language_and_elder_edition_change_in_the_middle_of_a_paper(
    live: Live, visit: Visit, database: Database, scripts: bool
) -> None:
    page = visit(scripts=scripts)
    page.goto(f"/q/{deliver(database)}/start")
    page.check("input[name=consent]")
    page.click("button[form=start]")
    if scripts:
        page.wait_for_selector("form[data-ready]")
        page.wait_for_timeout(1500)  # the questions have come
    choose(page, 1)
    page.click("[data-go='1']")
    page.wait_for_url("**/2")
    page.click(".footer button[name=lang]")
    page.wait_for_selector("html[lang=en]")
    assert page.url.endswith("/2")
    page.click(".footer button[name=elder]")
    page.wait_for_selector("html[lang=en][data-elder]")
    assert page.url.endswith("/2")
    if scripts:
        check_accessible(page)
    assert len(stored(database)) == 1


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
def test_no_word_of_the_figures_breaks_in_the_elder_edition(
    live: Live, visit: Visit, database: Database, lang: str
) -> None:
    page = visit(lang=lang, elder=True)
    start(page, deliver(database))
    page.click("[data-sheet]")
    page.click("[data-to-summary]")
    page.wait_for_selector("[data-submit-button]")
    wrapped = """() => [...document.querySelectorAll(".figures > li")].filter((one) => {
        one.style.overflowWrap = "normal";
        return one.scrollWidth > one.clientWidth;
    }).map((one) => one.textContent)"""
    assert page.evaluate(wrapped) == []


def test_the_server_goes_away_and_nothing_is_lost(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    ready_for_no_network(page)
    live.stop()
    forward(page, 2)
    choose(page, 1)
    page.wait_for_selector("form[data-waiting='1']")
    page.wait_for_selector("[data-save=offline]")  # it was tried
    assert len(stored(database)) == 1
    live.again()
    saved(page)
    assert len(stored(database)) == 2


def test_a_service_worker_that_comes_late_still_lets_the_phone_go_on_without_network(
    live: Live, visit: Visit, database: Database
) -> None:
    def slow_to_the_worker(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/sw.js":
            time.sleep(2)  # the page waits for it a second at most
        return live.app(environ, start_response)

    live.server.app = slow_to_the_worker
    page = visit()
    start(page, deliver(database))
    ready_for_no_network(page)
    live.stop()
    page.reload()
    page.wait_for_selector("form[data-ready]")
    forward(page, 2)
    choose(page, 1)
    page.wait_for_selector("form[data-waiting='1']")
    live.again()
    saved(page)
    assert set(stored(database)) == {2}


def test_what_the_phone_is_still_writing_down_is_not_called_saved(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    page.evaluate("""() => {
        const { put } = answerOutbox;
        const held = new Promise((release) => { window.release = release; });
        answerOutbox.put = (...all) => held.then(() => put(...all));
    }""")
    choose(page, 1)
    page.click("[data-mark]")  # draws the state of all questions anew
    page.wait_for_selector(".number-cell[data-number='1'][data-marked]", state="attached")
    assert page.get_attribute("form[data-attempt]", "data-state") == "waiting"
    page.evaluate("release()")
    saved(page)
    assert len(stored(database)) == 1


def test_a_server_that_was_set_back_gets_the_missing_answers_again(
    live: Live, visit: Visit, database: Database
) -> None:
    page = visit()
    start(page, deliver(database))
    for position in (1, 2, 3):
        choose(page, 0)
        saved(page)
        forward(page, position + 1)
    before = stored(database)
    with database.session() as db, transaction(db):
        db.execute(delete(Response).where(Response.position > 1))
    page.reload()
    page.wait_for_selector("form[data-ready]")
    saved(page)
    assert stored(database) == before


def test_the_phones_storage_was_purged_and_nothing_is_lost(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    page.evaluate("indexedDB.deleteDatabase('quizapp-answers')")
    page.evaluate("caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))")
    page.reload()
    page.wait_for_selector("form[data-ready]")
    assert page.locator("[data-holder] input:checked").count() == 1
    choose(page, 2)
    saved(page)
    assert len(stored(database)) == 1


def test_two_tabs_of_one_attempt_draw_from_one_counter(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    choose(page, 0)
    saved(page)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("form[data-ready]")
    choose(other, 1)
    saved(other)
    choose(page, 2)
    saved(page)
    chosen = page.locator("[data-holder] input:checked").get_attribute("value")
    with database.session() as db:
        row = db.scalars(select(Response)).one()
        assert (row.answer, row.sequence) == (chosen, 3)


def test_time_runs_out_and_the_page_hands_in_by_itself(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    with database.session() as db, transaction(db):
        attempt = db.scalars(select(Attempt)).one()
        attempt.deadline_at = int(time.time() * 1000) + 4000
        attempt.accepts_until = attempt.deadline_at + 30_000
    page.reload()
    page.wait_for_url("**/result", timeout=20_000)
    with database.session() as db:
        assert db.scalars(select(Attempt.state)).one() in ("submitted", "expired")


def test_the_whole_way_without_scripts(live: Live, visit: Visit, database: Database) -> None:
    page = visit(scripts=False)
    code = deliver(database)
    page.goto(f"/q/{code}")
    page.click("a[href$='/start']")
    page.check("input[name=consent]")
    page.click("button[form=start]")
    for position in range(1, 7):
        page.click(".choice >> nth=0")
        page.click("[data-go='1']")
        page.wait_for_url(f"**/{position + 1}" if position < 6 else "**/submit")
    page.click("[data-submit-button]")
    page.wait_for_url("**/result")
    with database.session() as db:
        assert db.scalars(select(Attempt.answered_count)).one() == 6


def test_the_taking_page_is_light(live: Live, visit: Visit, database: Database) -> None:
    """At most 30 KB in all and 6 requests on the first visit."""
    page = visit()
    code = deliver(database)
    page.goto(f"/q/{code}/start")
    page.check("input[name=consent]")
    page.context.clear_cookies(name="none")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    sizes: dict[str, float] = {}
    names: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda event: names.update({event["requestId"]: event["request"]["url"]}))
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.click("button[form=start]")
    page.wait_for_selector("form[data-ready]")
    ready_for_no_network(page)
    page.wait_for_timeout(500)  # the sizes of what came last are told after it
    fetched = {
        names[key].replace(live.url, ""): size for key, size in sizes.items() if "/start" not in names.get(key, "")
    }
    first_load = {url: size for url, size in fetched.items() if not url.endswith("/sw.js")}
    assert sum(first_load.values()) <= 30 * 1024, first_load
    assert len(first_load) <= 6, first_load


def test_a_database_that_is_down_leaves_the_answer_on_the_phone(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    runtime = quizzes_runtime(live.app)
    working = runtime.hot
    runtime.hot = HotConnections(Database("sqlite:////no/such/folder/quizapp.sqlite3"))
    choose(page, 1)
    page.wait_for_selector("[data-save=waiting]")
    assert "已存在本机" in page.inner_text("[data-save]")
    assert stored(database) == {}
    runtime.hot = working
    saved(page)
    assert len(stored(database)) == 1


def test_what_is_chosen_before_the_script_has_come_is_kept(live: Live, visit: Visit, database: Database) -> None:
    """On a slow line the question is there seconds before its script."""
    page = visit()
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    held: list[Route] = []
    page.route("**/static/attempt*.js", lambda route: held.append(route))
    page.context.clear_cookies(name="none")
    page.evaluate(
        "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister())))"
    )
    page.reload(wait_until="commit")
    page.click("[data-holder] .choice >> nth=0")
    assert page.locator("form[data-ready]").count() == 0
    chosen = page.locator("[data-holder] input:checked").get_attribute("value")
    for route in held:
        route.continue_()
    saved(page)
    assert page.locator("[data-holder] input:checked").get_attribute("value") == chosen
    assert stored(database) == {1: chosen}


def test_a_mark_that_is_set_without_network_comes_later(live: Live, visit: Visit, database: Database) -> None:
    page = visit()
    start(page, deliver(database))
    page.wait_for_selector("form[data-ready]")
    page.context.set_offline(True)
    page.click("[data-holder] [data-mark]")
    page.wait_for_selector("[data-mark][aria-pressed=true]")
    page.context.set_offline(False)
    choose(page, 1)
    saved(page)
    for _ in range(50):
        with database.session() as db:
            if db.scalars(select(Attempt.marked)).one() == [1]:
                break
        page.wait_for_timeout(100)
    with database.session() as db:
        assert db.scalars(select(Attempt.marked)).one() == [1]


def test_on_a_wide_screen_the_numbers_stand_beside_the_question(live: Live, visit: Visit, database: Database) -> None:
    page = visit(size=DESKTOP)
    start(page, deliver(database))
    choose(page, 1)
    saved(page)
    card = page.locator("[data-grid-card]")
    assert card.locator("[data-number='1'][data-state=answered]").count() == 1
    assert page.locator(".button:not(.button-secondary, .button-quiet):visible").count() == 1
    check_accessible(page)
    card.locator("[data-number='4']").click()
    page.wait_for_selector("form[data-position='4']")
    page.click("[data-sheet]")
    assert page.evaluate("document.activeElement.dataset.number") == "4"
    page.set_viewport_size(PHONE)
    page.wait_for_selector("[data-grid-card]", state="hidden")
    page.click("[data-sheet]")
    page.wait_for_selector("dialog[open] [data-number='4'][aria-current]")
