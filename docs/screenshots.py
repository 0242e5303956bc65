"""The pictures of README and guides: `make screenshots`.

Makes a demo district in a folder of its own, serves it on a free loopback port, walks through it with the system's Chromium as a
resident, a trainer, a coordinator, a leader and an administrator, and writes docs/images/*.png: Chinese pages, at most 120 KB a picture.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
#: Bytes that a picture may have.
LARGEST = 120 * 1024
#: The demo's literacy test by its poster code, and the quiz that is taken by its title: it shows everything at once.
LITERACY, TAKEN = "DEMXTEST", "冬季消防安全测试"
#: Every so many questions the resident is wrong.
WRONG_EVERY = 6


def main() -> None:
    """Make all pictures; they are written over."""
    browser_file = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_file is None:
        raise SystemExit("no Chromium here: install it (Debian: apt-get install chromium fonts-noto-cjk)")
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=browser_file,
            args=["--no-sandbox", "--disable-gpu"],
        )
        demo = Demo(Path(folder), browser, url)
        journeys: tuple[Callable[[Demo], None], ...] = (
            resident,
            elder_resident,
            practising_resident,
            trainer,
            coordinator,
            editor,
            leader,
            administrator,
        )
        for journey in journeys:
            journey(demo)
        browser.close()


@contextmanager
def served(instance: Path) -> Iterator[str]:
    """The address of a demo district that is served while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"DEMO": "1", "INSTANCE": str(instance), "HOST": "127.0.0.1", "PORT": str(port), "WORKERS": "1"}
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PUBLIC_URL")}
    process = subprocess.Popen([sys.executable, "-m", "quizapp.cli", "serve"], env=kept | settings, cwd=ROOT)
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit("the demo was not served, see above")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def keep(name: str, picture: bytes) -> None:
    """Write one picture with 256 colours, or fewer where it would be too large."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64):
        small = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= LARGEST:
            (IMAGES / f"{name}.png").write_bytes(small.getvalue())
            print(f"docs/images/{name}.png  {small.tell() // 1024} KB")
            return
    raise SystemExit(f"{name}: larger than {LARGEST} bytes, take a smaller part of the page")


class Demo:
    """The served demo: its database to look things up, and browsers to visit it."""

    def __init__(self, instance: Path, browser: Browser, url: str) -> None:
        self.instance, self.browser, self.url = instance, browser, url

    def value(self, query: str, *values: object) -> str:
        """One value of the database."""
        with sqlite3.connect(f"file:{self.instance / 'demo.sqlite3'}?mode=ro", uri=True) as connection:
            return str(connection.execute(query, values).fetchone()[0])

    def started_earlier(self, attempt: str | None) -> None:
        """Seven minutes ago, as if the answers had been thought about."""
        with sqlite3.connect(self.instance / "demo.sqlite3") as connection:
            connection.execute(
                "UPDATE attempt SET started_at = started_at - 431000, deadline_at = deadline_at - 431000 WHERE public_id = ?",
                (attempt,),
            )

    def visit(self, size: dict[str, int], role: str | None = None, *, elder: bool = False) -> Page:
        """A page in a new browser of somebody, signed in as a role of the demo where one is named."""
        context = self.browser.new_context(
            viewport=size,  # type: ignore[arg-type] # a size
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            base_url=self.url,
            reduced_motion="reduce",
        )
        context.add_cookies([{"name": "elder", "value": "1" if elder else "0", "url": self.url}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        if role:
            page.goto("/demo")
            page.click(f"button[name=role][value={role}]")
            page.wait_for_load_state()
        return page


def take(name: str, page: Page, part: Locator | None = None) -> None:
    """Photograph what the window shows, or one part of the page."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.mouse.move(0, 0)
    keep(name, part.screenshot() if part else page.screenshot())


