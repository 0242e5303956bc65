"""The triggers that note which attempts the item statistics lack: in the database, so that no way of changing an attempt can forget them.

An attempt that begins to count is noted by its id: its answers are added to what is kept. Any other change of one that counts or counted
(void, new score, corrected key, late answers taken in, another first attempt, another day) is noted without an id: its day is counted anew.
"""

from __future__ import annotations

#: What the counts of a day depend on, beside the answers, which change in closed attempts together with one of these.
COLUMNS = (
    "delivery_id", "paper_id", "local_date", "state", "is_first", "right_count", "answered_count", "scoring_revision", "deadline_at",
)  # fmt: skip

_NOTE = "INSERT INTO item_note (delivery_id, local_date, attempt_id)"
_OF = ", ".join(COLUMNS)


def _counts(row: str) -> str:
    return f"({row}.is_first AND {row}.state IN ('submitted', 'expired'))"


_SAME_DAY = "OLD.delivery_id = NEW.delivery_id AND OLD.local_date = NEW.local_date"
#: An attempt that moves to another day is counted anew at both.
_MOVED = f"""
    SELECT OLD.delivery_id, OLD.local_date, NULL WHERE {_counts("OLD")}
    UNION
    SELECT NEW.delivery_id, NEW.local_date, CASE WHEN {_counts("OLD")} AND {_SAME_DAY} THEN NULL ELSE NEW.id END WHERE {_counts("NEW")}
"""

_POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION attempt_note_items() RETURNS trigger LANGUAGE plpgsql AS $note$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF {_counts("NEW")} THEN {_NOTE} VALUES (NEW.delivery_id, NEW.local_date, NEW.id); END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF {_counts("OLD")} THEN {_NOTE} VALUES (OLD.delivery_id, OLD.local_date, NULL); END IF;
  ELSE
    {_NOTE} {_MOVED};
  END IF;
  RETURN NULL;
END
$note$
"""

#: Dialect name → statements that make the triggers. Whoever makes the table of attempts anew makes them again.
CREATE_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"""
        CREATE TRIGGER item_note_insert AFTER INSERT ON attempt WHEN {_counts("NEW")}
        BEGIN {_NOTE} VALUES (NEW.delivery_id, NEW.local_date, NEW.id); END
        """,  # noqa: S608 # made of the constants above
        f"""
        CREATE TRIGGER item_note_delete AFTER DELETE ON attempt WHEN {_counts("OLD")}
        BEGIN {_NOTE} VALUES (OLD.delivery_id, OLD.local_date, NULL); END
        """,
        f"""
        CREATE TRIGGER item_note_update AFTER UPDATE OF {_OF} ON attempt
        WHEN ({_counts("OLD")} OR {_counts("NEW")}) AND ({" OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in COLUMNS)})
        BEGIN {_NOTE} {_MOVED}; END
        """,
    ),
    "postgresql": (
        _POSTGRESQL_FUNCTION,
        """
        CREATE TRIGGER item_note_rows AFTER INSERT OR DELETE ON attempt
        FOR EACH ROW EXECUTE FUNCTION attempt_note_items()
        """,
        f"""
        CREATE TRIGGER item_note_update AFTER UPDATE OF {_OF} ON attempt
        FOR EACH ROW WHEN ({" OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in COLUMNS)})
        EXECUTE FUNCTION attempt_note_items()
        """,
    ),
}

#: Dialect name → statements that take them away.
DROP_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "DROP TRIGGER item_note_insert",
        "DROP TRIGGER item_note_delete",
        "DROP TRIGGER item_note_update",
    ),
    "postgresql": (
        "DROP TRIGGER item_note_rows ON attempt",
        "DROP TRIGGER item_note_update ON attempt",
        "DROP FUNCTION attempt_note_items()",
    ),
}
