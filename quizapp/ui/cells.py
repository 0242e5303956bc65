"""The cells of a number grid. A paper has fifty of them on every page: a template's loop over them was a fifth of a result page's work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape


def number_cells(
    cells: Iterable[Mapping[str, Any]],
    current: int | None,
    words: Mapping[str, str],
    place: str,
    comma: str,
    marked_word: str,
) -> Markup:
    """Jinja: the list items of `number_grid` (ui/attempt.html). `words` say the states, `place` is "question {n}".

    A cell with an address is a link, one without is a button of the form around it.
    """
    spoken = {state: escape(f"{comma}{word}") for state, word in words.items()}
    spoken_mark = escape(f"{comma}{marked_word}")
    before, _, after = (str(escape(part)) for part in place.partition("{n}"))
    parts = []
    for cell in cells:
        number, state, marked, url = cell["number"], cell["state"], cell.get("marked"), cell.get("url")
        start = f'a class="number-cell" href="{escape(url)}"' if url else _BUTTON.format(number=number)
        parts.append(
            f'<li><{start} data-number="{number}" data-state="{state}"'
            f"{' data-marked' if marked else ''}{_CURRENT if number == current else ''}"
            f' aria-label="{before}{number}{after}{spoken[state]}{spoken_mark if marked else ""}">'
            f"<span>{number}</span></{'a' if url else 'button'}></li>"
        )
    return Markup("".join(parts))  # noqa: S704 # addresses and words are escaped above, numbers and states are ours


_BUTTON = 'button type="submit" class="number-cell" name="go" value="{number}"'
_CURRENT = ' aria-current="step"'
