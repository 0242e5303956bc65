"""A trainer brings a roster with errors, reads what is wrong, brings it corrected; people then come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import FilePayload, Page
from python_calamine import CalamineWorkbook

import quizapp.tasks  # noqa: F401 # fills the registry of tasks
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.jobs.worker import run_pending
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_attendance, make_session, make_unit
from tests.sheets import make_xlsx

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADS = ["序号", "姓名", "手机号码", "工作单位", "岗位"]
WRONG = [
    [1, "李建国", 13800001234, "紫兴社区", "安全员"],
    [2, "王秀兰", 1390000567, "紫兴社区", "职工"],
    [3, "周敏", "", "紫星社区", "职工"],
    [4, "赵伟", "", "", "宇航员"],
    [5, "李建国", 13800001234, "紫兴社区", "安全员"],
]
RIGHT = [
    [1, "李建国", 13800001234, "紫兴社区", "安全员"],
    [2, "王秀兰", 13900005678, "紫兴社区", "职工"],
    [3, "周敏", "", "紫兴社区", "职工"],
    [4, "赵伟", "", "绿洲社区", ""],
]


def workbook(rows: list[list[object]]) -> FilePayload:
    return {"name": "名册.xlsx", "mimeType": XLSX, "buffer": make_xlsx([HEADS, *rows])}


def look(page: Page) -> None:
    check_accessible(page)
    no_sideways(page)


@pytest.mark.parametrize(
    ("size", "lang", "scripts"),
    [
        (PHONE, "zh-CN", True),
        (DESKTOP, "zh-CN", False),
        pytest.param(DESKTOP, "en-GB", True, marks=pytest.mark.pages),
        pytest.param(PHONE, "en-GB", True, marks=pytest.mark.pages),
    ],
    ids=["phone-zh", "desktop-zh-plain", "desktop-en", "phone-en"],
)
def test_a_roster_with_errors_then_corrected(
    live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str, scripts: bool
) -> None:
    now = datetime.now(UTC)
    with database.session() as db, transaction(db):
        street = make_unit(db, name="东岸街道", kind="street")
        for name in ("紫兴社区", "绿洲社区"):
            make_unit(db, street, name=name)
        make_account(db, (Role.TRAINER, street), username="trainer")
        session = make_session(
            db, street, kind="joint", title="宾馆消防安全合训", starts_at=to_ms(now + timedelta(hours=1))
        )
    runtime = live.app.extensions["quizapp"]
    page = visit(size=size, lang=lang, scripts=scripts)
    sign_in(page, "trainer")
    page.goto(f"/sessions/{session.id}")
    page.click(f"a[href='/sessions/{session.id}/roster']")
    page.wait_for_selector("[data-roster='0']")
    if scripts:
        look(page)
    page.click(f"a[href='/sessions/{session.id}/roster/import'] >> nth=0")
    if scripts:
        look(page)
    page.set_input_files("input[type=file]", workbook(WRONG))
    page.click("main form[enctype] button")
    page.wait_for_selector("[data-import=reading]")
    run_pending(runtime)
    page.wait_for_selector("[data-import=read]")  # by itself
    assert [text.split()[1] for text in page.locator("#faults .list-row-title").all_inner_texts()] == [
        "3",
        "4",
        "5",
        "5",
    ]
    assert "13800001234" not in page.content()
    assert "李建国" not in page.content()
    assert page.locator("form[action$='/apply']").count() == 0
    if scripts:
        look(page)
    with page.expect_download() as download:
        page.click("a[href$='faults.xlsx']")
    rows = CalamineWorkbook.from_path(str(download.value.path())).get_sheet_by_index(1).to_python()
    assert [row[0] for row in rows[1:]] == [3, 4, 5, 5]

    page.set_input_files("input[type=file]", workbook(RIGHT))
    page.click("main form[enctype] button")
    page.wait_for_selector("[data-import=reading]")
    run_pending(runtime)
    page.wait_for_selector("form[action$='/apply']")
    if scripts:
        look(page)
    page.click("form[action$='/apply'] button")
    page.wait_for_selector("[data-import=applying]")
    run_pending(runtime)
    page.wait_for_selector("[data-import=applied]")
    with database.session() as db, transaction(db):
        from quizapp.trainings.queries.rosters import EVERYBODY, list_roster

        first = next(row for row in list_roster(db, session.id, EVERYBODY) if row.person.name == "李建国")
        make_attendance(db, session.id, first.person.id, at_ms=to_ms(now))
    page.click(f"a[href='/sessions/{session.id}/roster'].button")
    page.wait_for_selector("[data-roster='4']")
    assert page.locator("[data-roster-list] > li").count() == 4
    if scripts:
        look(page)
    page.goto(f"/sessions/{session.id}/roster?came=0&q=周敏")
    page.click("[data-roster-list] a[href$='/remove']")
    if scripts:
        look(page)
    page.check("input[value=left]")
    page.click("main form button[type=submit]")
    page.wait_for_selector("[data-roster='3']")
    page.goto(f"/sessions/{session.id}/roster/units")
    if scripts:
        look(page)
    page.goto(f"/sessions/{session.id}/roster/add")
    if scripts:
        look(page)
    page.fill("[name=name]", "孙一")
    page.fill("[name=phone]", "139 0000 1111")
    page.click("main form button:not([name])")
    page.goto(f"/sessions/{session.id}/roster")
    page.wait_for_selector("[data-roster='4']")


@pytest.mark.parametrize(("size", "lang"), [(DESKTOP, "zh-CN"), pytest.param(PHONE, "en-GB", marks=pytest.mark.pages)])
def test_units_from_a_file(live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str) -> None:
    with database.session() as db, transaction(db):
        make_account(db, (Role.ADMINISTRATOR, None), username="administrator")
    page = visit(size=size, lang=lang)
    sign_in(page, "administrator")
    page.goto("/admin/units")
    page.click("main a[href='/admin/units/import']")
    heads = ["名称", "代码", "上级", "类型"]
    wrong = [
        heads,
        ["紫兴社区", "ZX", "东岸街道", "社区"],
        ["东岸街道", "EB", "紫兴社区", "街道"],
        ["绿洲社区", "ZX", "", "小区"],
    ]
    right = [heads, ["紫兴社区", "ZX", "东岸街道", "社区"], ["东岸街道", "EB", "", "街道"]]
    for rows, state in ((wrong, "#faults"), (right, "form[action$='/apply']")):
        page.set_input_files("input[type=file]", {"name": "单位.xlsx", "mimeType": XLSX, "buffer": make_xlsx(rows)})
        page.click("main form[enctype] button")
        page.wait_for_selector("[data-import=reading]")
        run_pending(live.app.extensions["quizapp"])
        page.wait_for_selector(state)
        look(page)
    page.click("form[action$='/apply'] button")
    page.wait_for_selector("[data-import=applying]")
    run_pending(live.app.extensions["quizapp"])
    page.wait_for_selector("[data-import=applied]")
    look(page)
    page.click("main a[href='/admin/units'].button")
    assert page.inner_text("main tbody").strip().startswith("东岸街道")
