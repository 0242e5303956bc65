"""The floor of a check-in: one token check, one insert, and for the way around it one read for each page.

The insert finds session and person by code and by hash of the phone number, as whoever inserts has to; it asks for no roster and no
place, and it lies behind SQLite's cheaper flush to the disk.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from hashlib import sha256
from typing import Any

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

#: The floor's own key.
KEY = b"floor"

CHECK_IN = """
INSERT INTO attendance (session_id, person_id, method, at_ms, self_at_ms, received_at, state, matched, right_hash, took_ms, note)
SELECT s.id, p.id, 'rotating', :now, :now, :now, 'counted', 'typed', :right, :took, ''
FROM training_session AS s JOIN person AS p ON p.phone_hash = :phone AND p.name = :name
WHERE s.code = :code
ON CONFLICT DO NOTHING
RETURNING id
"""
PERSON = """
INSERT INTO person (name, name_key, phone_hash, source, created_at)
VALUES (:name, :name, :phone, 'typed', '2026-11-23 02:00:00+00:00') RETURNING id
"""
SESSION = "SELECT id, title, place, starts_at, ends_at, check_in_from, check_in_until, closed_at FROM training_session WHERE code = :code"
DONE = "SELECT person.name, attendance.at_ms FROM attendance JOIN person ON person.id = person_id WHERE attendance.id = :id"


def sign(text: str) -> str:
    """A signature of the floor."""
    return hmac.new(KEY, text.encode(), sha256).hexdigest()


def phone_hash(phone: str) -> bytes:
    """What the floor looks a number up by."""
    return hmac.new(KEY, phone.encode(), sha256).digest()


def add_door(app: Flask, base: Any) -> None:
    """The addresses of the door."""

    def reply(content: object) -> Response:
        return Response(json.dumps(content, default=str), mimetype="application/json")

    @app.get("/s/<code>/<token>")
    def opened(code: str, token: str) -> BaseResponse:
        slot = time.time_ns() // 20_000_000_000
        if not any(hmac.compare_digest(sign(f"{code}.{slot - back}")[:8], token) for back in range(3)):
            return reply("old")
        right = f"{time.time_ns() // 1_000_000}.{secrets.token_urlsafe(16)}"
        found = redirect(f"/s/{code}", 303)
        found.set_cookie("right", f"{right}.{sign(right)}", path=f"/s/{code}", httponly=True, samesite="Lax")
        return found

    @app.get("/s/<code>")
    def form(code: str) -> Response:
        return reply(base.run(SESSION, {"code": code}))

    @app.post("/s/<code>/check-in")
    def check_in(code: str) -> BaseResponse:
        right, _, signature = request.cookies.get("right", "").rpartition(".")
        if not hmac.compare_digest(sign(right), signature):
            return reply("no right")
        now = time.time_ns() // 1_000_000
        values = {
            "code": code,
            "now": now,
            "right": sha256(right.encode()).digest(),
            "took": now - int(right.split(".")[0]),
            "phone": phone_hash(request.form["phone"]),
            "name": request.form["name"],
        }
        rows = base.run(CHECK_IN, values)
        if not rows:
            base.run(PERSON, values)
            rows = base.run(CHECK_IN, values)
        found = redirect(f"/s/{code}/in", 303)
        found.set_cookie("checked_in", str(rows[0][0]), path=f"/s/{code}", httponly=True, samesite="Lax")
        return found

    @app.get("/s/<code>/in")
    def done(code: str) -> Response:  # noqa: ARG001
        return reply(base.run(DONE, {"id": int(request.cookies["checked_in"])}))
