"""The roster of a session: by the audience rules, by hand; files come by `roster_imports`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, delete, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import local_date, to_ms
from quizapp.core.errors import NotFound
from quizapp.core.phones import normalize_phone
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import Keys
from quizapp.organisation.imports.people import Known, PersonRow, match_people, take_turns, write_people
from quizapp.organisation.imports.reach import reach_of
from quizapp.organisation.imports.rows import in_chunks
from quizapp.organisation.models import JobRole, OrgUnit, Person, name_key
from quizapp.organisation.services import clean_name
from quizapp.trainings.errors import AttendeeNameNeeded, AttendeePhoneNeeded, RosterCame, RosterFrozen, RosterNotKept
from quizapp.trainings.models import (
    RemovalReason,
    RosterEntry,
    RosterRemoval,
    RosterSource,
    SessionKind,
    TrainingSession,
)
from quizapp.trainings.queries.rosters import RosterRow, count_roster, missing_audience

#: What an entry is made of.
_COLUMNS = (
    "session_id",
    "person_id",
    "unit_id",
    "unit_path",
    "job_role",
    "source",
    "import_id",
    "added_by",
    "added_at",
)


def check_roster(session: TrainingSession) -> None:
    """Raise why a session's roster cannot be changed: RosterNotKept or RosterFrozen."""
    if not SessionKind(session.kind).has_roster:
        raise RosterNotKept
    if session.closed_at is not None:
        raise RosterFrozen


