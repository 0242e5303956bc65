"""`quizapp demo`."""

from __future__ import annotations

import click

from quizapp.config import read_settings


@click.command("demo")
def demo() -> None:
    """Make the demo district 临江区 in a database of its own: 600 people, 1,900 attempts, six sessions.

    Needs DEMO=1. `quizapp serve` does this by itself where there is no demo yet.

    Example: DEMO=1 quizapp demo
    """
    settings = read_settings()
    from quizapp.demo.making import make_demo_file
    from quizapp.operations.services import BankFilesRefused

    try:
        make_demo_file(settings, click.echo)
    except BankFilesRefused as refusal:
        for fault in refusal.faults:
            click.echo(str(fault), err=True)
        raise click.ClickException("the bank files have faults, nothing was loaded. Correct them") from refusal
