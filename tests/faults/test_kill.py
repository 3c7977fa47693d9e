"""Kill -9 at random points of the load: nothing acknowledged is missing, every rule holds, and
every event has reached every part once in effect.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from time import monotonic

import pytest
from sqlalchemy import select

from kiosk.settings import Settings
from storage import tables as t
from storage.engine import writer_engine
from tests.clinics import clinic_in, keep_in, settings_in
from tests.faults.aftermath import my_page_is_what_the_events_tell
from tests.faults.conftest import Told
from tests.faults.load import CAPACITY
from tests.faults.nursery import DIED, PATIENCE_SECONDS, Child, Nursery
from tests.faults.witness import Said, broken
from tests.postgresql import Server

KILLS = int(os.environ.get("KIOSK_KILLS", "24"))
SHARES = 2
LOAD, WORKER = "tests.faults.children:serve_until_killed", "tests.faults.children:work_until_killed"
PARTS = ["injection-intake", "issuing", "my-page"]


def at_work(child: Child, lines: int = 1) -> None:
    """Until it has said so many lines more."""
    before = len(child.lines)
    child.hear(lambda said: len(said) >= before + lines or DIED in said)
    assert len(child.lines) >= before + lines, child.errors.read_text()
    assert DIED not in child.lines, child.errors.read_text()


def problems(settings: Settings, said: Said) -> list[str]:
    """What is not as it was said, in the records as they are at this moment."""
    engine = writer_engine(settings.records_url)
    found = broken(engine, said)
    engine.dispose()
    return found


def intake(settings: Settings) -> int:
    """How far the injection desk has been told of the events."""
    engine = writer_engine(settings.records_url)
    with engine.connect() as connection:
        place = connection.scalar(select(t.position.c.seq).where(t.position.c.listener == PARTS[0]))
    engine.dispose()
    return place or 0


async def all_is_well(folder: Path, said: Said) -> None:
    """Once the clinic has opened again and every part has caught up."""
    settings = settings_in(folder, CAPACITY)
    async with clinic_in(folder, capacity=CAPACITY) as clinic:
        await clinic.services.settle()
        assert problems(settings, said) == []
    await my_page_is_what_the_events_tell(settings)


@pytest.mark.parametrize("share", range(SHARES))
async def test_a_killed_clinic_loses_nothing_that_it_acknowledged(
    nursery: Nursery, tmp_path: Path, share: int, told: Told
) -> None:
    said = await kill_again_and_again(nursery, tmp_path, KILLS // 2 // SHARES, share)
    told(f"{KILLS // 2 // SHARES} kills of the clinic, {len(said.words)} words: all kept")


async def test_nor_does_a_kiosk_that_is_killed_beside_a_postgresql(
    nursery: Nursery, tmp_path: Path, postgresql: Server
) -> None:
    url = postgresql.url(postgresql.database())
    keep_in(tmp_path, url, url)
    await kill_again_and_again(nursery, tmp_path, KILLS // 8, share=SHARES)


async def kill_again_and_again(nursery: Nursery, folder: Path, kills: int, share: int) -> Said:
    said, random = Said(), Random(share)
    for number in range(1, kills + 1):
        child = nursery.start(LOAD, folder=str(folder), seed=share * 1000 + number)
        at_work(child, random.randint(1, 600))
        child.hear(lambda lines: False, random.uniform(0.0, 0.02))
        said.hear(child.kill())
        assert problems(settings_in(folder), said) == []
    assert said.count("booked") > 50 * kills, "the load was too small to mean anything"
    assert said.count("cancelled")
    await all_is_well(folder, said)
    return said


async def test_of_several_kiosks_on_one_file_one_is_killed_and_the_others_go_on(
    nursery: Nursery, tmp_path: Path, told: Told
) -> None:
    kills, said, random, seeds = KILLS // 8, Said(), Random(7), iter(range(5000, 6000))

    def another() -> Child:
        return nursery.start(LOAD, folder=str(tmp_path), seed=next(seeds), clients=20)

    kiosks = [another()]
    at_work(kiosks[0])
    kiosks += [another(), another()]
    for _ in range(kills):
        for kiosk in kiosks:
            at_work(kiosk, random.randint(1, 40))
        killed = kiosks.pop(random.randrange(len(kiosks)))
        said.hear(killed.kill())
        for kiosk in kiosks:
            at_work(kiosk, 30)
        kiosks.append(another())
    for kiosk in kiosks:
        said.hear(kiosk.kill())
    await all_is_well(tmp_path, said)
    told(f"{kills} kills of one of three kiosks, {len(said.words)} words: all kept")


async def test_workers_that_are_killed_do_every_part_of_the_work_once(
    nursery: Nursery, tmp_path: Path, told: Told
) -> None:
    """The parts work in two processes of their own; the kiosk, which has none, is not disturbed."""
    kills, said, random, settings = KILLS // 4, Said(), Random(8), settings_in(tmp_path)
    kiosk = nursery.start(LOAD, folder=str(tmp_path), seed=7000, clients=4, parts=[])
    at_work(kiosk)

    def another() -> Child:
        return nursery.start(WORKER, folder=str(tmp_path), parts=PARTS)

    workers = [another(), another()]
    for number in range(kills):
        if number % 2:  # otherwise they may not even have begun
            before, deadline = intake(settings), monotonic() + PATIENCE_SECONDS
            while intake(settings) == before and monotonic() < deadline:
                kiosk.hear(lambda lines: False, 0.05)
            problems_of_workers = [worker.errors.read_text() for worker in workers]
            assert intake(settings) > before, problems_of_workers  # those that are left do not go on
        kiosk.hear(lambda lines: False, random.uniform(0.0, 0.2))
        workers.pop(random.randrange(len(workers))).kill()
        workers.append(another())
        at_work(kiosk)
    said.hear(kiosk.kill())
    for worker in workers:
        worker.kill()
    assert problems(settings, said) == []
    await all_is_well(tmp_path, said)
    told(f"{kills} kills of workers, {len(said.words)} words: all kept, once in effect")
