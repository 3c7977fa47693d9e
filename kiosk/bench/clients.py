"""A kiosk under load in a process of its own: clients that book, in a closed or in an open loop."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from random import Random

from domain.booking import Book, ListDays, ListSlots
from domain.clinic import Clinic, Schedule
from domain.errors import ClinicBusy, ClinicError, SoldOut
from domain.recipient import person_details
from domain.vaccine import ListVaccines
from kiosk.bench.bare import bookings_a_second
from kiosk.bootstrap import open_clinic
from kiosk.services import Services
from kiosk.settings import Settings

PATIENCE = 2.0
"""Seconds after which somebody in an open loop leaves."""
SELDOM = 20
"""One in so many wants the vaccine that is nearly sold out."""
TODAY = date(2026, 11, 23)


def settings_in(folder: Path) -> Settings:
    """A clinic whose slots have room for everybody: it is the doses that are scarce."""
    return Settings(
        data_folder=folder, paper_folder=folder, clinic=Clinic(schedule=Schedule(capacity=100_000_000))
    )


@dataclass
class Tally:
    """How it went, and how long those who were answered have waited, in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)


class Crowd:
    """People who come to this kiosk; nobody comes twice."""

    def __init__(self, services: Services, vaccines: list[str], slots: list[object], first: int) -> None:
        self._services, self._vaccines, self._slots = services, vaccines, slots
        self._numbers = count(first)
        self.tally = Tally()

    def next(self) -> Book:
        """Somebody, as the screens' fields make them of what was typed."""
        number = next(self._numbers)
        person = person_details(
            name="홍길동", birth_date="19450815", phone=f"010{number:08d}",
            passport_surname="HONG", passport_given="GILDONG", today=TODAY,
        )  # fmt: skip
        vaccine = self._vaccines[number % SELDOM == 0]
        return Book(person, vaccine, self._slots[number % len(self._slots)])  # type: ignore[arg-type]

    async def book(self, command: Book) -> None:
        """One person is served, sold out, refused, or failed."""
        start = time.perf_counter()
        try:
            await self._services.gateway.send(command)
            outcome = "accepted"
        except SoldOut:
            outcome = "sold out"
        except ClinicBusy:
            outcome = "refused"
        except (ClinicError, TimeoutError):
            outcome = "failed"
        self.tally.outcomes[outcome] += 1
        if outcome != "refused":
            self.tally.waits.append(time.perf_counter() - start)

    async def closed(self, clients: int, seconds: float) -> None:
        """So many at once, each of whom comes back as somebody else when served."""
        until = time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < until:
                await self.book(self.next())

        await asyncio.gather(*(client() for _ in range(clients)))

    async def open(self, rate: float, seconds: float) -> None:
        """So many arrive in a second, whether or not others are still waiting."""
        random, tasks = Random(int(rate)), set[asyncio.Task[None]]()
        arrivals, at = list[float](), 0.0
        while (at := at + random.expovariate(rate)) < seconds:
            arrivals.append(at)
        people = [self.next() for _ in arrivals]
        start = time.perf_counter()
        for at, person in zip(arrivals, people, strict=True):
            while (early := at - (time.perf_counter() - start)) > 0:  # noqa: ASYNC110 - until its time
                await asyncio.sleep(early if early > 0.001 else 0)
            task = asyncio.create_task(self._with_patience(person))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _with_patience(self, person: Book) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.book(person)
        except TimeoutError:
            self.tally.outcomes["left"] += 1


async def _serve(folder: Path, first: int) -> None:
    """Open, say so, and then do what each line of stdin asks."""
    services = await open_clinic(settings_in(folder))
    vaccines = [level.vaccine.code for level in await services.gateway.ask(ListVaccines())]
    days = await services.gateway.ask(ListDays())
    slots = [level.slot for day in days[1:8] for level in await services.gateway.ask(ListSlots(day.date))]
    print("ready", flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    asked = json.loads(line)
    crowd = Crowd(services, vaccines, list(slots), first)
    start, cpu = time.perf_counter(), time.process_time()
    if "clients" in asked:
        await crowd.closed(asked["clients"], asked["seconds"])
    else:
        await crowd.open(asked["rate"], asked["seconds"])
    spent = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    await services.settle()
    await services.close()
    print(json.dumps({"outcomes": crowd.tally.outcomes, "waits": crowd.tally.waits, **spent}), flush=True)


def main() -> None:
    """``bare FOLDER SECONDS`` or ``serve FOLDER FIRST-NUMBER``."""
    folder = Path(sys.argv[2])
    if sys.argv[1] == "bare":
        print(bookings_a_second(folder, float(sys.argv[3])))
    else:
        asyncio.run(_serve(folder, int(sys.argv[3])))


if __name__ == "__main__":
    main()
