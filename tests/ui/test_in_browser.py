"""The parts in a real browser: nothing runs over, nothing is cut, nothing is too small, and the policy stops nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.browser.conftest import CHROMIUM, QUIET
from tests.ui.gallery import make_gallery

pytestmark = [
    pytest.mark.browser,
    # a page that is left while its picture is on the way: the test's server drops the file then
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: Offenders of the page: wider than the window, cut text, small targets, small type. `arguments` = [least target, least type].
OFFENDERS = """([target, type]) => {
  const found = new Set(), width = document.documentElement.clientWidth;
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect(), words = e.textContent.trim().slice(0, 20);
    if (!r.width || e.closest(".visually-hidden, .skip, .legend")) continue;
    if (r.right > width + 1 && !e.closest(".table-scroll, svg")) found.add(`wide ${e.tagName}.${e.className} ${words}`);
    if (e.matches("a, button, summary") && !e.closest("p, .banner, .breadcrumb, .table") && !e.matches(".list-row-link")
        && (r.height < target - .5 || r.width < target - .5)) found.add(`small ${e.className} ${r.width}x${r.height} ${words}`);
    if (e.matches(".button, .chip, .number-cell, .figure-card, .nav-link, .choice-face")
        && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) found.add(`cut ${e.className} ${words}`);
    if ([...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
        && parseFloat(getComputedStyle(e).fontSize) < type) found.add(`type ${e.className} ${words}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.add(`scrolls ${document.documentElement.scrollWidth}`);
  return [...found];
}"""

#: The element in focus, if the bottom bar lies over it.
UNDER_THE_BAR = """() => {
  const e = document.activeElement, bar = document.querySelector(".bottom-bar");
  if (e.closest(".bottom-bar, .topbar") || getComputedStyle(bar).position !== "sticky") return "";
  const r = e.getBoundingClientRect();
  return r.height && r.top >= bar.getBoundingClientRect().top ? e.outerHTML : "";
}"""
DURATIONS = """() => [
  getComputedStyle(document.querySelector(".feedback")).animationDuration,
  getComputedStyle(document.querySelector(".button")).transitionDuration,
]"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_gallery(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def open_page(
    browser: Browser, address: str, path: str, *, width: int = 390, height: int = 844, **cookies: str
) -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    if cookies:
        context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    page = context.new_page()
    page.goto(address + path)
    return page


@pytest.mark.parametrize(
    "name", ["parts", "question", "forms?errors=1", "home", "result", "practice", "checkin", "desk", "create"]
)
def test_every_part_fits_in_every_variant(browser: Browser, address: str, name: str) -> None:
    desk = name in ("desk", "create")
    for width, elder, doubled in (
        (320, False, False),
        (320, True, False),
        (390, False, True),
        (390, True, True),
        (768, False, False),
        (1280, True, False),
    ):
        page = open_page(browser, address, f"/ui/gallery/{name}", width=width, height=568, elder="1" if elder else "0")
        if doubled:
            page.evaluate("document.documentElement.style.fontSize = '32px'")
        target = 60 if elder else (24 if desk else 48)
        least = 20 if elder else (14 if desk else 15)
        assert page.evaluate(OFFENDERS, [target, least]) == [], (width, elder, doubled)
        page.context.close()
    assert browser.new_page().goto(f"{address}/csp").json() == []  # type: ignore[union-attr] # a reply always comes


def test_choosing_moves_nothing(browser: Browser, address: str) -> None:
    page = open_page(browser, address, "/ui/gallery/question")
    boxes = "[...document.querySelectorAll('.choice')].map((e) => e.getBoundingClientRect().top)"
    texts = "[...document.querySelectorAll('.choice-text')].map((e) => e.getBoundingClientRect().left)"
    before = page.evaluate(boxes), page.evaluate(texts)
    page.locator(".choice").nth(3).click()
    assert page.locator(".choice-input").nth(3).is_checked()
    assert (page.evaluate(boxes), page.evaluate(texts)) == before
    page.context.close()


def test_the_sheet_opens_in_place_and_gives_the_focus_back(browser: Browser, address: str) -> None:
    page = open_page(browser, address, "/ui/gallery/question")
    page.wait_for_load_state("networkidle")
    page.click("[data-sheet]")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    page.wait_for_function("document.activeElement.dataset.sheet === 'numbers'")
    page.context.close()


def test_an_error_takes_the_focus_and_every_focus_is_seen(browser: Browser, address: str) -> None:
    page = open_page(browser, address, "/ui/gallery/forms?errors=1", height=600)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("'errorSummary' in document.activeElement.dataset")
    for _ in range(25):
        page.keyboard.press("Tab")
        hidden = page.evaluate(UNDER_THE_BAR)
        assert hidden == ""
    page.context.close()


def test_a_unit_is_found_chosen_and_changed(browser: Browser, address: str) -> None:
    page = open_page(browser, address, "/ui/gallery/forms")
    page.wait_for_load_state("networkidle")
    page.fill("#unit_id-query", "紫兴路")
    page.wait_for_selector("[data-unit-results] mark")
    assert page.locator("[data-unit-results] .choice").count() == 1
    page.locator("[data-unit-results] .choice").click()
    page.wait_for_selector("[data-unit-chosen]")
    assert page.locator("[data-unit-chosen] input").input_value() == "3"
    page.click("[data-unit-chosen] button")
    assert page.evaluate("document.activeElement.id") == "unit_id-query"
    page.context.close()


def test_motion_stops_where_it_is_not_wanted(browser: Browser, address: str) -> None:
    for elder in ("0", "1"):
        context = browser.new_context(reduced_motion="no-preference" if elder == "1" else "reduce")
        context.add_cookies([{"name": "elder", "value": elder, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/ui/gallery/practice")
        durations = page.evaluate(DURATIONS)
        assert all(set(value.split(", ")) == {"0s"} for value in durations), (elder, durations)
        context.close()
