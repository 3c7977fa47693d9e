"""The tasks of a part: done one after the other, or by several workers at once, each once.

A task is leased while somebody is at it. What fails for a reason that passes is tried again with
everything behind it; what fails by itself is tried a few times and then put aside, so that the rest goes on.

A task that overruns its time limit may be at fault itself, or everything may be slow. It is tried again
behind the others. If they are done in time, the task was at fault, and is put aside in the end. Once
`MOST_SLOW` tasks stand aside as too slow, and none was done in between, everything is slow: no more are
put aside.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from domain.errors import (
    ApplicationClosed,
    CannotSign,
    CertificateClosed,
    ClinicBusy,
    NotCompleted,
    NotFound,
    OutcomeUnknown,
    PaperFailed,
    Resting,
    StorageUnavailable,
)
from domain.parts import Part, Task, TaskKind, TaskStatus
from domain.ports import UnitOfWork
from domain.resilience import FAILURES
from storage.leases import Leases
from storage.listeners import BEHIND, Listener, problem_of
from storage.outbox import Outbox
from storage.writer import SqlWriter

AT_A_TIME = 20
ATTEMPTS = 5
"""So often is a task tried, or an event brought, before it is put aside."""

MOST_SLOW = 3
"""So many are put aside for being slow, whoever puts them there, before another has to be done in between."""

TOO_SLOW = "too-slow"
"""The problem of what took longer than its limit."""
INTERRUPTED = "interrupted"
"""The problem of what was begun and never ended: somebody has to look whether it was done."""

MOOT = (CertificateClosed, ApplicationClosed, NotCompleted, NotFound)
"""Overtaken by what happened since it was ordered (the injection was voided, for one): there is nothing to do
any more."""

CarryOut = Callable[[Task], Awaitable[None]]

Writing = tuple[Callable[[UnitOfWork], TaskStatus], str]
"""What is to be written, and under which command id."""

log = logging.getLogger(__name__)


def passes(error: Exception) -> bool:
    """Whether it lies in the circumstances, so that trying again later is right, however often."""
    if isinstance(error, PaperFailed):
        return not error.of_this_paper and not error.may_have_come_out
    return isinstance(error, (*FAILURES, Resting, ClinicBusy, CannotSign))


@dataclass
class TaskQueue:
    """The tasks of one part. ``listener`` is the part's own, for events that are tried again."""

    part: Part
    outbox: Outbox
    writer: SqlWriter
    leases: Leases
    carry_out: CarryOut
    listener: Listener | None
    together: bool = True
    """Whether several workers may be at different tasks at the same time."""
    once: bool = False
    """Whether what was begun must not be done again by itself: a sheet may be in the tray already."""
    _unwritten: list[Writing] = field(default_factory=list, init=False)
    """How tasks ended while the records were away."""
    _quick: bool = field(default=False, init=False)
    """Whether one was done here since one was put aside for being slow: the whole is not slow then."""

    @property
    def has_unwritten(self) -> bool:
        """Whether it knows an end that the records do not."""
        return bool(self._unwritten)

    async def work_off(self, closing: Callable[[], bool]) -> bool:
        """Do what waits; answers whether there may be more. Raises what some are to be tried again for."""
        while self._unwritten:
            await self._write(self._unwritten.pop())
        if self.together:
            return await self._some(closing)
        async with self.leases.hold(f"tasks:{self.part}") as held:
            if not held:
                return False
            for left in await self.outbox.begun(self.part):  # by whoever held this lease, and died with it
                await self._end(left, TaskStatus.ASIDE, INTERRUPTED)
            return await self._some(closing)

    async def _some(self, closing: Callable[[], bool]) -> bool:
        """Whatever fails by itself keeps no other waiting, and rests before it is tried again."""
        tasks = await self.outbox.tasks(self.part, AT_A_TIME)
        done, failed = 0, None
        for task in tasks:
            if closing() or await self.outbox.is_paused(self.part):
                return False
            async with self.leases.hold(f"task:{task.subject}") as held:
                if held and (due := await self.outbox.due(task.code)):
                    try:
                        await self._do(due)
                        done += 1
                    except Exception as error:
                        if passes(error):
                            raise
                        failed = error
        if failed:
            raise failed
        return done > 0

    async def _do(self, task: Task) -> None:
        """Raises what it is to be tried again for."""
        try:
            if task.kind is TaskKind.EVENT and self.listener:
                await self.listener.again(await self.outbox.event(task.event), task)
                return
            if self.once and not await self._begin(task):
                return
            await self.carry_out(task)
        except MOOT as refusal:
            await self._end(task, TaskStatus.DISCARDED, problem_of(refusal))
        except Exception as error:
            slow = isinstance(error, Resting) and error.over_limit
            if passes(error) and not slow:
                if self.once:
                    await self._end(task, TaskStatus.WAITING, problem_of(error))
                raise
            problem = TOO_SLOW if slow else problem_of(error)
            log.error("%s failed at a task: %s", self.part, problem)
            aside = task.attempts + 1 >= ATTEMPTS or getattr(error, "may_have_come_out", False)
            status = TaskStatus.ASIDE if aside else TaskStatus.WAITING
            if await self._end(task, status, problem, tried=1) is TaskStatus.WAITING:
                raise
            self._quick = self._quick and not slow
        else:  # apart: what is done and cannot be recorded must not be done again because of that
            self._quick = True
            await self._end(task, TaskStatus.DONE)

    async def _begin(self, task: Task) -> bool:
        """Say in the records that it is begun; False when somebody else has: the lease was lost."""

        def work(uow: UnitOfWork) -> bool:
            now = uow.tasks.get(task.code)
            if now.status is not TaskStatus.WAITING:
                return False
            uow.tasks.save(replace(now, status=TaskStatus.IN_PROGRESS))
            return True

        return await self.writer.run_behind(work, f"{task.code}:{secrets.token_hex(8)}", "Relay")

    async def _end(self, task: Task, status: TaskStatus, problem: str = "", tried: int = 0) -> TaskStatus:
        """Answers how it ended: too many may stand aside already."""
        quick = self._quick

        def work(uow: UnitOfWork) -> TaskStatus:
            now, end = uow.tasks.get(task.code), status
            if not now.is_live or now.at != task.at:  # ended by somebody else, or wished for again since
                return now.status
            if problem == TOO_SLOW and not quick and len(uow.tasks.aside(self.part, TOO_SLOW)) >= MOST_SLOW:
                end = TaskStatus.WAITING
            uow.tasks.save(replace(now, status=end, problem=problem, attempts=now.attempts + tried))
            if end is TaskStatus.ASIDE and task.kind is TaskKind.EVENT:
                for later in uow.tasks.live_of(task.part, task.subject):
                    if later.event > task.event:
                        uow.tasks.save(replace(later, status=TaskStatus.ASIDE, problem=BEHIND))
            return end

        return await self._write((work, f"{task.code}:{secrets.token_hex(8)}"))

    async def _write(self, writing: Writing) -> TaskStatus:
        """What the records cannot take now is known here, and written before anything else is done."""
        try:
            return await self.writer.run_behind(*writing, "Relay")
        except (StorageUnavailable, OutcomeUnknown):
            self._unwritten.append(writing)
            raise
