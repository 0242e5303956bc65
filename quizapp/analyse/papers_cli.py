"""`quizapp papers assemble`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from quizapp.analyse.refusals import answer_json, answer_line, refusing

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
#: Seconds between two words of progress.
_PATIENCE = 1.0


@click.group("papers")
def papers() -> None:
    """Make papers from a pool of items with statistics; no database is read.

    Example: quizapp papers assemble --pool pool.json --blueprint blueprint.json --papers 2 --seed 2026
    """


@papers.command("assemble")
@click.option("--pool", "pool_file", required=True, type=_FILE, help="JSON: items, enemies.")
@click.option("--blueprint", "blueprint_file", required=True, type=_FILE, help="JSON: the demands.")
@click.option(
    "--parameters",
    type=_FILE,
    help="What `quizapp analyse irt … --format json` printed: a and b of the pool's items by their ids.",
)
@click.option("--papers", "count", type=click.IntRange(min=1), help="Number of papers (default: the blueprint's).")
@click.option("--seed", default="1", show_default=True, help="The same seed gives the same papers.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", help="How to answer.")
def assemble(
    pool_file: Path, blueprint_file: Path, parameters: Path | None, count: int | None, seed: str, format_: str
) -> None:
    """Make parallel papers: the blueprint's demands hold exactly, information and expected score within its tolerances.

    POOL: {"items": [{"id", "type", "a", "b", "benchmark", "point", "dimension", "topic", "difficulty", "audience", "options", "seconds",
    "words", "exposure"}], "enemies": [[id, id]]}; only id and type must be there, and what a demand of the blueprint is about.

    Where no papers obey, the answer names the smallest set of demands that contradict each other. Progress goes to standard error.

    Example: quizapp papers assemble --pool pool.json --blueprint blueprint.json --papers 20 --seed 7 --format json
    """
    from quizapp.analyse.blueprint_file import read_plan
    from quizapp.analyse.papers import assemble as made
    from quizapp.analyse.pool_file import read_pool

    with refusing(as_json=format_ == "json"):
        plan = read_plan(blueprint_file, count)
        pool = read_pool(pool_file)
        if parameters is not None:
            from quizapp.analyse.parameters import with_parameters

            pool = with_parameters(pool, parameters)
        answer = made(pool, plan, seed, _progress(plan.papers))
    if format_ == "json":
        answer_json(answer)
    else:
        _table(answer)


def _progress(papers: int) -> Callable[[int], None]:
    """A line on standard error, at most every second."""
    told = time.monotonic()

    def tell(number: int) -> None:
        nonlocal told
        if number == papers or time.monotonic() - told >= _PATIENCE:
            told = time.monotonic()
            click.echo(f"{number} of {papers} papers", err=True)

    return tell


def _table(answer: dict[str, Any]) -> None:
    at = ", ".join(f"{theta:g}" for theta in answer["theta"])
    for number, paper in enumerate(answer["papers"], start=1):
        answer_line(f"Paper {number}: {' '.join(paper['items'])}")
        if paper["information"] is not None:
            words = " ".join(f"{value:.3f}" for value in paper["information"])
            score = " ".join(f"{value:.3f}" for value in paper["expected_score"])
            answer_line(f"  information at {at}: {words}; expected right answers: {score}")
        if paper["guess_pass"] is not None:
            answer_line(f"  blind guessing passes with {100 * paper['guess_pass']:.4f} %")
