"""What an installation stands on."""

from __future__ import annotations

import shutil
import stat
import urllib.error
import urllib.request
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from sqlalchemy import func, select, text

from quizapp.audit.models import AuditEvent
from quizapp.core.errors import DomainError
from quizapp.core.tokens import PHONE_KEY_BEFORE, PHONE_KEY_NEXT
from quizapp.core.typesetting import chinese_family
from quizapp.mail import sending
from quizapp.operations.doctor.findings import Finding
from quizapp.operations.installation import Installation
from quizapp.organisation.models import Person
from quizapp.ui.build import DIST

#: Megabytes that must be free; beside them a copy of the database must fit for a backup.
_FREE_MB = 500
#: A clock may differ so much: codes that rotate and signed times bear it.
_DRIFT = timedelta(seconds=5)
#: What is dated later than this from now was written under another clock.
_FUTURE = timedelta(minutes=1)
_SECONDS = 5


def keys(installation: Installation) -> list[Finding]:
    """Closed to others, and those that the stored numbers were hidden with."""
    folder = installation.settings.keys_folder
    files = sorted(folder.glob("*.key"))
    open_to_others = [path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]
    findings = [
        Finding(
            "keys",
            not open_to_others,
            f"{folder}, readable by this account alone"
            if not open_to_others
            else f"others can read {', '.join(open_to_others)}",
            f"Run: chmod 600 {folder}/*.key",
        )
    ]
    if any((folder / name).exists() for name in (PHONE_KEY_NEXT, PHONE_KEY_BEFORE)):
        words = "its change was begun and has not ended; everything can be read meanwhile"
        findings.append(Finding("key of telephone numbers", False, words, "Run: quizapp keys rotate"))
    with installation.database.session() as db:
        hidden = db.scalar(select(Person.phone_encrypted).where(Person.phone_encrypted.is_not(None)).limit(1))
    if hidden is not None:
        fits = installation.keys.decrypt_phone(hidden) is not None
        findings.append(
            Finding(
                "key of telephone numbers",
                fits,
                "opens what is stored" if fits else "does not open the stored numbers",
                f"It is another key: copy the one of this installation to {folder}/phone.key",
            )
        )
    return findings


def disk(installation: Installation) -> Finding:
    """Room for what comes, and for a backup."""
    folder, database = installation.settings.instance, installation.database
    size = Path(database.sqlite_path).stat().st_size if database.is_sqlite else 0
    needed = (_FREE_MB << 20) + 2 * size
    free = shutil.disk_usage(folder).free
    return Finding(
        "disk",
        free >= needed,
        f"{free >> 20} MB free where {folder} stands",
        f"At least {needed >> 20} MB should be: make room, or move INSTANCE to a larger disk",
    )


def clock(installation: Installation, time_from: str | None) -> Finding:
    """Against the database server, against what was written here before, and against the web where an address is given."""
    now, told = installation.clock(), []
    with installation.database.session() as db:
        if not installation.database.is_sqlite:
            there = db.scalar(text("SELECT clock_timestamp()"))
            told.append(("the database server", there, _DRIFT))
        last = db.scalar(select(func.max(AuditEvent.at)))
        if last is not None and last > now + _FUTURE:
            told.append(("the newest entry of the audit log", last, _FUTURE))
    if time_from is not None:
        try:
            told.append((time_from, _asked_time(time_from), timedelta(seconds=30)))
        except (OSError, ValueError, TypeError) as error:
            return Finding("clock", False, f"{time_from} tells no time ({error})", "Name an address that answers")
    for who, theirs, allowed in told:
        if theirs is not None and abs(theirs - now) > allowed:
            seconds = round((now - theirs).total_seconds())
            words = f"{abs(seconds)} seconds {'ahead of' if seconds > 0 else 'behind'} {who}"
            return Finding("clock", False, words, "Let the machine follow a time server: timedatectl set-ntp true")
    names = ", ".join(who for who, _, _ in told)
    return Finding("clock", True, f"{now:%Y-%m-%d %H:%M:%S} UTC" + (f", as {names}" if names else ""))


def _asked_time(url: str) -> object:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 # named by whoever runs the command
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310 # the same
            stamp = reply.headers["Date"]
    except urllib.error.HTTPError as refusal:
        stamp = refusal.headers["Date"]
    return parsedate_to_datetime(stamp)


def pages() -> Finding:
    """Styles and scripts."""
    built = (DIST / "manifest.json").is_file()
    return Finding("pages", built, "built" if built else "styles and scripts are not built", "Run: make install")


def fonts() -> Finding:
    """A Chinese face for PDFs."""
    try:
        return Finding("fonts", True, f"PDFs are set in {chinese_family()}")
    except DomainError:
        return Finding(
            "fonts",
            False,
            "no Chinese face: posters, cards and certificates cannot be printed",
            "Run: make install (Debian: apt-get install fonts-noto-cjk)",
        )


def mail(installation: Installation) -> Finding:
    """Whether the mail server takes us; nothing is sent."""
    settings = installation.settings
    if not settings.sends_mail:
        return Finding("mail", True, "no SMTP_URL: reminders stand on pages only")
    server = sending.Server.read(settings.smtp_url)
    trouble = sending.trouble_with(server)
    return Finding(
        "mail",
        trouble is None,
        f"{server.host} takes mail from here" if trouble is None else f"{server.host} refuses ({trouble})",
        "Correct SMTP_URL: host, port, user and password; its port must be reachable from here",
    )


def data_notice(installation: Installation) -> Finding:
    """Who keeps the data."""
    settings = installation.settings
    named = bool(settings.demo or (settings.data_keeper and settings.data_contact))
    return Finding(
        "data notice",
        named,
        "names its keeper" if named else "does not say who keeps the data",
        "Set DATA_KEEPER and DATA_CONTACT",
    )
