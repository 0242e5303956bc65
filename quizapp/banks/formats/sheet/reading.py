"""Reads a filled sheet: each row becomes a new item, or the correction of one that is there, or faults with row and column."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from quizapp.banks.faults import Fault, Level
from quizapp.banks.formats.marked_yaml import Document, Place
from quizapp.banks.formats.shapes import shape_faults
from quizapp.banks.formats.sheet.columns import BY_HEADING, HEADINGS, NONE, STAYS, code_of
from quizapp.banks.formats.sheet.rows import entry_of, item_id
from quizapp.banks.formats.sheet.standing_in import stand_in
from quizapp.banks.formats.sheet.template import EXAMPLE
from quizapp.banks.formats.sheet.wording import in_sheet
from quizapp.banks.formats.yaml_bank import read_entry
from quizapp.banks.parsed import ParsedBanks, ParsedItem, ParsedTopic, Source
from quizapp.core.tables import Row, Sheet, formula_cells, open_table

#: Characters of a cell that are read: more than any text of an item has.
MOST_CHARACTERS = 1_200
#: Rows of items that are read at once.
MOST_ITEMS = 500
#: What a row of the template shows and nobody's item says.
_SHOWN = {name: text for name, text in EXAMPLE.items() if name.partition(".")[2] in ("zh", "en")}
#: The fields of an item for which the sheet has columns; the others stay as they are when an item is corrected.
_WRITTEN = {h.name.partition(".")[0] for h in HEADINGS} - {"id", "bank", "topic", "image", *"abcde"}
_TAKEN_OVER = (_WRITTEN & {f.name for f in fields(ParsedItem)}) | {"options", "state", "file", "line", "field_lines"}


@dataclass(frozen=True)
class Correction:
    """What a row changes of an item that is there."""

    before: ParsedItem
    #: The columns that say something else than before.
    changed: tuple[str, ...]
    #: "", "stays" or "goes".
    picture: str = ""

    @property
    def replaces(self) -> Source:
        """What the source says that it took the place of: no column has it, so it stays where another source is written."""
        source = [
            name for name in self.changed if name.startswith(("citation.document", "citation.article", "citation.year"))
        ]
        replaced: Source = self.before.citation.get("replaces", "") if source else ""
        return replaced

    @property
    def back_to_review(self) -> bool:
        """Whether it was served, and is not until somebody approves it again."""
        return self.before.state == "approved"


@dataclass(frozen=True)
class Draft:
    """A row whose form is wrong somewhere, with stand-ins there, so that the rest can be judged; `unsure`: what cannot."""

    item: ParsedItem
    unsure: frozenset[str]


@dataclass
class SheetReading:
    """The items of a spreadsheet, and what is wrong with it. `file` of each fault is the sheet's name, `line` the row."""

    items: list[ParsedItem] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: Id → what is corrected of it; the other items are new.
    corrections: dict[str, Correction] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)


def read_sheet(content: bytes, existing: ParsedBanks, used: Collection[str] = ()) -> SheetReading:
    """The items of the first sheet that has a column for the stem. Items without an id get the next free one of their topic.

    `used`: ids of items that are gone; none is given again. Raises TableTooLarge, TableUnreadable, TableLocked or TableEmpty.
    """
    for sheet in open_table(content, MOST_CHARACTERS):
        rows = sheet.rows()
        head = next((row for row in rows if not row.empty), None)
        columns = _columns(head) if head else {}
        if "stem.zh" in columns:
            return _Reader(sheet, columns, existing, used, formula_cells(content, sheet.name)).read(rows)
    return SheetReading(faults=[Fault("sheet_columns", Level.REFUSE, ".", 1, {"wanted": "题干（中文）"})])


def _columns(head: Row) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, heading in enumerate(head.cells):
        name = BY_HEADING.get(heading.casefold().split("\n")[0].strip())
        if name and name not in found:
            found[name] = position
    return found


