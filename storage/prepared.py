"""Statements of SQLAlchemy Core, compiled once and then run on the driver's own cursor.

Compiling and wrapping cost several times what SQLite itself needs for a row; the write path
cannot afford that on every statement, and gives up nothing by doing it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Dialect, Insert, Select, Update

from storage.types import Converter


class Prepared:
    """One statement for one database. Parameters go in by name, values come out as Python's."""

    def __init__(self, statement: Select[Any] | Insert | Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.names = tuple(compiled.positiontup or ())
        """The parameters in the order in which the driver wants them."""
        kinds = [compiled.binds[name].type.dialect_impl(dialect) for name in self.names]
        self._defaults = compiled.params
        self._into = _those_that_convert(kind.bind_processor(dialect) for kind in kinds)
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        self._out_of = _those_that_convert(
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        )

    def row(self, values: Iterable[Any]) -> list[Any]:
        """Values in the order of `names`, as the driver takes them."""
        row = list(values)
        for index, convert in self._into:
            row[index] = convert(row[index])
        return row

    def execute(self, cursor: Any, **values: Any) -> Any:
        """Run it on a cursor of the driver, its parameters by name."""
        return cursor.execute(self.sql, self.row(values.get(n, self._defaults[n]) for n in self.names))

    def one(self, cursor: Any, **values: Any) -> list[Any] | None:
        """The first row, or None."""
        row = self.execute(cursor, **values).fetchone()
        return None if row is None else self._converted(row)

    def all(self, cursor: Any, **values: Any) -> list[list[Any]]:
        """Every row."""
        return [self._converted(row) for row in self.execute(cursor, **values).fetchall()]

    def _converted(self, row: Iterable[Any]) -> list[Any]:
        values = list(row)
        for index, convert in self._out_of:
            values[index] = convert(values[index])
        return values


def _those_that_convert(processors: Iterable[Converter | None]) -> list[tuple[int, Converter]]:
    return [(index, convert) for index, convert in enumerate(processors) if convert is not None]
