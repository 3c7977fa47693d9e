"""The QR symbol of a rendered page: where it is, how large, and how much white is around it."""

from __future__ import annotations

from dataclasses import dataclass

import zxingcpp
from PIL.Image import Image

from kiosk.paper.proof import render_page

_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_DARK = 128


@dataclass(frozen=True)
class Symbol:
    """In millimetres from the page's upper left corner, measured in its picture."""

    left: float
    top: float
    right: float
    bottom: float
    quiet: float
    """The narrowest white beside it."""
    edge: float
    """How near it comes to the paper's edge."""

    @property
    def side(self) -> float:
        """The mean of width and height."""
        return (self.right - self.left + self.bottom - self.top) / 2


def decode(picture: Image) -> list[str]:
    """What the symbols of a picture say, read as a phone or a scanner reads them: with every effort."""
    return [code.text for code in symbols(picture)]


def symbols(picture: Image) -> list[zxingcpp.Barcode]:
    """The QR symbols of a picture; a reader of every kind sees others in the noise of a large one."""
    return zxingcpp.read_barcodes(picture, formats=_QR, text_mode=zxingcpp.TextMode.Plain)


def measure(pdf: bytes, dpi: int = 600) -> Symbol:
    """The only symbol on the first page, by its dark dots."""
    picture = render_page(pdf, dpi)
    [code] = symbols(picture)
    found = code.position
    middle = ((found.top_left.x + found.bottom_right.x) // 2, (found.top_left.y + found.bottom_right.y) // 2)
    reach = (found.bottom_right.x - found.top_left.x) * 6 // 10
    area = picture.crop((middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach))
    dark = area.point(lambda value: 255 if value < _DARK else 0)
    # Inside the quiet zone the symbol is all that is dark; outwards of it other things begin.
    inner = reach * 9 // 10
    cut = dark.crop((reach - inner, reach - inner, reach + inner, reach + inner)).getbbox()
    assert cut is not None
    x, y = middle[0] - inner, middle[1] - inner
    left, top, right, bottom = x + cut[0], y + cut[1], x + cut[2], y + cut[3]
    quiet = _white_around(picture, (left, top, right, bottom))
    mm = 25.4 / dpi
    edge = min(left, top, picture.width - right, picture.height - bottom)
    return Symbol(left * mm, top * mm, right * mm, bottom * mm, quiet * mm, edge * mm)


def _white_around(picture: Image, box: tuple[int, int, int, int]) -> int:
    """How many dots wide the white frame around this box is."""
    left, top, right, bottom = box
    frame = 1  # the dots at the very edge are half dark
    while True:
        frame += 1
        sides = (
            (left - frame, top - frame, right + frame, top - frame + 1),
            (left - frame, bottom + frame - 1, right + frame, bottom + frame),
            (left - frame, top - frame, left - frame + 1, bottom + frame),
            (right + frame - 1, top - frame, right + frame, bottom + frame),
        )
        if any(picture.crop(side).getextrema()[0] < 250 for side in sides):
            return frame - 1
