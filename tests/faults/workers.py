"""Parts of a clinic as real processes, to be killed, drained and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.parts import Part
from kiosk.settings import Settings
from kiosk.status import ask_all
from tests.clinics import TestClock

SECONDS = 60.0
"""How long a process may take to start or to end on a busy machine."""


def environment(settings: Settings) -> dict[str, str]:
    """The environment under which `kiosk` finds this clinic."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
    chosen = {
        "KIOSK_CONFIG": os.devnull,
        "KIOSK_DATA_FOLDER": str(settings.data_folder),
        "KIOSK_PAPER_FOLDER": str(settings.paper_folder),
        "KIOSK_LOG_FOLDER": str(settings.log_folder),
        "KIOSK_DATABASE_URL": settings.database_url,
        "KIOSK_MYPAGE_URL": settings.mypage_url,
    }
    return {**own, **{name: value for name, value in chosen.items() if value}}


async def kiosk(settings: Settings, *arguments: str) -> Process:
    """`kiosk` with these arguments, on this clinic."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk", *arguments, env=environment(settings), stdout=DEVNULL, stderr=DEVNULL
    )


async def running(settings: Settings, role: str) -> list[int]:
    """The numbers of the processes of this role that answer."""
    answers = await ask_all(settings.running_folder)
    named = [answer.process.rpartition("-") for answer in answers if answer.report]
    return [int(number) for name, _, number in named if name == role]


def lately() -> TestClock:
    """An open morning of last week: processes go by the real time, and keys are valid once they are made."""
    last_week = datetime.now(UTC) - timedelta(days=7)
    monday = last_week - timedelta(days=last_week.weekday())
    return TestClock(monday.replace(hour=0, minute=30, second=0, microsecond=0))


@dataclass
class Workers:
    """One worker a part."""

    settings: Settings
    processes: dict[Part, Process] = field(default_factory=dict)

    async def start(self, parts: Sequence[Part]) -> None:
        """Start them, and wait until each is at work."""
        for part in parts:
            self.processes[part] = await kiosk(self.settings, "worker", part)
        async with asyncio.timeout(SECONDS):
            for part in parts:
                while self.processes[part].pid not in await running(self.settings, f"worker-{part}"):
                    assert self.processes[part].returncode is None, f"{part} did not start"
                    await asyncio.sleep(0.02)

    async def kill(self, parts: Sequence[Part]) -> None:
        """Without a word."""
        for part in parts:
            self.processes[part].send_signal(signal.SIGKILL)
        for part in parts:
            await self.processes[part].wait()

    async def drain(self, part: Part) -> int:
        """Ask one to finish what it is at; answers its exit code."""
        self.processes[part].send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            return await self.processes[part].wait()


@asynccontextmanager
async def workers_of(settings: Settings) -> AsyncIterator[Workers]:
    """Every part at work in a process of its own; killed in the end."""
    workers = Workers(settings)
    try:
        await workers.start(list(Part))
        yield workers
    finally:
        await workers.kill([p for p, process in workers.processes.items() if process.returncode is None])


def papers(folder: Path) -> set[str]:
    """The certificates whose paper is in the folder."""
    return {path.stem.removeprefix("certificate-") for path in folder.glob("certificate-*.pdf")}
