"""Statements of SQLAlchemy Core, compiled once and then run on the driver's own cursor.

Compiling and wrapping cost several times what SQLite itself needs for a row; the write path
cannot afford that on every statement, and gives up nothing by doing it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, Insert, Select

from storage.types import Converter


class Prepared:
    """One statement for one database. Parameters go in by name, values come out as Python's."""

    def __init__(self, statement: Select[Any] | Insert, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        defaults = compiled.params
        self._binds: list[tuple[str, Any, Converter | None]] = []
        for name in compiled.positiontup or ():
            kind = compiled.binds[name].type.dialect_impl(dialect)
            self._binds.append((name, defaults.get(name), kind.bind_processor(dialect)))
        self._results: list[Converter | None] = []
        if isinstance(statement, Select):
            self._results = [
                column.type.dialect_impl(dialect).result_processor(dialect, None)
                for column in statement.selected_columns
            ]

    def execute(self, cursor: Any, values: Mapping[str, Any] | None = None) -> Any:
        """Run it on a cursor of the driver."""
        given = values or {}
        return cursor.execute(
            self.sql,
            [
                given.get(name, default) if convert is None else convert(given.get(name, default))
                for name, default, convert in self._binds
            ],
        )

    def one(self, cursor: Any, values: Mapping[str, Any] | None = None) -> list[Any] | None:
        """The first row, or None."""
        row = self.execute(cursor, values).fetchone()
        return None if row is None else self._converted(row)

    def all(self, cursor: Any, values: Mapping[str, Any] | None = None) -> list[list[Any]]:
        """Every row."""
        return [self._converted(row) for row in self.execute(cursor, values).fetchall()]

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        return [
            value if convert is None else convert(value)
            for value, convert in zip(row, self._results, strict=True)
        ]
