"""The relay: keeps the parts of the clinic at work, each by itself, whatever becomes of the others.

Each part has a loop: what it listens to first, then its tasks. A part that fails is tried again after a
pause, and keeps no other part waiting. Any number of processes may run the same parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.errors import Resting
from domain.events import Recorded
from domain.parts import LoopState, Part
from domain.policies import HEARS
from storage.leases import Leases
from storage.listeners import Listener, problem_of
from storage.outbox import Outbox
from storage.tasks import ATTEMPTS, TaskQueue, passes

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a failed part is tried again, doubled each time."""
STANDBY, SOON = 1.0, 0.02
"""Seconds until a part that another process is at is looked at again; the second when somebody waits."""

QUIET, LONGEST_WAIT = 0.1, 1.0
"""Seconds without a commit after which the parts take over, and how long people may keep them waiting."""
STAND_BACK = 0.6
"""Seconds without a commit after which a process that serves nobody listens, or another that does has not:
longer than another's commits to a file may go unnoticed (`storage.changes`)."""

log = logging.getLogger(__name__)


@dataclass
class Loop:
    """One part in this process, and how it is getting on."""

    part: Part
    listener: Listener | None
    queue: TaskQueue | None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    state: LoopState = LoopState.RESTING
    problem: str = ""
    seen: int = 0
    """Up to here there are no events for it but those it has dealt with."""
    mark: str = ""
    """The id of the event there, as far as it is known."""
    tries: Counter[int] = field(default_factory=Counter)
    """How often a single event was brought in vain."""


