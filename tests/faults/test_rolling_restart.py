"""Every process restarted in turn, and a migration in the middle, under load: nobody is turned away."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from domain.errors import RecordsNewer
from domain.parts import Part
from storage.engine import backend, writer_engine
from storage.migrate import migrate
from tests.clinics import OpenClinic, clinic_in, settings_in
from tests.faults.aftermath import my_page_is_what_the_events_tell, statuses, visits
from tests.faults.test_parts_down import folder, injected  # noqa: F401 - a fixture
from tests.faults.workers import SECONDS, lately, workers_of

FRONTS = 2


@dataclass
class Front:
    """One kiosk: what its people asked, and what was answered to them."""

    folder: Path
    first: int
    injections: list[str]
    said: Counter[str] = field(default_factory=Counter)
    codes: list[str] = field(default_factory=list)
    answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def open(self) -> None:
        """Begin to serve, and wait for the first answer."""
        self.process: Process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.front", str(self.folder), str(self.first), *self.injections,
            stdout=PIPE, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
        self.hearing = asyncio.create_task(self._hear())
        await self.served(1)

    async def served(self, more: int) -> None:
        """Wait until so many more people are served."""
        async with self.answered, asyncio.timeout(SECONDS):
            until = self.said["booked"] + more
            await self.answered.wait_for(lambda: self.said["booked"] >= until)

    async def close(self) -> int:
        """Ask it to go; answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        await self.hearing
        return await self.process.wait()

    async def _hear(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            word, _, code = line.decode().strip().partition(" ")
            async with self.answered:
                self.said[word] += 1
                if code:
                    self.codes.append(code)
                self.answered.notify_all()


def expand(engine: Engine) -> None:
    """What the next version's migration does: it only adds."""
    with engine.connect() as connection, backend(engine.dialect.name).taking_turn(connection):
        for statement in (
            "ALTER TABLE booking ADD COLUMN reminded VARCHAR(40)",
            "ALTER TABLE event ADD COLUMN kiosk VARCHAR(40) DEFAULT '' NOT NULL",
            "CREATE TABLE reminder (booking VARCHAR(9) PRIMARY KEY)",
            "CREATE INDEX ix_booking_reminded ON booking (reminded)",
            "UPDATE alembic_version SET version_num = '9001'",
        ):
            connection.execute(text(statement))
        connection.commit()


def contract(engine: Engine) -> None:
    """What a later version's does: programs older than 9001 cannot work with the records any more."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE layout SET oldest = '9001'"))


async def test_a_rolling_restart_with_a_migration_in_the_middle_turns_nobody_away(folder: Path) -> None:  # noqa: F811
    async with clinic_in(folder, capacity=100_000, clock=lately()) as clinic:
        injections = await injected(clinic, await clinic.vaccine(doses=90_000), people=8)
    settings = settings_in(folder)
    engine = await asyncio.to_thread(writer_engine, settings.records_url)
    fronts = [Front(folder, (n + 1) * 1_000_000, injections[2 * n : 2 * n + 2]) for n in range(FRONTS)]
    gone: list[Front] = []
    async with workers_of(settings) as workers:
        for front in fronts:
            await front.open()
        for number, part in enumerate(Part):
            assert await workers.drain(part) == 0
            await workers.start([part])
            await fronts[number % FRONTS].served(50)
        await asyncio.to_thread(expand, engine)
        for number in range(FRONTS):
            assert await fronts[number].close() == 0
            gone.append(fronts[number])
            await fronts[1 - number].served(50)
            fronts[number] = Front(
                folder, (number + 3) * 1_000_000, injections[4 + 2 * number : 6 + 2 * number]
            )
            await fronts[number].open()
        for part in Part:
            assert await workers.drain(part) == 0
            await workers.start([part])
        for front in fronts:
            assert await front.close() == 0
        await everything_asked_was_answered_and_is_there(folder, [*gone, *fronts])
    contract(engine)
    with pytest.raises(RecordsNewer):
        migrate(engine)
    engine.dispose()


async def everything_asked_was_answered_and_is_there(folder: Path, fronts: list[Front]) -> None:  # noqa: F811
    said = sum((front.said for front in fronts), Counter[str]())
    assert said["asked"] == said["booked"] + said["applied"] > 300
    assert said["applied"] == 8
    async with clinic_in(folder, capacity=100_000, parts=()) as clinic:
        async with asyncio.timeout(120):
            await clinic.services.settle()
        await nothing_is_missing(clinic, {code for front in fronts for code in front.codes})
    await my_page_is_what_the_events_tell(clinic.settings)


async def nothing_is_missing(clinic: OpenClinic, codes: set[str]) -> None:
    assert await clinic.violations() == []
    now = statuses(clinic.settings)
    assert {code for code in codes if code.startswith("B")} <= now.keys()
    assert visits(clinic.settings) == {c for c, status in now.items() if status in {"reserved", "completed"}}
