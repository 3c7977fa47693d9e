"""Reserve a dose through the gateway, with 1, 100 and 200 clients at once, against the same SQL on
one bare connection that commits each booking by itself; both with WAL and synchronous=FULL.

The bare side replays the very statements and values that the gateway's handlers produce.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pysqlite3

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
from storage.engine import writer_engine
from storage.repositories import Statements
from storage.unit_of_work import SqlUnitOfWork

BOOKINGS = 3_000
ROUNDS = 3
STAFF = Actor("bench", STAFF_ROLES)


@dataclass
class Ready:
    """A clinic with doses for everybody, in a folder that is copied for each run."""

    folder: Path
    vaccine: str
    slots: list[Any]
    context: Context

    def command(self, number: int) -> Book:
        person = PersonDetails("홍길동", date(1945, 8, 15), f"+8210{number:08d}", "HONG", "GILDONG")
        return Book(person, self.vaccine, self.slots[number % len(self.slots)])


def settings_in(folder: Path) -> Settings:
    return Settings(
        data_folder=folder, paper_folder=folder, clinic=Clinic(schedule=Schedule(capacity=BOOKINGS))
    )


async def prepare(folder: Path) -> Ready:
    services = await open_clinic(settings_in(folder))
    gateway = services.gateway
    vaccine = await gateway.send(RegisterVaccine(services.formulary[0]), STAFF)
    expiry = services.clinic.today(services.clock.now()) + timedelta(days=100)
    await gateway.send(AddStock(vaccine.code, "LOT1", expiry, BOOKINGS), STAFF)
    days = await gateway.ask(ListDays())
    slots = [level.slot for day in days[1:10] for level in await gateway.ask(ListSlots(day.date))]
    await services.settle()
    context = gateway.context(PUBLIC)
    await services.close()
    return Ready(folder, vaccine.code, slots, context)


async def through_gateway(ready: Ready, clients: int) -> float:
    """Bookings a second with so many clients at once, each waiting for its answer."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ready.folder, name, dirs_exist_ok=True)
        services: Services = await open_clinic(settings_in(Path(name)))
        numbers = iter(range(BOOKINGS))

        async def client() -> None:
            for number in numbers:
                await services.gateway.send(ready.command(number))

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        seconds = time.perf_counter() - start
        await services.close()
        return BOOKINGS / seconds


class RecordingCursor:
    """The driver's cursor, which also writes down what it is told."""

    def __init__(self, cursor: Any) -> None:
        self._cursor, self.log = cursor, []

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.log.append((sql, list(values)))
        return self._cursor.execute(sql, values)

    def executemany(self, sql: str, rows: Any) -> None:
        for values in rows:
            self.execute(sql, values)


def statements_of_each_booking(ready: Ready) -> list[list[tuple[str, list[Any]]]]:
    """What one booking in a transaction of its own says to the database, for every booking."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ready.folder, name, dirs_exist_ok=True)
        engine = writer_engine(f"sqlite:///{name}/clinic.db")
        with closing(engine.raw_connection()) as connection:
            raw = connection.driver_connection.cursor()
            raw.execute("PRAGMA synchronous=OFF")
            cursor = RecordingCursor(raw)
            uow = SqlUnitOfWork(cursor, Statements(engine.dialect))
            bookings = []
            for number in range(BOOKINGS):
                cursor.log = []
                uow.begin()
                raw.execute("BEGIN IMMEDIATE")
                uow.answer_of(f"bench-{number}", "Book")
                receipt = booking.book(uow, ready.command(number), ready.context)
                policies.follow_at_once(uow, ready.context)
                uow.record(f"bench-{number}", "Book", receipt, ready.context.now)
                uow.flush()
                raw.execute("COMMIT")
                bookings.append(cursor.log)
        return bookings


def on_a_bare_connection(ready: Ready, bookings: list[list[tuple[str, list[Any]]]]) -> float:
    """Bookings a second with the same SQL, one transaction each, nothing else in the way."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ready.folder, name, dirs_exist_ok=True)
        with closing(pysqlite3.connect(f"{name}/clinic.db", isolation_level=None)) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            start = time.perf_counter()
            for statements in bookings:
                cursor.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    rows = cursor.execute(sql, values)
                    if sql.startswith("SELECT"):
                        rows.fetchall()
                cursor.execute("COMMIT")
            return BOOKINGS / (time.perf_counter() - start)


def main() -> None:
    """Print the ratios; the median round of each side, the sides taking turns."""
    with tempfile.TemporaryDirectory() as name:
        ready = asyncio.run(prepare(Path(name)))
        bookings = statements_of_each_booking(ready)
        bare, ours = [], {1: [], 100: [], 200: []}  # type: ignore[var-annotated]
        for _ in range(ROUNDS):
            bare.append(on_a_bare_connection(ready, bookings))
            for clients, rates in ours.items():
                rates.append(asyncio.run(through_gateway(ready, clients)))
        base = sorted(bare)[ROUNDS // 2]
        print(f"reserve a dose, {len(bookings[0])} statements; bare connection {base:,.0f}/s = 1.00")
        for clients, rates in ours.items():
            rate = sorted(rates)[ROUNDS // 2]
            print(f"  through the gateway, {clients:3} clients: {rate / base:.2f}  ({rate:,.0f}/s)")


if __name__ == "__main__":
    main()
