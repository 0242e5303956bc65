"""Pictures of items are drawings in a safe part of SVG, with both languages in one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizapp.banks.formats.pictures import MOST_BYTES, PictureInvalid, checked_picture, in_language
from quizapp.core.paths import data_folder

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200">'
GOOD = (
    f'{HEAD}<rect width="9" height="9"/><text x="1" data-en="Group A &amp; B">甲组和乙组</text><text>12.5</text></svg>'
)

REFUSED = [
    (f"{HEAD}<script>1</script></svg>", "an element script"),
    (f"{HEAD}<style>*</style></svg>", "an element style"),
    (f'{HEAD}<image href="http://a.example/b.png"/></svg>', "an element image"),
    (f'{HEAD}<rect onclick="x()"/></svg>', "an attribute onclick"),
    (f'{HEAD}<rect style="fill:red"/></svg>', "an attribute style"),
    (f'{HEAD}<rect fill="url(http://a.example/b)"/></svg>', "points elsewhere"),
    (f"{HEAD}<text>甲组</text></svg>", "without data-en"),
    (f'{HEAD}<text data-en="甲组">甲组</text></svg>', "Chinese characters in data-en"),
    (f'<!DOCTYPE svg [<!ENTITY a "b">]>{HEAD}</svg>', "document type"),
    (f"{HEAD}<rect>", "is not XML"),
    ('<svg viewBox="0 0 1 1"/>', "is not SVG"),
    ('<svg xmlns="http://www.w3.org/2000/svg"/>', "no viewBox"),
    (f"{HEAD}{'<g/>' * MOST_BYTES}</svg>", "at most"),
]


@pytest.mark.parametrize(("svg", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_could_do_harm_or_lacks_a_language_is_refused(svg: str, why: str):
    with pytest.raises(PictureInvalid, match=why):
        checked_picture(svg.encode())


def test_one_file_makes_the_picture_of_each_language():
    svg = checked_picture(GOOD.encode())
    chinese, english = in_language(svg, "zh"), in_language(svg, "en")
    assert "甲组和乙组" in chinese
    assert "Group A" not in chinese
    assert "Group A &amp; B" in english
    assert "甲组" not in english
    assert "12.5" in english


def pictures() -> list[Path]:
    return sorted(data_folder("question_banks").glob("*/images/*.svg"))


def test_every_picture_that_is_shipped_belongs_to_an_item():
    from quizapp.banks.formats.yaml_bank import read_folder

    named = {item.image.file for item in read_folder(data_folder("question_banks")).banks.items if item.image}
    assert {path.relative_to(data_folder("question_banks")).as_posix() for path in pictures()} == named
