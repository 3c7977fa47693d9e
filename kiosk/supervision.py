"""What a supervisor is told by a program it has started: systemd's notification protocol, sd_notify(3)."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable

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


async def keep_alive() -> None:
    """Say at half the interval that was asked for that the event loop turns. Ends at once if nobody asked."""
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    while microseconds:
        tell("WATCHDOG=1")
        await asyncio.sleep(microseconds / 2_000_000)
