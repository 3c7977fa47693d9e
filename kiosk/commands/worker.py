"""`kiosk worker PART…`: parts of the clinic in a process of their own, without a screen.

SIGTERM drains it: it takes nothing new, finishes what it is at, and ends with 0.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from dataclasses import replace

from domain.parts import Part
from kiosk import supervision
from kiosk.bootstrap import open_clinic
from kiosk.commands.named import part_named
from kiosk.logs import open_log
from kiosk.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which parts."""
    parser.add_argument("--attached", action="store_true", help="end when stdin does, as its supervisor's")
    parser.add_argument("parts", nargs="+", type=part_named, metavar="PART", help=", ".join(Part))


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Until a signal ends it. Raises a `ClinicError` when the clinic cannot be opened."""
    parts = tuple(dict.fromkeys(asked.parts))
    with open_log(settings, f"worker-{'+'.join(parts)}"):
        asyncio.run(_work(replace(settings, parts=parts), asked.attached))
    return 0


async def _work(settings: Settings, attached: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if attached:
        supervision.when_gone(sys.stdin.fileno(), stop.set)
    parts = "+".join(settings.parts or ())
    async with supervision.signs_of_life(starting=True):
        services = await open_clinic(settings, role=f"worker-{parts}")
    try:
        supervision.tell(f"READY=1\nSTATUS={parts}")
        print(f"{parts} at work, process {os.getpid()}", file=sys.stderr, flush=True)
        async with supervision.signs_of_life():
            await stop.wait()
            supervision.tell("STOPPING=1")
    finally:
        await services.close()
