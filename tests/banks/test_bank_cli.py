"""`quizapp banks` as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from quizapp.banks.cli import banks
from quizapp.banks.formats.writing import topic_yaml
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.models import Item
from quizapp.banks.parsed import ParsedTopic
from quizapp.core.db import Database
from tests.banks.files import SOUND, line_of, make_item, spoilt, write


def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(banks, [str(argument) for argument in arguments], env=env)


def test_sound_files_pass(tmp_path: Path):
    result = run("check", write(tmp_path))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 items in 1 banks: 0 faults, 0 warnings")
    assert result.stdout.startswith("# Quality of the question banks")


def test_a_fault_is_one_line_with_file_line_and_cure(tmp_path: Path):
    result = run("check", write(tmp_path, spoilt("key: b", "key: f")))
    assert result.exit_code == 1
    not_judged, line = result.stderr.splitlines()
    at = line_of(SOUND, "key: b")
    assert line == f'safety/fire.yaml:{at}: SAF-FIRE-001: key is "f". Write one of a, b, c, d.'
    assert "safety was not judged as a whole" in not_judged


def test_a_fault_in_one_file_makes_none_about_the_others(tmp_path: Path):
    statement = {"type": "true_false", "options": {}, "topic": "home"}
    items = [make_item(f"SAF-HOME-{n:03}", key=("t" if n > 9 else "f",), **statement) for n in range(1, 15)]
    home = ParsedTopic("safety", "home", {"zh": "家", "en": "Home"}, tuple(items))
    write(tmp_path, topic_yaml(home), "safety/home.yaml")
    alone = run("check", tmp_path)
    assert "35.7 % of 14 true/false items are true" in alone.stderr, "the share is told while the bank is whole"
    assert "SAF-" not in alone.stderr.split("safety: 35.7")[0].splitlines()[-1], "a share is no fault of one item"
    write(
        tmp_path,
        spoilt("en: Article 6}\n      year: 2021", "en: Article 6}\n      year: soon").replace(
            "楼道里可以暂时", "长" * 61
        ),
    )
    told = run("check", tmp_path).stderr.splitlines()
    assert [line.partition(": ")[2] for line in told] == [
        "warning: safety was not judged as a whole (shares, coverage, blueprints, reviews): "
        "safety/fire.yaml could not be read in full. Correct that first.",
        'SAF-FIRE-001: citation.year is "soon", it should be a whole number. Write year: 2021.',
        "SAF-FIRE-002: the stem has 70 characters, at most 60. Shorten it.",
    ], "the other items of the file are judged in the same round"


def test_what_readers_would_have_to_find_is_refused_by_the_command(tmp_path: Path):
    spoils = [
        (
            "    objective: {zh: 知道油锅",
            "    stimulus: picture\n    objective: {zh: 知道油锅",
            "stimulus is picture and there is no image",
        ),
        ("最先该怎么做？", "下列哪一种做法是错误的？", "asks for what is not so (错误) without marking it"),
        ("端起锅跑到室外", "前三项都对", "option c says 前三项都"),
        ("document: {zh: 中华人民共和国消防法", "document: {zh: 中国公民科学素质基准", "never the source of a fact"),
        ("en: Carry the pan outside", "en: <b>Carry</b> it outside", "holds markup: <b>"),
    ]
    for old, new, told in spoils:
        result = run("check", write(tmp_path, spoilt(old, new)))
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert told in line


def test_json_is_one_object_on_standard_output(tmp_path: Path):
    result = run("check", write(tmp_path, spoilt("端起锅跑到室外", "以上都是")), "--format", "json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, "")
    assert answer["error"]["code"] == "banks_refused"
    (fault,) = answer["faults"]
    assert (fault["code"], fault["check"], fault["level"]) == ("all_of_above", "O1", "refuse")
    assert (fault["file"], fault["line"]) == ("safety/fire.yaml", line_of(SOUND, "      - {id: c"))
    assert json.loads(run("check", write(tmp_path), "--format", "json").stdout) == {
        "items": 2,
        "banks": {"safety": 2},
        "refused": 0,
        "warnings": 0,
        "due": [],
        "faults": [],
    }


def test_wrong_usage_is_exit_status_two(tmp_path: Path):
    assert run("check", tmp_path / "nowhere").exit_code == 2
    assert run("export", "--format", "jsonl", "--to", tmp_path).exit_code == 2
    assert run("export").exit_code == 2


def test_help_has_an_example_and_the_table_of_checks():
    shown = run("check", "--help").stdout
    assert "Example: quizapp banks check" in shown
    assert "33 %" in shown
    for command in ("load", "export"):
        assert "Example: quizapp banks" in run(command, "--help").stdout


def test_check_needs_no_setting_and_prints_utf8_in_any_locale(tmp_path: Path):
    write(tmp_path, spoilt("端起锅跑到室外", "以上都是"))
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "DATABASE_URL": "nonsense", "PORT": "x"}
    program = "import sys; from quizapp.cli import main; sys.argv = ['quizapp', 'banks', 'check', sys.argv[1]]; main()"
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=env, capture_output=True, check=False)
    assert done.returncode == 1
    assert "以上都" in done.stderr.decode("utf-8")


def test_check_loads_neither_flask_nor_sqlalchemy_nor_scipy(tmp_path: Path):
    program = (
        "import sys; from quizapp.banks.cli import banks; banks(['check', sys.argv[1]], standalone_mode=False);"
        "print([name for name in ('flask', 'sqlalchemy', 'scipy', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(write(tmp_path))], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def database_env(database: Database) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{database.sqlite_path}", "DEMO": "0"}


def test_load_stores_everything_and_again_nothing(tmp_path: Path, database: Database):
    env = database_env(database)
    folder = write(tmp_path / "banks")
    assert run("load", "--from", folder, env=env).stdout == "2 items added, 0 changed, 0 unchanged, 0 retired\n"
    assert run("load", "--from", folder, env=env).stdout == "The database has these files as they are: nothing to do\n"


def test_one_fault_loads_nothing(tmp_path: Path, database: Database):
    result = run("load", "--from", write(tmp_path / "banks", spoilt("key: b", "key: f")), env=database_env(database))
    assert result.exit_code == 1
    assert "safety/fire.yaml:" in result.stderr
    assert "Nothing was loaded" in result.stderr
    with database.session() as db:
        assert db.query(Item).count() == 0


def test_load_says_what_is_wrong_with_settings_and_schema(tmp_path: Path):
    folder = write(tmp_path / "banks")
    assert "PORT" in run("load", "--from", folder, env={"PORT": "x"}).stderr
    result = run("load", "--from", folder, env={"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"})
    assert result.exit_code == 1
    assert "Run: quizapp init" in result.stderr


def test_export_writes_files_that_say_the_same(tmp_path: Path):
    source, target = write(tmp_path / "from"), tmp_path / "to"
    write(source, "blueprints: []\n", "blueprints.yaml")
    assert run("export", "--from", source, "--to", target).exit_code == 0
    assert read_folder(target).banks == read_folder(source).banks
    assert (target / "blueprints.yaml").read_text() == "blueprints: []\n"
    assert run("export", "--from", source, "--to", source).exit_code == 0
    assert read_folder(source).banks == read_folder(target).banks


def test_export_writes_lines(tmp_path: Path):
    lines = run("export", "--from", write(tmp_path), "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["SAF-FIRE-001", "SAF-FIRE-002"]


def test_what_is_loaded_can_be_exported_again(tmp_path: Path, database: Database):
    env, folder, target = database_env(database), write(tmp_path / "from"), tmp_path / "to"
    run("load", "--from", folder, env=env)
    assert run("export", "--loaded", "--to", target, env=env).exit_code == 0
    assert read_folder(target).banks == read_folder(folder).banks
    assert run("export", "--loaded", "--from", folder, "--to", target, env=env).exit_code == 2


def test_unreadable_files_are_not_exported(tmp_path: Path):
    result = run("export", "--from", write(tmp_path / "from", "bank: [\n"), "--to", tmp_path / "to")
    assert result.exit_code == 1
    assert not (tmp_path / "to").exists()
