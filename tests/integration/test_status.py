"""Asking a running process how it is."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from domain.parts import Part
from domain.vaccine import RegisterVaccine
from kiosk.bootstrap import open_clinic
from kiosk.commands import parts
from kiosk.commands.health import live_problem, ready_problem
from kiosk.status import Answer, answering, ask_all
from storage.engine import backend, writer_engine
from tests.clinics import STAFF, TestClock, clinic_in, keep_in, presentation, settings_in
from tests.postgresql import Server

WITHIN = 30.0
"""Seconds after which a test gives up."""


async def said() -> dict[str, str]:
    return {"state": "running"}


async def test_who_is_asked_while_it_begins_answers_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that is bound refuses until it listens, as one does whose process was killed."""
    asked: list[Answer] = []
    listen = socket.socket.listen

    def asked_before(self: socket.socket, backlog: int) -> None:
        with ThreadPoolExecutor(1) as another:
            asked.extend(another.submit(asyncio.run, ask_all(tmp_path)).result())
        listen(self, backlog)

    monkeypatch.setattr(socket.socket, "listen", asked_before)
    async with answering(tmp_path, "worker", said):
        assert asked == []
        assert await ask_all(tmp_path) == [Answer(f"worker-{os.getpid()}", {"state": "running"})]
    assert await ask_all(tmp_path) == []


async def test_what_a_killed_process_left_behind_is_cleared_away(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "worker-1"))
    (tmp_path / "clinic.db").write_text("not a socket, and not ours to clear away")
    assert await ask_all(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["clinic.db"]


@pytest.mark.parametrize(
    ("process", "chosen", "hang"),
    [
        ("worker-issuing-1", None, {"issuing"}),
        ("kiosk-1", None, set(Part)),
        ("kiosk-1", ("my-page",), {"my-page"}),
        ("supervisor-1", None, set()),
    ],
)
async def test_a_process_that_hangs_is_not_taken_for_one_that_is_at_work(
    process: str, chosen: tuple[str, ...] | None, hang: set[str],
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async with clinic_in(tmp_path) as clinic:
        settings = replace(clinic.settings, parts=chosen)
    settings.running_folder.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(settings.running_folder / process))
        hanging.listen()
        listed = argparse.Namespace(action="list", json=False)
        assert await asyncio.to_thread(parts.run, settings, listed) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    for part in Part:
        assert (f"{process} does not answer" in lines[part]) == (part in hang)
        assert ("nobody here" in lines[part]) == (part not in hang)
        assert "at work" not in lines[part]


async def test_a_kiosk_behind_a_process_that_holds_the_turn_is_not_ready(
    clinic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.writer.STUCK", 0.05)
    settings = settings_in(clinic_folder)
    services = await open_clinic(settings, TestClock(), role="kiosk")
    await services.settle()
    engine = writer_engine(settings.records_url)

    async def problem() -> str:
        [answer] = await ask_all(settings.running_folder)
        return ready_problem(answer)

    try:
        assert await problem() == ""
        with engine.connect() as connection, backend(engine.dialect.name).taking_turn(connection):
            waits = asyncio.create_task(services.gateway.send(RegisterVaccine(presentation()), STAFF))
            async with asyncio.timeout(WITHIN):
                while not (said := await problem()):
                    pass
            assert "a transaction has not come to its end" in said
            connection.rollback()
        await waits
        assert await problem() == ""
    finally:
        engine.dispose()
        await services.close()


async def test_a_kiosk_whose_server_hangs_is_alive_and_not_ready(postgresql: Server, tmp_path: Path) -> None:
    database = postgresql.database()
    keep_in(tmp_path, postgresql.url(database), postgresql.url(database))
    settings = settings_in(tmp_path)
    services = await open_clinic(settings, TestClock(), role="kiosk")

    async def problems() -> tuple[str, str]:
        [answer] = await ask_all(settings.running_folder)
        return live_problem(answer), ready_problem(answer)

    try:
        assert await problems() == ("", "")
        with postgresql.frozen():
            for _ in range(4):  # the driver is still giving up the first question when the next comes
                alive, ready = await problems()
                assert alive == ""
                assert ready == "the records do not answer"
        async with asyncio.timeout(WITHIN):
            while await problems() != ("", ""):
                pass
    finally:
        await services.close()
        postgresql.drop(database)
