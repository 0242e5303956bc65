"""Takes comments and idle white space out of our own CSS and JavaScript. Nothing is renamed or rewritten."""

from __future__ import annotations

import re

_CSS_TOKEN = re.compile(r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\s+""", re.DOTALL)


def squeeze_css(text: str) -> str:
    """CSS without comments and without the white space that no parser needs; strings stay as they are."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("/*") or token.isspace():
            return " "
        kept.append(token)
        return f"\0{len(kept) - 1}\0"

    text = re.sub(r"\s+", " ", _CSS_TOKEN.sub(keep, text))
    text = re.sub(r"\s*([{};,])\s*", r"\1", text)
    text = text.replace(": ", ":").replace(";}", "}").strip()
    return re.sub("\0(\\d+)\0", lambda m: kept[int(m[1])], text)


#: After one of these a slash begins a regular expression, not a division.
_BEFORE_REGEX = set("(,=:[!&|?{};+-*%<>~^") | {""}
_WORDS_BEFORE_REGEX = ("return", "typeof", "case", "in", "of", "delete", "void", "throw", "await", "yield")


def squeeze_js(text: str) -> str:
    """JavaScript without comments and indentation; line ends stay, so that no statement changes its end."""
    out: list[str] = []
    braces: list[bool] = []  # for each open brace: does it close a ${…} of a template?
    position, length = 0, len(text)
    while position < length:
        pair, character = text[position : position + 2], text[position]
        if pair == "//":
            position = _index(text, "\n", position)
        elif pair == "/*":
            end = _index(text, "*/", position + 2)
            out.append("\n" if "\n" in text[position:end] else " ")
            position = end + 2
        elif character in "\"'":
            end = _string_end(text, position)
            out.append(text[position:end])
            position = end
        elif character == "`" or (character == "}" and braces and braces[-1]):
            if character == "}":
                braces.pop()
            end, opens = _template_end(text, position + 1)
            if opens:
                braces.append(True)
            out.append(text[position:end])
            position = end
        elif character == "/" and _begins_regex(out):
            end = _regex_end(text, position)
            out.append(text[position:end])
            position = end
        else:
            if character == "{":
                braces.append(False)
            elif character == "}" and braces:
                braces.pop()
            elif character in " \t\r":
                if out and out[-1] not in ("\n", " "):
                    out.append(" ")
                position += 1
                continue
            elif character == "\n":
                while out and out[-1] in (" ", "\n"):
                    out.pop()
                character = "\n" if out else ""
            if character:
                out.append(character)
            position += 1
    return "".join(out).strip() + "\n"


def _index(text: str, wanted: str, start: int) -> int:
    found = text.find(wanted, start)
    return len(text) if found < 0 else found


def _string_end(text: str, start: int) -> int:
    position = start + 1
    while position < len(text) and text[position] != text[start]:
        position += 2 if text[position] == "\\" else 1
    return position + 1


def _template_end(text: str, position: int) -> tuple[int, bool]:
    """Where a piece of template text ends, and whether it ends by opening `${`."""
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == "`":
            return position + 1, False
        elif text.startswith("${", position):
            return position + 2, True
        else:
            position += 1
    return position, False


def _begins_regex(out: list[str]) -> bool:
    before = "".join(out[-12:]).rstrip()
    if before[-1:] in _BEFORE_REGEX:
        return True
    word = re.search(r"[A-Za-z]+$", before)
    return word is not None and word[0] in _WORDS_BEFORE_REGEX


def _regex_end(text: str, start: int) -> int:
    position, in_class = start + 1, False
    while position < len(text) and (in_class or text[position] != "/"):
        if text[position] == "\\":
            position += 1
        elif text[position] in "[]":
            in_class = text[position] == "["
        position += 1
    return position + 1
