"""The triggers that keep the log append-only: no update ever, no deletion of a row younger than three years."""

from __future__ import annotations

_POSTGRESQL_FUNCTION = """
CREATE FUNCTION audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'audit_event rows are never changed';
  END IF;
  IF OLD.at > now() - interval '3 years' THEN
    RAISE EXCEPTION 'audit_event rows younger than three years are never deleted';
  END IF;
  RETURN OLD;
END
$guard$
"""

#: Dialect name → statements that make the triggers.
CREATE_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        """
        CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'audit_event rows are never changed'); END
        """,
        """
        CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
        WHEN OLD.at > datetime('now', '-3 years')
        BEGIN SELECT RAISE(ABORT, 'audit_event rows younger than three years are never deleted'); END
        """,
    ),
    "postgresql": (
        _POSTGRESQL_FUNCTION,
        """
        CREATE TRIGGER audit_event_guard BEFORE UPDATE OR DELETE ON audit_event
        FOR EACH ROW EXECUTE FUNCTION audit_event_guard()
        """,
    ),
}

#: Dialect name → statements that take them away (with the table).
DROP_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "DROP TRIGGER audit_event_no_update",
        "DROP TRIGGER audit_event_no_delete",
    ),
    "postgresql": (
        "DROP TRIGGER audit_event_guard ON audit_event",
        "DROP FUNCTION audit_event_guard()",
    ),
}

#: What goes round row triggers: SQLite deletes without them in an INSERT OR REPLACE, PostgreSQL in a TRUNCATE.
CREATE_FURTHER_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        """
        CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
        WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'audit_event rows are never changed'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION audit_event_guard_whole() RETURNS trigger LANGUAGE plpgsql AS $guard$
        BEGIN
          RAISE EXCEPTION 'audit_event is never emptied';
        END
        $guard$
        """,
        """
        CREATE TRIGGER audit_event_guard_whole BEFORE TRUNCATE ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION audit_event_guard_whole()
        """,
    ),
}

#: Dialect name → statements that take these away.
DROP_FURTHER_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": ("DROP TRIGGER audit_event_no_replace",),
    "postgresql": (
        "DROP TRIGGER audit_event_guard_whole ON audit_event",
        "DROP FUNCTION audit_event_guard_whole()",
    ),
}
