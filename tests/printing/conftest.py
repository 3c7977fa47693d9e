"""A printer on a desk of its own, a print service with a queue for it, and the archive between."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kiosk.paper.address import Address
from kiosk.paper.press import ReportlabPress
from kiosk.paper.print_jobs import PrintJobs
from kiosk.paper.printer import PrinterArchive
from tests.certificate_facts import facts, signed
from tests.printing.machines import MISSING, Bus, Printer, PrintService


@dataclass
class Desk:
    """Where a test's kiosk prints."""

    folder: Path
    archives: list[PrinterArchive] = field(default_factory=list)

    @property
    def slips(self) -> list[Path]:
        """The jobs that are not known to have ended."""
        return sorted((self.folder / "print-jobs").glob("*"))

    def archive(self, printer: Address, seconds: float = 15.0, verify: float = 5.0) -> PrinterArchive:
        """A kiosk's archive that prints there, opened now."""
        made = PrinterArchive(printer, PrintJobs(self.folder / "print-jobs"), seconds, verify)
        made.jobs.start()
        self.archives.append(made)
        return made


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder that the print service's own user may enter too."""
    with tempfile.TemporaryDirectory(prefix="printing-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    with workshop() as folder:
        made = Desk(folder)
        yield made
        for archive in made.archives:
            await archive.jobs.close()


@pytest.fixture
async def printer(desk: Desk) -> AsyncIterator[Printer]:
    (desk.folder / "printer").mkdir()
    bus = Bus(desk.folder / "printer")
    made = Printer(desk.folder / "printer", bus)
    try:
        await bus.start()
        await made.switch_on()
        yield made
    finally:
        made.switch_off()
        bus.stop()


@pytest.fixture
async def service(desk: Desk) -> AsyncIterator[PrintService]:
    (desk.folder / "service").mkdir()
    made = PrintService(desk.folder / "service")
    try:
        await made.switch_on()
        yield made
    finally:
        made.switch_off()


@pytest.fixture
def queue(service: PrintService, printer: Printer) -> Address:
    """A queue that hands documents on as they are."""
    return service.add_queue("kiosk", printer, "raw")


@pytest.fixture(scope="session")
def certificate() -> bytes:
    about = facts()
    return ReportlabPress().print_certificate(about, signed(about))
