"""Opening a database: which SQLite, with which guarantees."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

BUSY_MILLISECONDS = 5_000
CHECKPOINT_PAGES = 4_000
"""16 MB of log before it is copied back; SQLite's own 1,000 pages are two or three full batches."""


def prepare_folder(url: str) -> None:
    """Make the folder of a SQLite file, for its owner only."""
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def writer_engine(url: str) -> Engine:
    """For the one thread that writes. A commit returns once it is on the disk (WAL, FULL).

    SQLite's own transactions are begun by hand: the driver would begin them DEFERRED.
    """
    engine = create_engine(make_url(url), module=pysqlite3, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        _pragmas(
            connection,
            journal_mode="WAL",
            synchronous="FULL",
            foreign_keys="ON",
            busy_timeout=BUSY_MILLISECONDS,
            wal_autocheckpoint=CHECKPOINT_PAGES,
        )

    return engine


def reader_engine(url: str) -> AsyncEngine:
    """For queries: it cannot write, and sees committed state only."""
    return _async_engine(url, query_only="ON")


def read_model_engine(url: str) -> AsyncEngine:
    """For my page, whose one writer is the projector. It can be told again, so NORMAL is enough."""
    return _async_engine(url, journal_mode="WAL", synchronous="NORMAL")


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, whose transactions take the write lock when they begin."""
    return engine.execution_options(begin="BEGIN IMMEDIATE")


def _async_engine(url: str, **pragmas: str) -> AsyncEngine:
    address: URL = make_url(url).set(drivername="sqlite+aiosqlite")
    with _current_sqlite():
        engine = create_async_engine(address, pool_size=4)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        _pragmas(connection, busy_timeout=BUSY_MILLISECONDS, **pragmas)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _pragmas(connection: Any, **pragmas: str | int) -> None:
    cursor = connection.cursor()
    for name, value in pragmas.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


@contextmanager
def _current_sqlite() -> Iterator[None]:
    """aiosqlite speaks to Python's own SQLite, often one with the WAL-reset bug (before 3.51.3).

    It has no way to be told otherwise, so it is imported while the current one stands in.
    """
    names = {"sqlite3": pysqlite3, "sqlite3.dbapi2": pysqlite3.dbapi2}
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update(names)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
