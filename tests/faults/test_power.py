"""The power goes, a thousand times, anywhere in what the clinic does to its files: nothing that it
acknowledged is missing, every rule holds, and my page is behind at most.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.faults import trials
from tests.faults.conftest import Told
from tests.faults.cuts import anywhere, at_writes_to
from tests.faults.nursery import Nursery
from tests.faults.witness import Said

CUTS = int(os.environ.get("KIOSK_CUTS", "1000"))
SEEDS = max(4, CUTS // 1000)
PEOPLE = 160
AT_MY_PAGE = 8
"""One cut in so many is made while my page is told."""
OPENED = 3
"""So many of the cuts of a log are followed by opening the clinic, as people do."""


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_a_power_cut_takes_nothing_that_was_acknowledged(
    behind_shim: Nursery, quick: Path, seed: int, told: Told
) -> None:
    """Nor does the next one: what was left goes on, and is cut off again."""
    number, said, syncs = CUTS // SEEDS // 2, Said(), 0
    for life in (1, 2):
        clinic = trials.PowerCuts(behind_shim, quick, seed=seed * 10 + life, people=PEOPLE // life)
        syncs += clinic.syncs
        places = at_writes_to("mypage.db-wal", clinic.log, number // AT_MY_PAGE, clinic.random)
        places += anywhere(clinic.log, number - len(places), clinic.random)
        assert await clinic.broken(places, OPENED, said) is None
        shutil.rmtree(clinic.clinic)
        clinic.left.rename(clinic.clinic)
        said = clinic.said
    assert syncs > 150, "the logs were too short to mean anything"
    told(f"{2 * number} power cuts in two logs with {syncs} syncs (seed {seed}): all kept")


async def test_a_power_cut_at_the_first_opening_leaves_a_clinic_that_opens(
    behind_shim: Nursery, quick: Path, told: Told
) -> None:
    number = CUTS // 100
    assert await trials.power_cuts_at_the_first_opening(behind_shim, quick, "", number) is None
    told(f"{number} power cuts at the first opening: it opens again")


async def test_a_power_cut_after_a_retry_takes_nothing_from_my_page(
    behind_shim: Nursery, quick: Path, told: Told
) -> None:
    number = CUTS // 10
    assert await trials.power_cuts_after_a_retry(behind_shim, quick, "", number) is None
    told(f"{number} power cuts after my page was told again: all kept")


async def test_a_power_cut_while_keys_turn_leaves_whole_keys(
    behind_shim: Nursery, quick: Path, told: Told
) -> None:
    number = CUTS // 4
    assert await trials.power_cuts_while_keys_turn(behind_shim, quick, "", number) is None
    told(f"{number} power cuts while keys turn: all kept")


async def test_a_power_cut_while_paper_is_made_loses_none_and_forgets_no_print_job(
    behind_shim: Nursery, quick: Path, told: Told
) -> None:
    number = CUTS // 2
    assert await trials.power_cuts_while_paper_is_made(behind_shim, quick, "", number) is None
    told(f"{number} power cuts while paper is made: all kept")
