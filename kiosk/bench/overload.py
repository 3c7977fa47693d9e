"""When everybody comes at once: closed loop, open loop, several processes, beside a bare connection.

Every load is given in rounds of two seconds, and before each round the bare connection is measured anew,
so that both sides of a ratio have met the same machine.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from domain.actors import STAFF_ROLES, Actor
from domain.vaccine import AddStock, RegisterVaccine
from kiosk import itself
from kiosk.bench import slow_disk
from kiosk.bench.clients import settings_in
from kiosk.bootstrap import open_clinic
from kiosk.upkeep import check_clinic

CLIENTS = 200
SCARCE, LOTS, DOSES = 100, 10, 100_000
"""Doses of the vaccine that sells out, and the lots of the other with the doses in each."""
ROUND, BARE, LOOK = 2.0, 0.5, 1.0
"""Seconds of a round of load, of the bare connection before it, and of the look at what can be served."""
STAFF = Actor("bench", STAFF_ROLES)


@dataclass(frozen=True)
class Load:
    """What comes to the clinic: 200 clients at once, or, in an open loop, arrivals."""

    name: str
    processes: int = 1
    arriving: float = 0.0
    """So many times what can be served; 0 for the closed loop."""
    parts: bool = False
    """Whether the parts work in the same process, instead of leaving theirs in the outbox."""


LOADS = (
    Load("200 clients, 1 process"),
    Load("200 clients, 2 processes", processes=2),
    Load("200 clients, 4 processes", processes=4),
    Load("200 clients, parts at work", parts=True),
    Load("0.5 x the capacity arrives", processes=2, arriving=0.5),
    Load("1 x the capacity arrives", processes=2, arriving=1.0),
    Load("2 x the capacity arrives", processes=2, arriving=2.0),
    Load("4 x the capacity arrives", processes=2, arriving=4.0),
)


@dataclass
class Served:
    """What one side has done in all its rounds together."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, answer: dict[str, Any]) -> None:
        """One more round."""
        self.outcomes.update(answer["outcomes"])
        self.problems.update(answer.get("problems", {}))
        self.waits += answer.get("waits", ())
        self.seconds += answer["seconds"]

    @property
    def rate(self) -> float:
        """How many were answered in a second."""
        return _answered(self.outcomes) / self.seconds


@dataclass(frozen=True)
class Row:
    """One load, as it went."""

    load: str
    accepted: int
    sold_out: int
    refused: int
    failed: int
    oversold: int
    """Rows that break a rule of `kiosk check`, and acknowledged bookings that are not there."""
    rate: float
    """Answered in a second."""
    of_bare: float
    of_capacity: float | None
    """In an open loop: of what a closed loop was answered between its rounds."""
    p50: float
    p99: float
    longest: float
    """Milliseconds until an answer, from when somebody came."""
    fairness: float
    """The slowest process over the fastest."""
    bare: float
    """What the bare connection did in a second between the rounds."""
    problems: dict[str, int]
    """What failed, or is wrong with the records."""


