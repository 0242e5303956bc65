"""The catalogues: `python -m quizapp.ui.catalogue` brings them up to date, `--check` fails where they are not.

The message ids are the Chinese text itself. `zh_Hans_CN` is therefore complete by construction (each id stands for itself); `en` is
written by people. `--missing` prints the ids that English lacks, `--merge FILE.json` takes translations from a flat JSON object.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parents[1]
TRANSLATIONS = PACKAGE / "translations"
LOCALES = ("zh_Hans_CN", "en")
_METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
_KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "_n": (1, 2), "ngettext": (1, 2)}


def extract() -> dict[str, list[str]]:
    """Every message id of the code with the files that use it."""
    found: dict[str, list[str]] = {}
    rows = extract_from_dir(
        str(PACKAGE),
        method_map=_METHODS,
        options_map={"**/templates/**.html": {"trimmed": "true", "silent": "false"}},
        keywords=_KEYWORDS,
    )
    for filename, _line, message, _comments, _context in rows:
        if filename.startswith("ui/dist/"):
            continue
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                found.setdefault(text, []).append(filename)
    return found


def po_path(locale: str) -> Path:
    """The catalogue of a language."""
    return TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"


def read(locale: str) -> dict[str, str]:
    """The finished entries of a language: id → text. Fuzzy ones are not finished."""
    path = po_path(locale)
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale)
    return {str(m.id): str(m.string) for m in catalog if m.id and m.string and not m.fuzzy}


def compose(locale: str, messages: dict[str, list[str]], translations: dict[str, str]) -> bytes:
    """The catalogue file: sorted, with the files that use each message, without dates or line numbers (they only make noise)."""
    catalog = Catalog(locale=locale, project="quizapp", charset="utf-8", fuzzy=False)
    for text in sorted(messages):
        catalog.add(text, translations.get(text, ""), locations=[(name, 0) for name in sorted(set(messages[text]))])
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, sort_output=False, omit_header=False, include_lineno=False)
    lines = buffer.getvalue().decode().splitlines()
    kept = [
        line for line in lines if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', "# FIRST AUTHOR"))
    ]
    return ("\n".join(kept) + "\n").encode()


def update(extra: dict[str, str] | None = None) -> None:
    """Write both catalogues anew from the code, keeping finished translations."""
    messages = extract()
    for locale in LOCALES:
        known = {text: text for text in messages} if locale == "zh_Hans_CN" else {**read(locale), **(extra or {})}
        po_path(locale).parent.mkdir(parents=True, exist_ok=True)
        po_path(locale).write_bytes(compose(locale, messages, known))


def missing() -> list[str]:
    """The ids without a finished English text."""
    english = read("en")
    return [text for text in sorted(extract()) if not english.get(text)]


def faults() -> list[str]:
    """What a release must not have: missing, fuzzy, stale entries, or placeholders that differ."""
    messages = extract()
    found = []
    for locale in LOCALES:
        known = read(locale)
        found += [f"{locale}: no text for {text!r}" for text in sorted(messages) if text not in known]
        found += [f"{locale}: {text!r} is not used any more" for text in sorted(known) if text not in messages]
        found += [
            f"{locale}: the placeholders of {text!r} differ"
            for text, translated in known.items()
            if text in messages and _placeholders(text) != _placeholders(translated)
        ]
    return found


def _placeholders(text: str) -> set[str]:
    import re

    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def main(arguments: list[str]) -> int:
    """The command."""
    if arguments[:1] == ["--check"]:
        problems = faults()
        for line in problems:
            print(line, file=sys.stderr)
        if problems:
            print("Cure: python -m quizapp.ui.catalogue, then write the English texts.", file=sys.stderr)
        return 1 if problems else 0
    if arguments[:1] == ["--missing"]:
        print(json.dumps(dict.fromkeys(missing(), ""), ensure_ascii=False, indent=1))
        return 0
    extra: dict[str, str] = {}
    if arguments[:1] == ["--merge"]:
        for name in arguments[1:]:
            extra.update(json.loads(Path(name).read_text(encoding="utf-8")))
    update({key: value for key, value in extra.items() if value})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
