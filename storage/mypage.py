"""My page's own database: told from the events, answered with one indexed query.

It lives apart from the records, on a URL of its own. How far it has been told is kept in the same
transaction as what it was told, so it can be stopped anywhere and never counts an event twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Column,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.events import Recorded
from domain.mypage import ItemKind, MyPage, MyPageItem, Person, project
from storage.engine import for_writing, rows_of
from storage.outbox import Outbox
from storage.statements import columns_of
from storage.tables import Place
from storage.types import Instant, Word

LAYOUT = 1
"""Of the tables below. Another layout is thrown away and told again from the events."""
REBUILD_BATCH = 1_000

metadata = MetaData()

person = Table(
    "mypage_person",
    metadata,
    Column("recipient", String(9), primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("name", String(80), nullable=False),
)

item = Table(
    "mypage_item",
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
    "mypage_state",
    metadata,
    Column("layout", Integer, primary_key=True),
    Column("position", Place, nullable=False),
)

ITEM_COLUMNS = columns_of(item, MyPageItem)


class MyPageStore:
    """Reads and writes the view."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self) -> None:
        """Make the tables, or throw away those of another layout."""
        async with for_writing(self._engine).begin() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            layout = await connection.scalar(select(state.c.layout)) if state.name in tables else None
            if layout != LAYOUT:
                await connection.run_sync(metadata.drop_all)
                await connection.run_sync(metadata.create_all)
                await connection.execute(insert(state).values(layout=LAYOUT, position=0))

    async def close(self) -> None:
        """Let the database go."""
        await self._engine.dispose()

    async def position(self) -> int:
        """The last event that the view knows of."""
        rows = await rows_of(self._engine, select(state.c.position))
        return int(rows[0][0]) if rows else 0

    async def page_of(self, recipient: str) -> MyPage:
        """Everything of this person, newest first."""
        found = (
            select(state.c.position, person.c.name, *ITEM_COLUMNS)
            .select_from(state)
            .outerjoin(person, person.c.recipient == recipient)
            .outerjoin(item, item.c.recipient == person.c.recipient)
            .order_by(item.c.at.desc(), item.c.code)
        )
        rows = await rows_of(self._engine, found)
        items = [MyPageItem(*row[2:]) for row in rows if row[2] is not None]
        return MyPage(name=rows[0][1] or "", items=items, position=rows[0][0])

    async def tell(self, events: Sequence[Recorded], again: bool = False) -> int:
        """Apply events in order; those it knows already change nothing, unless told ``again``.

        Answers the new position.
        """
        async with for_writing(self._engine).begin() as connection:
            position = int(await connection.scalar(select(state.c.position)) or 0)
            fresh = [recorded for recorded in events if again or recorded.seq > position]
            if not fresh:
                return position
            await _apply(connection, fresh)
            position = max(position, fresh[-1].seq)
            await connection.execute(state.update().values(position=position))
            return position

    async def rebuild(self, outbox: Outbox, progress: Callable[[int, int], None]) -> int:
        """Tell the view again from the first event, in one transaction; readers see the old one until then.

        ``progress`` is told how many of how many events are done. Answers how many there were.
        """
        total, done = await outbox.last(), 0
        async with for_writing(self._engine).begin() as connection:
            await connection.execute(delete(item))
            await connection.execute(delete(person))
            while events := (await outbox.after(done, REBUILD_BATCH)).events:
                await _apply(connection, events)
                done = events[-1].seq
                progress(done, max(total, done))
            await connection.execute(state.update().values(position=done))
        return done

    async def everything(self) -> list[tuple[Any, ...]]:
        """Every row of the view in a fixed order, for comparing one with another."""
        people = await rows_of(self._engine, select(person).order_by(person.c.recipient))
        items = await rows_of(self._engine, select(item).order_by(item.c.code))
        return [tuple(row) for row in [*people, *items]]


async def _apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Fold a batch of events in memory, then write each row that it touches once."""
    people: dict[str, Person] = {}
    items: dict[str, MyPageItem] = {}
    changes = [change for recorded in events for change in project(recorded.event, recorded.at)]
    codes = {change.code for change in changes if not isinstance(change, Person)}
    known = await connection.execute(select(*ITEM_COLUMNS).where(item.c.code.in_(codes)))
    items.update((row[0], MyPageItem(*row)) for row in known)
    for change in changes:
        if isinstance(change, Person):
            people[change.recipient] = change
        elif isinstance(change, MyPageItem):
            items[change.code] = change
        elif change.code in items:
            items[change.code] = replace(items[change.code], **change.fields)  # type: ignore[arg-type]
    await _replace(connection, person, [_row(person, entry) for entry in people.values()], "recipient")
    await _replace(connection, item, [_row(item, entry) for entry in items.values()], "code")


async def _replace(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]], key: str) -> None:
    if rows:
        await connection.execute(delete(table).where(table.c[key].in_([row[key] for row in rows])))
        await connection.execute(insert(table), rows)


def _row(table: Table, entry: Person | MyPageItem) -> dict[str, Any]:
    return {column.name: getattr(entry, column.name) for column in table.columns}
