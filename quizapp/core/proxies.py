"""Whose forwarded headers are believed: those of the proxies named in TRUSTED_PROXIES, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

#: Where the address of the socket itself stands, whatever a proxy says.
SOCKET_ADDRESS = "quizapp.socket_address"
#: Whether that is one of the trusted proxies.
TRUSTED_PEER = "quizapp.trusted_peer"


class TrustedProxies:
    """WSGI middleware: visitor's address and scheme from `X-Forwarded-For` and `X-Forwarded-Proto` of a trusted proxy.

    The chain is read from its end: the visitor is the last address that is no trusted proxy. Whatever stands before it was written by
    the visitor and is not believed.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], networks: Iterable[str]) -> None:
        self.app = app
        self.networks = [ip_network(network, strict=False) for network in networks]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Correct the environment of one request."""
        peer = environ.get("REMOTE_ADDR", "")
        environ[SOCKET_ADDRESS] = peer
        environ[TRUSTED_PEER] = bool(self.networks) and self._trusted(peer)
        if environ[TRUSTED_PEER]:
            chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
            visitor = next((part for part in reversed(chain) if not self._trusted(part)), None)
            if visitor is not None and _address(visitor) is not None:
                environ["REMOTE_ADDR"] = visitor
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").strip()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)

    def _trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
