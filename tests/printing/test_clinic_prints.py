"""The whole clinic with a printer: what is counted is what may be in somebody's hands."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.application import ApplyForCertificate
from domain.booking import PrintTicket
from domain.certificate import GetCertificate, IssueCertificate, ListCertificates, PrintCertificate
from domain.statement import CertificateStatus
from kiosk.bootstrap import open_clinic
from kiosk.paper.address import parse_printer
from kiosk.paper.print_jobs import Slip
from kiosk.paper.printer_errors import PrinterOff
from kiosk.paper.proof import page_mm, read_page
from storage.open import Storage
from tests.clinics import STAFF, OpenClinic, TestClock, settings_in
from tests.printing.conftest import Desk
from tests.printing.machines import Printer


async def applied(clinic: OpenClinic) -> str:
    """The code of a certificate that waits to be issued."""
    receipt = await clinic.book(await clinic.vaccine(doses=1))
    injection = await clinic.vaccinate(receipt.booking)
    me = await clinic.recipient(receipt.booking)
    await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    await clinic.services.settle()
    [waiting] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    return waiting.certificate.code  # type: ignore[no-any-return]


async def copies(clinic: OpenClinic, certificate: str) -> int:
    """How many copies are counted."""
    return (await clinic.gateway.ask(GetCertificate(certificate), STAFF)).prints  # type: ignore[no-any-return]


async def test_a_print_that_failed_is_not_counted_and_the_next_one_is(desk: Desk, printer: Printer) -> None:
    settings = replace(settings_in(desk.folder), printer=printer.address.uri, ticket_paper="roll-80")
    clock = TestClock()
    services = await open_clinic(settings, clock)
    clinic = OpenClinic(services, settings, clock)
    try:
        certificate = await applied(clinic)
        printer.switch_off()
        with pytest.raises(PrinterOff):
            await clinic.gateway.send(IssueCertificate(certificate), STAFF, "wish")
        assert await copies(clinic, certificate) == 0
        await printer.switch_on()

        place = (await clinic.gateway.send(IssueCertificate(certificate), STAFF, "wish")).place
        assert place.printed
        assert str(place) == "localhost"
        assert await copies(clinic, certificate) == 1
        await clinic.gateway.send(PrintCertificate(certificate), STAFF)
        assert await copies(clinic, certificate) == 2
        first, second = printer.sheets()
        assert first == second
        assert await clinic.violations() == []
    finally:
        await services.close()


async def test_a_ticket_for_the_roll_is_printed_80_mm_wide(desk: Desk, printer: Printer) -> None:
    settings = replace(settings_in(desk.folder), printer=printer.address.uri, ticket_paper="roll-80")
    clock = TestClock()
    services = await open_clinic(settings, clock)
    clinic = OpenClinic(services, settings, clock)
    try:
        receipt = await clinic.book(await clinic.vaccine(doses=1))
        me = await clinic.recipient(receipt.booking)
        assert (await clinic.gateway.send(PrintTicket(receipt.booking), me)).printed
        [ticket] = printer.sheets()
        assert page_mm(ticket)[0] == pytest.approx(80.0, abs=0.1)
        assert read_page(ticket, 150) == [receipt.booking]
    finally:
        await services.close()


async def test_what_was_left_behind_is_being_withdrawn_before_any_part_may_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = replace(settings_in(tmp_path), printer="ipp://127.0.0.1:1/ipp/print")
    left = Slip.write(settings.data_folder / "print-jobs", parse_printer(settings.printer), 7, "kiosk-left")
    os.close(left.descriptor)  # as a kiosk that was killed
    known_by_then = []

    def start(storage: Storage, *parts: Any, **how: Any) -> None:
        known_by_then.append("job 7" in caplog.text)
        begin(storage, *parts, **how)

    begin = Storage.start
    monkeypatch.setattr(Storage, "start", start)
    monkeypatch.setattr("kiosk.paper.print_jobs.CLOSE_SECONDS", 0.0)
    await (await open_clinic(settings, TestClock())).close()
    assert known_by_then == [True]
    assert left.path.exists()  # nobody answered: the next start goes on
