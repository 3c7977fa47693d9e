"""The records go away while a sheet is in the printer: how its print ended is known, and recorded later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from domain.errors import PaperFailed
from domain.orders import OrderIssue
from domain.parts import ListTasks, LoopState, Part, TaskStatus
from domain.ports import Place
from storage import postgresql, relay
from tests.clinics import STAFF, clinic_in, keep_in
from tests.integration.test_parts import applied, aside, until
from tests.postgresql import Server


class Tray:
    """A printer beside which the server dies, once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.failure: Exception | None = None
        self.sheets: list[str] = []
        self.dies = True

    async def keep(self, name: str, content: bytes) -> Place:
        if self.dies:
            self.dies = False
            await asyncio.to_thread(self._server.kill)
            if self.failure:
                raise self.failure
        self.sheets.append(name)
        return Place("tray", printed=True)


class Refused(PaperFailed):
    code = "test-refused"
    of_this_paper = True


@pytest.mark.parametrize(
    "failure",
    [None, PaperFailed(reason="no paper"), Refused(reason="this page")],
    ids=["it came out", "the printer had no paper", "the printer refused it"],
)
async def test_a_print_that_ended_while_the_records_were_away_is_neither_lost_nor_done_twice(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: PaperFailed | None
) -> None:
    monkeypatch.setattr(postgresql, "PAUSES", (0.01,))  # an outage is longer than any patience
    monkeypatch.setattr(relay, "LONGEST_PAUSE", 0.2)
    url = server.url(server.database())
    keep_in(tmp_path, url, url)
    async with clinic_in(tmp_path, printer="ipp://127.0.0.1:9/ipp/print") as clinic:
        [code] = await applied(clinic, 1)
        tray = Tray(server)
        tray.failure = failure
        object.__setattr__(clinic.gateway, "archive", tray)
        [loop] = [loop for loop in clinic.services.parts.loops if loop.part is Part.PRINTING]
        await clinic.gateway.send(OrderIssue((code,)), STAFF)
        await until(lambda: asyncio.sleep(0, loop.state is LoopState.FAILING and not tray.dies))
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            await clinic.services.settle()
        assert await aside(clinic) == []
        assert tray.sheets == [f"certificate-{code}.pdf"]
        [task] = await clinic.gateway.ask(ListTasks(TaskStatus.DONE, Part.PRINTING), STAFF)
        assert task.subject == code
        assert await clinic.violations() == []
