"""A QR code drawn by the background colours of cells, two spaces a module.

Half blocks would need half the room, but Korean terminal fonts do not fill their cells.
"""

from __future__ import annotations

from functools import cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

QUIET = 2
"""Light modules around the code on screen; the page around it is light too."""

_LIGHT = Style(bgcolor="#FFFFFF", color="#000000")
_DARK = Style(bgcolor="#000000", color="#FFFFFF")


@cache
def modules(text: str, quiet: int) -> tuple[tuple[bool, ...], ...]:
    """The dark and light modules of the smallest code of this text."""
    import qrcode
    from qrcode.constants import ERROR_CORRECT_L

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_L, border=quiet)
    code.add_data(text)
    code.make(fit=True)
    return tuple(tuple(bool(dark) for dark in row) for row in code.get_matrix())


def room_for(text: str) -> Size:
    """How many cells the code needs, its quiet zone included."""
    side = len(modules(text, QUIET))
    return Size(2 * side, side)


class QrCode(Widget):
    """Scannable from the screen, in either theme."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._rows = modules(text, QUIET)
        self.styles.width = 2 * len(self._rows)
        self.styles.height = len(self._rows)

    def render_line(self, y: int) -> Strip:
        """One row of modules."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, _LIGHT)
        return Strip([Segment("  ", _DARK if dark else _LIGHT) for dark in self._rows[y]])
