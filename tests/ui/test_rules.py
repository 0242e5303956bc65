"""What no template, style or script of the product may contain."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

import quizapp.ui
from quizapp.ui.build import DIST, ICONS, ROOT, STATIC

TEMPLATES = sorted((ROOT / "quizapp").rglob("templates/**/*.html"))
STYLES = sorted((STATIC / "css").glob("*.css"))
MACROS = sorted((ROOT / "quizapp" / "ui" / "templates" / "ui").glob("*.html"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}|/\*.*?\*/", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_has_no_inline_style_script_or_event(path: Path) -> None:
    text = without_comments(path.read_text(encoding="utf-8"))
    assert not re.search(r"\sstyle\s*=", text), (
        "style= is refused by the content security policy: use a class or an SVG attribute"
    )
    assert not re.search(r"<[^>]*\son\w+\s*=", text), "inline events are refused by the content security policy"
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "scripts stand in quizapp/ui/static/js"
    assert not re.search(r"user-scalable|maximum-scale", text), "zoom is never blocked"
    assert "placeholder=" not in text, "a label stands above the box, nothing inside it"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_uses_what_it_imports(path: Path) -> None:
    text = without_comments(path.read_text(encoding="utf-8"))
    for match in re.finditer(r"\{%-?\s*from\s+\"[^\"]+\"\s+import\s+([^%]+?)(?:\s+with context)?\s*-?%\}", text):
        rest = text.replace(match[0], "")
        # The phone base hands the frame macros on to the pages that extend it.
        for name in re.split(r"\s*,\s*", match[1].strip()):
            used = name.split(" as ")[-1]
            assert path.name.startswith("base") or re.search(rf"\b{used}\b", rest), (
                f"{path.name} imports {used} for nothing"
            )


#: What every dictionary and list answers to by itself. As an attribute it is never the value of that name.
METHODS = {name for kind in (dict, list) for name in dir(kind) if not name.startswith("_")} - {"count", "index"}


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_calls_what_is_a_method_of_each_dictionary(path: Path) -> None:
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(path.read_text(encoding="utf-8"))  # noqa: S701 # nothing is rendered
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    found = [
        f"{n.attr} in line {n.lineno}"
        for n in tree.find_all(nodes.Getattr)
        if n.attr in METHODS and id(n) not in called
    ]
    assert found == [], 'of a dictionary that is its method, not what stands under the name: write rows["items"]'


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_names_only_icons_that_the_build_takes(path: Path) -> None:
    named = set(re.findall(r"\bicon(?:_name=|\()\"([\w-]+)\"", path.read_text(encoding="utf-8")))
    assert named <= set(ICONS), "add the icon to ICONS in quizapp/ui/build.py"


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_style_keeps_to_old_browsers_and_to_relative_sizes(path: Path) -> None:
    text = without_comments(path.read_text(encoding="utf-8"))
    assert not re.search(r"font(?:-size)?:[^;]*\d(?:px|pt)", text), (
        "font sizes are rem, so that the phone's own size counts"
    )
    assert not re.search(
        r":has\(|:is\(|:where\(|aspect-ratio|\binset:|(?<!grid-)\b(?:gap|row-gap|column-gap):", text
    ), "not in Chromium 80 or iOS 13"
    assert not re.search(r"font-weight:\s*[1235689]00", text), "many phones have only regular and bold Chinese"
    assert "@import" not in text
    assert not re.search(r"url\(", text), "pictures are inline SVG"
    depth = 0
    for brace in re.findall(r"@[^{;]+\{|\{|\}", text):
        depth += -1 if brace == "}" else 1
        assert depth <= 2, "rules are not nested"


def test_nothing_that_is_served_names_another_origin() -> None:
    allowed = {"http://www.w3.org/2000/svg"}
    for path in (DIST / "static").iterdir():
        if path.suffix in (".css", ".js", ".svg"):
            found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w{2,}[^\s\"')]*", path.read_text(encoding="utf-8")))
            assert found <= allowed, path.name


def test_every_macro_is_in_the_index() -> None:
    index = quizapp.ui.__doc__ or ""
    inner = {
        "inside",
        "label_text",
        "error_text",
        "verdict",
        "place",
        "target_bar",
        "switch_form",
        "desk_navigation",
        "account_menu",
        "filing_numbers",
    }
    for path in MACROS:
        for name in re.findall(r"\{%-?\s*macro\s+(\w+)\(", path.read_text(encoding="utf-8")):
            assert name in inner or f"{name}(" in index, f"{name} of {path.name} is missing in quizapp/ui/__init__.py"


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "package-lock.json").read_text()
