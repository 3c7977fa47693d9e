"""Mistakes in the order of things, one of each kind: a simulation that does not find them proves nothing.

Each is found in a few seeds that are written beside it. A change of the clinic or of the simulation moves
them: ``python -m tests.simulation [WORD…]`` looks for new ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from domain.errors import StorageUnavailable
from domain.events import Recorded
from domain.parts import Part, Task, TaskStatus
from storage import listeners, writer
from storage.listeners import PolicyListener, ProjectorListener
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from storage.relay import FIRST_PAUSE, LONGEST_PAUSE, Relay
from storage.repositories import SqlTasks
from storage.tasks import TaskQueue
from storage.unit_of_work import NOT_DONE, SqlUnitOfWork
from storage.writer import SqlWriter
from tests.simulation.stand_ins import WorldLocks

Make = Callable[[pytest.MonkeyPatch], None]
MUTANTS: list[Mutant] = []


@dataclass(frozen=True)
class Mutant:
    """One mistake."""

    name: str
    make: Make
    seeds: tuple[int, ...]
    """In which it is found, one at least; without it nothing is wrong in any of them."""


def mutant(name: str, *seeds: int) -> Callable[[Make], Make]:
    """Adds it to the others."""

    def add(make: Make) -> Make:
        MUTANTS.append(Mutant(name, make, seeds))
        return make

    return add


# -- the parts ----------------------------------------------------------------------------------------


@mutant("my page is told what it knows already", 872, 913)
def _(patch: pytest.MonkeyPatch) -> None:
    async def tell(self: Any, recorded: Sequence[Recorded], after: int = 0) -> int:
        async with self._writing() as connection:
            await self._apply(connection, recorded)
        return await real(self, recorded, after)

    real = MyPageStore.tell
    patch.setattr(MyPageStore, "tell", tell)


@mutant("leases are ignored, and a part's place is kept in another transaction", 1, 2)
def _(patch: pytest.MonkeyPatch) -> None:
    async def take(self: Any, number: int) -> bool:
        await self._world.chance.pause()
        return True

    async def deal_with(self: Any, events: Sequence[Recorded]) -> int:
        def work(uow: Any) -> None:
            for recorded in events:
                listeners.follow_by_relay(self.part, uow, recorded.event, self.now())

        def place(uow: Any) -> int:
            uow.save_position(self.part, events[-1].seq)
            return events[-1].seq

        await self._run(work, secrets.token_hex(8))
        return int(await self._run(place, secrets.token_hex(8)))

    patch.setattr(WorldLocks, "take", take)
    patch.setattr(PolicyListener, "deal_with", deal_with)


@mutant("what was put aside holds up nothing behind it", 438, 1411)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqlTasks, "subjects", lambda self, part: {})


@mutant("an event that my page tries again is told alone", 85, 204)
def _(patch: pytest.MonkeyPatch) -> None:
    real = Outbox.of_person

    async def of_person(self: Any, *about: Any) -> list[Recorded]:
        return (await real(self, *about))[:1]

    patch.setattr(Outbox, "of_person", of_person)


@mutant("an event that is mended is told to nobody", 47, 85)
def _(patch: pytest.MonkeyPatch) -> None:
    async def in_full(self: Any, events: Sequence[Recorded]) -> list[Recorded]:
        return list(events)

    patch.setattr(ProjectorListener, "_in_full", in_full)


@mutant("a part is woken while it works, and forgets it", 1, 2)
def _(patch: pytest.MonkeyPatch) -> None:
    async def run(self: Any, loop: Any) -> None:
        pause = FIRST_PAUSE
        while not self._closing:
            try:
                again = await self._turn(loop)
                pause = FIRST_PAUSE
                loop.wake.clear()
                await self._wait(loop, again)
            except Exception:  # noqa: BLE001 - as the relay does
                await self._wait(loop, pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    patch.setattr(Relay, "_run", run)


# -- tasks --------------------------------------------------------------------------------------------


@mutant("a task is not looked at again under its lease", 124, 208)
def _(patch: pytest.MonkeyPatch) -> None:
    listed: dict[str, Task] = {}

    async def waiting(self: Any, part: Part, limit: int) -> list[Task]:
        found = await real(self, part, limit)
        listed.update((task.code, task) for task in found)
        return found

    async def due(self: Any, code: str) -> Task:
        return listed[code]

    async def begin(self: Any, task: Task) -> bool:
        await self._end(task, TaskStatus.IN_PROGRESS)
        return True

    real = Outbox.tasks
    patch.setattr(Outbox, "tasks", waiting)
    patch.setattr(Outbox, "due", due)
    patch.setattr(TaskQueue, "_begin", begin)


@mutant("a sheet is printed without saying so first", 20, 123)
def _(patch: pytest.MonkeyPatch) -> None:
    async def begin(self: Any, task: Task) -> bool:
        return True

    patch.setattr(TaskQueue, "_begin", begin)


@mutant("what is printed and cannot be recorded is printed again", 200, 220)
def _(patch: pytest.MonkeyPatch) -> None:
    async def end(self: Any, task: Task, status: TaskStatus, *more: Any, **named: Any) -> None:
        try:
            await real(self, task, status, *more, **named)
        except StorageUnavailable:
            self._unwritten.clear()
            await real(self, task, TaskStatus.WAITING)
            raise

    real = TaskQueue._end
    patch.setattr(TaskQueue, "_end", end)


@mutant("leases are held by whoever asks", 1, 5)
def _(patch: pytest.MonkeyPatch) -> None:
    async def take(self: Any, number: int) -> bool:
        await self._world.chance.pause()
        return True

    patch.setattr(WorldLocks, "take", take)


# -- the writer and the gateway -------------------------------------------------------------------------


@mutant("people are answered before the commit", 2, 11)
def _(patch: pytest.MonkeyPatch) -> None:
    def commit(self: Any, session: Any, uow: Any, batch: Any) -> None:
        def early(changed: bool) -> None:
            for job in batch:  # at once: the next step would see how the commit went
                writer._settle(job.loop, [job])
            type(session).commit(session, changed)

        session.commit = early
        real(self, session, uow, batch)

    real = SqlWriter._commit
    patch.setattr(SqlWriter, "_commit", commit)


@mutant("whoever has left is served all the same", 6, 8)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqlWriter, "_boarded", lambda self, waiting: waiting)


@mutant("a commit that failed is not looked up", 2, 9)
def _(patch: pytest.MonkeyPatch) -> None:
    def find_out(self: Any, *about: Any) -> None:
        with pytest.MonkeyPatch.context() as within:
            within.setattr(SqlUnitOfWork, "answer_of", lambda self, command_id, name: NOT_DONE)
            real(self, *about)

    real = SqlWriter._find_out
    patch.setattr(SqlWriter, "_find_out", find_out)


@mutant("a command sent twice is done twice", 1, 9)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqlUnitOfWork, "answer_of", lambda self, command_id, name: NOT_DONE)
