"""The booking's ticket: an A6 sheet, or a strip of 80 mm roll as long as what is on it.

The code stands large and in threes, because people read it aloud. A ticket of the wait list says so
before anything else: whoever holds it has no dose yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from reportlab.lib.colors import HexColor

from domain.booking import TicketFacts
from domain.codes import spoken
from kiosk.credential.qr import QUIET_MODULES, code_matrix
from kiosk.paper import words
from kiosk.paper.fonts import Face, Fonts
from kiosk.paper.form import COMPLETE, INCOMPLETE, Look, label
from kiosk.paper.sheet import Sheet, Style
from kiosk.paper.words import Both, day_and_time

_BLACK, _GREY, _WHITE = HexColor("#000000"), HexColor("#333333"), HexColor("#FFFFFF")
# Thermal paper knows black only: grey comes out as dots, and thin dots vanish.
_THERMAL = Look(_BLACK, _BLACK, _GREY, _BLACK, _BLACK, _BLACK)


_BRING_DEPTH = 30.0
"""How much of a sheet's foot the notes take."""


class TicketPaper(StrEnum):
    """What the ticket is printed on."""

    A6 = "a6"
    ROLL_80 = "roll-80"


@dataclass(frozen=True)
class _Format:
    width: float
    height: float | None
    margin: float
    look: Look
    code_size: float
    module: float


def ticket_page(ticket: TicketFacts, fonts: Fonts, paper: TicketPaper = TicketPaper.A6) -> bytes:
    """The finished PDF; the same facts give the same bytes."""
    form = _format(ticket, paper)
    if form.height is None:
        # Drawn once on a long strip to learn how long it is.
        _, end = _draw(ticket, fonts, form, 400.0)
        return _draw(ticket, fonts, form, end + form.margin)[0]
    pdf, end = _draw(ticket, fonts, form, form.height)
    if end <= form.height - form.margin / 2:
        return pdf
    # Very long names: the same on a larger sheet, printed smaller.
    scale = form.height / (end + form.margin)
    larger = replace(form, width=form.width / scale, height=form.height / scale)
    return _draw(ticket, fonts, larger, form.height / scale, scale)[0]


def _format(ticket: TicketFacts, paper: TicketPaper) -> _Format:
    if paper is TicketPaper.ROLL_80:
        return _Format(80.0, None, 6.0, _THERMAL, 29.0, 1.0)
    return _Format(105.0, 148.0, 10.0, INCOMPLETE if ticket.waiting else COMPLETE, 27.0, 1.0)


def _draw(
    ticket: TicketFacts, fonts: Fonts, form: _Format, height: float, scale: float = 1.0
) -> tuple[bytes, float]:
    title = words.TICKET_WAITING if ticket.waiting else words.TICKET
    name = f"{title.ko} {title.en}"
    sheet = Sheet(form.width, height, fonts, title=name, author=ticket.clinic_en, scale=scale)
    y = _head(sheet, form, title, ticket)
    if ticket.waiting:
        y = _waiting(sheet, form, y)
    y = _code(sheet, form, ticket, y)
    y = _booking(sheet, form, ticket, y)
    if form.height is not None:
        y = max(y, form.height - form.margin - _BRING_DEPTH)
    y = _bring(sheet, form, ticket, y)
    return sheet.finish(), y


def _head(sheet: Sheet, form: _Format, title: Both, ticket: TicketFacts) -> float:
    look, left, wide = form.look, form.margin, form.width - 2 * form.margin
    y = sheet.fit(left, form.margin + 3.5, ticket.clinic_ko, look.display(12.5), wide)
    y = sheet.fit(left, y + 4.2, ticket.clinic_en, look.sublabel(7.4), wide)
    sheet.rule(left, y + 3.0, form.width - form.margin, y + 3.0, look.accent, width=0.9)
    if ticket.waiting:
        return y + 3.0
    sheet.text(left, y + 10.5, title.ko, look.display(17.0, 1.0))
    sheet.text(form.width - form.margin, y + 10.5, title.en, look.sublabel(10.0), "right")
    return y + 11.5


