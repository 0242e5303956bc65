"""Writes banks back: as the YAML files of question_banks/, or one JSON object per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from quizapp.banks.parsed import ParsedBanks, ParsedItem, ParsedTopic, Source, Text

#: A plain scalar that no YAML reader takes for anything but this text.
_PLAIN = re.compile(r"[A-Za-z\u3400-\u9fff][\w\u3400-\u9fff .（）、，。；？！“”《》·%()/-]*(?<! )")
#: Words that some YAML readers take for true, false or nothing.
_NOT_TEXT = re.compile(r"(y|yes|n|no|true|false|on|off|null|none|nan|inf)", re.IGNORECASE)
#: Names of banks in the exchange format, where they differ.
_EXCHANGE_BANK = {"energy_environment": "energy"}
_TRUE_FALSE = [{"zh": "正确", "en": "True"}, {"zh": "错误", "en": "False"}]


def topic_yaml(topic: ParsedTopic) -> str:
    """One file, as question_banks/README.md shows it."""
    lines = [
        f"bank: {topic.bank}",
        f"topic: {topic.code}",
        f"title: {_inline(topic.title)}",
        "items:",
        *(line for item in topic.items for line in _item_lines(item)),
    ]
    return "\n".join(lines) + "\n"


def file_name(topic: ParsedTopic) -> str:
    """Where the topic was read, or bank/topic.yaml."""
    return topic.file or f"{topic.bank}/{topic.code}.yaml"


def json_lines(banks: ParsedBanks) -> Iterator[str]:
    """One approved item per line, in the order of the files."""
    for item in banks.items:
        if item.state != "approved":
            continue
        yield json.dumps(_exchange(item), ensure_ascii=False)


def _item_lines(item: ParsedItem) -> Iterator[str]:
    yield f"  - id: {item.code}"
    yield f"    type: {item.type}"
    yield f"    use: {item.use}"
    yield f"    state: {item.state}"
    yield f"    dimension: {item.dimension}"
    yield f"    difficulty: {item.difficulty}"
    if item.point is not None:
        yield f"    point: {item.point}"
    yield f"    fact: {_scalar(item.fact)}"
    if item.tags:
        yield f"    tags: [{', '.join(item.tags)}]"
    if item.audience:
        yield f"    audience: [{', '.join(item.audience)}]"
    yield f"    objective: {_inline(item.objective)}"
    if item.stimulus:
        yield f"    stimulus: {item.stimulus}"
    yield from _block("stem", item.stem)
    if item.image:
        yield "    image:"
        yield f"      file: {item.image.file}"
        yield f"      alt: {_inline(item.image.alt)}"
    if item.ordered:
        yield "    ordered: true"
    if item.options:
        yield "    options:"
        for o in item.options:
            yield f"      - {{id: {o.id}, zh: {_scalar(o.zh)}, en: {_scalar(o.en)}}}"
    yield f"    key: {_key(item)}"
    yield from _block("rationale", item.rationale)
    citation = {name: value if name == "year" else _source(value) for name, value in item.citation.items()}
    yield f"    citation: {{{', '.join(f'{name}: {value}' for name, value in citation.items())}}}"
    yield f"    review_by: {item.review_by}"


def _key(item: ParsedItem) -> str:
    if item.type == "true_false":
        return "true" if item.is_true else "false"
    return f"[{', '.join(item.key)}]" if item.type == "multiple_choice" else item.key[0]


def _inline(text: Mapping[str, str]) -> str:
    return f"{{zh: {_scalar(text['zh'])}, en: {_scalar(text['en'])}}}"


def _source(source: Source) -> str:
    return _scalar(source) if isinstance(source, str) else _inline(source)


def _block(name: str, text: Text) -> list[str]:
    return [f"    {name}:", f"      zh: {_scalar(text['zh'])}", f"      en: {_scalar(text['en'])}"]


def _scalar(text: str) -> str:
    """A text, quoted where it could be read as anything else; inside {…} a comma counts."""
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    # A JSON string is a YAML double-quoted string, but for characters that YAML does not allow unescaped.
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", _escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _exchange(item: ParsedItem) -> dict[str, Any]:
    ids = [option.id for option in item.options] or ["t", "f"]
    use = ["practice", "test"] if item.use == "both" else [item.use]
    return {
        "id": item.code,
        "version": item.shown_hash(),
        "bank": _EXCHANGE_BANK.get(item.bank, item.bank),
        "type": item.type,
        "stem": item.stem,
        "options": [{"zh": o.zh, "en": o.en} for o in item.options] or _TRUE_FALSE,
        "key": [ids.index(k) for k in item.key],
        "rationale": item.rationale,
        "citation": item.citation,
        "benchmark_points": [] if item.point is None else [str(item.point)],
        "dimension": item.dimension,
        "difficulty": item.difficulty,
        "topic": item.topic,
        "tags": list(item.tags),
        "audience": list(item.audience),
        "valid_until": item.citation.get("valid_until"),
        "use": use,
        "image": item.image and {"file": item.image.file, "alt": item.image.alt},
    }
