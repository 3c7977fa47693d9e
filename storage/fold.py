"""What a stretch of events changes in my page's tables: each row once, all rows of a kind at once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from sqlalchemy import Column, Dialect, String, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import Event
from domain.mypage import MyPageItem, Person, project
from storage import codec
from storage.types import Word

log = logging.getLogger(__name__)

T = TypeVar("T")
Values = Callable[[Any], tuple[Any, ...]]


@dataclass
class Fold:
    """People and items that are new or told anew, and changes of items that were told before."""

    people: dict[str, Person] = field(default_factory=dict)
    items: dict[str, MyPageItem] = field(default_factory=dict)
    changes: dict[str, dict[str, object]] = field(default_factory=dict)

    def add(self, event: Event, at: datetime) -> None:
        """The next event."""
        for told in project(event, at):
            if isinstance(told, MyPageItem):
                self.items[told.code] = told
                self.changes.pop(told.code, None)
            elif isinstance(told, Person):
                self.people[told.recipient] = told
            elif known := self.items.get(told.code):
                self.items[told.code] = replace(known, **told.fields)  # type: ignore[arg-type]
            else:
                self.changes.setdefault(told.code, {}).update(told.fields)

    def add_kept(self, seq: int, name: str, payload: str, at: datetime) -> None:
        """The next event as the records keep it. One that cannot be told is passed over, and logged."""
        try:
            self.add(codec.load_event(name, payload), at)
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with it, the others can be told
            log.error("event %d cannot be told to my page: %s", seq, type(problem).__name__)


class ViewTables:
    """The two tables of a view, and how a fold is written into them.

    A view of millions is told at the speed of the database, so its driver is told the SQL as it is.
    """

    def __init__(self, dialect: Dialect, person: Table, item: Table) -> None:
        self.person = person
        self.item = item
        self._dialect = dialect
        self._people = _upsert(dialect, person)
        self._items = _upsert(dialect, item)
        self._changes: dict[tuple[str, ...], _Rows] = {}

    async def write(self, connection: AsyncConnection, fold: Fold) -> None:
        """In the transaction that the connection is in."""
        await self._people.run(connection, _by_key(fold.people))
        await self._items.run(connection, _by_key(fold.items))
        alike = defaultdict[tuple[str, ...], list[dict[str, object]]](list)
        for code, changed in sorted(fold.changes.items()):
            alike[tuple(changed)].append({**changed, "code": code})
        for names, rows in alike.items():
            if names not in self._changes:
                self._changes[names] = _update(self._dialect, self.item, names)
            await self._changes[names].run(connection, rows)


def _by_key(things: Mapping[str, T]) -> list[T]:
    """In the order of the index that they go into, so that each of its pages is met once."""
    return [things[key] for key in sorted(things)]


class _Rows:
    """One statement for many rows. A server gets them as one JSON array, not as a statement each."""

    def __init__(self, dialect: Dialect, columns: Sequence[Column[Any]], sql: str, values: Values) -> None:
        self._sql = sql
        self._values = values
        self._as_json = dialect.name == "postgresql"
        kinds = [column.type.dialect_impl(dialect) for column in columns]
        self._into = [(n, into) for n, kind in enumerate(kinds) if (into := kind.bind_processor(dialect))]

    async def run(self, connection: AsyncConnection, things: Sequence[object]) -> None:
        """Nothing is said when there are none."""
        if not things:
            return
        if self._as_json:
            await connection.exec_driver_sql(self._sql, (codec.dump(things),))
        else:
            await connection.exec_driver_sql(self._sql, [self._row(thing) for thing in things])

    def _row(self, thing: object) -> tuple[Any, ...]:
        row = list(self._values(thing))
        for n, into in self._into:
            row[n] = into(row[n])
        return tuple(row)


def _upsert(dialect: Dialect, table: Table) -> _Rows:
    """Of things whose attributes are named as the columns are."""
    columns, [key] = list(table.columns), table.primary_key
    names = [column.name for column in columns]
    told = ", ".join(f"{name} = excluded.{name}" for name in names if name != key.name)
    if dialect.name == "postgresql":
        rows = f"SELECT {', '.join(names)} FROM {_recordset(dialect, columns)}"
    else:
        rows = f"VALUES ({', '.join('?' * len(columns))})"
    into = f"{table.name} ({', '.join(names)})"
    sql = f"INSERT INTO {into} {rows} ON CONFLICT ({key.name}) DO UPDATE SET {told}"
    return _Rows(dialect, columns, sql, attrgetter(*names))


def _update(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Rows:
    """Of dictionaries with these columns and the key. A row that is not there is passed over."""
    [key] = table.primary_key
    columns = [*(table.columns[name] for name in names), key]
    if dialect.name == "postgresql":
        changed = ", ".join(f"{name} = new.{name}" for name in names)
        rows = f"FROM {_recordset(dialect, columns)} WHERE {table.name}.{key.name} = new.{key.name}"
    else:
        changed = ", ".join(f"{name} = ?" for name in names)
        rows = f"WHERE {key.name} = ?"
    sql = f"UPDATE {table.name} SET {changed} {rows}"
    return _Rows(dialect, columns, sql, itemgetter(*names, key.name))


def _recordset(dialect: Dialect, columns: Sequence[Column[Any]]) -> str:
    """Text has no length here: a cast would cut off in silence what the column itself refuses."""

    def kind(column: Column[Any]) -> str:
        return "text" if isinstance(column.type, String | Word) else column.type.compile(dialect)

    return f"json_to_recordset(%s::json) AS new ({', '.join(f'{c.name} {kind(c)}' for c in columns)})"
