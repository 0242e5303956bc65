"""A demo can never become a real installation, nor the other way; settings say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizapp.banks.services import fingerprint
from quizapp.config import SettingInvalid, Settings, read_settings
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.operations.installation import check_mark, open_installation, set_mark
from quizapp.operations.server import check_address
from tests.conftest import make_settings
from tests.factories import make_account
from tests.operations.support import free_port, run_command


def test_a_demo_database_is_refused_by_a_real_installation_under_any_name(database: Database) -> None:
    set_mark(database, demo=True)
    check_mark(database, demo=True)
    renamed = Path(database.sqlite_path).with_name("renamed.sqlite3")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    renamed.write_bytes(Path(database.sqlite_path).read_bytes())
    with pytest.raises(SettingInvalid, match="can never become a real installation"):
        check_mark(Database(f"sqlite:///{renamed}"), demo=False)


def test_a_real_database_is_refused_by_the_demo(database: Database) -> None:
    for mark in (None, False):
        if mark is False:
            set_mark(database, demo=False)
        check_mark(database, demo=False)
        with pytest.raises(SettingInvalid, match="holds a real installation"):
            check_mark(database, demo=True)


def test_a_new_database_takes_either(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    for demo in (True, False):
        check_mark(database, demo=demo)
    assert not (tmp_path / "new.sqlite3").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DATABASE_URL": "postgresql://db/quiz"}, "DEMO=1 does not go with DATABASE_URL"),
        ({"PUBLIC_URL": "https://quiz.example.org"}, "DEMO=1 does not go with a PUBLIC_URL"),
    ],
)
def test_the_demo_is_refused_where_others_could_reach_it(settings: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=words):
        read_settings({"DEMO": "1", **settings})
    refused = run_command(tmp_path, "serve", DEMO="1", **settings)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert words in refused.stderr


def test_the_demo_has_a_file_and_keys_of_its_own(tmp_path: Path) -> None:
    real = read_settings({"INSTANCE": str(tmp_path)})
    demo = read_settings({"INSTANCE": str(tmp_path), "DEMO": "1"})
    assert real.database_url != demo.database_url
    assert real.keys_folder != demo.keys_folder


def test_init_prepares_no_demo(tmp_path: Path) -> None:
    refused = run_command(tmp_path, "init", DEMO="1")
    assert refused.returncode == 1
    assert "set DEMO=0" in refused.stderr


def test_an_address_that_is_not_ours_is_refused_with_the_cure() -> None:
    check_address("127.0.0.1", free_port())
    with pytest.raises(SettingInvalid, match=r"HOST=203\.0\.113\.7 is not an address of this machine"):
        check_address("203.0.113.7", free_port())


def test_no_new_key_is_made_where_the_old_one_hides_what_is_stored(
    settings: Settings, database: Database, keys: Keys
) -> None:
    with database.session() as db, transaction(db):
        make_account(db, phone="13800001234", keys=keys)
    with pytest.raises(SettingInvalid, match=r"phone\.key is missing, and 1 telephone numbers cannot be read"):
        open_installation(settings)
    assert not settings.keys_folder.exists()
    settings.keys_folder.mkdir(parents=True)
    (settings.keys_folder / "phone.key").write_text("x")
    with pytest.raises(SettingInvalid, match=r"session\.key is missing, and 1 accounts would be signed out"):
        open_installation(settings)


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    return make_settings(tmp_path, database)


def test_the_fingerprint_of_bank_files_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("1")
    first = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == first
    (tmp_path / "a.yaml").write_text("2")
    second = fingerprint(tmp_path)
    (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")
    assert len({first, second, fingerprint(tmp_path)}) == 3
