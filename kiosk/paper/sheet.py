"""A page to draw on, measured in millimetres from its upper left corner.

Text is placed by its baseline. What does not fit is first set smaller, then wrapped, never cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Literal

from reportlab import rl_config
from reportlab.lib.colors import Color
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

from kiosk.paper.fonts import Face, Fonts

# Reportlab writes page content as text for mail programs of another age: a third of a page's time.
rl_config.useA85 = 0

Align = Literal["left", "centre", "right"]
Colour = Color
LEADING = 1.32
_SYLLABLES = "\u1100"
"""From here on, scripts whose lines break between any two characters."""
SMALLEST = 0.62
"""How much smaller a text may be set before it is wrapped instead."""


@dataclass(frozen=True)
class Style:
    """How a text is set; ``tracking`` is extra space between letters, in points."""

    face: Face
    size: float
    colour: Colour
    tracking: float = 0.0

    def at(self, size: float) -> Style:
        """The same at another size."""
        return replace(self, size=size, tracking=self.tracking * size / self.size)


@dataclass(frozen=True)
class Set:
    """A text as it will be set: its lines and the style they are in."""

    lines: tuple[str, ...]
    style: Style


class Sheet:
    """One PDF document in the making; with a scale, all of it is printed that much smaller."""

    def __init__(
        self, width: float, height: float, fonts: Fonts, *, title: str, author: str, scale: float = 1.0
    ) -> None:
        self.width, self.height = width, height
        self._fonts = fonts
        self._buffer = BytesIO()
        self._canvas = Canvas(
            self._buffer,
            pagesize=(width * scale * mm, height * scale * mm),
            invariant=1,  # the same content is the same bytes, so that paper can be made again
            initialFontName=Face.SANS.value,  # type: ignore[arg-type]  # the stub says float
            lang="ko-KR",
            pageCompression=1,
        )
        self._canvas.setTitle(title)
        self._canvas.setAuthor(author)
        self._canvas.setCreator("Clinic kiosk")
        self._canvas.setSubject("")
        self._scale = scale
        self._canvas.scale(scale, scale)

    def finish(self) -> bytes:
        """The document."""
        self._canvas.showPage()
        self._canvas.save()
        return self._buffer.getvalue()

    def next_page(self) -> None:
        """Turn to a new page of the same size."""
        self._canvas.showPage()
        self._canvas.scale(self._scale, self._scale)

    # -- text ---------------------------------------------------------------------------------------

    def text(self, x: float, y: float, text: str, style: Style, align: Align = "left") -> float:
        """Set one line; gives its width in mm."""
        runs = self._fonts.runs(text, style.face)
        width = self._fonts.width(text, style.face, style.size, style.tracking)
        left = x * mm - {"left": 0.0, "centre": width / 2, "right": width}[align]
        self._canvas.setFillColor(style.colour)
        for face, part in runs:
            self._canvas.setFont(face.value, style.size)
            self._canvas.drawString(left, self._y(y), part, charSpace=style.tracking)
            left += self._fonts.width(part, face, style.size, style.tracking) + style.tracking
        return width / mm

    def set(self, text: str, style: Style, width: float, smallest: float = SMALLEST) -> Set:
        """How this text fits into a column: as it is, smaller, or in several lines."""
        full = self._fonts.width(text, style.face, style.size, style.tracking)
        if full <= width * mm:
            return Set((text,), style)
        # A hair smaller than exact, so that rounding never pushes the last letter out.
        scale = width * mm / full * 0.999
        if scale >= smallest:
            return Set((text,), style.at(style.size * scale))
        small = style.at(style.size * smallest)
        return Set(tuple(self._wrapped(text, small, width * mm)), small)

    def put(self, x: float, y: float, block: Set, align: Align = "left") -> float:
        """Set the lines of a block; gives the last one's baseline."""
        step = block.style.size * LEADING / mm
        for number, line in enumerate(block.lines):
            self.text(x, y + number * step, line, block.style, align)
        return y + self.depth(block)

    def depth(self, block: Set) -> float:
        """From the first baseline of a block to its last, in mm."""
        return (len(block.lines) - 1) * block.style.size * LEADING / mm

    def fit(
        self, x: float, y: float, text: str, style: Style, width: float, *, align: Align = "left"
    ) -> float:
        """Set a text into a column; gives its last baseline."""
        return self.put(x, y, self.set(text, style, width), align)

    def width_of(self, text: str, style: Style) -> float:
        """How wide a text is in one line, in mm."""
        return self._fonts.width(text, style.face, style.size, style.tracking) / mm

    def whole_face(self, text: str, wanted: Face) -> Face:
        """The wanted face if it has every letter; else sans, so that one word is not set in two."""
        complete = all(self._fonts.face_for(character, wanted) is wanted for character in text)
        return wanted if complete else Face.SANS

    def can_draw(self, text: str) -> bool:
        """Whether every character of this text can be drawn."""
        return self._fonts.can_draw(text, Face.SANS)

    def _wrapped(self, text: str, style: Style, width: float) -> list[str]:
        def too_wide(line: str) -> bool:
            return self._fonts.width(line.rstrip(), style.face, style.size, style.tracking) > width

        lines, line = [], ""
        for piece in _pieces(text):
            if line and too_wide(line + piece):
                lines.append(line.rstrip())
                line = ""
            line += piece
            while too_wide(line):  # a single word wider than the column breaks anywhere
                cut = next((n for n in range(len(line) - 1, 1, -1) if not too_wide(line[:n])), 1)
                lines.append(line[:cut])
                line = line[cut:]
        return [*lines, line.rstrip()] if line.strip() else lines

    # -- lines and areas ------------------------------------------------------------------------------

    def rule(self, x1: float, y1: float, x2: float, y2: float, colour: Colour, *, width: float = 0.4) -> None:
        """A straight line; ``width`` in points."""
        self._canvas.setStrokeColor(colour)
        self._canvas.setLineWidth(width)
        self._canvas.line(x1 * mm, self._y(y1), x2 * mm, self._y(y2))

    def area(
        self, x: float, y: float, width: float, height: float, fill: Colour, *, radius: float = 0.0
    ) -> None:
        """A filled rectangle."""
        self._canvas.setFillColor(fill)
        box = (x * mm, self._y(y + height), width * mm, height * mm)
        if radius:
            self._canvas.roundRect(*box, radius * mm, stroke=0, fill=1)
        else:
            self._canvas.rect(*box, stroke=0, fill=1)

    def frame(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: Colour,
        *,
        line: float = 0.4,
        radius: float = 0.0,
        dash: Sequence[float] = (),
    ) -> None:
        """An outlined rectangle; ``line`` in points."""
        self._canvas.setStrokeColor(colour)
        self._canvas.setLineWidth(line)
        self._canvas.setDash(list(dash))
        self._canvas.roundRect(
            x * mm, self._y(y + height), width * mm, height * mm, radius * mm, stroke=1, fill=0
        )
        self._canvas.setDash([])

    def drawing(self, path: PDFPathObject, x: float, y: float, colour: Colour, width: float) -> None:
        """Stroke a path that is drawn in points around its own origin, with that origin here."""
        self._canvas.saveState()
        self._canvas.translate(x * mm, self._y(y))
        self._canvas.setStrokeColor(colour)
        self._canvas.setLineWidth(width)
        self._canvas.drawPath(path, stroke=1, fill=0)
        self._canvas.restoreState()

    def matrix(self, x: float, y: float, rows: list[list[bool]], module: float) -> None:
        """A QR symbol with its upper left corner here, its dark modules one single path."""
        code: list[str] = []
        for top, row in enumerate(rows):
            start: int | None = None
            for column, dark in enumerate([*row, False]):
                if dark and start is None:
                    start = column
                elif not dark and start is not None:
                    code.append(f"{start} {-top - 1} {column - start} 1 re")
                    start = None
        self._canvas.saveState()
        self._canvas.translate(x * mm, self._y(y))
        self._canvas.scale(module * mm, module * mm)
        self._canvas.setFillGray(0)
        self._canvas.drawPath(PDFPathObject(["n", *code]), stroke=0, fill=1)
        self._canvas.restoreState()

    def _y(self, y: float) -> float:
        return (self.height - y) * mm


def _pieces(text: str) -> list[str]:
    """Where a line may break: after a space, and between any two syllables of East Asian script."""
    pieces: list[str] = []
    for character in text:
        joined = pieces and (
            character == " " or (character < _SYLLABLES and "!" <= pieces[-1][-1] < _SYLLABLES)
        )
        if joined:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces
