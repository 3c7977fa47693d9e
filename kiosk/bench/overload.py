"""When everybody comes at once: closed loop, open loop, several processes, beside a bare connection."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from domain.actors import STAFF_ROLES, Actor
from domain.vaccine import AddStock, RegisterVaccine
from kiosk.bench import slow_disk
from kiosk.bench.clients import settings_in
from kiosk.bootstrap import check_clinic, open_clinic

CLIENTS = 200
PROCESSES = (1, 2, 4)
LOADS = (0.5, 1.0, 2.0, 4.0)
SCARCE = 500
"""Doses of the vaccine that sells out."""
PLENTY = 100_000_000
BARE_SECONDS = 2.0
STAFF = Actor("bench", STAFF_ROLES)


@dataclass(frozen=True)
class Row:
    """One load, as it went."""

    load: str
    accepted: int
    sold_out: int
    refused: int
    failed: int
    goodput: float
    """Answered bookings a second."""
    ratio: float
    """Of the bare connection."""
    p50: float
    p99: float
    longest: float
    """Milliseconds until an answer."""
    fairness: float
    """The slowest process over the fastest."""
    oversold: int


class Overload:
    """The whole comparison, in one folder."""

    def __init__(self, folder: Path, seconds: float, flush_ms: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self._environment = {**os.environ, **slow_disk.environment(folder, flush_ms)}
        self._places = count()
        self.bares: list[float] = []

    def rows(self) -> Iterator[Row]:
        """Each as soon as it is known; every one stands between two looks at the bare connection."""
        self._bare()
        capacity = 0.0
        for processes in PROCESSES:
            asked = {"clients": CLIENTS // processes, "seconds": self._seconds}
            row = self._run(f"{CLIENTS} clients, processes: {processes}", processes, asked)
            capacity = capacity or row.goodput
            yield row
        for load in LOADS:
            asked = {"rate": load * capacity, "seconds": self._seconds}
            yield self._run(f"{load:g} x the capacity arrives", 1, asked)

    def _run(self, load: str, processes: int, asked: dict[str, float]) -> Row:
        folder = self._folder / str(next(self._places))
        folder.mkdir()
        asyncio.run(_prepare(folder))
        answers = asyncio.run(self._served(folder, processes, asked))
        oversold = len(asyncio.run(check_clinic(settings_in(folder))).violations)
        bare = median([self.bares[-1], self._bare()])
        outcomes = sum((Counter(answer["outcomes"]) for answer in answers), Counter[str]())
        waits = sorted(wait for answer in answers for wait in answer["waits"])
        speeds = [_answered(answer) / answer["seconds"] for answer in answers]
        cuts = quantiles(waits, n=100)
        return Row(
            load, outcomes["accepted"], outcomes["sold out"], outcomes["refused"],
            outcomes["failed"] + outcomes["left"], sum(speeds), sum(speeds) / bare,
            1000 * cuts[49], 1000 * cuts[98], 1000 * waits[-1], min(speeds) / max(speeds), oversold,
        )  # fmt: skip

    async def _served(self, folder: Path, processes: int, asked: dict[str, float]) -> list[dict[str, Any]]:
        """What each process says at the end; all begin at the same moment."""
        crowd = [await self._process("serve", str(folder), str(n * 10_000_000)) for n in range(processes)]
        for process in crowd:
            assert process.stdout
            await process.stdout.readline()
        line = json.dumps(asked).encode() + b"\n"
        outputs = await asyncio.gather(*(process.communicate(line) for process in crowd))
        return [json.loads(output[0]) for output in outputs]

    def _bare(self) -> float:
        async def run() -> float:
            process = await self._process("bare", str(self._folder), str(BARE_SECONDS))
            return float((await process.communicate())[0])

        self.bares.append(asyncio.run(run()))
        return self.bares[-1]

    async def _process(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kiosk.bench.clients", *arguments,
            stdin=PIPE, stdout=PIPE, env=self._environment, limit=1 << 30,
        )  # fmt: skip


async def _prepare(folder: Path) -> None:
    """A clinic with two vaccines: doses for everybody, and doses for a few."""
    services = await open_clinic(settings_in(folder))
    expiry = services.clinic.today(services.clock.now()) + timedelta(days=100)
    for presentation, doses in zip(services.formulary, (PLENTY, SCARCE), strict=False):
        vaccine = await services.gateway.send(RegisterVaccine(presentation), STAFF)
        for _ in range(max(1, doses // 100_000)):
            await services.gateway.send(AddStock(vaccine.code, "LOT1", expiry, min(doses, 100_000)), STAFF)
    await services.settle()
    await services.close()


def _answered(answer: dict[str, Any]) -> int:
    outcomes = answer["outcomes"]
    return int(outcomes.get("accepted", 0) + outcomes.get("sold out", 0))


def temporary_folder(parent: Path | None) -> tempfile.TemporaryDirectory[str]:
    """Thrown away in the end; on the disk that is asked for."""
    return tempfile.TemporaryDirectory(prefix="clinic-bench-", dir=parent)
