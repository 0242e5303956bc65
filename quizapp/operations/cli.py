"""`quizapp serve`, `work`, `init`, `doctor`."""

from __future__ import annotations

import subprocess  # starts this program again, with fixed arguments
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quizapp.config import Settings, is_loopback, read_settings

if TYPE_CHECKING:
    from quizapp.operations.installation import Installation


@contextmanager
def _opened(settings: Settings) -> Iterator[Installation]:
    """The installation, closed at the end; a database that does not answer is one line with its cure."""
    from sqlalchemy.exc import DBAPIError

    from quizapp.operations.installation import open_installation
    from quizapp.operations.services import BankFilesRefused

    try:
        installation = open_installation(settings)
        yield installation
        installation.database.dispose()
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(f"the database refuses ({reason}). Look at DATABASE_URL and INSTANCE") from error
    except BankFilesRefused as refusal:
        for fault in refusal.faults:
            click.echo(str(fault), err=True)
        raise click.ClickException("the bank files have faults, nothing was loaded. Correct them") from refusal


@click.command("init")
def init() -> None:
    """Make or upgrade the database, load the question banks, and print the administrator's one-time link.

    Again changes nothing.

    Example: PUBLIC_URL=https://quiz.example.org quizapp init
    """
    settings = read_settings()
    if settings.demo:
        raise click.ClickException("init prepares a real installation: set DEMO=0, or run: quizapp demo")
    from quizapp.operations.services import first_link, prepare

    with _opened(settings) as installation:
        prepare(installation, click.echo)
        link = first_link(installation)
    if link:
        click.echo(f"Set the administrator's password, once, within 7 days: {link}")
    click.echo("Ready: quizapp serve")


def demo_line(settings: Settings) -> str:
    """Where one chooses a role of the demo; to a network it is served without the chooser."""
    if is_loopback(settings.host):
        return f"Demo district: choose a role at {settings.public_url}/demo"
    return f"Demo district: no choosing of roles, as HOST={settings.host} lets others in; leave HOST out for that"


@click.command("serve")
def serve() -> None:
    """Serve the site, with the job worker beside it, until Ctrl-C or SIGTERM.

    Prepares the database where that is needed; with DEMO=1 makes the demo district first.

    Example: HOST=0.0.0.0 PUBLIC_URL=https://quiz.example.org quizapp serve
    """
    settings = read_settings()
    from quizapp.operations.server import check_address, command, run_server
    from quizapp.operations.services import first_link, prepare

    check_address(settings.host, settings.port)
    link = None
    if settings.demo and not _demo_file(settings).is_file():
        # In a process of its own: what assembly needs does not stay in the server's memory.
        made = subprocess.run(command("demo"), check=False)  # noqa: S603 # this program itself
        if made.returncode:
            raise click.ClickException("the demo could not be made, see above")
    with _opened(settings) as installation:
        prepare(installation, click.echo)
        if not settings.demo:
            link = first_link(installation)

    def ready() -> None:
        click.echo(f"quizapp: {settings.public_url}")
        if settings.demo:
            click.echo(demo_line(settings))
        if link:
            click.echo(f"Set the administrator's password, once, within 7 days: {link}")
        click.echo("Stop with Ctrl-C.")

    run_server(settings, say=click.echo, ready=ready)


