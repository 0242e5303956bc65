"""`quizapp doctor`: what is wrong with an installation, in plain words, and the cure of each.

ground.py    what it stands on: keys, disk, clock, built pages, faces, mail
storage.py   the database: schema, durability, the audit log's guard, jobs, the last backup
address.py   what phones reach: PUBLIC_URL, https, and what really arrives through the proxies
"""

from __future__ import annotations

from quizapp.operations.doctor import address, ground, storage
from quizapp.operations.doctor.findings import Finding
from quizapp.operations.installation import Installation


def examine(installation: Installation, *, online: bool = False, time_from: str | None = None) -> list[Finding]:
    """Look at everything, the ground first. `online`: also ask the running site by its PUBLIC_URL; `time_from`: an address of the web
    whose clock is compared."""
    findings = [*storage.schema(installation), *ground.keys(installation), ground.disk(installation)]
    findings += [ground.clock(installation, time_from), ground.pages(), ground.fonts()]
    findings += address.examine(installation, online=online)
    findings += [ground.mail(installation), ground.data_notice(installation)]
    return findings


__all__ = ["Finding", "examine"]
