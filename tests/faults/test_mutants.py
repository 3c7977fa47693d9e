"""The crash suite is tested itself: each mistake made on purpose is caught, and without one nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import trials
from tests.faults.conftest import Told
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.nursery import Nursery

ATTEMPTS = 10
"""A mistake shows only where the power or the kill happens to strike; mostly it takes one or two."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_a_mistake_is_caught(behind_shim: Nursery, quick: Path, mutant: Mutant, told: Told) -> None:
    found = None
    for attempt in range(ATTEMPTS):
        place = quick / str(attempt)
        place.mkdir()
        found = found or await getattr(trials, mutant.trial)(behind_shim, place, mutant.name)
    told(f"mutant {'caught' if found else 'MISSED'}: {mutant.name} ({mutant.trial}: {found})")
    assert found


@pytest.mark.parametrize("trial", sorted({mutant.trial for mutant in MUTANTS}))
async def test_without_a_mistake_nothing_is_caught(behind_shim: Nursery, quick: Path, trial: str) -> None:
    assert await getattr(trials, trial)(behind_shim, quick, "") is None
