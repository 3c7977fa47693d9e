"""The certificate: one A4 page in Korean and English, with the credential in its QR."""

from __future__ import annotations

from datetime import date

from reportlab.lib.colors import HexColor

from domain.codes import spoken
from domain.errors import PaperFailed
from domain.statement import CertificateFacts, Credential, DoseFacts
from kiosk.credential.qr import MODULE_MM, QUIET_MODULES, Matrix, credential_matrix, size_mm
from kiosk.paper import words
from kiosk.paper.fonts import Face, Fonts
from kiosk.paper.form import (
    COLUMN,
    COLUMNS,
    COMPLETE,
    INCOMPLETE,
    LEFT,
    RIGHT,
    Look,
    field,
    filled,
    history,
    history_fits,
    label,
    product,
)
from kiosk.paper.ornament import band, rosette
from kiosk.paper.sheet import SMALLEST, Sheet, Style
from kiosk.paper.words import Both, long_date

WIDTH, HEIGHT = 210.0, 297.0
_WHITE = HexColor("#FFFFFF")
BLOCK_TOP = 209.0
"""Where QR and issuer begin; what stands above ends before it."""
_FOOT = 283.0
"""Where the frame ends, below the small print."""
_CODE_END, _LARGEST_CODE = 253.5, 58.0
"""Where a symbol ends at the latest, above its caption, and how wide the room for it is."""
CODES_BELOW = _CODE_END - _LARGEST_CODE - QUIET_MODULES * MODULE_MM
"""Above this there is never a symbol."""


def code_top(side: float) -> float:
    """Where a symbol of this size begins; a larger one reaches higher up."""
    if side > _LARGEST_CODE:
        raise PaperFailed(reason="the QR code has no room on the page")
    return min(BLOCK_TOP, _CODE_END - side)


def certificate_page(facts: CertificateFacts, credential: Credential, fonts: Fonts) -> bytes:
    """The finished PDF; the same facts and credential give the same bytes."""
    title = words.CERTIFICATE if facts.is_complete else words.CONFIRMATION
    sheet = Sheet(WIDTH, HEIGHT, fonts, title=f"{title.ko} {title.en}", author=facts.clinic_en)
    look = COMPLETE if facts.is_complete else INCOMPLETE
    pace = _pace(facts)
    matrix = credential_matrix(credential.text)
    top = code_top(size_mm(matrix))
    _ground(sheet, look)
    _head(sheet, look, title, facts)
    y = _holder(sheet, look, facts, 72.0 + 10.0 * pace)
    y = _statement(sheet, look, facts, y + 5.0 * pace)
    y = _dose(sheet, look, facts.dose, y, pace)
    if facts.next_due_on is not None and not facts.is_complete:
        y = _next_dose(sheet, look, facts.next_due_on, y + 2.0)
    room = top - 6.0 - y
    fits = history_fits(len(facts.doses), room)
    if len(facts.doses) > 1 and fits:
        history(sheet, look, facts.doses, y, room)
    _issuer(sheet, look, facts)
    _code(sheet, look, matrix, top, facts.uvci)
    _foot(sheet, look, facts, fits)
    if not fits:
        _second_page(sheet, look, title, facts)
    if credential.second:
        _card_page(sheet, look, title, facts, credential.second)
    return sheet.finish()


def _pace(facts: CertificateFacts) -> float:
    """How generous the white is: the fewer lines the page has, the more."""
    if len(facts.name) > 40:
        return 0.6
    if len(facts.doses) == 1:
        return 1.3 if facts.is_complete else 1.15
    return 1.0 if len(facts.doses) <= 3 else 0.7


def _second_page(sheet: Sheet, look: Look, title: Both, facts: CertificateFacts) -> None:
    sheet.next_page()
    _ground(sheet, look)
    _head(sheet, look, title, facts)
    y = _holder(sheet, look, facts, 82.0)
    history(sheet, look, facts.doses, y + 10.0, _FOOT - y - 20.0)


