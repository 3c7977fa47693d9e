"""One moment of a database: everything that is read of it was so at the same time, beside those who write.

It speaks to the driver itself: a check asks a hundred small questions, and a copy reads a million rows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, make_url
from sqlalchemy.exc import DBAPIError

from domain.errors import NoRecords, RecordsUnread
from storage.engine import in_short, is_server, writer_engine

BATCH = 2_000


class Moment:
    """Asks questions within `one_moment`. Raises the driver's errors (`error`)."""

    def __init__(self, connection: Connection) -> None:
        self.dialect: Dialect = connection.dialect
        self.driver: Any = connection.connection.driver_connection
        self.error: type[Exception] = connection.dialect.loaded_dbapi.Error
        self.where = str(connection.engine.url.database) if self.on_sqlite else "this database"
        """The file; a server's address may hold a password."""
        self._numbers = count()

    def read_leniently(self) -> None:
        """From here on texts that are not valid UTF-8 are read too, with a � for each byte that cannot be.

        SQLite's driver would refuse the whole answer; a server keeps no such text.
        """
        if self.on_sqlite:
            self.driver.text_factory = _leniently

    @property
    def on_sqlite(self) -> bool:
        """Whether the records are a file."""
        return self.dialect.name == "sqlite"

    def ask(self, sql: str) -> Any:
        """The driver's cursor with the answer."""
        return self._cursor().execute(sql)

    def rows(self, sql: str) -> Generator[Any]:
        """The rows of an answer, a few at a time, however many there are."""
        # PostgreSQL's driver would fetch them all, unless the server keeps them under a name.
        cursor = self._cursor() if self.on_sqlite else self._cursor(f"rows_{next(self._numbers)}")
        with closing(cursor):
            cursor.execute(sql)
            while batch := cursor.fetchmany(BATCH):
                yield from batch

    def _cursor(self, *name: str) -> Any:
        """On a server an instant that Python does not know is read as its text."""
        cursor = self.driver.cursor(*name)
        if not self.on_sqlite:
            from storage.postgresql import read_leniently

            read_leniently(cursor)
        return cursor


def _leniently(kept: bytes) -> str:
    return kept.decode(errors="replace")


@contextmanager
def one_moment(connection: Connection) -> Iterator[Moment]:
    """A transaction that only reads; one that has begun goes on instead."""
    moment = Moment(connection)
    driver = moment.driver
    if driver.in_transaction if moment.on_sqlite else driver.info.transaction_status:
        with _strict_again(moment):
            yield moment
        return
    if moment.on_sqlite:
        moment.ask("BEGIN")
    else:
        moment.ask("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        moment.ask("SET LOCAL idle_in_transaction_session_timeout = 0")
    try:
        with _strict_again(moment):
            yield moment
    finally:
        with suppress(moment.error):
            driver.rollback()


@contextmanager
def _strict_again(moment: Moment) -> Iterator[None]:
    """Whoever has the connection next reads as the driver does by itself."""
    try:
        yield
    finally:
        if moment.on_sqlite:
            moment.driver.text_factory = str


def file_of(url: str) -> Path:
    """The file of a SQLite address."""
    return Path(str(make_url(url).database))


@contextmanager
def moment_of(url: str) -> Iterator[Moment]:
    """A moment of the records there; nothing is made that is not there. Raises NoRecords, RecordsUnread."""
    if not is_server(url) and not file_of(url).exists():
        raise NoRecords(where=file_of(url))
    engine = writer_engine(url)
    try:
        with engine.connect() as connection, one_moment(connection) as moment:
            yield moment
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as problem:
        raise RecordsUnread(reason=in_short(problem)) from problem
    finally:
        engine.dispose()
