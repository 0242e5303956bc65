"""One's own data: a file for whoever knows the password, and an erasure that signs out everywhere."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from quizapp.accounts.models import Account
from quizapp.core.db import Database, transaction
from quizapp.core.erasure_ledger import read
from quizapp.core.web import Runtime
from quizapp.organisation.models import Person
from tests.accounts.pages import send, sign_in
from tests.factories import PASSWORD, make_account

PHONE = "13800001234"


@pytest.fixture
def resident(app: Flask, database: Database) -> Callable[[], FlaskClient]:
    """A browser in which a resident is signed in; each call another one."""
    runtime: Runtime = app.extensions["quizapp"]
    with database.session() as db, transaction(db):
        make_account(db, phone=PHONE, keys=runtime.keys, name="周敏")

    def client() -> FlaskClient:
        browser = app.test_client()
        assert sign_in(browser, PHONE).status_code == 303
        return browser

    return client


def test_the_file_is_given_for_the_password_alone(resident: Callable[[], FlaskClient]) -> None:
    client = resident()
    assert "/me/data" in client.get("/me").text
    refused = send(client, "/me/data", password="not the password")
    assert refused.status_code == 422
    assert "密码不对" in refused.text
    given = send(client, "/me/data", password=PASSWORD)
    assert given.headers["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(given.data)) as archive:
        assert "周敏" in archive.read("my-data.html").decode()


def test_who_guesses_the_password_in_an_open_browser_is_slowed(resident: Callable[[], FlaskClient]) -> None:
    client = resident()
    for _ in range(5):
        send(client, "/me/data", password="not the password")
    early = send(client, "/me/data", password=PASSWORD)
    assert early.status_code == 422
    assert "秒" in early.text


def test_an_erasure_signs_out_in_every_browser(
    app: Flask, database: Database, resident: Callable[[], FlaskClient]
) -> None:
    here, there = resident(), resident()
    assert send(here, "/me/erase", password="not the password").status_code == 422
    done = send(here, "/me/erase", password=PASSWORD)
    assert (done.status_code, done.location) == (303, "/")
    assert "个人信息已经删除" in here.get("/").text
    assert [browser.get("/me").status_code for browser in (here, there)] == [401, 401]
    assert sign_in(app.test_client(), PHONE).status_code == 422
    runtime: Runtime = app.extensions["quizapp"]
    with database.session() as db:
        person = db.scalars(select(Person)).one()
        assert (person.name, person.phone_encrypted) == ("", None)
        assert db.scalars(select(Account.phone_hash)).all() == [None]
    assert [entry.person_ids for entry in read(runtime.settings.keys_folder)] == [(person.id,)]
