"""Reading what waits for the parts: the events in the order in which they happened, and the tasks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.events import Recorded
from domain.parts import Part, Task, TaskStatus
from storage import codec
from storage import tables as t
from storage.engine import rows_of
from storage.statements import columns_of, one_of


@dataclass(frozen=True)
class Stretch:
    """Events in order, and the place up to which there are no others of their kinds."""

    events: list[Recorded]
    upto: int


class Outbox:
    """Events are only ever appended; listeners remember how far they have come."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def after(self, seq: int, limit: int, names: Collection[str] = ()) -> Stretch:
        """The events after this one, oldest first; of these names only, if any are given."""
        e, last = t.event.c, await self.last()
        statement = select(e.seq, e.id, e.at, e.name, e.payload).where(e.seq > seq, e.seq <= last)
        if names:
            statement = statement.where(e.name.in_(names))
        rows = await self._rows(statement.order_by(e.seq).limit(limit))
        events = [Recorded(seq, id_, at, codec.load_event(name, body)) for seq, id_, at, name, body in rows]
        return Stretch(events, events[-1].seq if len(events) == limit else max(seq, last))

    async def event(self, seq: int) -> Recorded:
        """The event at this place."""
        return (await self.after(seq - 1, 1)).events[0]

    async def last(self) -> int:
        """The newest event's place; 0 when nothing has happened yet."""
        rows = await self._rows(select(func.coalesce(func.max(t.event.c.seq), 0)))
        return int(rows[0][0])

    async def position(self, listener: str) -> int:
        """How far a listener has come that keeps its place in the records."""
        p = t.position.c
        rows = await self._rows(select(p.seq).where(p.listener == listener))
        return int(rows[0][0]) if rows else 0

    async def is_paused(self, part: Part) -> bool:
        """Whether the administrator has paused this part."""
        rows = await self._rows(select(t.part.c.paused).where(t.part.c.name == part))
        return bool(rows and rows[0][0])

    async def tasks(self, part: Part, limit: int) -> list[Task]:
        """What waits for this part, oldest first."""
        k = t.task.c
        statement = select(*columns_of(t.task, Task)).where(k.part == part)
        statement = statement.where(one_of(k.status, (TaskStatus.WAITING,)))  # by the index of live tasks
        return [Task(*row) for row in await self._rows(statement.order_by(k.seq).limit(limit))]

    async def task(self, code: str) -> Task:
        """The task as it is now."""
        rows = await self._rows(select(*columns_of(t.task, Task)).where(t.task.c.code == code))
        return Task(*rows[0])

    async def _rows(self, statement: Any) -> Any:
        return await rows_of(self._engine, statement)
