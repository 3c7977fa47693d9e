"""How the parts are getting on, as the records tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from domain import parts as p
from domain.actors import Actor
from domain.errors import RecordsUnread
from domain.messages import Query
from domain.policies import HEARS
from storage import tables as t
from storage.codec import NEVER, event_columns
from storage.outbox import KEPT, heard_by
from storage.statements import columns_of, one_of

POSITION_SECONDS = 1.0
"""How long my page's own database may take to say how far it has been told."""


class PartStates:
    """Answers the queries of `domain.parts`; ``rows`` runs a statement."""

    def __init__(
        self,
        rows: Callable[[Any], Awaitable[list[Any]]],
        my_page_position: Callable[[], Awaitable[int]],
    ) -> None:
        self._rows = rows
        self._my_page_position = my_page_position
        self.answers: dict[type[Query[Any]], Callable[..., Awaitable[Any]]] = {
            p.ListParts: self._parts,
            p.ListTasks: self._tasks,
        }

    async def _parts(self, _q: p.ListParts, _a: Actor, now: datetime) -> list[p.PartState]:
        paused = {row[0] for row in await self._rows(select(t.part.c.name).where(t.part.c.paused))}
        positions = {
            row[0]: row[1] for row in await self._rows(select(t.position.c.listener, t.position.c.seq))
        }
        my_page = await self._my_page()
        positions[p.Part.MY_PAGE] = my_page or 0
        k = t.task.c
        counted = select(k.part, k.status, func.count()).where(one_of(k.status, p.LIVE_TASK))
        tasks = {(row[0], row[1]): row[2] for row in await self._rows(counted.group_by(k.part, k.status))}
        states = []
        for part in p.Part:
            away = part is p.Part.MY_PAGE and my_page is None
            behind, since = (0, None) if away else await self._behind(part, positions.get(part, 0))
            states.append(
                p.PartState(
                    part,
                    part in paused,
                    behind,
                    max(0.0, (now - since).total_seconds()) if since else 0.0,
                    tasks.get((part, p.TaskStatus.WAITING), 0)
                    + tasks.get((part, p.TaskStatus.IN_PROGRESS), 0),
                    tasks.get((part, p.TaskStatus.ASIDE), 0),
                    away,
                )
            )
        return states

    async def _my_page(self) -> int | None:
        """How far it has been told; None when its own database cannot be asked."""
        try:
            async with asyncio.timeout(POSITION_SECONDS):
                return await self._my_page_position()
        except (RecordsUnread, TimeoutError):
            return None

    async def _behind(self, part: p.Part, position: int) -> tuple[int, datetime | None]:
        """How many events it has not dealt with, and when the oldest of them happened, if its row tells."""
        if part not in HEARS:
            return 0, None
        e = t.event.c
        waiting = select(func.count(), func.min(e.seq)).where(e.seq > position, heard_by(HEARS[part]))
        count, oldest = (await self._rows(waiting))[0]
        if not count:
            return 0, None
        [kept] = await self._rows(select(*KEPT).where(e.seq == oldest))
        _, _, at = event_columns(*kept)
        return count, None if at is NEVER else at

    async def _tasks(self, query: p.ListTasks, _a: Actor, _n: datetime) -> list[p.Task]:
        k = t.task.c
        statement = select(*columns_of(t.task, p.Task)).where(k.status == query.status)
        if query.status in p.LIVE_TASK:
            statement = statement.where(one_of(k.status, p.LIVE_TASK))  # so that their index is used
        if query.part:
            statement = statement.where(k.part == query.part)
        rows = await self._rows(statement.order_by(k.seq).limit(query.limit))
        return [p.Task(*row) for row in rows]
