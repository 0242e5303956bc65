"""At the door: camera, typed codes, no network, two phones, a helper's phone; nobody twice, nothing lost."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import qrcode
from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from sqlalchemy import func, select

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import Person
from quizapp.organisation.personal_codes import card_text, issue_code
from quizapp.trainings.models import Attendance, AttendanceEntry, TrainingSession
from tests.browser.clip import make_clip
from tests.browser.conftest import CHROMIUM, DESKTOP, PHONE, QUIET, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_person, make_session, make_unit
from tests.trainings.scanning import expect
from tests.ui.test_in_browser import OFFENDERS

pytestmark = pytest.mark.browser

NAMES = ("李建国", "王秀兰", "周敏", "陈晓")
#: Notes what the page lets the phone do: vibrate, and begin a tone.
STUBS = """
window.done = {buzz: [], tones: []};
navigator.vibrate = (pattern) => { window.done.buzz.push(pattern); return true; };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (when) { window.done.tones.push(this.frequency.value); return start.call(this, when); };
"""


@dataclass
class Ground:
    """A session with a roster, and a stranger; name → code."""

    live: Live
    database: Database
    session_id: int
    code: str
    codes: dict[str, str]

    @property
    def address(self) -> str:
        return f"/sessions/{self.session_id}/scan"

    def attendances(self) -> dict[str, str]:
        """Name → state of everybody whom the server knows of."""
        with self.database.session() as db:
            rows = db.execute(
                select(Person.name, Attendance.state)
                .join(Attendance, Attendance.person_id == Person.id)
                .where(Attendance.session_id == self.session_id)
            )
            return {row[0]: row[1] for row in rows}

    def change(self, **values: object) -> None:
        """Change the session."""
        with self.database.session() as db, transaction(db):
            session = db.get_one(TrainingSession, self.session_id)
            for name, value in values.items():
                setattr(session, name, value)

    def count_entries(self) -> int:
        """How many lines of phones the server keeps."""
        with self.database.session() as db:
            return db.scalar(select(func.count()).select_from(AttendanceEntry)) or 0


@pytest.fixture
def ground(live: Live, database: Database) -> Ground:
    now = datetime.now(UTC)
    codes = {}
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="紫兴社区")
        session = make_session(db, unit, kind="joint", title="消防疏散演练", starts_at=to_ms(now))
        make_account(db, (Role.TRAINER, unit), username="trainer", unit=unit)
        make_account(db, (Role.TRAINER, unit), username="colleague", unit=unit)
        for name in (*NAMES, "陌生人"):
            person = make_person(db, name=name, unit_id=unit.id)
            codes[name] = issue_code(db, person, now=now)
            if name in NAMES:
                expect(db, session, person)
        return Ground(live, database, session.id, session.code, codes)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the film lies that the camera shows; each test writes its own before the camera starts."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    return make_clip(path, [None])


@pytest.fixture(scope="module")
def door_browser(playwright: Playwright, film: Path) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *QUIET,
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
            "--host-resolver-rules=MAP quiz.intra 127.0.0.1",
        ],
    )
    yield browser
    browser.close()


@pytest.fixture
def phone(door_browser: Browser, live: Live) -> Iterator[Callable[..., Page]]:
    """`phone(camera=False, username="trainer")` is a new phone; None signs nobody in."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def take(
        *,
        camera: bool = False,
        username: str | None = "trainer",
        lang: str = "zh-CN",
        elder: bool = False,
        size: dict[str, int] = PHONE,
        scripts: bool = True,
        host: str = "127.0.0.1",
    ) -> Page:
        address = live.url.replace("127.0.0.1", host)
        context = door_browser.new_context(
            viewport=size,  # type: ignore[arg-type] # a size
            locale=lang,
            base_url=address,
            java_script_enabled=scripts,
            timezone_id="Asia/Shanghai",
            permissions=["camera"] if camera else [],
        )
        context.add_cookies([{"name": "lang", "value": "en" if lang.startswith("en") else "zh", "url": address}])
        if elder:
            context.add_cookies([{"name": "elder", "value": "1", "url": address}])
        context.add_init_script(STUBS)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        if username:
            sign_in(page, username)
        return page

    yield take
    for context in contexts:
        context.close()
    assert faults == []
    assert live.app.extensions["csp_reports"] == []


