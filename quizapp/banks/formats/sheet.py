"""Items in a spreadsheet: for a subject expert who never saw a YAML file.

One row is one item. The columns have two headings, Chinese and English; either is understood. What a row says becomes the same value as an
entry of a bank file, so the same schema and the same checks judge it, and a fault names its row.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quizapp.banks.faults import Fault, Level
from quizapp.banks.formats.marked_yaml import Document, Place
from quizapp.banks.formats.shapes import shape_faults
from quizapp.banks.formats.yaml_bank import read_entry
from quizapp.banks.parsed import ParsedBanks, ParsedItem, ParsedTopic, Text
from quizapp.core.tables import Row, open_table

#: Characters of a cell that are read: more than any text of an item has.
MOST_CHARACTERS = 1_200
#: Rows of items that are read at once.
MOST_ITEMS = 500


@dataclass(frozen=True)
class Heading:
    """One column: its name here, its headings, and what stands in it."""

    name: str
    zh: str
    en: str
    help: str


_OPTIONS = "abcde"
HEADINGS: tuple[Heading, ...] = (
    Heading("id", "编号", "Id", "空着，就自动编一个新的 / leave empty for a new one"),
    Heading("bank", "题库", "Bank", "safety, energy_environment, health, literacy"),
    Heading("topic", "主题", "Topic", "现有主题的代码，如 fire / code of a topic, such as fire"),
    Heading("type", "题型", "Type", "判断 true_false, 单选 single_choice, 多选 multiple_choice"),
    Heading("use", "用途", "Use", "测试 test, 练习 practice, 都用 both"),
    Heading("dimension", "考什么", "Ability", "知识 knowledge, 方法 method, 精神 spirit, 应用 application"),
    Heading("difficulty", "难度", "Difficulty", "1 很容易 … 5 难 / 1 very easy … 5 hard"),
    Heading("point", "基准点", "Benchmark point", "只有 literacy 要填，1–132 / literacy only"),
    Heading("tags", "标签", "Tags", "英文小写代码，逗号分开 / codes with commas, such as hot_work, ppe"),
    Heading("audience", "给谁做", "Audience", "resident, pupil, driver … 逗号分开 / with commas"),
    Heading("stimulus", "材料", "Stimulus", "给了情境、表、图才填：situation, table, chart, picture"),
    Heading("stem.zh", "题干（中文）", "Stem (Chinese)", "不超过60字；有材料的不超过160字"),
    Heading("stem.en", "题干（英文）", "Stem (English)", ""),
    *(
        Heading(f"{letter}.{language}", f"选项{letter.upper()}（{zh}）", f"Option {letter.upper()} ({en})", "")
        for letter in _OPTIONS
        for language, zh, en in (("zh", "中文", "Chinese"), ("en", "英文", "English"))
    ),
    Heading(
        "ordered",
        "选项按顺序",
        "Keep order",
        "选项是数或甲乙丙丁时填 是 / yes where the options are numbers or labels (A, B, C)",
    ),
    Heading("key", "答案", "Key", "对/错 true/false；b；a,c"),
    Heading("rationale.zh", "解析（中文）", "Rationale (Chinese)", "25–120字：为什么对，为什么最像对的那个错"),
    Heading("rationale.en", "解析（英文）", "Rationale (English)", ""),
    Heading("citation.document.zh", "依据文件（中文）", "Source (Chinese)", "文件全名 / full name of the document"),
    Heading(
        "citation.document.en",
        "依据文件（英文）",
        "Source (English)",
        "正式或通行的英文名 / its official or usual title",
    ),
    Heading("citation.article.zh", "条款或页（中文）", "Article or page (Chinese)", "第几条、第几章 / where in it"),
    Heading("citation.article.en", "条款或页（英文）", "Article or page (English)", "Article 64, Chapter 3, p. 12"),
    Heading("citation.year", "年份", "Year", "现行版本的年份 / of the version in force"),
    Heading("citation.valid_until", "依据有效至", "Source valid until", "2027-12，知道才填 / if known"),
    Heading("review_by", "复查期限", "Review by", "2028-12"),
    Heading("fact", "考的事实", "Fact", "同一个事实用同一个代码 / one fact, one code"),
    Heading("objective.zh", "考点（中文）", "Objective (Chinese)", "知道…… / 会……"),
    Heading("objective.en", "考点（英文）", "Objective (English)", ""),
)
_BY_HEADING = {words.casefold(): h.name for h in HEADINGS for words in (h.zh, h.en, h.name)} | {
    # of templates from before sources had two languages
    "依据文件": "citation.document.zh",
    "source": "citation.document.zh",
    "条款或页": "citation.article.zh",
    "article or page": "citation.article.zh",
}
#: What people write → the code of the files.
_VALUES: dict[str, dict[str, str]] = {
    "type": {"判断": "true_false", "判断题": "true_false", "单选": "single_choice", "单选题": "single_choice"}
    | {"多选": "multiple_choice", "多选题": "multiple_choice"},
    "use": {"测试": "test", "练习": "practice", "都用": "both"},
    "dimension": {"知识": "knowledge", "方法": "method", "精神": "spirit", "应用": "application"},
    "stimulus": {"情境": "situation", "表": "table", "图表": "chart", "图": "picture"},
}
_TRUE = {"对", "正确", "true", "t", "√", "1"}
_FALSE = {"错", "错误", "false", "f", "×", "0"}
_YES = {"是", "yes", "y", "true", "1"}


@dataclass
class SheetReading:
    """The items of a spreadsheet, and what is wrong with it. `file` of each fault is the sheet's name, `line` the row."""

    items: list[ParsedItem] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_sheet(content: bytes, existing: ParsedBanks) -> SheetReading:
    """The items of the first sheet that has a column for the stem. Items without an id get the next free one of their topic.

    Raises TableTooLarge, TableUnreadable, TableLocked or TableEmpty.
    """
    reading = SheetReading()
    for sheet in open_table(content, MOST_CHARACTERS):
        rows = sheet.rows()
        head = next((row for row in rows if not row.empty), None)
        columns = _columns(head) if head else {}
        if "stem.zh" not in columns:
            continue
        taken = {item.code for item in existing.items}
        topics = {(topic.bank, topic.code): topic for topic in existing.topics if topic.items}
        heads = {place: topic.items[0].code.rsplit("-", 1)[0] for place, topic in topics.items()}
        titles = {place: topic.title for place, topic in topics.items()}
        for row in rows:
            if not row.empty and not _is_help(row, columns):
                if len(reading.items) >= MOST_ITEMS:
                    reading.faults.append(
                        Fault("sheet_long", Level.REFUSE, sheet.name, row.number, {"most": MOST_ITEMS})
                    )
                    break
                _read_row(row, columns, sheet.name, taken, titles, heads, reading)
        return reading
    reading.faults.append(Fault("sheet_columns", Level.REFUSE, ".", 1, {"wanted": "题干（中文）"}))
    return reading


