"""Handing mails to a mail server. Whatever goes wrong comes back as an outcome; nothing is raised."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from quizapp.config import is_loopback

#: Seconds that the server may take for one step.
TIMEOUT = 20


@dataclass(frozen=True)
class Server:
    """A mail server as `SMTP_URL` names it."""

    host: str
    port: int
    user: str
    password: str
    #: TLS from the first byte (smtps); otherwise STARTTLS where the server offers it.
    tls: bool

    @classmethod
    def read(cls, url: str) -> Server:
        """From a checked address."""
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname or "",
            port=parts.port or (465 if tls else 587),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=tls,
        )


@dataclass(frozen=True)
class Parcel:
    """One mail, ready to go."""

    mail_id: int
    message: EmailMessage


@dataclass(frozen=True)
class Outcome:
    """How a try ended: `error` None for success, else a code; `for_good` when another try is no use."""

    mail_id: int
    error: str | None = None
    for_good: bool = False


def make_message(
    *, sender: str, address: str, subject: str, text: str, public_id: str, language: str, now: datetime
) -> EmailMessage:
    """A plain text mail. Raises ValueError for an address that cannot stand in a header."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = address
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(now)
    domain = sender.rpartition("@")[2].strip("<> ")
    message["Message-ID"] = f"<{public_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "en" if language == "en" else "zh-CN"
    message.set_content(text, cte="base64")
    return message


def send(server: Server, parcels: Iterable[Parcel]) -> Iterator[Outcome]:
    """Send mails over one connection, a new one after trouble; each outcome comes as soon as it is known."""
    client: smtplib.SMTP | None = None
    try:
        for parcel in parcels:
            try:
                client = client or _connect(server)
                client.send_message(parcel.message)
            except smtplib.SMTPRecipientsRefused as error:
                code = next(iter(error.recipients.values()))[0]
                yield Outcome(parcel.mail_id, f"refused_{code}", for_good=code >= 500)
            except smtplib.SMTPResponseException as error:
                _close(client)
                client = None
                yield Outcome(parcel.mail_id, f"answer_{error.smtp_code}")
            except (smtplib.SMTPException, OSError) as error:
                _close(client)
                client = None
                yield Outcome(parcel.mail_id, type(error).__name__)
            else:
                yield Outcome(parcel.mail_id)
    finally:
        _close(client)


def trouble_with(server: Server) -> str | None:
    """Connect, sign in, and leave: None when the server takes us, else a code. Nothing is sent."""
    try:
        _close(_connect(server))
    except smtplib.SMTPResponseException as error:
        return f"answer_{error.smtp_code}"
    except (smtplib.SMTPException, OSError) as error:
        return type(error).__name__
    return None


def _connect(server: Server) -> smtplib.SMTP:
    if server.tls:
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        client.ehlo()
        if not server.tls and client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
        elif not server.tls and server.user and not is_loopback(server.host):
            raise smtplib.SMTPNotSupportedError("no STARTTLS: the password is not sent in clear")
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        _close(client)
        raise
    return client


def _close(client: smtplib.SMTP | None) -> None:
    if client is not None:
        try:
            client.quit()
        except (smtplib.SMTPException, OSError):
            client.close()
