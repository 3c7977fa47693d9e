"""The booking's ticket, on a sheet and on a roll."""

from __future__ import annotations

import re
from dataclasses import replace

import pypdfium2
import pytest

from domain.booking import TicketFacts
from kiosk.paper.fonts import load_fonts
from kiosk.paper.proof import read_page
from kiosk.paper.ticket import TicketPaper, ticket_page
from tests.certificate_facts import TICKET

MM = 72 / 25.4
LONG = replace(
    TICKET,
    name="가*" * 40,
    vaccine_ko="아주긴백신이름" * 8,
    vaccine_en="Extraordinarily Long " * 4,
    clinic_ko="가나다라마바사아" * 10,
    clinic_en="Clinic name " * 6,
)
BOTH_PAPERS = pytest.mark.parametrize("paper", list(TicketPaper))


def ticket(about: TicketFacts, paper: TicketPaper) -> bytes:
    """The ticket as PDF."""
    return ticket_page(about, load_fonts(), paper)


def text_of(pdf: bytes) -> str:
    """All text of the page, without its white."""
    return re.sub(r"\s+", "", pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded())


@BOTH_PAPERS
def test_a_ticket_says_who_what_when_and_where_in_both_languages(paper: TicketPaper) -> None:
    text = text_of(ticket(TICKET, paper))
    for expected in [
        "BK7-M3Q-9XA", "김*늘", "코미나티Comirnaty", "11월24일(화)오전10시15분", "Tue24November2026,10:15",
        "우리동네예방접종센터", "NeighbourhoodVaccinationClinic", "02-123-4567", "BringphotoID.", "신분증",
    ]:  # fmt: skip
        assert expected in text, expected
    assert "대기" not in text


@BOTH_PAPERS
def test_a_waiting_ticket_says_plainly_that_no_dose_is_reserved(paper: TicketPaper) -> None:
    text = text_of(ticket(replace(TICKET, waiting=True), paper))
    assert "대기표Waitlist아직백신이배정되지않았습니다.Nodoseisreservedforyouyet." in text
    assert "Requestedtime" in text
    assert "Yourtime" not in text


@BOTH_PAPERS
@pytest.mark.parametrize("about", [TICKET, replace(TICKET, waiting=True), LONG, replace(LONG, waiting=True)])
def test_its_code_can_be_scanned_and_nothing_is_cut_off(about: TicketFacts, paper: TicketPaper) -> None:
    pdf = ticket(about, paper)
    assert read_page(pdf, 150) == ["BK7M3Q9XA"]
    page = pypdfium2.PdfDocument(pdf)[0]
    width, height = page.get_size()
    words = page.get_textpage()
    for index in range(words.count_chars()):
        if words.get_text_range(index, 1).strip():
            left, bottom, right, top = words.get_charbox(index)
            assert left >= 4 * MM
            assert right <= width - 4 * MM
            assert bottom >= 3 * MM
            assert top <= height - 4 * MM
    assert re.sub(r"\s+", "", about.name) in text_of(pdf)
    assert re.sub(r"\s+", "", about.clinic_ko + about.clinic_en) in text_of(pdf)


def test_a_sheet_is_a6_however_much_stands_on_it() -> None:
    for about in (TICKET, replace(LONG, waiting=True)):
        size = pypdfium2.PdfDocument(ticket(about, TicketPaper.A6))[0].get_size()
        assert size == pytest.approx((105 * MM, 148 * MM), abs=0.1)


def test_a_roll_is_as_long_as_what_stands_on_it() -> None:
    heights = []
    for about in (TICKET, replace(TICKET, waiting=True), LONG):
        width, height = pypdfium2.PdfDocument(ticket(about, TicketPaper.ROLL_80))[0].get_size()
        assert width == pytest.approx(80 * MM, abs=0.1)
        heights.append(height)
    assert heights == sorted(heights)
    assert heights[0] < 160 * MM < heights[2]


@BOTH_PAPERS
def test_the_same_ticket_is_the_same_bytes(paper: TicketPaper) -> None:
    assert ticket(TICKET, paper) == ticket(TICKET, paper)


@pytest.mark.parametrize(
    ("hour", "minute", "shown"),
    [(9, 0, "오전9시"), (12, 0, "오후12시"), (16, 45, "오후4시45분"), (0, 5, "오전12시5분")],
)
def test_times_are_said_as_people_say_them(hour: int, minute: int, shown: str) -> None:
    about = replace(TICKET, slot=TICKET.slot.replace(hour=hour, minute=minute))
    text = text_of(ticket(about, TicketPaper.A6))
    assert shown in text
    assert f"{hour:02d}:{minute:02d}" in text


def test_a_clinic_without_a_phone_prints_none() -> None:
    assert "☎" not in text_of(ticket(replace(TICKET, clinic_phone=""), TicketPaper.A6))
