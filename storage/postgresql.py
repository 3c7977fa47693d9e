"""PostgreSQL, shared by the kiosks of a clinic: its guarantees, and how their writers take turns.

Each kiosk has one writer, and the first thing its transaction does is to wait for the clinic's one
advisory lock. So handlers of different kiosks never interleave either: no row is ever fought for,
nothing deadlocks, and what a handler has read is still so when it writes.

It also means that events become visible in the order of their ``seq``. Usually a sequence hands out its
numbers before the commits, so a reader that asks for "everything after the last I saw" misses rows that
commit late, and has to stay behind the oldest open transaction (an ``xid8`` horizon). Here only the holder
of the lock draws the next number, and PostgreSQL releases a transaction's locks after it has made its
rows visible: whoever sees an event sees every event before it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, cast

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

CHANNEL = "clinic_changed"
RECORDS_TURN, MY_PAGE_TURN = 7_120_201, 7_120_202
"""The two advisory locks; any numbers, as long as every version of the kiosk agrees on them."""

PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0, 1.1)
"""Seconds between attempts to reach a server that went away: a restart takes one or two."""

WRITING = {
    "isolation_level": "READ COMMITTED",
    "begin": (f"SELECT pg_advisory_xact_lock({MY_PAGE_TURN})",),
}
"""Execution options under which my page's transactions take their turn when they begin."""
WRITING_SAFELY = {**WRITING, "begin": (*WRITING["begin"], "SET LOCAL synchronous_commit = on")}

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Said aloud, for a stricter default would look at the records as they were *before* the lock was got."""
_TAKE_TURN = f"SELECT pg_advisory_xact_lock({RECORDS_TURN})"
_SAFE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""Acknowledged is on the disk, whatever the server's default; what is stricter than ``on`` stays."""

_CONNECTION = {
    "application_name": "clinic-kiosk",
    "connect_timeout": "3",
    # A network that swallows everything is noticed in seconds; the system's default is hours.
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_SESSION = {
    "TimeZone": "UTC",
    # A kiosk that loses its power in the middle of its turn would hold up the clinic.
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "10s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}


class PostgresqlSession:
    """The writer's connection. What needs no answer travels with the next statement that does."""

    def __init__(self, engine: Engine, origin: str) -> None:
        self._pooled: Any = engine.raw_connection()
        self._connection = cast(psycopg.Connection[Any], self._pooled.driver_connection)
        self._connection.autocommit = True
        self._connection.prepare_threshold = 0
        self._connection.execute(_SAFE)
        self._origin = origin
        self._turn = contextlib.ExitStack()
        self.cursor = _Cursor(self._connection)

    @property
    def lost(self) -> bool:
        """See `storage.engine.Session.lost`."""
        return self._connection.closed

    def begin(self) -> None:
        """See `storage.engine.Session.begin`."""
        self._pipeline = self._turn.enter_context(self._connection.pipeline())
        self.cursor.execute(_BEGIN)
        self.cursor.execute(_TAKE_TURN)

    def ask(self, sql: str, row: list[Any]) -> psycopg.Cursor[Any]:
        """See `storage.engine.Session.ask`.

        It ends with a Sync, for a server takes a kiosk that went silent for idle only after one.
        """
        answers = self.cursor.execute(sql, row)
        if self._connection.pgconn.pipeline_status:
            self._pipeline.sync()
        return answers

    def undo(self) -> None:
        """See `storage.engine.Session.undo`.

        The driver forgets its prepared statements when it hears of a rollback, and tells the server to
        after the next statement: so it hears at once, and that next one is not prepared.
        """
        self.cursor.execute("ROLLBACK TO command")
        self._pipeline.sync()
        self._connection.execute("RELEASE command", prepare=False)

    def commit(self, changed: bool) -> None:
        """See `storage.engine.Session.commit`."""
        if changed:
            self.cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, self._origin))
        commit = self.cursor.execute("COMMIT")
        self._turn.close()
        if commit.statusmessage != "COMMIT":  # it answers ROLLBACK when the transaction had failed
            raise psycopg.OperationalError("the transaction was rolled back")

    def try_out(self) -> None:
        """See `storage.engine.Session.try_out`. What has a number of its own is written down."""
        self.begin()
        self.cursor.execute("SELECT pg_current_xact_id()")
        self.commit(changed=False)

    def settle(self, problem: BaseException) -> None:
        """See `storage.engine.Session.settle`.

        The server may still be committing for a connection that broke: it holds the turn until then.
        """
        self._connection.execute(_TAKE_TURN)

    def close(self) -> None:
        """See `storage.engine.Session.close`."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()
            self._turn.close()
        self._pooled.invalidate()


class _Cursor:
    """A new cursor for each statement, for in a pipeline each waits for its own answer."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Any = None) -> psycopg.Cursor[Any]:
        """As the driver's own."""
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Any]) -> None:
        """As the driver's own, which sends them all before it waits."""
        self._connection.cursor().executemany(sql, rows)


class _Instant(Loader):
    """An instant; as its text where Python knows none like it."""

    def load(self, data: Buffer) -> datetime | str:
        """As the driver calls it."""
        text = bytes(data).decode()
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text


class _Day(Loader):
    """The same, a day."""

    def load(self, data: Buffer) -> date | str:
        """As the driver calls it."""
        text = bytes(data).decode()
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text


def read_leniently(cursor: Any) -> None:
    """For one infinite instant, or one past the year 9999, the driver would refuse the whole answer."""
    cursor.adapters.register_loader("timestamptz", _Instant)
    cursor.adapters.register_loader("date", _Day)


def prepare_folder(url: URL) -> None:
    """The server has its own."""


def writer_engine(url: URL) -> Engine:
    """See `storage.engine.writer_engine`. Parameters go by position, as `storage.prepared` gives them."""
    return create_engine(_address(url), poolclass=NullPool, paramstyle="format")


def reader_engine(url: URL) -> AsyncEngine:
    """See `storage.engine.reader_engine`. A query alone needs no BEGIN and ROLLBACK around it."""
    engine = create_async_engine(
        _address(url), isolation_level="AUTOCOMMIT", pool_size=4, paramstyle="format"
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # Not in the address: libpq would take the server for a standby when it looks for one that writes.
        cursor = connection.cursor()
        cursor.execute("SET default_transaction_read_only = on")
        cursor.close()
        connection.commit()

    return engine


def read_model_engine(url: URL) -> AsyncEngine:
    """See `storage.engine.read_model_engine`. It can be told again, so no commit waits for the disk."""
    address = _address(url, synchronous_commit="off")
    engine = create_async_engine(address, isolation_level="AUTOCOMMIT", pool_size=4, paramstyle="format")

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        for statement in connection.get_execution_options().get("begin", ()):
            connection.exec_driver_sql(statement)

    return engine


@contextlib.contextmanager
def taking_turn(connection: Connection) -> Iterator[None]:
    """Nobody else writes or migrates meanwhile. Another kiosk's migration may take its time."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.exec_driver_sql(_TAKE_TURN)
    yield


async def fetch(driver: Any, sql: str, row: list[Any]) -> Iterable[Any]:
    """See `storage.engine.Backend.fetch`."""
    found: Iterable[Any] = await (await driver.execute(sql, row)).fetchall()
    return found


def _address(url: URL, **session: str) -> URL:
    """The operator's URL, completed; what it says itself about the connection stays."""
    options = " ".join(f"-c {name}={value}" for name, value in {**_SESSION, **session}.items())
    given = url.query.get("options", "")
    query = {**_CONNECTION, **url.query, "options": f"{options} {given}".strip()}
    return url.set(drivername="postgresql+psycopg", query=query)