class Overload:
    """The whole comparison, in one folder."""

    def __init__(self, folder: Path, seconds: float, flush_ms: float) -> None:
        self._folder = folder
        self._rounds = max(1, round(seconds / ROUND))
        self._seconds = seconds / self._rounds
        self._environment = {**itself.environment(), **slow_disk.environment(folder, flush_ms)}
        self._places = count()

    def rows(self) -> Iterator[Row]:
        """Each as soon as it is known."""
        for load in LOADS:
            yield asyncio.run(self._row(load))

    async def _row(self, load: Load) -> Row:
        folder = self._folder / str(next(self._places))
        folder.mkdir()
        await _prepare(folder)
        bare = Served()
        kiosks, looks = ([Served() for _ in range(load.processes)] for _ in range(2))
        async with AsyncExitStack() as opened:
            connection = await opened.enter_async_context(self._started("bare", folder))
            kind = "kiosk-with-parts" if load.parts else "kiosk"
            crowd = [
                await opened.enter_async_context(self._started(kind, folder, str(n * 10_000_000)))
                for n in range(load.processes)
            ]
            for _ in range(self._rounds):
                await _round([connection], [bare], seconds=BARE)
                closed = {"clients": CLIENTS // load.processes, "typed": not load.arriving}
                if not load.arriving:
                    await _round(crowd, kiosks, **closed, seconds=self._seconds)
                    continue
                capacity = await _round(crowd, looks, **closed, seconds=LOOK)
                rate = load.arriving * capacity / load.processes
                await _round(crowd, kiosks, rate=rate, typed=False, seconds=self._seconds)
        wrong = await _wrong_with(folder, [*kiosks, *looks])
        return _row_of(load, kiosks, bare, looks, wrong)

    def _started(self, *arguments: str | Path) -> _Started:
        return _Started(self._environment, *map(str, arguments))


class _Started:
    """A process of `kiosk.bench.clients` that is ready; told that there is no more when it is left."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._environment, self._arguments = environment, arguments

    async def __aenter__(self) -> Process:
        self._process = await asyncio.create_subprocess_exec(
            *itself.command("kiosk.bench.clients"), *self._arguments,
            stdin=PIPE, stdout=PIPE, env=self._environment, limit=1 << 30,
        )  # fmt: skip
        assert self._process.stdout
        await self._process.stdout.readline()
        return self._process

    async def __aexit__(self, *_: object) -> None:
        await self._process.communicate(b"")  # nothing more: it closes its clinic and ends


async def _round(processes: list[Process], sides: list[Served], **asked: float) -> float:
    """All of them at the same moment; answers how many they answered in a second together."""
    answers = await asyncio.gather(*(_asked(process, asked) for process in processes))
    for side, answer in zip(sides, answers, strict=True):
        side.add(answer)
    speeds: list[float] = [_answered(answer["outcomes"]) / answer["seconds"] for answer in answers]
    return sum(speeds)


async def _asked(process: Process, asked: dict[str, float]) -> dict[str, Any]:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(asked).encode() + b"\n")
    await process.stdin.drain()
    answer: dict[str, Any] = json.loads(await process.stdout.readline())
    return answer


def _answered(outcomes: dict[str, int]) -> int:
    """Those who were given a dose, or the word that none is left."""
    return outcomes.get("accepted", 0) + outcomes.get("sold out", 0)


async def _prepare(folder: Path) -> None:
    """A clinic with two vaccines: doses for everybody, and doses for a few."""
    services = await open_clinic(settings_in(folder))
    expiry = services.clinic.today(services.clock.now()) + timedelta(days=100)
    for presentation, lots, doses in zip(services.formulary, (LOTS, 1), (DOSES, SCARCE), strict=False):
        vaccine = await services.gateway.send(RegisterVaccine(presentation), STAFF)
        for number in range(lots):
            await services.gateway.send(AddStock(vaccine.code, f"LOT{number}", expiry, doses), STAFF)
    await services.close()


async def _wrong_with(folder: Path, served: list[Served]) -> Counter[str]:
    """What is wrong with the records at the end, in words."""
    checked = await check_clinic(settings_in(folder))
    wrong = Counter(violation.says for violation in checked.violations)
    if (lost := sum(side.outcomes["accepted"] for side in served) - checked.rows.get("booking", 0)) > 0:
        wrong["acknowledged and not there"] = lost
    return wrong


def _row_of(load: Load, kiosks: list[Served], bare: Served, looks: list[Served], wrong: Counter[str]) -> Row:
    outcomes = sum((kiosk.outcomes for kiosk in kiosks), Counter[str]())
    waits = sorted(wait for kiosk in kiosks for wait in kiosk.waits) or [0.0]
    rates = [kiosk.rate for kiosk in kiosks]
    capacity = sum(look.rate for look in looks) if load.arriving else None
    return Row(
        load=load.name,
        accepted=outcomes["accepted"],
        sold_out=outcomes["sold out"],
        refused=outcomes["refused"],
        failed=outcomes["failed"] + sum(look.outcomes["failed"] for look in looks),
        oversold=wrong.total(),
        rate=sum(rates),
        of_bare=sum(rates) / bare.rate,
        of_capacity=sum(rates) / capacity if capacity else None,
        p50=1000 * waits[len(waits) // 2],
        p99=1000 * waits[len(waits) * 99 // 100],
        longest=1000 * waits[-1],
        fairness=min(rates) / max(rates),
        bare=bare.rate,
        problems=sum((side.problems for side in (*kiosks, *looks)), wrong),
    )


def temporary_folder(parent: Path | None) -> tempfile.TemporaryDirectory[str]:
    """Thrown away in the end; on the disk that is asked for."""
    return tempfile.TemporaryDirectory(prefix="clinic-bench-", dir=parent)
