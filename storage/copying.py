"""The records as one SQLite file, whatever they are kept in, and such a file into whatever keeps records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import Boolean, Connection, Date, Dialect, Table

from domain.errors import BackupFailed, RecordIllegible
from storage.archive import Goes
from storage.check import columns_of, layout_of
from storage.engine import writer_engine
from storage.migrate import LAYOUT, migrate
from storage.moment import BATCH, Moment, moment_of
from storage.tables import metadata
from storage.types import UNREADABLE, Converter, Instant

_BEYOND = re.compile(r"-?infinity|\d{5,}-.*|.* BC")
"""What only a server keeps among its instants and days, as it writes it: Python's years end with 9999."""


def copy_out(url: str, file: Path, goes: Goes) -> str:
    """Copy the records there into a new file, at one moment, beside those who work; answers their layout.

    Raises NoRecords, BackupFailed, and the driver's errors.
    """
    with moment_of(url) as moment:
        layout = layout_of(moment)
        if moment.on_sqlite:
            copy_file(moment.driver, file)
        else:
            _rows_out(moment, layout, file, goes)
    return layout


def copy_file(source: Any, file: Path) -> None:
    """A SQLite database as it is, into a file of its own."""
    target = pysqlite3.connect(str(file), isolation_level=None)
    try:
        source.backup(target, pages=-1)
        alone(target)
    finally:
        target.close()


def alone(driver: Any) -> None:
    """Everything into the file itself, so that it can be copied and read without its log."""
    driver.execute("PRAGMA journal_mode = DELETE")


def url_of(file: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{file}"


def _rows_out(moment: Moment, layout: str, file: Path, goes: Goes) -> None:
    if layout != LAYOUT:
        reason = f"the records are of layout {layout}; the version that writes it can copy them"
        if not layout:
            reason = "the records do not say of which layout they are"
        raise BackupFailed(reason=reason)
    there = columns_of(moment)
    engine = writer_engine(url_of(file))
    migrate(engine)
    with engine.connect() as connection:
        target: Any = connection.connection.driver_connection
        target.execute("PRAGMA foreign_keys = OFF")  # they are what the server has kept them to be
        target.execute("PRAGMA synchronous = OFF")
        target.execute("BEGIN")
        for table in metadata.sorted_tables:
            if table.name not in there:
                target.execute(f"DROP TABLE {table.name}")
                continue
            target.execute(f"DELETE FROM {table.name}")  # the layout brings a row of its own
            insert = (
                f"INSERT INTO {table.name} ({_names(table)}) VALUES ({', '.join('?' * len(table.columns))})"
            )
            with _converted(moment, table, engine.dialect) as rows:
                while batch := list(islice(rows, BATCH)):
                    goes()
                    target.executemany(insert, batch)
        target.execute("COMMIT")
        alone(target)
    engine.dispose()


def rows_in(file: Path, connection: Connection, goes: Goes) -> None:
    """Every row of a file into the empty tables of a server, within the transaction that it is in."""
    target: Any = connection.connection.driver_connection
    with moment_of(url_of(file)) as moment:
        moment.read_leniently()  # a server takes no byte that belongs to no text
        for table in metadata.sorted_tables:
            target.execute(f"DELETE FROM {table.name}")
            into = target.cursor().copy(f"COPY {table.name} ({_names(table)}) FROM STDIN")
            with _converted(moment, table, connection.dialect) as rows, into as copy:
                for number, row in enumerate(rows):
                    if number % BATCH == 0:
                        goes()
                    copy.write_row(row)
            if "seq" in table.c:  # the next number is none that was used
                numbers = f"pg_get_serial_sequence('{table.name}', 'seq')"
                following = "COALESCE(MAX(seq), 0) + 1, false"
                target.execute(f"SELECT setval({numbers}, {following}) FROM {table.name}")


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _all_of(table: Table) -> str:
    order = ", ".join(column.name for column in table.primary_key)
    return f"SELECT {_names(table)} FROM {table.name} ORDER BY {order}"


@contextmanager
def _converted(moment: Moment, table: Table, target: Dialect) -> Iterator[Iterator[list[Any]]]:
    """Every row of a table, its dates as the other database writes them, if Python knows them.

    Words and JSON are the same in both. Raises RecordIllegible.
    """
    converters = [
        (n, _through(column.type, moment.dialect, target))
        for n, column in enumerate(table.columns)
        if isinstance(column.type, (Instant, Date, Boolean))
    ]

    def convert(row: Any) -> list[Any]:
        values = list(row)
        try:
            for n, through in converters:
                values[n] = through(values[n])
        except UNREADABLE:  # which would show it
            raise RecordIllegible(reason=f"a date in {table.name} is none") from None
        return values

    with closing(moment.rows(_all_of(table))) as rows:
        yield map(convert, rows)


def _through(kind: Any, source: Dialect, target: Dialect) -> Callable[[Any], Any]:
    read: Converter | None = kind.dialect_impl(source).result_processor(source, None)
    write: Converter | None = kind.dialect_impl(target).bind_processor(target)

    def convert(value: Any) -> Any:
        if isinstance(value, str) and _BEYOND.fullmatch(value):
            return value
        value = read(value) if read else value
        return write(value) if write else value

    return convert
