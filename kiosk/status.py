"""How a running process can be asked how it is: a socket in the run folder, one for each process.

A socket answers only while the process's event loop turns, so an answer is a sign of life; and one that a
killed process has left behind refuses at once, so nothing has to be cleaned up. Answers carry no names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 3.0
"""How long a process may take to answer."""

HIDDEN = "."
"""Begins the name of a socket that does not listen yet."""

Report = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Answer:
    """What a process said of itself; None when it is there and does not answer."""

    process: str
    """Its role and process number, ``worker-issuing-4711``."""
    report: dict[str, Any] | None


class Question:
    """Asked of something that may hang, one at a time; nobody waits longer for the answer than ``seconds``.

    What is not answered is given up, which may take whoever was asked longer still: nobody waits for that.
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._asked: asyncio.Task[object] | None = None

    async def answered(self) -> None:
        """Raises TimeoutError, and what the question raises."""
        mine = None
        try:
            async with asyncio.timeout(self._seconds):
                while self._asked and not self._asked.done():
                    await asyncio.wait([self._asked])
                mine = self._asked = asyncio.create_task(self._ask())
                mine.add_done_callback(_heard)
                await asyncio.wait([mine])
        except TimeoutError:
            if mine:
                mine.cancel()
            raise
        mine.result()


def _heard(asked: asyncio.Task[object]) -> None:
    """Nobody may be there any more for what went wrong: asyncio shall not tell of it."""
    if not asked.cancelled():
        asked.exception()


@asynccontextmanager
async def answering(folder: Path, role: str, report: Report) -> AsyncIterator[None]:
    """While the block runs, whoever connects is told the report."""

    async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(await report(), ensure_ascii=False).encode())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    _prepare(folder)
    with _near(folder) as near:
        name = f"{role}-{os.getpid()}"
        hidden = near / f"{HIDDEN}{name}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(hidden)
        # Bound and not yet listening, a socket refuses as the dead do: it gets its name when it answers.
        server = await asyncio.start_unix_server(tell, hidden)
        os.rename(hidden, near / name)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(near / name)
            server.close()


async def ask_all(folder: Path, seconds: float = SECONDS) -> list[Answer]:
    """What every running process says of itself, by name."""
    try:
        with _near(folder) as near:
            names = [name for name in sorted(os.listdir(folder)) if _is_one(near, name)]
            asked = [_ask(near, name, seconds) for name in names]
            return [answer for answer in await asyncio.gather(*asked) if answer]
    except FileNotFoundError:  # nobody has ever run here
        return []


def _is_one(near: Path, name: str) -> bool:
    """Whatever else lies there is nobody's name, and not ours to clear away."""
    try:
        return not name.startswith(HIDDEN) and stat.S_ISSOCK((near / name).lstat().st_mode)
    except FileNotFoundError:
        return False


async def _ask(near: Path, name: str, seconds: float) -> Answer | None:
    """None when nobody is there any more."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(near / name)
            try:
                return Answer(name, json.loads(await reader.read()))
            finally:
                writer.close()
    except (ConnectionRefusedError, FileNotFoundError):
        with contextlib.suppress(OSError):
            os.unlink(near / name)
        return None
    except (TimeoutError, OSError, ValueError):
        return Answer(name, None)


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _near(folder: Path) -> Iterator[Path]:
    """The folder under a short name: the path of a socket has room for a hundred letters."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
