"""Change notice: who listens is called after every commit, of this process or of another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

POLL_SECONDS = 0.5
"""How late another process's commit may be noticed; asking costs two microseconds."""


class Changes:
    """Calls its listeners on the event loop; many commits in a row may come as one call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[], None]] = []
        self._due = False
        self._watch = self._loop.create_task(self._watch_others())

    def listen(self, listener: Callable[[], None]) -> None:
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
        async with self._engine.connect() as connection:
            await connection.rollback()
            seen = None
            while True:
                version = await connection.scalar(text("PRAGMA data_version"))
                await connection.rollback()
                if seen is not None and version != seen:
                    self._notify()
                seen = version
                await asyncio.sleep(POLL_SECONDS)
