"""Small text files at the root of the site, by which chat apps and search engines verify whose it is: `INSTANCE/root-files/`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

#: The folder in INSTANCE.
FOLDER = "root-files"
#: The names that are served: no dot but the last, no slash, nothing that a path could be made of.
NAME = r"[A-Za-z0-9_-]{1,64}\.(?:txt|html)"
MOST_BYTES = 16 * 1024


def read_root_file(instance: Path, name: str) -> str | None:
    """A file's text; None where there is no such plain, small text file. `name` matches NAME."""
    try:
        handle = os.open(instance / FOLDER / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES or b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
