"""Opening a database by its URL: SQLite for one terminal, PostgreSQL for many; the same shape for both."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Dialect, Engine, Select, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import ClinicError, RecordIllegible, RecordsUnread, StorageUnavailable
from storage.prepared import Prepared

WAITED = 3.0
"""Seconds after which nothing more is tried; what is being tried may take three more, to connect."""

_NO_TEXT = "Could not decode to UTF-8"
"""So SQLite's driver begins what it says of a text that is none. It ends with the text."""
_NO_INSTANT = ("timestamp too ", "date too ")
"""So PostgreSQL's begins what it says of an instant or a day that Python does not know."""
_QUOTED = re.compile(r"""(["']).*\1""", re.DOTALL)

_compiled: WeakKeyDictionary[Select[Any], dict[str, Prepared]] = WeakKeyDictionary()
"""Queries of `rows_of` by the name of their database, for as long as they are there."""


class Session(Protocol):
    """The writer's connection: a transaction at a time, in turns with whoever else writes."""

    @property
    def cursor(self) -> Any:
        """What runs a statement of which no answer is awaited, as the driver's cursor does."""

    @property
    def lost(self) -> bool:
        """Whether the connection broke, so that another one may do better."""

    def begin(self) -> None:
        """Begin a transaction when it is this writer's turn."""

    def ask(self, sql: str, row: list[Any]) -> Any:
        """Run a query; its answer can be fetched from what this returns."""

    def undo(self) -> None:
        """Go back to the savepoint ``command``, and let go of it."""

    def commit(self, changed: bool) -> None:
        """Commit, and let the other kiosks know when anything was changed."""

    def try_out(self) -> None:
        """Write and commit what changes nothing. Raises the driver's errors."""

    def settle(self, problem: BaseException) -> None:
        """See that nothing of what met this problem can come true any more. Raises the driver's errors."""

    def close(self) -> None:
        """Let the connection go, and with it what was not committed."""


class Backend(Protocol):
    """What the modules `storage.sqlite` and `storage.postgresql` have in common."""

    @property
    def PAUSES(self) -> tuple[float, ...]:
        """Seconds to wait before each further attempt to reach the database."""

    @property
    def WRITING(self) -> Mapping[str, Any]:
        """Execution options of my page's transactions that write."""

    @property
    def WRITING_SAFELY(self) -> Mapping[str, Any]:
        """The same, of those whose commit returns once it is on the disk."""

    def prepare_folder(self, url: URL) -> None: ...
    def writer_engine(self, url: URL) -> Engine: ...
    def reader_engine(self, url: URL) -> AsyncEngine: ...
    def read_model_engine(self, url: URL) -> AsyncEngine: ...
    def taking_turn(self, connection: Connection) -> AbstractContextManager[None]: ...
    async def fetch(self, driver: Any, sql: str, row: list[Any]) -> Iterable[Any]:
        """Every row that a query finds, asked of the driver's own connection."""


def backend(name: str) -> Backend:
    """The module for a kind of database. Only the one that is used is imported, with its driver."""
    if name == "sqlite":
        from storage import sqlite

        return sqlite
    from storage import postgresql

    return postgresql


def open_session(engine: Engine, origin: str) -> Session:
    """A connection for the writer. Raises the driver's errors. ``origin`` is named to the other kiosks."""
    if engine.dialect.name == "sqlite":
        from storage.sqlite import SqliteSession

        return SqliteSession(engine, origin)
    from storage.postgresql import PostgresqlSession

    return PostgresqlSession(engine, origin)


def prepare_folder(url: str) -> None:
    """Make the folder of a SQLite file, for its owner only; a server needs none."""
    address = _parsed(url)
    backend(address.get_backend_name()).prepare_folder(address)


def writer_engine(url: str) -> Engine:
    """For the one thread that writes, and for migrations. A commit returns once it is on the disk."""
    address = _parsed(url)
    return backend(address.get_backend_name()).writer_engine(address)


def reader_engine(url: str) -> AsyncEngine:
    """For queries: it cannot write, and sees committed state only."""
    address = _parsed(url)
    return backend(address.get_backend_name()).reader_engine(address)


