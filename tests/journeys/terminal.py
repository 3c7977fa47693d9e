"""A real terminal: a program on a pseudo-terminal, its screen read by pyte, keys sent as bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
from collections.abc import Callable
from time import monotonic
from typing import Any, Self

import pyte

PATIENCE = 40.0
READING = 0.6
"""Seconds before the next key: a page that has to be read does not take one at once."""
KEYS = {
    "enter": "\r", "tab": "\t", "back-tab": "\x1b[Z", "esc": "\x1b", "space": " ", "backspace": "\x7f",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "end": "\x1b[F", "home": "\x1b[H",
    "page-down": "\x1b[6~", "page-up": "\x1b[5~", "ctrl+c": "\x03", "ctrl+q": "\x11", "ctrl+z": "\x1a",
    "ctrl+p": "\x10", "ctrl+a": "\x01", "ctrl+u": "\x15", "ctrl+\\": "\x1c",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~",
    "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~",
}  # fmt: skip


class _Screen(pyte.Screen):
    """pyte does not know the private reports and attributes that modern programs ask for."""

    def report_device_status(self, mode: int = 0, **_: Any) -> None:
        pass

    def report_device_attributes(self, mode: int = 0, **_: Any) -> None:
        pass

    def select_graphic_rendition(self, *attributes: int, private: bool = False, **_: Any) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)

    def set_margins(self, *edges: Any, **_: Any) -> None:
        super().set_margins(*edges)


class Terminal:
    """``with Terminal(["python", "-m", "kiosk"], 80, 24, environment) as terminal:``"""

    def __init__(self, command: list[str], columns: int, rows: int, environment: dict[str, str]) -> None:
        self.screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.exit_code: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"})
            os.environ.update(environment)
            os.execvp(command[0], command)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        """What is on the screen, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> Self:
        """Press keys by name, or characters as they are."""
        for key in keys:
            os.write(self._fd, KEYS.get(key, key).encode())
            self._read(0.05)
        return self

    def paste(self, text: str) -> Self:
        """As a scanner with bracketed paste, or an input method, sends it."""
        os.write(self._fd, b"\x1b[200~" + text.encode() + b"\x1b[201~")
        self._read(0.1)
        return self

    def see(self, *words: str) -> Self:
        """Wait until all of these are on the screen."""
        return self.until(lambda: all(word in self.text for word in words), " + ".join(words))

    def lose(self, word: str) -> Self:
        """Wait until this is not on the screen any more."""
        return self.until(lambda: word not in self.text, f"no {word}")

    def until(self, condition: Callable[[], bool], what: str) -> Self:
        """Wait until the condition holds."""
        deadline = monotonic() + PATIENCE
        while not condition():
            if monotonic() > deadline or not self.alive:
                raise AssertionError(f"never on screen: {what}\n{self.text}\n(exit {self.exit_code})")
            self._read(0.1)
        read_by = monotonic() + READING
        while (left := read_by - monotonic()) > 0:
            self._read(left)
        return self

    def still(self, seconds: float = 0.3) -> Self:
        """Wait until nothing has been drawn for so long, a blinking cursor aside: for pictures."""
        deadline = monotonic() + 4 * seconds
        while self._read(seconds) and monotonic() < deadline:
            pass
        return self

    @property
    def alive(self) -> bool:
        """Whether the program still runs."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is None

    def wait_for_end(self) -> int:
        """Wait until the program has ended; its exit code, negative for a signal."""
        deadline = monotonic() + PATIENCE
        while self.alive:
            assert monotonic() < deadline, f"did not end\n{self.text}"
            self._read(0.05)
        assert self.exit_code is not None
        return self.exit_code

    def _read(self, seconds: float) -> bool:
        """Take in what the program draws until it pauses for so long; whether there was anything."""
        heard = False
        while select.select([self._fd], [], [], seconds)[0]:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return heard
            if not data:
                return heard
            self._stream.feed(data)
            heard = True
            seconds = min(seconds, 0.02)
        return heard
