"""What the screens say to systemd: that they start, that people see the clinic, that keys are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import StorageUnavailable
from kiosk import supervision
from kiosk.app import ClinicApp
from kiosk.bootstrap import open_clinic
from kiosk.services import Services
from kiosk.settings import Settings
from tests.app.conftest import Kiosk
from tests.app.terminal import see, wait_for
from tests.clinics import TestClock
from tests.ear import Ear

MORE_TIME = "EXTEND_TIMEOUT_USEC=100000"


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    """Systemd's, which wants a sign ten times a second."""
    with Ear(tmp_path, 0.1) as ear:
        for name, value in ear.environment.items():
            monkeypatch.setenv(name, value)
        yield ear


async def test_while_it_opens_it_asks_for_time_and_once_it_is_open_it_is_ready_and_alive(
    settings: Settings, clock: TestClock, ear: Ear
) -> None:
    door = asyncio.Event()

    async def opener() -> Services:
        await door.wait()
        return await open_clinic(settings, clock)

    app = ClinicApp(opener, settings)
    async with app.run_test() as pilot:
        await wait_for(pilot, lambda: ear.said(MORE_TIME) > 2)
        assert set(ear.heard) == {MORE_TIME}
        door.set()
        await wait_for(pilot, lambda: ear.said("WATCHDOG=1", after="READY=1") > 2)
    asked, ready = ear.heard.count(MORE_TIME), "READY=1\nSTATUS=the clinic is open"
    assert ear.heard[:asked] == [MORE_TIME] * asked
    assert ear.heard[asked] == ready
    assert set(ear.between(ready, "STOPPING=1")) == {"WATCHDOG=1"}
    assert ear.heard[-1] == "STOPPING=1"


async def test_a_kiosk_that_says_why_it_cannot_open_is_watched_and_boots_nothing_late(
    settings: Settings, clock: TestClock, ear: Ear
) -> None:
    attempts = [StorageUnavailable(reason="disk full")]

    async def opener() -> Services:
        if attempts:
            raise attempts.pop()
        return await open_clinic(settings, clock)

    app = ClinicApp(opener, settings)
    async with app.run_test() as pilot:
        await see(pilot, "이용할 수 없습니다")
        failed = "READY=1\nSTATUS=the clinic could not be opened"
        await wait_for(pilot, lambda: ear.said("WATCHDOG=1", after=failed) > 2)
        await pilot.press("enter")
        await wait_for(pilot, lambda: ear.said("READY=1\nSTATUS=the clinic is open"))


async def test_a_kiosk_that_answers_no_keys_gives_no_sign_of_life_though_its_loop_turns(
    kiosk: Kiosk, ear: Ear
) -> None:
    go = asyncio.Event()

    async def stuck() -> None:
        supervision.tell("STUCK")
        await go.wait()
        supervision.tell("FREE")

    turns: list[bool] = []
    async with kiosk() as (app, pilot):
        await wait_for(pilot, lambda: ear.said("WATCHDOG=1"))
        app.call_later(stuck)
        async with asyncio.timeout(20), asyncio.TaskGroup() as beside:
            turning = beside.create_task(supervision.keep_alive(lambda: turns.append(True)))
            while not (ear.said("STUCK") and len(turns) > 5):  # noqa: ASYNC110 - the loop itself is watched
                await asyncio.sleep(0.01)
            turning.cancel()
        go.set()
        await wait_for(pilot, lambda: ear.said("WATCHDOG=1", after="FREE"))
    assert ear.between("STUCK", "FREE") == []