def read_model_engine(url: str) -> AsyncEngine:
    """For my page, whose writers are the projectors."""
    address = _parsed(url)
    return backend(address.get_backend_name()).read_model_engine(address)


def is_server(url: str) -> bool:
    """Whether the database may be away while the program is there."""
    return _parsed(url).get_backend_name() != "sqlite"


def for_writing(engine: AsyncEngine, safely: bool = False) -> AsyncEngine:
    """The same engine, whose transactions take the write lock when they begin.

    What is written ``safely`` is on the disk when its commit returns, with all that was committed before.
    """
    known = backend(engine.dialect.name)
    return engine.execution_options(**(known.WRITING_SAFELY if safely else known.WRITING))


async def rows_of(
    engine: AsyncEngine, statement: Select[Any], values: Mapping[str, Any] | None = None
) -> list[list[Any]]:
    """What a query finds, with these values as its parameters. A server that is away is waited for a little.

    Raises RecordsUnread, or RecordIllegible when it lies in a row.
    """
    known, dialect = _prepared(statement, engine.dialect), engine.dialect
    row = known.named(values or {})
    driver_error, gone = dialect.loaded_dbapi.Error, (OperationalError, dialect.loaded_dbapi.OperationalError)
    clock = asyncio.get_running_loop()
    until = clock.time() + WAITED
    for pause in (*backend(dialect.name).PAUSES, None):
        try:
            return [known.converted(found) for found in await _fetched(engine, known.sql, row)]
        except (DBAPIError, driver_error) as problem:
            if is_illegible(problem):
                raise RecordIllegible(reason=in_short(problem)) from problem
            if pause is None or not isinstance(problem, gone) or clock.time() > until:
                raise RecordsUnread(reason=in_short(problem)) from problem
            await engine.dispose()  # where one connection is gone, the others are
            await asyncio.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _prepared(statement: Select[Any], dialect: Dialect) -> Prepared:
    """Compiled once, if it is built once. Others, with what somebody typed in them, are not kept."""
    compiled = _compiled.setdefault(statement, {})
    if dialect.name not in compiled:
        compiled[dialect.name] = Prepared(statement, dialect)
    return compiled[dialect.name]


async def _fetched(engine: AsyncEngine, sql: str, row: list[Any]) -> Iterable[Any]:
    """In one step of the driver: each step is a way to its thread and back, eight by way of a cursor."""
    async with engine.connect() as connection:
        pooled = await connection.get_raw_connection()
        try:
            return await backend(engine.dialect.name).fetch(pooled.driver_connection, sql, row)
        except BaseException:  # also of whoever has left: what its connection is at is not known
            await connection.invalidate()
            raise


def in_short(problem: BaseException) -> str:
    """The first line of the reason alone: the rest is the statement, a link, a hint.

    Of what stands in a row, which is somebody's, nothing is repeated.
    """
    problem = _of_the_driver(problem)
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    kinds = {kind.__name__ for kind in type(problem).__mro__}  # the same of every driver (PEP 249)
    if "Error" not in kinds and not isinstance(problem, ClinicError):
        return type(problem).__name__
    said = getattr(getattr(problem, "diag", None), "message_primary", None) or str(problem)
    if said.startswith(_NO_TEXT):
        said = said.partition(" with text ")[0]
    elif "DataError" in kinds:  # quotes the value that is to blame, with its lines
        said = _QUOTED.sub("…", said)
    return said.partition("\n")[0] or type(problem).__name__


def is_illegible(problem: BaseException) -> bool:
    """Whether it is what a driver says of a row that holds no text, or no instant that Python knows."""
    return str(_of_the_driver(problem)).startswith((_NO_TEXT, *_NO_INSTANT))


def _of_the_driver(problem: BaseException) -> BaseException:
    return problem.orig or problem if isinstance(problem, DBAPIError) else problem


def _parsed(url: str) -> URL:
    """Refusals never repeat the URL, which may hold a password."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise StorageUnavailable(reason="the address of the database cannot be read") from None
    if address.get_backend_name() == "sqlite" or address.drivername in {"postgresql", "postgresql+psycopg"}:
        return address
    known = "sqlite and postgresql+psycopg are known"
    raise StorageUnavailable(reason=f"no database is reached by “{address.drivername}”; {known}")
