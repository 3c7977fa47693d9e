"""An event loop in which nothing happens by chance: a seed says who goes next, and time is a number.

Whatever is ready is run in an order drawn from the seed, one step at a time. When nothing is ready the clock
jumps to the next timer, so nobody ever waits. There are no threads: what would run in one is a step too.

Every step belongs to the process (`Host`) in whose context it was planned. A host that was killed takes no
further step, not even those of its ``finally`` blocks; one that is frozen takes them later.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

R = TypeVar("R")


class Stuck(AssertionError):
    """Nothing can happen any more, or it goes on without end."""


@dataclass(eq=False)
class Host:
    """A process of the simulation, as far as the scheduler is concerned."""

    name: str
    dead: bool = False
    frozen: bool = False
    held_up: list[events.Handle] = field(default_factory=list)
    """The steps that it would have taken while it was frozen."""


HOST: contextvars.ContextVar[Host | None] = contextvars.ContextVar("host", default=None)
"""In whose name the step is taken that runs now; None is the world outside."""


class SeededLoop(asyncio.BaseEventLoop):
    """``shuffled`` False is the order of plain asyncio: first come, first served."""

    def __init__(self, random: Random, shuffled: bool = True, most_steps: int = 200_000) -> None:
        super().__init__()
        self._random = random
        self._shuffled = shuffled
        self._now = 0.0
        self._left = most_steps
        self._tasks: list[asyncio.Task[Any]] = []
        self.mistakes: list[BaseException] = []
        """What was raised where nobody could catch it."""
        self.set_task_factory(self._make_task)
        self.set_exception_handler(self._met)

    # -- what asyncio asks of a loop --------------------------------------------------------------

    def time(self) -> float:
        """The seconds that have passed since the beginning, though nobody waited for them."""
        return self._now

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        """There is one thread."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """A step of its own, like any other."""
        future = self.create_future()

        def work() -> None:
            try:
                answer = func(*args)
            except Exception as problem:  # noqa: BLE001 - as an executor does
                if not future.cancelled():
                    future.set_exception(problem)
            else:
                if not future.cancelled():
                    future.set_result(answer)

        self.call_soon(work)
        return future

    def run(self, main: Coroutine[Any, Any, R]) -> R:
        """Take steps until this is done. Raises what it raises, and `Stuck`."""
        task = self.create_task(main)
        events._set_running_loop(self)
        try:
            while not task.done():
                self._step()
        finally:
            events._set_running_loop(None)
        return task.result()

    def end(self, hosts: Sequence[Host]) -> None:
        """Clear away whatever still waits; what its ``finally`` blocks plan is not done any more."""
        for host in hosts:
            host.dead = True
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            if not task.done():
                with contextlib.suppress(RuntimeError):  # it would still wait for something
                    task.get_coro().close()  # type: ignore[union-attr]
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
        self._closed = True

    def fingerprint(self) -> tuple[int, float, float]:
        """Differs when anything went another way."""
        return self._left, self._now, self._random.random()

    # -- hosts ------------------------------------------------------------------------------------

    def thaw(self, host: Host) -> None:
        """It goes on where it stood."""
        host.frozen = False
        self._ready.extend(host.held_up)
        host.held_up.clear()

    def _make_task(self, loop: Any, work: Any, context: Any = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        self._tasks.append(task)
        return task

    def _met(self, loop: Any, context: dict[str, Any]) -> None:
        problem = context.get("exception")
        self.mistakes.append(problem or RuntimeError(context["message"]))

    # -- steps ------------------------------------------------------------------------------------

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Stuck("it goes on and on")
        if not self._ready:
            self._pass_time()
        handle = self._next()
        if handle._cancelled:
            return
        host = handle._context.get(HOST)
        if host is not None:
            if host.dead:
                return
            if host.frozen:
                host.held_up.append(handle)
                return
        handle._run()

    def _next(self) -> events.Handle:
        ready: deque[events.Handle] = self._ready  # type: ignore[attr-defined]
        if self._shuffled and len(ready) > 1:
            ready.rotate(self._random.randrange(len(ready)))
        return ready.popleft()

    def _pass_time(self) -> None:
        timers = self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not timers:
            raise Stuck("nothing can happen any more")
        self._now = max(self._now, timers[0]._when)
        while timers and timers[0]._when <= self._now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            self._ready.append(timer)  # type: ignore[attr-defined]