def _card_page(sheet: Sheet, look: Look, title: Both, facts: CertificateFacts, card: Credential) -> None:
    """The same facts in the other form: on a page of its own, so that no scanner sees two codes at once."""
    matrix = credential_matrix(card.text)
    side, quiet = size_mm(matrix), QUIET_MODULES * MODULE_MM
    sheet.next_page()
    _ground(sheet, look)
    _head(sheet, look, title, facts)
    y = _holder(sheet, look, facts, 82.0) + 16.0
    left = (WIDTH - side) / 2
    sheet.text(WIDTH / 2, y, words.CARD.ko, look.display(17.0), "centre")
    sheet.area(left - quiet, y + 8.0 - quiet, side + 2 * quiet, side + 2 * quiet, _WHITE)
    sheet.matrix(left, y + 8.0, matrix, MODULE_MM)
    y += 8.0 + side + 10.0
    sheet.fit(WIDTH / 2, y, words.CARD_HOW.ko, look.value(10.0), RIGHT - LEFT, align="centre")
    sheet.fit(WIDTH / 2, y + 5.0, words.CARD_HOW.en, look.sublabel(8.4), RIGHT - LEFT, align="centre")
    sheet.text(WIDTH / 2, y + 12.0, words.PHOTO_ID.ko, look.label(7.4), "centre")
    sheet.text(WIDTH / 2, y + 16.0, words.PHOTO_ID.en, look.sublabel(7.0), "centre")


def _ground(sheet: Sheet, look: Look) -> None:
    sheet.drawing(rosette(58.0, 24, 9), WIDTH / 2, 128.0, look.tint, 0.5)
    for y in (15.5, HEIGHT - 9.0):
        sheet.drawing(band(186.0, 5.0, 32, 4), 12.0, y, look.fine, 0.3)
    sheet.frame(12.0, 20.0, 186.0, HEIGHT - 34.0, look.line, line=0.5)


def _head(sheet: Sheet, look: Look, title: Both, facts: CertificateFacts) -> None:
    label(sheet, look, (LEFT, 30.0), words.NUMBER)
    sheet.text(LEFT, 35.5, spoken(facts.number), Style(Face.SANS, 12.0, look.ink, 0.8))
    country = words.COUNTRIES.get(facts.country, Both(facts.country, ""))
    sheet.text(RIGHT, 30.0, " ".join(country).strip(), look.sublabel(7.2), "right")
    sheet.text(WIDTH / 2, 55.0, title.ko, look.display(34.0, 5.0), "centre")
    sheet.text(WIDTH / 2, 64.0, title.en, Style(Face.SERIF, 15.0, look.accent, 0.7), "centre")
    sheet.rule(WIDTH / 2 - 14, 70.0, WIDTH / 2 + 14, 70.0, look.accent, width=0.8)


def _holder(sheet: Sheet, look: Look, facts: CertificateFacts, y: float) -> float:
    passport = ", ".join(part for part in (facts.surname, facts.given) if part)
    drawable = sheet.can_draw(facts.name)
    name = facts.name if drawable else passport
    wide = COLUMNS[2] - LEFT - 8.0
    style = Style(sheet.whole_face(name, Face.SERIF), 25.0, look.ink, 1.5)
    # Two large lines read better than one small one; only the very longest go down further.
    smallest = SMALLEST if len(name) <= 40 else 0.46
    below = filled(sheet, look, (LEFT, y), words.NAME, name, style=style, width=wide, smallest=smallest)
    if drawable:
        below = sheet.fit(LEFT, below + 7.6, passport, Style(Face.SANS, 11.5, look.ink, 0.5), wide)
    field(sheet, look, (COLUMNS[2], y), words.BIRTH, long_date(facts.birth_date))
    sex = Both(" ".join(words.SEXES[facts.sex]), "")
    other = field(sheet, look, (COLUMNS[2], y + 15.5), words.SEX, sex)
    return max(below, other)


def _statement(sheet: Sheet, look: Look, facts: CertificateFacts, y: float) -> float:
    says = words.CERTIFIES if facts.is_complete else words.CONFIRMS
    sheet.rule(LEFT, y, RIGHT, y, look.line)
    sheet.fit(WIDTH / 2, y + 8.0, says.ko, look.display(12.0, 0.2), RIGHT - LEFT, align="centre")
    sheet.fit(WIDTH / 2, y + 13.5, says.en, look.sublabel(8.4), RIGHT - LEFT, align="centre")
    sheet.rule(LEFT, y + 18.5, RIGHT, y + 18.5, look.line)
    return y + 18.5


