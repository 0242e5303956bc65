"""The workbook that an expert fills in: headings, what to write, lists to choose from, an example, and the codes on sheets of their own."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from quizapp.banks.formats.sheet.columns import CHOICES, HEADINGS
from quizapp.banks.parsed import Text

#: Rows below the headings that have lists to choose from.
_ROWS = 500
_TOPICS, _POINTS = "主题 Topics", "基准点 Points"


def template(topics: Sequence[tuple[str, str, Text]], points: Mapping[int, Text]) -> bytes:
    """The workbook. `topics`: bank, code and title of each topic; `points`: the benchmark points of the literacy standard."""
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
        sheet.write_string(2, column, EXAMPLE.get(heading.name, ""), cell)
        if heading.name == "topic" and topics:
            source: Any = f"='{_TOPICS}'!$B$2:$B${len(topics) + 1}"
        else:
            source = _LISTS.get(heading.name)
        if source:
            sheet.data_validation(
                2, column, _ROWS + 2, column, {"validate": "list", "source": source, "show_error": False}
            )
    sheet.freeze_panes(2, 0)
    banks = CHOICES["bank"]
    named = [(bank, code, " / ".join(banks.get(bank, ())), title["zh"], title["en"]) for bank, code, title in topics]
    columns = ("题库 Bank", "主题 Topic", "题库名 Name of the bank", "主题名", "Name of the topic")
    _list(book, _TOPICS, columns, named, head, cell)
    audience = [(code, *words) for code, words in CHOICES["audience"].items()]
    _list(book, "给谁做 Audience", ("代码 Code", "给谁做", "Audience"), audience, head, cell)
    if points:
        numbered = [(str(number), text["zh"], text["en"]) for number, text in sorted(points.items())]
        _list(book, _POINTS, ("基准点 Point", "说的是什么（转述）", "What it says (restated)"), numbered, head, cell)
    book.close()
    return buffer.getvalue()


def _list(
    book: Any, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]], head: object, cell: object
) -> None:
    """A sheet of codes and names."""
    sheet = book.add_worksheet(name)
    sheet.set_column(0, len(columns) - 1, 30, cell)
    for number, row in enumerate((columns, *rows)):
        for column, value in enumerate(row):
            sheet.write_string(number, column, value, cell if number else head)
    sheet.freeze_panes(1, 0)


_LISTS: dict[str, list[str]] = {
    "bank": list(CHOICES["bank"]),
    "difficulty": ["1", "2", "3", "4", "5"],
    "ordered": ["是"],
    **{name: [words[0] for words in CHOICES[name].values()] for name in ("type", "use", "dimension", "stimulus")},
}
#: The row that shows how; nobody's item has any of its sentences.
EXAMPLE: dict[str, str] = {
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
