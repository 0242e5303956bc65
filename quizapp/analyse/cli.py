"""`quizapp analyse …`: files in, JSON or a table out.

Each reads files alone: no setting, no instance folder, no database. Arrays are imported by the command that needs them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quizapp.analyse.drawing_cli import draw
from quizapp.analyse.literacy_cli import literacy

if TYPE_CHECKING:
    from quizapp.analyse.output import Report
    from quizapp.analyse.scoring import Keyed

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _table(command: _Command) -> _Command:
    """The argument and the option that every analysis has."""
    command = click.option(
        "--format", "format_", type=click.Choice(["table", "json"]), default="table", help="How to answer."
    )(command)
    return click.argument("file", type=_FILE)(command)


@click.group("analyse")
def analyse() -> None:
    """Analyse responses and surveys from files; no database is read.

    FILE of items, irt and gain is CSV (UTF-8) or xlsx. Wide: first column `respondent`, then one column per item with 0, 1 or (with --key)
    the chosen option; empty = not given, - = not answered. Long: respondent,item,score|option[,seconds].

    Example: quizapp analyse items responses.csv --key key.csv
    """


analyse.add_command(literacy)
analyse.add_command(draw)


@analyse.command("items")
@_table
@click.option(
    "--key",
    type=_FILE,
    help="Right answers: CSV item,key[,options] or JSON {items, key}. Space, case and 1.0 do not count.",
)
@click.option("--group", type=_FILE, help="CSV respondent,group with two groups: is an item harder for one of them?")
@click.option("--reference", help="With --group: the group that the other is compared with; else the larger one.")
def items(file: Path, key: Path | None, group: Path | None, reference: str | None, format_: str) -> None:
    """How hard each item is, whether it tells who knows more, what its options do, and what is odd.

    With --group also whether an item is harder for one group than for equally able people of the other (Mantel-Haenszel).

    Exit 0: done; 1: the file or the key is refused; 2: wrong usage.

    Example: quizapp analyse items responses.csv --key key.csv --format json
    """

    if reference is not None and group is None:
        raise click.UsageError("--reference goes with --group")

    def work() -> Report:
        from quizapp.analyse.groups import compare_groups, read_groups
        from quizapp.analyse.items import analyse_items

        data = _read(file, key)
        groups = None if group is None else compare_groups(data, read_groups(group), reference)
        return analyse_items(data, with_key=key is not None, groups=groups)

    _answer(format_, work)


@analyse.command("irt")
@_table
@click.option(
    "--model", required=True, type=click.Choice(["rasch", "2pl"]), help="One slope for all, or one for each item."
)
@click.option("--key", type=_FILE, help="Right answers: CSV item,key or JSON {items, key}.")
@click.option("--abilities", is_flag=True, help="Also the ability of each respondent.")
@click.option(
    "--onto", type=_FILE, help="What this command printed as JSON for an earlier year: put everything on that scale."
)
def irt(file: Path, model: str, key: Path | None, abilities: bool, onto: Path | None, format_: str) -> None:
    """Item parameters on one scale with the abilities, by marginal maximum likelihood, with standard errors.

    Rasch is shown as one slope common to all items with ability N(0,1). Refused with the number needed where data are too few.

    With --onto, items of the same name in both years are the anchors that join the scales. `warnings` of the JSON, and notes of the table,
    tell of items that no respondent joins, slopes below 0, and anchors that moved.

    Example: quizapp analyse irt responses.csv --model 2pl --abilities --format json
    """

    def work() -> Report:
        from quizapp.analyse.models import analyse_model, read_scale

        scale = None if onto is None else read_scale(onto)
        report = analyse_model(_read(file, key), "rasch" if model == "rasch" else "2pl", with_abilities=abilities)
        return report if scale is None else report.put_onto(scale)

    _answer(format_, work)


@analyse.command("gain")
@_table
def gain(file: Path, format_: str) -> None:
    """What the same people gained from a test before to a test after: columns respondent, pre_ITEM …, post_ITEM ….

    Only those who took both count; how many did not is said. With the columns pre_at and post_at, the times at which they were taken
    (2026-03-01 or 2026-03-01 09:30), whoever took the test before later than the one after is left out and counted.

    Example: quizapp analyse gain before_after.csv
    """

    def work() -> Report:
        from quizapp.analyse.gain_times import read_before_after
        from quizapp.analyse.gains import analyse_gain
        from quizapp.analyse.scoring import keyed

        responses, times = read_before_after(file)
        return analyse_gain(keyed(responses, None), times)

    _answer(format_, work)


def _read(file: Path, key: Path | None) -> Keyed:
    from quizapp.analyse.keys import read_key
    from quizapp.analyse.scoring import keyed
    from quizapp.analyse.tables import read_responses

    return keyed(read_responses(file, scored=key is None), None if key is None else read_key(key))


def _answer(format_: str, work: Callable[[], Report]) -> None:
    # Threads of the matrix library wait by spinning: on a machine that others use too, one is many times faster than two.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from quizapp.analyse.output import answer

    answer(format_, work)
