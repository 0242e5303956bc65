"""Reads a folder of banks: every file, with each fault at its line.

The folder holds one folder per bank with one file per topic, standards/*.yaml and blueprints.yaml, as question_banks/README.md says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quizapp.banks.faults import Fault, Level
from quizapp.banks.formats.marked_yaml import Document, Place, YamlFault, read_document
from quizapp.banks.formats.pictures import PictureInvalid, checked_picture
from quizapp.banks.formats.shapes import shape_faults, unsound_items
from quizapp.banks.parsed import (
    Option,
    ParsedBanks,
    ParsedBenchmark,
    ParsedBlueprint,
    ParsedItem,
    ParsedTopic,
    Picture,
)
from quizapp.banks.reviews import Reading as Review
from quizapp.banks.reviews import read_reviews

#: Fields whose plain scalars are true, false or numbers; everything else is text.
ITEM_TYPED = ("key", "ordered", "point", "difficulty", "year")
STANDARD_TYPED = ("number", "seen", "unsure")
BLUEPRINT_TYPED = ("rules",)
#: The bank that follows the standard.
LITERACY = "literacy"
#: Folders that are no bank.
NO_BANKS = ("standards", "schema", "reviews")


@dataclass
class Reading:
    """What could be read, and what could not."""

    banks: ParsedBanks
    faults: list[Fault] = field(default_factory=list)
    #: The readings of reviews/*.csv.
    reviews: list[Review] = field(default_factory=list)
    #: Files that could not be read in full → the banks that can therefore not be judged as a whole.
    unread: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether any fault keeps the banks from being loaded."""
        return any(fault.level == Level.REFUSE for fault in self.faults)

    @property
    def unread_banks(self) -> frozenset[str]:
        """The banks of which not every item is there."""
        return frozenset().union(*self.unread.values())


def read_folder(folder: Path) -> Reading:
    """Read all files below `folder`; file names in faults are relative to it. Raises OSError where a file cannot be opened."""
    reading = Reading(ParsedBanks())
    topics: list[ParsedTopic] = []
    for path in sorted(folder.glob("*/*.yaml")):
        if path.parent.name in NO_BANKS:
            continue
        file = path.relative_to(folder).as_posix()
        document, unsound = _read(path, folder, ITEM_TYPED, "item_bank", reading)
        if document is None or unsound:
            reading.unread[file] = frozenset({path.parent.name})
        if document is not None:
            topics.append(_topic(document, unsound, folder, file, reading))
            given = document.value["bank"]
            if given != path.parent.name:
                reading.unread[file] = frozenset({path.parent.name, given})
                data = {"given": given, "folder": path.parent.name}
                reading.faults.append(Fault("wrong_bank", Level.REFUSE, file, document.line(("bank",)), data))
    if not topics and not reading.faults:
        reading.faults.append(Fault("no_files", Level.REFUSE, ".", 1))
    benchmarks: list[ParsedBenchmark] = []
    for path in sorted(folder.glob("standards/*.yaml")):
        document, _ = _read(path, folder, STANDARD_TYPED, "standard", reading)
        if document is None:
            reading.unread[path.relative_to(folder).as_posix()] = frozenset({LITERACY})
        else:
            benchmarks += _standard(document, path.relative_to(folder).as_posix(), reading)
    blueprints: list[ParsedBlueprint] = []
    path = folder / "blueprints.yaml"
    if path.is_file():
        document, _ = _read(path, folder, BLUEPRINT_TYPED, "blueprints", reading)
        if document is not None:
            blueprints += _blueprints(document, path.name)
    reading.banks = ParsedBanks(tuple(topics), tuple(benchmarks), tuple(blueprints))
    reading.reviews, faults = read_reviews(folder, reading.banks.items)
    # A review of what could not be read is not wrong; what has a picture that is not there has another version.
    known, unsure = {item.code for item in reading.banks.items}, {fault.item for fault in reading.faults}
    reading.faults += [
        fault
        for fault in faults
        if fault.code != "review_row"
        or (fault.data["item"] not in unsure and (fault.data["item"] in known or not reading.unread))
    ]
    return reading


def _read(
    path: Path, folder: Path, typed: tuple[str, ...], schema: str, reading: Reading
) -> tuple[Document | None, frozenset[int]]:
    """The document with the positions of the items in it that cannot be read; None where it cannot itself. Notes its faults."""
    file = path.relative_to(folder).as_posix()
    try:
        document = read_document(path.read_bytes(), typed)
    except YamlFault as fault:
        reading.faults.append(Fault(fault.code, Level.REFUSE, file, fault.line, fault.data))
        return None, frozenset()
    faults = shape_faults(document, schema, file)
    reading.faults += faults
    if not faults:
        return document, frozenset()
    unsound = unsound_items(document) if schema == "item_bank" else None
    return (None, frozenset()) if unsound is None else (document, unsound)


