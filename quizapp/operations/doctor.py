"""What is wrong with an installation, and the cure of each."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from urllib.parse import urlsplit

from quizapp.config import is_loopback
from quizapp.core import migrate
from quizapp.operations.installation import Installation
from quizapp.ui.build import DIST


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do where it is not good."""

    name: str
    good: bool
    found: str
    cure: str = ""

    def __str__(self) -> str:
        line = f"{'ok   ' if self.good else 'fault'} {self.name}: {self.found}"
        return line if self.good else f"{line}. {self.cure}"


def examine(installation: Installation) -> list[Finding]:
    """Look at schema, keys, built files and the address, in this order."""
    settings = installation.settings
    findings = [_schema(installation), _keys(installation)]
    built = (DIST / "manifest.json").is_file()
    findings.append(
        Finding("pages", built, "built" if built else "styles and scripts are not built", "Run: make install")
    )
    fonts = any((DIST / "fonts").glob("*.ttf"))
    findings.append(
        Finding(
            "fonts", fonts, "Chinese faces for PDFs stand" if fonts else "no Chinese face for PDFs", "Run: make install"
        )
    )
    host = urlsplit(settings.public_url).hostname or ""
    local = is_loopback(host)
    findings.append(
        Finding(
            "address",
            settings.demo or not local,
            settings.public_url,
            "Posters carry PUBLIC_URL: set it to the address that phones reach",
        )
    )
    findings.append(
        Finding(
            "https",
            settings.https or local,
            "yes" if settings.https else "no",
            "Put a proxy with a certificate before it and set PUBLIC_URL=https://…",
        )
    )
    named = bool(settings.demo or (settings.data_keeper and settings.data_contact))
    findings.append(
        Finding(
            "data notice",
            named,
            "names its keeper" if named else "does not say who keeps the data",
            "Set DATA_KEEPER and DATA_CONTACT",
        )
    )
    return findings


def _schema(installation: Installation) -> Finding:
    current, head = migrate.current(installation.database), migrate.head()
    return Finding("database", current == head, f"revision {current}, newest {head}", "Run: quizapp init")


def _keys(installation: Installation) -> Finding:
    folder = installation.settings.keys_folder
    open_to_others = [path.name for path in folder.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
    return Finding(
        "keys",
        not open_to_others,
        f"{folder}, readable by this account alone" if not open_to_others else f"{folder} can be read by others",
        f"Run: chmod 600 {folder}/*",
    )
