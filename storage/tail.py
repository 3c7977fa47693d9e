"""Whom the newest events are about, so that one person's are found among those of everybody.

No index of the records leads from a person to their events: under a load of bookings it would cost more
than the bookings. What is needed of an event here is a few characters, and what was read once is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, bindparam, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.codes import LENGTH
from storage import tables as t
from storage.codec import BEFORE_RECIPIENT, text_of
from storage.engine import rows_of
from storage.outbox import as_kept

REACH = 100_000
"""So many of the newest events are looked through."""
LONGEST = 25_000
"""Events that nobody asks for any more, after which what is kept is begun anew."""
_ROOM = 20
"""Characters for one of them, at the most."""

_E = t.event.c


class Tail:
    """The events after a place that moves on; everybody who asks shares what was read of them."""

    def __init__(self, records: AsyncEngine) -> None:
        self._records = records
        self._reading = asyncio.Lock()
        self._newer = _newer(records.dialect.name)
        self._begin_at(0)

    def _begin_at(self, place: int) -> None:
        self._begun = self._seen = place
        self._mark = ""
        """The id of the event at the place that was seen: a place itself may be given twice."""
        self._about = ""
        """``code:seq `` of each event about somebody: a long text is searched faster than a table is made."""

    @property
    def kept(self) -> int:
        """Of how many events it is known whom they are about."""
        return self._about.count(" ")

    async def of(self, recipient: str, after: int) -> list[int]:
        """The places of this person's events after that one, oldest first. Raises RecordsUnread."""
        async with self._reading:
            if not self._begun <= after <= self._seen or after - self._begun > LONGEST:
                self._begin_at(after)
            if not await self._read_on():  # the records were put back to an earlier state
                self._begin_at(after)
                await self._read_on()
            return sorted(seq for seq in self._places(recipient) if seq > after)

    async def _read_on(self) -> bool:
        """Read what is new; False when the event that was seen last is another one now."""
        mark, *newest = (await rows_of(self._records, self._newer, {"seen": self._seen}))[0]
        if self._mark and text_of(mark or b"") != self._mark:
            return False
        last, last_mark, about = newest
        if last is not None:
            self._seen, self._mark = last, text_of(last_mark)
            self._about += text_of(about or b"")
            if len(self._about) > _ROOM * (REACH + LONGEST):  # the view stands still, and everybody asks
                self._about = self._about[self._about.index(" ", len(self._about) - _ROOM * REACH) + 1 :]
        return True

    def _places(self, recipient: str) -> Iterator[int]:
        at, sought = -1, f"{recipient}:"
        while (at := self._about.find(sought, at + 1)) >= 0:
            place = at + len(sought)
            yield int(self._about[place : self._about.index(" ", place)])


def _newer(dialect: str) -> Any:
    """The id of the event that was seen last; the last place now, its id, and what is new up to there."""
    on_server = dialect == "postgresql"
    find: Any = func.strpos if on_server else func.instr
    join: Any = func.string_agg if on_server else func.group_concat
    named = find(_E.payload, BEFORE_RECIPIENT)
    code = func.substr(_E.payload, named + len(BEFORE_RECIPIENT), LENGTH)
    near = select(func.max(_E.seq) - REACH).scalar_subquery()
    about = case((named > 0, code + ":" + cast(_E.seq, String) + " ")).label("about")
    new = select(_E.seq, about).where(_E.seq > bindparam("seen"), _E.seq > near).subquery()
    seen = select(as_kept(_E.id)).where(_E.seq == bindparam("seen")).scalar_subquery()
    last = select(as_kept(_E.id)).order_by(_E.seq.desc()).limit(1).scalar_subquery()
    return select(seen, func.max(new.c.seq), last, as_kept(join(new.c.about, "")))
