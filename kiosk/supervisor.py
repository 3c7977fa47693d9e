"""The parts as processes: started, brought back when they die, and as many issuing as the backlog wants."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from kiosk.itself import environment

log = logging.getLogger("kiosk.supervisor")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that died is brought back, doubled while it keeps dying."""
STEADY = 10.0
"""A process that has lived so many seconds is well again."""
SILENCES = 3
"""So many times in a row a process may fail to answer."""
LOOK_SECONDS = 1.0
"""How often the backlog is looked at."""
GRACE = 80.0
"""Seconds in which whoever was told to go finishes what it is at, a sheet that is drawn, printed and perhaps
withdrawn takes longest: less than systemd gives to all of them."""


@dataclass
class Scale:
    """How many workers a backlog wants: more at once, fewer only when it has been small for a while."""

    least: int = 1
    most: int = 10
    each: int = 25
    """So many tasks are enough for one worker."""
    patience: float = 30.0
    """Seconds for which a backlog has to be small before workers go."""
    _wants: deque[tuple[float, int]] = field(default_factory=deque, init=False)

    def wanted(self, backlog: int, now: float) -> int:
        """The most that any backlog of the last while has wanted."""
        self._wants.append((now, max(self.least, min(self.most, -(-backlog // self.each)))))
        while self._wants[0][0] <= now - self.patience:
            self._wants.popleft()
        return max(want for _, want in self._wants)


@dataclass(eq=False)
class Child:
    """One process that is kept alive until it is told to go."""

    name: str
    command: Sequence[str]
    process: Process | None = None
    going: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep it alive."""
        self.task = asyncio.create_task(self._keep(), name=self.name)

    async def stop(self) -> None:
        """Let it finish what it is at; what hangs is ended."""
        self.going.set()
        self.send(signal.SIGTERM)
        if self.task and (await asyncio.wait([self.task], timeout=GRACE))[1]:
            log.warning("%s was told to go, does not, and is ended", self.name)
            self.send(signal.SIGKILL)
            await self.task

    def send(self, number: signal.Signals) -> None:
        """A signal, if it is there to hear it."""
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self.going.is_set():
            since = time.monotonic()
            code = await self._lived()
            if self.going.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - since > STEADY else min(pause * 2, LONGEST_PAUSE)
            log.warning("%s ended with %s and is brought back in %.1f s", self.name, code, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.going.wait(), pause)

    async def _lived(self) -> str:
        """Start it, and wait for its end; answers what that was."""
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE, env=_for_children()
            )
        except OSError as problem:  # no memory, no more processes: that passes
            return problem.strerror or type(problem).__name__
        if self.going.is_set():  # told to go while it was being started
            self.process.send_signal(signal.SIGTERM)
        return str(await self.process.wait())


class Supervisor:
    """One child a part, and as many of one part as it wants."""

    def __init__(
        self,
        *,
        parts: Sequence[str],
        command: Callable[[str], Sequence[str]],
        scaled: str,
        backlog: Callable[[], Awaitable[int]],
        silent: Callable[[], Awaitable[set[int]]],
        scale: Scale,
    ) -> None:
        self._command = command
        self._scaled = scaled
        self._backlog = backlog
        self._silent = silent
        self._silences: Counter[int] = Counter()
        self._scale = scale
        self._children = [Child(part, command(part)) for part in parts if part != scaled]
        self._workers: list[Child] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._scales = scaled in parts

    @property
    def workers(self) -> int:
        """How many of the part that scales."""
        return len(self._workers)

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; then every child finishes what it is at."""
        for child in self._children:
            child.start()
        while not stop.is_set():
            if self._scales:
                await self._adapt()
            await self._end_what_hangs()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        await asyncio.gather(*self._leaving, *(child.stop() for child in [*self._children, *self._workers]))

    async def _end_what_hangs(self) -> None:
        """What is there and does not answer, several times in a row, is brought back like a dead one."""
        try:
            silent = await self._silent()
        except OSError as problem:  # nobody could be asked, which says nothing of anybody
            log.warning("the workers cannot be asked: %s", problem.strerror)
            return
        self._silences = Counter({number: self._silences[number] + 1 for number in silent})
        for child in [*self._children, *self._workers]:
            if child.process and self._silences[child.process.pid] >= SILENCES:
                log.warning("%s does not answer and is ended", child.name)
                child.send(signal.SIGKILL)

    async def _adapt(self) -> None:
        try:
            backlog = await self._backlog()
        except Exception as problem:  # noqa: BLE001 - the workers go on, whatever the backlog is
            log.warning("the backlog is not known: %s", type(problem).__name__)
            backlog = self.workers * self._scale.each
        wanted = self._scale.wanted(backlog, time.monotonic())
        if wanted != self.workers:
            log.info("%d workers for %s, for a backlog of %d", wanted, self._scaled, backlog)
        while self.workers < wanted:
            child = Child(f"{self._scaled} {self.workers + 1}", self._command(self._scaled))
            self._workers.append(child)
            child.start()
        for child in self._workers[wanted:]:  # beside the looking, for they may take their time
            leaving = asyncio.create_task(child.stop())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        del self._workers[wanted:]


def _for_children() -> dict[str, str]:
    """The environment without what systemd has told the supervisor alone."""
    own = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    return {name: value for name, value in environment().items() if name not in own}
