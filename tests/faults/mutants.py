"""Mistakes on purpose, one of each kind: a crash suite that does not catch them proves nothing.

Each is made in a child of the nursery before it opens the clinic, and stands beside the trial that finds it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pysqlite3

from domain import visit
from domain.events import Event, Recorded
from domain.parts import Task, TaskStatus, subject_of
from domain.stock import EntryKind
from kiosk.credential import files
from kiosk.paper import archive, print_jobs
from storage import listeners, sqlite
from storage.listeners import ProjectorListener
from storage.mypage import MyPageStore
from storage.sqlite import SqliteSession
from storage.unit_of_work import NOT_DONE, SqlUnitOfWork
from storage.writer import SqlWriter

Make = Callable[[], None]


@dataclass(frozen=True)
class Mutant:
    """One mistake."""

    name: str
    trial: str
    """The function of `trials` that finds it."""
    make: Make


def mutate(name: str) -> None:
    """Make this mistake in this process, from now on; none when it has no name."""
    if name:
        BY_NAME[name].make()


def _instead(owner: Any, name: str, by: Callable[[Any], Any]) -> Make:
    """Something else in the place of a function, made from the real one."""
    return lambda: setattr(owner, name, by(getattr(owner, name)))


# -- the writer ---------------------------------------------------------------------------------------


def _with_synchronous(word: str) -> Callable[[Any], Any]:
    def by(real: Any) -> Any:
        def pragmas(connection: Any, **values: Any) -> None:
            full = values.get("synchronous") == "FULL"
            real(connection, **{**values, **({"synchronous": word} if full else {})})

        return pragmas

    return by


def _acknowledging_before(real: Any) -> Any:
    def commit(self: Any, session: Any, uow: Any, batch: Any) -> None:
        def early(changed: bool) -> None:
            self._acknowledge([job for job in batch if job.name == "Book"])
            time.sleep(0.002)
            type(session).commit(session, changed)

        session.commit = early
        real(self, session, uow, batch)

    return commit


def _taking_failed_for_done(real: Any) -> Any:
    def commit(self: Any, changed: bool) -> None:
        with suppress(pysqlite3.Error):
            real(self, changed)
            return
        self._connection.rollback()
        self._turn.give()

    return commit


def _without_answers(real: Any) -> Any:
    """What the writer does about a failed commit, while the records seem to know no command."""

    def find_out(*about: Any) -> None:
        asked = SqlUnitOfWork.answer_of
        setattr(SqlUnitOfWork, "answer_of", lambda self, command_id, name: NOT_DONE)  # noqa: B010
        real(*about)
        setattr(SqlUnitOfWork, "answer_of", asked)  # noqa: B010

    return find_out


def _running_again(real: Any) -> Any:
    def find_out(self: Any, batch: Any, problem: Any, again: bool) -> None:
        self._disconnect()
        for job in batch:
            job.error = None
            self._try([job], again=True)

    return _without_answers(find_out)


def _beginning_late(real: Any) -> Any:
    return lambda self: self.cursor.execute("BEGIN")


# -- a command's own ----------------------------------------------------------------------------------


def _keeping_writes(real: Any) -> Any:
    def undo(self: Any) -> None:
        self._on.accept()
        self.emitted.clear()

    return undo


def _keeping_events(real: Any) -> Any:
    def undo(self: Any) -> None:
        emitted = list(self.emitted)
        real(self)
        self.emitted.extend(emitted)

    return undo


def _forgetting_the_id(real: Any) -> Any:
    def record(self: Any, *more: Any) -> None:
        real(self, *more)
        self._on._waiting.pop()  # its row is the last

    return record


def _forgetting_an_event(real: Any) -> Any:
    def record(self: Any, *more: Any) -> None:
        del self.emitted[-1:]
        real(self, *more)

    return record


def _posting_twice(real: Any) -> Any:
    def post(uow: Any, context: Any, vaccine: str, kind: EntryKind, **more: Any) -> Any:
        if kind is EntryKind.GIVEN:
            real(uow, context, vaccine, kind, **{**more, "reserved": 0})
        return real(uow, context, vaccine, kind, **more)

    return post


# -- the parts ----------------------------------------------------------------------------------------


def _keep_the_place_apart() -> None:
    late: list[tuple[str, int]] = []
    save = "INSERT OR REPLACE INTO position(listener, seq) VALUES (?, ?)"

    def by(real: Any) -> Any:
        def commit(self: Any, changed: bool) -> None:
            real(self, changed)
            while late:
                self.begin()
                self.cursor.execute(save, late.pop())
                real(self, changed)

        return commit

    _instead(SqliteSession, "commit", by)()
    _instead(SqlUnitOfWork, "save_position", lambda _: lambda self, *place: late.append(place))()


def _skipping_one_in_nine(real: Any) -> Any:
    seen: list[Any] = []

    def follow(*about: Any) -> None:
        seen.append(about)
        if len(seen) % 9:
            real(*about)

    return follow


def _telling_the_place_first(real: Any) -> Any:
    async def tell(self: Any, events: Sequence[Recorded], after: int = 0) -> int:
        known = await self.position()
        place: int = await real(self, [replace(recorded, event=Event()) for recorded in events], after)
        async with self._writing() as connection:
            await self._apply(connection, [recorded for recorded in events if recorded.seq > known])
        return place

    return tell


def _telling_beside_the_records(real: Any) -> Any:
    async def again(self: Any, recorded: Recorded, task: Task) -> None:
        person = subject_of(self.part, recorded.event)
        about = await self.outbox.of_person(person, recorded.seq, await self.position())
        async with self.mypage._writing() as connection:
            await self.mypage._apply(connection, about)

        def work(uow: Any) -> None:
            uow.tasks.save(replace(uow.tasks.get(task.code), status=TaskStatus.DONE))

        await self.writer.run_behind(work, f"{task.code}:{recorded.seq}", "Relay")

    return again


# -- files --------------------------------------------------------------------------------------------


def _files_unsynced(module: ModuleType) -> Make:
    without = SimpleNamespace(**{**vars(os), "fsync": lambda descriptor: None})
    return _instead(module, "os", lambda _: without)


def _names_unsynced(*functions: tuple[ModuleType, str]) -> Make:
    def make() -> None:
        for module, name in functions:
            _instead(module, name, lambda _: lambda folder: None)()

    return make


AGAIN = "power_cuts_after_a_retry"
LOAD, LOST, KIOSKS, SYNC = "power_cuts", "lost_answers", "many_kiosks", "failing_sync"
MY_PAGE, KEYS, PAPER = "power_cuts_at_my_page", "power_cuts_while_keys_turn", "power_cuts_while_paper_is_made"

MUTANTS = (
    Mutant("synchronous=NORMAL: safe at checkpoints only", LOAD,
           _instead(sqlite, "_pragmas", _with_synchronous("NORMAL"))),
    Mutant("synchronous=OFF: never safe", LOAD, _instead(sqlite, "_pragmas", _with_synchronous("OFF"))),
    Mutant("acknowledged before the commit", LOAD, _instead(SqlWriter, "_commit", _acknowledging_before)),
    Mutant("a failed commit is taken for done", SYNC,
           _instead(SqliteSession, "commit", _taking_failed_for_done)),
    Mutant("a failed commit can still come true", SYNC,
           _instead(SqliteSession, "settle", lambda _: lambda self, problem: None)),
    Mutant("a failed commit is not looked up", LOST, _instead(SqlWriter, "_find_out", _without_answers)),
    Mutant("a failed batch is run again unasked", LOST, _instead(SqlWriter, "_find_out", _running_again)),
    Mutant("BEGIN takes the lock late, without a gate", KIOSKS,
           _instead(SqliteSession, "begin", _beginning_late)),
    Mutant("a refused command leaves its writes", LOAD, _instead(SqlUnitOfWork, "undo", _keeping_writes)),
    Mutant("a refused command leaves its events", LOAD, _instead(SqlUnitOfWork, "undo", _keeping_events)),
    Mutant("the command's id is not recorded", LOAD, _instead(SqlUnitOfWork, "record", _forgetting_the_id)),
    Mutant("an event is not recorded", LOAD, _instead(SqlUnitOfWork, "record", _forgetting_an_event)),
    Mutant("an injection takes its dose twice", LOAD, _instead(visit, "post", _posting_twice)),
    Mutant("a part keeps its place in another transaction", LOAD, _keep_the_place_apart),
    Mutant("a part skips an event", LOAD, _instead(listeners, "follow_by_relay", _skipping_one_in_nine)),
    Mutant("my page keeps its place in another transaction", MY_PAGE,
           _instead(MyPageStore, "tell", _telling_the_place_first)),
    Mutant("what is tried again is told beside the records", AGAIN,
           _instead(ProjectorListener, "again", _telling_beside_the_records)),
    Mutant("the clinic's folder is not synced", LOAD, _names_unsynced((sqlite, "sync"), (files, "sync"))),
    Mutant("key files are not synced", KEYS, _files_unsynced(files)),
    Mutant("folders of keys are not synced", KEYS, _names_unsynced((files, "sync"))),
    Mutant("paper is not synced", PAPER, _files_unsynced(archive)),
    Mutant("slips of print jobs are not synced", PAPER, _files_unsynced(print_jobs)),
    Mutant("the folder of slips is not synced", PAPER, _names_unsynced((print_jobs, "sync"))),
)  # fmt: skip

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
