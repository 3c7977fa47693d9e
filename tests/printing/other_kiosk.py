"""A kiosk of its own process that prints one page, to be killed while it does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kiosk.paper.address import parse_printer
from kiosk.paper.print_jobs import PrintJobs
from kiosk.paper.printer import PrinterArchive


async def main(uri: str, folder: Path) -> None:
    """Print the page in the folder, and wait for it."""
    archive = PrinterArchive(parse_printer(uri), PrintJobs(folder / "print-jobs"), 60.0)
    await archive.keep("certificate.pdf", (folder / "certificate.pdf").read_bytes())


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
