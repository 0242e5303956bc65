"""Finding a code in a photo: it is read in memory and never stored."""

from __future__ import annotations

import io

from quizapp.trainings.errors import PhotoUnreadable, PhotoWithoutCode

#: What phones make.
FORMATS = ("JPEG", "PNG", "WEBP")
#: The largest photo, bytes and pixels.
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 60_000_000
#: A code fills enough of a picture to be read at this size.
_SIDE = 1800


def read_photo(content: bytes) -> str:
    """The text of the first QR code in a picture. Raises PhotoUnreadable or PhotoWithoutCode."""
    import zxingcpp  # both are large: only whoever sends a photo loads them
    from PIL import Image, UnidentifiedImageError

    if not content or len(content) > MOST_BYTES:
        raise PhotoUnreadable(field="photo")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise PhotoUnreadable(field="photo")
            opened.draft("L", (_SIDE, _SIDE))
            picture = opened.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoUnreadable(field="photo") from error
    picture.thumbnail((_SIDE, _SIDE))
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]))
    text = next((one.text for one in found if one.text), None)
    if text is None:
        raise PhotoWithoutCode(field="photo")
    return str(text)
