"""How long nobody has touched the terminal, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

ANNOUNCED_SECONDS = 15
STAFF_SECONDS = 300


@dataclass
class IdleClock:
    """Counts the seconds since the last key, click or paste. Tests put another ``clock`` in."""

    clock: Callable[[], float] = monotonic
    _last: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.touch()

    def touch(self) -> None:
        """Somebody is there."""
        self._last = self.clock()

    def left(self, limit: float) -> float:
        """Seconds until the terminal counts as abandoned; zero or less when it is."""
        return limit - (self.clock() - self._last)

    @staticmethod
    def announced(limit: float) -> float:
        """How many of the last seconds are counted down aloud; a short limit announces its second half."""
        return min(ANNOUNCED_SECONDS, limit / 2)
