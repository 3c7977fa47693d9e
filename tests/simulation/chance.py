"""What a seed decides: how long things take, and what goes wrong with them."""

from __future__ import annotations

import asyncio
from enum import Enum
from random import Random

from domain.errors import ClinicBusy, PaperFailed
from domain.parts import Part


class Commit(Enum):
    """How a commit goes."""

    SUCCEEDS = "succeeds"
    FAILS = "fails"
    IS_NOT_HEARD_OF = "is not heard of"
    """It is made, and then the connection breaks."""


class Sheet(Enum):
    """How printing goes."""

    OUT = "out"
    OUT_UNHEARD = "out, but nobody was told"
    NOT_OUT_UNHEARD = "not out, but nobody was told"


class Refused(PaperFailed):
    """The printer does not take this paper."""

    code = "test-refused"
    of_this_paper = True


class PerhapsOut(PaperFailed):
    """Nobody knows whether the sheet is in the tray."""

    code = "test-perhaps-out"
    may_have_come_out = True


class Chance:
    """Drawn from the seed. ``calm`` ends all that goes wrong; what takes time goes on taking it."""

    def __init__(self, random: Random, shuffled: bool) -> None:
        self._random = random
        self._shuffled = shuffled
        self.calm = False
        self.within = False
        """A transaction of my page is open: whatever it asks on its way takes no step of its own."""
        self.on_server = random.random() < 0.5
        """Whether the records are on a server: connections break, and with them leases."""
        # Each trouble has seeds without it, so that none hides behind another.
        self._commits, self._reads, self._policies, self._paper, self._crowd = (
            random.choice((0.0, 0.0, 0.03, 0.1)) for _ in range(5)
        )
        self._poisons = random.choice((0.0, 0.0, 0.1, 0.3))
        self._slow = random.choice((0.0, 0.02, 0.05))
        self._poisoned: dict[tuple[Part, int], bool] = {}

    def happens(self, probability: float) -> bool:
        """Whether it does, this time."""
        return not self.calm and self._random.random() < probability

    # -- time -------------------------------------------------------------------------------------

    def delay(self) -> float:
        """Mostly milliseconds, seldom seconds, hardly ever longer than anybody waits."""
        if not self._shuffled:
            return 0.001
        if self.happens(self._slow):
            return self._random.choice((0.5, 3.0, 11.0))
        return 0.02 * self._random.random() ** 3

    async def pause(self) -> None:
        """Something takes a moment."""
        if self.within:
            return
        if self._shuffled and self._random.random() < 0.5:
            await asyncio.sleep(self.delay())
        else:
            await asyncio.sleep(0)

    # -- what goes wrong --------------------------------------------------------------------------

    def of_commit(self) -> Commit:
        """How this one goes."""
        if not self.happens(self._commits):
            return Commit.SUCCEEDS
        return self._random.choice((Commit.FAILS, Commit.IS_NOT_HEARD_OF))

    def admit(self) -> None:
        """Raises ClinicBusy."""
        if self.happens(self._crowd):
            raise ClinicBusy(seconds=1)

    def read_fails(self) -> bool:
        """Whether this question is not answered."""
        return self.happens(self._reads)

    def deal(self, part: Part, seq: int) -> None:
        """A part deals with an event. Raises OSError, which passes, or ArithmeticError, again and again."""
        if self.happens(self._policies):
            raise OSError("the part stumbled")
        if self.calm:
            return
        if (part, seq) not in self._poisoned:
            self._poisoned[part, seq] = self.happens(self._poisons)
        if self._poisoned[part, seq]:
            self._poisoned[part, seq] = self._random.random() < 0.9  # somebody may mend it
            raise ArithmeticError("nobody thought of that")

    def paper(self) -> None:
        """Paper is made. Raises OSError or PaperFailed."""
        if self.happens(self._paper):
            raise self._random.choice((OSError("no memory"), PaperFailed(reason="no font")))

    def sheet(self) -> Sheet:
        """A sheet is printed. Raises PaperFailed when it certainly does not come out."""
        if self.happens(self._paper):
            raise self._random.choice((PaperFailed(reason="off"), Refused(reason="no")))
        if not self.happens(self._paper):
            return Sheet.OUT
        return self._random.choice((Sheet.OUT_UNHEARD, Sheet.NOT_OUT_UNHEARD))
