"""Forwarded headers are believed from trusted proxies alone."""

from __future__ import annotations

from typing import Any

import pytest

from quizapp.core.proxies import SOCKET_ADDRESS, TrustedProxies


def seen(peer: str, networks: tuple[str, ...], **headers: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        kept.update(environ)
        return []

    TrustedProxies(app, networks)({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}, lambda *_: None)
    return kept


@pytest.mark.parametrize(
    ("peer", "networks", "forwarded", "visitor"),
    [
        ("203.0.113.9", (), "1.2.3.4", "203.0.113.9"),
        ("203.0.113.9", ("10.0.0.0/8",), "1.2.3.4", "203.0.113.9"),
        ("10.0.0.2", ("10.0.0.0/8",), "1.2.3.4", "1.2.3.4"),
        ("10.0.0.2", ("10.0.0.0/8",), "6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
        ("10.0.0.2", ("10.0.0.0/8",), "", "10.0.0.2"),
        ("10.0.0.2", ("10.0.0.0/8",), "nonsense", "10.0.0.2"),
        ("::1", ("::1",), "2001:db8::5", "2001:db8::5"),
    ],
)
def test_the_visitor_is_the_last_address_that_is_no_proxy(
    peer: str, networks: tuple[str, ...], forwarded: str, visitor: str
) -> None:
    environ = seen(peer, networks, HTTP_X_FORWARDED_FOR=forwarded)
    assert (environ["REMOTE_ADDR"], environ[SOCKET_ADDRESS]) == (visitor, peer)


def test_the_scheme_comes_from_a_trusted_proxy_alone() -> None:
    assert seen("10.0.0.2", ("10.0.0.2",), HTTP_X_FORWARDED_PROTO="https")["wsgi.url_scheme"] == "https"
    assert seen("10.0.0.2", (), HTTP_X_FORWARDED_PROTO="https")["wsgi.url_scheme"] == "http"
    assert seen("10.0.0.2", ("10.0.0.2",), HTTP_X_FORWARDED_PROTO="javascript")["wsgi.url_scheme"] == "http"