def open_scan(page: Page, address: str, ready: str = "online") -> None:
    page.goto(address)
    page.wait_for_selector(f"[data-scan][data-ready={ready}]")


def keep(page: Page) -> None:
    """Until the page and all it needs lie on the phone."""
    page.wait_for_selector("[data-scan][data-kept]")
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")


def typed(page: Page, text: str, outcome: str) -> None:
    number = page.get_attribute("[data-result]", "data-number") or "0"
    page.fill("#code", text)
    page.press("#code", "Enter")
    page.wait_for_selector(f"[data-result][data-outcome={outcome}][data-number='{int(number) + 1}']")


def uploaded(page: Page) -> None:
    page.wait_for_selector("[data-scan][data-waiting='0']")


def test_codes_held_before_the_camera(ground: Ground, phone: Callable[..., Page], film: Path) -> None:
    codes = [card_text(ground.codes[name]) for name in ("李建国", "陌生人", "王秀兰")]
    make_clip(film, [None, codes[0], None, codes[1], None, codes[2], None, "https://example.org/health", None])
    page = phone(camera=True)
    page.goto(ground.address)
    for name in ("李建国", "陌生人", "王秀兰"):
        page.wait_for_selector(f"[data-log] li:has-text('{name}')", timeout=30_000)
    page.wait_for_selector("[data-log] li[data-outcome=foreign]", timeout=30_000)
    assert page.get_attribute("body", "data-mode") == "camera"
    uploaded(page)
    assert ground.attendances() == {"李建国": "counted", "王秀兰": "counted", "陌生人": "pending"}
    done = page.evaluate("window.done")
    assert [120] in done["buzz"]
    assert [250] in done["buzz"]
    assert [100, 50, 100] in done["buzz"]
    with ground.database.session() as db:
        entries = db.scalars(select(AttendanceEntry)).all()
    assert sorted(entry.outcome for entry in entries) == ["foreign", "in", "in", "pending"]
    assert all("example" not in str(vars(entry)) for entry in entries)
    check_accessible(page)
    no_sideways(page)
    page.click("[data-type]")
    page.wait_for_selector("body[data-mode=typed]")
    page.click("[data-start]")
    page.wait_for_selector("body[data-mode=camera]")


def test_a_scanner_gun_types_wherever_the_focus_is(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    open_scan(page, ground.address)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(card_text(ground.codes["李建国"]))
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-result][data-outcome=in]")
    assert page.evaluate("window.done.tones.length") == 2
    typed(page, ground.codes["李建国"].lower(), "again")
    typed(page, ground.codes["李建国"][:-1] + ("0" if ground.codes["李建国"][-1] != "0" else "2"), "foreign")
    # by name and by the last digits of the number
    page.fill("#code", "陈")
    page.click("[data-found] button")
    page.wait_for_selector("[data-result][data-outcome=in] >> text=陈晓")
    page.click("[data-undo]")
    page.wait_for_selector("[data-result][data-outcome=undone]")
    typed(page, ground.codes["陌生人"], "ask")
    page.click("[data-confirm]")
    page.wait_for_selector("[data-result][data-outcome=in]")
    uploaded(page)
    assert ground.attendances() == {"李建国": "counted", "陈晓": "undone", "陌生人": "counted"}


