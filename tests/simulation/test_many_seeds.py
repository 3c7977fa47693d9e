"""Thousands of days at a clinic, every step of them drawn from a seed: at the end of each every rule holds.

``KIOSK_SEEDS`` says how many, ``KIOSK_SEED`` repeats a single one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import pytest

from tests.simulation.seeds import first_wrong, outcome

SEEDS = int(os.environ.get("KIOSK_SEEDS", "2000"))
ONLY = os.environ.get("KIOSK_SEED")
SHARES = 1 if ONLY else 20
"""The seeds are shared out, so that they run side by side."""
REPEATED = range(1, 13)


@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_comes_first_every_rule_holds(share: int) -> None:
    seeds = [int(ONLY)] if ONLY else range(1 + share, 1 + SEEDS, SHARES)
    found = first_wrong(seeds)
    assert found is None, str(found)


def test_a_seed_tells_the_same_again_to_the_last_byte() -> None:
    logs = {seed: outcome(seed).log for seed in REPEATED}
    assert len(set(logs.values())) == len(logs)
    assert {seed: outcome(seed).log for seed in reversed(REPEATED)} == logs


def test_a_seed_tells_the_same_in_another_process() -> None:
    code = (
        "from hashlib import sha256; from tests.simulation.seeds import outcome\n"
        "print(sha256(''.join(outcome(seed).log for seed in range(1, 5)).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    here = sha256("".join(outcome(seed).log for seed in range(1, 5)).encode()).hexdigest()
    assert told.stdout.strip() == here
