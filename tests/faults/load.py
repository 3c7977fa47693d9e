"""A clinic under load in a process of its own, to be killed: it says on a pipe what was acknowledged."""

from __future__ import annotations

import asyncio
import os
from itertools import count
from pathlib import Path
from random import Random

from domain.booking import BookingStatus, CancelBooking
from domain.errors import ClinicError
from domain.vaccine import ListVaccines
from tests.clinics import STAFF, OpenClinic, clinic_in

CLIENTS = 200
CAPACITY = 100_000


def serve(folder: str, acknowledgements: int, seed: int) -> None:
    """Book, cancel and vaccinate until killed; one line on the pipe for each acknowledged word."""
    asyncio.run(_serve(Path(folder), acknowledgements, seed))


async def _serve(folder: Path, acknowledgements: int, seed: int) -> None:
    random = Random(seed)
    numbers = count(seed * 1_000_000)

    def say(word: str, code: str) -> None:
        os.write(acknowledgements, f"{word} {code}\n".encode())

    async with clinic_in(folder, capacity=CAPACITY) as clinic:
        vaccine = await the_vaccine(clinic)
        slot = await clinic.slot()

        async def client() -> None:
            for number in numbers:
                receipt = await clinic.book(vaccine, number, slot=slot)
                say("booked", receipt.booking)
                chance = random.random()
                if chance < 0.3:
                    await clinic.gateway.send(CancelBooking(receipt.booking), STAFF)
                    say("cancelled", receipt.booking)
                elif chance < 0.35 and receipt.status is BookingStatus.RESERVED:
                    try:
                        await clinic.vaccinate(receipt.booking)
                    except (ClinicError, ValueError):  # not in the desk's list yet: another day
                        continue
                    say("completed", receipt.booking)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))


def book_and_close(folder: str, first: int, bookings: int) -> None:
    """One of several kiosks: book for so many people, see everything through, and close."""

    async def run() -> None:
        async with clinic_in(Path(folder), capacity=CAPACITY) as clinic:
            [level] = await clinic.gateway.ask(ListVaccines())
            slot = await clinic.slot()
            numbers = range(first, first + bookings)
            await asyncio.gather(*(clinic.book(level.vaccine.code, n, slot=slot) for n in numbers))
            await clinic.services.settle()

    asyncio.run(run())


async def the_vaccine(clinic: OpenClinic) -> str:
    """The one vaccine of this clinic: fifty doses, delivered when it is first asked for."""
    levels = await clinic.gateway.ask(ListVaccines())
    if levels and levels[0].vaccine.stock:
        return str(levels[0].vaccine.code)
    if levels:
        await clinic.deliver(levels[0].vaccine.code, 50)
        return str(levels[0].vaccine.code)
    return await clinic.vaccine(doses=50)
