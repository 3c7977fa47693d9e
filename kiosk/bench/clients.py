"""A kiosk under load in a process of its own: clients that book, in a closed or in an open loop."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import types
from collections import Counter, deque
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from domain.booking import Book, ListDays, ListSlots
from domain.clinic import Clinic, Schedule
from domain.errors import ClinicBusy, ClinicError, SoldOut
from domain.parts import Part
from domain.recipient import PersonDetails, person_details
from domain.vaccine import ListVaccines
from kiosk.bench.bare import bare_connection, book_one_by_one
from kiosk.bootstrap import open_clinic
from kiosk.collector import look_seldom
from kiosk.services import Services
from kiosk.settings import Settings

PATIENCE = 2.0
"""Seconds after which somebody in an open loop leaves."""
TICK = 0.005
"""Those who arrive within it are let in together; what they wait is counted from when they came."""
SELDOM = 20
"""One in so many wants the vaccine that is nearly sold out."""
_SURNAMES, _SYLLABLES = "김이박최정강조윤장임", "가나다라마바사아자차카타파하늘빛솔별"


def settings_in(folder: Path, *, parts: bool = False) -> Settings:
    """A clinic whose many slots have room for everybody: it is the doses that are scarce."""
    return Settings(
        data_folder=folder,
        paper_folder=folder,
        parts=tuple(Part) if parts else (),
        clinic=Clinic(schedule=Schedule(slot_minutes=1, capacity=1_000)),
    )


@dataclass
class Tally:
    """How it went, and how long those who were answered have waited, in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    """The errors that are neither sold out nor a refusal, by their codes."""
    waits: list[float] = field(default_factory=list)


class Crowd:
    """People who come to this kiosk; nobody comes twice."""

    def __init__(self, services: Services, vaccines: list[str], slots: list[Any], first: int) -> None:
        self._services, self._vaccines, self._slots = services, vaccines, slots
        self._numbers = count(first)
        self._today = services.clinic.today(services.clock.now())
        self.tally = Tally()

    def next(self, typed: bool) -> Book:
        """Somebody, as the fields of a screen make them of what is typed, or as they were made before."""
        number = next(self._numbers)
        name = _SURNAMES[number % 10] + _SYLLABLES[number // 10 % 18] + _SYLLABLES[number // 180 % 18]
        if typed:
            person = person_details(
                name=name, birth_date="19450815", phone=f"010{number:08d}",
                passport_surname="HONG", passport_given="GILDONG", today=self._today,
            )  # fmt: skip
        else:
            person = PersonDetails(name, date(1945, 8, 15), f"+8210{number:08d}", "HONG", "GILDONG")
        vaccine = self._vaccines[number % SELDOM == 0]
        return Book(person, vaccine, self._slots[number % len(self._slots)])

    async def book(self, came: float, wish: Book) -> float:
        """One person is served, sold out, refused, or failed; answers when to come back, if refused."""
        again = 0.0
        try:
            await self._services.gateway.send(wish)
            outcome = "accepted"
        except SoldOut:
            outcome = "sold out"
        except ClinicBusy as busy:
            outcome, again = "refused", float(busy.facts["seconds"])  # type: ignore[arg-type]
        except asyncio.CancelledError:
            outcome = "failed"
            self.tally.problems["left"] += 1
        except ClinicError as problem:
            outcome = "failed"
            self.tally.problems[problem.code] += 1
        self.tally.outcomes[outcome] += 1
        if outcome in {"accepted", "sold out"}:
            self.tally.waits.append(time.perf_counter() - came)
        return again

    async def closed(self, clients: int, seconds: float, typed: bool) -> float:
        """So many at once, each of whom comes back as somebody else when served; how long it took."""
        start = time.perf_counter()
        until = start + seconds

        async def client() -> None:
            while (now := time.perf_counter()) < until:
                if again := await self.book(now, self.next(typed)):
                    await asyncio.sleep(min(again, until - time.perf_counter()))

        await asyncio.gather(*(client() for _ in range(clients)))
        return time.perf_counter() - start

    async def open(self, rate: float, seconds: float, typed: bool) -> float:
        """So many arrive in a second, whether or not others are still waiting. They know what they want.

        Answers how long it took from when the doors opened: what they want is made up before.
        """
        arrivals, at, random = deque[tuple[float, Book]](), 0.0, Random(int(rate))
        while (at := at + random.expovariate(rate)) < seconds:
            arrivals.append((at, self.next(typed)))
        here = deque[tuple[float, asyncio.Task[float]]]()
        start = time.perf_counter()
        while arrivals or here:
            now = time.perf_counter()
            while arrivals and start + arrivals[0][0] <= now:
                came, wish = arrivals.popleft()
                if waits := _begun(self.book(start + came, wish)):
                    here.append((start + came, waits))
            while here and (here[0][1].done() or here[0][0] + PATIENCE < now):
                here.popleft()[1].cancel()  # which is nothing to those who are done
            await asyncio.sleep(TICK)
        return time.perf_counter() - start


def _begun(work: Coroutine[Any, Any, float]) -> asyncio.Task[float] | None:
    """Do it up to where it has to wait; from there on it is a task.

    Whoever is turned away is so at once. A task for each of them would cost more than turning them away, in
    the interpreter that the clinic has, and be what is measured.
    """
    try:
        awaited = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_go_on(work, awaited))


@types.coroutine
def _go_on(work: Coroutine[Any, Any, float], awaited: Any) -> Generator[Any, Any, float]:
    while True:
        try:
            answer = yield awaited
            step = partial(work.send, answer)
        except asyncio.CancelledError as left:
            step = partial(work.throw, left)
        try:
            awaited = step()
        except StopIteration as end:
            return float(end.value)


async def _serve(folder: Path, first: int, parts: bool) -> None:
    """Open, say so, and then do what each line of stdin asks."""
    services = await open_clinic(settings_in(folder, parts=parts))
    look_seldom()
    vaccines = [level.vaccine.code for level in await services.gateway.ask(ListVaccines())]
    days = await services.gateway.ask(ListDays())
    slots = [level.slot for day in days[1:] for level in await services.gateway.ask(ListSlots(day.date))]
    crowd = Crowd(services, vaccines, slots, first)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked, crowd.tally = json.loads(line), Tally()
        took = await (crowd.closed(**asked) if "clients" in asked else crowd.open(**asked))
        print(json.dumps({"seconds": took, **vars(crowd.tally)}), flush=True)
    await services.close()


def _serve_bare(folder: Path) -> None:
    connection = bare_connection(folder)
    print("ready", flush=True)
    while line := sys.stdin.readline():
        done, seconds = book_one_by_one(connection, **json.loads(line))
        print(json.dumps({"seconds": seconds, "outcomes": {"accepted": done}}), flush=True)


def main() -> None:
    """``bare FOLDER``, ``kiosk FOLDER FIRST-NUMBER`` or ``kiosk-with-parts FOLDER FIRST-NUMBER``."""
    kind, folder, *first = sys.argv[1:]
    if kind == "bare":
        _serve_bare(Path(folder))
    else:
        asyncio.run(_serve(Path(folder), int(first[0]), kind == "kiosk-with-parts"))


if __name__ == "__main__":
    main()
