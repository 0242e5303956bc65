"""The audit page: found by who, what and when, told in words, taken home as a file."""

from __future__ import annotations

import ast
import io
import re
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.log_details import KEY_WORDS
from quizapp.accounts.log_words import ACTION_WORDS, OBJECT_WORDS
from quizapp.accounts.services import create_staff_account
from quizapp.audit.models import AuditEvent
from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM, Actor, Role
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.tree import move_unit
from tests.accounts.pages import sign_in
from tests.conftest import START
from tests.factories import make_account, make_unit

PACKAGE = Path(__file__).resolve().parents[2] / "quizapp"


def written() -> tuple[set[str], set[str], set[str]]:
    """The actions, kinds of objects and keys of details that stand as literals in the code that writes the log."""
    actions: set[str] = set()
    objects: set[str] = set()
    keys: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name != "record" and not name.startswith("_record"):
                continue
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            for keyword in node.keywords:
                if keyword.arg == "object_type" and isinstance(keyword.value, ast.Constant):
                    objects.add(str(keyword.value.value))
            for value in (part for one in values for part in ast.walk(one)):
                if isinstance(value, ast.Dict):
                    keys |= {str(key.value) for key in value.keys if isinstance(key, ast.Constant)}
            for value in values:
                if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)+", str(value.value)):
                    actions.add(str(value.value))
    return actions - objects - set(OBJECT_WORDS), objects, keys


def test_whatever_is_written_into_the_log_has_words() -> None:
    actions, objects, keys = written()
    assert len(actions) > 60
    assert actions - set(ACTION_WORDS) == set(), "give each action its words in accounts/log_words.py"
    assert objects - set(OBJECT_WORDS) == set(), "give each kind of object its word in accounts/log_words.py"
    assert keys - set(KEY_WORDS) == set(), "give each key of details its words in accounts/log_details.py"


@pytest.fixture
def street(either_db: Session) -> OrgUnit:
    with transaction(either_db) as db:
        district = make_unit(db, name="临江区", kind="district")
        street, other = (make_unit(db, district, name=name, kind="street") for name in ("滨江街道", "城西街道"))
        community = make_unit(db, street, name="滨江社区")
        boss = make_account(db, (Role.ADMINISTRATOR, None), username="boss", name="王主任")
        make_account(db, (Role.ADMINISTRATOR, street), username="limited", name="小李")
        actor = Actor(account_id=boss.id, system=True)
        move_unit(db, unit=community, parent=other, actor=actor, now=START)
        create_staff_account(
            db, username="newone", name="新来的", role=Role.TRAINER, unit=street, actor=SYSTEM, now=START
        )
        return street


def administrator(app: Flask, name: str = "boss") -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, name).status_code == 303
    return client


def rows(client: FlaskClient, query: str = "") -> list[str]:
    """The lines of the page, without tags."""
    page = client.get(f"/admin/audit{query}").text
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in body.split("</tr>")[:-1]]


def test_lines_are_told_in_words(either_app: Flask, street: OrgUnit) -> None:
    client = administrator(either_app)
    moved = next(line for line in rows(client) if "移动单位" in line)
    assert "王主任" in moved
    assert "单位 滨江社区" in moved
    assert "原来的上级 滨江街道；上级 城西街道；单位数 1" in moved
    granted = next(line for line in rows(client) if " 授权 账号" in line)
    assert "系统 授权 账号 新来的 滨江街道" in granted
    assert granted.endswith("；角色 培训教师")
    assert not re.search(r"[a-z]+_[a-z]+", " ".join(rows(client)))


def test_it_is_found_by_who_what_and_when(either_app: Flask, either_db: Session, street: OrgUnit) -> None:
    client = administrator(either_app)
    for query, count in (
        ("?account=王", 2),  # the move and the sign-in
        ("?account=BO", 2),
        ("?account=nobody", 0),
        ("?action=unit_moved", 1),
        ("?object=org_unit", 1),
        ("?from=2030-01-01", 0),
        ("?to=2020-01-01", 0),
        ("?from=x&to=y&id=z&before=q", 5),
    ):
        assert len(rows(client, query)) == count, query
    with transaction(either_db) as db:
        for number in range(60):
            record(
                db, actor=SYSTEM, action="unit_edited", object_type="org_unit", object_id=street.id, unit_id=street.id,
                details={"fields": ["name"]}, now=START + timedelta(minutes=number),
            )  # fmt: skip
    first = client.get("/admin/audit?action=unit_edited")
    assert len(rows(client, "?action=unit_edited")) == 50
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    assert "action=unit_edited" in older[1]
    assert len(rows(client, older[1].replace("&amp;", "&").removeprefix("/admin/audit"))) == 10
    assert "涉及的项 名称" in rows(client, "?action=unit_edited")[0]


def test_the_search_is_taken_home_and_that_is_logged(either_app: Flask, either_db: Session, street: OrgUnit) -> None:
    client = administrator(either_app)
    reply = client.get("/admin/audit.xlsx?account=boss&action=unit_moved")
    book = openpyxl.load_workbook(io.BytesIO(reply.data))
    facts, table = (list(book[name].values) for name in book.sheetnames)
    assert ("操作人", "boss") in facts
    assert ("行数", "1") in facts
    assert table[0] == ("时间", "谁", "登录名", "操作", "对象", "单位", "细节")
    assert table[1][1:5] == ("王主任", "boss", "移动单位", "单位 滨江社区")
    text = client.get("/admin/audit.csv").data.decode("utf-8-sig")
    assert "原来的上级 滨江街道" in text
    events = either_db.scalars(select(AuditEvent).where(AuditEvent.action == "audit_exported")).all()
    assert [event.details for event in events] == [
        {"format": "xlsx", "rows": 1, "fields": ["account", "action"], "personal_data": True},
        {"format": "csv", "rows": 6, "fields": [], "personal_data": True},
    ]


def test_an_administrator_of_a_street_sees_and_takes_home_what_was_done_there(
    either_app: Flask, street: OrgUnit
) -> None:
    client = administrator(either_app, "limited")
    for page in (" ".join(rows(client)), client.get("/admin/audit.csv").data.decode("utf-8-sig")):
        assert "新来的" in page
        assert "移动单位" not in page  # the community stands elsewhere now
