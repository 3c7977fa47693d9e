"""What stands around a part of the clinic that may fail: a time limit, and a breaker that lets it rest.

The breaker is for what is remote or breaks by itself: a database server, a printer, signing, my page's
own database. It is not for load, which is turned away before the writer (see `ClinicBusy`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from domain.errors import (
    IssuingResting,
    MyPageResting,
    OutcomeUnknown,
    PaperFailed,
    PrinterResting,
    RecordsResting,
    Resting,
    StorageUnavailable,
)

R = TypeVar("R")

FAILURES: tuple[type[BaseException], ...] = (StorageUnavailable, OutcomeUnknown, PaperFailed, OSError)
"""What counts against a part. Any other refusal is an answer, and says that the part works."""


DOUBLINGS = 30
"""Of a rest, at most: a weekend without a printer has more trials than a float has room for."""


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass
class Breaker:
    """Lets calls through while they succeed; after several failures in a row nobody waits any more.

    After a rest one call is let through (half-open): when it succeeds all are, when it fails the rest
    is doubled. Whoever is turned away hears in how many seconds to come back.
    """

    resting: type[Resting]
    limit: float | None = None
    """Seconds that a call may take; None where the part keeps a limit of its own."""
    failures: int = 3
    """So many in a row open it."""
    rest: float = 5.0
    """Seconds of the first rest."""
    longest_rest: float = 60.0
    now: Callable[[], float] = time.monotonic
    _failed: int = field(default=0, init=False)
    _rests: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _trial: object | None = field(default=None, init=False)

    @property
    def state(self) -> BreakerState:
        """Open while it rests; half-open from then until a call has gone through."""
        if not self._rests:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.now() < self._until else BreakerState.HALF_OPEN

    @property
    def seconds(self) -> int:
        """How long it still rests, rounded up; at least one second."""
        return max(1, math.ceil(self._until - self.now()))

    def check(self) -> None:
        """Raises `Resting` when nothing would be let through just now: before work that would be in vain."""
        state = self.state
        if state is BreakerState.OPEN or (state is BreakerState.HALF_OPEN and self._trial is not None):
            raise self.resting(seconds=self.seconds)

    async def call(self, work: Callable[[], Awaitable[R]]) -> R:
        """Do it, or raise `Resting` at once. Raises what the work raises; a limit passed is `Resting` too."""
        mine = self._enter()
        try:
            async with asyncio.timeout(self.limit):
                answer = await work()
        except TimeoutError as problem:
            self._fail(mine)
            ours = problem.errno is None  # a network's has one, and says nothing of how long the work takes
            raise self.resting(over_limit=ours, seconds=self.seconds) from None
        except FAILURES:
            self._fail(mine)
            raise
        except asyncio.CancelledError:  # says nothing about the part; the next may try
            if self._trial is mine:
                self._trial = None
            raise
        except Exception:
            self._succeed(mine)
            raise
        self._succeed(mine)
        return answer

    def _enter(self) -> object:
        self.check()
        mine = object()
        if self.state is BreakerState.HALF_OPEN:
            self._trial = mine
        return mine

    def _succeed(self, mine: object) -> None:
        if not self._rests or self._trial is mine:  # not a straggler from before the rest
            self._failed, self._rests, self._trial = 0, 0, None

    def _fail(self, mine: object) -> None:
        if self._rests and self._trial is not mine:
            return  # a straggler from before the rest: known already
        self._failed += 1
        self._trial = None
        if self._rests or self._failed >= self.failures:
            self._until = self.now() + min(self.rest * 2.0 ** min(self._rests, DOUBLINGS), self.longest_rest)
            self._rests += 1


@dataclass(frozen=True)
class Breakers:
    """One around each part that may fail, with the limits of the clinic."""

    records: Breaker | None = None
    """Around a database server; a file beside the program needs none."""
    my_page: Breaker = field(default_factory=lambda: Breaker(MyPageResting, limit=2.0))
    issuing: Breaker = field(default_factory=lambda: Breaker(IssuingResting, limit=10.0))
    printing: Breaker = field(default_factory=lambda: Breaker(PrinterResting, failures=2, rest=10.0))

    @classmethod
    def for_server(cls) -> Breakers:
        """For records on a database server."""
        # The writer keeps its own limit: only it knows whether what was asked may have been done.
        return cls(records=Breaker(RecordsResting, rest=1.0, longest_rest=10.0))

    def states(self) -> dict[str, BreakerState]:
        """Each breaker's state under the name of its part."""
        named = {
            "records": self.records,
            "my-page": self.my_page,
            "issuing": self.issuing,
            "printing": self.printing,
        }
        return {name: breaker.state for name, breaker in named.items() if breaker}
