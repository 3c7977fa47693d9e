"""Reserve a dose through the gateway, with 1, 100 and 200 clients at once, against the same SQL on
one bare connection that commits each booking by itself; both with WAL and synchronous=FULL.

The bare side replays the very statements and values that the gateway's handlers produce.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from domain import booking, policies
from domain.actors import PUBLIC, STAFF_ROLES, Actor
from domain.booking import Book, ListDays, ListSlots
from domain.clinic import Clinic, Schedule
from domain.ports import Context
from domain.recipient import PersonDetails
from domain.vaccine import AddStock, RegisterVaccine
from kiosk.bootstrap import open_clinic
from kiosk.services import Services
from kiosk.settings import Settings
from storage.engine import open_session, writer_engine
from storage.statements import Statements
from storage.unit_of_work import SqlUnitOfWork
from storage.writer import BATCH

BOOKINGS = 3_000
ROUNDS = 3
STAFF = Actor("bench", STAFF_ROLES)
Statement = tuple[str, list[Any]]


@dataclass
class Ready:
    """A clinic with doses for everybody, whose records are copied for each run."""

    vaccine: str
    slots: list[Any]
    context: Context

    def command(self, number: int) -> Book:
        person = PersonDetails("홍길동", date(1945, 8, 15), f"+8210{number:08d}", "HONG", "GILDONG")
        return Book(person, self.vaccine, self.slots[number % len(self.slots)])


def settings_in(folder: Path) -> Settings:
    return Settings(
        data_folder=folder,
        paper_folder=folder,
        patience_seconds=60.0,  # what is measured is the write path, not whom it turns away
        clinic=Clinic(schedule=Schedule(capacity=BOOKINGS)),
    )


async def prepare(settings: Settings) -> Ready:
    services = await open_clinic(settings)
    gateway = services.gateway
    vaccine = await gateway.send(RegisterVaccine(services.formulary[0]), STAFF)
    expiry = services.clinic.today(services.clock.now()) + timedelta(days=100)
    await gateway.send(AddStock(vaccine.code, "LOT1", expiry, BOOKINGS), STAFF)
    days = await gateway.ask(ListDays())
    slots = [level.slot for day in days[1:10] for level in await gateway.ask(ListSlots(day.date))]
    await services.settle()
    context = gateway.context(PUBLIC)
    await services.close()
    return Ready(vaccine.code, slots, context)


async def through_gateway(
    ready: Ready,
    settings: Settings,
    clients: int,
    people: range | None = None,
    opened: Callable[[], object] = lambda: None,
) -> float:
    """Bookings a second with so many clients at once, each waiting for its answer."""
    services: Services = await open_clinic(settings)
    people = range(BOOKINGS) if people is None else people
    numbers = iter(people)

    async def client() -> None:
        for number in numbers:
            await services.gateway.send(ready.command(number))

    opened()
    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    seconds = time.perf_counter() - start
    await services.close()
    return len(people) / seconds


class RecordingCursor:
    """The writer's connection, which also writes down what its cursor is told."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.log: list[Statement] = []

    @property
    def cursor(self) -> RecordingCursor:
        return self

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.log.append((sql, list(values)))
        return self._cursor.execute(sql, values)

    ask = execute

    def executemany(self, sql: str, rows: Any) -> None:
        for values in rows:
            self.execute(sql, values)


def statements_of_each_booking(ready: Ready, url: str) -> list[list[Statement]]:
    """What one booking in a transaction of its own says to the database, for every booking."""
    engine = writer_engine(url)
    session = open_session(engine, "bench")
    cursor = RecordingCursor(session.cursor)
    uow = SqlUnitOfWork(cursor, Statements(engine.dialect))
    bookings = []
    for number in range(BOOKINGS):
        cursor.log = []
        uow.begin()
        session.begin()
        uow.look_up([f"bench-{number}"])
        uow.answer_of(f"bench-{number}", "Book")
        receipt = booking.book(uow, ready.command(number), ready.context)
        policies.follow_at_once(uow, ready.context)
        uow.record(f"bench-{number}", "Book", receipt, ready.context.now)
        uow.flush()
        session.commit(True)
        bookings.append(cursor.log)
    session.close()
    return bookings


def replayed(cursor: Any, begin: str, bookings: list[list[Statement]], together: int = 1) -> float:
    """Bookings a second with the same SQL, so many in a transaction, nothing else in the way."""
    start = time.perf_counter()
    for first in range(0, len(bookings), together):
        cursor.execute(begin)
        for sql, values in chain.from_iterable(bookings[first : first + together]):
            rows = cursor.execute(sql, values)
            if sql.startswith("SELECT"):
                rows.fetchall()
        cursor.execute("COMMIT")
    return BOOKINGS / (time.perf_counter() - start)


def compare(bare: Callable[[], float], gateway: Callable[[int], float], statements: int, on: str) -> float:
    """Print the ratios; the median round of each side, the sides taking turns. Answers the bare rate."""
    bases: list[float] = []
    ours: dict[int, list[float]] = {1: [], 100: [], 200: []}
    for _ in range(ROUNDS):
        bases.append(bare())
        for clients, rates in ours.items():
            rates.append(gateway(clients))
    base = sorted(bases)[ROUNDS // 2]
    print(f"reserve a dose on {on}, {statements} statements; bare connection {base:,.0f}/s = 1.00")
    for clients, rates in ours.items():
        rate = sorted(rates)[ROUNDS // 2]
        print(f"  through the gateway, {clients:3} clients: {rate / base:.2f}  ({rate:,.0f}/s)")
    return base


def main() -> None:
    """On SQLite, each run in a copy of the same folder."""
    with tempfile.TemporaryDirectory() as prepared:
        ready = asyncio.run(prepare(settings_in(Path(prepared))))

        @contextmanager
        def copy() -> Iterator[Settings]:
            with tempfile.TemporaryDirectory() as name:
                shutil.copytree(prepared, name, dirs_exist_ok=True)
                yield settings_in(Path(name))

        with copy() as settings:
            bookings = statements_of_each_booking(ready, settings.records_url)

        def bare(together: int = 1) -> float:
            with copy() as settings:
                session = open_session(writer_engine(settings.records_url), "bare")
                rate = replayed(session.cursor, "BEGIN IMMEDIATE", bookings, together)
                session.close()
                return rate

        def gateway(clients: int) -> float:
            with copy() as settings:
                return asyncio.run(through_gateway(ready, settings, clients))

        base = compare(bare, gateway, len(bookings[0]), "SQLite")
        print(f"  the bare connection with {BATCH} bookings a commit: {bare(BATCH) / base:.2f}")


if __name__ == "__main__":
    main()
