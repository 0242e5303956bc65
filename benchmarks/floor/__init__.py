"""Which floor is served: the one beside, or the file that `FLOOR` names, with a `create_app()` of the same addresses."""

from __future__ import annotations

import importlib.util
import os
from typing import cast

from flask import Flask


def create_app() -> Flask:
    """The application of the floor, on the database that `DATABASE_URL` names."""
    path = os.environ.get("FLOOR")
    if not path:
        from benchmarks.floor.raw import create_app as create_raw

        return create_raw()
    spec = importlib.util.spec_from_file_location("other_floor", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"FLOOR={path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Flask", module.create_app())
