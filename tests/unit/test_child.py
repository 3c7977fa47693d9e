"""A child of the supervisor that cannot be started."""

from __future__ import annotations

import asyncio

import pytest

from kiosk import supervisor
from kiosk.supervisor import Child


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
