"""Files that people bring, for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter


def make_xlsx(*sheets: Sequence[Sequence[Any]], hidden: int | None = None) -> bytes:
    """A workbook with a sheet for each list of rows; numbers are numbers, texts are texts."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    for index, rows in enumerate(sheets):
        sheet = book.add_worksheet(f"表{index + 1}")
        if index == hidden:
            sheet.hide()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif value is not None:
                    sheet.write(number, column, value)
    book.close()
    return out.getvalue()


def make_csv(rows: Sequence[Sequence[Any]], *, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """The same as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)
