"""The simulation is tested itself: each mistake made on purpose is found, some in no other order of things.

That the same seeds are clean without the mistake is what `test_many_seeds` shows.
"""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.seeds import first_wrong
from tests.simulation.world import stock_the_clinic


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    stock_the_clinic()  # before there is a mistake in anything
    mutant.make(monkeypatch)
    assert first_wrong(mutant.seeds)
