"""A view whose file was damaged: put aside when the clinic opens, and told again from the events.

Only my page's own file is ever treated like this, for it holds nothing that the records do not.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

CORRUPT, NOT_A_DATABASE = 11, 26
"""SQLite's own numbers, of which the lowest byte is the kind of error."""

log = logging.getLogger(__name__)


async def put_aside_if_damaged(engine: AsyncEngine) -> None:
    """Called before anything of it is used. Reads the whole file: about a second for a million bookings."""
    if engine.dialect.name != "sqlite" or not await _is_damaged(engine):
        return
    from storage.sqlite import Turn

    path = str(engine.url.database)
    await engine.dispose()
    turn = Turn(path)
    try:
        turn.take()
        if await _is_damaged(engine):  # nobody else has put it aside meanwhile
            await engine.dispose()
            for end in ("-shm", "-wal", ""):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(path + end, f"{path}-damaged{end}")
            log.error("my page was damaged and is told again; the file is kept as %s-damaged", path)
    finally:
        turn.close()


async def _is_damaged(engine: AsyncEngine) -> bool:
    try:
        async with engine.connect() as connection:
            found = await connection.scalar(text("PRAGMA quick_check(1)"))
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlite_errorcode", 0) & 0xFF in {CORRUPT, NOT_A_DATABASE}:
            return True
        raise
    return bool(found != "ok")


def follow_the_file(engine: AsyncEngine) -> None:
    """Connections let go of a file that another process has put aside, and open the one in its place."""
    if engine.dialect.name != "sqlite":
        return
    path = str(engine.url.database)

    @event.listens_for(engine.sync_engine, "connect")
    def _remember(_connection: Any, record: Any) -> None:
        record.info["file"] = _number(path)

    @event.listens_for(engine.sync_engine, "checkout")
    def _compare(_connection: Any, record: Any, _proxy: Any) -> None:
        now = _number(path)
        if now and record.info.setdefault("file", now) != now:
            raise DisconnectionError


def _number(path: str) -> int:
    """The file's own number; 0 while there is none."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0
