"""`quizapp people`: what somebody asks of their own data, done from the terminal for whoever has no account."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.orm import Session

import quizapp.parts  # noqa: F401 # an erasure and an export need every feature's part
from quizapp.accounts.erasing import erase_person, export_person, people_with_phone
from quizapp.config import read_settings
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.scope import SYSTEM
from quizapp.operations.installation import Installation, open_installation
from quizapp.portal.own_data import make_zip

_PERSON = click.option("--person", "person_id", type=int, default=None, help="The person's number.")
_PHONE = click.option("--phone", "by_phone", is_flag=True, help="Read the phone number from standard input.")


@click.group()
def people() -> None:
    """Give somebody all that is known of them, or erase it.

    Say who by --person (a number, as the log has it), or by --phone; the phone number is read from standard input, so that it stands
    in no history of commands.

    \b
    Example:
      quizapp people export --person 1234 --to data.zip
    """


@people.command()
@_PERSON
@_PHONE
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The zip to write."
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the page in it.")
def export(person_id: int | None, by_phone: bool, target: Path, language: str) -> None:
    """Write a zip with all that is known of a person, for machines (JSON) and for eyes (HTML). It is written down in the log.

    \b
    Example:
      quizapp people export --phone --to data.zip < phone.txt
    """
    _check_one(person_id, by_phone)
    with _opened() as (installation, db):
        now = installation.clock()
        with transaction(db):
            found = _find(installation, db, person_id)
            sections = export_person(db, person_id=found, keys=installation.keys, actor=SYSTEM, now=now)
            try:
                with target.open("xb") as file:  # nobody's file is overwritten
                    target.chmod(0o600)
                    file.write(make_zip(sections, language=language, now=now))
            except OSError as error:
                raise click.ClickException(f"{target} cannot be written ({error.strerror}): name a new file") from error
    click.echo(f"Person {found}: {target}")


@people.command()
@_PERSON
@_PHONE
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(person_id: int | None, by_phone: bool, yes: bool) -> None:
    """Erase what says who a person is, and close their account. It cannot be taken back; figures stay as they are.

    \b
    Example:
      quizapp people erase --person 1234 --yes
    """
    _check_one(person_id, by_phone)
    if by_phone and not yes:
        raise click.UsageError("--phone reads standard input, so nothing can be asked there: add --yes")
    with _opened() as (installation, db):
        if not yes:
            click.confirm(f"Erase person {person_id} for good?", abort=True)
        with transaction(db):
            found = _find(installation, db, person_id)
            folder = installation.settings.keys_folder
            done = erase_person(db, person_id=found, ledger=folder, actor=SYSTEM, now=installation.clock())
    rows = ", ".join(str(key) for key in done.person_ids)
    click.echo(f"Erased: {rows}" if done.changed else f"Nothing to do, erased before: {rows}")


def _check_one(person_id: int | None, by_phone: bool) -> None:
    if (person_id is None) is not by_phone:
        raise click.UsageError("say who: either --person NUMBER, or --phone with the number on standard input")


def _find(installation: Installation, db: Session, person_id: int | None) -> int:
    """The person meant. A number that several share names nobody: their numbers are listed, and one of them is to be chosen."""
    if person_id is not None:
        return person_id
    try:
        phone = normalize_phone(sys.stdin.readline())
    except PhoneInvalid as error:
        raise click.UsageError(
            f"no mobile number on standard input ({error.data['digits']} digits instead of 11)"
        ) from error
    found = people_with_phone(db, phone, installation.keys)
    if not found:
        raise click.ClickException("nobody is known by this number: look whether it is right, or use --person")
    if len(found) > 1:
        lines = ", ".join(f"{person.id} ({person.name[:1]}*, {person.source})" for person in found)
        raise click.ClickException(f"several people have this number: {lines}. Choose one with --person")
    return found[0].id


@contextmanager
def _opened() -> Iterator[tuple[Installation, Session]]:
    installation = open_installation(read_settings())
    try:
        with installation.database.session() as db:
            yield installation, db
    except NotFound as error:
        raise click.ClickException("nobody has this number: see the log, or use --phone") from error
    finally:
        installation.database.dispose()
