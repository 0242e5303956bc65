"""Every main page of the demo district: nothing runs over, nothing is too small to read, axe finds nothing.

The tests look at each page once, on a phone or a desktop. `make check-pages` goes through the whole matrix: normal and elder, Chinese
and English, light and dark, four widths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from quizapp.core.db import Database
from quizapp.demo.services import make_demo
from quizapp.operations.installation import open_installation
from quizapp.operations.services import prepare
from tests.browser.conftest import Live, check_accessible, serve_app
from tests.conftest import make_settings

pytestmark = pytest.mark.browser

#: (role that opens it, address)
PAGES = [
    (None, "/"),
    (None, "/demo"),
    (None, "/practice"),
    (None, "/practice/safety"),
    (None, "/daily"),
    (None, "/quizzes"),
    (None, "/code"),
    (None, "/receipt"),
    (None, "/c"),
    (None, "/sign-in"),
    (None, "/sign-up"),
    (None, "/help"),
    (None, "/privacy"),
    (None, "/preferences"),
    (None, "/q/DEMXTEST"),
    (None, "/no-such-page"),
    ("resident", "/"),
    ("resident", "/me"),
    ("resident", "/wrong-book"),
    ("trainer", "/sessions"),
    ("trainer", "/sessions/new"),
    ("trainer", "/sessions/1"),
    ("trainer", "/sessions/1/gain"),
    ("trainer", "/sessions/5"),
    ("trainer", "/sessions/5/roster"),
    ("trainer", "/sessions/5/list"),
    ("trainer", "/sessions/5/summary"),
    ("trainer", "/sessions/5/back-fill"),
    ("trainer", "/sessions/5/evidence"),
    ("trainer", "/sessions/5/scan"),
    ("trainer", "/sessions/6/registrations"),
    ("trainer", "/courses"),
    ("trainer", "/places"),
    ("resident", "/me/code"),
    ("coordinator", "/people"),
    ("coordinator", "/runs/1"),
    ("coordinator", "/runs/2/certificates"),
    ("trainer", "/sessions/past"),
    ("trainer", "/courses"),
    ("trainer", "/courses/new"),
    ("trainer", "/places/new"),
    ("coordinator", "/deliveries"),
    ("coordinator", "/deliveries/new"),
    ("coordinator", "/deliveries/1"),
    ("coordinator", "/reports/pass-rates"),
    ("coordinator", "/reports/years"),
    ("coordinator", "/reports/sessions"),
    ("coordinator", "/reports/sessions/records?figure=expected"),
    ("editor", "/banks"),
    ("editor", "/banks/literacy"),
    ("editor", "/banks/safety"),
    ("editor", "/banks/literacy/items"),
    ("editor", "/items/LIT-B01-1"),
    ("editor", "/banks/check-sheet"),
    ("reviewer", "/items/work-list"),
    ("reviewer", "/items/work-list?looked=1"),
    ("reviewer", "/items/LIT-B01-1?work=1"),
    ("administrator", "/admin/units"),
    ("administrator", "/admin/industries"),
    ("administrator", "/admin/accounts"),
    ("administrator", "/admin/audit"),
]
WIDTHS = {320: 568, 390: 844, 768: 1024, 1280: 800}
SMALLEST_TYPE = """(least) => [...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  return box.width && !e.closest(".visually-hidden, .skip, svg")
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
    && parseFloat(getComputedStyle(e).fontSize) < least;
}).map((e) => e.className + " " + e.textContent.trim().slice(0, 20))"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A demo district, made once and served."""
    folder = tmp_path_factory.mktemp("demo")
    path = Path(folder) / "instance" / "demo.sqlite3"
    path.parent.mkdir()
    database = Database(f"sqlite:///{path}")
    settings = make_settings(folder, database, demo=True)
    installation = open_installation(settings)
    prepare(installation, lambda _: None)
    make_demo(installation, lambda _: None)
    with serve_app(folder, database, demo=True) as live:
        yield live
    database.dispose()


@pytest.fixture(scope="module")
def signed_in(demo: Live, browser: Browser) -> Callable[[str | None], list[dict[str, object]]]:
    """The cookies of each role, got once."""
    kept: dict[str | None, list[dict[str, object]]] = {None: []}

    def cookies(role: str | None) -> list[dict[str, object]]:
        if role not in kept:
            context = browser.new_context(base_url=demo.url)
            page = context.new_page()
            page.goto("/demo")
            page.click(f"button[name=role][value={role}]")
            page.wait_for_url(lambda url: not url.endswith("/demo"))
            kept[role] = [dict(cookie) for cookie in context.cookies()]
            context.close()
        return kept[role]

    return cookies


def look(
    browser: Browser,
    demo: Live,
    cookies: list[dict[str, object]],
    address: str,
    *,
    width: int,
    lang: str = "zh",
    elder: bool = False,
    dark: bool = False,
) -> None:
    context = browser.new_context(
        base_url=demo.url,
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.add_cookies(cookies)  # type: ignore[arg-type] # cookies as Playwright gave them
    context.add_cookies([{"name": "lang", "value": lang, "url": demo.url}])
    if elder:
        context.add_cookies([{"name": "elder", "value": "1", "url": demo.url}])
    page: Page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} runs over at {width}"
    assert page.evaluate(SMALLEST_TYPE, 18 if elder else 14) == []
    check_accessible(page)
    assert faults == []
    context.close()
    assert demo.app.extensions["csp_reports"] == []


@pytest.mark.parametrize(("role", "address"), PAGES)
def test_each_page_holds_together(
    browser: Browser,
    demo: Live,
    signed_in: Callable[[str | None], list[dict[str, object]]],
    role: str | None,
    address: str,
) -> None:
    desk = role in ("coordinator", "administrator")
    look(browser, demo, signed_in(role), address, width=1280 if desk else 390)


@pytest.mark.pages
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("role", "address"), PAGES)
def test_each_page_in_every_variant(
    browser: Browser,
    demo: Live,
    signed_in: Callable[[str | None], list[dict[str, object]]],
    role: str | None,
    address: str,
    lang: str,
    elder: bool,
    dark: bool,
    width: int,
) -> None:
    look(browser, demo, signed_in(role), address, width=width, lang=lang, elder=elder, dark=dark)
