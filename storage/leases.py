"""Who works on what: a lease that nobody else gets, and that ends with the process that holds it.

A lease spares the others the work; that a thing is done once is kept in the records themselves. So there
is nothing to renew, and no clock: on a SQLite file the kernel holds it (a lock on one byte of a file beside
it), on PostgreSQL the server does (an advisory lock of one connection).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import StorageUnavailable
from storage.disk import lock_bytes
from storage.engine import in_short

CLINIC = 7_120_203
"""The first half of the server's locks; any number, as long as every version agrees on it."""


class Locks(Protocol):
    """Locks by number, of this process against all others; never waited for."""

    async def take(self, number: int) -> bool:
        """Whether it is ours now."""

    async def give(self, number: int) -> None:
        """Somebody else may have it."""

    async def close(self) -> None:
        """Give all."""


class Leases:
    """Leases by name."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks
        self._held: set[int] = set()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """Whether we have it until the end of the block. Raises StorageUnavailable."""
        number = zlib.crc32(name.encode()) & 0x7FFFFFFF
        if number in self._held:  # the lock itself would not keep two of the same process apart
            yield False
            return
        self._held.add(number)
        try:
            taken = await self._locks.take(number)
            try:
                yield taken
            finally:
                if taken:
                    await self._locks.give(number)
        finally:
            self._held.discard(number)

    async def close(self) -> None:
        """Let go of whatever is held."""
        await self._locks.close()


class FileLocks:
    """One byte of a file for each number. The kernel frees them when the process ends, however it ends."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    async def take(self, number: int) -> bool:
        """See `Locks.take`."""
        try:
            self._set(fcntl.F_WRLCK, number)
        except OSError as problem:
            if problem.errno in {errno.EAGAIN, errno.EACCES}:
                return False
            raise StorageUnavailable(reason=in_short(problem)) from problem
        return True

    async def give(self, number: int) -> None:
        """See `Locks.give`."""
        self._set(fcntl.F_UNLCK, number)

    async def close(self) -> None:
        """See `Locks.close`."""
        os.close(self._file)

    def _set(self, kind: int, number: int) -> None:
        # Another clinic opened and closed here takes none of them away.
        lock_bytes(self._file, kind, number, 1)


class ServerLocks:
    """Advisory locks of one connection, which the server frees when it breaks."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def take(self, number: int) -> bool:
        """See `Locks.take`."""
        return await self._ask("pg_try_advisory_lock", number)

    async def give(self, number: int) -> None:
        """See `Locks.give`. A connection that broke has given it already."""
        with contextlib.suppress(StorageUnavailable):
            await self._ask("pg_advisory_unlock", number)

    async def close(self) -> None:
        """See `Locks.close`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # Not back into the pool: its locks would go on.
            with contextlib.suppress(DBAPIError):
                await connection.invalidate()
            await connection.close()

    async def _ask(self, function: str, number: int) -> bool:
        async with self._turn:
            try:
                if self._connection is None:
                    self._connection = await self._engine.connect()
                question = text(f"SELECT {function}(:clinic, :number)")
                return bool(await self._connection.scalar(question, {"clinic": CLINIC, "number": number}))
            except DBAPIError as problem:
                await self.close()
                raise StorageUnavailable(reason=in_short(problem)) from problem


def leases_of(engine: AsyncEngine) -> Leases:
    """The leases of everybody who works on these records."""
    if engine.dialect.name == "sqlite":
        return Leases(FileLocks(f"{engine.url.database}-leases"))
    return Leases(ServerLocks(engine))
