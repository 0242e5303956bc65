"""`quizapp banks check|load|export`.

`check` and `export` (without --loaded) read files alone: no setting, no instance folder, no database.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quizapp.core.clock import local_date, system_clock
from quizapp.core.paths import data_folder

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from quizapp.banks.faults import Fault
    from quizapp.banks.formats.sheet import SheetReading
    from quizapp.banks.formats.yaml_bank import Reading
    from quizapp.banks.parsed import ParsedBanks

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class _Check(click.Command):
    """Shows the table of the checks below the help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The rules with their limits."""
        from quizapp.banks.checks import CHECKS

        with formatter.section("Checks (beyond the first limit warned of, beyond the second refused)"):
            formatter.write_dl([(name, "; ".join(words)) for name, words in CHECKS.items()])


@click.group("banks")
def banks() -> None:
    """Check, load and export the question banks.

    Example: quizapp banks check question_banks
    """


@banks.command("check", cls=_Check)
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to answer.")
@click.option("--quality", is_flag=True, help="Write the measured figures to QUALITY.md in FOLDER, if all was read.")
@click.option(
    "--due", "due", metavar="MONTH", help="Also list what is to be looked at again by this month, such as 2027-06."
)
def check(folder: Path | None, format_: str, quality: bool, due: str | None) -> None:
    """Check the bank files of FOLDER (default: those of the product) and load nothing.

    Each fault is one line, file:line: what is wrong. What to do. Exit 0: they can be loaded; 1: refused.

    Example: quizapp banks check question_banks --format json
    """
    from quizapp.banks.quality import quality_page

    reading, faults = _checked(folder)
    refused = _refused(faults)
    waiting = _due(reading, due)
    page = quality_page(reading.banks, reading.reviews)
    if quality and not reading.unread:  # figures of half a bank would be false
        ((folder or data_folder("question_banks")) / "QUALITY.md").write_text(page, encoding="utf-8")
    if format_ == "json":
        answer: dict[str, Any] = {
            "items": len(reading.banks.items),
            "banks": dict(Counter(item.bank for item in reading.banks.items)),
            "refused": len(refused),
            "warnings": len(faults) - len(refused),
            "due": waiting,
            "faults": [fault.as_json() for fault in faults],
        }
        if refused:
            answer["error"] = {"code": "banks_refused", "message": _summary(reading, faults)}
        _out(json.dumps(answer, ensure_ascii=False))
    else:
        _tell(faults)
        _out(page)
        for entry in waiting:
            _out(f"{entry['file']}: {entry['id']} is due by {entry['by']}")
        _out(_summary(reading, faults))
    if refused:
        raise SystemExit(1)


def _due(reading: Reading, month: str | None) -> list[dict[str, str]]:
    """The approved items that are to be looked at by a month, or whose source ends by then; what is overdue where none is named."""
    if month is None:
        month = f"{local_date(system_clock()):%Y-%m}"
    elif not re.fullmatch(r"20\d{2}-(0[1-9]|1[0-2])", month):
        raise click.BadParameter("write a month like 2027-06", param_hint="--due")
    found = []
    for item in reading.banks.items:
        by = min(item.review_by, item.citation.get("valid_until", item.review_by))
        if item.state == "approved" and by <= month:
            found.append({"id": item.code, "by": by, "file": f"{item.file}:{item.line}"})
    return sorted(found, key=lambda entry: (entry["by"], entry["id"]))


@banks.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "folder", type=_FOLDER, help="Folder of the banks that it lists the topics of.")
def template(file: Path, folder: Path | None) -> None:
    """Write an empty spreadsheet for items: headings, what to write in each column, an example, and the codes of the topics.

    Example: quizapp banks template new-items.xlsx
    """
    from quizapp.banks.formats.sheet import template as workbook

    banks_ = _read(folder)
    topics = [(topic.bank, topic.code, topic.title) for topic in banks_.topics]
    points = {number: text for benchmark in banks_.benchmarks for number, text in benchmark.points.items()}
    file.write_bytes(workbook(topics, points))
    _out(f"{file}: one row for each item. Check it with: quizapp banks add {file}")


@banks.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--to", "folder", type=_FOLDER, help="Folder of the banks to add to; without it the spreadsheet is only checked."
)
def add(file: Path, folder: Path | None) -> None:
    """Check the items of a spreadsheet against the banks, each fault at its row, and add them to the files: all or none.

    A row with the id of an item corrects it. New and corrected items come in the state in_review and are not served until a second
    person approves them. All else in the files stays as it is, byte for byte. Exit 0: sound, 1: refused.

    Example: quizapp banks add new-items.xlsx --to question_banks
    """
    from quizapp.banks.checks.sheets import check_sheet, left_short
    from quizapp.banks.formats.editing import edited
    from quizapp.banks.formats.sheet import as_topics, read_sheet
    from quizapp.core.errors import DomainError

    there = _read_all(folder)
    try:
        reading = read_sheet(file.read_bytes(), there.banks, {review.item for review in there.reviews})
    except DomainError as error:
        raise click.ClickException(f"{file} is no spreadsheet that can be read ({error.code})") from error
    faults = check_sheet(reading, there.banks, local_date(system_clock()))
    _tell(faults)
    for line in _corrections(reading):
        _out(line)
    refused = _refused(faults)
    items = len(reading.items) + len(reading.drafts)
    _out(f"{items} items: {len(refused)} faults, {len(faults) - len(refused)} warnings")
    if refused:
        raise SystemExit(1)
    for fault in left_short(reading, there.banks):
        _out(f"Until these items are approved, {fault.message}: `quizapp banks check` and `load` refuse it")
    if folder is None:
        return
    changed = {(item.bank, item.topic) for item in reading.items}
    topics = zip(there.banks.topics, as_topics(reading.items, there.banks), strict=True)
    files = {
        folder / after.file: edited((folder / after.file).read_bytes(), before, after)
        for before, after in topics
        if (after.bank, after.code) in changed
    }
    for path, content in files.items():
        path.write_bytes(content)
        _out(f"{path} written")


def _corrections(reading: SheetReading) -> Iterator[str]:
    """What becomes of the items that the sheet corrects, a line each."""
    from quizapp.banks.formats.sheet.columns import BY_NAME
    from quizapp.banks.parsed import source_words

    for item in reading.items:
        correction = reading.corrections.get(item.code)
        if correction is None:
            continue
        words = [f"{item.file}:{item.line}: {item.code} is corrected"]
        words[0] += f": {', '.join(BY_NAME[name].en for name in correction.changed)}" if correction.changed else ""
        words += [f"Its picture {correction.picture}"] if correction.picture else []
        if correction.replaces:
            words.append(f"Its source still says that it replaces {source_words(correction.replaces, 'en')}")
        if correction.back_to_review:
            words.append(
                "It was approved and goes back to review: nobody is asked it until a second person approves it"
            )
        yield ". ".join(words) + "."


@banks.command("load")
@click.option("--from", "folder", type=_FOLDER, help="Folder of the banks (default: those of the product).")
def load(folder: Path | None) -> None:
    """Check the bank files, then load them all or none.

    Unchanged items stay, changed ones get a new version, missing ones are retired. Loading twice changes nothing.

    Example: quizapp banks load
    """
    from quizapp.banks.services import fingerprint, load_banks, loaded_content, note_content

    content = fingerprint(folder or data_folder("question_banks"))
    with _database() as db:
        if loaded_content(db) == content:
            _out("The database has these files as they are: nothing to do")
            return
    reading, faults = _checked(folder)
    if _refused(faults):
        _tell(faults)
        raise click.ClickException(f"{_summary(reading, faults)}. Nothing was loaded: correct the files")
    # What features above store of the same files (the blueprints) registers itself on import; by name, as they stand above this one.
    import_module("quizapp.quizzes.services.blueprints")
    from quizapp.core.db import transaction
    from quizapp.core.scope import SYSTEM

    with _database() as db, transaction(db):
        loaded = load_banks(db, reading.banks, actor=SYSTEM, now=system_clock(), reviews=reading.reviews)
        note_content(db, content, actor=SYSTEM, now=system_clock())
    _out(
        f"{loaded.added} items added, {loaded.changed} changed, {loaded.unchanged} unchanged, {loaded.retired} retired"
    )


@banks.command("export")
@click.option("--from", "folder", type=_FOLDER, help="Folder of the banks (default: those of the product).")
@click.option("--loaded", is_flag=True, help="What the database serves, instead of files.")
@click.option("--to", "target", type=click.Path(file_okay=False, path_type=Path), help="Folder to write YAML files to.")
@click.option("--format", "format_", type=click.Choice(["yaml", "jsonl"]), default="yaml", help="Files or lines.")
def export(folder: Path | None, loaded: bool, target: Path | None, format_: str) -> None:
    """Write the banks as files below a folder (yaml), or one item per line on standard output (jsonl).

    Example: quizapp banks export --from question_banks --format jsonl > items.jsonl
    """
    from quizapp.banks.formats.writing import file_name, json_lines, topic_yaml

    if (format_ == "yaml") != (target is not None):
        raise click.UsageError("yaml needs --to FOLDER; jsonl goes to standard output, without --to")
    if loaded and folder is not None:
        raise click.UsageError("--loaded reads the database, --from reads files: name one of them")
    parsed = _loaded() if loaded else _read(folder)
    if target is None:
        for line in json_lines(parsed):
            _out(line)
        return
    for topic in parsed.topics:
        path = target / file_name(topic)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(topic_yaml(topic), encoding="utf-8")
    if not loaded:
        _copy_others(folder or data_folder("question_banks"), target)
    _out(f"{len(parsed.topics)} files with {len(parsed.items)} items written to {target}")


def _copy_others(source: Path, target: Path) -> None:
    """The standard, the blueprints, pictures and reviews go along as they are."""
    others = ("standards/*.yaml", "*/images/*.svg", "reviews/*.csv", "blueprints.yaml")
    for path in (path for pattern in others for path in source.glob(pattern)):
        copy = target / path.relative_to(source)
        if path.is_file() and copy.resolve() != path.resolve():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _read(folder: Path | None) -> ParsedBanks:
    return _read_all(folder).banks


def _read_all(folder: Path | None) -> Reading:
    from quizapp.banks.formats.yaml_bank import read_folder

    reading = read_folder(folder or data_folder("question_banks"))
    if reading.refused:
        _tell(reading.faults)
        raise click.ClickException("the files cannot be read. Nothing was done: correct them")
    return reading


def _loaded() -> ParsedBanks:
    from quizapp.banks.queries import loaded_banks

    with _database() as db:
        return loaded_banks(db)


@contextmanager
def _database() -> Iterator[Session]:
    """A session on the installation's database, which must be up to date."""
    from quizapp.config import SettingInvalid, read_settings
    from quizapp.core import migrate
    from quizapp.core.db import Database

    try:
        settings = read_settings()
    except SettingInvalid as error:
        raise click.ClickException(str(error)) from error
    database = Database(settings.database_url)
    try:
        if migrate.current(database) != migrate.head():
            raise click.ClickException("the database is not up to date. Run: quizapp init")
        with database.session() as db:
            yield db
    finally:
        database.dispose()


def _checked(folder: Path | None) -> tuple[Reading, list[Fault]]:
    from quizapp.banks.checks import check_banks
    from quizapp.banks.formats.yaml_bank import read_folder

    reading = read_folder(folder or data_folder("question_banks"))
    return reading, check_banks(reading, local_date(system_clock()))


def _refused(faults: list[Fault]) -> list[Fault]:
    from quizapp.banks.faults import Level

    return [fault for fault in faults if fault.level == Level.REFUSE]


def _summary(reading: Reading, faults: list[Fault]) -> str:
    refused = len(_refused(faults))
    items = reading.banks.items
    return f"{len(items)} items in {len(reading.banks.bank_codes)} banks: {refused} faults, {len(faults) - refused} warnings"


def _out(line: str) -> None:
    """A line on standard output, UTF-8 in any locale."""
    click.echo(line.encode())


def _tell(faults: list[Fault]) -> None:
    """The faults on standard error, UTF-8 in any locale."""
    for fault in faults:
        click.echo(str(fault).encode(), err=True)
