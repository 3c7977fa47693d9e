"""The press: several people press print at once, and whatever comes out has been read again."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import subprocess
import sys

import pytest

from domain.errors import PaperFailed
from domain.ports import Press, Signer
from domain.statement import Credential
from kiosk.credential.signer import ClinicSigner
from kiosk.paper import press as press_module
from kiosk.paper.fonts import forget_fonts, load_fonts
from kiosk.paper.press import ReportlabPress
from kiosk.paper.proof import read_page
from kiosk.paper.ticket import TicketPaper
from tests.certificate_facts import TICKET, facts, flu, keys, signed


async def test_a_certificate_comes_out_with_its_credential_readable() -> None:
    press: Press = ReportlabPress()
    for about in (facts(), facts(doses=(flu(),))):
        pdf = await press.certificate(about, signed(about))
        assert read_page(pdf, 150) == [signed(about).text]


async def test_a_ticket_comes_out_on_the_clinics_paper() -> None:
    sheet = await ReportlabPress().ticket(TICKET)
    strip = await ReportlabPress(TicketPaper.ROLL_80).ticket(TICKET)
    assert read_page(sheet, 150) == read_page(strip, 150) == ["BK7M3Q9XA"]
    assert sheet != strip


async def test_many_at_once_come_out_as_one_by_one() -> None:
    press = ReportlabPress()
    people = [facts(name=f"김하{syllable}") for syllable in "늘람솔온율린"]
    together = await asyncio.gather(*(press.certificate(about, signed(about)) for about in people))
    one_by_one = [await press.certificate(about, signed(about)) for about in people]
    assert together == one_by_one
    assert len(set(together)) == len(people)


async def test_presses_of_one_process_take_turns() -> None:
    forget_fonts()
    presses = [ReportlabPress() for _ in range(3)]
    sheets = await asyncio.gather(*(press.ticket(TICKET) for press in presses for _ in range(4)))
    assert len(set(sheets)) == 1
    assert read_page(sheets[0], 150) == ["BK7M3Q9XA"]


async def test_after_a_page_that_failed_the_fonts_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_fails(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    before = load_fonts()
    with monkeypatch.context() as patch:
        patch.setattr(press_module, "ticket_page", disk_fails)
        with pytest.raises(PaperFailed):
            await ReportlabPress().ticket(TICKET)
    assert load_fonts() is not before
    assert read_page(await ReportlabPress().ticket(TICKET), 150) == ["BK7M3Q9XA"]


def test_a_new_press_in_another_process_makes_the_same_bytes() -> None:
    program = (
        "import hashlib, sys;"
        "from kiosk.paper.ticket import ticket_page; from kiosk.paper.fonts import load_fonts;"
        "from tests.certificate_facts import TICKET;"
        "sys.stdout.write(hashlib.sha256(ticket_page(TICKET, load_fonts())).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout == hashlib.sha256(ReportlabPress().print_ticket(TICKET)).hexdigest()


async def test_a_credential_too_long_for_any_code_is_refused_in_words() -> None:
    with pytest.raises(PaperFailed, match="too long for a QR code"):
        await ReportlabPress().certificate(facts(), Credential("hcert", "HC1:" + "A" * 5000, ""))


async def test_a_code_with_no_room_on_the_page_is_refused_in_words() -> None:
    with pytest.raises(PaperFailed, match="no room on the page"):
        await ReportlabPress().certificate(facts(), Credential("hcert", "HC1:" + "A1:$" * 1000, ""))


def test_the_clinics_signer_is_what_the_domain_asks_for() -> None:
    signer: Signer = ClinicSigner(keys())
    assert signer.sign(facts()) == signed(facts())
