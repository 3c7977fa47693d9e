"""The parts of the clinic that work behind the counter, the tasks that wait for them, and the
administrator's hand on them.

A part may be stopped, crashed or slow; what it has to do waits, in order, and is done once. What it
cannot do however often it tries is put aside, so that the rest goes on, until somebody looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.actors import ADMINISTRATOR, BY_POLICY, CERTIFICATE_OFFICER, VACCINATOR, Role
from domain.codes import Kind, new_code
from domain.errors import NotAChoice, TaskClosed
from domain.events import Event, Recorded
from domain.messages import Command, Query
from domain.ports import Context, UnitOfWork


class Part(StrEnum):
    """Each may run in the kiosk or as a worker of its own."""

    INJECTION_INTAKE = "injection-intake"
    """Tells the injection desk whom to expect."""
    ISSUING = "issuing"
    """Prepares the issue of what was applied for, and makes the certificates that were ordered."""
    PRINTING = "printing"
    """Prints the certificates that were ordered."""
    MY_PAGE = "my-page"
    """Tells my page."""


class TaskKind(StrEnum):
    ISSUE = "issue"
    """Sign the certificate that ``subject`` names, and prove its paper."""
    PRINT = "print"
    """Print the certificate that ``subject`` names."""
    EVENT = "event"
    """An event that a part could not deal with, or that came after such a one about the same subject."""


class TaskStatus(StrEnum):
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    """Begun, where what was begun must not be done again by itself: a sheet may be in the tray already."""
    ASIDE = "aside"
    """Tried in vain, or it follows one that was: an administrator decides."""
    DONE = "done"
    DISCARDED = "discarded"


LIVE_TASK = (TaskStatus.WAITING, TaskStatus.IN_PROGRESS, TaskStatus.ASIDE)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a part has to do, whenever it can."""

    code: str
    part: Part
    kind: TaskKind
    subject: str
    """The code of the certificate, or of what the event is about."""
    event: int
    """The place of the event; 0 for other kinds."""
    actor: str
    """Who ordered it."""
    actor_name: str
    status: TaskStatus
    attempts: int
    problem: str
    """The name of what went wrong last; never what somebody typed."""
    at: datetime
    """Since when it is wished for: ordered, met, or to be tried again."""

    @property
    def is_live(self) -> bool:
        """Whether it is still to be done."""
        return self.status in LIVE_TASK


@dataclass(frozen=True, slots=True)
class PartControl:
    """What the administrator has said about a part."""

    name: Part
    paused: bool


@dataclass(frozen=True, slots=True)
class PartState:
    """How a part is getting on, seen from the records."""

    name: Part
    paused: bool
    behind: int
    """Events that it has not dealt with yet."""
    behind_seconds: float
    """The age of the oldest of them."""
    waiting: int
    """Tasks that wait for it, or that it is at."""
    aside: int
    """Tasks that were put aside."""
    away: bool = False
    """Whether its own database cannot be asked: nobody knows then how far behind it is."""


class LoopState(StrEnum):
    """How a part is getting on in one process."""

    RESTING = "resting"
    """Nothing to do."""
    WORKING = "working"
    STANDBY = "standby"
    """Another process is at it."""
    PAUSED = "paused"
    FAILING = "failing"


# -- what can be asked and done -------------------------------------------------------------------


@dataclass(frozen=True)
class ListParts(Query[list[PartState]]):
    """Every part, in the order of `Part`; the injection desk asks whether its list is all there."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY | VACCINATOR


@dataclass(frozen=True)
class ListTasks(Query[list[Task]]):
    """The tasks in this state, oldest first."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY | CERTIFICATE_OFFICER
    status: TaskStatus
    part: Part | None = None
    limit: int = 200


@dataclass(frozen=True)
class PausePart(Command[None]):
    """It finishes what it is at and takes nothing more, in every process."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    part: str


@dataclass(frozen=True)
class ResumePart(Command[None]):
    """It goes on where it stopped."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    part: str


