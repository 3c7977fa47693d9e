"""Reading the outbox: the events of the clinic in the order in which they happened."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.events import Recorded
from storage import codec
from storage import tables as t
from storage.engine import rows_of


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
        rows = await rows_of(self._engine, statement)
        return [Recorded(seq, id_, at, codec.load_event(name, body)) for seq, id_, at, name, body in rows]

    async def last(self) -> int:
        """The newest event's place; 0 when nothing has happened yet."""
        rows = await rows_of(self._engine, select(func.coalesce(func.max(t.event.c.seq), 0)))
        return int(rows[0][0])

    async def position(self, listener: str) -> int:
        """How far a listener has come that keeps its place in the records."""
        p = t.position.c
        rows = await rows_of(self._engine, select(p.seq).where(p.listener == listener))
        return int(rows[0][0]) if rows else 0
