"""What a phone sends, to ours and to the floor."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from benchmarks.ground import Ground, Opened
from benchmarks.load import Ask, Reply, request

#: Questions of the paper.
ITEMS = 50
_FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """A step of a phone got another reply than it needs."""


def save_request(code: str, attempt: Opened, position: int, answer: str, sequence: int) -> bytes:
    """One answer."""
    body = json.dumps({"items": [{"position": position, "answer": answer, "sequence": sequence}]}).encode()
    path = f"/q/{code}/a/{attempt.public_id}/answers"
    return request("POST", path, cookies=attempt.cookie, body=body, kind="application/json")


def is_saved(reply: Reply) -> bool:
    """Whether the reply acknowledges the answer."""
    return reply.status == 200 and b'"status": "saved"' in reply.body


class Numbers:
    """Rising sequences for every attempt of a side, so that each save is a newer one."""

    def __init__(self) -> None:
        self._next: dict[str, Iterator[int]] = {}

    def take(self, attempt: Opened) -> int:
        """The next sequence of an attempt."""
        return next(self._next.setdefault(attempt.public_id, itertools.count(1)))


def saves(code: str, attempt: Opened, numbers: Numbers, count: int | None = None) -> Iterator[bytes]:
    """Answers of one attempt, position after position; without end unless `count` is given."""
    for _ in range(count) if count is not None else itertools.count():
        sequence = numbers.take(attempt)
        yield save_request(code, attempt, (sequence - 1) % ITEMS + 1, "ab"[sequence // ITEMS % 2], sequence)


def hidden_value(page: bytes, name: str) -> str:
    """The value of a hidden field of a page. Raises Refused."""
    found = re.search(rb'name="' + name.encode() + rb'" value="([^"]*)"', page)
    if found is None:
        raise Refused(f"no field {name}")
    return found[1].decode()


def cookies_of(reply: Reply) -> list[str]:
    """The cookies that a reply sets, name=value."""
    return [value.split(";", 1)[0] for value in reply.headers("set-cookie")]


def opened_by(reply: Reply) -> Opened:
    """The attempt whose cookie a reply sets. Raises Refused."""
    for cookie in cookies_of(reply):
        name, _, value = cookie.partition("=")
        if name.startswith("a_"):
            return Opened(name[2:], value)
    raise Refused(f"no attempt: status {reply.status}")


class OursSide:
    """The pages of the product."""

    name = "ours"

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.code = ground.code

    def form_request(self) -> bytes:
        """Open the start form."""
        return request("GET", f"/q/{self.code}/start")

    def start_request(self, form: Reply) -> bytes:
        """Send the filled start form."""
        fields = {
            "csrf_token": hidden_value(form.body, "csrf_token"),
            "ticket": hidden_value(form.body, "ticket"),
            "unit_id": str(self._ground.unit_id),
            "under_14": "no",
            "birth_year": "1980",
            "sex": "female",
            "education": "senior",
            "consent": "y",
        }
        body = urlencode(fields, quote_via=quote).encode()
        return request("POST", f"/q/{self.code}/start", cookies="; ".join(cookies_of(form)), body=body, kind=_FORM)

    async def begin(self, ask: Ask) -> Opened:
        """Open the form and send it. Raises Refused and Unanswered."""
        form = await ask(self.form_request())
        if form.status != 200:
            raise Refused(f"start form: status {form.status}")
        return opened_by(await ask(self.start_request(form)))

    def question_request(self, attempt: Opened, position: int = 1) -> bytes:
        """Open a question's page."""
        return request("GET", f"/q/{self.code}/a/{attempt.public_id}/{position}", cookies=attempt.cookie)

    def questions_request(self, attempt: Opened) -> bytes:
        """Fetch all questions for the page's script."""
        return request("GET", f"/q/{self.code}/a/{attempt.public_id}/questions", cookies=attempt.cookie)

    def submit_request(self, attempt: Opened, token: str) -> bytes:
        """Hand in."""
        body = urlencode({"form_token": token}).encode()
        path = f"/q/{self.code}/a/{attempt.public_id}/submit"
        return request("POST", path, cookies=attempt.cookie, body=body, kind=_FORM)


class FloorSide:
    """The same work behind the floor's bare addresses."""

    name = "floor"

    def __init__(self, ground: Ground) -> None:
        self.code = ground.code

    def start_request(self) -> bytes:
        """Draw, insert."""
        return request("POST", f"/q/{self.code}/start", kind=_FORM)

    async def begin(self, ask: Ask) -> Opened:
        """One request. Raises Refused and Unanswered."""
        return opened_by(await ask(self.start_request()))

    def submit_request(self, attempt: Opened) -> bytes:
        """Hand in."""
        path = f"/q/{self.code}/a/{attempt.public_id}/submit"
        return request("POST", path, cookies=attempt.cookie, kind=_FORM)


def scan_request(code: str) -> bytes:
    """Open what the poster's code shows."""
    return request("GET", f"/q/{code}")


def result_request(code: str, attempt: Opened) -> bytes:
    """Open the result."""
    return request("GET", f"/q/{code}/a/{attempt.public_id}/result", cookies=attempt.cookie)
