"""How the taking pages travel."""

from __future__ import annotations

import gzip

import brotli
import pytest
from flask import Flask

from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.quizzes.views.access import cookie_name
from tests.factories import make_delivery
from tests.quizzes.support import begin


@pytest.mark.parametrize("page", ["1", "questions"])
def test_a_taking_page_is_the_same_plain_by_gzip_and_by_brotli(app: Flask, database: Database, page: str) -> None:
    keys: Keys = app.extensions["quizapp"].keys
    with database.session() as db:
        with transaction(db):
            delivery = make_delivery(db, items=20)
        started = begin(db, delivery, keys)
        path = f"/q/{delivery.poster_code}"
        client = app.test_client()
        client.set_cookie(cookie_name(started.attempt.public_id), started.secret, path=path)
        address = f"{path}/a/{started.attempt.public_id}/{page}"
    plain = client.get(address)
    zipped = client.get(address, headers={"Accept-Encoding": "gzip"})
    brotlied = client.get(address, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert plain.status_code == 200
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert brotlied.headers["Content-Encoding"] == "br"
    assert gzip.decompress(zipped.data) == plain.data
    assert brotli.decompress(brotlied.data) == plain.data
    assert len(brotlied.data) < len(plain.data) / 2
    assert all("Accept-Encoding" in reply.vary for reply in (plain, zipped, brotlied))