class Relay:
    """Runs the loops from `start` to `close`."""

    def __init__(self, outbox: Outbox, leases: Leases, serves: Callable[[], bool] = lambda: False) -> None:
        """A process that ``serves`` people has its parts' leases already while it lets them go first: others
        leave to it what follows from its commits, and have their time for people of their own."""
        self._outbox = outbox
        self._serves = serves
        self._leases = leases
        self._moved = asyncio.Condition()
        self._loops: dict[Part, Loop] = {}
        self._listeners: dict[Part, Listener] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._hurry = 0
        self._closing = False

    def start(self, loops: Sequence[Loop], listeners: Sequence[Listener]) -> None:
        """Begin with what was left from the last time. ``listeners`` are of all parts, wherever they work."""
        self._listeners = {listener.part: listener for listener in listeners}
        self._loops = {loop.part: loop for loop in loops}
        self._tasks = [asyncio.create_task(self._run(loop), name=loop.part) for loop in loops]

    @property
    def loops(self) -> Sequence[Loop]:
        """The parts of this process, to be looked at."""
        return list(self._loops.values())

    def wake(self) -> None:
        """Something was committed."""
        for loop in self._loops.values():
            loop.wake.set()

    async def settle(self) -> None:
        """Wait until every part knows all that is committed, and nothing new follows from it."""
        last = -1
        async with self._hurried():
            while last != (last := await self._outbox.last()):
                for part in self._listeners:
                    if not (await self._outbox.ahead(part)).paused:
                        await self._known(part, last)
                for part in Part:
                    await self._worked_off(part)

    async def close(self) -> None:
        """Finish the batch or the task that each part is at, then stop."""
        self._closing = True
        self.wake()
        for task in self._tasks:
            await task
        await self._leases.close()

    # -- waiting for a part -----------------------------------------------------------------------

    async def _known(self, part: Part, seq: int) -> None:
        if loop := self._loops.get(part):
            while loop.seen < seq and not await self._outbox.is_paused(part):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STANDBY), self._moved:
                        await self._moved.wait_for(lambda: loop.seen >= seq)
            return
        listener = self._listeners[part]
        while True:  # another process is at it
            waiting = await self._outbox.after(await listener.position(), 1, HEARS[listener.part])
            if not waiting.events or waiting.events[0].seq > seq:
                return
            await asyncio.sleep(SOON)

    async def _worked_off(self, part: Part) -> None:
        while (ahead := await self._outbox.ahead(part)).tasks and not ahead.paused:  # noqa: ASYNC110
            await asyncio.sleep(SOON)

    @asynccontextmanager
    async def _hurried(self) -> AsyncIterator[None]:
        self._hurry += 1
        self.wake()
        try:
            yield
        finally:
            self._hurry -= 1

    # -- a part's loop ----------------------------------------------------------------------------

    async def _run(self, loop: Loop) -> None:
        pause, woken = FIRST_PAUSE, False
        while not self._closing:
            loop.wake.clear()
            try:
                again = await self._turn(loop, woken)
                pause, woken, loop.problem = FIRST_PAUSE, True, ""
                await self._wait(loop, again)
            except Exception as problem:  # noqa: BLE001 - whatever a part meets, it is tried again
                loop.state, woken = LoopState.FAILING, False
                if not (isinstance(problem, Resting) and loop.problem):  # why it rests says more than that
                    loop.problem = problem_of(problem)
                rest = max(pause, _rest_of(problem))
                log.error("%s met %s and tries again in %.1f s", loop.part, loop.problem, rest)
                await self._rest(loop, rest)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _turn(self, loop: Loop, woken: bool) -> float | None:
        """Do what there is to do; answers after how many seconds to look again, None for when woken."""
        serves = self._serves()
        if woken and not serves:
            await self._let_people_go_first(loop, STAND_BACK if loop.listener else QUIET)
        async with self._leases.hold(f"part:{loop.part}") as held:
            if woken and serves:
                await self._let_people_go_first(loop, QUIET)
            ahead = await self._outbox.ahead(loop.part, loop.seen)
            if loop.mark != ahead.mark:  # the records were put back to an earlier state, with their server
                loop.seen, loop.mark = (0, "") if loop.mark else (loop.seen, ahead.mark)
            if ahead.paused:
                loop.state = LoopState.PAUSED
                return None
            loop.state, again = LoopState.WORKING, None
            if loop.listener and await self._seen(loop, loop.listener) < ahead.last:
                if held:
                    await self._catch_up(loop, loop.listener, ahead.last)
                else:
                    again = SOON if self._hurry else STANDBY
                    await self._moved_to(loop, await loop.listener.position())
                ahead = await self._outbox.ahead(loop.part)  # it may have made tasks for itself
        if loop.queue and (ahead.tasks or loop.queue.has_unwritten):
            while await loop.queue.work_off(lambda: self._closing):
                pass
            if again is None and (await self._outbox.ahead(loop.part)).tasks:
                again = SOON if self._hurry else STANDBY  # other processes are at them
        loop.state = LoopState.STANDBY if again else LoopState.RESTING
        return again

    async def _seen(self, loop: Loop, listener: Listener) -> int:
        """A listener that hears all knows best: its own database may have gone back in time."""
        if listener.hears_all:
            position = await listener.position()
            await self._moved_to(loop, position)
            return position
        return loop.seen

    async def _catch_up(self, loop: Loop, listener: Listener, last: int) -> None:
        """As far as this event: then a process that serves people may go on with what it commits itself.

        Another process may have brought some of these events already: the listener itself knows.
        """
        position = await listener.position()
        if not listener.hears_all:  # it keeps no place for what is not for it
            position = max(loop.seen, position)
        more = True
        while more and not self._closing:
            stretch = await self._outbox.after(position, listener.most, HEARS[listener.part])
            if stretch.events:
                await self._deal(loop, listener, stretch.events)
            position = max(position, stretch.upto)
            await self._moved_to(loop, position, stretch.mark)
            # Fewer were the last: newer ones wake the part again.
            more = len(stretch.events) == listener.most and position < last
            more = more and not await self._outbox.is_paused(loop.part)

    async def _deal(self, loop: Loop, listener: Listener, events: Sequence[Recorded]) -> None:
        """All at once; when one of them is to blame, each by itself, and that one aside in the end."""
        try:
            await listener.deal_with(events)
            return
        except Exception as error:
            if passes(error):
                raise
            if len(events) == 1:
                await self._struggle(loop, listener, events[0], error)
                return
        for recorded in events:
            await self._deal(loop, listener, [recorded])

    async def _struggle(self, loop: Loop, listener: Listener, recorded: Recorded, error: Exception) -> None:
        loop.tries[recorded.seq] += 1
        if loop.tries[recorded.seq] < ATTEMPTS:
            raise error
        problem = problem_of(error)
        log.error("%s put event %d aside: %s", loop.part, recorded.seq, problem)
        await listener.put_aside(recorded, problem)
        del loop.tries[recorded.seq]

    async def _moved_to(self, loop: Loop, position: int, mark: str = "") -> None:
        async with self._moved:
            if position > loop.seen:
                loop.seen, loop.mark = position, mark
            self._moved.notify_all()

    async def _wait(self, loop: Loop, seconds: float | None) -> None:
        """Until something is committed, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(loop.wake.wait(), seconds)

    async def _rest(self, loop: Loop, seconds: float) -> None:
        """So many seconds, whatever is committed: a part that fails would wake itself by its own tries."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._closing:
                    loop.wake.clear()
                    await loop.wake.wait()

    async def _let_people_go_first(self, loop: Loop, quiet: float) -> None:
        """While somebody is being served the parts wait, unless somebody waits for a part."""
        clock = asyncio.get_running_loop()
        until = clock.time() + LONGEST_WAIT
        while not self._hurry and not self._closing and clock.time() < until:
            loop.wake.clear()
            try:
                await asyncio.wait_for(loop.wake.wait(), quiet)
            except TimeoutError:
                return


def _rest_of(problem: Exception) -> float:
    """Seconds for which it is known that trying again is in vain."""
    return float(str(problem.facts["seconds"])) if isinstance(problem, Resting) else 0.0
