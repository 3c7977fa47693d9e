"""What a supervisor is told by a program it has started: systemd's notification protocol, sd_notify(3)."""

from __future__ import annotations

import asyncio
import os
import socket


def tell(state: str) -> None:
    """``READY=1``, ``STOPPING=1``, ``STATUS=…``; nothing happens when nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(state.encode(), address)


async def keep_alive() -> None:
    """Say at half the interval that was asked for that the event loop turns. Ends at once if nobody asked."""
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    while microseconds:
        tell("WATCHDOG=1")
        await asyncio.sleep(microseconds / 2_000_000)
