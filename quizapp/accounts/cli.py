"""`quizapp accounts`: staff accounts from the terminal."""

from __future__ import annotations

import click

from quizapp.accounts.queries import find_account_by_username
from quizapp.accounts.services import create_staff_account, make_set_up_link
from quizapp.accounts.services.second_factor import reset_second_factor
from quizapp.config import read_settings
from quizapp.core.clock import system_clock
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Role
from quizapp.organisation.queries import find_unit_by_code


@click.group()
def accounts() -> None:
    """Make accounts and set-up links.

    \b
    Example:
      quizapp accounts create --username linxiao --role coordinator --unit LJ-01
    """


@accounts.command()
@click.option("--username", required=True, help="Name to sign in by: 3 to 40 letters or digits.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What it may do.")
@click.option("--unit", "unit_code", default=None, help="Code of the unit, with all below it; left out: every unit.")
@click.option("--name", default=None, help="The person's name; left out: the sign-in name.")
def create(username: str, role: str, unit_code: str | None, name: str | None) -> None:
    """Make an account and print its set-up link; for an account without a password print a fresh link.

    \b
    Example:
      quizapp accounts create --username linxiao --role coordinator --unit LJ-01
    """
    settings = read_settings()
    database = Database(settings.database_url)
    try:
        with database.session() as db, transaction(db):
            unit = find_unit_by_code(db, unit_code) if unit_code else None
            if unit_code and unit is None:
                raise click.ClickException(f"no unit has the code {unit_code}: see the codes under /admin/units")
            now = system_clock()
            known = find_account_by_username(db, username)
            if known is not None and known.password_hash is None:
                secret = make_set_up_link(db, account=known, actor=SYSTEM, now=now)
            else:
                _account, secret = create_staff_account(
                    db, username=username, name=name or username, role=Role(role), unit=unit, actor=SYSTEM, now=now
                )
    finally:
        database.dispose()
    click.echo(f"{settings.public_url}/set-up/{secret}")
    click.echo("The link works once, within 7 days.", err=True)


@accounts.command("reset-second-factor")
@click.option("--username", required=True, help="Name by which the account signs in.")
def reset_factor(username: str) -> None:
    """Take the second factor of an account away whose owner lost phone and recovery codes.

    \b
    Example:
      quizapp accounts reset-second-factor --username linxiao
    """
    database = Database(read_settings().database_url)
    try:
        with database.session() as db, transaction(db):
            account = find_account_by_username(db, username)
            if account is None:
                raise click.ClickException(f"nobody signs in as {username}: see the names under /admin/accounts")
            reset_second_factor(db, account=account, actor=SYSTEM, now=system_clock())
    finally:
        database.dispose()
    click.echo(f"{username} signs in with the password alone.")