def resident(demo: Demo) -> None:
    """From the poster to the reason of a wrong answer, as a guest."""
    page = demo.visit(PHONE)
    page.goto(f"/q/{LITERACY}")
    take("poster-landing", page)
    code = demo.value("SELECT poster_code FROM delivery WHERE title = ?", TAKEN)
    page.goto(f"/q/{code}")
    page.click("a[href$='/start']")
    page.check("[name=under_14][value=no]")
    page.fill("[name=birth_year]", "1968")
    page.evaluate("scrollTo(0, 0)")
    take("details", page)
    page.check("input[name=consent]")
    page.click("button[form=start]")
    page.wait_for_selector("form[data-ready]")
    attempt = page.get_attribute("form[data-attempt]", "data-attempt")
    demo.started_earlier(attempt)
    page.reload()
    page.wait_for_selector("form[data-ready]")
    count = int(demo.value("SELECT item_count FROM delivery WHERE title = ?", TAKEN))
    taken = False
    for position in range(1, count + 1):
        for option in answer(demo, attempt, position):
            page.click(f"[data-holder] label.choice:has(input[value='{option}'])")
        page.wait_for_selector("form[data-state=saved][data-waiting='0']", state="attached")
        if not taken and page.locator("[data-holder] label.choice").count() == 4:
            take("question", page)
            taken = True
        if position < count:
            page.click("[data-go='1']")
            page.wait_for_selector(f"form[data-position='{position + 1}']")
    page.click("[data-sheet]")
    take("number-grid", page)
    page.click("dialog a[href$='/submit']")
    page.click("[data-submit-button]")
    page.wait_for_url("**/result")
    take("result", page)
    page.goto(f"{page.url.removesuffix('/result')}/review/{WRONG_EVERY}")
    take("review", page)


def answer(demo: Demo, attempt: str | None, position: int) -> list[str]:
    """The right options of a question of this attempt; every so often one wrong one."""
    version = (
        "FROM item_version JOIN paper_item ON item_version.id = item_version_id "
        "JOIN attempt ON attempt.paper_id = paper_item.paper_id WHERE attempt.public_id = ? AND position = ?"
    )
    key: list[str] = json.loads(demo.value(f"SELECT key {version}", attempt, position))
    if position % WRONG_EVERY:
        return key
    options = json.loads(demo.value(f"SELECT options {version}", attempt, position))
    return [next(option["id"] for option in options if option["id"] not in key)]


def elder_resident(demo: Demo) -> None:
    """The home page in the elder edition."""
    page = demo.visit(PHONE, elder=True)
    page.goto("/")
    take("elder-home", page)


def practising_resident(demo: Demo) -> None:
    """The home page, and the daily quiz of somebody who signed in."""
    page = demo.visit(PHONE, "resident")
    page.goto("/")
    take("home", page)
    page.goto("/daily")
    take("daily", page)


def trainer(demo: Demo) -> None:
    """The session that is going on: on the phone, on the wall, at the door, on paper."""
    session = demo.value(
        "SELECT id FROM training_session WHERE starts_at < strftime('%s', 'now') * 1000 ORDER BY starts_at DESC LIMIT 1"
    )
    page = demo.visit(PHONE, "trainer")
    page.goto(f"/sessions/{session}")
    take("session", page)
    page.goto(f"/sessions/{session}/roster")
    take("roster", page)
    page.goto(f"/sessions/{session}/scan")
    page.wait_for_timeout(1500)  # without a camera it is the page for typing
    take("scan", page)
    desk = demo.visit(DESK, "trainer")
    desk.goto(f"/sessions/{session}/back-fill")
    take("back-fill", desk)
    desk.goto(demo.value("SELECT '/sessions/' || session_id || '/gain' FROM session_test_pair"))
    take("gain", desk)
    wall = demo.visit(DESK, "trainer")
    wall.goto(f"/sessions/{session}/projector")
    wall.wait_for_timeout(1500)  # the code of the moment is drawn
    take("projector", wall)
    shown = wall.screenshot()
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(shown)))
    attendee = demo.visit(PHONE)
    attendee.goto(read.text)
    take("check-in", attendee)
    attendee.fill("[name=name]", "吴秀兰")
    attendee.fill("[name=phone]", "10000009901")
    attendee.click("button[form=check-in]")
    attendee.wait_for_url("**/in")
    take("checked-in", attendee)


