"""A kiosk at work in a process of its own: it serves until it is asked to go, and finishes what was begun."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path

from domain.application import ApplyForCertificate
from domain.vaccine import ListVaccines
from tests.clinics import STAFF, clinic_in

CLIENTS = 10
THINKING_SECONDS = 0.1
CAPACITY = 100_000


def main() -> None:
    """``front FOLDER FIRST-NUMBER INJECTION…``: says on stdout what was asked, and what was answered."""
    folder, first, injections = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    asyncio.run(_serve(folder, first, injections))


async def _serve(folder: Path, first: int, injections: list[str]) -> None:
    going = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, going.set)
    numbers = count(first)

    def say(word: str) -> None:
        os.write(1, f"{word}\n".encode())

    async with clinic_in(folder, capacity=CAPACITY, parts=()) as clinic:
        [level] = await clinic.gateway.ask(ListVaccines())
        slot = await clinic.slot(day=1)

        async def client() -> None:
            while not going.is_set():
                say("asked")
                receipt = await clinic.book(level.vaccine.code, next(numbers), slot=slot)
                say(f"booked {receipt.booking}")
                await asyncio.sleep(THINKING_SECONDS)
                if injections:
                    say("asked")
                    done = await clinic.gateway.send(ApplyForCertificate(injections.pop()), STAFF)
                    say(f"applied {done.code}")

        await asyncio.gather(*(client() for _ in range(CLIENTS)))


if __name__ == "__main__":
    main()