class _Reader:
    """One reading of one sheet."""

    def __init__(
        self,
        sheet: Sheet,
        columns: dict[str, int],
        existing: ParsedBanks,
        used: Collection[str],
        formulas: Collection[tuple[int, int]],
    ) -> None:
        self._sheet = sheet.name
        self._columns = columns
        self._formulas = {(row, name) for name, column in columns.items() for row, at in formulas if at == column}
        self._known = {item.code: item for item in existing.items}
        self._topics = {(topic.bank, topic.code): topic for topic in existing.topics if topic.items}
        self._used = {*self._known, *used}
        #: Id → the row that has it.
        self._rows: dict[str, int] = {}
        self._reading = SheetReading()

    def read(self, rows: Iterator[Row]) -> SheetReading:
        """All rows below the headings."""
        taken: list[tuple[Row, dict[str, str]]] = []
        for row in rows:
            cells = {name: row.cell(at) for name, at in self._columns.items() if row.cell(at)}
            formulas = [name for number, name in self._formulas if number == row.number]
            if not (cells or formulas) or cells.get("difficulty", "").startswith("1 很容易"):
                continue
            if len(taken) >= MOST_ITEMS:
                self._fault(row, "sheet_long", most=MOST_ITEMS)
                break
            if "id" in cells:
                cells["id"] = item_id(cells["id"])
            if "bank" in cells:
                cells["bank"] = code_of("bank", cells["bank"])
            if "topic" in cells:
                cells["topic"] = self._topic(cells)
            taken.append((row, cells))
        free = self._free_ids([cells for _, cells in taken])
        for row, cells in taken:
            self._row(row, cells, free)
        return self._reading

    def _topic(self, cells: Mapping[str, str]) -> str:
        """The code of a topic for its code or its name."""
        before = self._known.get(cells.get("id", ""))
        bank, text = cells.get("bank", before.bank if before else ""), cells["topic"].casefold()
        for topic in self._topics.values():
            if topic.bank == bank and text in {name.casefold() for name in (topic.code, *topic.title.values())}:
                return topic.code
        return cells["topic"]

    def _fault(self, row: Row, code: str, at: str = "", level: Level = Level.REFUSE, **data: object) -> None:
        fault = Fault(code, level, self._sheet, row.number, data, at=at)
        self._reading.faults.append(in_sheet(fault))

    def _row(self, row: Row, cells: dict[str, str], free: dict[tuple[str, str], _FreeIds]) -> None:
        formulas = {name for number, name in self._formulas if number == row.number}
        for name in sorted(formulas):
            self._fault(row, "cell_formula", name)
        if formulas & {"id", "bank", "topic"}:
            return
        code = cells.get("id", "")
        before = self._known.get(code)
        if code and code in self._rows:
            self._fault(row, "sheet_id_twice", "id", id=code, other=self._rows[code])
        elif before:
            self._rows[code] = row.number
            if self._may_correct(row, cells, before):
                self._take(row, cells, code, before, formulas)
        elif not self._is_example(row, cells) and self._in_topic(row, cells):
            place = cells["bank"], cells["topic"]
            if code and not free[place].has(code):
                self._fault(row, "sheet_id_unknown", "id", id=code, bank=place[0], topic=place[1])
                return
            code = code or free[place].next()
            self._rows[code] = row.number
            self._take(row, cells, code, None, formulas)

    def _may_correct(self, row: Row, cells: Mapping[str, str], before: ParsedItem) -> bool:
        """Whether a row that names an item leaves it where and what it is."""
        said = cells.get("bank", before.bank), cells.get("topic", before.topic)
        if said != (before.bank, before.topic):
            place = {"bank": before.bank, "topic": before.topic, "said_bank": said[0], "said_topic": said[1]}
            self._fault(row, "sheet_id_elsewhere", "id", Level.REFUSE, id=before.code, **place)
            return False
        sound = True
        if code_of("type", cells.get("type", before.type)) != before.type:
            self._fault(row, "sheet_id_type", "type", id=before.code, type=before.type)
            sound = False
        if "point" in cells and cells["point"] != str(before.point):
            self._fault(row, "sheet_id_point", "point", id=before.code, point=before.point or "-")
            sound = False
        return sound

    def _is_example(self, row: Row, cells: Mapping[str, str]) -> bool:
        """Whether a row is the template's example: passed over as it came, refused where anything was made of it."""
        left = [name for name, text in _SHOWN.items() if cells.get(name) == text]
        if not left:
            return False
        if len(left) == len(_SHOWN):
            self._fault(row, "sheet_example", level=Level.WARN)
        else:
            self._fault(row, "sheet_example_left", left[0], columns=left)
        return True

    def _in_topic(self, row: Row, cells: Mapping[str, str]) -> bool:
        bank, topic = cells.get("bank", ""), cells.get("topic", "")
        if (bank, topic) in self._topics:
            return True
        known = {code: self._topics[of, code].title for of, code in sorted(self._topics) if of == bank}
        for name in ("bank", "topic"):
            if not cells.get(name):
                self._fault(row, "cell_missing", name)
        if bank and not known:
            banks = ", ".join(sorted({of for of, _ in self._topics}))
            self._fault(row, "sheet_bank", "bank", bank=bank, known=banks)
        elif bank and topic:
            self._fault(row, "sheet_topic", "topic", topic=topic, bank=bank, known=", ".join(known), titles=known)
        return False

    def _take(
        self, row: Row, cells: dict[str, str], code: str, before: ParsedItem | None, formulas: Collection[str]
    ) -> None:
        """The item of a row, its faults of form, or both: then a draft."""
        picture = self._picture(row, cells.get("image", ""), before)
        bank, topic = (before.bank, before.topic) if before else (cells["bank"], cells["topic"])
        entry = entry_of(cells, code, before)
        letters = [option["id"] for option in entry.get("options", ())]
        faults = [
            in_sheet(fault, letters)
            for fault in shape_faults(self._document(entry, bank, topic, row), "item_bank", self._sheet)
        ]
        self._reading.faults += [fault for fault in faults if fault.data.get("column") not in formulas]
        wrong = {fault.at for fault in faults} | {
            f"options.0{n[1:]}" if n[0] in "abcde" and n[1] == "." else n for n in formulas
        }
        unsure: frozenset[str] = frozenset()
        if wrong:
            entry, unsure = stand_in(entry, wrong)
        read = read_entry(entry, bank, topic, self._document(entry, bank, topic, row), 0, self._sheet, None)
        if before:
            taken = {name: getattr(read, name) for name in _TAKEN_OVER}
            read = replace(before, **taken, image=None if picture == "goes" else before.image)
        if wrong or picture is None:
            self._reading.drafts.append(Draft(read, unsure))
        elif before and replace(read, state=before.state) == before:
            self._fault(row, "sheet_unchanged", level=Level.WARN, id=code)
        else:
            self._reading.items.append(read)
            if before:
                self._reading.corrections[code] = Correction(before, _changed(before, read), picture)

    def _picture(self, row: Row, text: str, before: ParsedItem | None) -> str | None:
        """What a row says of the picture: "stays", "goes" or nothing; None where it says what it cannot."""
        image = before.image if before else None
        if text.casefold() in NONE:
            return "goes" if image else ""
        if text and not (image and text.casefold() in STAYS):
            self._fault(row, "sheet_picture", "image", given=text)
            return None
        return "stays" if image else ""

    def _document(self, entry: dict[str, Any], bank: str, topic: str, row: Row) -> Document:
        value = {"bank": bank, "topic": topic, "title": self._topics[bank, topic].title, "items": [entry]}
        return Document(value, dict.fromkeys(_places(value), row.number))

    def _free_ids(self, rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], _FreeIds]:
        """For each topic the ids that its new rows may have: those after the last, as many as there are rows."""
        new = [cells for cells in rows if cells.get("id", "") not in self._known]
        free = {}
        for place, topic in self._topics.items():
            mine = [cells.get("id", "") for cells in new if (cells.get("bank"), cells.get("topic")) == place]
            free[place] = _FreeIds(topic.items[0].code, self._used, mine)
        return free


