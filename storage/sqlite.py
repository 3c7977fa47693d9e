"""SQLite: which library, with which guarantees, and how the writer takes its turn."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pysqlite3
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage.disk import sync

BUSY_MILLISECONDS = 5_000
CHECKPOINT_PAGES = 4_000
"""16 MB of log before it is copied back; SQLite's own 1,000 pages are two or three full batches."""

IOERR = 10
"""SQLite's own number for an error of the disk, in the lowest byte."""
SHM_BYTES = 32 * 1024
"""What whoever opens a file first needs beside it, also to read."""

PAUSES: tuple[float, ...] = ()
"""A file that is gone does not come back by waiting."""
WRITING = {"begin": ("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE")}
"""Execution options under which my page's transactions take the write lock when they begin."""
WRITING_SAFELY = {"begin": ("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE")}
"""The same, of those whose commit returns once it is on the disk."""


class Turn:
    """The gate before SQLite's own write lock, for several processes on one file.

    SQLite lets those who wait poll, and whoever polls luckily goes first: some never do. The kernel wakes
    those who wait at a file lock in the order in which they came, and frees it when its holder is killed.
    """

    def __init__(self, database: str | None) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(f"{database}-turn", flags, 0o600) if database else -1

    def take(self) -> None:
        """Wait for it."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def give(self) -> None:
        """To whoever waits next."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Which gives it too."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class SqliteSession:
    """The writer's connection. Its turn is the gate, and then SQLite's own write lock."""

    def __init__(self, engine: Engine, origin: str) -> None:
        self._pooled = engine.raw_connection()
        self._connection = cast(Any, self._pooled.driver_connection)
        self.cursor: Any = self._connection.cursor()
        self._turn = Turn(engine.url.database)

    @property
    def lost(self) -> bool:
        """See `storage.engine.Session.lost`."""
        return False

    def begin(self) -> None:
        """See `storage.engine.Session.begin`."""
        self._turn.take()
        self.cursor.execute("BEGIN IMMEDIATE")

    def ask(self, sql: str, row: list[Any]) -> Any:
        """See `storage.engine.Session.ask`."""
        return self.cursor.execute(sql, row)

    def undo(self) -> None:
        """See `storage.engine.Session.undo`."""
        self.cursor.execute("ROLLBACK TO command")
        self.cursor.execute("RELEASE command")

    def commit(self, changed: bool) -> None:
        """See `storage.engine.Session.commit`. Others notice by ``data_version``."""
        self.cursor.execute("COMMIT")
        self._turn.give()

    def settle(self, problem: BaseException) -> None:
        """See `storage.engine.Session.settle`.

        A commit whose sync failed stands complete in the log, where whoever opens the file after a crash
        would find it. A commit of nothing is written over it, unless there was no room for it to begin with.
        """
        if getattr(problem, "sqlite_errorcode", None) != pysqlite3.SQLITE_FULL:
            self.try_out()

    def try_out(self) -> None:
        """See `storage.engine.Session.try_out`."""
        self.begin()
        self.cursor.execute("PRAGMA user_version=0")
        self.commit(changed=False)

    def close(self) -> None:
        """See `storage.engine.Session.close`."""
        with contextlib.suppress(pysqlite3.Error):
            self._connection.rollback()
        self._pooled.invalidate()
        self._turn.close()


def prepare_folder(url: URL) -> None:
    """Make the folder of the file, for its owner only, and bring its name down to the disk.

    A commit is safe when the file is; the file is safe when the way to it is.
    """
    if url.database:
        folder = Path(url.database).parent
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in made or [folder]:  # another part of the kiosk may have made it a moment ago
            with contextlib.suppress(OSError):  # above our own folder little is ours to open
                sync(place.parent)


def writer_engine(url: URL) -> Engine:
    """See `storage.engine.writer_engine`. A commit returns once it is on the disk (WAL, FULL).

    SQLite's own transactions are begun by hand: the driver would begin them DEFERRED.
    """
    engine = create_engine(url, module=pysqlite3, poolclass=NullPool)
    _keep_private(engine)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        with _telling_a_full_disk(url.database):
            _pragmas(
                connection,
                journal_mode="WAL",
                synchronous="FULL",
                foreign_keys="ON",
                busy_timeout=BUSY_MILLISECONDS,
                wal_autocheckpoint=CHECKPOINT_PAGES,
            )

    return engine


def reader_engine(url: URL) -> AsyncEngine:
    """See `storage.engine.reader_engine`."""
    return _async_engine(url, query_only="ON")


def read_model_engine(url: URL) -> AsyncEngine:
    """See `storage.engine.read_model_engine`. It can be told again, so NORMAL is enough."""
    return _async_engine(url, journal_mode="WAL", synchronous="NORMAL")


@contextlib.contextmanager
def taking_turn(connection: Connection) -> Iterator[None]:
    """Nobody else writes or migrates meanwhile. A migration that fails half-way leaves no half a table."""
    turn = Turn(connection.engine.url.database)
    try:
        turn.take()
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
    finally:
        turn.close()


async def fetch(driver: Any, sql: str, row: list[Any]) -> Iterable[Any]:
    """See `storage.engine.Backend.fetch`."""
    found: Iterable[Any] = await driver.execute_fetchall(sql, row)
    return found


def _async_engine(url: URL, **pragmas: str) -> AsyncEngine:
    with _current_sqlite():
        address = url.set(drivername="sqlite+aiosqlite")
        engine = create_async_engine(address, pool_size=4, pool_reset_on_return=None)
    _keep_private(engine.sync_engine)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        _pragmas(connection, busy_timeout=BUSY_MILLISECONDS, **pragmas)

    @event.listens_for(engine.sync_engine, "reset")
    def _reset(connection: Any, _record: Any, _state: Any) -> None:
        if connection.driver_connection.in_transaction:  # most who give it back have only asked something
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        for statement in connection.get_execution_options().get("begin", ("BEGIN",)):
            connection.exec_driver_sql(statement)

    return engine


def _keep_private(engine: Engine) -> None:
    """A file that is not there yet is made for its owner only; SQLite gives its log the same mode.

    One that is there is not opened: to close it would let go of the locks that this process has on it.
    """

    @event.listens_for(engine, "do_connect")
    def _make(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
        if arguments[0] != ":memory:":
            with contextlib.suppress(OSError):  # SQLite says what is in the way
                os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _pragmas(connection: Any, **pragmas: str | int) -> None:
    cursor = connection.cursor()
    for name, value in pragmas.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


@contextlib.contextmanager
def _telling_a_full_disk(database: str | None) -> Iterator[None]:
    """Without room for the file that it reads with, SQLite says that the disk has a fault."""
    try:
        yield
    except pysqlite3.OperationalError as problem:
        if database and problem.sqlite_errorcode & 0xFF == IOERR:
            disk = os.statvfs(Path(database).parent)
            if disk.f_bavail * disk.f_frsize < SHM_BYTES:
                raise pysqlite3.OperationalError("database or disk is full") from problem
        raise


@contextlib.contextmanager
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
