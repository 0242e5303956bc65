"""Difficulty and discrimination that `quizapp analyse irt` found, given to the items of a pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from quizapp.analyse.models import read_scale
from quizapp.analyse.pool_file import Pool
from quizapp.analyse.refusals import Refused


def with_parameters(pool: Pool, path: Path) -> Pool:
    """The pool with a and b of the items of the same name; the others stay as they are. Raises Refused (bad_scale, no_parameters)."""
    scale = read_scale(path)
    known = {item.id for item in pool.items} & set(scale.items)
    if not known:
        raise Refused("no_parameters", f"no item of the pool stands in {path.name}: ids must be its item names")
    flat = sorted(name for name in known if scale.items[name][0] < 0)
    if flat:
        raise Refused(
            "bad_parameters", f"{path.name}: a of {flat[0]} is below 0, so its key is probably wrong: leave it out"
        )
    items = [
        replace(item, a=scale.items[item.id][0], b=scale.items[item.id][1]) if item.id in known else item
        for item in pool.items
    ]
    return Pool(tuple(items), pool.enemies)
