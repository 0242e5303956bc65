"""The reference data of the surveys, as columns."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"


def columns(name: str) -> dict[str, list[str]]:
    """A CSV file of the reference data."""
    with (DATA / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def numbers(values: list[str]) -> NDArray[np.float64]:
    """A column as numbers."""
    return np.array(values, dtype=np.float64)


def expected(name: str) -> Any:
    """A JSON file of the reference data."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))
