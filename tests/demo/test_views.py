"""Signing in with one click: each condition refuses by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.demo.district import make_people, make_staff, make_units
from quizapp.demo.queries import ROLES
from quizapp.demo.views import is_served
from quizapp.operations.cli import demo_line
from tests.conftest import START, make_settings

HERE = "http://127.0.0.1:8000"
LOOPBACK = {"REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture
def demo_app(database: Database, make_app: Callable[..., Flask]) -> Flask:
    return make_app(database, demo=True)


@pytest.fixture
def demo_client(demo_app: Flask) -> FlaskClient:
    return demo_app.test_client()


def test_the_chooser_shows_the_roles_and_the_banner(demo_client: FlaskClient) -> None:
    page = demo_client.get("/demo", base_url=HERE, environ_base=LOOPBACK)
    assert page.status_code == 200
    assert page.text.count('name="role"') == len(ROLES) == 7
    assert "演示数据" in page.text


@pytest.mark.parametrize("host", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000"])
def test_every_own_name_is_served(demo_client: FlaskClient, host: str) -> None:
    assert demo_client.get("/demo", base_url=host, environ_base={"REMOTE_ADDR": "::1"}).status_code == 200


@pytest.mark.parametrize(
    "refused",
    [
        {"environ_base": {"REMOTE_ADDR": "192.168.1.7"}},
        {"environ_base": {"REMOTE_ADDR": ""}},
        {"headers": {"Forwarded": "for=10.0.0.1"}},
        {"headers": {"X-Forwarded-For": "10.0.0.1"}},
        {"headers": {"X-Forwarded-Host": "quiz.example.org"}},
        {"headers": {"X-Forwarded-Proto": "https"}},
        {"headers": {"Via": "1.1 proxy"}},
        {"base_url": "http://quiz.example.org"},
        {"base_url": "http://192.168.1.2:8000"},
        {"base_url": "http://localhost.example.org"},
        {"base_url": "http://127.0.0.1.example.org"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_condition_alone_is_enough_to_refuse(
    demo_app: Flask, demo_client: FlaskClient, refused: dict[str, Any], method: str
) -> None:
    demo_app.config["WTF_CSRF_ENABLED"] = False
    path = "/demo" if method == "GET" else "/demo/sign-in"
    request = {"base_url": HERE, "environ_base": LOOPBACK, **refused}
    assert demo_client.open(path, method=method, data={"role": "trainer"}, **request).status_code == 404


def test_a_real_installation_serves_no_chooser(database: Database, make_app: Callable[..., Flask]) -> None:
    client = make_app(database, demo=False).test_client()
    assert client.get("/demo", base_url=HERE, environ_base=LOOPBACK).status_code == 404


def test_a_server_that_listens_to_others_serves_no_chooser(tmp_path: Path, database: Database) -> None:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}
    settings = make_settings(tmp_path, database, demo=True)
    assert is_served(settings, environ)
    assert not is_served(make_settings(tmp_path, database, demo=True, host="0.0.0.0"), environ)
    assert not is_served(settings, {"REMOTE_ADDR": "127.0.0.1"})


@pytest.mark.parametrize(("host", "chooser"), [("127.0.0.1", True), ("0.0.0.0", False)])
def test_the_start_names_the_chooser_only_where_it_is_served(
    tmp_path: Path, database: Database, host: str, chooser: bool
) -> None:
    assert ("/demo" in demo_line(make_settings(tmp_path, database, demo=True, host=host))) is chooser


def test_each_role_signs_in_with_one_click(demo_app: Flask, db: Session, database: Database, tmp_path: Path) -> None:
    from random import Random

    keys = Keys.load(make_settings(tmp_path, database, demo=True).keys_folder)
    with transaction(db):
        district = make_units(db, START)
        make_people(db, district, Random(1), keys, START)
        make_staff(db, district, START)
    demo_app.config["WTF_CSRF_ENABLED"] = False
    for role in ROLES:
        client = demo_app.test_client()
        reply = client.post("/demo/sign-in", data={"role": role}, base_url=HERE, environ_base=LOOPBACK)
        assert reply.status_code == 303
        assert client.get("/me", base_url=HERE, environ_base=LOOPBACK).status_code == 200
    unknown = demo_app.test_client().post(
        "/demo/sign-in", data={"role": "emperor"}, base_url=HERE, environ_base=LOOPBACK
    )
    assert unknown.status_code == 404