class _FreeIds:
    """The next ids of a topic in the pattern that its items have: SAF-FIRE-042, LIT-B07-17."""

    def __init__(self, pattern: str, used: Collection[str], rows: Sequence[str]) -> None:
        """`pattern`: an id of the topic; `rows`: the id that each new row of the topic writes, or nothing."""
        head = pattern.rsplit("-", 1)[0]
        numbers = [code.rsplit("-", 1)[1] for code in used if code.rsplit("-", 1)[0] == head]
        width, last = min(map(len, numbers)), max(map(int, numbers))
        self._ids = [f"{head}-{number:0{width}}" for number in range(last + 1, last + 1 + len(rows))]
        self._written = set(rows)

    def has(self, code: str) -> bool:
        """Whether a row may write this id."""
        return code in self._ids

    def next(self) -> str:
        """The next id that no row writes."""
        code = next(code for code in self._ids if code not in self._written)
        self._ids.remove(code)
        return code


def _changed(before: ParsedItem, after: ParsedItem) -> tuple[str, ...]:
    """The columns in which two states of an item differ."""

    def value(item: ParsedItem, name: str) -> object:
        head, _, part = name.partition(".")
        if head in "abcde":
            return next((getattr(option, part) for option in item.options if option.id == head), None)
        found = getattr(item, head)
        for step in part.split(".") if part else ():
            # plain words of a citation are its Chinese ones
            found = found.get(step) if isinstance(found, Mapping) else found if step == "zh" else None
        return found

    names = [heading.name for heading in HEADINGS if heading.name not in ("id", "bank", "topic")]
    return tuple(name for name in names if value(before, name) != value(after, name))


def _places(value: Any, here: Place = ()) -> Iterator[Place]:
    yield here
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _places(part, (*here, name))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _places(part, (*here, position))


def as_topics(items: Sequence[ParsedItem], existing: ParsedBanks) -> tuple[ParsedTopic, ...]:
    """The topics of the banks with these items added; an item with an id that is there takes its place."""
    new = {item.code: item for item in items}
    topics = []
    for topic in existing.topics:
        mine = [item for item in new.values() if (item.bank, item.topic) == (topic.bank, topic.code)]
        codes = {item.code for item in topic.items}
        kept = tuple(new.get(item.code, item) for item in topic.items)
        added = tuple(item for item in mine if item.code not in codes)
        topics.append(ParsedTopic(topic.bank, topic.code, topic.title, kept + added, topic.file))
    return tuple(topics)
