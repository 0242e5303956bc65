"""Every setting: its name in the environment, its default, its check. Read once, at the start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

#: name in the environment → what it means; `docs/operations.md` must describe each (a test compares).
SETTINGS: dict[str, str] = {
    "HOST": "address to listen on (127.0.0.1)",
    "PORT": "port to listen on (8000)",
    "PUBLIC_URL": "address that posters and QR codes carry (http://HOST:PORT)",
    "DATABASE_URL": "PostgreSQL, postgresql://user:password@host/name (default: the embedded SQLite file in INSTANCE)",
    "INSTANCE": "folder for the embedded database, keys and files (./instance)",
    "DEMO": "1 serves the demo district from its own database, 0 a real installation (0)",
    "WORKERS": "processes that answer requests (one per core)",
    "TRUSTED_PROXIES": "addresses or networks whose forwarded headers are believed, comma-separated (none)",
    "SECOND_FACTOR": "codes of an authenticator app at sign-in: off, optional, or required for staff (optional)",
    "EVIDENCE_DAYS": "days that photos of sessions and sign-in sheets are kept (365)",
    "ATTEMPT_DAYS": "days after which an attempt is cut off from phone, receipt and browser (1096)",
    "CONTACT_DAYS": "days that names and numbers of people who only typed them are kept after they were last here (365)",
    "AUDIT_DAYS": "days that the audit log is kept (1096, which is also the least)",
    "DATA_KEEPER": "who keeps the data, for the data notice",
    "DATA_CONTACT": "telephone or address for questions about the data",
    "ICP_FILING": "filing number for the foot of the pages, 京ICP备12345678号-1 (none)",
    "POLICE_FILING": "the police's filing number for the foot of the pages, 京公网安备11010502030143号 (none)",
    "SMTP_URL": "mail server for reminders, smtp://user:password@host:port or smtps://… (none: reminders stand on pages only)",
    "MAIL_FROM": "sender of these mails, needed with SMTP_URL",
}

#: Three years, a leap day included: the database itself refuses to delete younger rows of the log.
LEAST_AUDIT_DAYS = 1096
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")


_ICP = re.compile(r"[\u4e00-\u9fff]ICP[备证]\d{5,12}号(-\d{1,4})?")
_POLICE = re.compile(r"[\u4e00-\u9fff]公网安备 ?\d{10,14}号?")


class SettingInvalid(ValueError):
    """A setting cannot be used; the message names it and the cure."""


@dataclass(frozen=True)
class Settings:
    """The checked settings of one installation."""

    host: str
    port: int
    public_url: str
    database_url: str
    instance: Path
    demo: bool
    workers: int
    trusted_proxies: tuple[str, ...] = ()
    #: "off", "optional" or "required".
    second_factor: str = "optional"
    evidence_days: int = 365
    attempt_days: int = 1096
    contact_days: int = 365
    audit_days: int = LEAST_AUDIT_DAYS
    data_keeper: str = ""
    data_contact: str = ""
    icp_filing: str = ""
    police_filing: str = ""
    smtp_url: str = ""
    mail_from: str = ""

    @property
    def sends_mail(self) -> bool:
        """Whether there is a mail server."""
        return bool(self.smtp_url)

    @property
    def filings(self) -> list[tuple[str, str]]:
        """The filing numbers with the addresses to which they must lead."""
        found = [(self.icp_filing, "https://beian.miit.gov.cn/")] if self.icp_filing else []
        if self.police_filing:
            code = "".join(character for character in self.police_filing if character.isdecimal())
            found.append((self.police_filing, f"https://beian.mps.gov.cn/#/query/webSearch?code={code}"))
        return found

    @property
    def terms(self) -> dict[str, int]:
        """Kind of data → days that it is kept."""
        return {
            "attempts": self.attempt_days,
            "contact": self.contact_days,
            "photos": self.evidence_days,
            "audit": self.audit_days,
        }

    @property
    def https(self) -> bool:
        """Whether visitors come over https, so that cookies are marked Secure."""
        return self.public_url.startswith("https://")

    @property
    def keys_folder(self) -> Path:
        """Where the keys stand: apart from the database; the demo has its own."""
        return self.instance / ("demo-keys" if self.demo else "keys")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    name = host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment. Raises SettingInvalid with the name and the cure."""
    env = os.environ if environ is None else environ
    host = env.get("HOST") or "127.0.0.1"
    port = _whole(env, "PORT", 8000, 1, 65535)
    instance = Path(env.get("INSTANCE") or "instance").absolute()
    demo = (env.get("DEMO") or "0") not in ("0", "false", "no", "")
    public_url = (
        env.get("PUBLIC_URL") or f"http://{host if host not in ('0.0.0.0', '::') else '127.0.0.1'}:{port}"
    ).rstrip("/")
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingInvalid(f"PUBLIC_URL={public_url} is no address: write it as https://quiz.example.org")
    database_url = env.get("DATABASE_URL") or ""
    if demo and database_url:
        raise SettingInvalid(
            "DEMO=1 does not go with DATABASE_URL: the demo keeps to its own file. Set DEMO=0 for a real installation"
        )
    if demo and not is_loopback(parts.hostname):
        raise SettingInvalid(
            "DEMO=1 does not go with a PUBLIC_URL that others reach. Set DEMO=0 for a real installation"
        )
    if not database_url:
        database_url = f"sqlite:///{instance / ('demo.sqlite3' if demo else 'quizapp.sqlite3')}"
    elif not database_url.startswith(("postgresql://", "postgresql+psycopg://", "sqlite:///")):
        raise SettingInvalid("DATABASE_URL must begin with postgresql:// (or be left out for the embedded database)")
    return Settings(
        host=host,
        port=port,
        public_url=public_url,
        database_url=database_url,
        instance=instance,
        demo=demo,
        workers=_whole(env, "WORKERS", os.cpu_count() or 1, 1, 256),
        trusted_proxies=_networks(env.get("TRUSTED_PROXIES") or ""),
        second_factor=_one_of(env, "SECOND_FACTOR", "optional", ("off", "optional", "required")),
        evidence_days=_whole(env, "EVIDENCE_DAYS", 365, 1, 3650),
        attempt_days=_whole(env, "ATTEMPT_DAYS", 1096, 30, 36500),
        contact_days=_whole(env, "CONTACT_DAYS", 365, 30, 36500),
        audit_days=_whole(env, "AUDIT_DAYS", LEAST_AUDIT_DAYS, LEAST_AUDIT_DAYS, 36500),
        data_keeper=env.get("DATA_KEEPER") or "",
        data_contact=env.get("DATA_CONTACT") or "",
        icp_filing=_filing(env, "ICP_FILING", _ICP, "京ICP备12345678号-1"),
        police_filing=_filing(env, "POLICE_FILING", _POLICE, "京公网安备11010502030143号"),
        **_mail(env),
    )


