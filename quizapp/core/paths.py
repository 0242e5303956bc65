"""Where migrations and question banks stand: in the checkout, or inside the wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def data_folder(name: str) -> Path:
    """The folder `migrations` or `question_banks`, wherever the product was installed from."""
    for candidate in (PACKAGE.parent / name, PACKAGE / "_data" / name):
        if (candidate / ("env.py" if name == "migrations" else "README.md")).is_file():
            return candidate
    raise FileNotFoundError(f"{name} is missing: install quizapp again")
