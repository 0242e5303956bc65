"""Paper by typst: a template beside its caller, its words and figures as JSON, the Chinese face that is there.

The data go through `sys.inputs`, so nothing that somebody typed is ever read as markup. In a template:

    #let data = json(bytes(sys.inputs.data))
    #set text(font: sys.inputs.family, lang: "zh", region: "cn")
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from quizapp.core.errors import Unavailable

#: Where the front-end build puts the Chinese faces for PDFs.
FACES = Path(__file__).resolve().parents[1] / "ui" / "dist" / "fonts"
#: Families that show simplified Chinese, the best first; the template takes the first that is there.
FAMILIES = ("Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC")


class FaceMissing(Unavailable):
    """No Chinese face is installed: a sheet would be empty boxes, so there is none."""

    code = "face_missing"


def set_page(
    template: Path, data: Mapping[str, Any], kind: Literal["pdf", "png"] = "pdf", ppi: float | None = None
) -> bytes:
    """A template filled with data, as PDF (or as the picture of its one page). Raises FaceMissing where no Chinese face is installed."""
    import typst  # only where something is really printed

    family = chinese_family()
    inputs = {"data": json.dumps(data, ensure_ascii=False, sort_keys=True), "family": family}
    made: bytes = typst.compile(template.read_bytes(), format=kind, ppi=ppi, font_paths=faces(), sys_inputs=inputs)
    return made


def chinese_family() -> str:
    """The name of the best Chinese face that is there. Raises FaceMissing."""
    return best_family(FAMILIES)


def best_family(names: Sequence[str]) -> str:
    """The first of these faces that is there. Raises FaceMissing."""
    families = set(faces().families())
    family = next((name for name in names if name in families), None)
    if family is None:
        raise FaceMissing
    return family


@lru_cache(maxsize=1)
def faces() -> Any:
    """The faces of the build and of the system; reading them takes a while."""
    import typst

    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(FACES)])
