"""The `quizapp` command. Each subcommand is imported when it is asked for, so that a check of files starts at once."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from quizapp import __version__
from quizapp.config import SettingInvalid
from quizapp.core.errors import DomainError

#: Subcommand → (module that defines a click command of the same name, what it does). The help of `quizapp` imports none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("quizapp.operations.cli", "Serve the site; prepares the database where it is needed."),
    "work": ("quizapp.operations.cli", "Run background jobs (`serve` starts this by itself)."),
    "init": ("quizapp.operations.cli", "Make or upgrade the database and load the question banks."),
    "demo": ("quizapp.demo.cli", "Make the demo district."),
    "banks": ("quizapp.banks.cli", "Check, load and export question banks."),
    "analyse": ("quizapp.analyse.cli", "Analyse responses and surveys from files."),
    "papers": ("quizapp.analyse.papers_cli", "Make papers from a pool of items in a file."),
    "accounts": ("quizapp.accounts.cli", "Make accounts and set-up links."),
    "people": ("quizapp.operations.people_cli", "Give somebody all that is known of them, or erase it."),
    "backup": ("quizapp.operations.cli", "Write everything but the keys into one file, while people answer."),
    "restore": ("quizapp.operations.cli", "Fill an empty place with a backup."),
    "keys": ("quizapp.operations.cli", "Change the key that hides telephone numbers, while people answer."),
    "doctor": ("quizapp.operations.cli", "Say what is wrong with this installation."),
}


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports one when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every subcommand, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand; None where there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="quizapp")
def group() -> None:
    """A quiz and training platform for public literacy tests.

    \b
    Examples:
      quizapp serve
      quizapp banks check
    """


def main() -> None:
    """Run a command. Exit status: 0 done, 1 refused or faulty, 2 wrong usage; an error is one line with its cure."""
    try:
        status = group.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        status = 1
    except SettingInvalid as error:
        click.echo(f"quizapp: {error}", err=True)
        status = 2
    except DomainError as error:
        facts = ", ".join(f"{name}={value}" for name, value in error.data.items())
        click.echo(f"quizapp: refused ({error.code})" + (f": {facts}" if facts else ""), err=True)
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
