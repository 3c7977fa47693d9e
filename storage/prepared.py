"""Statements of SQLAlchemy Core, compiled once and then run on the driver's own cursor.

Compiling and wrapping cost several times what SQLite itself needs for a row; the write path
cannot afford that on every statement, and gives up nothing by doing it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import (
    Column,
    Dialect,
    Insert,
    Select,
    String,
    Table,
    Text,
    Update,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeEngine

from domain.errors import RecordIllegible
from storage.types import UNREADABLE, Converter

TOGETHER = 32
"""Rows of one INSERT on SQLite, of which each is a step that lets another thread have the interpreter."""


class Connected(Protocol):
    """What a statement is run on."""

    def run(self, statement: Prepared, row: list[Any]) -> Any:
        """Its parameters in the driver's order; answers a cursor with what was found, if it reads."""


class Prepared:
    """One statement for one database. Parameters go in by name, values come out as Python's."""

    def __init__(self, statement: Select[Any] | Insert | Update, dialect: Dialect) -> None:
        if isinstance(statement, Insert):
            statement = statement.inline()  # nobody asks for the number that the row got
        compiled = statement.compile(dialect=dialect)
        self.writes = not isinstance(statement, Select)
        self.tables = {table.name for table in iterate(statement) if isinstance(table, Table)}
        self.sql = str(compiled)
        self.names = tuple(compiled.positiontup or ())
        """The parameters in the order in which the driver wants them."""
        kinds = [compiled.binds[name].type.dialect_impl(dialect) for name in self.names]
        self._defaults = compiled.params
        self._into = _those_that_convert(kind.bind_processor(dialect) for kind in kinds)
        columns = statement.selected_columns.items() if isinstance(statement, Select) else []
        self._columns = [name for name, _ in columns]
        self._out_of = _those_that_convert(
            column.type.dialect_impl(dialect).result_processor(dialect, None) for _, column in columns
        )

    def row(self, values: Iterable[Any]) -> list[Any]:
        """Values in the order of `names`, as the driver takes them."""
        row = list(values)
        for index, convert in self._into:
            row[index] = convert(row[index])
        return row

    def named(self, values: Mapping[str, Any]) -> list[Any]:
        """Parameters by name, as the driver takes them."""
        return self.row(values.get(n, self._defaults[n]) for n in self.names)

    def execute(self, on: Connected, **values: Any) -> Any:
        """Run it, its parameters by name."""
        return on.run(self, self.named(values))

    def one(self, on: Connected, **values: Any) -> list[Any] | None:
        """The first row, or None."""
        row = self.execute(on, **values).fetchone()
        return None if row is None else self.converted(row)

    def all(self, on: Connected, **values: Any) -> list[list[Any]]:
        """Every row."""
        return [self.converted(row) for row in self.execute(on, **values).fetchall()]

    def converted(self, row: Iterable[Any]) -> list[Any]:
        """A row as the driver gives it, its values as Python's. Raises RecordIllegible."""
        values = list(row)
        for index, convert in self._out_of:
            try:
                values[index] = convert(values[index])
            except UNREADABLE:  # which would show it
                raise RecordIllegible(reason=f"its {self._columns[index]} cannot be read") from None
        return values


class Appended:
    """Rows that are only ever added to one table, however many at once."""

    def __init__(self, dialect: Dialect, table: Table, names: list[str]) -> None:
        columns = [table.c[name] for name in names]
        binds = {column.name: bindparam(column.name, type_=column.type) for column in columns}
        self.table = table.name
        self.place = list(table.metadata.tables).index(table.name)
        """Tables are declared after those that they refer to."""
        self._one = Prepared(insert(table).values(binds), dialect)
        if dialect.name == "postgresql":
            self._add = partial(_add_arrays, _insert_arrays(table, columns, dialect))
        else:
            into, values = self._one.sql.split(" VALUES ")
            some = f"{into} VALUES {', '.join([values] * TOGETHER)}"
            self._add = partial(_add_some_by_some, self._one.sql, some)

    def row(self, values: Iterable[Any]) -> list[Any]:
        """See `Prepared.row`."""
        return self._one.row(values)

    def execute(self, cursor: Any, rows: list[list[Any]]) -> None:
        """Add rows that went through `row`; at least one."""
        self._add(cursor, rows)


def _add_arrays(sql: str, cursor: Any, rows: list[list[Any]]) -> None:
    """On a server a statement costs far more than a row: a column is sent at a time."""
    cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])


def _add_some_by_some(one: str, some: str, cursor: Any, rows: list[list[Any]]) -> None:
    """As many at a time as there are in one statement, then the rest."""
    whole = len(rows) - len(rows) % TOGETHER
    for first in range(0, whole, TOGETHER):
        cursor.execute(some, list(chain.from_iterable(rows[first : first + TOGETHER])))
    cursor.executemany(one, rows[whole:])


def _insert_arrays(table: Table, columns: list[Column[Any]], dialect: Dialect) -> str:
    """``INSERT … SELECT unnest(…), …``: keeps the rows in their order."""
    arrays = [
        func.unnest(bindparam(column.name, type_=ARRAY(_element(column, dialect)))) for column in columns
    ]
    statement = insert(table).from_select([column.name for column in columns], select(*arrays))
    return str(statement.compile(dialect=dialect))


def _element(column: Column[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Text has no length here: a cast would cut off in silence what the column itself refuses."""
    kind: Any = column.type.dialect_impl(dialect)
    kind = getattr(kind, "impl_instance", kind)
    return Text() if isinstance(kind, String) else kind


def _those_that_convert(processors: Iterable[Converter | None]) -> list[tuple[int, Converter]]:
    return [(index, convert) for index, convert in enumerate(processors) if convert is not None]
