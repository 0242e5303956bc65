"""`quizapp analyse draw`."""

from __future__ import annotations

from pathlib import Path

import click

from quizapp.analyse.refusals import refusing, utf8


@click.command("draw")
@click.argument("frame", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", required=True, help="The public seed, exactly as it was made known.")
@click.option("--people", required=True, type=click.IntRange(1), help="People in all, or with --units in each unit.")
@click.option("--units", type=click.IntRange(1), help="Draw so many units first.")
def draw(frame: Path, seed: str, people: int, units: int | None) -> None:
    """Draw a sample from FRAME again, to check that a published draw followed from its list and its seed.

    FRAME is CSV (UTF-8) or xlsx: id,stratum,unit for people, or unit,people (or unit,people,stratum) for units. Each id stands in it once.
    What was drawn is printed as CSV; the SHA-256 of list and drawing, as the page of a survey shows them, go to standard error.

    Exit 0: done; 1: the list is refused; 2: wrong usage.

    Example: quizapp analyse draw frame.csv --seed "2026-11-27 3D 481" --people 400
    """
    from quizapp.analyse import drawing

    with refusing(as_json=False):
        found = drawing.read_frame(frame)
        drawn = drawing.draw_again(found, seed=seed, people=people, units=units)
        text, source = drawing.listing(drawn), drawing.frame_text(found)
    click.echo(utf8(text), nl=False)
    click.echo(f"list {drawing.digest(source)}", err=True)
    click.echo(f"drawing {drawing.digest(text)}", err=True)