def _topic(document: Document, unsound: frozenset[int], folder: Path, file: str, reading: Reading) -> ParsedTopic:
    value = document.value
    items = []
    for position, entry in enumerate(value["items"]):
        if position in unsound:
            continue
        try:
            image = _picture(entry.get("image"), folder)
        except PictureInvalid as invalid:
            image = Picture(entry["image"]["file"], entry["image"]["alt"])  # the other rules still judge the item
            line = document.line(("items", position, "image"))
            data = {"file": entry["image"]["file"], "why": invalid.why}
            reading.faults.append(Fault("picture", Level.REFUSE, file, line, data, item=entry["id"], at="image"))
        items.append(read_entry(entry, value["bank"], value["topic"], document, position, file, image))
    return ParsedTopic(value["bank"], value["topic"], value["title"], tuple(items), file)


def _picture(given: dict[str, Any] | None, folder: Path) -> Picture | None:
    """The picture that an entry names, with what its file holds. Raises PictureInvalid."""
    if given is None:
        return None
    path = folder / given["file"]
    if not path.is_file():
        raise PictureInvalid("is not there")
    return Picture(given["file"], given["alt"], checked_picture(path.read_bytes()))


def read_entry(
    entry: dict[str, Any], bank: str, topic: str, document: Document, position: int, file: str, image: Picture | None
) -> ParsedItem:
    """The item of an entry that keeps the schema; `position` is its place among the document's items."""
    key = entry["key"]
    if isinstance(key, bool):
        keys: tuple[str, ...] = ("t",) if key else ("f",)
    else:
        keys = tuple(sorted(key)) if isinstance(key, list) else (key,)
    here = ("items", position)
    lines = {name: document.line((*here, name)) for name in entry}
    for number, option in enumerate(entry.get("options", ())):
        lines[f"option {option['id']}"] = document.line((*here, "options", number))
    return ParsedItem(
        code=entry["id"],
        bank=bank,
        topic=topic,
        type=entry["type"],
        use=entry["use"],
        dimension=entry["dimension"],
        difficulty=entry["difficulty"],
        fact=entry["fact"],
        point=entry.get("point"),
        objective=entry["objective"],
        stem=entry["stem"],
        options=tuple(Option(o["id"], o["zh"], o["en"]) for o in entry.get("options", ())),
        ordered=entry.get("ordered", False),
        key=keys,
        rationale=entry["rationale"],
        citation=entry["citation"],
        review_by=entry["review_by"],
        state=entry["state"],
        tags=tuple(entry.get("tags", ())),
        audience=tuple(entry.get("audience", ())),
        stimulus=entry.get("stimulus"),
        image=image,
        file=file,
        line=document.line(here),
        field_lines=lines,
    )


def _standard(document: Document, file: str, reading: Reading) -> list[ParsedBenchmark]:
    benchmarks = []
    next_point = 1
    for position, entry in enumerate(document.value["benchmarks"]):
        here: Place = ("benchmarks", position)
        given = {int(number): point for number, point in entry["points"].items()}
        points = {number: {"zh": point["zh"], "en": point["en"]} for number, point in given.items()}
        numbers: list[tuple[int, int, Place]] = [(position + 1, entry["number"], (*here, "number"))]
        numbers += [(next_point + n, point, (*here, "points", str(point))) for n, point in enumerate(points)]
        for wanted, found, path in numbers:
            if wanted != found:
                data = {"given": found, "wanted": wanted}
                reading.faults.append(Fault("standard_numbers", Level.REFUSE, file, document.line(path), data))
        next_point += len(points)
        benchmarks.append(
            ParsedBenchmark(
                number=entry["number"],
                name=entry["name"],
                title=entry["title"],
                points=points,
                title_seen=entry["seen"]["title"],
                range_seen=entry["seen"]["range"],
                points_seen=frozenset(number for number, point in given.items() if point["seen"]),
                unsure=frozenset(number for number, point in given.items() if point.get("unsure")),
            )
        )
    return benchmarks


def _blueprints(document: Document, file: str) -> list[ParsedBlueprint]:
    return [
        ParsedBlueprint(
            code=entry["code"],
            bank=entry["bank"],
            title=entry["title"],
            description=entry["description"],
            rules=entry["rules"],
            file=file,
            line=document.line(("blueprints", position)),
        )
        for position, entry in enumerate(document.value["blueprints"])
    ]
