"""The one writer without its thread: a batch boards, works and is answered in steps of the simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pysqlite3

from domain.ports import Clock, Foreseen
from storage.sqlite import SqliteSession
from storage.writer import SqlWriter
from tests.simulation.chance import Chance, Commit
from tests.simulation.records import Database


class Door:
    """Stands in for `storage.admission.Admission`, whose figures are of real time."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def admit(self, queued: int) -> None:
        """Raises ClinicBusy."""
        self._chance.admit()


class StepSession(SqliteSession):
    """A connection that may break at a commit, before or after it is made."""

    def __init__(self, writer: StepWriter) -> None:
        super().__init__(writer._engine, writer.origin)
        self._chance = writer.chance
        self._broken = False

    @property
    def lost(self) -> bool:
        """As on a server, if the records are on one."""
        return self._broken and self._chance.on_server

    def commit(self, changed: bool) -> None:
        """See `storage.engine.Session.commit`."""
        luck = self._chance.of_commit()
        if luck is not Commit.FAILS:
            super().commit(changed)
        if luck is not Commit.SUCCEEDS:
            self._broken = True
            raise pysqlite3.OperationalError("the connection broke")


class StepWriter(SqlWriter):
    """Each batch takes three steps, with time between them in which its process may be killed."""

    def __init__(self, database: Database, clock: Clock, chance: Chance) -> None:
        self.chance = chance
        self._at_work = False
        super().__init__(database.engine, clock, patience=0.0)
        self.admission: Any = Door(chance)

    @property
    def at_work(self) -> bool:
        """Whether anything waits or is being done."""
        return self._at_work or self.queued > 0

    def _start(self) -> None:
        """The scheduler runs it."""

    def _reached(self) -> StepSession:
        return StepSession(self)

    def _enqueue(
        self, work: Callable[[Any], Any], command_id: str, name: str, foreseen: Foreseen | None = None
    ) -> Any:
        job = super()._enqueue(work, command_id, name, foreseen)
        self._look()
        return job

    def _look(self) -> None:
        if self.queued and not self._at_work:
            self._at_work = True
            self._later(self._board)

    def _board(self) -> None:
        waiting = self._next_batch()
        assert waiting is not None
        self._later(self._work, waiting)

    def _work(self, batch: list[Any]) -> None:
        self._try(batch)
        self._later(self._answer, batch)

    def _answer(self, batch: list[Any]) -> None:
        self._acknowledge(batch)
        self._rest()

    def _rest(self) -> None:
        self._at_work = False
        self._look()

    def _later(self, step: Callable[..., None], *what: Any) -> None:
        asyncio.get_running_loop().call_later(self.chance.delay(), step, *what)

    async def close(self) -> None:
        """See `SqlWriter.close`."""
        self._closed = True
        while self.at_work:
            await self.chance.pause()
        self._disconnect()
