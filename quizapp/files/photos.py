"""Photos that people bring: told by their content, decoded within bounds, written anew without anything but the picture.

What a phone adds (place, time, its model, a preview) does not go along: only the pixels are kept. A worker is not held up: a JPEG is
decoded at a half, a quarter or an eighth of its size where that suffices, and what has more pixels than a phone takes is not decoded.
"""

from __future__ import annotations

import io
import warnings

from quizapp.files.errors import FileTooLarge, PhotoHeic, PhotoTooLarge, PhotoUnreadable

#: The most bytes of a photo that is brought.
MOST_BYTES = 12 * 1024 * 1024
#: The longer side of a kept photo, pixels: names on a paper sheet can still be read.
LONGEST_SIDE = 2000
#: The most pixels: of a JPEG, which is decoded small; of other kinds, which are decoded whole.
MOST_PIXELS_JPEG = 110_000_000
MOST_PIXELS = 30_000_000
QUALITY = 82

_FORMATS = ("JPEG", "PNG", "WEBP", "MPO", "HEIF")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def kept_photo(content: bytes) -> bytes:
    """A photo as it is kept: JPEG, upright, at most `LONGEST_SIDE`, no metadata.

    Raises FileTooLarge, PhotoUnreadable, PhotoHeic or PhotoTooLarge.
    """
    from PIL import Image, ImageOps  # only where a photo comes

    if len(content) > MOST_BYTES:
        raise FileTooLarge(field="photo", most=MOST_BYTES // (1024 * 1024))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # also Pillow's word about too many pixels: the check below has its own
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(io.BytesIO(content), formats=[f for f in _FORMATS if f in _known()])
            pixels = picture.width * picture.height
            if pixels > (MOST_PIXELS_JPEG if picture.format in ("JPEG", "MPO") else MOST_PIXELS):
                raise PhotoTooLarge(field="photo")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            picture.load()
    except Image.DecompressionBombError as error:
        raise PhotoTooLarge(field="photo") from error
    except (OSError, ValueError, SyntaxError, Warning) as error:
        raise (PhotoHeic if content[8:12] in _HEIC_BRANDS else PhotoUnreadable)(field="photo") from error
    picture = ImageOps.exif_transpose(picture)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    flat = Image.new("RGB", picture.size, "white")  # what is see-through becomes white
    flat.paste(picture.convert("RGB"), mask=picture.convert("RGBA").getchannel("A") if _see_through(picture) else None)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _known() -> set[str]:
    """The formats that Pillow reads here; HEIF only where a decoder for it is installed."""
    from PIL import Image

    Image.init()
    return set(Image.OPEN)


def _see_through(picture: object) -> bool:
    mode, info = getattr(picture, "mode", ""), getattr(picture, "info", {})
    return mode in ("RGBA", "LA", "PA") or "transparency" in info
