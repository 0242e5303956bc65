"""`quizapp accounts` on the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.cli import accounts
from quizapp.accounts.errors import UsernameTaken
from quizapp.accounts.models import AccountGrant, SecondFactor
from quizapp.accounts.queries import find_set_up
from quizapp.core.clock import system_clock
from quizapp.core.db import Database, transaction
from tests.factories import make_account, make_unit


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("INSTANCE", str(tmp_path))
    monkeypatch.setenv("PUBLIC_URL", "https://quiz.example.org")
    monkeypatch.setenv("DEMO", "0")
    return lambda *words, command="create": CliRunner().invoke(accounts, [command, *words])


def test_a_made_account_gets_a_link_that_works(run: Callable[..., Result], db: Session) -> None:
    with transaction(db):
        unit = make_unit(db, code="LJ-01")
    made = run("--username", "linxiao", "--role", "coordinator", "--unit", "lj-01")
    assert made.exit_code == 0
    link = made.stdout.strip()
    assert link.startswith("https://quiz.example.org/set-up/")
    assert find_set_up(db, link.rsplit("/", 1)[1], system_clock()).username == "linxiao"
    assert db.scalars(select(AccountGrant.unit_id)).one() == unit.id


def test_an_unused_link_is_printed_anew(run: Callable[..., Result], db: Session) -> None:
    words = ("--username", "linxiao", "--role", "administrator")
    first, second = run(*words).stdout, run(*words).stdout
    assert first != second
    assert find_set_up(db, second.strip().rsplit("/", 1)[1], system_clock()).username == "linxiao"


def test_a_taken_name_and_an_unknown_unit_are_refused(run: Callable[..., Result], db: Session) -> None:
    with transaction(db):
        make_account(db, username="linxiao")
    assert isinstance(run("--username", "linxiao", "--role", "trainer").exception, UsernameTaken)
    unknown = run("--username", "other", "--role", "trainer", "--unit", "nowhere")
    assert unknown.exit_code == 1
    assert "no unit has the code nowhere" in unknown.stderr


def test_a_second_factor_is_reset_from_the_terminal(run: Callable[..., Result], db: Session) -> None:
    with transaction(db):
        account = make_account(db, username="linxiao")
        db.add(SecondFactor(account_id=account.id, secret_sealed=b"sealed", enrolled_at=system_clock()))
    done = run("--username", "LinXiao", command="reset-second-factor")
    assert done.exit_code == 0
    assert db.scalars(select(SecondFactor)).all() == []
    unknown = run("--username", "nobody", command="reset-second-factor")
    assert unknown.exit_code == 1
    assert "nobody signs in as nobody" in unknown.stderr
