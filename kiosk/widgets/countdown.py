"""The seconds that somebody still has to wait, on a bar that moves, so that nobody thinks it has stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic

from textual.message import Message

from kiosk.i18n import put_in_words
from kiosk.widgets.progress import Bar
from kiosk.widgets.say import texts_of

TICK_SECONDS = 0.25
CELLS_A_SECOND = 8


class Countdown(Bar):
    """Says ``words`` with the ``seconds`` that are left, and ``over`` from then on."""

    @dataclass
    class Over(Message):
        """The time has come."""

        countdown: Countdown

    def __init__(self, seconds: float, words: str, over: str, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._words, self._over = words, over
        self._clock = clock
        self._until = clock() + seconds
        self._told = False

    def on_mount(self) -> None:
        """It moves by itself."""
        self.set_interval(TICK_SECONDS, self._tick)

    @property
    def left(self) -> int:
        """Whole seconds, rounded up."""
        return max(0, ceil(self._until - self._clock()))

    @property
    def words(self) -> str:
        """How long still."""
        texts, left = texts_of(self), self.left
        return texts(self._words, seconds=left) if left else put_in_words(self._over, texts)

    def filled(self, width: int) -> range:
        """A block that goes to and fro."""
        block = max(4, width // 5)
        way = max(1, width - block)
        at = int(self._clock() * CELLS_A_SECOND) % (2 * way)
        at = min(at, 2 * way - at)
        return range(at, at + block)

    def _tick(self) -> None:
        self.refresh()
        if not self.left and not self._told:
            self._told = True
            self.post_message(self.Over(self))
