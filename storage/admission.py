"""Bounded admission: whoever would wait longer than people have patience for is turned away at once.

Without it a queue grows without end under load: everybody waits, nobody is served in time, and the writer
works for people who have left. The estimate is a straight line through what transactions have cost lately:
so much for each (its turn, its commit), and so much for each command in it.
"""

from __future__ import annotations

import math

from domain.errors import ClinicBusy

SMOOTHING = 0.1
"""The share of the newest transaction in the estimate."""
FIRST_SECONDS = 0.001
"""What a transaction is taken to cost before any was measured."""
LEAST_SPREAD = 1.0
"""Of the sizes measured lately, as a variance: from fewer no line can be drawn."""


class Admission:
    """Lets commands into the queue of one writer. Any thread may call `measured`."""

    def __init__(self, batch: int, patience: float) -> None:
        self._batch = batch
        self._patience = patience
        self._size, self._seconds = 1.0, FIRST_SECONDS
        self._spread, self._together = 0.0, 0.0

    def wait(self, queued: int) -> float:
        """Seconds until a command would be answered that comes behind so many others."""
        # As long as all were of one size, most of the cost is taken to be the transaction's own.
        guessed = 0.1 * self._seconds / self._size
        each = max(0.0, self._together / self._spread) if self._spread > LEAST_SPREAD else guessed
        transaction = max(0.0, self._seconds - each * self._size)
        return (1 + queued // self._batch) * transaction + (queued + 1) * each

    def admit(self, queued: int) -> None:
        """Raises ClinicBusy with the seconds after which the queue is likely to be short."""
        wait = self.wait(queued)
        if queued and wait > self._patience:  # with nobody waiting, trying is how it is measured
            raise ClinicBusy(seconds=max(1, math.ceil(wait)))

    def measured(self, commands: int, seconds: float) -> None:
        """A transaction of so many commands took so long, from its beginning to its commit."""
        more, longer = commands - self._size, seconds - self._seconds
        self._size += SMOOTHING * more
        self._seconds += SMOOTHING * longer
        self._spread = (1 - SMOOTHING) * (self._spread + SMOOTHING * more * more)
        self._together = (1 - SMOOTHING) * (self._together + SMOOTHING * more * longer)
