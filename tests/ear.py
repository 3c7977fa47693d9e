"""What a process says to systemd, as systemd hears it."""

from __future__ import annotations

import socket
from itertools import dropwhile
from pathlib import Path
from threading import Thread
from typing import Self


class Ear:
    """``with Ear(folder, 0.5) as ear:`` - a listener that wants a sign of life every half second.

    It listens in a thread of its own, so whoever speaks is never kept waiting, and keeps the order.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self.heard: list[str] = []
        self._path = str(folder / "notify")
        self.environment = {"NOTIFY_SOCKET": self._path, "WATCHDOG_USEC": str(int(seconds * 1_000_000))}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._path)
        self._thread = Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._path)
        self._thread.join()
        self._socket.close()

    def said(self, word: str, after: str = "") -> int:
        """How often, since this was said first."""
        since = dropwhile(lambda told: not told.startswith(after), self.heard)
        return sum(told.startswith(word) for told in since)

    def between(self, first: str, last: str) -> list[str]:
        """What was said in between."""
        return self.heard[self.heard.index(first) + 1 : self.heard.index(last)]

    def _listen(self) -> None:
        while said := self._socket.recv(4096):
            self.heard.append(said.decode())