def _columns(head: Row) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, heading in enumerate(head.cells):
        name = _BY_HEADING.get(heading.casefold().split("\n")[0].strip())
        if name and name not in found:
            found[name] = position
    return found


def _is_help(row: Row, columns: dict[str, int]) -> bool:
    """Whether it is the row below the headings that says what to write."""
    return row.cell(columns.get("difficulty")).startswith("1 很容易")


def _read_row(
    row: Row,
    columns: dict[str, int],
    sheet: str,
    taken: set[str],
    titles: dict[tuple[str, str], Text],
    heads: dict[tuple[str, str], str],
    reading: SheetReading,
) -> None:
    cells = {name: row.cell(position) for name, position in columns.items() if row.cell(position)}
    entry = _entry(cells)
    bank, topic = cells.get("bank", ""), cells.get("topic", "")
    title = titles.get((bank, topic))
    if title is None:
        data = {"topic": topic, "bank": bank, "known": ", ".join(sorted(c for b, c in titles if b == bank)) or "-"}
        reading.faults.append(Fault("sheet_topic", Level.REFUSE, sheet, row.number, data))
        return
    if "id" not in entry:
        entry["id"] = _free_id(heads, (bank, topic), taken)
    taken.add(entry["id"])
    value = {"bank": bank, "topic": topic, "title": title, "items": [entry]}
    document = Document(value, dict.fromkeys(_places(value), row.number))
    faults = shape_faults(document, "item_bank", sheet)
    reading.faults += faults
    if not faults:
        reading.items.append(read_entry(entry, bank, topic, document, 0, sheet, None))


def _entry(cells: dict[str, str]) -> dict[str, Any]:
    """What a row says, as an entry of a bank file; the state is always in_review, for a second person approves."""
    entry: dict[str, Any] = {"state": "in_review"}
    for name in ("id", "type", "use", "dimension", "stimulus", "review_by", "fact"):
        if name in cells:
            entry[name] = _VALUES.get(name, {}).get(cells[name], cells[name])
    for name in ("difficulty", "point"):
        if name in cells:
            entry[name] = _whole(cells[name])
    for name in ("tags", "audience"):
        if name in cells:
            entry[name] = [part for part in re.split(r"[,，、;；\s]+", cells[name]) if part]
    for path, value in cells.items():
        *groups, name = path.split(".")
        if groups and groups[0] in ("stem", "rationale", "objective", "citation"):
            place = entry
            for group in groups:
                place = place.setdefault(group, {})
            place[name] = value
    if "year" in entry.get("citation", {}):
        entry["citation"]["year"] = _whole(entry["citation"]["year"])
    options = [
        {"id": letter, **{lang: cells[f"{letter}.{lang}"] for lang in ("zh", "en") if f"{letter}.{lang}" in cells}}
        for letter in _OPTIONS
        if f"{letter}.zh" in cells or f"{letter}.en" in cells
    ]
    if options:
        entry["options"] = options
    if cells.get("ordered", "").casefold() in _YES:
        entry["ordered"] = True
    if "key" in cells:
        entry["key"] = _key(cells["key"], entry.get("type"))
    return entry


