"""A clinic under load in a process of its own, to be killed or cut off: it says what it acknowledged.

A line for each answer, with what it is about (or why not) and the command's id: ``booked``, ``cancelled``,
``arrived``, ``screened``, ``completed``, ``applied``; ``refused`` or ``unavailable``, then nothing was
changed; ``unknown``; ``asking`` before a command is sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from domain.application import ApplyForCertificate
from domain.booking import Book, BookingStatus, CancelBooking, cancel_booking
from domain.errors import BookingClosed, ClinicError, OutcomeUnknown, StorageUnavailable
from domain.policies import follow_at_once
from domain.presentation import Site
from domain.vaccine import ListVaccines
from domain.visit import CheckIn, CompleteInjection, FindVisits, Screen
from tests.clinics import STAFF, OpenClinic, clinic_in, person

CLIENTS = 8
CAPACITY = 100_000
DOSES = 50
PEOPLE_OF_A_PROCESS = 100_000
PAUSE_SECONDS = 0.02
PARTS_SECONDS = 0.5
TRIES = 5


class GaveUp(Exception):
    """A client was refused, or does not try again."""


def tell(words: int, *line: str) -> None:
    """One line, at once: so much a pipe takes whole."""
    os.write(words, (" ".join(part.replace(" ", "_") or "-" for part in line) + "\n").encode())


class Load:
    """Clients of one clinic who book, cancel, come, and apply for certificates."""

    def __init__(self, clinic: OpenClinic, words: int, seed: int, people: int = 0) -> None:
        """``people`` is how many come in all; 0 for no end."""
        self._clinic, self._words = clinic, words
        self._random = Random(seed)
        first = seed * PEOPLE_OF_A_PROCESS
        self._people = iter(range(first, first + people)) if people else count(first)
        self._vaccine = ""
        self._slot: datetime | None = None

    async def open(self) -> None:
        """Before anybody comes: doses, and an hour for everybody."""
        self._vaccine, self._slot = await the_vaccine(self._clinic), await self._clinic.slot()

    async def run(self, clients: int) -> None:
        """So many at a time, until the last has gone."""
        if not self._vaccine:
            await self.open()

        async def client() -> None:
            for number in self._people:
                try:
                    await self._come(number)
                except GaveUp:
                    await asyncio.sleep(PAUSE_SECONDS)

        await asyncio.gather(*(client() for _ in range(clients)))

    async def _come(self, number: int) -> None:
        assert self._slot
        book = Book(person(number), self._vaccine, self._slot, join_wait_list=True)
        receipt = await self.send("booked", f"book-{number}", book)
        match number % 10:
            case 1 | 4 | 7:
                cancel = CancelBooking(receipt.booking)
                await self.send("cancelled", f"cancel-{number}", cancel, receipt.booking)
            case 2:
                await self._refused_at_its_end(f"change-of-mind-{number}", receipt.booking)
            case 5 if receipt.status is BookingStatus.RESERVED:
                await self._visit(number, receipt.booking)

    async def _visit(self, number: int, booking: str) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PARTS_SECONDS):  # a part may be down, and the desk goes on
                    await self._clinic.services.settle()
            visits = await self._clinic.gateway.ask(FindVisits(booking), STAFF)
        except StorageUnavailable as fault:
            raise GaveUp from fault
        if not visits:
            return
        code = visits[0].injection.code
        complete = CompleteInjection(code, "LOT1", Site.LEFT_ARM, STAFF.name)
        await self.send("arrived", f"arrive-{number}", CheckIn(code), booking)
        await self.send("screened", f"screen-{number}", Screen(code), booking)
        await self.send("completed", f"complete-{number}", complete, booking)
        await self.send("applied", f"apply-{number}", ApplyForCertificate(code))

    async def _refused_at_its_end(self, command_id: str, booking: str) -> None:
        """By a handler that has done everything when it refuses: nothing of that may stay."""
        context = self._clinic.gateway.context(STAFF)

        def cancel_and_refuse(uow: Any) -> None:
            cancel_booking(uow, CancelBooking(booking), context)
            follow_at_once(uow, context)
            raise BookingClosed(status="on second thoughts")

        run = partial(self._clinic.gateway.writer.run, cancel_and_refuse, command_id, "CancelBooking")
        await self._until_answered("cancelled", command_id, run, booking)

    async def send(self, deed: str, command_id: str, command: Any, about: str = "") -> Any:
        """Send it; when it could not be saved, mostly once more. Raises GaveUp."""
        send = partial(self._clinic.gateway.send, command, STAFF, command_id)
        return await self._until_answered(deed, command_id, send, about)

    async def _until_answered(
        self, deed: str, command_id: str, ask: Callable[[], Awaitable[Any]], about: str
    ) -> Any:
        for _ in range(TRIES):
            try:
                answer = await ask()
            except OutcomeUnknown as fault:
                tell(self._words, "unknown", str(fault), command_id)
            except StorageUnavailable as fault:
                tell(self._words, "unavailable", str(fault), command_id)
                if self._random.random() < 0.5:
                    raise GaveUp from fault
            except ClinicError as refusal:
                tell(self._words, "refused", about or str(refusal), command_id)
                raise GaveUp from refusal
            else:
                code = about or getattr(answer, "booking", "") or getattr(answer, "code", "")
                tell(self._words, deed, code, command_id)
                return answer
            await asyncio.sleep(PAUSE_SECONDS)
            tell(self._words, "asking", about, command_id)
        raise GaveUp


def serve(
    words: int, folder: str, seed: int, people: int = 0, clients: int = CLIENTS, **choices: Any
) -> None:
    """Open the clinic in this folder and serve until killed, or until so many people have gone."""

    async def run() -> None:
        async with clinic_in(Path(folder), capacity=CAPACITY, **choices) as clinic:
            await Load(clinic, words, seed, people).run(clients)

    asyncio.run(run())


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
    """The one vaccine of this clinic: some doses, delivered when it is first asked for."""
    levels = await clinic.gateway.ask(ListVaccines())
    if levels and levels[0].vaccine.stock:
        return str(levels[0].vaccine.code)
    if levels:
        await clinic.deliver(levels[0].vaccine.code, DOSES)
        return str(levels[0].vaccine.code)
    return await clinic.vaccine(doses=DOSES)
