"""A browser without scripts that practises."""

from __future__ import annotations

import re
from html import unescape

from flask import Flask
from werkzeug.test import TestResponse

from quizapp.accounts.models import Account
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor
from quizapp.core.web import Runtime
from tests.factories import RIGHT, make_account

WRONG = {"single_choice": "a", "true_false": "f", "multiple_choice": "a"}


def sign_in(app: Flask, database: Database, **values: object) -> Account:
    """Make every request of an application come from one new account."""
    with database.session() as db, transaction(db):
        account = make_account(db, **values)  # type: ignore[arg-type] # passed on as they are
    runtime: Runtime = app.extensions["quizapp"]
    runtime.load_actor = lambda: Actor(account.id, account.person_id, "周敏")
    return account


class Practiser:
    """Goes from question to question and keeps every byte that it saw."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page = ""
        self.address = ""
        self.seen: list[str] = []

    def open(self, address: str) -> TestResponse:
        """Open an address and follow where it leads."""
        response = self.client.get(address, follow_redirects=True)
        self._look(response)
        return response

    def _look(self, response: TestResponse) -> None:
        self.page = response.text
        self.address = response.request.full_path
        self.seen.append(response.text)

    @property
    def state(self) -> str:
        """asking, answered, done …"""
        found = re.search(r'data-state="(\w+)"', self.page)
        return found[1] if found else ""

    @property
    def position(self) -> int:
        """The number in the bar."""
        found = re.search(r'data-position="(\d+)"', self.page)
        return int(found[1]) if found else 0

    @property
    def kind(self) -> str:
        """The item's type, from what the page offers."""
        if 'value="t"' in self.page:
            return "true_false"
        return "multiple_choice" if 'type="checkbox"' in self.page else "single_choice"

    def fields(self) -> dict[str, str]:
        """The hidden fields of the answer's form."""
        form = re.search(r'<form id="answer".*?</form>', self.page, re.S)
        assert form, "no question stands on this page"
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))

    def send(self, *options: str, **changes: object) -> TestResponse:
        """Send the form with these options."""
        action = unescape(re.search(r'<form id="answer"\s+method="post"\s+action="([^"]*)"', self.page)[1])  # type: ignore[index]
        response = self.client.post(action, data={**self.fields(), "answer": list(options), **changes})
        if response.status_code == 303:
            self.open(response.location)
        else:
            self._look(response)
        return response

    def answer(self, right: bool) -> None:
        """Answer right or wrong and see the feedback."""
        self.send(*(RIGHT if right else WRONG)[self.kind].split(","))

    def next(self) -> None:
        """Follow the button of the feedback."""
        link = re.search(r'href="([^"]*)" data-next', self.page)
        assert link, "the page has no way on"
        self.open(unescape(link[1]))

    def item(self) -> str:
        """The version that the page asks."""
        return self.fields()["item"]

    def stem(self) -> str:
        """The question."""
        return re.search(r'<h1 class="stem">(.*?)</h1>', self.page)[1]  # type: ignore[index]