@dataclass(frozen=True)
class RetryTask(Command[int]):
    """Try what was put aside once more, with everything that waits behind it; answers how many tasks."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    task: str


@dataclass(frozen=True)
class DiscardTask(Command[None]):
    """Never do what was put aside, or an event that was and waits to be tried once more."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    task: str


def pause_part(uow: UnitOfWork, command: PausePart, context: Context) -> None:
    """Kept in the records, so that it holds for every process, and after a restart."""
    uow.parts.save(PartControl(_part(command.part), paused=True))


def resume_part(uow: UnitOfWork, command: ResumePart, context: Context) -> None:
    """Whatever became of it meanwhile waits in order."""
    uow.parts.save(PartControl(_part(command.part), paused=False))


def retry_task(uow: UnitOfWork, command: RetryTask, context: Context) -> int:
    """All that was put aside about the same subject, for they follow from each other."""
    task = _aside(uow, command.task)
    tasks = [t for t in uow.tasks.live_of(task.part, task.subject) if t.status is TaskStatus.ASIDE]
    for one in tasks:
        uow.tasks.save(replace(one, status=TaskStatus.WAITING, attempts=0, at=context.now))
    return len(tasks)


def discard_task(uow: UnitOfWork, command: DiscardTask, context: Context) -> None:
    """This one alone: those behind it may still be done. An event that waits may wait for ever."""
    task = uow.tasks.get(command.task)
    if task.status is not TaskStatus.WAITING or task.kind is not TaskKind.EVENT:
        task = _aside(uow, command.task)
    uow.tasks.save(replace(task, status=TaskStatus.DISCARDED))


def order(uow: UnitOfWork, part: Part, kind: TaskKind, subject: str, context: Context) -> None:
    """Somebody wants this done as soon as the part can; ordered twice, it is done once."""
    if not any(task.kind is kind for task in uow.tasks.live_of(part, subject)):
        uow.tasks.save(_new(part, kind, subject, context))


def put_aside(uow: UnitOfWork, part: Part, recorded: Recorded, problem: str, context: Context) -> None:
    """The part goes on without this event; later events about the same subject wait behind it."""
    task = _about(part, recorded, context)
    uow.tasks.save(replace(task, status=TaskStatus.ASIDE, problem=problem))


def queue_behind(uow: UnitOfWork, part: Part, recorded: Recorded, context: Context) -> None:
    """Its turn comes when what was put aside about the same subject, and is tried again, is done."""
    uow.tasks.save(_about(part, recorded, context))


def _about(part: Part, recorded: Recorded, context: Context) -> Task:
    task = _new(part, TaskKind.EVENT, subject_of(part, recorded.event), context)
    return replace(task, event=recorded.seq)


def subject_of(part: Part, event: Event) -> str:
    """The code of what an event is about, for this part: events about the same follow from each other."""
    return str(getattr(event, _SUBJECT[part], ""))


_SUBJECT = {
    Part.INJECTION_INTAKE: "booking",
    Part.ISSUING: "application",
    Part.PRINTING: "certificate",
    Part.MY_PAGE: "recipient",
}


def _new(part: Part, kind: TaskKind, subject: str, context: Context) -> Task:
    return Task(
        code=new_code(Kind.TASK),
        part=part,
        kind=kind,
        subject=subject,
        event=0,
        actor=context.actor.code,
        actor_name=context.actor.name,
        status=TaskStatus.WAITING,
        attempts=0,
        problem="",
        at=context.now,
    )


def _part(name: str) -> Part:
    try:
        return Part(name)
    except ValueError:
        raise NotAChoice("part") from None


def _aside(uow: UnitOfWork, code: str) -> Task:
    task = uow.tasks.get(code)
    if task.status is not TaskStatus.ASIDE:
        raise TaskClosed(status=task.status)
    return task
