"""The tasks of a part: done one after the other, or by several workers at once, each once.

A task is leased while somebody is at it. What fails for a reason that passes is tried again with
everything behind it; what fails by itself is tried a few times and then put aside, so that the rest goes on.

What takes longer than its limit may be either. It goes behind the others: when they are done it lay in this
one, which is put aside in the end; when so many in a row are too slow it lies in the whole, and they wait.
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

SLOW_IN_A_ROW = 3
"""So many are put aside for being slow before another has to be done in between."""

TOO_SLOW = "too-slow"
"""The problem of what took longer than its limit."""
INTERRUPTED = "interrupted"
"""The problem of what was begun and never ended: somebody has to look whether it was done."""

MOOT = (CertificateClosed, ApplicationClosed, NotCompleted, NotFound)
"""Overtaken by what happened since it was ordered (the injection was voided, for one): there is nothing to do
any more."""

CarryOut = Callable[[Task], Awaitable[None]]

Writing = tuple[Callable[[UnitOfWork], None], str]
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
    _slow: int = field(default=0, init=False)
    """How many were put aside for being slow since the last one was done."""

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
        for task in sorted(tasks, key=lambda task: task.attempts):
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
            if slow and aside:
                aside = self._slow < SLOW_IN_A_ROW
                self._slow += aside
            await self._end(task, TaskStatus.ASIDE if aside else TaskStatus.WAITING, problem, tried=1)
            if not aside:
                raise
        else:  # apart: what is done and cannot be recorded must not be done again because of that
            self._slow = 0
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

    async def _end(self, task: Task, status: TaskStatus, problem: str = "", tried: int = 0) -> None:
        def work(uow: UnitOfWork) -> None:
            now = uow.tasks.get(task.code)
            if not now.is_live:  # the lease was lost on the way, and somebody else has ended it
                return
            uow.tasks.save(replace(now, status=status, problem=problem, attempts=now.attempts + tried))
            if status is TaskStatus.ASIDE and task.kind is TaskKind.EVENT:
                for later in uow.tasks.live_of(task.part, task.subject):
                    if later.event > task.event:
                        uow.tasks.save(replace(later, status=TaskStatus.ASIDE, problem=BEHIND))

        await self._write((work, f"{task.code}:{secrets.token_hex(8)}"))

    async def _write(self, writing: Writing) -> None:
        """What the records cannot take now is known here, and written before anything else is done."""
        try:
            await self.writer.run_behind(*writing, "Relay")
        except (StorageUnavailable, OutcomeUnknown):
            self._unwritten.append(writing)
            raise
