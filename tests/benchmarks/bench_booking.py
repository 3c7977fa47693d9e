"""Reserve a dose through the gateway, with 1, 100 and 200 clients at once, against the same SQL on
one bare connection that commits each booking by itself; both with WAL and synchronous=FULL.

The bare side replays the very statements and values that the gateway's handlers produced.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pysqlite3

from domain.actors import STAFF_ROLES, Actor
from domain.booking import Book, ListDays, ListSlots
from domain.clinic import Clinic, Schedule
from domain.recipient import PersonDetails
from domain.vaccine import AddStock, RegisterVaccine
from kiosk.bootstrap import open_clinic
from kiosk.services import Services
from kiosk.settings import Settings

BOOKINGS = 4_000
STAFF = Actor("bench", STAFF_ROLES)


class RecordingCursor:
    """The driver's cursor, which also writes down what it is told."""

    def __init__(self, cursor: Any) -> None:
        self._cursor, self.log = cursor, []

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.log.append((sql, list(values)))
        return self._cursor.execute(sql, values)


async def clinic_with_doses(folder: Path) -> tuple[Services, str, list[Any]]:
    clinic = Clinic(schedule=Schedule(capacity=BOOKINGS))
    services = await open_clinic(Settings(data_folder=folder, paper_folder=folder / "paper", clinic=clinic))
    gateway = services.gateway
    vaccine = await gateway.send(RegisterVaccine(services.formulary[0]), STAFF)
    expiry = clinic.today(services.clock.now()) + timedelta(days=100)
    await gateway.send(AddStock(vaccine.code, "LOT1", expiry, BOOKINGS * 4), STAFF)
    days = await gateway.ask(ListDays())
    slots = [level.slot for day in days[1:10] for level in await gateway.ask(ListSlots(day.date))]
    await services.settle()
    return services, vaccine.code, slots


def command(number: int, vaccine: str, slots: list[Any]) -> Book:
    person = PersonDetails(
        "홍길동", date(1945, 8, 15), f"+8210{number:08d}", "HONG", "GILDONG"
    )
    return Book(person, vaccine, slots[number % len(slots)])


async def through_gateway(clients: int, record: bool = False) -> tuple[float, list[Any]]:
    """Bookings a second with so many clients at once; and, if asked, the SQL that each one took."""
    with tempfile.TemporaryDirectory() as name:
        services, vaccine, slots = await clinic_with_doses(Path(name))
        log: list[Any] = []
        if record:
            writer = services.gateway.writer
            original = writer._commit

            def recording(uow: Any, batch: Any) -> None:
                cursor = RecordingCursor(writer._cursor)
                writer._cursor = cursor
                for repository in vars(uow).values():
                    if hasattr(repository, "_cursor"):
                        repository._cursor = cursor
                uow._cursor = cursor
                original(uow, batch)
                writer._cursor = cursor._cursor
                log.append(cursor.log)

            writer._commit = recording
            shutil.copy(Path(name) / "clinic.db", BARE)
        await services.pause_relay()
        numbers = iter(range(BOOKINGS))

        async def client() -> None:
            for number in numbers:
                await services.gateway.send(command(number, vaccine, slots))

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        seconds = time.perf_counter() - start
        await services.close()
        return BOOKINGS / seconds, log
