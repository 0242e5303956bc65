"""The triggers that note which days of which deliveries changed after they were summed.

They stand in the database, so that no way of changing an attempt can forget them: start, submit, closing, void, re-score, claim, merge,
erasure. What is not summed yet costs one look at a table of one row.
"""

from __future__ import annotations

#: What the sums depend on.
COLUMNS = (
    "delivery_id", "local_date", "state", "is_first", "passed", "score", "person_id", "unit_id", "unit_path", "industry_id",
    "age_band", "sex", "education", "key_group", "identity_level",
)  # fmt: skip

_LIMIT = "(SELECT marks_before FROM rollup_state WHERE id = 1)"
_NOTE = "INSERT INTO rollup_stale (delivery_id, local_date)"
_OF = ", ".join(COLUMNS)

_POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION attempt_note_stale() RETURNS trigger LANGUAGE plpgsql AS $note$
DECLARE
  summed_before date := {_LIMIT};
BEGIN
  IF TG_OP <> 'DELETE' THEN
    IF NEW.local_date < summed_before THEN
      {_NOTE} VALUES (NEW.delivery_id, NEW.local_date);
    END IF;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    IF OLD.local_date < summed_before THEN
      IF TG_OP = 'DELETE' THEN
        {_NOTE} VALUES (OLD.delivery_id, OLD.local_date);
      ELSIF (OLD.delivery_id, OLD.local_date) <> (NEW.delivery_id, NEW.local_date) THEN
        {_NOTE} VALUES (OLD.delivery_id, OLD.local_date);
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END
$note$
"""

#: Dialect name → statements that make the triggers. Whoever makes the table of attempts anew makes them again.
CREATE_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"""
        CREATE TRIGGER attempt_note_insert AFTER INSERT ON attempt WHEN NEW.local_date < {_LIMIT}
        BEGIN {_NOTE} VALUES (NEW.delivery_id, NEW.local_date); END
        """,  # noqa: S608 # made of the constants above
        f"""
        CREATE TRIGGER attempt_note_delete AFTER DELETE ON attempt WHEN OLD.local_date < {_LIMIT}
        BEGIN {_NOTE} VALUES (OLD.delivery_id, OLD.local_date); END
        """,
        f"""
        CREATE TRIGGER attempt_note_update AFTER UPDATE OF {_OF} ON attempt
        WHEN min(OLD.local_date, NEW.local_date) < {_LIMIT} AND ({" OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in COLUMNS)})
        BEGIN {_NOTE} SELECT OLD.delivery_id, OLD.local_date UNION SELECT NEW.delivery_id, NEW.local_date; END
        """,
    ),
    "postgresql": (
        _POSTGRESQL_FUNCTION,
        """
        CREATE TRIGGER attempt_note_rows AFTER INSERT OR DELETE ON attempt
        FOR EACH ROW EXECUTE FUNCTION attempt_note_stale()
        """,
        f"""
        CREATE TRIGGER attempt_note_update AFTER UPDATE OF {_OF} ON attempt
        FOR EACH ROW WHEN ({" OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in COLUMNS)})
        EXECUTE FUNCTION attempt_note_stale()
        """,
    ),
}

#: Dialect name → statements that take them away.
DROP_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "DROP TRIGGER attempt_note_insert",
        "DROP TRIGGER attempt_note_delete",
        "DROP TRIGGER attempt_note_update",
    ),
    "postgresql": (
        "DROP TRIGGER attempt_note_rows ON attempt",
        "DROP TRIGGER attempt_note_update ON attempt",
        "DROP FUNCTION attempt_note_stale()",
    ),
}