def test_a_refused_camera_leaves_typing_at_once_with_the_reason(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    open_scan(page, ground.address)
    page.wait_for_selector("[data-scan][data-reason=denied]")
    assert not page.is_visible("[data-start]")
    assert page.is_visible("[data-reason] >> text=没有允许用摄像头")
    assert page.evaluate("document.activeElement.id") == "code"
    typed(page, ground.codes["周敏"], "in")
    check_accessible(page)


def test_plain_http_scans_by_typing(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone(host="quiz.intra")
    open_scan(page, ground.address)
    assert page.get_attribute("[data-scan]", "data-reason") == "insecure"
    page.context.set_offline(True)
    typed(page, ground.codes["周敏"], "in")
    assert page.inner_text("b[data-waiting]") == "1"
    page.context.set_offline(False)
    uploaded(page)
    assert ground.attendances() == {"周敏": "counted"}


def test_two_phones_without_a_network_merge_without_doubles(ground: Ground, phone: Callable[..., Page]) -> None:
    north, south = phone(), phone(username="colleague")
    for page in (north, south):
        open_scan(page, ground.address)
        keep(page)
        page.context.set_offline(True)
    typed(north, ground.codes["李建国"], "in")
    typed(north, ground.codes["王秀兰"], "in")
    typed(south, ground.codes["王秀兰"], "in")
    typed(south, ground.codes["周敏"], "in")
    north.wait_for_selector("[data-scan][data-waiting='2']")
    # the page opens again without a network, with roster and queue
    north.reload()
    north.wait_for_selector("[data-scan][data-ready=offline][data-waiting='2']")
    typed(north, ground.codes["李建国"], "again")
    typed(north, ground.codes["陈晓"], "in")
    north.click("[data-walk-in] summary")
    north.fill("#walk-in-name", "赵六")
    north.fill("#walk-in-phone", "138 0000 9999")
    north.click("#walk-in-form button")
    north.wait_for_selector("[data-scan][data-waiting='4']")
    north.click("[data-queue] summary")
    north.wait_for_selector("[data-queue-list] li:nth-child(4)")
    check_accessible(north)
    for page in (south, north):
        page.context.set_offline(False)
        page.wait_for_selector("[data-scan][data-waiting='0']", timeout=70_000)
    names = ("李建国", "王秀兰", "周敏", "陈晓", "赵六")
    assert ground.attendances() == dict.fromkeys(names, "counted")
    assert ground.count_entries() == 6
    north.click("[data-retry]")
    north.wait_for_selector("[data-count] >> text=5")
    typed(north, ground.codes["周敏"], "again")


def test_a_queue_is_carried_in_a_file(ground: Ground, phone: Callable[..., Page], tmp_path: Path) -> None:
    page, desk = phone(), phone(username="colleague", size=DESKTOP)
    open_scan(page, ground.address)
    page.context.set_offline(True)
    typed(page, ground.codes["李建国"], "in")
    typed(page, ground.codes["陌生人"], "ask")
    page.click("[data-queue] summary")
    with page.expect_download() as download:
        page.click("[data-save]")
    file = tmp_path / "scan.json"
    download.value.save_as(file)
    assert page.inner_text("b[data-waiting]") == "2"
    altered = json.loads(file.read_text())
    altered["entries"][0]["at"] += 1
    (tmp_path / "altered.json").write_text(json.dumps(altered))
    (tmp_path / "none.json").write_text("[]")
    for name in ("altered.json", "none.json"):
        desk.goto(f"{ground.address}/file")
        desk.set_input_files("[name=file]", tmp_path / name)
        desk.click("#file-form button")
        desk.wait_for_selector("[data-error-summary]")
    assert ground.attendances() == {}
    for known in ("0", "2"):
        desk.set_input_files("[name=file]", file)
        desk.click("#file-form button")
        desk.wait_for_selector(f"[data-taken='2'] dd:nth-of-type(1) >> text={known}")
    check_accessible(desk)
    assert ground.attendances() == {"李建国": "counted", "陌生人": "pending"}
    page.context.set_offline(False)
    page.click("[data-retry]")
    uploaded(page)
    assert ground.count_entries() == 2


def test_a_helpers_phone_scans_and_opens_nothing_else(ground: Ground, phone: Callable[..., Page]) -> None:
    trainer, helper = phone(), phone(username=None)
    trainer.goto(f"/sessions/{ground.session_id}/devices")
    trainer.fill("[name=label]", "二号门")
    trainer.click("#helper-form button")
    link = trainer.inner_text("[data-link]")
    check_accessible(trainer)
    helper.goto(link)
    assert helper.url == f"{ground.live.url}/h/s/{ground.code}"
    [cookie] = [one for one in helper.context.cookies() if one["name"] == "helper"]
    assert (cookie["httpOnly"], cookie["path"]) == (True, f"/h/s/{ground.code}")
    helper.wait_for_selector("[data-ready=online]")
    assert helper.locator("a[href*='/sessions/']").count() == 0
    typed(helper, ground.codes["李建国"], "in")
    typed(helper, ground.codes["陌生人"], "ask")
    assert not helper.is_visible("[data-confirm]")
    uploaded(helper)
    assert ground.attendances() == {"李建国": "counted", "陌生人": "pending"}
    check_accessible(helper)
    for address in (f"/sessions/{ground.session_id}", f"/sessions/{ground.session_id}/attendance.xlsx", ground.address):
        assert helper.request.get(address).status == 401
    trainer.goto(f"/sessions/{ground.session_id}/devices")
    trainer.click("[data-passes] button")
    trainer.wait_for_selector("[data-passes] >> text=已收回")
    typed(helper, ground.codes["周敏"], "in")
    helper.wait_for_selector("[data-stop]:not([hidden]) >> text=已被收回")
    assert helper.inner_text("b[data-waiting]") == "1"
    assert "周敏" not in ground.attendances()
    assert helper.request.get(link).status == 403


def test_signed_out_meanwhile_keeps_the_queue(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    open_scan(page, ground.address)
    cookies = page.context.cookies()
    page.context.clear_cookies(name="session")
    typed(page, ground.codes["李建国"], "in")
    page.wait_for_selector("[data-stop]:not([hidden]) >> text=登录过期了")
    assert page.inner_text("b[data-waiting]") == "1"
    page.context.add_cookies(cookies)  # type: ignore[arg-type] # what came out goes in
    page.click("[data-queue] summary")
    page.click("[data-retry]")
    uploaded(page)
    assert ground.attendances() == {"李建国": "counted"}


def test_a_queue_that_comes_after_the_closing_waits_for_the_trainer(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    open_scan(page, ground.address)
    page.context.set_offline(True)
    typed(page, ground.codes["李建国"], "in")
    ground.change(closed_at=to_ms(datetime.now(UTC)))
    page.context.set_offline(False)
    page.click("[data-queue] summary")
    page.click("[data-retry]")
    uploaded(page)
    page.wait_for_selector("[data-log] li[data-outcome=ask] >> text=签到已结束")
    assert ground.attendances() == {"李建国": "pending"}


def test_a_phone_a_day_ahead_is_set_right(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    page.context.add_init_script("const real = Date.now; Date.now = () => real() + 86400000;")
    open_scan(page, ground.address)
    typed(page, ground.codes["李建国"], "in")
    uploaded(page)
    with ground.database.session() as db:
        at_ms = db.scalars(select(Attendance.at_ms)).one()
    assert abs(at_ms - to_ms(datetime.now(UTC))) < 60_000
    assert ground.attendances() == {"李建国": "counted"}


def test_a_photo_of_a_code_is_read(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    open_scan(page, ground.address)
    for name, text, outcome in (
        ("code.png", card_text(ground.codes["周敏"]), "in"),
        ("other.png", "https://example.org", "foreign"),
    ):
        picture = io.BytesIO()
        qrcode.make(text).get_image().save(picture, "PNG")
        page.set_input_files(
            "[data-photo-input]", {"name": name, "mimeType": "image/png", "buffer": picture.getvalue()}
        )
        page.wait_for_selector(f"[data-result][data-outcome={outcome}]")
    uploaded(page)
    assert ground.attendances() == {"周敏": "counted"}


def test_without_scripts_a_form_scans_one_at_a_time(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone(scripts=False)
    page.goto(ground.address)
    for name, outcome in (("李建国", "in"), ("李建国", "again"), ("陌生人", "ask")):
        page.fill("#code", ground.codes[name])
        page.click("button[form=scan-form]")
        page.wait_for_selector(f"[data-result][data-outcome={outcome}]")
    page.click("[data-result] form button")
    page.wait_for_selector("[data-result][data-outcome=in]")
    picture = io.BytesIO()
    qrcode.make(card_text(ground.codes["周敏"])).get_image().save(picture, "JPEG")
    page.set_input_files("#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    page.click("button[form=scan-form]")
    page.wait_for_selector("[data-result][data-outcome=in] >> text=周敏")
    page.set_input_files("#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"})
    page.click("button[form=scan-form]")
    page.wait_for_selector("[role=alert]")
    no_sideways(page)
    assert ground.attendances() == {"李建国": "counted", "陌生人": "counted", "周敏": "counted"}


@pytest.mark.parametrize(
    ("lang", "elder", "width"),
    [
        ("zh-CN", False, 390),
        pytest.param("zh-CN", True, 320, marks=pytest.mark.pages),
        pytest.param("en-GB", False, 320, marks=pytest.mark.pages),
        ("en-GB", True, 390),
        ("zh-CN", False, 1280),
    ],
)
def test_nothing_runs_over_or_is_too_small(
    ground: Ground, phone: Callable[..., Page], film: Path, lang: str, elder: bool, width: int
) -> None:
    make_clip(film, [None])
    page = phone(camera=True, lang=lang, elder=elder, size={"width": width, "height": 844 if width < 1000 else 800})
    limits = [60 if elder else 48, 18 if elder else 15]
    page.goto(ground.address)
    page.wait_for_selector("body[data-mode=camera]")
    page.wait_for_selector("[data-ready]")
    assert page.evaluate(OFFENDERS, limits) == []
    check_accessible(page)
    page.click("[data-type]")
    page.click("[data-walk-in] summary")
    page.click("[data-queue] summary")
    typed(page, ground.codes["陌生人"], "ask")
    uploaded(page)
    assert page.evaluate(OFFENDERS, limits) == []
    check_accessible(page)
    for address in (f"/sessions/{ground.session_id}/devices", f"{ground.address}/file", "/me/code"):
        page.goto(address)
        assert page.evaluate(OFFENDERS, limits) == []
        check_accessible(page)


def test_the_scan_page_stays_within_its_budget(ground: Ground, phone: Callable[..., Page]) -> None:
    sizes: dict[str, int] = {}
    page = phone()
    network = page.context.new_cdp_session(page)
    addresses: dict[str, str] = {}
    network.send("Network.enable")
    network.on(
        "Network.responseReceived", lambda event: addresses.update({event["requestId"]: event["response"]["url"]})
    )
    network.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(ground.address)
    page.wait_for_selector("[data-ready=online]")
    page.wait_for_selector("[data-kept]")
    by_address = {addresses[number].split("/")[-1]: size for number, size in sizes.items() if number in addresses}
    first = {name: size for name, size in by_address.items() if not name.startswith(("zxing", "scan-worker", "sw.js"))}
    scripts = sum(size for name, size in first.items() if name.endswith(".js"))
    assert scripts <= 20 * 1024
    assert sum(first.values()) <= 40 * 1024, first
    built = Path("quizapp/ui/dist/static")
    reader = sum(path.stat().st_size for path in built.glob("zxing-reader.*.gz"))
    assert reader <= 430 * 1024
    assert not [path.name for path in built.glob("*.js") if b"jsdelivr" in path.read_bytes()]


def test_ten_minutes_without_a_network_are_told(ground: Ground, phone: Callable[..., Page]) -> None:
    page = phone()
    open_scan(page, ground.address)
    page.context.set_offline(True)
    ahead = timedelta(minutes=11) // timedelta(milliseconds=1)
    page.evaluate(f"const real = Date.now; Date.now = () => real() + {ahead}")
    typed(page, ground.codes["李建国"], "in")
    page.wait_for_selector("[data-stop]:not([hidden]) >> text=到有网的地方停一下")
