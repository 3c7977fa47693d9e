"""A printer that is asked directly: no print service between, so nothing waits in any queue."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from domain.ports import Place
from kiosk.paper.address import parse_printer
from kiosk.paper.ipp_client import CALL_SECONDS, IppClient, JobState
from kiosk.paper.print_jobs import Slip
from kiosk.paper.printer_errors import (
    CoverOpen,
    InkOut,
    PaperJam,
    PaperOut,
    PrintCancelled,
    PrinterOff,
    PrinterRefused,
    PrintTooLate,
    PrintUncertain,
    PrintUnconfirmed,
)
from tests.printing.conftest import Desk
from tests.printing.machines import Printer, free_port, until


async def is_printing(client: IppClient) -> bool:
    return (await client.job(1)).state is JobState.PROCESSING


async def test_what_the_printer_gets_is_the_certificate_byte_for_byte(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    place = await desk.archive(printer.address).keep("certificate-CK7M3Q9XA.pdf", certificate)
    assert place == Place("localhost", printed=True)
    assert printer.sheets() == [certificate]
    assert desk.slips == []


async def test_no_code_of_a_person_is_in_the_name_of_a_job(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    await desk.archive(printer.address).keep("ticket-BK7M3Q9XA.pdf", certificate)
    assert (await IppClient(printer.address).job(1)).name.startswith("kiosk-")
    assert "BK7M3Q9XA" not in (printer.folder / "log").read_text()


async def test_several_at_once_come_out_one_after_the_other(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    archive = desk.archive(printer.address)
    pages = [certificate + f"%{number}\n".encode() for number in range(3)]
    await asyncio.gather(*(archive.keep("page.pdf", page) for page in pages))
    assert sorted(printer.sheets()) == sorted(pages)


async def test_a_printer_that_is_off_is_told_at_once(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    printer.switch_off()
    async with asyncio.timeout(CALL_SECONDS):
        with pytest.raises(PrinterOff):
            await desk.archive(printer.address).keep("certificate.pdf", certificate)
    await printer.switch_on()
    assert await printer.jobs() == {}
    assert desk.slips == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("media-empty-error", PaperOut),
        ("media-jam-error", PaperJam),
        ("cover-open-error", CoverOpen),
        ("marker-supply-empty-error", InkOut),
        ("spool-area-full-report", PrintTooLate),
    ],
)
async def test_trouble_is_told_and_nothing_comes_out_when_it_is_put_right(
    desk: Desk, printer: Printer, certificate: bytes, reason: str, told: type[Exception]
) -> None:
    printer.trouble(reason)
    archive = desk.archive(printer.address, seconds=1.0)
    with pytest.raises(told):
        await archive.keep("certificate.pdf", certificate)
    assert await printer.jobs() == {1: "CANCELED"}
    printer.put_right()
    assert (await archive.keep("next.pdf", certificate + b"%next\n")).printed
    assert printer.sheets() == [certificate + b"%next\n"]


async def test_paper_that_is_filled_in_before_the_deadline_is_printed(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    printer.trouble("media-empty-error")
    keeping = asyncio.create_task(desk.archive(printer.address).keep("certificate.pdf", certificate))
    await until(lambda: list((printer.folder / "spool").glob("1-*")), "the printer has the job")
    assert desk.slips
    printer.put_right()
    assert (await keeping).printed
    assert printer.sheets() == [certificate]


async def test_a_cancellation_that_is_not_confirmed_is_said_and_goes_on(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    # With its own tray empty, ippeveprinter confirms nothing before paper is filled in.
    printer.empty_tray()
    archive = desk.archive(printer.address, seconds=1.0, verify=1.0)
    with pytest.raises(PrintUncertain) as told:
        await archive.keep("certificate.pdf", certificate)
    assert told.value.may_have_come_out
    assert desk.slips
    assert await printer.jobs() == {1: "PROCESSING"}


async def test_a_printer_that_breaks_off_is_not_taken_for_done(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    (printer.folder / "broken").touch()
    with pytest.raises(PrinterRefused):
        await desk.archive(printer.address).keep("certificate.pdf", certificate)
    assert await printer.jobs() == {1: "ABORTED"}


async def test_a_job_cancelled_at_the_printer_is_told(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    printer.trouble("media-empty-error")
    keeping = asyncio.create_task(desk.archive(printer.address).keep("certificate.pdf", certificate))
    await until(lambda: desk.slips, "the job is on its way")
    client = IppClient(printer.address)
    await until(lambda: is_printing(client), "the printer is at it")
    await client.cancel(1)
    with pytest.raises(PrintCancelled):
        await keeping


async def test_a_printer_that_goes_off_in_the_middle_prints_nothing_later(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    printer.trouble("media-empty-error")
    archive = desk.archive(printer.address, seconds=1.5, verify=1.0)
    keeping = asyncio.create_task(archive.keep("certificate.pdf", certificate))
    await until(lambda: list((printer.folder / "spool").glob("1-*")), "the printer has the document")
    printer.switch_off()
    with pytest.raises(PrintUncertain):
        await keeping
    assert len(desk.slips) == 1
    printer.put_right()
    await printer.switch_on()
    await until(lambda: not desk.slips, "the job is known to be gone")
    assert printer.sheets() == []


async def test_a_printer_that_was_off_for_a_moment_is_not_said_to_have_printed(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    printer.trouble("media-empty-error")
    keeping = asyncio.create_task(desk.archive(printer.address).keep("certificate.pdf", certificate))
    await until(lambda: list((printer.folder / "spool").glob("1-*")), "the printer has the document")
    printer.switch_off()
    printer.put_right()
    await printer.switch_on()
    with pytest.raises(PrintUnconfirmed):
        await keeping
    assert printer.sheets() == []
    assert desk.slips == []


async def test_somebody_elses_job_of_the_same_number_is_left_alone(desk: Desk, printer: Printer) -> None:
    slip = Slip.write(desk.folder / "print-jobs", printer.address, 1, "kiosk-of-before")
    os.close(slip.descriptor)  # that kiosk is gone, and the printer, switched on again, counts from one
    client = IppClient(printer.address)
    assert await client.create_job("report of the director") == 1
    await desk.archive(printer.address).jobs.settled()
    assert desk.slips == []
    assert not (await client.job(1)).has_ended


async def test_a_folder_that_cannot_be_written_stops_the_job_before_its_document(
    desk: Desk, printer: Printer, certificate: bytes
) -> None:
    (desk.folder / "print-jobs").write_text("in the way")
    with pytest.raises(Exception, match=r"paper-failed|could not be made"):
        await desk.archive(printer.address).keep("certificate.pdf", certificate)
    assert printer.sheets() == []
    assert not list((printer.folder / "spool").glob("*.pdf"))


async def test_what_is_no_printer_is_told(desk: Desk, certificate: bytes, tmp_path: Path) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n" + bytes(2000))
        writer.close()

    port = free_port()
    async with await asyncio.start_server(chatter, "localhost", port):
        with pytest.raises(PrinterOff):
            await desk.archive(parse_printer(f"ipp://localhost:{port}/ipp/print")).keep("c.pdf", certificate)
