"""A film for Chromium's pretended camera: codes held up one after another, as a row of JPEG pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import qrcode
from PIL import Image

#: Frames that show one thing; the pretended camera plays them faster than a real one.
FRAMES = 24


def make_clip(path: Path, texts: Sequence[str | None]) -> Path:
    """Write a film that shows each text as a QR code, a little turned, and nothing for None."""
    with path.open("wb") as film:
        for text in texts:
            picture = io.BytesIO()
            _frame(text).save(picture, "JPEG", quality=80)
            film.write(picture.getvalue() * FRAMES)
    return path


def _frame(text: str | None) -> Image.Image:
    frame = Image.new("RGB", (640, 480), "#2a3742")
    if text is not None:
        code = qrcode.QRCode(border=4, box_size=8)
        code.add_data(text)
        held = code.make_image().convert("RGB").rotate(7, expand=True, fillcolor="#2a3742")
        frame.paste(held, ((640 - held.width) // 2, (480 - held.height) // 2))
    return frame
