"""Telling my page again from the first event, beside kiosks that go on with the old one.

The new view grows in throw-away tables of the same database, in many short transactions. In the end, in
one transaction, it is told what has happened meanwhile and takes the names and the position of the old
view: every process sees either the one or the other. Projectors read that position in the transaction
in which they tell, so no event is told to a view twice, and none is lost to a view. A rebuild that is killed
leaves throw-away tables, which the next one drops.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import MetaData, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.errors import StorageUnavailable
from storage import tables as t
from storage.codec import event_columns
from storage.engine import for_writing, in_short, rows_of
from storage.fold import Fold, ViewTables
from storage.leases import leases_of
from storage.mypage import item, person, state
from storage.outbox import KEPT, Outbox

BATCH = 20_000
"""Events that are folded and written at a time: what is held in memory, and how long a projector waits."""
NEAR = 1_000
"""When no more events than these are left, projectors are kept waiting for the rest of them."""

LEASE = "my-page-rebuild"
"""Held by whoever is at it, among all who have this view."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Some:
    """Events in order, folded: how many, and the place of the last."""

    fold: Fold
    events: int
    position: int


class Rebuild:
    """One telling. ``progress`` is told how many of how many events are done."""

    def __init__(self, records: AsyncEngine, mypage: AsyncEngine, progress: Progress) -> None:
        self._records = records
        self._mypage = mypage
        self._progress = progress
        self._position = 0
        self._total = 0

    async def run(self) -> int:
        """Tell the view again; answers how many events there were. Raises StorageUnavailable."""
        leases = leases_of(self._mypage)
        try:
            async with leases.hold(LEASE) as ours:
                if not ours:
                    raise StorageUnavailable(reason="my page is being told again already")
                self._total = await Outbox(self._records).last()
                async with for_writing(self._mypage).connect() as connection:
                    await self._run(connection)
        except DBAPIError as problem:
            raise StorageUnavailable(reason=in_short(problem)) from problem
        finally:
            await leases.close()
        return self._position

    async def _run(self, connection: AsyncConnection) -> None:
        async with connection.begin():
            if connection.dialect.name == "sqlite":  # the new view's pages are met in no order at all
                await connection.execute(text("PRAGMA cache_size=-200000"))
        await _drop_throw_aways(connection)
        token = secrets.token_hex(4)  # names of indexes are of the whole database, and outlive the swap
        view = ViewTables(connection.dialect, _like(person, token), _like(item, token))
        async with connection.begin():
            await connection.execute(CreateTable(view.person))
            await connection.execute(CreateTable(view.item))
        while await self._tell(connection, view) == BATCH:
            pass
        async with connection.begin():
            for index in view.item.indexes:
                await connection.execute(CreateIndex(index))
        while await self._tell(connection, view) > NEAR:
            pass
        async with connection.begin():
            while (some := await self._read()).events:
                await self._write(connection, view, some)
            for old, new in ((person, view.person), (item, view.item)):
                await connection.execute(text(f"ALTER TABLE {old.name} RENAME TO {new.name}_old"))
                await connection.execute(text(f"ALTER TABLE {new.name} RENAME TO {old.name}"))
            await connection.execute(state.update().values(position=self._position))
        await _drop_throw_aways(connection)

    async def _tell(self, connection: AsyncConnection, view: ViewTables) -> int:
        """Some more events; answers how many. Nobody waits while they are read and folded."""
        some = await self._read()
        if some.events:
            async with connection.begin():
                await self._write(connection, view, some)
        return some.events

    async def _read(self) -> _Some:
        """The next events, folded."""
        e, fold = t.event.c, Fold()
        after = select(e.seq, *KEPT).where(e.seq > self._position)
        rows = await rows_of(self._records, after.order_by(e.seq).limit(BATCH))
        for seq, *kept in rows:
            fold.add_kept(seq, *event_columns(*kept))
        return _Some(fold, len(rows), rows[-1][0] if rows else self._position)

    async def _write(self, connection: AsyncConnection, view: ViewTables, some: _Some) -> None:
        await view.write(connection, some.fold)
        self._position = some.position
        self._total = max(self._total, self._position)
        self._progress(self._position, self._total)


def _like(table: Table, token: str) -> Table:
    return table.to_metadata(MetaData(), name=f"{table.name}_{token}")


async def _drop_throw_aways(connection: AsyncConnection) -> None:
    """Also those of somebody who was killed."""
    async with connection.begin():
        for name in await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
            if name.startswith((f"{person.name}_", f"{item.name}_")):
                await connection.execute(text(f"DROP TABLE {name}"))
