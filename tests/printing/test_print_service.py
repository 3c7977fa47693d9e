"""A print service between kiosk and printer: it takes every job and keeps it, whatever the printer does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.paper.address import Address, parse_printer
from kiosk.paper.ipp_client import CALL_SECONDS, IppClient
from kiosk.paper.printer_errors import (
    PaperOut,
    PrinterOff,
    PrinterPaused,
    PrinterUnknown,
    PrintServiceDown,
    PrintUncertain,
)
from kiosk.paper.proof import page_mm, read_page
from tests.certificate_facts import facts, signed
from tests.printing.conftest import Desk
from tests.printing.machines import ROOT, Printer, PrintService, until
from tests.symbols import measure

FILTER = Path("/usr/lib/cups/filter/pdftopdf")


async def state_of(queue: Address, job: int = 1) -> str:
    return (await IppClient(queue).job(job)).state.name


async def sheets_of(queue: Address) -> tuple[str, ...]:
    return (await IppClient(queue).printer()).media


async def only_the_next_comes_out(desk: Desk, queue: Address, printer: Printer, page: bytes) -> None:
    """A queue hands out in order: when the next is there and nothing else, nothing else will come."""
    assert (await desk.archive(queue).keep("next.pdf", page + b"%next\n")).printed
    assert printer.sheets() == [page + b"%next\n"]
    assert desk.slips == []


async def test_what_the_printer_gets_through_a_queue_is_the_certificate_byte_for_byte(
    desk: Desk, queue: Address, printer: Printer, certificate: bytes
) -> None:
    place = await desk.archive(queue).keep("certificate.pdf", certificate)
    assert (place.where, place.printed) == ("kiosk", True)
    assert printer.sheets() == [certificate]
    assert desk.slips == []


async def test_with_the_printer_off_the_deadline_passes_and_nothing_comes_out_when_it_is_on_again(
    desk: Desk, queue: Address, printer: Printer, certificate: bytes
) -> None:
    printer.switch_off()
    with pytest.raises(PrinterOff):
        await desk.archive(queue, seconds=1.5).keep("certificate.pdf", certificate)
    assert await state_of(queue) == "CANCELED"
    assert desk.slips == []
    await printer.switch_on()
    await only_the_next_comes_out(desk, queue, printer, certificate)


async def test_with_the_paper_out_people_are_told_so_and_nothing_comes_out_when_it_is_filled_in(
    desk: Desk, queue: Address, printer: Printer, certificate: bytes
) -> None:
    printer.trouble("media-empty-error")
    with pytest.raises(PaperOut):
        await desk.archive(queue, seconds=3.0).keep("certificate.pdf", certificate)
    printer.put_right()
    await only_the_next_comes_out(desk, queue, printer, certificate)


async def test_with_the_print_service_down_people_are_told_at_once(
    desk: Desk, queue: Address, service: PrintService, printer: Printer, certificate: bytes
) -> None:
    service.switch_off()
    async with asyncio.timeout(CALL_SECONDS):
        with pytest.raises(PrintServiceDown):
            await desk.archive(queue).keep("certificate.pdf", certificate)
    await service.switch_on()
    await only_the_next_comes_out(desk, queue, printer, certificate)


async def test_a_print_service_that_dies_in_the_middle_prints_nothing_when_it_is_back(
    desk: Desk, queue: Address, service: PrintService, printer: Printer, certificate: bytes
) -> None:
    printer.switch_off()
    archive = desk.archive(queue, seconds=2.0, verify=0.5)
    keeping = asyncio.create_task(archive.keep("certificate.pdf", certificate))
    await until(lambda: list((service.folder / "spool").glob("d*")), "the service has the document")
    service.switch_off()
    with pytest.raises(PrintUncertain):
        await keeping
    assert len(desk.slips) == 1
    await service.switch_on()
    await until(lambda: not desk.slips, "the kiosk has cancelled it")
    assert await state_of(queue) == "CANCELED"
    await printer.switch_on()
    await only_the_next_comes_out(desk, queue, printer, certificate)


async def test_a_print_service_that_starts_with_an_empty_queue_prints_nothing_however_late_the_kiosk_is(
    desk: Desk, queue: Address, service: PrintService, printer: Printer, certificate: bytes
) -> None:
    printer.switch_off()
    archive = desk.archive(queue, seconds=2.0, verify=0.5)
    keeping = asyncio.create_task(archive.keep("certificate.pdf", certificate))
    await until(lambda: list((service.folder / "spool").glob("d*")), "the service has the document")
    service.switch_off()
    with pytest.raises(PrintUncertain):
        await keeping
    await archive.jobs.close()  # the power is cut: the kiosk is off as well, and comes back last
    await printer.switch_on()
    service.empty_queue()
    await service.switch_on()
    await only_the_next_comes_out(desk, queue, printer, certificate)


async def test_nothing_else_is_sent_while_an_earlier_job_is_not_known_to_have_ended(
    desk: Desk, queue: Address, service: PrintService, printer: Printer, certificate: bytes
) -> None:
    printer.switch_off()
    archive = desk.archive(queue, seconds=1.5, verify=0.2)
    keeping = asyncio.create_task(archive.keep("certificate.pdf", certificate))
    await until(lambda: list((service.folder / "spool").glob("d*")), "the service has the document")
    service.switch_off()
    with pytest.raises(PrintUncertain):
        await keeping
    with pytest.raises(PrintServiceDown):
        await archive.keep("next.pdf", certificate)
    assert len(desk.slips) == 1


async def test_a_kiosk_killed_in_the_middle_cancels_at_its_next_start(
    desk: Desk, queue: Address, service: PrintService, printer: Printer, certificate: bytes
) -> None:
    printer.switch_off()
    (desk.folder / "certificate.pdf").write_bytes(certificate)
    kiosk = subprocess.Popen(
        [sys.executable, "-m", "tests.printing.other_kiosk", queue.uri, str(desk.folder)], cwd=ROOT
    )
    await until(lambda: list((service.folder / "spool").glob("d*")), "the service has the document")
    kiosk.kill()
    kiosk.wait()
    assert await state_of(queue) == "PROCESSING"
    assert len(desk.slips) == 1
    desk.archive(queue)
    await until(lambda: not desk.slips, "the next start has cancelled it")
    assert await state_of(queue) == "CANCELED"
    await printer.switch_on()
    await only_the_next_comes_out(desk, queue, printer, certificate)


async def test_a_second_kiosk_on_the_same_folder_leaves_the_first_ones_job_alone(
    desk: Desk, queue: Address, printer: Printer, certificate: bytes
) -> None:
    printer.trouble("media-empty-error")
    keeping = asyncio.create_task(desk.archive(queue).keep("certificate.pdf", certificate))
    await until(lambda: list((printer.folder / "spool").glob("1-*")), "the printer has the document")
    await desk.archive(queue).jobs.settled()
    assert len(desk.slips) == 1
    printer.put_right()
    assert (await keeping).printed


async def test_a_stopped_queue_takes_nothing(
    desk: Desk, queue: Address, service: PrintService, certificate: bytes
) -> None:
    server = f"localhost:{service.address.port}"
    subprocess.run(["cupsdisable", "-h", server, "kiosk"], check=True, env=service.environment())  # noqa: ASYNC221
    with pytest.raises(PrinterPaused):
        await desk.archive(queue).keep("certificate.pdf", certificate)
    assert not list((service.folder / "spool").glob("d*"))


async def test_a_queue_that_is_not_there_is_named(
    desk: Desk, service: PrintService, certificate: bytes
) -> None:
    nowhere = parse_printer(f"ipp://localhost:{service.address.port}/printers/nowhere")
    with pytest.raises(PrinterUnknown, match="nowhere"):
        await desk.archive(nowhere).keep("certificate.pdf", certificate)


@pytest.mark.skipif(not FILTER.exists(), reason="not installed: pdftopdf (cups-filters-core-drivers)")
async def test_a_driverless_queue_changes_neither_the_page_nor_its_code(
    desk: Desk, service: PrintService, printer: Printer, certificate: bytes
) -> None:
    queue = service.add_queue("driverless", printer, "everywhere")
    await until(lambda: sheets_of(queue), "the service has asked the printer, in its own time")
    await desk.archive(queue).keep("c.pdf", certificate)
    [sheet] = printer.sheets()
    assert page_mm(sheet) == pytest.approx(page_mm(certificate), abs=0.2)
    assert read_page(sheet, 150) == [signed(facts()).text]
    assert measure(sheet).side == pytest.approx(measure(certificate).side, abs=0.1)


async def test_the_command_line_lists_the_queues(
    queue: Address, service: PrintService, tmp_path: Path
) -> None:
    server = f"localhost:{service.address.port}"
    listed = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-m", "kiosk", "--data-folder", str(tmp_path), "printers"],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env={**service.environment(), "CUPS_SERVER": server, "KIOSK_PRINTER": "kiosk"},
    )  # fmt: skip
    assert listed.stdout == "*kiosk\tidle\tnone\n"
