"""Puts items into a bank file and leaves everything else in it as it is, byte for byte: so a change shows as what it is.

A new item goes to the end of the list. Of a corrected item only the fields that say something else are written anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from quizapp.banks.formats.marked_yaml import Document, YamlFault, compose, read_document
from quizapp.banks.formats.writing import item_lines, topic_yaml
from quizapp.banks.formats.yaml_bank import ITEM_TYPED, read_entry
from quizapp.banks.parsed import ParsedItem, ParsedTopic

#: The column at which the fields of an item stand where this program writes them: "  - id: …", "    type: …".
_COLUMN = 4
_FIELD = re.compile(r"(?:  - |    )(\w+):")


@dataclass(frozen=True)
class _Place:
    """Where an item stands in the text, and each of its fields: from the beginning of a line to the beginning of another."""

    start: int
    end: int
    column: int
    #: Field → where it begins; empty where fields share lines.
    fields: dict[str, int]


def edited(content: bytes, before: ParsedTopic, after: ParsedTopic) -> bytes:
    """The file of a topic with what `after` changes and adds; wholly written anew only where the file has a form of its own."""
    text = content.decode("utf-8-sig")
    mark, line_end = content[:3] if content.startswith(b"\xef\xbb\xbf") else b"", "\r\n" if "\r\n" in text else "\n"
    places = _places(text)
    if places is not None and len(places) == len(before.items):
        made = _spliced(text, places, before, after, line_end)
        if _says(made, after):
            return mark + made.encode()
    return mark + topic_yaml(after).replace("\n", line_end).encode()


def _places(text: str) -> list[_Place] | None:
    """Where each item stands; None where the items are no block list."""
    root = compose(text)
    nodes = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    items = nodes.get("items")
    if not isinstance(items, yaml.SequenceNode) or items.flow_style:
        return None
    places = []
    for node in items.value:
        if not isinstance(node, yaml.MappingNode) or node.flow_style or node.start_mark.column < 2:
            return None
        starts = {key.value: _line_start(text, key.start_mark.index) for key, _ in node.value}
        fields = starts if len(set(starts.values())) == len(starts) and next(iter(starts)) == "id" else {}
        end = _line_after(text, _end(node))
        places.append(_Place(_line_start(text, node.start_mark.index), end, node.start_mark.column, fields))
    return places


def _end(node: yaml.Node) -> int:
    """Where the last scalar of a node ends: what follows it are blank lines and comments of whatever comes next."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_after(text: str, index: int) -> int:
    """The beginning of the line after the one on which something ends."""
    if index and text[index - 1] == "\n":
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _spliced(text: str, places: Sequence[_Place], before: ParsedTopic, after: ParsedTopic, line_end: str) -> str:
    now = {item.code: item for item in after.items}
    pieces, at = [], 0
    for place, old in zip(places, before.items, strict=True):
        new = now.pop(old.code)
        pieces.append(text[at : place.start])
        pieces.append(text[place.start : place.end] if new == old else _corrected(text, place, old, new, line_end))
        at = place.end
    if now and not pieces[-1].endswith("\n"):
        pieces.append(line_end)
    column = places[-1].column
    pieces += ["".join(_written(item, column, line_end).values()) for item in now.values()]
    return "".join(pieces) + text[at:]


def _written(item: ParsedItem, column: int, line_end: str) -> dict[str, str]:
    """An item as this program writes it, by field, in the file's indentation and line ends."""
    fields: dict[str, str] = {}
    name = ""
    for line in item_lines(item):
        found = _FIELD.match(line)
        name = found[1] if found else name
        shifted = " " * (column - _COLUMN) + line if column >= _COLUMN else line[_COLUMN - column :]
        fields[name] = fields.get(name, "") + shifted + line_end
    return fields


def _corrected(text: str, place: _Place, old: ParsedItem, new: ParsedItem, line_end: str) -> str:
    """The item with the fields that differ written anew, and the others as they stand."""
    was, now = _written(old, place.column, line_end), _written(new, place.column, line_end)
    if not place.fields:
        return "".join(now.values())
    starts = [*place.fields.values(), place.end]
    stands = {name: text[start:end] for (name, start), end in zip(place.fields.items(), starts[1:], strict=True)}
    made: dict[str, str] = {}
    for name, piece in stands.items():
        if name not in was or was[name] == now.get(name):
            made[name] = piece if piece.endswith("\n") else piece + line_end
        elif name in now:
            made[name] = now[name]
    order = list(now)
    for name in order:
        if name not in made:  # after the last field that this program writes before it
            earlier = [other for other in order[: order.index(name)] if other in made]
            names = list(made)
            names.insert(names.index(earlier[-1]) + 1, name)
            made = {other: made.get(other, now[name] if other == name else "") for other in names}
    return "".join(made.values())


def _says(text: str, topic: ParsedTopic) -> bool:
    """Whether a text says what the topic has."""
    try:
        document: Document = read_document(text.encode(), ITEM_TYPED)
        entries = document.value["items"]
        read = [
            read_entry(entry, topic.bank, topic.code, document, position, topic.file, item.image)
            for position, (entry, item) in enumerate(zip(entries, topic.items, strict=True))
        ]
    except (YamlFault, KeyError, TypeError, ValueError):
        return False
    shown = [item.image and {"file": item.image.file, "alt": item.image.alt} for item in topic.items]
    return tuple(read) == topic.items and [entry.get("image") for entry in entries] == shown
