"""The colours of LOOK 2.1, read from the style sheet: a change that makes a pair harder to read fails here."""

from __future__ import annotations

import re

import pytest

from quizapp.ui.build import STATIC

TEXT = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6});", block))


def block_after(selector: str, text: str) -> str:
    start = text.index(selector + " {")
    return text[start : text.index("}", start)]


DARK_TEXT = TEXT[TEXT.index("prefers-color-scheme: dark") :]
LIGHT = tokens(block_after(":root", TEXT))
MODES = {
    "light": LIGHT,
    "dark": LIGHT | tokens(block_after(":root", DARK_TEXT)),
    "elder": LIGHT | tokens(block_after(":root[data-elder]", TEXT)),
    "elder and dark": LIGHT
    | tokens(block_after(":root", DARK_TEXT))
    | tokens(block_after(":root[data-elder]", DARK_TEXT)),
}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


#: (text or edge, ground, least ratio in light, least in dark). The ratios are those of the look's own table, rounded down.
PAIRS = [
    ("ink", "card", 16.4, 14.6),
    ("ink", "ground", 15.0, 16.5),
    ("ink", "sunk", 15.0, 14.6),
    ("ink-2", "card", 7.5, 8.9),
    ("ink-2", "ground", 6.8, 10.0),
    ("ink-2", "grey-tint", 6.5, 7.0),
    ("ink-3", "card", 5.4, 6.5),
    ("ink-3", "grey-tint", 4.7, 5.5),
    ("line-strong", "card", 4.8, 5.1),
    ("blue", "card", 6.6, 8.8),
    ("blue", "blue-tint", 5.7, 7.1),
    ("blue", "ground", 6.0, 9.0),
    ("on-blue", "blue", 6.6, 8.5),
    ("on-blue", "blue-pressed", 9.0, 9.0),
    ("blue-edge", "card", 3.3, 4.3),
    ("green", "card", 7.0, 9.3),
    ("green", "green-tint", 6.1, 7.7),
    ("amber", "card", 6.8, 9.8),
    ("amber", "amber-tint", 6.0, 8.4),
    ("red", "card", 8.1, 8.5),
    ("red", "red-tint", 6.9, 8.0),
    ("ink", "blue-tint", 7.0, 7.0),
    ("ink", "amber-tint", 7.0, 7.0),
    ("ink", "red-tint", 7.0, 7.0),
    ("ink", "green-tint", 7.0, 7.0),
    ("on-hero", "hero", 6.6, 8.0),
    ("on-hero-2", "hero", 5.4, 7.5),
    ("on-toast", "toast", 15.0, 14.0),
    ("toast-action", "toast", 10.5, 5.8),
]


@pytest.mark.parametrize("mode", MODES)
def test_every_pair_of_the_look_keeps_its_contrast(mode: str) -> None:
    colours = MODES[mode]
    low = [
        f"{front} on {back}: {contrast(colours[front], colours[back]):.2f} < {limit}"
        for front, back, light, dark in PAIRS
        for limit in [dark if "dark" in mode else light]
        if contrast(colours[front], colours[back]) < limit
    ]
    assert not low


def test_the_light_and_dark_values_are_those_of_the_look() -> None:
    assert {name: LIGHT[name] for name in ("ink", "blue", "green", "amber", "red", "ground")} == {
        "ink": "#15202b",
        "blue": "#005ea5",
        "green": "#00663a",
        "amber": "#8a4b00",
        "red": "#a3001b",
        "ground": "#f3f5f8",
    }
    assert MODES["dark"]["card"] == "#171f27"
    assert MODES["elder"]["ink-2"] == "#2b3640"


def test_every_token_that_a_style_names_exists() -> None:
    known = set(
        re.findall(r"--([\w-]+):", "".join(p.read_text(encoding="utf-8") for p in (STATIC / "css").glob("*.css")))
    )
    for path in (STATIC / "css").glob("*.css"):
        used = set(re.findall(r"var\(--([\w-]+)", path.read_text(encoding="utf-8")))
        assert used <= known, path.name
