"""PDFs as a printer sees them."""

from __future__ import annotations

import pypdfium2
from PIL.Image import Image


def page_pictures(content: bytes, ppi: int = 100) -> list[Image]:
    """Each page of a PDF as a picture."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.render(scale=ppi / 72).to_pil() for page in document]
    finally:
        document.close()
