"""Responses from a file: CSV (UTF-8, with or without a byte-order mark) or xlsx, wide or long.

Wide: first column `respondent`, one column per item. Long: columns `respondent`, `item`, `score` or `option`, perhaps `seconds`. Empty =
the person was not given the item; `-` = given, not answered. What cannot be read is refused with the row as a spreadsheet counts it and
what to do.

Here each row is looked at with care; a plain CSV goes the fast way of `fast_tables`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quizapp.analyse.fast_tables import fast_table
from quizapp.analyse.files import csv_rows, is_workbook, plain_text, read_bytes, sheet_rows
from quizapp.analyse.refusals import Refused
from quizapp.analyse.responses import MOST_SECONDS, Labels, Responses, heading, long_answer


def read_responses(path: Path, *, scored: bool) -> Responses:
    """Read a table; `scored`: of a long one with both, `score` rather than `option`. Raises Refused."""
    content = read_bytes(path)
    if is_workbook(content):
        return responses_of(sheet_rows(content), scored=scored)
    content = plain_text(content)
    return fast_table(content, scored=scored) or responses_of(csv_rows(content), scored=scored)


def responses_of(rows: Iterator[tuple[int, list[str]]], *, scored: bool) -> Responses:
    """The same from rows with their numbers. Raises Refused."""
    first = next(rows, None)
    if first is None:
        raise Refused("empty", "the file is empty: it needs a heading and one row per respondent")
    names = heading(first[1])
    answer_at = long_answer(names, scored=scored)
    if answer_at is not None:
        return _long([name.lower() for name in names], answer_at, rows)
    if len(names) < 2:
        raise Refused("no_items", "row 1: there is no item. One column per item stands behind «respondent»")
    return _wide(names[1:], rows)


def _wide(items: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Responses:
    labels, respondents, seen = Labels(), [], dict[str, int]()
    answers: list[NDArray[np.uint16]] = []
    width = len(items) + 1
    for number, row in rows:
        row = _fitted(row, width, number)
        _new_respondent(row[0], number, seen)
        respondents.append(row[0])
        known = labels.numbers
        numbers = [known[cell] if cell in known else labels.number(cell, number) for cell in row[1:]]
        answers.append(np.array(numbers, dtype=np.uint16))
    if not respondents:
        raise Refused("no_respondents", "there is no row below the heading: one row per respondent is needed")
    return Responses(respondents, items, np.stack(answers), labels.names, np.array(list(seen.values())))


def _fitted(row: list[str], width: int, number: int) -> list[str]:
    """A row without the empty cells beyond the heading; one that is not as wide as the heading is refused."""
    if len(row) > width and not any(row[width:]):
        return row[:width]
    if len(row) != width:
        raise Refused(
            "wrong_width",
            f"row {number} has {len(row)} columns, the heading has {width}. Check its commas and line end",
        )
    return row


def _new_respondent(name: str, number: int, seen: dict[str, int]) -> None:
    if not name:
        raise Refused("no_respondent", f"row {number}: the respondent is missing. Give each person a name or number")
    if name in seen:
        raise Refused(
            "respondent_twice",
            f"row {number}: respondent «{name}» stands in row {seen[name]} already. Keep the first attempt of each person",
        )
    seen[name] = number


def _long(names: Sequence[str], answer_at: int, rows: Iterator[tuple[int, list[str]]]) -> Responses:
    place = {name: names.index(name) for name in ("respondent", "item", "seconds") if name in names}
    seconds_at = place.get("seconds")
    labels = Labels()
    respondents: dict[str, int] = {}
    items: dict[str, int] = {}
    cells: dict[tuple[int, int], int] = {}
    times: list[float] = []
    at: list[int] = []
    for number, row in rows:
        row = _fitted(row, len(names), number)
        who, what = row[place["respondent"]], row[place["item"]]
        if not who or not what:
            raise Refused("no_respondent", f"row {number}: the respondent or the item is missing")
        cell = (respondents.setdefault(who, len(respondents)), items.setdefault(what, len(items)))
        before = len(cells)
        cells[cell] = labels.number(row[answer_at], number)
        if len(cells) == before:
            raise Refused(
                "answer_twice",
                f"row {number}: respondent «{who}» answers item «{what}» a second time. Keep the first attempt of each person",
            )
        at.append(number)
        if seconds_at is not None:
            times.append(_seconds(row[seconds_at], number))
    if not cells:
        raise Refused("no_respondents", "there is no row below the heading: one row per answer is needed")
    where = np.array(list(cells), dtype=np.int64)
    shape = (len(respondents), len(items))
    answers = np.zeros(shape, dtype=np.uint16)
    answers[where[:, 0], where[:, 1]] = list(cells.values())
    order = np.zeros(shape, dtype=np.int64)
    order[where[:, 0], where[:, 1]] = at
    seconds = None
    if seconds_at is not None:
        seconds = np.full(shape, np.nan)
        seconds[where[:, 0], where[:, 1]] = times
    return Responses(list(respondents), list(items), answers, labels.names, order, seconds)


def _seconds(cell: str, number: int) -> float:
    if not cell:
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= MOST_SECONDS:
        raise Refused("not_seconds", f"row {number}: «{cell}» is not a number of seconds. Leave unknown times empty")
    return value
