"""A visitor of the staff pages in tests: signs in through the page, reads forms as a browser would."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD


def csrf_of(client: FlaskClient, url: str) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(url).text)
    assert found, f"{url} has no form"
    return found[1]


def send(client: FlaskClient, url: str, page: str | None = None, **values: Any) -> TestResponse:
    """Post a form that stands on `page` (or on the address itself)."""
    return client.post(url, data={"csrf_token": csrf_of(client, page or url), **values})


def sign_in(client: FlaskClient, login: str, password: str = PASSWORD, **values: Any) -> TestResponse:
    """Sign in through the page, to be remembered (for 31 days) unless `remember` is empty: tests let days pass."""
    return send(client, "/sign-in", **{"login": login, "password": password, "remember": "y", **values})
