"""How a task ended is not written over what has become of it since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.errors import StorageUnavailable
from domain.orders import OrderIssue
from domain.parts import ListTasks, Part, RetryTask, Task, TaskStatus
from storage.engine import reader_engine, writer_engine
from storage.leases import leases_of
from storage.outbox import Outbox
from storage.tasks import INTERRUPTED, TaskQueue
from storage.writer import SqlWriter
from tests.clinics import STAFF, OpenClinic, clinic_in
from tests.integration.test_parts import applied, until


class Printing:
    """The printing of one process, whose records may be away."""

    def __init__(self, clinic: OpenClinic) -> None:
        url = clinic.settings.records_url
        self.engine, self.writer = reader_engine(url), SqlWriter(writer_engine(url), clinic.clock, 60)
        self.away = False
        leases = leases_of(self.engine)
        writer: Any = self
        self.queue = TaskQueue(
            Part.PRINTING, Outbox(self.engine), writer, leases, self._print, None, together=False, once=True
        )
        self.prints: Callable[[], None] = lambda: None

    async def _print(self, _: Task) -> None:
        self.prints()

    async def run_behind(self, *work: Any) -> Any:
        if self.away:
            raise StorageUnavailable(reason="away")
        return await self.writer.run_behind(*work)

    async def work(self) -> None:
        await self.queue.work_off(lambda: False)

    async def close(self) -> None:
        await self.queue.leases.close()
        await self.writer.close()
        await self.engine.dispose()


async def test_an_ending_is_not_written_over_what_somebody_else_has_begun_since(clinic_folder: Path) -> None:
    parts = tuple(part for part in Part if part is not Part.PRINTING)
    async with clinic_in(clinic_folder, parts=parts) as clinic:

        async def printing() -> list[Task]:
            asked = [ListTasks(status, Part.PRINTING) for status in TaskStatus]
            return [task for query in asked for task in await clinic.gateway.ask(query, STAFF)]

        async def is_ordered() -> bool:
            return bool(await printing())

        [code] = await applied(clinic, 1)
        await clinic.gateway.send(OrderIssue((code,)), STAFF)
        await until(is_ordered)
        one, other = Printing(clinic), Printing(clinic)

        def goes_away() -> None:
            one.away = True
            raise StorageUnavailable(reason="away")

        one.prints = goes_away
        with pytest.raises(StorageUnavailable):
            await one.work()
        assert one.queue.has_unwritten
        await other.work()  # first to come after the one that seems dead
        [task] = await printing()
        assert (task.status, task.problem) == (TaskStatus.ASIDE, INTERRUPTED)
        clinic.clock.move(minutes=5)
        await clinic.gateway.send(RetryTask(task.code), STAFF)

        def is_killed() -> None:
            raise asyncio.CancelledError

        other.prints = is_killed
        with pytest.raises(asyncio.CancelledError):
            await other.work()
        sheets: list[str] = []
        one.away, one.prints = False, lambda: sheets.append("a second sheet")
        await one.work()
        [task] = await printing()
        assert (task.status, task.problem, sheets) == (TaskStatus.ASIDE, INTERRUPTED, [])
        await one.close()
        await other.close()