@click.command("work")
@click.option("--parent", type=int, hidden=True, help="Process id of the server: end when it ends.")
def work(parent: int | None) -> None:
    """Run background jobs until Ctrl-C or SIGTERM (`serve` starts this by itself; on further machines start it alone).

    Example: DATABASE_URL=postgresql://quiz@db/quiz quizapp work
    """
    import logging
    import signal
    import threading

    from quizapp import tasks  # noqa: F401 # fills the table of tasks
    from quizapp.jobs.worker import work as run_jobs
    from quizapp.operations import daily  # noqa: F401 # the same
    from quizapp.operations.server import end_with_parent

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent is not None and not end_with_parent(signal.SIGTERM, parent):
        return
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with _opened(read_settings()) as installation:
        run_jobs(installation, stop)


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--keep", type=click.IntRange(min=1), help="Keep so many of the newest backups in the folder, remove older ones."
)
def backup(target: Path | None, keep: int | None) -> None:
    """Write everything but the keys into one file, while people answer. TARGET is a file or a folder (INSTANCE/backups).

    The keys belong somewhere else: whoever has both can read telephone numbers.

    Example: quizapp backup /mnt/backups --keep 14
    """
    from quizapp.operations.backup.archive import BackupRefused
    from quizapp.operations.backup.making import make_backup

    _end_in_order()
    with _opened(read_settings()) as installation:
        try:
            made = make_backup(installation, target, keep=keep, say=click.echo)
        except BackupRefused as refusal:
            raise click.ClickException(str(refusal)) from refusal
    click.echo(
        f"Backup: {made.rows} rows, {_size(made.size)}, without the keys: copy {installation.settings.keys_folder} elsewhere"
    )
    click.echo(str(made.path))


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Read the file and compare it with its hashes; restore nothing.")
@click.option(
    "--other-keys", is_flag=True, help="The backup's keys are lost: restore without telephone numbers and photos."
)
def restore(file: Path, check: bool, other_keys: bool) -> None:
    """Fill an empty place with a backup: INSTANCE without a database, or an empty database of a server (DATABASE_URL).

    Everything is checked, and what must be done again is done, before the place can be served.

    Example: INSTANCE=/srv/quizapp quizapp restore /mnt/backups/quizapp-20261126-030000.zip
    """
    from sqlalchemy.exc import DBAPIError

    from quizapp.operations.backup.archive import BackupRefused
    from quizapp.operations.backup.restoring import check_backup, restore_backup

    _end_in_order()
    try:
        if check:
            manifest = check_backup(file, click.echo)
            click.echo(f"Good: made {manifest.begun_at} by {manifest.version}, {sum(manifest.rows.values())} rows")
            return
        done = restore_backup(read_settings(), file, other_keys=other_keys, say=click.echo)
    except BackupRefused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or file} cannot be used ({error.strerror}): nothing was restored"
        ) from error
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(
            f"the database refuses ({reason}): nothing was restored. Look at DATABASE_URL"
        ) from error
    click.echo(f"Restored: {sum(done.manifest.rows.values())} rows as of {done.manifest.begun_at}, into {done.place}")
    for name, number in done.steps.items():
        click.echo(f"Before serving, {name}: {number}")
    click.echo("Ready: quizapp doctor, then quizapp serve")


@click.group("keys")
def keys() -> None:
    """Keys of this installation.

    Example: quizapp keys rotate
    """


@keys.command("rotate")
@click.option(
    "--leave-behind", is_flag=True, help="End the change although some accounts can be found with the old key alone."
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds that a request may last; 0 where the site is stopped.",
)
def rotate(leave_behind: bool, settle: float) -> None:
    """Change the key that hides telephone numbers, e-mail addresses and files, while people answer.

    Stopped anywhere, it goes on when it is begun again. At the end the old key is put aside: backups made before need it.

    Example: quizapp keys rotate && quizapp backup /mnt/backups
    """
    from quizapp.operations.key_rotation import RotationRefused, rotate_phone_key

    with _opened(read_settings()) as installation:
        try:
            done = rotate_phone_key(installation, say=click.echo, leave_behind=leave_behind, settle=settle)
        except RotationRefused as refusal:
            raise click.ClickException(str(refusal)) from refusal
    if done.unreadable:
        click.echo(
            f"{done.unreadable} rows open with neither key: they were lost before, and are as they were", err=True
        )
    if done.twins:
        click.echo(f"Entered twice while the keys changed places, merge them: people {done.twins}", err=True)
    if done.aside is None:
        raise click.ClickException(
            f"{done.waiting} accounts have a number that no person has: both keys stay in use. "
            "Run this again with --leave-behind to let them go"
        )
    click.echo(f"Done. The old key is {done.aside}: make a backup, and delete it with the last backup from before")


def _end_in_order() -> None:
    """Let SIGTERM end a command as Ctrl-C does, so that it clears away what it has begun."""
    import signal
    import sys

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def _size(number: int) -> str:
    return f"{number / 1_000_000:.1f} MB"


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Do not ask the running site by its PUBLIC_URL.")
@click.option("--ask-time", metavar="URL", help="Also compare the clock with that of a web server.")
def doctor(offline: bool, ask_time: str | None) -> None:
    """Say in plain words what is wrong with this installation, and the cure.

    It looks at version, schema, durability, audit log, jobs, backups, keys, disk, clock, pages, fonts, PUBLIC_URL, https, what arrives
    through proxies, mail and the data notice. Exit status: 0 all is well, 1 something is wrong, 2 the settings cannot be used.

    Example: quizapp doctor --ask-time https://www.gov.cn
    """
    from quizapp.operations.doctor import examine

    settings = read_settings()
    with _opened(settings) as installation:
        findings = examine(installation, online=not offline, time_from=ask_time)
    for finding in findings:
        click.echo(str(finding), err=not finding.good)
    if not all(finding.good for finding in findings):
        raise SystemExit(1)


def _demo_file(settings: Settings) -> Path:
    from sqlalchemy.engine import make_url

    return Path(make_url(settings.database_url).database or "")
