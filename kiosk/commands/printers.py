"""`kiosk printers`: the queues of the print service."""

from __future__ import annotations

import argparse
import asyncio
import sys

from kiosk.paper.address import parse_printer, print_service
from kiosk.paper.ipp_client import IppClient, IppError
from kiosk.settings import Settings

STATES = {3: "idle", 4: "printing", 5: "stopped"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """One a line: name (``*`` is chosen), state, what is in the way."""
    address = print_service()
    try:
        queues = asyncio.run(IppClient(address).queues())
    except IppError as error:
        print(f"{address.host}:{address.port} lists no printers: {error}", file=sys.stderr)
        return 1
    chosen = parse_printer(settings.printer).uri if settings.printer else ""
    for queue in queues:
        name, state = str(queue["printer-name"][0]), STATES.get(int(queue["printer-state"][0]), "unknown")
        mark = "*" if parse_printer(name).uri == chosen else ""
        reasons = " ".join(str(reason) for reason in queue.get("printer-state-reasons", []))
        print(f"{mark}{name}\t{state}\t{reasons}")
    return 0
