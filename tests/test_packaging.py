"""The wheel carries all that it needs: installed into an empty folder it prepares an installation in another one."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str, folder: Path, **settings: str) -> str:
    """Run a command and give what it prints."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    done = subprocess.run(command, cwd=folder, env={**kept, **settings}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_prepares_an_installation_in_an_empty_folder(tmp_path: Path) -> None:
    for name in ("wheels", "site", "empty"):
        (tmp_path / name).mkdir()
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    build = (*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path / "wheels"), str(ROOT))
    run(*build, folder=tmp_path)
    wheel = next((tmp_path / "wheels").glob("quizapp-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.startswith("quizapp/_data/migrations/versions/") for name in names)
    assert any(name.startswith("quizapp/_data/question_banks/literacy/") for name in names)
    assert "quizapp/ui/dist/manifest.json" in names
    run(*pip, "install", "--no-deps", "--target", str(tmp_path / "site"), str(wheel), folder=tmp_path)

    site, empty = str(tmp_path / "site"), tmp_path / "empty"
    where = run(sys.executable, "-c", "import quizapp; print(quizapp.__file__)", folder=empty, PYTHONPATH=site)
    assert where.startswith(site)
    printed = run(sys.executable, "-m", "quizapp.cli", "init", folder=empty, PYTHONPATH=site, PORT="8123")
    assert "http://127.0.0.1:8123/set-up/" in printed
    assert (empty / "instance" / "quizapp.sqlite3").is_file()
    examined = run(sys.executable, "-m", "quizapp.cli", "banks", "check", folder=empty, PYTHONPATH=site)
    assert "0 faults" in examined