def _mail(env: Mapping[str, str]) -> dict[str, str]:
    """The mail server and the sender: both or none. The message names no password."""
    url, sender = env.get("SMTP_URL") or "", env.get("MAIL_FROM") or ""
    if not url:
        return {}
    parts = urlsplit(url)
    try:
        good = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise SettingInvalid("SMTP_URL is no mail server: write it as smtp://user:password@mail.example.org:587")
    if "@" not in sender or any(character.isspace() for character in sender):
        raise SettingInvalid(f"MAIL_FROM={sender} is no address: with SMTP_URL write it as training@example.org")
    return {"smtp_url": url, "mail_from": sender}


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise SettingInvalid(f"{name}={text} must be a whole number from {low} to {high}")
    return int(text)


def _one_of(env: Mapping[str, str], name: str, default: str, values: tuple[str, ...]) -> str:
    text = env.get(name) or default
    if text not in values:
        raise SettingInvalid(f"{name}={text} must be {', '.join(values[:-1])} or {values[-1]}")
    return text


def _networks(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        try:
            ip_network(name, strict=False)
        except ValueError as error:
            raise SettingInvalid(f"TRUSTED_PROXIES: {name} is no address or network, such as 10.0.0.0/8") from error
    return names


def _filing(env: Mapping[str, str], name: str, form: re.Pattern[str], example: str) -> str:
    text = (env.get(name) or "").strip()
    if text and not form.fullmatch(text):
        raise SettingInvalid(f"{name}={text} is no filing number: write it as {example}")
    return text
