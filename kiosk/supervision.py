"""What a supervisor is told by a program it has started: systemd's notification protocol, sd_notify(3)."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

log = logging.getLogger(__name__)


def tell(state: str) -> None:
    """``READY=1``, ``STOPPING=1``, ``STATUS=…``; nothing happens when nobody listens, or hears it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address)
    except OSError as problem:  # while systemd starts itself anew, for one: the next word may reach it
        log.warning("%s was not heard: %s", state.partition("=")[0], problem.strerror)


def when_gone(pipe: int, call: Callable[[], None]) -> None:
    """Call this, once, when the other end of the pipe is closed. Nothing is ever written to it."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(pipe)  # from now on it can be read all the time
        call()

    loop.add_reader(pipe, gone)


def give_sign(starting: bool = False) -> None:
    """Alive. Whoever is still ``starting`` gets as long again for that, as often as it takes."""
    tell(f"EXTEND_TIMEOUT_USEC={_interval()}" if starting else "WATCHDOG=1")


async def keep_alive(sign: Callable[[], object] = give_sign) -> None:
    """Give a sign at half the interval asked for, while the event loop turns. Ends at once if none was."""
    while microseconds := _interval():
        sign()
        await asyncio.sleep(microseconds / 2_000_000)


@asynccontextmanager
async def signs_of_life(starting: bool = False) -> AsyncIterator[None]:
    """They are given as long as this lasts."""
    signs = asyncio.create_task(keep_alive(partial(give_sign, starting)))
    try:
        yield
    finally:
        signs.cancel()


def _interval() -> int:
    return int(os.environ.get("WATCHDOG_USEC", "0"))
