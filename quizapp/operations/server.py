"""The running site: processes that answer requests, one that runs background jobs, and their end."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import http.client
import os
import signal
import socket
import subprocess  # starts this program again, with fixed arguments
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from quizapp.config import SettingInvalid, Settings

#: Threads that run Python in one process. With the interpreter's lock a second one costs throughput: in a burst of phones that save
#: answers one thread served twice as many as four. Whatever takes long is a job in another process.
BLOCKING_THREADS = 1
#: Connections that the system keeps waiting while a process accepts others (the system's own limit may be lower).
BACKLOG = 2048
#: Connections that one process holds at a time, idle ones among them; further ones wait in the backlog.
CONNECTIONS = 2048
#: Seconds in which a process may finish its requests after it was told to stop.
STOP_SECONDS = 5
#: Seconds before a job worker that died is started again.
RESTART_SECONDS = 1.0

Say = Callable[[str], None]


def command(*arguments: str) -> list[str]:
    """This program with other arguments, for a child process."""
    return [sys.executable, "-m", "quizapp.cli", *arguments]


def check_address(host: str, port: int) -> None:
    """Whether this process may listen there. Raises SettingInvalid with the cure."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[4])
    except socket.gaierror as error:
        raise SettingInvalid(
            f"HOST={host} is no address: set it to 127.0.0.1, or 0.0.0.0 for all of this machine's"
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingInvalid(f"PORT={port} is in use: stop the other program, or set another PORT") from error
        if error.errno == errno.EACCES:
            raise SettingInvalid(f"PORT={port} is not allowed to this account: set a PORT above 1023") from error
        raise SettingInvalid(
            f"HOST={host} is not an address of this machine: set it to 127.0.0.1 or 0.0.0.0"
        ) from error


def end_with_parent(signal_number: int, parent: int) -> bool:
    """Ask the system for a signal when the parent process dies: nobody is left who holds the port or takes jobs twice. Linux only.

    False when the parent is dead already.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal_number)  # 1: PR_SET_PDEATHSIG
    return os.getppid() == parent


class JobWorker:
    """The process that runs background jobs: started again when it dies."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name="job-worker", daemon=True)

    def start(self) -> None:
        """Start it in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what it has begun is tried again by the next one."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    def _keep_running(self) -> None:
        while True:
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = subprocess.Popen(command("work", "--parent", str(os.getpid())))  # noqa: S603 # this program itself
            status = self._process.wait()
            if not self._stopping.wait(RESTART_SECONDS):
                self._say(f"Jobs: the worker ended with status {status} and is started again")


def make_server(target: str, address: str, port: int, workers: int) -> Any:
    """The server of an application factory, "module:function", with the settings of every installation."""
    return Granian(
        target,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        blocking_threads_idle_timeout=600,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        factory=True,
    )


def run_server(settings: Settings, *, say: Say, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once when the first request can be answered."""
    address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][4][0]
    server = make_server("quizapp.app:create_app", str(address), settings.port, settings.workers)
    # Imported once, before the processes part: they start sooner and share the memory.
    for feature in import_module("quizapp.app").FEATURES:
        import_module(feature)
    gc.collect()
    gc.freeze()  # what lives as long as the server is not gone through again at each full collection, and its pages stay shared
    jobs = JobWorker(say)
    parent = os.getpid()
    # An acknowledged answer is on disk, so that a process may end at any moment.
    os.register_at_fork(after_in_child=lambda: end_with_parent(signal.SIGKILL, parent))

    def up() -> None:
        jobs.start()  # after the pages, which somebody waits for
        ready()

    watch = threading.Thread(target=_call_when_up, args=(str(address), settings.port, up), daemon=True)
    server.on_startup(watch.start)
    server.on_shutdown(jobs.stop)
    server.serve()


def _call_when_up(address: str, port: int, ready: Callable[[], None]) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # listens everywhere: ask here
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection(host, port, timeout=30)
            connection.request("HEAD", "/")
            connection.getresponse()
            connection.close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            ready()
            return
