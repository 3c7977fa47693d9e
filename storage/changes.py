"""Change notice: who listens is called after every commit, of this process or of another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

POLL_SECONDS = 0.5
"""How late another process's commit to a SQLite file may be noticed; asking costs two microseconds."""
PAUSE_SECONDS = 1.0
"""Before a watch that broke off is taken up again."""

log = logging.getLogger(__name__)

Notify = Callable[[], None]


class Others(Protocol):
    """The other processes that write to the same records."""

    async def watch(self, changed: Notify) -> None:
        """Call it after their commits, for ever. Raises the driver's errors."""


class Polled:
    """A SQLite file tells by its ``data_version`` that somebody has written to it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def watch(self, changed: Notify) -> None:
        """See `Others.watch`."""
        async with self._engine.connect() as connection:
            await connection.rollback()
            seen = None  # whatever was committed before anybody looked
            while True:
                version = await connection.scalar(text("PRAGMA data_version"))
                await connection.rollback()
                if version != seen:
                    changed()
                seen = version
                await asyncio.sleep(POLL_SECONDS)


class Told:
    """PostgreSQL tells every kiosk that listens, with the commit; ``origin`` is this kiosk's own writer."""

    def __init__(self, engine: AsyncEngine, origin: str) -> None:
        self._engine = engine
        self._origin = origin

    async def watch(self, changed: Notify) -> None:
        """See `Others.watch`."""
        from psycopg import AsyncConnection

        from storage.postgresql import CHANNEL

        _, address = self._engine.dialect.create_connect_args(self._engine.url)
        address = {name: value for name, value in address.items() if name != "context"}
        async with await AsyncConnection.connect(**address, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            changed()  # whatever was committed before anybody listened
            async for notice in connection.notifies():
                if notice.payload != self._origin:
                    changed()


def others_of(engine: AsyncEngine, origin: str) -> Others:
    """How this database tells what others commit."""
    return Polled(engine) if engine.dialect.name == "sqlite" else Told(engine, origin)


class Changes:
    """Calls its listeners on the event loop; many commits in a row may come as one call."""

    def __init__(self, others: Others) -> None:
        self._others = others
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Notify] = []
        self._due = False
        self._deaf = False
        """Others cannot be heard just now, and that was said: once, for an outage may be long."""
        self._watch = self._loop.create_task(self._watch_others())

    def listen(self, listener: Notify) -> None:
        """Call this after every commit."""
        self._listeners.append(listener)

    def notify_from_thread(self) -> None:
        """A commit was made in this process, by another thread."""
        if not self._due:  # one call is on its way already: it will see this commit too
            self._due = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._notify)

    async def close(self) -> None:
        """Stop watching."""
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch

    def _notify(self) -> None:
        self._due = False
        for listener in self._listeners:
            listener()

    async def _watch_others(self) -> None:
        while True:
            try:
                await self._others.watch(self._heard)
            except Exception as problem:  # noqa: BLE001 - whatever it met, it goes on
                if not self._deaf:
                    log.warning("no notice of other kiosks' changes: %s", type(problem).__name__)
                self._deaf = True
                await asyncio.sleep(PAUSE_SECONDS)

    def _heard(self) -> None:
        if self._deaf:
            log.info("other kiosks' changes are noticed again")
        self._deaf = False
        self._notify()