def refresh_roster(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> int:
    """Add whom the audience rules name and the roster lacks; gives their number. Nobody is taken off.

    Whoever was taken off by hand stays off. Raises RosterNotKept or RosterFrozen.
    """
    check_roster(session)
    before = count_roster(db, session.id)
    named = missing_audience(db, session.id, actor.scope).subquery()
    insert = _insert(db)
    statement = insert.from_select(
        ["person_id", "unit_id", "unit_path", "job_role", "session_id", "source", "added_by", "added_at"],
        _with_constants(named, session, actor, now),
        include_defaults=False,
    )
    db.execute(statement.on_conflict_do_nothing(index_elements=["session_id", "person_id"]))
    added = count_roster(db, session.id) - before
    if added:
        _record(db, session, "roster_refreshed", {"added": added}, actor, now)
    return added


def add_by_hand(
    db: Session,
    *,
    session: TrainingSession,
    name: str,
    phone: str | None,
    unit_id: int | None,
    job_role: JobRole | None,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> tuple[RosterEntry, bool]:
    """One more person, and whether they were on the roster already. Without a phone a unit must say who it is.

    Raises AttendeeNameNeeded, AttendeePhoneNeeded, PhoneInvalid, NotFound (a unit out of reach), RosterNotKept, RosterFrozen.
    """
    check_roster(session)
    label = clean_name(name)
    if not name_key(label):
        raise AttendeeNameNeeded(field="name")
    number = normalize_phone(phone) if phone and phone.strip() else None
    unit = db.get(OrgUnit, unit_id) if unit_id is not None else None
    if unit_id is not None and (
        unit is None or unit.closed_at is not None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path)
    ):
        raise NotFound
    if number is None and unit is None:
        raise AttendeePhoneNeeded(field="phone")
    row = PersonRow(
        number=0,
        name=label,
        key=name_key(label),
        phone=None,
        phone_hashes=keys.phone_hashes(number) if number else (),
        unit_id=unit.id if unit else None,
        unit_path=unit.path if unit else None,
        job_role=job_role.value if job_role else None,
        industry_id=None,
        birth_year=None,
        sex=None,
        key_group=None,
    )
    take_turns(db)
    known = match_people(db, [row], reach_of(actor.scope, Permission.RUN_SESSIONS)).get(0)
    if known is None:
        encrypted = {0: keys.encrypt_phone(number)} if number else {}
        made = write_people(db, [row], encrypted, now=now, today=local_date(now))
        known = Known(made[0], True, row.unit_id, row.unit_path, row.job_role)
    before = count_roster(db, session.id)
    write_entries(db, session, [(known, row)], source=RosterSource.BY_HAND, import_id=None, actor=actor, now=now)
    entry = db.scalars(
        select(RosterEntry).where(RosterEntry.session_id == session.id, RosterEntry.person_id == known.id)
    ).one()
    again = count_roster(db, session.id) == before
    if not again:
        _record(db, session, "roster_entry_added", {"person_id": known.id}, actor, now)
    return entry, again


def remove_entry(
    db: Session, *, session: TrainingSession, row: RosterRow, reason: RemovalReason, actor: Actor, now: datetime
) -> None:
    """Take somebody off. The rules do not bring them back. Raises RosterCame, RosterNotKept or RosterFrozen."""
    check_roster(session)
    if row.came_at is not None:
        raise RosterCame
    person_id = row.entry.person_id
    db.execute(delete(RosterEntry).where(RosterEntry.id == row.entry.id))
    values = {
        "session_id": session.id,
        "person_id": person_id,
        "reason": reason.value,
        "removed_by": actor.account_id,
        "removed_at": to_ms(now),
    }
    postgres = db.get_bind().dialect.name == "postgresql"
    insert = (postgresql.insert if postgres else sqlite.insert)(RosterRemoval.__table__).values(values)  # type: ignore[arg-type] # a table
    db.execute(
        insert.on_conflict_do_update(
            index_elements=["session_id", "person_id"],
            set_={name: values[name] for name in ("reason", "removed_by", "removed_at")},
        )
    )
    _record(db, session, "roster_entry_removed", {"person_id": person_id, "reason": reason.value}, actor, now)


def write_entries(
    db: Session,
    session: TrainingSession,
    people: Iterable[tuple[Known, PersonRow]],
    *,
    source: RosterSource,
    import_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Put people on the roster; who stands there already stays as they are. A removal by hand is taken back by it."""
    added_at = to_ms(now)
    insert = _insert(db).on_conflict_do_nothing(index_elements=["session_id", "person_id"])
    for piece in in_chunks(people):
        # of whoever is outside the importer's reach nothing is known here but what was typed
        values = [
            (
                session.id,
                known.id,
                row.unit_id if row.unit_id is not None else known.unit_id,
                row.unit_path if row.unit_id is not None else known.unit_path,
                row.job_role or known.job_role,
                source.value,
                import_id,
                actor.account_id,
                added_at,
            )
            for known, row in piece
        ]
        db.execute(insert, [dict(zip(_COLUMNS, value, strict=True)) for value in values])
        ids = [known.id for known, _ in piece]
        db.execute(
            delete(RosterRemoval).where(RosterRemoval.session_id == session.id, RosterRemoval.person_id.in_(ids))
        )
        db.execute(
            update(Person)
            .where(Person.id.in_(ids), Person.rostered_on.is_(None))
            .values(rostered_on=local_date(now))
            .execution_options(synchronize_session=False)
        )


def _insert(db: Session) -> Any:
    """An insert of entries that can say what to do with those that stand."""
    table: Any = RosterEntry.__table__
    return postgresql.insert(table) if db.get_bind().dialect.name == "postgresql" else sqlite.insert(table)


def _with_constants(named: Any, session: TrainingSession, actor: Actor, now: datetime) -> Any:
    return select(
        named.c.id,
        named.c.unit_id,
        named.c.path,
        named.c.job_role,
        literal(session.id, BigInteger),
        literal(RosterSource.RULE.value),
        literal(actor.account_id, BigInteger),
        literal(to_ms(now), BigInteger),
    ).where(named.c.id.is_not(None))


def _record(
    db: Session, session: TrainingSession, action: str, details: dict[str, Any], actor: Actor, now: datetime
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"code": session.code, **details},
        now=now,
    )
