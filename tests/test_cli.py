"""The `quizapp` command: help, exit status, errors on standard error, and that a check of files starts light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from quizapp.cli import COMMANDS, group
from tests.operations.support import run_command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    for one in commands:
        assert "Example:" in (one.help or ""), f"{name}: {one.name}"


def test_the_list_of_commands_imports_none_of_them(tmp_path: Path) -> None:
    shown = run_command(tmp_path, "--help")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in COMMANDS)


def test_a_wrong_command_and_a_wrong_setting_end_with_2_and_one_line(tmp_path: Path) -> None:
    wrong = run_command(tmp_path, "fly")
    assert wrong.returncode == 2
    setting = run_command(tmp_path, "serve", PORT="eighty")
    assert setting.returncode == 2
    assert setting.stderr == "quizapp: PORT=eighty must be a whole number from 1 to 65535\n"
    assert not setting.stdout


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    refused = run_command(tmp_path, "init", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "DATABASE_URL" in refused.stderr


def test_checking_files_loads_neither_flask_nor_a_database() -> None:
    code = (
        "import atexit, sys; from quizapp.cli import main; sys.argv = ['quizapp', 'banks', 'check']; "
        "atexit.register(lambda: print([name for name in ('flask', 'sqlalchemy', 'scipy', 'alembic', 'typst') if name in sys.modules])); "
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip().endswith("[]"), done.stdout
