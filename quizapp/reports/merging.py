"""Sums and grids, when two units are merged: they are of the day's path, and who may see them follows from the merged unit's new place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select
from sqlalchemy.orm import Session

from quizapp.core.registry import MergeUnitPart, UnitFact, UnitMerging, add_merge_unit

_OF_THE_DAY = "a sum of attempts by the unit and path of their day"


def preview(_db: Session, _units: Select[int], _now: datetime) -> list[UnitFact]:
    """Nothing that anybody would miss."""
    return []


def do(_db: Session, _merging: UnitMerging) -> dict[str, list[int]]:
    """Nothing moves."""
    return {}


def undo(_db: Session, _merging: UnitMerging, _moved: dict[str, list[int]]) -> None:
    """Nothing moved."""


add_merge_unit(
    MergeUnitPart(
        name="reports",
        moves=(),
        stays={
            "rollup_day.unit_id": _OF_THE_DAY,
            "rollup_day.unit_path": _OF_THE_DAY,
            "rollup_month.unit_id": _OF_THE_DAY,
            "rollup_month.unit_path": _OF_THE_DAY,
            "rollup_place.unit_id": _OF_THE_DAY,
            "rollup_place.unit_path": _OF_THE_DAY,
            "leader_cell.unit_id": "last night's grid; the next night makes it anew",
        },
        preview=preview,
        do=do,
        undo=undo,
    )
)
