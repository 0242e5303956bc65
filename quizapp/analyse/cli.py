"""`quizapp analyse …`: files in, JSON or a table out."""

from __future__ import annotations

import click

from quizapp.analyse.literacy_cli import literacy


@click.group("analyse")
def analyse() -> None:
    """Analyse answers and surveys from files; no database is read.

    Example: quizapp analyse literacy sample.csv --design design.toml
    """


analyse.add_command(literacy)
