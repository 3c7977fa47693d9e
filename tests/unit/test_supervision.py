"""What a supervised process says to its supervisor, and how it hears that the supervisor is gone."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from pathlib import Path

import pytest

from kiosk import supervision
from tests.ear import Ear

WITHIN = 20.0
"""Seconds after which a test gives up."""


async def test_a_process_goes_on_giving_signs_of_life_after_one_that_was_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    alive = asyncio.create_task(supervision.keep_alive())
    async with asyncio.timeout(WITHIN):
        while "WATCHDOG was not heard" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(WITHIN)
        assert await asyncio.to_thread(heard.recv, 100) == b"WATCHDOG=1"
    assert not alive.done()
    alive.cancel()


async def test_a_process_whose_loop_is_stuck_gives_no_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ear(tmp_path, 0.02) as ear:
        for name, value in ear.environment.items():
            monkeypatch.setenv(name, value)
        alive = asyncio.create_task(supervision.keep_alive())
        async with asyncio.timeout(WITHIN):
            while not ear.said("WATCHDOG=1"):  # noqa: ASYNC110 - it is heard in a thread
                await asyncio.sleep(0.01)
            supervision.tell("STUCK")
            time.sleep(0.3)  # noqa: ASYNC251 - that is what stuck means
            supervision.tell("FREE")
            while not ear.said("WATCHDOG=1", after="FREE"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        alive.cancel()
    assert ear.between("STUCK", "FREE") == []


async def test_a_worker_whose_supervisor_is_gone_hears_of_it_once_and_rests_while_it_drains() -> None:
    ours, theirs = os.pipe()
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    supervision.when_gone(ours, tell)
    await asyncio.sleep(0.01)
    assert told == 0
    os.close(theirs)
    async with asyncio.timeout(WITHIN):
        while not told:  # noqa: ASYNC110 - the loop itself is watched
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # it drains
    assert told == 1
    os.close(ours)
