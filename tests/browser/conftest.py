"""A running product and a real browser for journeys.

Each journey ends with a look at what the content security policy stopped: nothing. Chromium is the system's; where there is none, the
journeys are skipped with the line that says how to get it (with CI set, a skip is a failure).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from quizapp.app import create_app
from quizapp.core.clock import system_clock
from quizapp.core.db import Database
from quizapp.ui.build import build
from tests.conftest import make_settings

#: The one without a window of its own first: it takes half the processor time.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The front end; nothing to do where it stands as its sources say."""
    build()


#: What makes Chromium a quiet one.
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()


@dataclass
class Live:
    """A served application."""

    app: Flask
    database: Database
    server: BaseWSGIServer
    url: str

    def stop(self) -> None:
        """The server goes away, as in a crash: connections are refused from now on."""
        self.server.shutdown()
        self.server.server_close()

    def again(self) -> None:
        """The server comes back at the same address."""
        self.server = make_server("127.0.0.1", int(self.url.rsplit(":", 1)[1]), self.app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def serve_app(folder: Path, database: Database, **changes: Any) -> Iterator[Live]:
    """An application on a free loopback port, with the real clock."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    settings = make_settings(folder, database, port=server.server_port, public_url=url, **changes)
    app = create_app(settings, clock=system_clock, database=database, TESTING=True)
    server.app = app
    threading.Thread(target=server.serve_forever, daemon=True).start()
    live = Live(app, database, server, url)
    yield live
    live.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """`serve(database, demo=False)` serves an application until the test ends."""
    with ExitStack() as running:

        def start(database: Database, **changes: Any) -> Live:
            return running.enter_context(serve_app(tmp_path, database, **changes))

        yield start


@pytest.fixture
def live(serve: Callable[..., Live], database: Database) -> Live:
    return serve(database)


@pytest.fixture
def visit(browser: Browser, live: Live) -> Iterator[Callable[..., Page]]:
    """`visit(size=PHONE, lang="zh-CN", elder=False, scripts=True)` opens a new browser of somebody and gives its page."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        *, size: dict[str, int] = PHONE, lang: str = "zh-CN", elder: bool = False, scripts: bool = True, **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport=size,
            locale=lang,
            java_script_enabled=scripts,
            base_url=live.url,
            **options,  # type: ignore[arg-type] # a size
        )
        context.add_cookies([{"name": "lang", "value": "en" if lang.startswith("en") else "zh", "url": live.url}])
        if elder:
            context.add_cookies([{"name": "elder", "value": "1", "url": live.url}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
    assert live.app.extensions["csp_reports"] == []


def check_accessible(page: Page) -> None:
    """No violation that axe-core finds; in a window as tall as the page, so that no bar lies over what is judged."""
    page.wait_for_load_state()
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0)))")
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height + 200)})
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})")
    page.set_viewport_size(size)
    problems = [
        f"{violation['id']}: {node['target']} {node['failureSummary'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
    assert problems == []
