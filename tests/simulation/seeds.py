"""One seed after the other, and what to say of one that went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulation.verdict import log, verdict
from tests.simulation.world import World


@dataclass(frozen=True)
class Outcome:
    """Of one seed."""

    seed: int
    wrong: list[str]
    """Nothing, when all is well."""
    log: str
    """Everything that was written, and how it came about."""

    def __str__(self) -> str:
        repeat = f"KIOSK_SEED={self.seed} pytest tests/simulation/test_many_seeds.py"
        return "\n".join([f"seed {self.seed}:", *self.wrong, "", self.log, "", f"To see it again: {repeat}"])


def outcome(seed: int, shuffled: bool = True) -> Outcome:
    """Run it to its end, whatever that is."""
    world = World(seed, shuffled)
    try:
        world.run()
        wrong = verdict(world)
    except Exception as problem:  # noqa: BLE001 - what a mistake in the clinic leads to is not known before
        wrong = [*world.wrong, f"it ended with {type(problem).__name__}: {problem}"]
    return Outcome(seed, wrong, log(world))


def first_wrong(seeds: Iterable[int], shuffled: bool = True) -> Outcome | None:
    """The first seed that goes wrong."""
    return next((found for seed in seeds if (found := outcome(seed, shuffled)).wrong), None)
