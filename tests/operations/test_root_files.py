"""Verification files at the root: plain names and small texts alone, and nothing in them runs. Filing numbers at every foot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizapp.config import SettingInvalid, read_settings
from quizapp.core.db import Database, transaction
from tests.factories import make_delivery
from tests.quizzes.support import begin


@pytest.fixture
def folder(app: Flask) -> Path:
    folder: Path = app.extensions["quizapp"].settings.instance / "root-files"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    "name", ["MP_verify_AbC0123456789def.txt", "8f3c.txt", "baidu_verify_code-x1.html", "a" * 64 + ".txt"]
)
def test_a_verification_file_is_served_as_it_is(client: FlaskClient, folder: Path, name: str) -> None:
    (folder / name).write_text("<script>微信</script>", encoding="utf-8")
    reply = client.get(f"/{name}")
    assert reply.get_data(as_text=True) == "<script>微信</script>"
    assert reply.headers["Content-Type"] == f"text/{'html' if name.endswith('html') else 'plain'}; charset=utf-8"
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in reply.headers
    assert client.post(f"/{name}").status_code in (400, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/none.txt",
        "/../keys/session.key",
        "/..%2fkeys%2fsession.key",
        "/%2e%2e/quizapp.txt",
        "/.hidden.txt",
        "/two.dots.txt",
        "/inner/file.txt",
        "/file.txt%00.html",
        "/file.json",
        "/文.txt",
        "/" + "a" * 65 + ".txt",
        "/link.txt",
        "/folder.txt",
        "/large.txt",
        "/binary.txt",
        "/latin.txt",
        "/FILE.TXT",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, folder: Path, path: str) -> None:
    (folder.parent / "quizapp.txt").write_text("secret")
    (folder / "inner").mkdir()
    (folder / "folder.txt").mkdir()
    for name in (".hidden.txt", "two.dots.txt", "inner/file.txt", "file.json", "文.txt", "a" * 65 + ".txt", "FILE.TXT"):
        (folder / name).write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "quizapp.txt")
    (folder / "large.txt").write_text("secret" * 4000)
    (folder / "binary.txt").write_bytes(b"secret\0")
    (folder / "latin.txt").write_bytes(b"secret\xff\xfe")
    reply = client.get(path)
    assert reply.status_code == 404
    assert b"secret" not in reply.data


def test_filing_numbers_stand_at_every_foot_with_their_links(
    database: Database, make_app: Callable[..., Flask]
) -> None:
    app = make_app(database, icp_filing="京ICP备12345678号-1", police_filing="京公网安备 11010502030143号")
    icp, police = '"https://beian.miit.gov.cn/"', '"https://beian.mps.gov.cn/#/query/webSearch?code=11010502030143"'
    client, keys = app.test_client(), app.extensions["quizapp"].keys
    with database.session() as db:
        with transaction(db):
            delivery = make_delivery(db)
        started = begin(db, delivery, keys)
    for path in ("/", "/sign-in", "/help", "/privacy", "/preferences", f"/q/{delivery.poster_code}", "/nowhere"):
        page = client.get(path).get_data(as_text=True)
        assert page.count(icp) == page.count(police) == 1, path
        assert "京ICP备12345678号-1" in page
    client.set_cookie(f"a_{started.attempt.public_id}", started.secret, path=f"/q/{delivery.poster_code}")
    question = client.get(f"/q/{delivery.poster_code}/a/{started.attempt.public_id}/1", follow_redirects=True)
    assert "京公网安备 11010502030143号" in question.text
    assert "beian" not in question.text  # under a question nothing leads away
    assert "beian" not in make_app(database).test_client().get("/").text


@pytest.mark.parametrize(
    ("name", "value"), [("ICP_FILING", "12345678"), ("POLICE_FILING", "京公网安备"), ("ICP_FILING", "<b>")]
)
def test_what_is_no_filing_number_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=f"{name}={value} is no filing number: write it as 京"):
        read_settings({name: value})


def test_filing_numbers_are_read_as_they_are_given() -> None:
    settings = read_settings({"ICP_FILING": "沪ICP备2021000001号", "POLICE_FILING": "沪公网安备31010102000001号"})
    assert [text for text, _ in settings.filings] == ["沪ICP备2021000001号", "沪公网安备31010102000001号"]
