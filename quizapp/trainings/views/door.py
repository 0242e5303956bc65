"""What a browser at the door keeps, and a door of its own for the commonest check-in.

`right`: what opening a rotating code was exchanged for, below the session's address only. `checked_in`: the check-in that this browser
made, so that it can look at its confirmation for a quarter of an hour and check out at the end. Both are signed, neither holds a name.

Forty phones press at once, and routing, session, account and the forms' guard cost more than one check-in does. A form of a right goes
to `DoorFirst`, which stores a plain one in a single statement; everything else, and everything that has more to say than "in", goes on
to the whole application unchanged.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from flask import request
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from quizapp.core.clock import to_ms
from quizapp.core.hot import HotConnections
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.tokens import Keys, digest, new_secret
from quizapp.core.web import Runtime, get_keys, get_runtime
from quizapp.organisation.services import clean_name
from quizapp.quizzes.views.access import DEVICE_COOKIE, keep_device
from quizapp.trainings.rotating import PROOF_MS, Right
from quizapp.trainings.services import Typed, take_quickly
from quizapp.ui.error_pages import STORE_ERRORS
from quizapp.ui.headers import ALWAYS

#: How long a browser can look at its result again, milliseconds.
RESULT_MS = 15 * 60 * 1000
RESULT_COOKIE = "checked_in"
RIGHT_COOKIE = "right"
#: Longest form of the quick door, bytes.
_FORM_BYTES = 4096
_NAME_LENGTH = 40


@dataclass(frozen=True)
class Kept:
    """What this browser did at a session: the attendance, how it ended ("in", "again", "pending", "out"), and when."""

    attendance_id: int
    kind: str
    at_ms: int

    def shown(self, now_ms: int) -> bool:
        """Whether the confirmation may still be looked at."""
        return now_ms - self.at_ms <= RESULT_MS


def keep_right(response: Response, right: Right) -> None:
    """Put a right into this browser."""
    _set(response, get_runtime(), RIGHT_COOKIE, right.sealed(get_keys()), right.session_code)


def right_here(session_code: str, now_ms: int) -> Right | None:
    """The right that this browser has for a session."""
    return Right.opened(get_keys(), session_code, request.cookies.get(RIGHT_COOKIE), now_ms)


def keep_result(response: Response, runtime: Runtime, session_code: str, kept: Kept) -> None:
    """Let this browser look at what it did."""
    parts = (kept.attendance_id, kept.kind, kept.at_ms)
    signature = runtime.keys.sign("checked-in", session_code, *parts)
    _set(response, runtime, RESULT_COOKIE, ".".join(map(str, (*parts, signature))), session_code)


def result_here(session_code: str, now_ms: int) -> Kept | None:
    """What this browser did at a session within the last day."""
    number, kind, at_ms, signature = ([*request.cookies.get(RESULT_COOKIE, "").split("."), "", "", ""])[:4]
    if not (number.isdecimal() and at_ms.isdecimal() and signature.isascii()):
        return None
    if not get_keys().verify(signature, "checked-in", session_code, number, kind, at_ms):
        return None
    kept = Kept(int(number), kind, int(at_ms))
    return kept if now_ms - kept.at_ms <= PROOF_MS else None


def _set(response: Response, runtime: Runtime, name: str, value: str, session_code: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=PROOF_MS // 1000,
        path=f"/s/{session_code}",
        httponly=True,
        samesite="Lax",
        secure=runtime.settings.https,
    )


def form_is_ours(keys: Keys, right: Right, token: str) -> bool:
    """Whether a form carries the signature of this right."""
    return token.isascii() and keys.verify(token, "right-form", right.session_code, right.nonce)


class DoorFirst:
    """WSGI middleware: a plain check-in by a right is stored here; everything else goes on."""

    def __init__(self, whole: Callable[..., Iterable[bytes]], runtime: Runtime) -> None:
        self.whole = whole
        self.hot = HotConnections(runtime.database, name="door", durable=True)
        self._runtime = runtime

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Tell one from the other."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST" and path.startswith("/s/") and path.endswith("/check-in"):
            response = self._take(environ, path[3:-9])
            if response is not None:
                return response(environ, start_response)
        return self.whole(environ, start_response)

    def _take(self, environ: dict[str, Any], code: str) -> Response | None:
        length = environ.get("CONTENT_LENGTH") or ""
        if not length.isdecimal() or int(length) > _FORM_BYTES:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        runtime = self._runtime
        now = runtime.clock()
        cookies = parse_cookie(environ.get("HTTP_COOKIE"))
        right = Right.opened(runtime.keys, code, cookies.get(RIGHT_COOKIE), to_ms(now))
        typed = _typed(body) if right else None
        if right is None or typed is None or not form_is_ours(runtime.keys, right, typed[1]):
            return None
        device = cookies.get(DEVICE_COOKIE) or ""
        if len(device) != 22:
            return None
        try:
            with self.hot.run() as run:
                attendance_id = take_quickly(
                    run,
                    session_code=code,
                    typed=typed[0],
                    right=right,
                    device_hash=digest(device),
                    keys=runtime.keys.current(),
                    now=now,
                )
        except STORE_ERRORS:
            return None  # the whole application has the words
        if attendance_id is None:
            return None
        response = Response(status=303, headers=[("Location", f"/s/{code}/in"), *ALWAYS, ("Cache-Control", "no-store")])
        keep_result(response, runtime, code, Kept(attendance_id, "in", to_ms(now)))
        return response


def _typed(body: bytes) -> tuple[Typed, str] | None:
    """Name and phone of a plain form with its token; None where anything else was asked or filled in, or is amiss."""
    try:
        fields = {name: values[-1] for name, values in parse_qs(body.decode(), max_num_fields=20).items()}
        name, phone = fields["name"], normalize_phone(fields["phone"])
    except (KeyError, ValueError, PhoneInvalid):
        return None
    if (
        len(name) > _NAME_LENGTH
        or not clean_name(name)
        or fields.keys() - {"name", "phone", "form_token", "unit_id_query"}
    ):
        return None
    return Typed(clean_name(name), phone), fields.get("form_token", "")


def give_device(response: Response) -> None:
    """See that this browser has a device token before its form is pressed."""
    token = request.cookies.get(DEVICE_COOKIE)
    keep_device(response, token if token and len(token) == 22 else new_secret())
