"""Proof that a printed QR can be read: the finished page is rendered, looked at and decoded."""

from __future__ import annotations

import threading

import pypdfium2
import zxingcpp
from PIL.Image import Image

from domain.errors import PaperFailed

_DPI = 100
"""Coarser than any printer, and than any scanner people own: what is read here is read on paper."""
_SHARPER_DPI = 300
_rendering = threading.Lock()
"""PDFium works for one thread at a time."""


def prove(pdf: bytes, expected: str, below_mm: float = 0.0, *, page: int = 0) -> None:
    """Raise PaperFailed unless this page's QR says exactly this.

    Where codes stand only ``below_mm`` from the page's top, drawing the rest would take half the time.
    """
    found = read_page(pdf, _DPI, below_mm, page=page)
    if found != [expected]:
        found = read_page(pdf, _SHARPER_DPI, below_mm, page=page)
    if not found:
        raise PaperFailed(reason="the QR code on the page cannot be read")
    if found != [expected]:
        raise PaperFailed(reason="the QR code on the page says something else")


def read_page(pdf: bytes, dpi: int, below_mm: float = 0.0, *, page: int = 0) -> list[str]:
    """What the QR symbols on a page say."""
    codes = zxingcpp.read_barcodes(
        render_page(pdf, dpi, below_mm, page=page),
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        text_mode=zxingcpp.TextMode.Plain,
        try_rotate=False,
        try_invert=False,
    )
    return [code.text for code in codes]


def page_mm(pdf: bytes) -> tuple[float, float]:
    """Width and height of the first page."""
    with _rendering:
        document = pypdfium2.PdfDocument(pdf)
        try:
            width, height = document[0].get_size()
        finally:
            document.close()
    return width * 25.4 / 72, height * 25.4 / 72


def render_page(pdf: bytes, dpi: int, below_mm: float = 0.0, *, page: int = 0) -> Image:
    """A page as a grey picture, without what is above ``below_mm``; the last one is -1."""
    with _rendering:
        document = pypdfium2.PdfDocument(pdf)
        try:
            drawn = document[page if page >= 0 else len(document) + page]
            picture: Image = drawn.render(
                scale=dpi / 72, grayscale=True, crop=(0, 0, 0, below_mm * 72 / 25.4)
            ).to_pil()
            return picture
        finally:
            document.close()
