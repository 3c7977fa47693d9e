"""``python -m tests.simulation [WORD…]``: in which seeds the mistakes with these words are found."""

from __future__ import annotations

import logging
import sys
from itertools import islice

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.seeds import outcome
from tests.simulation.world import stock_the_clinic

SEEDS, ENOUGH = 2_000, 3


def main() -> None:
    """A line for each mistake: its name, the first seeds, and what is wrong in the first of them."""
    logging.disable(logging.CRITICAL)
    stock_the_clinic()
    for mutant in MUTANTS:
        if all(word in mutant.name for word in sys.argv[1:]):
            with pytest.MonkeyPatch.context() as patch:
                mutant.make(patch)
                found = (o for o in map(outcome, range(1, 1 + SEEDS)) if o.wrong)
                firsts = list(islice(found, ENOUGH))
            says = firsts[0].wrong[0][:200] if firsts else "not found"
            print(f"{mutant.name}: {', '.join(str(first.seed) for first in firsts)}: {says}", flush=True)


if __name__ == "__main__":
    main()
