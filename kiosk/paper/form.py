"""The look of a certificate, and its recurring parts: a label, a filled-in field, the table of doses."""

from __future__ import annotations

from dataclasses import dataclass

from reportlab.lib.colors import Color, HexColor

from domain.statement import DoseFacts
from kiosk.paper import words
from kiosk.paper.fonts import Face
from kiosk.paper.sheet import SMALLEST, Sheet, Style
from kiosk.paper.words import Both

LEFT, RIGHT = 22.0, 188.0
COLUMNS = (LEFT, 80.0, 138.0)
COLUMN = 50.0
At = tuple[float, float]

_TABLE = ((LEFT, 24.0), (48.0, 26.0), (80.0, 54.0), (138.0, 22.0), (162.0, 26.0))
"""Where the columns of the doses begin, and how wide they are."""
_STEP, _LEAST_STEP = 6.4, 3.6
"""How far the rows of doses lie apart, at best and at least."""


@dataclass(frozen=True)
class Look:
    """The colours of one kind of document, so that a confirmation is told from afar."""

    ink: Color
    accent: Color
    soft: Color
    line: Color
    fine: Color
    tint: Color

    def label(self, size: float = 7.2) -> Style:
        """The Korean half of a label."""
        return Style(Face.SANS, size, self.accent)

    def sublabel(self, size: float = 6.6) -> Style:
        """The English half of a label, and small print."""
        return Style(Face.SANS, size, self.soft)

    def value(self, size: float = 11.0) -> Style:
        """What was filled in."""
        return Style(Face.SANS, size, self.ink)

    def display(self, size: float, tracking: float = 0.0) -> Style:
        """Names and titles."""
        return Style(Face.SERIF, size, self.ink, tracking)


def _look(*colours: str) -> Look:
    return Look(*(HexColor(f"#{colour}") for colour in colours))


COMPLETE = _look("14231F", "1C6152", "66736F", "C4D5CE", "A9CABD", "EDF4F1")
INCOMPLETE = _look("171F2E", "2E4F86", "687080", "C6D0E0", "AFC1DE", "EEF2F8")


def product(dose: DoseFacts) -> str:
    """The product as people know it, once if both languages call it the same."""
    return " ".join(dict.fromkeys(part for part in (dose.name_ko, dose.name_en) if part))


def label(sheet: Sheet, look: Look, at: At, what: Both, size: float = 7.2) -> None:
    """A field's name in both languages, side by side."""
    x, y = at
    wide = sheet.text(x, y, what.ko, look.label(size))
    sheet.text(x + wide + 1.4, y, what.en, look.sublabel(size * 0.92))


def filled(
    sheet: Sheet,
    look: Look,
    at: At,
    what: Both,
    value: str,
    *,
    style: Style,
    width: float,
    smallest: float = SMALLEST,
) -> float:
    """A label with its value below, as far below as its letters are tall; gives the last baseline."""
    x, y = at
    label(sheet, look, at, what)
    block = sheet.set(value, style, width, smallest)
    return sheet.put(x, y + 2.2 + 0.33 * block.style.size, block)


def field(sheet: Sheet, look: Look, at: At, what: Both, value: Both) -> float:
    """A label, its value, and the same in English under that; gives the last baseline."""
    below = filled(sheet, look, at, what, value.ko, style=look.value(), width=COLUMN)
    return sheet.fit(at[0], below + 4.4, value.en, look.sublabel(7.8), COLUMN) if value.en else below


def history_fits(doses: int, room: float) -> bool:
    """Whether the table of doses can be read when it is set into this height."""
    return doses <= 1 or room / (doses + 1) >= _LEAST_STEP


def history(sheet: Sheet, look: Look, doses: tuple[DoseFacts, ...], y: float, room: float) -> None:
    """Every dose of the series in one row each; the rows close up when there are many."""
    step = min(_STEP, room / (len(doses) + 1))
    value = look.value(min(9.0, step * 1.9))
    heads = (words.HISTORY, words.GIVEN_ON, words.VACCINE, words.LOT, words.GIVEN_BY)
    for (x, _), head in zip(_TABLE, heads, strict=True):
        label(sheet, look, (x, y + step * 0.3), head, 6.6)
    for number, dose in enumerate(doses, start=1):
        base = y + step * (number + 0.2)
        sheet.rule(LEFT, base - step * 0.66, RIGHT, base - step * 0.66, look.line, width=0.3)
        texts = (
            f"{dose.dose_number} / {dose.dose_total}",
            dose.given_on.isoformat(),
            product(dose),
            dose.lot,
            dose.vaccinator,
        )
        for (x, width), text in zip(_TABLE, texts, strict=True):
            sheet.put(x, base, sheet.set(text, value, width, smallest=0.0))
