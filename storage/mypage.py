"""My page's own database: told from the events, answered with one indexed query.

It lives apart from the records, on a URL of its own. How far it has been told is kept in the same
transaction as what it was told, so it can be stopped anywhere and never counts an event twice.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import RecordsUnread, StorageUnavailable
from domain.events import Recorded
from domain.mypage import ItemKind, MyPage, MyPageItem
from storage.damaged import follow_the_file, put_aside_if_damaged
from storage.engine import for_writing, in_short, rows_of
from storage.fold import Fold, ViewTables
from storage.statements import columns_of
from storage.tables import Place
from storage.types import Instant, Word

LAYOUT = 1
"""Of the tables below, which are named by it: another layout is another view, told from the first event.

So versions of two layouts work side by side on one database, each on its own view. Whoever makes a view
leaves that of the layout before, and throws away what is older.
"""


def _named(what: str) -> str:
    """The first layout's tables have no number."""
    return f"mypage{LAYOUT if LAYOUT > 1 else ''}_{what}"


_OF_A_VIEW = re.compile(r"mypage(\d*)_(?:person|item|state)(?:_[0-9a-f]{8}(?:_old)?)?")
"""A table of some layout's view, or one that a rebuild was at (`storage.rebuild`)."""

metadata = MetaData()

person = Table(
    _named("person"),
    metadata,
    Column("recipient", String(9), primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("name", String(80), nullable=False),
)

item = Table(
    _named("item"),
    metadata,
    Column("code", String(9), primary_key=True),
    Column("kind", Word(ItemKind), nullable=False),
    Column("recipient", String(9), nullable=False, index=True),
    Column("status", String(24), nullable=False),
    Column("product", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("parent", String(9), nullable=False),
    Column("slot", Instant),
    Column("lot", String(20), nullable=False),
    Column("dose_number", Integer, nullable=False),
    Column("dose_total", Integer, nullable=False),
    Column("given_on", Date),
    Column("next_due_on", Date),
)

state = Table(
    _named("state"),
    metadata,
    Column("layout", Integer, primary_key=True),
    Column("position", Place, nullable=False),
)

ITEM_COLUMNS = columns_of(item, MyPageItem)
# Built once: everybody asks these.
_POSITION = select(state.c.position)
_PAGE = (
    select(state.c.position, person.c.name, *ITEM_COLUMNS)
    .select_from(state)
    .outerjoin(person, person.c.recipient == bindparam("recipient"))
    .outerjoin(item, item.c.recipient == person.c.recipient)
    .order_by(item.c.at.desc(), item.c.code)
)


def throw_away(connection: Connection, before: float = math.inf) -> None:
    """The views of all layouts before this one, with what rebuilds that were killed have left."""
    for name in inspect(connection).get_table_names():
        if (found := _OF_A_VIEW.fullmatch(name)) and int(found[1] or 1) < before:
            connection.execute(text(f"DROP TABLE {name}"))


class MyPageStore:
    """Reads and writes the view."""

    def __init__(self, engine: AsyncEngine) -> None:
        follow_the_file(engine)
        self._engine = engine
        self._tables = ViewTables(engine.dialect, person, item)
        self._opening = asyncio.Lock()
        self._is_open = False

    async def open(self) -> None:
        """Make the tables of this layout, if they are not there; put aside a file that is damaged.

        Its server may be away when the clinic opens: then whoever uses it first once it is back opens it.
        So does whoever comes after a failure, for the tables themselves may be gone: put back to an older
        state with their server, or taken away. Raises StorageUnavailable.
        """
        if not self._is_open:
            async with self._opening:
                if not self._is_open:
                    await self._prepare()
                    self._is_open = True

    async def _prepare(self) -> None:
        try:
            await put_aside_if_damaged(self._engine)
        except (DBAPIError, OSError) as problem:
            raise StorageUnavailable(reason=in_short(problem)) from problem
        async with self._transaction(safely=True) as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            layout = await connection.scalar(select(state.c.layout)) if state.name in tables else None
            if layout != LAYOUT:
                await connection.run_sync(metadata.drop_all)
                await connection.run_sync(throw_away, LAYOUT - 1)
                await connection.run_sync(metadata.create_all)
                await connection.execute(insert(state).values(layout=LAYOUT, position=0))

    async def close(self) -> None:
        """Let the database go."""
        await self._engine.dispose()

    async def position(self) -> int:
        """The last event that the view knows of. Raises RecordsUnread."""
        rows = await self._rows(_POSITION)
        return int(rows[0][0]) if rows else 0

    async def page_of(self, recipient: str) -> MyPage:
        """Everything of this person, newest first. Raises RecordsUnread."""
        rows = await self._rows(_PAGE, {"recipient": recipient})
        items = [MyPageItem(*row[2:]) for row in rows if row[2] is not None]
        return MyPage(name=rows[0][1] or "", items=items, position=rows[0][0])

    async def tell(self, events: Sequence[Recorded], after: int = 0) -> int:
        """Apply all events ``after`` a place, in order; those it knows already change nothing.

        Answers the new position. Raises StorageUnavailable when the view cannot be written, or has not come
        to that place: it was damaged, and begun anew, since somebody looked how far it is.
        """
        async with self._writing() as connection:
            position = int(await connection.scalar(_POSITION) or 0)
            if position < after:
                raise StorageUnavailable(reason="my page was begun anew meanwhile")
            fresh = [recorded for recorded in events if recorded.seq > position]
            if not fresh:
                return position
            await self._apply(connection, fresh)
            await connection.execute(state.update().values(position=fresh[-1].seq))
            return fresh[-1].seq

    async def _apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        fold = Fold()
        for recorded in events:
            fold.add(recorded.event, recorded.at)
        await self._tables.write(connection, fold)

    async def _rows(self, statement: Select[Any], values: Mapping[str, Any] | None = None) -> list[list[Any]]:
        try:
            await self.open()
        except StorageUnavailable as problem:
            raise RecordsUnread(**problem.facts) from problem
        try:
            return await rows_of(self._engine, statement, values)
        except RecordsUnread:
            self._is_open = False
            raise

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        await self.open()
        async with self._transaction() as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, safely: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction. What an event itself is to blame for is raised as it is: time does not mend it."""
        try:
            async with for_writing(self._engine, safely).begin() as connection:
                yield connection
        except (DataError, IntegrityError):
            raise
        except DBAPIError as problem:
            self._is_open = False
            raise StorageUnavailable(reason=in_short(problem)) from problem

    async def everything(self) -> list[tuple[Any, ...]]:
        """Every row of the view in a fixed order, for comparing one with another."""
        people = await self._rows(select(person).order_by(person.c.recipient))
        items = await self._rows(select(item).order_by(item.c.code))
        return [tuple(row) for row in [*people, *items]]
