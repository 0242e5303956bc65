"""The parts of the measurements that are not measurements."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.burst import Burst, missing
from benchmarks.floor import create_app
from benchmarks.ground import Opened
from benchmarks.load import Reply, parse, percentile, request
from benchmarks.pages import imports, references
from benchmarks.phones import Numbers, Refused, hidden_value, opened_by, saves
from benchmarks.results import Result, Results
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from tests.conftest import START
from tests.factories import make_delivery
from tests.quizzes.support import begin


def test_a_reply_is_read_when_its_last_byte_is_there() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a=1; Path=/\r\n\r\nabc"
    assert all(parse(data[:end]) is None for end in range(len(data)))
    reply = parse(data)
    assert reply is not None
    assert (reply.status, reply.body, reply.size) == (200, b"abc", len(data))
    assert reply.header("set-cookie") == "a=1; Path=/"


def test_a_reply_in_chunks_is_put_together() -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert all(parse(data[:end]) is None for end in range(len(data)))
    assert parse(data) == Reply(200, data.split(b"\r\n\r\n")[0], b"abc", len(data))


def test_a_request_says_how_long_its_body_is() -> None:
    assert request("POST", "/x", body=b"{}", kind="application/json").endswith(b"Content-Length: 2\r\n\r\n{}")
    assert b"Content-Length" not in request("GET", "/x")


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (1.0, 10), (0.1, 1)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile(range(10, 0, -1), share) == value


def test_the_answers_of_an_attempt_go_through_all_positions_with_rising_sequences() -> None:
    numbers, attempt = Numbers(), Opened("x", "s")
    bodies = [json.loads(data.split(b"\r\n\r\n")[1]) for data in saves("CODE", attempt, numbers, 101)]
    items = [body["items"][0] for body in bodies]
    assert [item["sequence"] for item in items] == list(range(1, 102))
    assert {item["position"] for item in items} == set(range(1, 51))
    assert items[0]["position"] == items[50]["position"]
    assert items[0]["answer"] != items[50]["answer"]


def test_a_phone_takes_its_attempt_and_its_hidden_fields_from_the_replies() -> None:
    head = b"HTTP/1.1 303 See Other\r\nSet-Cookie: device=d; Path=/\r\nSet-Cookie: a_name=secret; Path=/q/X"
    assert opened_by(Reply(303, head, b"", 0)) == Opened("name", "secret")
    assert hidden_value(b'<input type="hidden" name="ticket" value="abc">', "ticket") == "abc"
    with pytest.raises(Refused):
        opened_by(Reply(422, b"HTTP/1.1 422 x", b"", 0))


def test_what_a_page_fetches_is_found() -> None:
    page = '<link rel="icon" href="/i.svg"><link rel="canonical" href="/p"><script type="module" src="/a.js"></script>'
    assert references(page) == ["/i.svg", "/a.js"]
    assert imports('import {\n a } from "./b.js"; import "./c.js"') == ["./b.js", "./c.js"]


def test_a_target_is_met_or_missed_and_written_down(tmp_path: Path) -> None:
    results = Results()
    results.add(Result("autosave", 1.2, 1.0, "CPU-ms", "sqlite", 16, target=1.3))
    results.add(Result("rate", 700.0, 1000.0, "requests/s", "sqlite", 16, target=-0.75))
    results.add(Result("page", 29.0, None, "KB", target=30, absolute=True))
    results.write(tmp_path / "bench.json")
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert [row["ratio"] for row in rows] == [1.2, 0.7, None]
    assert [row["note"].endswith("missed") for row in rows] == [False, True, False]
    assert set(rows[0]) == {"name", "ours", "floor", "ratio", "unit", "connections", "database", "note"}


def test_an_acknowledged_answer_that_is_not_stored_is_missed(
    either_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = either_database.url.set(drivername="sqlite" if either_database.is_sqlite else "postgresql").render_as_string(
        hide_password=False
    )
    with either_database.session() as db:
        with transaction(db):
            delivery = make_delivery(db, items=2)
        started = begin(db, delivery, keys)
        name, code = started.attempt.public_id, delivery.poster_code
        with transaction(db):
            started.attempt.accepts_until = started.attempt.deadline_at = to_ms(START.replace(year=2100))
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.delenv("FLOOR", raising=False)
    app = create_app()
    client = app.test_client()
    client.set_cookie(f"a_{name}", started.secret, path=f"/q/{code}")
    body = {"items": [{"position": 1, "answer": "b", "sequence": 1}]}
    reply = client.post(f"/q/{code}/a/{name}/answers", json=body)
    assert reply.json["results"] == [{"position": 1, "status": "saved"}]
    assert client.post(f"/q/{code}/a/{name}/answers", json=body).json["results"][0]["status"] == "closed"
    app.extensions["base"].close()
    assert missing(url, Burst(acknowledged={name: {1: (1, "b")}})) == 0
    assert missing(url, Burst(acknowledged={name: {1: (1, "a"), 2: (2, "a")}})) == 2