def _whole(text: str) -> Any:
    return int(text) if re.fullmatch(r"\d{1,4}", text) else text


def _key(text: str, kind: object) -> Any:
    plain = text.strip().casefold()
    if kind == "true_false":
        return True if plain in _TRUE else False if plain in _FALSE else text
    letters = re.findall(r"[a-z]", plain)
    return letters if kind == "multiple_choice" else plain


def _free_id(heads: Mapping[tuple[str, str], str], place: tuple[str, str], taken: set[str]) -> str:
    """The next id of the topic in the pattern that its items have: SAF-FIRE-042, LIT-B07-17."""
    head = heads[place]
    numbers = [code.rsplit("-", 1)[1] for code in taken if code.rsplit("-", 1)[0] == head]
    width = min(map(len, numbers))
    return f"{head}-{max(map(int, numbers)) + 1:0{width}}"


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


def template() -> bytes:
    """An empty workbook with the headings, what to write in each column, lists to choose from, and an example to delete."""
    import xlsxwriter  # only where a file is really written

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    note = book.add_format({"italic": True, "text_wrap": True, "valign": "top", "font_color": "#495663"})
    cell = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet("题目 Items")
    for column, heading in enumerate(HEADINGS):
        wide = heading.name.split(".")[0] in ("stem", "rationale", "objective")
        sheet.set_column(column, column, 40 if wide else 18, cell)
        sheet.write_string(0, column, f"{heading.zh}\n{heading.en}", head)
        sheet.write_string(1, column, heading.help, note)
        sheet.write_string(2, column, _EXAMPLE.get(heading.name, ""), cell)
        choices = _CHOICES.get(heading.name)
        if choices:
            sheet.data_validation(2, column, MOST_ITEMS + 2, column, {"validate": "list", "source": choices})
    sheet.freeze_panes(2, 0)
    book.close()
    return buffer.getvalue()


_CHOICES: dict[str, list[str]] = {
    "bank": ["safety", "energy_environment", "health", "literacy"],
    "type": ["判断", "单选", "多选"],
    "use": ["测试", "练习", "都用"],
    "dimension": ["知识", "方法", "精神", "应用"],
    "difficulty": ["1", "2", "3", "4", "5"],
    "stimulus": ["情境", "表", "图表", "图"],
    "ordered": ["是"],
}
_EXAMPLE: dict[str, str] = {
    "bank": "safety",
    "topic": "fire",
    "type": "单选",
    "use": "练习",
    "dimension": "应用",
    "difficulty": "2",
    "tags": "cooking, extinguishing",
    "audience": "resident",
    "stem.zh": "（例子，填之前删掉这一行）炒菜时油锅突然起火，最先该怎么做？",
    "stem.en": "(Example: delete this row) A pan of oil catches fire. What do you do first?",
    "a.zh": "往锅里倒一碗清水",
    "a.en": "Pour water into it",
    "b.zh": "盖上锅盖并关火",
    "b.en": "Put the lid on and turn off the heat",
    "c.zh": "端起锅跑到室外",
    "c.en": "Carry the pan outside",
    "d.zh": "用湿手拍打火苗",
    "d.en": "Beat the flames with wet hands",
    "key": "b",
    "rationale.zh": "盖上锅盖隔绝空气，火就会熄灭；水遇热油会炸开，把燃着的油溅到身上和灶台上，端着锅跑则容易泼洒。",
    "rationale.en": "A lid cuts off the air. Water explodes in hot oil; carrying the pan spills it.",
    "citation.document.zh": "中国公民健康素养——基本知识与技能（2024年版）",
    "citation.document.en": "Health Literacy of Chinese Citizens: Basic Knowledge and Skills (2024 edition)",
    "citation.article.zh": "第64条",
    "citation.article.en": "Point 64",
    "citation.year": "2024",
    "review_by": "2028-12",
    "fact": "oil_fire_lid",
    "objective.zh": "知道油锅起火的正确做法",
    "objective.en": "Knows how to put out burning oil",
}
