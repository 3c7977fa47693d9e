"""Kill -9 the PostgreSQL under a clinic at work, again and again: the clinic goes on by itself, nothing
acknowledged is missing, nothing is done twice, and every rule holds.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random

import psycopg

from domain.booking import BookingStatus, CancelBooking
from domain.errors import OutcomeUnknown, Resting, StorageUnavailable
from tests.clinics import STAFF, OpenClinic, clinic_in, keep_in
from tests.faults.load import CAPACITY
from tests.postgresql import Server

KILLS = int(os.environ.get("KIOSK_SERVER_KILLS", "6"))
CLIENTS = 60
SEED = 20261123


class Load:
    """Clients that book and cancel, and ask again with the same key when they are told to."""

    def __init__(self, clinic: OpenClinic, vaccine: str, slot: datetime) -> None:
        self.clinic, self.vaccine, self.slot = clinic, vaccine, slot
        self.random = Random(SEED)
        self.booked: set[str] = set()
        self.cancelled: set[str] = set()
        self.refused = self.unknown = 0
        self.heard = asyncio.Event()
        self.over = False

    async def until_answered(self, command: str, ask: Callable[..., Awaitable[object]]) -> str:
        while True:
            try:
                answer = await ask(command_id=command)
            except OutcomeUnknown:
                self.unknown += 1
            except (StorageUnavailable, Resting):
                self.refused += 1
            else:
                return str(getattr(answer, "booking", ""))
            await asyncio.sleep(0.05)

    async def client(self, number: int) -> None:
        turn = 0
        while not self.over:
            turn += 1
            person = number * 10_000 + turn
            book = partial(self.clinic.book, self.vaccine, person, slot=self.slot)
            code = await self.until_answered(f"book-{person}", book)
            assert code not in self.booked
            self.booked.add(code)
            self.heard.set()
            if self.random.random() < 0.3:
                cancel = partial(self.clinic.gateway.send, CancelBooking(code), STAFF)
                await self.until_answered(f"cancel-{person}", cancel)
                self.cancelled.add(code)


async def test_a_clinic_whose_server_is_killed_goes_on_and_loses_nothing(
    server: Server, tmp_path: Path
) -> None:
    database = server.database()
    keep_in(tmp_path, server.url(database), server.url(database))
    random = Random(SEED)
    async with clinic_in(tmp_path, capacity=CAPACITY) as clinic:
        load = Load(clinic, await clinic.vaccine(doses=100), await clinic.slot())
        clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
        for number in range(KILLS):
            await asyncio.sleep(random.uniform(0.1, 0.6))
            await asyncio.to_thread(server.kill)
            if number % 3 == 2:  # longer than anybody is made to wait: people are refused meanwhile
                await asyncio.sleep(4)
            await asyncio.to_thread(server.start)
            load.heard.clear()
            await asyncio.wait_for(load.heard.wait(), 30)
        load.over = True
        await asyncio.gather(*clients)
        await clinic.services.settle()

        assert await clinic.violations() == []
        with psycopg.connect(server.conninfo(database)) as connection:
            found = connection.execute("SELECT code, status FROM booking").fetchall()
            expected = connection.execute(
                "SELECT booking FROM injection WHERE status NOT IN ('withdrawn', 'voided')"
            ).fetchall()
        statuses = dict(found)
        assert statuses.keys() == load.booked, "acknowledged and missing, or done and never acknowledged"
        assert {statuses[code] for code in load.cancelled} == {BookingStatus.CANCELLED}
        held = {code for code, status in found if status == BookingStatus.RESERVED}
        assert sorted(code for (code,) in expected) == sorted(held)
        assert load.refused, "the server was never away for long enough to be noticed"
        assert len(load.booked) > 20 * KILLS, "the load was too small to mean anything"
