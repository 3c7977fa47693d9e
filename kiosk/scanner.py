"""A scanner types like a keyboard, only faster than anybody can: its keys are told apart, and taken as one.

A key that was meant for an answer waits a moment, in which a scanner would send the next one. So no
character of a scan chooses anything, and the Enter at its end confirms nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from textual import events

from domain.codes import Kind, parse_code
from domain.errors import InputError
from kiosk.gs1 import GROUP_SEPARATOR, SEPARATOR_SIGN, Scanned, read_gs1

GAP_SECONDS = 0.06
"""A scanner leaves less than this between two characters; nobody's fingers do four times in a row."""
STALL_SECONDS = 0.3
"""So long a slow terminal may keep back the rest of what can only be a scan."""
FEWEST = 4
"""Fewer characters may have been typed by quick fingers."""
_ENDS = frozenset({"enter", "tab", "ctrl+j"})
"""What scanners send behind a code, as they are set up; some send two of them."""
_SEPARATOR_KEY = "ctrl+right_square_bracket"
"""A terminal reads the group separator as this key."""

Press = events.Key | events.Paste


@dataclass(frozen=True)
class Scan:
    """What was scanned: a box, a ticket with the code of a visit or its booking, or something else."""

    text: str
    box: Scanned | None = None
    code: str | None = None

    @classmethod
    def read(cls, text: str, today: date) -> Scan:
        """What the text is; a scanner in Hangul mode changes nothing about it."""
        if box := read_gs1(text, today):
            return cls(text, box)
        try:
            code = parse_code(text)
        except InputError:
            return cls(text)
        return cls(text, code=code if code[0] in (Kind.BOOKING, Kind.INJECTION) else None)


class Waiting(Protocol):
    """What was put off until later, and can be called off."""

    def stop(self) -> None:
        """It is not done."""


class Sieve:
    """Passes keys on in their order, but for those of a scan, which is told as a whole.

    Times are those with which the keys are stamped; what is put off ``later`` only lets go of a key that
    no other follows.
    """

    def __init__(
        self,
        pass_on: Callable[[Press], Awaitable[None]],
        scanned: Callable[[str], bool],
        cut_short: Callable[[], bool],
        later: Callable[[float, Callable[[], Awaitable[None]]], Waiting],
    ) -> None:
        self._pass_on, self._scanned, self._cut_short, self._later = pass_on, scanned, cut_short, later
        self._presses: list[Press] = []
        self._text = ""
        self._passed = 0
        """How many of the presses were let go of already."""
        self._last = self._ended = float("-inf")
        self._waiting: Waiting | None = None

    def forget(self) -> None:
        """Whatever is held back is not passed on."""
        self._stop()
        self._presses, self._text, self._passed = [], "", 0

    @property
    def holds(self) -> bool:
        """Whether a key waits to be let go of."""
        return len(self._presses) > self._passed

    async def press(self, press: Press) -> None:
        """A key, or a text that was pasted."""
        self._stop()
        if not self._follows(press):
            await self._let_go()
            self.forget()
        text = _text_of(press)
        is_end = isinstance(press, events.Key) and press.key in _ENDS
        if is_end and not self._presses and abs(press.time - self._ended) <= GAP_SECONDS:
            return  # the second end of a scan
        self._last = press.time
        if text:
            self._presses.append(press)
            self._text += text
            if self._is_scan and isinstance(press, events.Paste) and press.text.endswith(("\r", "\n")):
                await self._end(None)
            else:
                self._waiting = self._later(self._patience, self._let_go)
        elif is_end and self._is_scan:
            await self._end(press)
        else:
            await self._let_go()
            self.forget()
            await self._pass_on(press)

    @property
    def _is_scan(self) -> bool:
        return len(self._text) >= FEWEST

    @property
    def _patience(self) -> float:
        return STALL_SECONDS if self._is_scan else GAP_SECONDS

    def _follows(self, press: Press) -> bool:
        return abs(press.time - self._last) <= self._patience

    async def _end(self, end: Press | None) -> None:
        """It was a scan; or else text, which what has the focus takes together with the key behind it."""
        presses, text = self._presses[self._passed :], self._text
        self.forget()
        self._ended = self._last
        if not self._scanned(text):
            for press in [*presses, end] if end else presses:
                await self._pass_on(press)

    async def _let_go(self) -> None:
        """Nothing followed: they were keys, or a scan of which the rest is missing."""
        presses, self._passed = self._presses[self._passed :], len(self._presses)
        if self._is_scan and len(set(self._text)) > 1 and presses and self._cut_short():
            return
        for press in presses:
            await self._pass_on(press)

    def _stop(self) -> None:
        if self._waiting:
            self._waiting.stop()
            self._waiting = None


def _text_of(press: Press) -> str:
    """What it types; empty for a key that does something."""
    if isinstance(press, events.Paste):
        return unicodedata.normalize("NFC", press.text.replace(GROUP_SEPARATOR, SEPARATOR_SIGN)).strip("\r\n")
    if press.key == _SEPARATOR_KEY:
        return SEPARATOR_SIGN
    return press.character if press.is_printable and press.character else ""