def coordinator(demo: Demo) -> None:
    """A new delivery, a running one with its poster, the pass rates."""
    page = demo.visit(DESK, "coordinator")
    page.goto("/deliveries/new")
    take("new-delivery", page)
    delivery = demo.value("SELECT id FROM delivery WHERE poster_code = ?", LITERACY)
    page.goto(f"/deliveries/{delivery}")
    take("delivery", page)
    page.goto(f"/reports/pass-rates?delivery={delivery}")
    take("pass-rates", page)
    keep("poster", poster(demo, int(delivery)))
    survey = demo.value("SELECT id FROM survey")
    page.goto(f"/surveys/{survey}")
    take("survey-response", page)
    page.goto(f"/surveys/{survey}/estimate")
    take("survey-estimate", page)
    two_years = demo.value(
        "SELECT '/reports/years?first=d' || min(id) || '&second=d' || max(id) FROM delivery WHERE title LIKE ?",
        "健康素养测试%",
    )
    page.goto(two_years)
    page.click("main form[method=post] button")
    for _ in range(90):  # a job computes it
        page.goto(two_years)
        if page.query_selector("main table"):
            break
        page.wait_for_timeout(1000)
    take("two-years", page)


def editor(demo: Demo) -> None:
    """The map of a bank, and an item with a picture."""
    page = demo.visit(DESK, "editor")
    page.goto("/banks/literacy")
    take("bank-map", page)
    code = demo.value(
        "SELECT code FROM item JOIN item_version ON item_version.id = current_version_id "
        "WHERE stimulus = 'chart' AND type = 'single_choice' ORDER BY code LIMIT 1"
    )
    page.goto(f"/items/{code}")
    take("bank-item", page)


def leader(demo: Demo) -> None:
    """The year so far, and the table of one test."""
    page = demo.visit(DESK, "leader")
    page.goto("/overview")
    take("leader-overview", page)
    closed = demo.value("SELECT delivery_id FROM leader_sheet ORDER BY delivery_id LIMIT 1")
    page.goto(f"/reports/pass-rates?delivery={closed}")
    take("leader-grid", page)


def poster(demo: Demo, delivery_id: int) -> bytes:
    """The A4 sheet of a delivery, under the address of an example."""
    from quizapp.app import create_app
    from quizapp.config import read_settings
    from quizapp.core.qr import qr_svg
    from quizapp.core.web import get_db
    from quizapp.quizzes.models import Delivery
    from quizapp.quizzes.posters import poster_png
    from quizapp.quizzes.views.delivery_words import poster_of

    app = create_app(read_settings({"DEMO": "1", "INSTANCE": str(demo.instance)}))
    with app.test_request_context():
        sheet = poster_of(get_db().get_one(Delivery, delivery_id))
        code = qr_svg(f"https://quiz.example.org/q/{LITERACY}")
        return poster_png(replace(sheet, address="quiz.example.org", qr=code), ppi=72)


def administrator(demo: Demo) -> None:
    """The chooser of the demo, the unit tree, what follows from a merge, an account, the log."""
    page = demo.visit(DESK)
    page.goto("/demo")
    take("demo", page)
    page = demo.visit(DESK, "administrator")
    page.goto("/admin/units")
    take("units", page)
    kept, merged = (demo.value("SELECT id FROM org_unit WHERE name = ?", name) for name in ("渡口社区", "紫兴社区"))
    page.goto(f"/admin/units/{merged}/merge?into={kept}")
    take("unit-merge", page)
    demo.visit(PHONE, "coordinator")
    account = demo.value("SELECT account_id FROM account_session ORDER BY id DESC LIMIT 1")
    page.goto(f"/admin/accounts/{account}")
    take("account", page)
    page.goto("/admin/audit")
    take("audit", page)


if __name__ == "__main__":
    main()
