"""What a terminal in a public hall does with signals: nobody stops it from the keyboard."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

IGNORED = (signal.SIGINT, signal.SIGTSTP, signal.SIGQUIT)
ENDING = {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGHUP: 128 + signal.SIGHUP}


def lock_down(leave: Callable[[int], None]) -> None:
    """Ignore the keyboard's signals; on TERM and HUP call ``leave`` with the exit code."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    loop = asyncio.get_running_loop()
    for number, code in ENDING.items():
        loop.add_signal_handler(number, leave, code)
