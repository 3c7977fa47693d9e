"""Hands and scanners whose keys are stamped by the test, so that their speed is not that of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from textual import events
from textual.pilot import Pilot

LATER = 1.0
"""Seconds after which whatever is typed next has nothing to do with what was typed before."""


class Fingers:
    """Types on the terminal; every key has its time."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self._pilot = pilot
        self._at = monotonic()

    async def press(self, *keys: str, every: float = LATER) -> None:
        """One key after the other."""
        self._at = max(self._at, monotonic()) + LATER
        self._post([_key(name) for name in keys], every)
        await self._pilot.pause()

    async def scan(
        self,
        code: str,
        *,
        every: float = 0.01,
        end: Sequence[str] = ("enter",),
        stalls: dict[int, float] | None = None,
    ) -> None:
        """A scanner types the code; before some characters the terminal may stall."""
        self._at = max(self._at, monotonic()) + LATER
        self._post([*(_key(c) for c in code), *(_key(name) for name in end)], every, stalls or {})
        await self._pilot.pause()

    async def paste(self, text: str, *keys: str) -> None:
        """A terminal hands the whole text over at once, and keys right behind it."""
        self._at = max(self._at, monotonic()) + LATER
        self._post([events.Paste(text), *(_key(name) for name in keys)], 0.01)
        await self._pilot.pause()

    def _post(
        self, presses: list[events.Key | events.Paste], every: float, stalls: dict[int, float] | None = None
    ) -> None:
        for number, press in enumerate(presses):
            self._at += (stalls or {}).get(number, every)
            press.time = self._at
            self._pilot.app.post_message(press)


def _key(name: str) -> events.Key:
    if name == "\x1d":
        return events.Key("ctrl+right_square_bracket", name)
    return events.Key(name, name if len(name) == 1 else None)