def _dose(sheet: Sheet, look: Look, dose: DoseFacts, y: float, pace: float) -> float:
    y += 3.0 + 4.0 * pace
    name, count = look.display(17.0), look.display(20.0)
    wide = COLUMNS[2] - LEFT - 8.0
    below = filled(sheet, look, (LEFT, y), words.VACCINE, product(dose), style=name, width=wide)
    of = f"{dose.dose_number} / {dose.dose_total}"
    filled(sheet, look, (COLUMNS[2], y), words.DOSE, of, style=count, width=COLUMN)
    beside = COLUMNS[2] + sheet.width_of(of, count) + 3.0
    counted = words.nth_dose(dose.dose_number)
    sheet.text(beside, y + 5.4, counted.ko, look.sublabel(8.0))
    sheet.text(beside, y + 8.8, counted.en, look.sublabel(7.0))
    y = max(below, y + 8.8) + 3.0 + 4.5 * pace
    site, route = words.SITES[dose.site], words.ROUTES[dose.route]
    first = [(words.GIVEN_ON, long_date(dose.given_on)), (words.LOT, Both(dose.lot, ""))]
    if disease := words.DISEASES.get(dose.disease):  # of any other the vaccine's own name tells
        first.append((words.DISEASE, Both(" ".join(disease), "")))
    second = [
        (words.MANUFACTURER, Both(dose.manufacturer, "")),
        (words.SITE, Both(f"{site.ko} · {route.ko}", f"{site.en}, {route.en}")),
        (words.GIVEN_BY, Both(dose.vaccinator, "")),
    ]
    for row in (first, second):
        ends = [field(sheet, look, (x, y), *one) for x, one in zip(COLUMNS, row, strict=False)]
        y = max(*ends, y + 9.5) + 1.5 + 4.5 * pace
    return y


def _next_dose(sheet: Sheet, look: Look, next_due_on: date, y: float) -> float:
    day = long_date(next_due_on)
    sheet.area(LEFT, y - 4.0, RIGHT - LEFT, 13.0, look.tint, radius=1.5)
    label(sheet, look, (LEFT + 5.0, y + 3.6), words.NEXT, 9.0)
    sheet.text(RIGHT - 5.0, y + 3.9, f"{day.ko}   {day.en}", look.display(13.0), "right")
    return y + 15.0


def _issuer(sheet: Sheet, look: Look, facts: CertificateFacts) -> None:
    x, date_at = 84.0, 154.0
    y, name = BLOCK_TOP + 2.5, look.display(15.0, 0.2)
    wide = date_at - x - 4.0
    below = filled(sheet, look, (x, y), words.ISSUED_BY, facts.clinic_ko, style=name, width=wide)
    sheet.fit(x, below + 5.0, facts.clinic_en, look.value(9.0), wide)
    field(sheet, look, (date_at, y), words.ISSUED_ON, long_date(facts.issued_on))
    line = y + 49.0
    people = ((x, words.GIVEN_BY, facts.dose.vaccinator), (123.0, words.OFFICER, facts.issued_by))
    for left, role, person in people:
        block = sheet.set(person, look.value(10.0), 26.0)
        top = line - 2.6 - sheet.depth(block)  # a long name grows upwards, off the line
        label(sheet, look, (left, top - 6.0), role)
        sheet.put(left, top, block)
        sheet.rule(left, line, left + 36.0, line, look.soft)
        sheet.text(left + 36.0, line + 2.6, " ".join(words.SIGNATURE), look.sublabel(6.0), "right")
    sheet.frame(164.0, line - 24.0, 24.0, 24.0, look.line, line=0.6, radius=1.0, dash=(1.5, 1.5))
    sheet.text(176.0, line - 12.6, words.STAMP.ko, look.sublabel(7.5), "centre")
    sheet.text(176.0, line - 9.2, words.STAMP.en, look.sublabel(6.4), "centre")


def _code(sheet: Sheet, look: Look, matrix: Matrix, top: float, identifier: str) -> None:
    quiet, side = QUIET_MODULES * MODULE_MM, size_mm(matrix)
    sheet.area(LEFT - quiet, top - quiet, side + 2 * quiet, side + 2 * quiet, _WHITE)
    sheet.matrix(LEFT, top, matrix, MODULE_MM)
    y = top + side + 6.0
    sheet.text(LEFT, y, words.CHECK_HOW.ko, look.label(6.6))
    sheet.text(LEFT, y + 3.2, words.CHECK_HOW.en, look.sublabel(6.2))
    sheet.text(LEFT, y + 6.6, identifier, look.sublabel(5.6))


def _foot(sheet: Sheet, look: Look, facts: CertificateFacts, whole: bool) -> None:
    notes = [words.PHOTO_ID] if whole else [words.PHOTO_ID, words.ON_PAGE_2]
    if facts.supersedes:
        notes.append(words.replaces(spoken(facts.supersedes)))
    if not sheet.can_draw(facts.name):
        notes.append(words.LATIN_NAME)
    y = _FOOT - 5.0 - 4.0 * len(notes)
    sheet.rule(LEFT, y - 1.0, RIGHT, y - 1.0, look.line)
    for number, note in enumerate(notes, start=1):
        sheet.text(LEFT, y + 4.0 * number, note.ko, look.label(7.4))
        sheet.text(RIGHT, y + 4.0 * number, note.en, look.sublabel(7.0), "right")
