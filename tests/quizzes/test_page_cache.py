"""Pages before the start are drawn once for a whole hall, and are never those of yesterday, of another language or of somebody else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.quizzes.models import Delivery
from tests.conftest import START, FakeClock
from tests.factories import make_delivery

HOUR = 3_600_000


def plain(page: str) -> str:
    """A page without its visitor's own tokens."""
    return re.sub(r'(name="(?:csrf_token|ticket)" value=")[^"]*', r"\1", page)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("title", "另一个题目"),
        ("opens_at", to_ms(START) + HOUR),
        ("closes_at", to_ms(START) + HOUR),
        ("time_limit_s", 1260),
        ("pass_score", 77),
        ("max_score", 200),
        ("item_count", 25),
        ("reveal", "never"),
        ("tries", 3),
        ("capacity", 0),
        ("guests", False),
        ("state", "preparing"),
        ("fields", {"name": "required", "phone": "optional", "education": "required"}),
        ("notice", {"version": "9", "purpose": "另一个用途", "retention_months": 5, "keeper": "谁", "contact": "哪里"}),
    ],
)
@pytest.mark.parametrize("path", ["/q/{}", "/q/{}/start"])
def test_a_changed_delivery_is_shown_as_it_is(
    db: Session, database: Database, app: Flask, make_app: Callable[..., Flask], path: str, column: str, value: object
) -> None:
    with transaction(db):
        code = make_delivery(db).poster_code
    address = path.format(code)
    client = app.test_client()
    before = plain(client.get(address).text)
    assert plain(client.get(address).text) == before
    with transaction(db):
        delivery = db.query(Delivery).filter_by(poster_code=code).one()
        assert getattr(delivery, column) != value
        setattr(delivery, column, value)
    drawn_anew = plain(make_app(database).test_client().get(address).text)
    assert plain(client.get(address).text) == drawn_anew


def test_every_visitor_gets_tokens_of_their_own_that_work(db: Session, app: Flask) -> None:
    with transaction(db):
        code = make_delivery(db).poster_code
    tokens = set()
    for _ in range(3):
        client = app.test_client()
        page = client.get(f"/q/{code}/start").text
        fields = dict(re.findall(r'name="(csrf_token|ticket)" value="([^"]*)"', page))
        tokens |= set(fields.values())
        reply = client.post(f"/q/{code}/start", data={**fields, "consent": "y", "under_14": "no"})
        assert (reply.status_code, reply.location.rpartition("/")[2]) == (303, "1")
    assert len(tokens) == 6


def test_language_edition_and_the_hour_are_the_visitors_own(db: Session, app: Flask, clock: FakeClock) -> None:
    with transaction(db):
        code = make_delivery(db, closes_at=to_ms(START) + 20 * HOUR).poster_code
    chinese = app.test_client().get(f"/q/{code}").text
    english, elder = app.test_client(), app.test_client()
    english.set_cookie("lang", "en")
    elder.set_cookie("elder", "1")
    assert 'lang="en"' in english.get(f"/q/{code}").text
    assert "data-elder" in elder.get(f"/q/{code}").text
    assert app.test_client().get(f"/q/{code}").text == chinese
    clock.forward(hours=15)  # the end was tomorrow and is today
    assert app.test_client().get(f"/q/{code}").text != chinese
    clock.forward(hours=6)
    assert 'data-closed="ended"' in app.test_client().get(f"/q/{code}").text


def test_a_visitor_with_a_running_attempt_sees_it_and_nobody_else_does(db: Session, app: Flask) -> None:
    with transaction(db):
        code = make_delivery(db).poster_code
    client, other = app.test_client(), app.test_client()
    other.get(f"/q/{code}")
    page = client.get(f"/q/{code}/start").text
    fields = dict(re.findall(r'name="(csrf_token|ticket)" value="([^"]*)"', page))
    client.post(f"/q/{code}/start", data={**fields, "consent": "y", "under_14": "no"})
    assert "data-running" in client.get(f"/q/{code}").text
    assert "data-running" not in other.get(f"/q/{code}").text
    assert "data-running" not in app.test_client().get(f"/q/{code}").text
