"""What phones reach: the address on posters, https, and what really arrives through the proxies."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from quizapp import __version__
from quizapp.config import is_loopback
from quizapp.core.clock import to_ms
from quizapp.operations.doctor.findings import Finding
from quizapp.operations.installation import Installation
from quizapp.operations.probe import probe_path

#: An address of the range for documentation: a server that believes it believes anything.
_FORGED = "203.0.113.77"
_SECONDS = 8


def examine(installation: Installation, *, online: bool) -> list[Finding]:
    """The address as it is set; `online`: also as it answers."""
    settings = installation.settings
    local = is_loopback(urlsplit(settings.public_url).hostname or "")
    findings = [
        Finding(
            "address",
            settings.demo or not local,
            settings.public_url,
            "Posters carry PUBLIC_URL: set it to the address that phones reach",
        ),
        Finding(
            "https",
            settings.https or local,
            "yes" if settings.https else "no",
            "Put a proxy with a certificate before it (docs/deploy/) and set PUBLIC_URL=https://…",
        ),
        _trusted(installation),
    ]
    if online:
        findings += _asked(installation)
    return findings


def _trusted(installation: Installation) -> Finding:
    trusted = installation.settings.trusted_proxies
    everybody = [name for name in trusted if ip_network(name, strict=False).prefixlen == 0]
    return Finding(
        "trusted proxies",
        not everybody,
        ", ".join(trusted) or "none: forwarded headers are ignored",
        "That believes everybody: name the addresses of your proxies in TRUSTED_PROXIES",
    )


def _asked(installation: Installation) -> list[Finding]:
    """Ask the site as a phone would, with a forged header, and compare what arrived."""
    public_url = installation.settings.public_url
    url = public_url + probe_path(installation.keys, to_ms(installation.clock()))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"X-Forwarded-For": _FORGED})  # noqa: S310 # our own address
    try:
        with opener.open(request, timeout=_SECONDS) as reply:
            arrived = json.loads(reply.read(10_000))
    except urllib.error.HTTPError as refusal:
        refusal.close()
        cure = "Another program or installation answers there, or the keys differ: look at the proxy's address and at INSTANCE"
        return [Finding("site", False, f"{public_url} answers {refusal.code}, not as this installation", cure)]
    except (OSError, ValueError) as error:
        return [_unreached(public_url, error)]
    return judge(arrived, public_url)


def _unreached(public_url: str, error: Exception) -> Finding:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        words, cure = f"its certificate is not good ({reason.verify_message})", "Renew it, with the whole chain"
    elif isinstance(reason, socket.gaierror):
        words, cure = "its name leads nowhere", "Enter the name in the DNS, or correct PUBLIC_URL"
    else:
        words = f"nobody answers from here ({reason})"
        cure = (
            "Start quizapp serve and the proxy; where this machine cannot reach its own public address, use --offline"
        )
    return Finding("site", False, f"{public_url}: {words}", cure)


def judge(arrived: dict[str, Any], public_url: str) -> list[Finding]:
    """What the headers that arrived say about the proxies."""
    public, chain, peer = urlsplit(public_url), arrived["forwarded_for"], arrived["peer"]
    running = str(arrived["version"])
    findings = [
        Finding(
            "site",
            running == __version__,
            f"{public_url} answers, version {running}",
            f"Restart it: this is version {__version__}",
        )
    ]

    def fault(words: str, cure: str) -> None:
        findings.append(Finding("proxy headers", False, words, cure))

    proxied = chain != [_FORGED] or bool(arrived["forwarded_proto"])
    if proxied and not arrived["trusted"]:
        fault(f"a proxy at {peer} is not believed: all visitors look like one", f"Set TRUSTED_PROXIES={peer}")
    if arrived["trusted"] and chain == [_FORGED]:
        fault("the proxy lets visitors claim any address", "Let it set X-Forwarded-For itself, as in docs/deploy/")
    if arrived["scheme"] != public.scheme:
        fault(
            f"requests arrive as {arrived['scheme']}, not {public.scheme}",
            "Let the proxy send X-Forwarded-Proto, and name it in TRUSTED_PROXIES",
        )
    if arrived["host"] != public.netloc:
        fault(
            f"requests arrive for {arrived['host']}, not {public.netloc}",
            "Let the proxy pass on Host: without it old browsers cannot save answers",
        )
    if len(findings) == 1:
        words = f"arrive as they should through {peer}" if arrived["trusted"] else "no proxy, and none is believed"
        findings.append(Finding("proxy headers", True, words))
    return findings
