"""Serves an application factory as an installation does: `python -m benchmarks.host module:function port workers`."""

from __future__ import annotations

import os
import signal
import sys

from quizapp.operations.server import end_with_parent, make_server


def main() -> None:
    """Serve on loopback until SIGTERM."""
    target, port, workers = sys.argv[1:]
    end_with_parent(signal.SIGTERM, os.getppid())
    parent = os.getpid()
    os.register_at_fork(after_in_child=lambda: end_with_parent(signal.SIGKILL, parent))
    make_server(target, "127.0.0.1", int(port), int(workers)).serve()


if __name__ == "__main__":
    main()