def _waiting(sheet: Sheet, form: _Format, y: float) -> float:
    look, left, wide = form.look, form.margin, form.width - 2 * form.margin
    sheet.area(left, y + 3.0, wide, 22.5, look.accent, radius=1.2)
    on_dark = Style(Face.SERIF, 16.0, _WHITE, 1.0)
    small = Style(Face.SANS, 9.4, _WHITE)
    sheet.text(left + 4.0, y + 11.0, words.TICKET_WAITING.ko, on_dark)
    sheet.text(left + wide - 4.0, y + 11.0, words.TICKET_WAITING.en, on_dark.at(12.0), "right")
    sheet.fit(left + 4.0, y + 17.2, words.NO_DOSE_YET.ko, small, wide - 8.0)
    sheet.fit(left + 4.0, y + 21.8, words.NO_DOSE_YET.en, small.at(8.6), wide - 8.0)
    return y + 25.5


def _code(sheet: Sheet, form: _Format, ticket: TicketFacts, y: float) -> float:
    """The code with its QR: beside each other on a sheet, below each other on a narrow roll."""
    look, left = form.look, form.margin
    rows = code_matrix(ticket.code)
    side = len(rows) * form.module
    style = Style(Face.SANS, form.code_size, look.ink, 0.6)
    label(sheet, look, (left, y + 6.5), words.CODE)
    if form.height is None:
        sheet.fit(left, y + 17.5, spoken(ticket.code), style, form.width - 2 * form.margin)
        top = y + 20.0 + QUIET_MODULES * form.module / 2
        sheet.matrix((form.width - side) / 2, top, rows, form.module)
        return top + side + 3.0
    room = form.width - 2 * form.margin - side - QUIET_MODULES * form.module
    sheet.fit(left, y + 19.0, spoken(ticket.code), style, room)
    sheet.matrix(form.width - form.margin - side, y + 4.0, rows, form.module)
    return y + 4.0 + side


def _booking(sheet: Sheet, form: _Format, ticket: TicketFacts, y: float) -> float:
    look, left, wide = form.look, form.margin, form.width - 2 * form.margin
    right = form.width - form.margin
    day, time = day_and_time(ticket.slot)
    sheet.rule(left, y + 4.0, right, y + 4.0, look.line)
    label(sheet, look, (left, y + 9.5), words.REQUESTED if ticket.waiting else words.WHEN)
    y = sheet.fit(left, y + 17.0, f"{day.ko} {time.ko}", look.display(19.0), wide)
    y = sheet.fit(left, y + 5.2, f"{day.en}, {time.en}", look.value(9.6), wide)
    vaccine = " ".join(dict.fromkeys(part for part in (ticket.vaccine_ko, ticket.vaccine_en) if part))
    for what, value in ((words.VACCINE, vaccine), (words.NAME, ticket.name)):
        sheet.rule(left, y + 3.6, right, y + 3.6, look.line, width=0.3)
        label(sheet, look, (left, y + 9.0), what)
        block = sheet.set(value, look.value(11.5), wide - 26.0)
        y = sheet.put(left + 26.0, y + 9.0, block)
    return y


def _bring(sheet: Sheet, form: _Format, ticket: TicketFacts, y: float) -> float:
    look, left, wide = form.look, form.margin, form.width - 2 * form.margin
    sheet.rule(left, y + 4.0, form.width - form.margin, y + 4.0, look.accent, width=0.9)
    y += 4.5
    first = words.CHECK_FIRST if ticket.waiting else words.UNWELL
    for note in (words.BRING, first):
        y = sheet.fit(left, y + 5.2, note.ko, look.value(8.8), wide)
        y = sheet.fit(left, y + 3.7, note.en, look.sublabel(7.4), wide)
    if ticket.clinic_phone:
        y = sheet.fit(left, y + 5.8, f"☎ {ticket.clinic_phone}", look.value(9.4), wide)
    return y
