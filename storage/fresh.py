"""My page as of now: what the view shows, and what has happened since the view was last told.

Nobody waits for the projector. A person who has just booked sees it, also while the projector is busy,
paused or dead; the view spares us all the events but the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.mypage import MyPage
from storage import tables as t
from storage.codec import event_columns
from storage.engine import rows_of
from storage.fold import Fold
from storage.mypage import MyPageStore
from storage.outbox import KEPT

REACH = 20_000
"""So many of the newest events are looked through. A view that is further behind shows what it has."""


class FreshPages:
    """Reads the view first and the records after it, so that nothing falls between the two."""

    def __init__(self, records: AsyncEngine, mypage: MyPageStore) -> None:
        self._records = records
        self._mypage = mypage
        e = t.event.c
        find: Any = func.strpos if records.dialect.name == "postgresql" else func.instr
        near = select(func.max(e.seq) - REACH).scalar_subquery()
        # Built once: everybody asks it.
        self._since = (
            select(e.seq, *KEPT)
            .where(e.seq > bindparam("position"), e.seq > near, find(e.payload, bindparam("recipient")) > 0)
            .order_by(e.seq)
        )

    async def page_of(self, recipient: str) -> MyPage:
        """Everything of this person, newest first."""
        page = await self._mypage.page_of(recipient)
        values = {"position": page.position, "recipient": recipient}
        rows = await rows_of(self._records, self._since, values)
        if not rows:
            return page
        fold = Fold(items={item.code: item for item in page.items})
        for seq, *kept in rows:
            fold.add_kept(seq, *event_columns(*kept))
        items = sorted(fold.items.values(), key=lambda item: item.code)
        items.sort(key=lambda item: item.at, reverse=True)
        name = fold.people[recipient].name if recipient in fold.people else page.name
        return replace(page, name=name, items=items, position=rows[-1][0])
