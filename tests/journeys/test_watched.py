"""What systemd hears from the program: it starts, it is ready, it lives, it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from kiosk.bootstrap import open_clinic
from kiosk.settings import Settings
from storage.sqlite import Turn
from tests.ear import Ear
from tests.journeys import the_day as day
from tests.journeys.terminal import Terminal


def taken_turn(folder: Path) -> Turn:
    """Another process brings the records to its layout, and that takes its time."""
    turn = Turn(str(folder / "data" / "clinic.db"))
    turn.take()
    return turn


def test_systemd_hears_when_the_clinic_is_open_that_the_kiosk_lives_and_when_it_ends(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    turn = taken_turn(tmp_path)
    command = [sys.executable, "-m", "kiosk", "--lang", "en"]
    with Ear(tmp_path, 0.4) as ear:
        environment = {**day.environment(tmp_path), **ear.environment}
        with Terminal(command, 80, 24, environment) as terminal:
            terminal.until(lambda: ear.said("EXTEND_TIMEOUT_USEC=400000") > 2, "more time is asked for")
            assert not ear.said("READY=1")
            turn.close()
            terminal.until(lambda: ear.said("WATCHDOG=1", after="READY=1") > 2, "ready, and alive")
            terminal.see("PIN")
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.wait_for_end() == 143
    assert ear.heard[-1] == "STOPPING=1"
    assert ear.said("EXTEND", after="READY=1") == 0
    assert ear.said("READY=1") == ear.said("STOPPING=1") == 1


@pytest.mark.parametrize("parts", [["worker", "my-page"], ["supervise", "my-page"]], ids=lambda p: p[0])
async def test_and_from_the_workers_too(tmp_path: Path, parts: list[str]) -> None:
    folders = {f"{kind}_folder": tmp_path / kind for kind in ("data", "paper", "log")}
    founded = await open_clinic(Settings(**folders))
    await founded.close()
    turn = taken_turn(tmp_path)
    with Ear(tmp_path, 0.4) as ear:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kiosk", *parts),
            env={**os.environ, **day.environment(tmp_path), **ear.environment},
        )

        async def hears(word: str, after: str = "") -> None:
            async with asyncio.timeout(60):
                while ear.said(word, after) < 3:  # noqa: ASYNC110 - the ear has a thread of its own
                    await asyncio.sleep(0.02)

        await hears("EXTEND_TIMEOUT_USEC=400000")
        assert not ear.said("READY=1")
        turn.close()
        await hears("WATCHDOG=1", after="READY=1")
        worker.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0
    assert ear.said("EXTEND", after="READY=1") == 0
    assert ear.said("READY=1") == ear.said("STOPPING=1") == 1
