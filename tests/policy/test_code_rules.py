"""Rules about the code itself. Each failure says what to write."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

import quizapp.parts  # noqa: F401 # fills MERGE_PERSON
from quizapp.config import SETTINGS
from quizapp.core.privacy_parts import (
    ERASE_PERSON,
    EXPORT_PERSON,
    INVENTORY,
    ErasePersonPart,
    unanswered_erasure_columns,
    unanswered_export_tables,
)
from quizapp.core.registry import (
    MERGE_PERSON,
    MERGE_UNIT,
    MergePersonPart,
    MergeUnitPart,
    unanswered_person_columns,
    unanswered_unit_columns,
)
from quizapp.models import Base

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "quizapp"
SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if "dist" not in p.parts)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_only_the_transaction_commits() -> None:
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert [place.rpartition(":")[0] for place in found] == ["quizapp/core/db.py"], (
        f"{found}: put the work into `with transaction(db):`, which is the only place that commits"
    )


def test_no_word_stands_where_the_catalogue_cannot_see_it() -> None:
    """What gathers the words does not look into f-strings: a word there would stay Chinese for everybody."""
    words = {"_", "_l", "gettext", "lazy_gettext", "ngettext", "pgettext", "npgettext"}
    found = [
        f"{relative(path)}:{call.lineno}"
        for path in SOURCES
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in words
    ]
    assert found == [], "take the call out of the f-string, into a name before it"


def test_no_rule_reads_the_clock() -> None:
    """`now` is an argument. The clock itself, and what measures durations, are the exceptions."""
    allowed = {"quizapp/core/clock.py"}
    pattern = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
    for path in SOURCES:
        name = relative(path)
        inner = path.relative_to(PACKAGE).parts
        rule = len(inner) > 1 and any(part.split(".")[0] in ("services", "queries", "models") for part in inner)
        if rule and name not in allowed:
            hits = pattern.findall(path.read_text(encoding="utf-8"))
            assert not hits, f"{name} reads the clock ({hits}): take `now` as an argument"


def test_every_column_is_explained() -> None:
    """A `#:` comment above each mapped column."""
    for path in sorted([*PACKAGE.glob("*/models.py"), *PACKAGE.glob("*/models/*.py")]):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.match(r"    \w+: Mapped\[", line):
                assert lines[number - 1].strip().startswith("#:"), (
                    f"{relative(path)}:{number + 1}: say in a `#:` comment what the column means"
                )


def test_every_setting_is_described_for_operators() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = [name for name in SETTINGS if f"`{name}`" not in text]
    assert not missing, f"docs/operations.md does not describe {missing}"


def test_every_column_that_names_a_person_has_a_part_in_their_merge() -> None:
    missing = unanswered_person_columns(Base.metadata, MERGE_PERSON.values())
    assert not missing, (
        f"nobody says what becomes of {missing} when two persons are merged: name each in the `moves` of the MergePersonPart in its "
        f"feature's merging.py, with preview, do and undo (and bring that file into quizapp/parts.py), or in its `stays` with the reason"
    )
    named = [column for part in MERGE_PERSON.values() for column in (*part.moves, *part.stays)]
    columns = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    assert sorted(set(named) - columns) == [], "a part of a merge names columns that are no more: take them out"
    assert len(named) == len(set(named)), f"two parts of a merge answer for one column: {sorted(named)}"
    assert all(reason.strip() for part in MERGE_PERSON.values() for reason in part.stays.values())


def test_every_column_that_names_a_unit_has_a_part_in_their_merge() -> None:
    missing = unanswered_unit_columns(Base.metadata, MERGE_UNIT.values())
    assert not missing, (
        f"nobody says what becomes of {missing} when two units are merged: name each in the `moves` of the MergeUnitPart in its "
        f"feature's merging.py, with preview, do and undo (and bring that file into quizapp/parts.py), or in its `stays` with the reason"
    )
    named = [column for part in MERGE_UNIT.values() for column in (*part.moves, *part.stays)]
    columns = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    assert sorted(set(named) - columns) == [], "a part of a merge names columns that are no more: take them out"
    assert len(named) == len(set(named)), f"two parts of a merge answer for one column: {sorted(named)}"
    assert all(reason.strip() for part in MERGE_UNIT.values() for reason in part.stays.values())


def test_every_merging_module_is_brought_in() -> None:
    text = (PACKAGE / "parts.py").read_text(encoding="utf-8")
    found = [path.parent.name for path in PACKAGE.glob("*/merging.py")]
    missing = [name for name in found if f"from quizapp.{name} import merging as {name}" not in text]
    assert not missing, f"quizapp/parts.py does not import the merging.py of {missing}: their rows would be left behind"
    found = [path.parent.name for path in PACKAGE.glob("*/privacy.py")]
    missing = [name for name in found if f"from quizapp.{name} import privacy as {name}_privacy" not in text]
    assert not missing, f"quizapp/parts.py does not import the privacy.py of {missing}: their rows would be left behind"


def test_every_column_that_tells_of_somebody_has_a_part_in_their_erasure() -> None:
    parts = ERASE_PERSON.values()
    missing = unanswered_erasure_columns(Base.metadata, parts)
    assert not missing, (
        f"nobody says what becomes of {missing} when a person is erased: name each in the `empties` of the ErasePersonPart in its "
        f"feature's privacy.py (and bring that file into quizapp/parts.py), or in its `stays` with the reason"
    )
    named = [column for part in parts for column in (*part.empties, *part.stays)]
    columns = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    assert sorted(set(named) - columns) == [], "a part of an erasure names columns that are no more: take them out"
    assert len(named) == len(set(named)), f"two parts of an erasure answer for one column: {sorted(named)}"
    assert all(reason.strip() for part in parts for reason in part.stays.values())


def test_every_table_with_a_person_is_in_their_own_export() -> None:
    parts = EXPORT_PERSON.values()
    missing = unanswered_export_tables(Base.metadata, parts)
    assert not missing, (
        f"a person's own export leaves out {missing}: read them in their feature's privacy.py, or say why not"
    )
    named = {table for part in parts for table in (*part.reads, *part.leaves)}
    named |= {table for part in INVENTORY.values() for entry in part.entries for table in entry.tables}
    assert named - set(Base.metadata.tables) == set()
    assert all(reason.strip() for part in parts for reason in part.leaves.values())


def test_every_table_that_tells_of_somebody_stands_in_the_inventory() -> None:
    nobodys = {"helper_pass", "place", "item_version"}
    told = {column.partition(".")[0] for part in ERASE_PERSON.values() for column in (*part.empties, *part.stays)}
    told |= {"audit_event", "stored_file", "response"}
    listed = {table for part in INVENTORY.values() for entry in part.entries for table in entry.tables}
    assert told - listed - nobodys == set(), "name the table in an InventoryEntry of its feature's privacy.py"


def test_a_new_column_that_tells_of_somebody_is_noticed() -> None:
    """The rule itself: a reference to a person, and whatever is called like a secret, an address, a hash or something encrypted."""
    metadata = MetaData()
    Table("person", metadata, Column("id", Integer, primary_key=True))
    names = ("reader_id", "owner_person_id", "card_secret", "e_mail_encrypted", "device_hash", "home_address", "title")
    Table(
        "lent_book", metadata, *(Column(name, Integer) for name in names[1:]), Column(names[0], ForeignKey("person.id"))
    )
    part = ErasePersonPart("books", ("lent_book.card_secret",), lambda *_: None, {"lent_book.reader_id": "counted"})
    assert unanswered_erasure_columns(metadata, []) == sorted(f"lent_book.{name}" for name in names[:-1])
    assert len(unanswered_erasure_columns(metadata, [part])) == len(names) - 3
    assert unanswered_export_tables(metadata, []) == ["lent_book"]


def test_a_new_table_with_a_person_is_noticed() -> None:
    """The rule itself: a reference to a person, or a column that is called so."""
    metadata = MetaData()
    Table("person", metadata, Column("id", Integer, primary_key=True))
    Table("lent_book", metadata, Column("reader_id", ForeignKey("person.id")), Column("helper_person_id", Integer))
    part = MergePersonPart("books", ("lent_book.reader_id",), lambda *_: [], lambda *_: {}, lambda *_: None)
    assert unanswered_person_columns(metadata, []) == ["lent_book.helper_person_id", "lent_book.reader_id"]
    assert unanswered_person_columns(metadata, [part]) == ["lent_book.helper_person_id"]


def test_a_new_table_with_a_unit_is_noticed() -> None:
    metadata = MetaData()
    Table("org_unit", metadata, Column("id", Integer, primary_key=True))
    Table("hall", metadata, Column("keeper", ForeignKey("org_unit.id")), Column("unit_path", Integer))
    part = MergeUnitPart("halls", ("hall.keeper",), lambda *_: [], lambda *_: {}, lambda *_: None)
    assert unanswered_unit_columns(metadata, []) == ["hall.keeper", "hall.unit_path"]
    assert unanswered_unit_columns(metadata, [part]) == ["hall.unit_path"]


def test_tables_are_singular_nouns() -> None:
    assert [name for name in Base.metadata.tables if name.endswith("s") and not name.endswith("ss")] == []


def test_no_word_of_this_machine_or_a_registry_stands_in_the_repository() -> None:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    forbidden = re.compile(r"/work/|files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian")
    found = []
    for name in names:
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".html", ".js", ".css", ".yaml", ""}
            and path.is_file()
        ):
            text = path.read_text(encoding="utf-8", errors="ignore")
            if name != "tests/policy/test_code_rules.py" and forbidden.search(text):
                found.append(name)
    assert found == []


#: Imported by the functions that use them, most of them in jobs.
HEAVY = {"scipy", "typst", "xlsxwriter", "yaml", "jsonschema", "pypinyin"}


def test_pages_load_no_heavy_library(tmp_path: Path) -> None:
    """A worker that answers requests stays small."""
    script = f"""
import sys
from quizapp.app import create_app
from quizapp.config import read_settings
from quizapp.core import migrate
from quizapp.core.db import Database
settings = read_settings({{"INSTANCE": {str(tmp_path)!r}}})
database = Database(settings.database_url)
migrate.upgrade(database)
client = create_app(settings, database=database, TESTING=True).test_client()
for path in ("/", "/q/ABCDEFGH", "/s/ABCDEFGH", "/practice", "/reports/pass-rates", "/sessions", "/sign-in", "/receipt"):
    assert client.get(path).status_code < 500
print(",".join(sorted({HEAVY!r} & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("", 0), f"a page imports {done.stdout}{done.stderr[-800:]}"


def test_every_form_field_has_a_label() -> None:
    """For a field without one WTForms reads its own catalogue file, at each request: a tenth of what a start cost."""
    for path in SOURCES:
        if "forms" not in path.relative_to(PACKAGE).as_posix():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Field"):
                assert node.args, (
                    f'{relative(path)}:{node.lineno}: give the field a label, HiddenField("") an empty one'
                )
