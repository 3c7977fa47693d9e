"""Bounded admission: whoever would wait longer than people have patience for is turned away at once.

Without it a queue grows without end under load: everybody waits, nobody is served in time, and the writer
works for people who have left. The estimate is a straight line through what transactions have cost lately:
so much for each (its turn, its commit), and so much for each command in it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from domain.errors import ClinicBusy

SMOOTHING = 0.1
"""The share of the newest transaction in the estimate."""
FIRST_SECONDS = 0.001
"""What a transaction is taken to cost before any was measured."""
LEAST_SHARE = 0.1
"""Of a transaction's cost, that its commands have at least: without it a line that is level, as those of
equal or small transactions may be, would let in any number."""
LEAST_SPREAD = 1.0
"""Of the sizes measured lately, as a variance: from fewer no line can be drawn."""


class Admission:
    """Lets commands into the queue of one writer. Any thread may call `began` and `ended`."""

    def __init__(self, batch: int, patience: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._batch = batch
        self._patience = patience
        self._now = now
        self._size, self._seconds = 1.0, FIRST_SECONDS
        self._spread, self._together = 0.0, 0.0
        self._at_work: tuple[int, float] | None = None
        """How many commands are in the transaction of this moment, and since when."""

    def wait(self, queued: int) -> float:
        """Seconds until a command would be answered that comes behind so many others."""
        transaction, each = self._line()
        wait = (1 + queued // self._batch) * transaction + (queued + 1) * each
        if at_work := self._at_work:
            commands, since = at_work
            # One that is late already is taken to be half-way.
            wait += abs(transaction + commands * each - (self._now() - since))
        return wait

    def admit(self, queued: int) -> None:
        """Raises ClinicBusy with the seconds after which the queue is likely to be short."""
        wait = self.wait(queued)
        if queued and wait > self._patience:  # with nobody waiting, trying is how it is measured
            raise ClinicBusy(seconds=max(1, math.ceil(wait)))

    def at_work_for(self) -> float:
        """Seconds since the transaction of this moment began; 0 when there is none."""
        at_work = self._at_work
        return self._now() - at_work[1] if at_work else 0.0

    def began(self, commands: int) -> None:
        """A transaction of so many commands begins."""
        self._at_work = commands, self._now()

    def ended(self) -> None:
        """It is committed, or has failed."""
        assert self._at_work, "it has not begun"
        commands, since = self._at_work
        self._at_work = None
        more, longer = commands - self._size, self._now() - since - self._seconds
        self._size += SMOOTHING * more
        self._seconds += SMOOTHING * longer
        self._spread = (1 - SMOOTHING) * (self._spread + SMOOTHING * more * more)
        self._together = (1 - SMOOTHING) * (self._together + SMOOTHING * more * longer)

    def _line(self) -> tuple[float, float]:
        """What a transaction costs, and each command in it."""
        each = LEAST_SHARE * self._seconds / self._size
        if self._spread > LEAST_SPREAD:
            each = max(each, self._together / self._spread)
        return max(0.0, self._seconds - each * self._size), each
