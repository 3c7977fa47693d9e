"""`kiosk supervise [PART…]`: the parts as processes of their own, brought back when they die.

Workers for issuing come and go with what waits for them. SIGTERM lets every one finish and ends with 0.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace

from domain.actors import SYSTEM
from domain.parts import ListParts, Part
from kiosk import itself, supervision
from kiosk.bootstrap import open_clinic
from kiosk.commands.named import part_named
from kiosk.logs import open_log
from kiosk.settings import Settings
from kiosk.status import ask_all
from kiosk.supervisor import Scale, Supervisor


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which parts, and how many for issuing."""
    parser.add_argument(
        "parts", nargs="*", type=part_named, default=[], metavar="PART", help=f"all of {', '.join(Part)}"
    )
    parser.add_argument(
        "--least", type=_at_least(0), default=Scale.least, help="workers for issuing at least (1)"
    )
    parser.add_argument(
        "--most", type=_at_least(1), default=Scale.most, help="workers for issuing at most (10)"
    )
    parser.add_argument(
        "--each",
        type=_at_least(1),
        default=Scale.each,
        help="certificates that are enough for one worker (25)",
    )
    parser.add_argument(
        "--patience",
        type=_at_least(1),
        default=Scale.patience,
        metavar="SECONDS",
        help="before workers go again (30)",
    )


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"“{text}” is not a whole number of at least {least}")
        return int(text)

    return number


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Until a signal ends it. Raises a `ClinicError` when the clinic cannot be opened."""
    if asked.least > asked.most:
        print(f"kiosk supervise: --least {asked.least} is more than --most {asked.most}", file=sys.stderr)
        return 2
    with open_log(settings, "supervisor"):
        asyncio.run(_supervise(replace(settings, parts=()), asked))
    return 0


async def _supervise(settings: Settings, asked: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    parts = asked.parts or list(Part)
    async with supervision.signs_of_life(starting=True):
        services = await open_clinic(settings, role="supervisor", signs=Part.ISSUING in parts)

    async def backlog() -> int:
        [issuing] = [s for s in await services.gateway.ask(ListParts(), SYSTEM) if s.name is Part.ISSUING]
        return 0 if issuing.paused else issuing.waiting + issuing.behind

    def command(part: str) -> list[str]:
        given = ["--config", str(asked.config)] if asked.config else []
        given += ["--data-folder", str(asked.data_folder)] if asked.data_folder else []
        return [*itself.command(), *given, "worker", "--attached", part]

    scale = Scale(asked.least, asked.most, asked.each, asked.patience)

    async def silent() -> set[int]:
        answers = await ask_all(settings.running_folder)
        return {int(answer.process.rpartition("-")[2]) for answer in answers if answer.report is None}

    supervisor = Supervisor(
        parts=parts, command=command, scaled=Part.ISSUING, backlog=backlog,
        silent=silent, scale=scale,
    )  # fmt: skip
    try:
        supervision.tell("READY=1")
        leaving = asyncio.create_task(stop.wait())
        leaving.add_done_callback(lambda _: supervision.tell("STOPPING=1"))
        async with supervision.signs_of_life():
            await supervisor.run(stop)
    finally:
        await services.close()
