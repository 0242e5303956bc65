"""A real `quizapp serve` on a free port, in an instance folder of its own."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from quizapp.cli import main

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(instance: Path, **settings: str) -> dict[str, str]:
    """The environment of a command: the settings and nothing that the machine has set."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PYTHONPATH")}
    return {**kept, "PYTHONPATH": str(ROOT), "INSTANCE": str(instance), "PYTHONUNBUFFERED": "1", **settings}


def run_command(instance: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `quizapp …` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "quizapp.cli", *arguments],
        env=environment(instance, **settings),
        cwd=instance,
        capture_output=True,
        text=True,
        timeout=120,
    )


def run_here(instance: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run `quizapp …` to its end in this process, which spares the start of one: for what its words and its status are enough."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        for name in [name for name in os.environ if name not in environment(instance)]:
            patch.delenv(name)
        for name, value in environment(instance).items():
            patch.setenv(name, value)
        patch.chdir(instance)
        patch.setattr(sys, "argv", ["quizapp", *arguments])
        patch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as end:
            main()
    return subprocess.CompletedProcess([*arguments], int(end.value.code or 0), out.getvalue(), err.getvalue())


class Server:
    """A running server with what it has printed."""

    def __init__(self, instance: Path, **settings: str) -> None:
        self.port = int(settings.setdefault("PORT", str(free_port())))
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = instance / f"output-{self.port}.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "quizapp.cli", "serve"],
                env=environment(instance, WORKERS=settings.pop("WORKERS", "1"), **settings),
                cwd=instance,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def printed(self) -> str:
        """What it said so far."""
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, pattern: str, seconds: float = 120) -> re.Match[str]:
        """Wait until it has printed something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.printed()):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"never printed {pattern!r}:\n{self.printed()}")

    def children(self, word: str) -> list[int]:
        """Process ids of its children whose command line has a word."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, IndexError):
                continue
            if parent == self.process.pid and word in line:
                found.append(int(folder.name))
        return found

    def kill(self) -> None:
        """kill -9 of everything that was started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)


@contextmanager
def serving(instance: Path, **settings: str) -> Iterator[Server]:
    """A server that answers, stopped at the end."""
    server = Server(instance, **settings)
    try:
        server.wait_for(r"Stop with Ctrl-C")
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def get(url: str, **headers: str) -> tuple[int, str]:
    """Status and body of an address."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 # our own server
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 # our own server
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def wait_until(condition: Any, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")
