"""Proof that a printed QR can be read: the finished page is rendered, looked at and decoded."""

from __future__ import annotations

import threading

import pypdfium2
import zxingcpp
from PIL.Image import Image

from domain.errors import PaperFailed

_DPI = 150
"""Coarser than any printer: what is read here is read on paper. A module is 2.5 dots."""
_SHARPER_DPI = 300
_rendering = threading.Lock()
"""PDFium works for one thread at a time."""


def prove(pdf: bytes, expected: str) -> None:
    """Raise PaperFailed unless the first page's QR says exactly this."""
    found = read_page(pdf, _DPI)
    if found != [expected]:
        found = read_page(pdf, _SHARPER_DPI)
    if not found:
        raise PaperFailed(reason="the QR code on the page cannot be read")
    if found != [expected]:
        raise PaperFailed(reason="the QR code on the page says something else")


def read_page(pdf: bytes, dpi: int) -> list[str]:
    """What the QR symbols on the first page say."""
    codes = zxingcpp.read_barcodes(
        render_page(pdf, dpi),
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        text_mode=zxingcpp.TextMode.Plain,
        try_rotate=False,
        try_invert=False,
    )
    return [code.text for code in codes]


def render_page(pdf: bytes, dpi: int) -> Image:
    """The first page as a grey picture."""
    with _rendering:
        document = pypdfium2.PdfDocument(pdf)
        try:
            page = document[0]
            picture: Image = page.render(scale=dpi / 72, grayscale=True).to_pil()
            return picture
        finally:
            document.close()
