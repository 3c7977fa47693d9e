"""The parts that listen: each takes the events in their order, and each event once in effect.

A listener keeps its place in the same transaction as what it did, so it may be stopped or killed
anywhere: the event is brought again, and found to be done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from domain.errors import ClinicError, EventIllegible
from domain.events import Event, MyPageMended, Recorded
from domain.parts import Part, Task, TaskStatus, put_aside, queue_behind, subject_of
from domain.policies import follow_by_relay
from domain.ports import Context, UnitOfWork
from storage.codec import Illegible
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from storage.unit_of_work import SqlUnitOfWork
from storage.writer import SqlWriter

R = TypeVar("R")

BEHIND = "behind another"
"""The problem of an event that waits for one that was put aside."""

Now = Callable[[], Context]
"""What policies know at this moment."""


class Listener(Protocol):
    """A part that listens to the events of the clinic."""

    @property
    def part(self) -> Part: ...
    @property
    def most(self) -> int:
        """So many events at a time: far faster than one by one, and still a short transaction."""

    @property
    def hears_all(self) -> bool:
        """Whether it is told every event, so that its own place says all."""

    async def position(self) -> int:
        """The last event it has dealt with."""

    async def deal_with(self, events: Sequence[Recorded]) -> int:
        """Deal with these events, in order; answers its new position. Raises what a policy raises."""

    async def put_aside(self, recorded: Recorded, problem: str) -> int:
        """Go on without this event; answers the new position."""

    async def again(self, recorded: Recorded, task: Task) -> None:
        """Deal with an event that was put aside, out of its order."""


@dataclass(frozen=True)
class PolicyListener:
    """Its doing lies in the records: its policies run in the one writer."""

    part: Part
    writer: SqlWriter
    outbox: Outbox
    now: Now
    most: int = 100
    hears_all: bool = False

    async def position(self) -> int:
        """As kept in the records."""
        return await self.outbox.position(self.part)

    async def deal_with(self, events: Sequence[Recorded]) -> int:
        """All of them in one transaction, with the new position."""
        _see_legible(events)

        def work(uow: Any) -> int:
            assert isinstance(uow, SqlUnitOfWork)
            position, subjects = uow.position(self.part), uow.tasks.subjects(self.part)
            for recorded in events:
                if recorded.seq <= position:
                    continue
                before = subjects.get(subject_of(self.part, recorded.event))
                if before is None:
                    follow_by_relay(self.part, uow, recorded.event, self.now())
                elif TaskStatus.ASIDE in before:
                    put_aside(uow, self.part, recorded, BEHIND, self.now())
                else:
                    queue_behind(uow, self.part, recorded, self.now())
                position = recorded.seq
            uow.save_position(self.part, position)
            return position

        return await self._run(work, f"{self.part}:{events[0].seq}-{events[-1].seq}")

    async def put_aside(self, recorded: Recorded, problem: str) -> int:
        """As a task, in one transaction with the new position."""

        def work(uow: Any) -> int:
            if uow.position(self.part) < recorded.seq:
                put_aside(uow, self.part, recorded, problem, self.now())
                uow.save_position(self.part, recorded.seq)
            return recorded.seq

        return await self._run(work, f"{self.part}:aside-{recorded.seq}")

    async def again(self, recorded: Recorded, task: Task) -> None:
        """In one transaction with the end of its task."""
        _see_legible([recorded])

        def work(uow: UnitOfWork) -> None:
            now = uow.tasks.get(task.code)
            if now.status is TaskStatus.WAITING:
                follow_by_relay(self.part, uow, recorded.event, self.now())
                uow.tasks.save(replace(now, status=TaskStatus.DONE))

        await self._run(work, f"{task.code}:{secrets.token_hex(8)}")

    async def _run(self, work: Callable[[Any], R], command_id: str) -> R:
        return await self.writer.run_behind(work, command_id, "Relay")


@dataclass
class ProjectorListener:
    """My page: told in its own database."""

    mypage: MyPageStore
    writer: SqlWriter
    outbox: Outbox
    now: Now
    part: Part = Part.MY_PAGE
    most: int = 500
    """More than of those who write where people wait: nobody waits for the view."""
    hears_all: bool = True
    told: int = 0
    """How far the view was when it was last asked, or told; the next events are those after it."""

    async def position(self) -> int:
        """As kept in the view."""
        self.told = await self.mypage.position()
        return self.told

    async def deal_with(self, events: Sequence[Recorded]) -> int:
        """All of them in one transaction, with the new position."""
        _see_legible(events)
        self.told = await self.mypage.tell(await self._in_full(events), self.told)
        return self.told

    async def _in_full(self, events: Sequence[Recorded]) -> list[Recorded]:
        """Behind what says so, what is to be told once more: telling the same again changes nothing."""
        full = []
        for recorded in events:
            full.append(recorded)
            if isinstance(mended := recorded.event, MyPageMended):
                about = await self.outbox.of_person(mended.recipient, mended.event, recorded.seq)
                full += [replace(again, seq=recorded.seq) for again in about]
        return full

    async def put_aside(self, recorded: Recorded, problem: str) -> int:
        """As a task in the records first: told twice is better than forgotten."""

        def work(uow: UnitOfWork) -> None:
            put_aside(uow, self.part, recorded, problem, self.now())

        await self.writer.run_behind(work, f"{self.part}:aside-{recorded.seq}", "Relay")
        self.told = await self.mypage.tell([replace(recorded, event=Event())], self.told)
        return self.told

    async def again(self, recorded: Recorded, task: Task) -> None:
        """By way of the records, which every view hears from: this one may not be the only one."""
        _see_legible([recorded])
        person = subject_of(self.part, recorded.event)  # of which nothing was known, perhaps

        def work(uow: UnitOfWork) -> None:
            now = uow.tasks.get(task.code)
            if now.status is TaskStatus.WAITING:
                uow.emit(MyPageMended(person, recorded.seq))
                uow.tasks.save(replace(now, status=TaskStatus.DONE))

        await self.writer.run_behind(work, f"{task.code}:{secrets.token_hex(8)}", "Relay")


def _see_legible(events: Sequence[Recorded]) -> None:
    """Raises EventIllegible: what cannot be read is not passed by in silence."""
    if any(isinstance(recorded.event, Illegible) for recorded in events):
        raise EventIllegible


def problem_of(error: BaseException) -> str:
    """What an operator may see of an error: its name, never what somebody typed."""
    return error.code if isinstance(error, ClinicError) else type(error).__name__
