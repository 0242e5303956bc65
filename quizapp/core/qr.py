"""QR codes as drawings."""

from __future__ import annotations


def qr_svg(text: str) -> str:
    """The code of an address or another text as SVG: error level M, quiet zone 4, black modules on white, one path, no style attribute."""
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.image.svg import SvgPathFillImage

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4, image_factory=SvgPathFillImage)
    code.add_data(text)
    code.make(fit=True)
    return str(code.make_image().to_string(encoding="unicode"))
