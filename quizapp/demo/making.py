"""The demo's database: made beside its place and moved there when it is complete, so that half a demo is never served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy.engine import make_url

from quizapp.config import SettingInvalid, Settings
from quizapp.demo.services import make_demo
from quizapp.operations.installation import Installation, open_installation
from quizapp.operations.services import prepare


def demo_file(settings: Settings) -> Path:
    """Where the demo's database stands."""
    return Path(make_url(settings.database_url).database or "")


def make_demo_file(settings: Settings, say: Callable[[str], None], *, fill: Callable[..., None] = make_demo) -> None:
    """Make the demo's database. Raises SettingInvalid where one stands, or where the settings are those of a real installation."""
    if not settings.demo:
        raise SettingInvalid("the demo keeps to its own database: set DEMO=1, without DATABASE_URL")
    target = demo_file(settings)
    if target.exists():
        raise SettingInvalid(f"{target} stands already: remove it to make the demo anew")
    workshop = target.with_name(f"{target.stem}-in-the-making.sqlite3")
    _remove(workshop)
    installation = open_installation(replace(settings, database_url=f"sqlite:///{workshop}"))
    prepare(installation, say)
    fill(installation, say)
    _settle(installation)
    workshop.replace(target)
    _remove(workshop)


def _settle(installation: Installation) -> None:
    """Bring everything into the one file."""
    with installation.database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # a checkpoint stands outside of transactions
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    installation.database.dispose()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
