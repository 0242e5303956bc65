"""YAML with line numbers, read strictly.

Text stays text: `zh: 35`, `en: no` and `review_by: 2028-12` are strings. Only under the field names given as typed do plain scalars
become true, false or numbers. Duplicate keys, tags, anchors that contain themselves and a second document are refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment] # the same interface, slower

#: Where a value stands in a document: field names and positions from the root.
Place = tuple[str | int, ...]

#: What a reader finds without being told; anything else is a tag that somebody wrote.
_KNOWN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge", "value")
)
_WHOLE = re.compile(r"[-+]?\d{1,15}")
_DECIMAL = re.compile(r"[-+]?\d{1,15}\.\d{1,15}")


class YamlFault(Exception):
    """The text cannot be read as our YAML: code, line (from 1) and data for the words."""

    def __init__(self, code: str, line: int, **data: str) -> None:
        super().__init__(f"{code} at line {line} {data}")
        self.code = code
        self.line = line
        self.data = data


@dataclass
class Document:
    """The value of a file, and the line of each part of it."""

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, path: Place) -> int:
        """The line of a part; of the nearest part around it where it has none itself."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def compose(text: str) -> yaml.Node | None:
    """The nodes of a text, with where each begins and ends. Raises yaml.YAMLError."""
    return yaml.compose(text, Loader)


def read_document(content: bytes, typed: Collection[str]) -> Document:
    """Read UTF-8 YAML. `typed`: names of the fields whose plain scalars are true, false or numbers. Raises YamlFault."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlFault("not_utf8", content[: error.start].count(b"\n") + 1) from error
    try:
        node = compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlFault("yaml", mark.line + 1 if mark else 1, problem=error.problem or "unreadable") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlFault("yaml", 1, problem=str(error).splitlines()[0]) from error
    if node is None:
        raise YamlFault("empty_file", 1)
    document = Document(None, {(): node.start_mark.line + 1})
    document.value = _value(node, (), False, frozenset(typed), document.lines, ())
    return document


def _value(
    node: yaml.Node,
    path: Place,
    is_typed: bool,
    typed: frozenset[str],
    lines: dict[Place, int],
    around: tuple[int, ...],
) -> Any:
    line = node.start_mark.line + 1
    if id(node) in around:
        raise YamlFault("yaml", line, problem="an anchor contains itself")
    if node.tag not in _KNOWN_TAGS:
        raise YamlFault("yaml", line, problem=f"the tag {node.tag} is not used here")
    around = (*around, id(node))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlFault("yaml", key_node.start_mark.line + 1, problem="a field's name must be one word")
            key = key_node.value
            if key in mapping:
                raise YamlFault("duplicate_field", key_node.start_mark.line + 1, field=key)
            lines[(*path, key)] = key_node.start_mark.line + 1
            mapping[key] = _value(value_node, (*path, key), is_typed or key in typed, typed, lines, around)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        sequence = []
        for position, child in enumerate(node.value):
            lines[(*path, position)] = child.start_mark.line + 1
            sequence.append(_value(child, (*path, position), is_typed, typed, lines, around))
        return sequence
    plain = isinstance(node, yaml.ScalarNode) and not node.style
    return _scalar(node.value) if is_typed and plain else node.value


def _scalar(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text
