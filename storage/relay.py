"""The relay: brings every event to every part of the clinic, in order, once in effect.

A part keeps its place in the same transaction as what it did, so it may be stopped or killed
anywhere: the event is brought again, and found to be done. A part that fails is tried again after
a pause, and keeps no other part waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from domain.errors import ClinicError
from domain.events import Event, Recorded
from domain.ports import UnitOfWork
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from storage.unit_of_work import SqlUnitOfWork
from storage.writer import SqlWriter

BATCH = 100
"""Events brought at a time: seventeen times faster than one by one, and still a short transaction."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a failed part is tried again, doubled each time."""

QUIET, LONGEST_WAIT = 0.1, 1.0
"""Seconds without a commit after which the parts take over, and how long people may keep them waiting."""

log = logging.getLogger(__name__)

React = Callable[[str, UnitOfWork, Event], None]


class Part(Protocol):
    """Something that listens to the events of the clinic."""

    @property
    def name(self) -> str: ...
    async def position(self) -> int:
        """The last event it has dealt with."""

    async def deal_with(self, events: Sequence[Recorded], react: React) -> int:
        """Deal with these events, in order; answers its new position."""


@dataclass(frozen=True)
class PolicyPart:
    """A part whose doing lies in the records: its policies run in the one writer."""

    name: str
    writer: SqlWriter
    outbox: Outbox

    async def position(self) -> int:
        """As kept in the records."""
        return await self.outbox.position(self.name)

    async def deal_with(self, events: Sequence[Recorded], react: React) -> int:
        """All of them in one transaction, with the new position."""

        def work(uow: Any) -> int:
            assert isinstance(uow, SqlUnitOfWork)
            position = uow.position(self.name)
            for recorded in events:
                if recorded.seq > position:
                    react(self.name, uow, recorded.event)
                    position = recorded.seq
            uow.save_position(self.name, position)
            return position

        return await self.writer.run(work, f"{self.name}:{events[0].seq}-{events[-1].seq}", "Relay")


@dataclass(frozen=True)
class ProjectorPart:
    """My page: told in its own database."""

    name: str
    mypage: MyPageStore

    async def position(self) -> int:
        """As kept in the view."""
        return await self.mypage.position()

    async def deal_with(self, events: Sequence[Recorded], react: React) -> int:
        """All of them in one transaction, with the new position."""
        return await self.mypage.tell(events)


class Relay:
    """Runs each part as a task of its own, from `start` to `close`."""

    def __init__(self, outbox: Outbox, parts: Sequence[Part]) -> None:
        self._outbox = outbox
        self._parts = parts
        self._wakes = {part.name: asyncio.Event() for part in parts}
        self._moved = asyncio.Condition()
        self._positions: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._hurry = 0
        self._closing = False

    def start(self, react: React) -> None:
        """Begin with what was left from the last time; ``react`` applies a part's policies."""
        self._react = react
        self._tasks = [asyncio.create_task(self._run(part), name=part.name) for part in self._parts]

    def wake(self) -> None:
        """Something was committed."""
        for wake in self._wakes.values():
            wake.set()

    async def caught_up(self, name: str, seconds: float) -> bool:
        """Wait until a part knows all that is committed by now; False when it takes longer than that."""
        last = await self._outbox.last()
        if self._knows(name, last):
            return True
        try:
            async with asyncio.timeout(seconds), self._hurried(), self._moved:
                await self._moved.wait_for(partial(self._knows, name, last))
        except TimeoutError:
            return False
        return True

    async def settle(self) -> None:
        """Wait until every part knows all that is committed, and nothing new follows from it."""
        last = -1
        async with self._hurried():
            while last != (last := await self._outbox.last()):
                for part in self._parts:
                    async with self._moved:
                        await self._moved.wait_for(partial(self._knows, part.name, last))

    async def close(self) -> None:
        """Finish the batch that each part is at, then stop."""
        self._closing = True
        self.wake()
        for task in self._tasks:
            await task

    async def _run(self, part: Part) -> None:
        pause, position = FIRST_PAUSE, -1
        while not self._closing:
            self._wakes[part.name].clear()
            try:
                if position < 0:
                    position = await part.position()
                    await self._moved_to(part, position)
                position = await self._catch_up(part, position)
                pause = FIRST_PAUSE
                await self._wait(part, None)
                await self._let_people_go_first(part)
            except Exception as problem:  # noqa: BLE001 - whatever a part meets, it is tried again
                name = type(problem).__name__ if isinstance(problem, ClinicError) else repr(problem)
                log.error("%s met %s and tries again in %.1f s", part.name, name, pause)
                position = -1
                await self._wait(part, pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _wait(self, part: Part, seconds: float | None) -> None:
        """Until something is committed, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wakes[part.name].wait(), seconds)

    async def _let_people_go_first(self, part: Part) -> None:
        """While somebody is being served the parts wait, unless somebody waits for a part."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_WAIT
        while not self._hurry and not self._closing and loop.time() < until:
            wake = self._wakes[part.name]
            wake.clear()
            try:
                await asyncio.wait_for(wake.wait(), QUIET)
            except TimeoutError:
                return

    @asynccontextmanager
    async def _hurried(self) -> AsyncIterator[None]:
        self._hurry += 1
        self.wake()
        try:
            yield
        finally:
            self._hurry -= 1

    def _knows(self, name: str, seq: int) -> bool:
        return self._positions.get(name, 0) >= seq

    async def _catch_up(self, part: Part, position: int) -> int:
        """Another process may have brought some of these events already: the part itself knows."""
        full = True  # a batch that is not full was the last there is: newer events wake the part again
        while full and not self._closing:
            events = await self._outbox.after(position, BATCH)
            full = len(events) == BATCH
            if events:
                position = await part.deal_with(events, self._react)
                await self._moved_to(part, position)
        return position

    async def _moved_to(self, part: Part, position: int) -> None:
        async with self._moved:
            self._positions[part.name] = position
            self._moved.notify_all()
