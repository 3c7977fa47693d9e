"""My page as of now: what the view shows, and what has happened since the view was last told.

Nobody waits for the projector. A person who has just booked sees it, also while the projector is busy,
paused or dead; the view spares us all the events but the last.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.mypage import MyPage
from storage import tables as t
from storage.codec import dump, event_columns
from storage.engine import rows_of
from storage.fold import Fold
from storage.mypage import MyPageStore
from storage.outbox import KEPT
from storage.statements import listed
from storage.tail import Tail


class FreshPages:
    """Reads the view first and the records after it, so that nothing falls between the two."""

    def __init__(self, records: AsyncEngine, mypage: MyPageStore) -> None:
        self._records = records
        self._mypage = mypage
        self._tail = Tail(records)
        seq = t.event.c.seq
        # Built once: everybody asks it.
        self._events = (
            select(seq, *KEPT).where(seq.in_(listed(records.dialect, "seqs", seq.type))).order_by(seq)
        )

    async def page_of(self, recipient: str) -> MyPage:
        """Everything of this person, newest first. Raises RecordsUnread."""
        page = await self._mypage.page_of(recipient)
        seqs = await self._tail.of(recipient, page.position)
        if not seqs:
            return page
        fold = Fold(items={item.code: item for item in page.items})
        for seq, *kept in await rows_of(self._records, self._events, {"seqs": dump(seqs)}):
            fold.add_kept(seq, *event_columns(*kept))
        items = sorted(fold.items.values(), key=lambda item: item.code)
        items.sort(key=lambda item: item.at, reverse=True)
        name = fold.people[recipient].name if recipient in fold.people else page.name
        return replace(page, name=name, items=items, position=seqs[-1])
