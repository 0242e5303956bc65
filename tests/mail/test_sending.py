"""Mail that waits, against a real mail server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.config import SettingInvalid, read_settings
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.jobs.worker import JobContext
from quizapp.mail import services
from quizapp.mail.models import OutgoingMail
from quizapp.mail.tasks import send_mail
from quizapp.trainings.models import Registration, TrainingSession
from quizapp.trainings.reminders import remind_of_sessions
from quizapp.trainings.services.registering import Reminders, cancel_own, lock_session, register_guest
from tests.conftest import START, FakeClock
from tests.trainings.registering import open_one

SENDER = "training@example.org"


class Post:
    """A mail server that keeps what it gets, and refuses while `refuses` holds an answer."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.refuses: str | None = None

    async def handle_RCPT(  # noqa: N802 # the library's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 # the same
        assert isinstance(envelope.content, bytes)
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    handler, port = Post(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


Turn = Callable[..., dict[str, int]]


@pytest.fixture
def turn(either_database: Database, make_app: Callable[..., Flask], post: tuple[Post, int]) -> Turn:
    """One turn of both tasks, as the worker runs them."""
    made: dict[int, Flask] = {}

    def run(port: int | None = None) -> dict[str, int]:
        number = post[1] if port is None else port
        app = made.setdefault(
            number,
            make_app(
                either_database,
                smtp_url=f"smtp://127.0.0.1:{number}",
                mail_from=SENDER,
                public_url="https://q.example.org",
            ),
        )
        context = JobContext(app.extensions["quizapp"], 0, 0)
        remind_of_sessions(context, {})
        return send_mail(context, {})

    return run


@pytest.fixture
def installation_keys(either_database: Database, make_app: Callable[..., Flask]) -> Keys:
    keys: Keys = make_app(either_database).extensions["quizapp"].keys
    return keys


def register(
    db: Session, session: TrainingSession, keys: Keys, number: int, address: str | None, language: str = "zh"
) -> Registration:
    sealed = services.seal_address(keys, address) if address else None
    with transaction(db):
        return register_guest(
            db,
            session=session,
            name=f"人{number}",
            phone=f"138{number:08}",
            secret_hash=f"{session.id}-{number}".encode(),
            reminders=Reminders(sealed, language),
            keys=keys,
            now=START,
        ).registration


def test_the_day_before_each_with_an_address_gets_one_reminder(
    either_db: Session, installation_keys: Keys, turn: Turn, post: tuple[Post, int], clock: FakeClock
) -> None:
    with transaction(either_db):
        session = open_one(either_db, starts_at=to_ms(START + timedelta(days=2)), place="党群服务中心二楼")
    register(either_db, session, installation_keys, 1, "zhou@example.com")
    register(either_db, session, installation_keys, 2, "smith@example.com", "en")
    register(either_db, session, installation_keys, 3, None)
    assert turn() == {}
    clock.forward(days=1, hours=-2)  # eight in the morning of the day before: not yet
    assert turn() == {}
    clock.forward(hours=1)
    assert turn() == {"sent": 2}
    assert turn() == {}
    clock.forward(hours=5)
    assert turn() == {}
    chinese, english = sorted(post[0].got, key=lambda mail: str(mail["To"]), reverse=True)
    assert chinese["To"] == "zhou@example.com"
    assert chinese["From"] == SENDER
    assert chinese["Subject"] == "提醒：明天 10:00 消防演练"
    text = chinese.get_content()
    assert "时间：2026年11月25日 周三 10:00–12:00" in text
    assert "地点：党群服务中心二楼" in text
    assert f"https://q.example.org/t/{session.page_code}" in text
    assert english["Subject"] == "Reminder: tomorrow 10:00 消防演练"
    assert "Wed 25 Nov 2026, 10:00–12:00" in english.get_content()
    assert chinese["Message-ID"] != english["Message-ID"]
    either_db.rollback()
    assert {row.address_encrypted for row in either_db.scalars(select(OutgoingMail))} == {None}
    clock.forward(days=3)
    turn()
    either_db.rollback()
    assert {row.email_encrypted for row in either_db.scalars(select(Registration))} == {None}


def test_moved_promoted_and_called_off_are_told_once_each(
    either_db: Session, installation_keys: Keys, turn: Turn, post: tuple[Post, int], clock: FakeClock
) -> None:
    with transaction(either_db):
        session = open_one(either_db, starts_at=to_ms(START + timedelta(days=9)), capacity=1)
    first = register(either_db, session, installation_keys, 1, None)
    register(either_db, session, installation_keys, 2, "second@example.com")
    assert turn() == {}
    clock.forward(minutes=1)
    with transaction(either_db):
        cancel_own(either_db, registration=first, now=clock.now)
    assert turn() == {"sent": 1}
    assert turn() == {}
    assert post[0].got[-1]["Subject"] == "有位了：消防演练"
    with transaction(either_db):
        moved = lock_session(either_db, session.id)
        moved.moved_from_at, moved.moved_from_place, moved.place = moved.starts_at, moved.place, "三楼"
        moved.starts_at += 3_600_000
        moved.ends_at += 3_600_000
        moved.revision += 1
    assert turn() == {"sent": 1}
    assert turn() == {}
    text = post[0].got[-1].get_content()
    assert "原定时间：2026年12月2日 周三 10:00" in text
    assert "原定地点：二楼" in text
    assert "时间：2026年12月2日 周三 11:00–13:00" in text
    with transaction(either_db):
        lock_session(either_db, session.id).cancelled_at = to_ms(clock.now)
    assert turn() == {"sent": 1}
    assert turn() == {}
    assert post[0].got[-1]["Subject"] == "取消了：消防演练"


def test_a_server_that_fails_is_tried_again_later_and_nothing_comes_twice(
    either_db: Session, installation_keys: Keys, turn: Turn, post: tuple[Post, int], clock: FakeClock
) -> None:
    with transaction(either_db):
        session = open_one(either_db, starts_at=to_ms(START + timedelta(hours=30)))
    for number in (1, 2):
        register(either_db, session, installation_keys, number, f"p{number}@example.com")
    with transaction(either_db):
        for row in either_db.scalars(select(Registration)):
            row.registered_at -= 86_400_000  # registered yesterday: today is their reminder
    nobody_listens = free_port()
    assert turn(nobody_listens) == {"failed": 2}
    assert turn() == {}  # it waits a minute
    clock.forward(minutes=1)
    post[0].refuses = "451 try later"
    assert turn() == {"failed": 2}
    clock.forward(minutes=1)
    assert turn() == {}  # five minutes after the second try
    clock.forward(minutes=4)
    post[0].refuses = "550 no such person"
    assert turn() == {"failed": 2}
    clock.forward(hours=3)
    post[0].refuses = None
    assert turn() == {}  # given up for good
    either_db.rollback()
    assert {(row.state, row.error) for row in either_db.scalars(select(OutgoingMail))} == {("failed", "refused_550")}
    assert post[0].got == []


def test_a_mail_whose_reason_is_gone_is_dropped(
    either_db: Session, installation_keys: Keys, turn: Turn, post: tuple[Post, int], clock: FakeClock
) -> None:
    with transaction(either_db):
        session = open_one(either_db, starts_at=to_ms(START + timedelta(hours=30)))
    row = register(either_db, session, installation_keys, 1, "p1@example.com")
    with transaction(either_db):
        row.registered_at -= 86_400_000
    assert turn(free_port()) == {"failed": 1}
    with transaction(either_db):
        cancel_own(either_db, registration=row, now=clock.now)
    clock.forward(minutes=2)
    assert turn() == {"dropped": 1}
    assert post[0].got == []


def test_after_the_last_pause_a_mail_is_given_up(either_db: Session, keys: Keys) -> None:
    now = START
    with transaction(either_db):
        services.queue_mail(
            either_db,
            "x",
            about_id=1,
            mark=0,
            address_sealed=services.seal_address(keys, "a@b.cn"),
            language="zh",
            now=now,
        )
        assert not services.queue_mail(
            either_db, "x", about_id=1, mark=0, address_sealed=b"again", language="zh", now=now
        )
    for _ in range(len(services.PAUSES) + 1):
        with transaction(either_db):
            (mail,) = services.take_due(either_db, now=now)
            assert services.take_due(either_db, now=now) == []  # taken is taken
            services.note_failed(either_db, mail.id, error="OSError", for_good=False, now=now)
        now += services.PAUSES[-1]
    with transaction(either_db):
        assert services.take_due(either_db, now=now) == []
    row = either_db.scalars(select(OutgoingMail)).one()
    assert (row.state, row.address_encrypted) == ("failed", None)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_password_goes_to_the_server(
    sqlite_database: Database, make_app: Callable[..., Flask], clock: FakeClock
) -> None:
    seen: list[LoginPassword] = []

    def allow(_server: SMTP, _session: Any, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        seen.append(data)
        return AuthResult(success=True)

    handler, port = Post(), free_port()
    controller = Controller(
        handler, hostname="127.0.0.1", port=port, authenticator=allow, auth_require_tls=False, auth_required=True
    )
    controller.start()
    try:
        app = make_app(sqlite_database, smtp_url=f"smtp://post:s%40cret@127.0.0.1:{port}", mail_from=SENDER)
        keys = app.extensions["quizapp"].keys
        with sqlite_database.session() as db:
            with transaction(db):
                session = open_one(db, starts_at=to_ms(START + timedelta(hours=30)))
            row = register(db, session, keys, 1, "p1@example.com")
            with transaction(db):
                row.registered_at -= 86_400_000
        context = JobContext(app.extensions["quizapp"], 0, 0)
        remind_of_sessions(context, {})
        assert send_mail(context, {}) == {"sent": 1}
    finally:
        controller.stop()
    assert (seen[0].login, seen[0].password) == (b"post", b"s@cret")


@pytest.mark.parametrize(
    "values",
    [
        {"SMTP_URL": "http://x", "MAIL_FROM": SENDER},
        {"SMTP_URL": "smtp://", "MAIL_FROM": SENDER},
        {"SMTP_URL": "smtp://user:secret@host:port", "MAIL_FROM": SENDER},
        {"SMTP_URL": "smtp://host"},
        {"SMTP_URL": "smtp://host", "MAIL_FROM": "no address"},
    ],
)
def test_a_wrong_setting_stops_the_start_and_tells_no_password(values: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid) as error:
        read_settings({**values, "INSTANCE": str(tmp_path)})
    assert "secret" not in str(error.value)


def test_without_a_mail_server_nothing_is_written_down(
    sqlite_database: Database, make_app: Callable[..., Flask], clock: FakeClock
) -> None:
    app = make_app(sqlite_database)
    with sqlite_database.session() as db:
        with transaction(db):
            session = open_one(db, starts_at=to_ms(START + timedelta(hours=30)))
        register(db, session, app.extensions["quizapp"].keys, 1, "p1@example.com")
        context = JobContext(app.extensions["quizapp"], 0, 0)
        clock.forward(hours=6)
        remind_of_sessions(context, {})
        assert send_mail(context, {}) == {}
        db.rollback()
        assert db.scalars(select(OutgoingMail)).all() == []
