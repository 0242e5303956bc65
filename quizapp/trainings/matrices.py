"""QR codes as rows of modules: compact text that a page draws itself, made fast enough for many at a time.

Choosing the best of eight masks is nearly all that making a code costs; any mask reads well at the size of a wall, so one is fixed.
"""

from __future__ import annotations

import base64
from functools import lru_cache

#: The mask of every code here (0 to 7).
_MASK = 3
#: Light modules around a code.
QUIET = 4
#: Codes kept in memory: two projectors of one session ask for the same.
_KEPT = 1024


@lru_cache(maxsize=_KEPT)
def matrix_text(content: str) -> str:
    """A code, error level M: its width, a point, and all modules row by row, eight to a byte (the first the highest bit), as base 64."""
    rows = _modules(content)
    bits = "".join("1" if dark else "0" for row in rows for dark in row)
    bits += "0" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return f"{len(rows)}.{base64.b64encode(packed).decode()}"


def matrix_path(content: str) -> tuple[int, str]:
    """The same code for a page without scripts: the width with its quiet zone, and the path of its dark modules."""
    rows = _modules(content)
    runs = []
    for y, row in enumerate(rows, start=QUIET):
        x = 0
        while x < len(row):
            width = next((i for i in range(x, len(row)) if row[i] != row[x]), len(row)) - x
            if row[x]:
                runs.append(f"M{x + QUIET} {y}h{width}v1h-{width}z")
            x += width
    return len(rows) + 2 * QUIET, "".join(runs)


def _modules(content: str) -> list[list[bool]]:
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=_MASK)
    code.add_data(content, optimize=0)
    code.make(fit=True)
    return [[bool(dark) for dark in row] for row in code.modules]
