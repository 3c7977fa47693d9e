"""Reading the outbox: the events of the clinic in the order in which they happened."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.events import Recorded
from storage import codec
from storage import tables as t


class Outbox:
    """Events are only ever appended; listeners remember how far they have come."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def after(self, seq: int, limit: int) -> list[Recorded]:
        """The events after this one, oldest first."""
        e = t.event.c
        statement = (
            select(e.seq, e.id, e.at, e.name, e.payload).where(e.seq > seq).order_by(e.seq).limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement)
            return [Recorded(seq, id_, at, codec.load_event(name, body)) for seq, id_, at, name, body in rows]

    async def last(self) -> int:
        """The newest event's place; 0 when nothing has happened yet."""
        async with self._engine.connect() as connection:
            return int(await connection.scalar(select(func.coalesce(func.max(t.event.c.seq), 0))) or 0)

    async def position(self, listener: str) -> int:
        """How far a listener has come that keeps its place in the records."""
        p = t.position.c
        async with self._engine.connect() as connection:
            found: Any = await connection.scalar(select(p.seq).where(p.listener == listener))
            return int(found or 0)
