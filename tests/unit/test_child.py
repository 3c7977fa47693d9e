"""A child of the supervisor that cannot be started, and one that does not go."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from kiosk import supervisor
from kiosk.supervisor import Child, Scale, Supervisor

HANGS = "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); \
pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
"""Hears nothing any more."""


async def test_a_process_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.001)
    child = Child("my-page", ["/there/is/no/such/program"])
    child.start()
    async with asyncio.timeout(20):
        while caplog.text.count("is brought back") < 3:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.001)
        await child.stop()
    assert "No such file" in caplog.text


async def test_a_worker_that_does_not_go_is_ended_and_keeps_nobody_waiting_meanwhile(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "GRACE", 0.5)
    hangs, waiting, looks, stop = tmp_path / "hangs", 1, 0, asyncio.Event()

    async def backlog() -> int:
        return waiting

    async def silent() -> set[int]:
        nonlocal looks
        looks += 1
        return set()

    kept = Supervisor(
        parts=["issuing"], command=lambda _: [sys.executable, "-c", HANGS, str(hangs)], scaled="issuing",
        backlog=backlog, silent=silent, scale=Scale(least=0, patience=0.05),
    )  # fmt: skip
    running = asyncio.create_task(kept.run(stop))
    async with asyncio.timeout(60):
        while not hangs.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        waiting, looked = 0, looks
        while "is ended" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
        assert kept.workers == 0
        assert looks > looked + 5
        stop.set()
        await running
