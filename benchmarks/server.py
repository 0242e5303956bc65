"""Ours or the floor in a tree of processes of its own, and what it costs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import psutil

ROOT = Path(__file__).resolve().parent.parent
OURS = "quizapp.app:create_app"
FLOOR = "benchmarks.floor:create_app"
#: Processes that answer: one per core, as `quizapp serve` has.
WORKERS = os.cpu_count() or 1


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server; use it as a context manager."""

    def __init__(self, target: str, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self._target = target
        self._environment = {**os.environ, **environment, "PUBLIC_URL": f"http://127.0.0.1:{self.port}"}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        arguments = [sys.executable, "-m", "benchmarks.host", self._target, str(self.port), str(WORKERS)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(arguments, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        wait_for(self.port, self._process, self._log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def processes(self) -> list[psutil.Process]:
        """The tree, its root first."""
        assert self._process is not None
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]

    def cpu(self) -> float:
        """Seconds of processor time, user and system, of the tree so far."""
        total = 0.0
        for process in self.processes():
            times = process.cpu_times()
            total += times.user + times.system
        return total

    def largest_worker(self) -> float:
        """Resident memory of the largest worker, MB."""
        return float(max(process.memory_info().rss for process in self.processes()[1:]) / 1e6)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> float:
    """Wait until a server answers; gives the seconds. Raises RuntimeError with the end of its log."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"HEAD /q/READY HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if connection.recv(12).startswith(b"HTTP/1.1"):
                    return time.perf_counter() - begin
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError("the server does not answer: " + log.read_text(errors="replace")[-2000:])
