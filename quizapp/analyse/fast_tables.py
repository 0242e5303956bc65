"""The fast way to read plain CSV: its bytes are looked at as arrays, block by block. 200,000 × 50 answers take about a second.

Plain means: no quotes around commas or line ends, no empty lines, answers of at most eight bytes. For anything else, and for whatever
must be refused, `fast_table` gives None, and the careful way reads it again and names the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.analyse.responses import MOST_LABELS, MOST_SECONDS, Labels, Responses, heading, long_answer

#: The longest answer, and the longest name, time or item of a long table, in bytes.
_LONGEST: Final = 8
_LONGEST_TEXT: Final = 64
_COMMA, _NEWLINE, _QUOTE = 44, 10, b'"'
#: A cell that begins with a quote and has a comma or a line end before the next one.
_MARK_WITHIN: Final = re.compile(rb'[,\n]"[^",\n]*[,\n]')
#: Bytes that are looked at together: so many that arrays of them stay near the processor.
_BLOCK: Final = 1 << 20
#: What holds an answer of so many bytes.
_PACKED: Final = (np.uint8, np.uint8, np.uint16, *(np.uint64,) * 6)


class _NotPlain(Exception):
    """The careful way must look."""


class _Block:
    """Some whole lines, of `width` cells each."""

    def __init__(self, content: bytes, width: int) -> None:
        self.content = content
        self.data = np.frombuffer(content, dtype=np.uint8)
        newlines = self.data == _NEWLINE
        marks = np.flatnonzero(newlines | (self.data == _COMMA))
        if len(marks) % width:
            raise _NotPlain
        #: Where each cell ends: the place of the mark behind it.
        self.ends = marks.reshape(-1, width)
        if not newlines[self.ends[:, -1]].all() or np.count_nonzero(newlines) != len(self.ends):
            raise _NotPlain
        #: Where each cell begins.
        self.starts = np.empty_like(self.ends)
        self.starts[:, 1:] = self.ends[:, :-1] + 1
        self.starts[0, 0] = 0
        self.starts[1:, 0] = self.ends[:-1, -1] + 1

    def __len__(self) -> int:
        return len(self.ends)

    def texts(self, column: int) -> list[str]:
        """A column, cell by cell."""
        pairs = zip(self.starts[:, column].tolist(), self.ends[:, column].tolist(), strict=True)
        return [self.content[a:b].decode("utf-8").strip() for a, b in pairs]

    def numbered(self, columns: slice, labels: Labels) -> NDArray[np.uint16]:
        """Answers as numbers of their labels."""
        starts = self.starts[:, columns]
        lengths = self.ends[:, columns] - starts
        longest = int(lengths.max())
        if longest > _LONGEST:
            raise _NotPlain
        packed: NDArray[Any] = np.zeros(lengths.shape, dtype=_PACKED[longest])
        for place in range(longest):
            # Cells that are shorter read what stands behind them, and drop it; the last byte of all is a line end.
            byte = self.data[np.minimum(starts + place, len(self.data) - 1)]
            packed |= np.where(lengths > place, byte, 0).astype(packed.dtype) << packed.dtype.type(8 * place)
        found = np.unique(packed) if longest > 2 else np.flatnonzero(np.bincount(packed.ravel()))
        if len(found) + len(labels.names) > MOST_LABELS:
            raise _NotPlain
        cells = (int(value).to_bytes(_LONGEST, "little").rstrip(b"\x00").decode("utf-8") for value in found)
        numbers = np.array([labels.number(cell.strip(), 0) for cell in cells], dtype=np.uint16)
        if longest > 2:
            return numbers[np.searchsorted(found, packed)]
        table = np.zeros(int(found[-1]) + 1, dtype=np.uint16)
        table[found] = numbers
        return np.asarray(table[packed])

    def runs(self, column: int) -> tuple[list[str], NDArray[np.intp]]:
        """A column of which neighbours are often alike: the text of each run, and which run each line belongs to."""
        cells = self._padded(column)
        new = np.ones(len(cells), dtype=np.bool_)
        new[1:] = cells[1:] != cells[:-1]
        return [cell.decode("utf-8").strip() for cell in cells[new].tolist()], np.cumsum(new) - 1

    def kinds(self, column: int) -> tuple[list[str], NDArray[np.intp]]:
        """A column of few different texts: each of them, in the order in which they come, and which one each line has."""
        found, first, which = np.unique(self._padded(column), return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        return [cell.decode("utf-8").strip() for cell in found[order].tolist()], place[which]

    def _padded(self, column: int) -> NDArray[np.bytes_]:
        starts = self.starts[:, column]
        lengths = self.ends[:, column] - starts
        longest = int(lengths.max())
        if longest > _LONGEST_TEXT:
            raise _NotPlain
        places = np.arange(max(longest, 1))
        cells = self.data[np.minimum(starts[:, None] + places, len(self.data) - 1)]
        return np.where(places < lengths[:, None], cells, np.uint8(0)).view(f"S{max(longest, 1)}").ravel()


def fast_table(content: bytes, *, scored: bool) -> Responses | None:
    """The table of a plain CSV in UTF-8 with plain line ends; None for what needs the careful way. Raises Refused for its heading."""
    end = content.find(b"\n")
    if end < 0 or b"\n\n" in content:
        return None
    if _QUOTE in content:
        # Quotes around whole cells, as some programs write them, may go where nothing inside of them changes the lines.
        around = b"\n" + content.rstrip(b"\n") + b"\n"
        opened = around.count(b',"') + around.count(b'\n"')
        closed = around.count(b'",') + around.count(b'"\n')
        whole = 2 * opened == 2 * closed == content.count(_QUOTE) and b'""' not in content
        if not whole or _MARK_WITHIN.search(around):
            return None
        content = content.replace(_QUOTE, b"")
        end = content.find(b"\n")
    names = heading(content[:end].decode("utf-8").split(","))
    answer_at = long_answer(names, scored=scored)
    try:
        if answer_at is not None:
            return _long([name.lower() for name in names], answer_at, content, end + 1)
        return _wide(names, content, end + 1) if len(names) > 1 else None
    except _NotPlain:
        return None


def _blocks(content: bytes, start: int, width: int) -> Iterator[_Block]:
    while start < len(content):
        stop = content.rfind(b"\n", start, start + _BLOCK) + 1 or content.find(b"\n", start) + 1 or len(content)
        lines = content[start:stop]
        yield _Block(lines if lines.endswith(b"\n") else lines + b"\n", width)
        start = stop


def _wide(names: Sequence[str], content: bytes, start: int) -> Responses:
    labels, respondents = Labels(), list[str]()
    answers: list[NDArray[np.uint16]] = []
    for block in _blocks(content, start, len(names)):
        respondents += block.texts(0)
        answers.append(block.numbered(slice(1, None), labels))
    # Whoever is missing or there twice is refused on the careful way, which knows the row.
    if not respondents or len(set(respondents)) != len(respondents) or "" in respondents:
        raise _NotPlain
    table = np.empty((len(respondents), len(names) - 1), dtype=_small(labels))
    np.concatenate(answers, out=table, casting="same_kind")
    return Responses(respondents, names[1:], table, labels.names, rows=np.arange(2, len(respondents) + 2))


def _small(labels: Labels) -> Any:
    return np.uint8 if len(labels.names) < 256 else np.uint16


def _long(names: Sequence[str], answer_at: int, content: bytes, start: int) -> Responses:
    labels = Labels()
    respondents: dict[str, int] = {}
    items: dict[str, int] = {}
    people, places, answers, seconds = list[Any](), list[Any](), list[Any](), list[Any]()
    for block in _blocks(content, start, len(names)):
        texts, which = block.runs(names.index("respondent"))
        people.append(_places(texts, respondents)[which])
        texts, which = block.kinds(names.index("item"))
        places.append(_places(texts, items)[which])
        answers.append(block.numbered(slice(answer_at, answer_at + 1), labels)[:, 0])
        if "seconds" in names:
            texts, which = block.kinds(names.index("seconds"))
            seconds.append(_times(texts)[which])
    if "" in respondents or "" in items or not respondents:
        raise _NotPlain
    person, place = np.concatenate(people), np.concatenate(places)
    shape = (len(respondents), len(items))
    if shape[0] * shape[1] > 20 * len(person) + 1_000_000:
        raise _NotPlain
    rows = np.zeros(shape, dtype=np.int32)
    rows[person, place] = np.arange(2, len(person) + 2, dtype=np.int32)
    if np.count_nonzero(rows) != len(person):
        raise _NotPlain
    table = np.zeros(shape, dtype=_small(labels))
    table[person, place] = np.concatenate(answers)
    times = None
    if "seconds" in names:
        times = np.full(shape, np.nan)
        times[person, place] = np.concatenate(seconds)
    return Responses(list(respondents), list(items), table, labels.names, rows, times)


def _places(texts: Sequence[str], known: dict[str, int]) -> NDArray[np.int32]:
    return np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int32)


def _times(texts: Sequence[str]) -> NDArray[np.float64]:
    try:
        times = np.array([float(text) if text else np.nan for text in texts])
    except ValueError as error:
        raise _NotPlain from error
    # What is not a time is refused on the careful way; so is "nan" in letters.
    known = times[[bool(text) for text in texts]]
    if not ((known >= 0) & (known <= MOST_SECONDS)).all():
        raise _NotPlain
    return times
