"""The pictures of items: SVG files drawn for the banks, in a small safe part of SVG, with the words of both languages in one file.

A word is `<text data-en="Group A">甲组</text>`: Chinese as the text, English beside it; `in_language` makes the picture of one language.
So the two languages show one drawing by construction. Shapes, text and presentation attributes are all that is allowed: no script,
no style, no link, no raster picture, nothing from elsewhere.
"""

from __future__ import annotations

import re
from functools import lru_cache
from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
#: Most bytes of a picture: a phone on a poor line loads it with the question.
MOST_BYTES = 24_000

ELEMENTS = frozenset({
    "svg", "g", "rect", "circle", "ellipse", "line", "polyline", "polygon", "path", "text", "tspan", "title",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "points", "d",
    "transform", "opacity", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin",
    "stroke-dasharray", "stroke-opacity", "stroke-miterlimit", "font-family", "font-size", "font-weight", "font-style",
    "text-anchor", "dominant-baseline", "letter-spacing", "role", "data-en",
})  # fmt: skip
_HAN = re.compile(r"[\u3400-\u9fff]")
_ELSEWHERE = re.compile(r"url\(|javascript:|data:", re.IGNORECASE)


class PictureInvalid(ValueError):
    """A file that is no picture of ours. `why` ends the sentence "the picture …"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def checked_picture(content: bytes) -> str:
    """The text of a picture that keeps the rules. Raises PictureInvalid with the first that it breaks."""
    if len(content) > MOST_BYTES:
        raise PictureInvalid(f"has {len(content)} bytes, at most {MOST_BYTES}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PictureInvalid("is not UTF-8") from error
    if "<!" in text.replace("<!--", ""):
        raise PictureInvalid("declares a document type or entities")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - entities were refused above
    except ElementTree.ParseError as error:
        raise PictureInvalid(f"is not XML: {error}") from error
    if root.tag != f"{{{_SVG}}}svg":
        raise PictureInvalid("is not SVG")
    if not re.fullmatch(r"0 0 [\d.]+ [\d.]+", root.get("viewBox", "")):
        raise PictureInvalid('has no viewBox such as "0 0 320 200"')
    for element in root.iter():
        _check(element)
    return text


def _check(element: ElementTree.Element) -> None:
    name = element.tag.removeprefix(f"{{{_SVG}}}")
    if name not in ELEMENTS:
        raise PictureInvalid(f"has an element {name}")
    for attribute, value in element.attrib.items():
        if attribute not in ATTRIBUTES:
            raise PictureInvalid(f"has an attribute {attribute} at {name}")
        if _ELSEWHERE.search(value):
            raise PictureInvalid(f"points elsewhere by {attribute} at {name}")
    if _HAN.search(element.text or "") and "data-en" not in element.attrib:
        raise PictureInvalid(f"has the words {(element.text or '').strip()!r} without data-en")
    if _HAN.search(element.get("data-en", "")):
        raise PictureInvalid("has Chinese characters in data-en")


@lru_cache(maxsize=512)
def in_language(svg: str, language: str) -> str:
    """The picture in Chinese ("zh") or English ("en"), without the words of the other language."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # noqa: S314 - what `checked_picture` let through
    for element in root.iter():
        english = element.attrib.pop("data-en", None)
        if english is not None and language == "en":
            element.text = english
    return ElementTree.tostring(root, encoding="unicode")
