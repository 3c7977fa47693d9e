"""Kill -9 at random points of the load: nothing acknowledged is missing, every rule holds, and
every event has reached every part once in effect.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
from collections import defaultdict
from multiprocessing.reduction import DupFd
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest

from kiosk.bootstrap import rebuild_my_page
from kiosk.settings import Settings
from storage.engine import read_model_engine, writer_engine
from storage.mypage import MyPageStore
from tests.clinics import clinic_in, keep_in, settings_in, violations
from tests.faults.load import CAPACITY, serve
from tests.postgresql import Server

KILLS = int(os.environ.get("KIOSK_KILLS", "50"))
SHARES = 2
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.faults.load"])


def run_and_kill(folder: Path, seed: int) -> list[tuple[str, str]]:
    """Run the load, kill it somewhere in its first second of work; what it had acknowledged."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    process = PROCESSES.Process(target=_served, args=(str(folder), DupFd(writing), seed), daemon=True)
    process.start()
    os.close(writing)
    heard = b""
    deadline = None
    pause = Random(seed).uniform(0.0, 0.6)
    while True:
        left = 30.0 if deadline is None else max(0.0, deadline - monotonic())
        ready, _, _ = select.select([reading], [], [], left)
        if ready and (chunk := os.read(reading, 65536)):
            heard += chunk
            deadline = deadline or monotonic() + pause
            if monotonic() < deadline:
                continue
        assert deadline is not None, "the load never began"
        break
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while chunk := os.read(reading, 65536):
        heard += chunk
    os.close(reading)
    whole = heard[: heard.rfind(b"\n") + 1].decode().split("\n")
    return [(word, code) for word, _, code in (line.partition(" ") for line in whole if line)]


def _served(folder: str, pipe: object, seed: int) -> None:
    serve(folder, pipe.detach(), seed)  # type: ignore[attr-defined]


@pytest.mark.parametrize("share", range(SHARES))
async def test_a_killed_clinic_loses_nothing_that_it_acknowledged(tmp_path: Path, share: int) -> None:
    await kill_again_and_again(tmp_path, KILLS // SHARES, share)


async def test_nor_does_a_kiosk_that_is_killed_beside_a_postgresql(
    tmp_path: Path, postgresql: Server
) -> None:
    url = postgresql.url(postgresql.database())
    keep_in(tmp_path, url, url)
    await kill_again_and_again(tmp_path, KILLS // 5, share=SHARES)


async def kill_again_and_again(tmp_path: Path, kills: int, share: int) -> None:
    said: dict[str, set[str]] = defaultdict(set)
    settings = settings_in(tmp_path, CAPACITY)
    for number in range(kills):
        for word, code in run_and_kill(tmp_path, seed=share * 1000 + number + 1):
            said[word].add(code)
        assert violations(settings) == []
        missing = said["booked"] - statuses(settings).keys()
        assert missing == set()
    assert len(said["booked"]) > 50 * kills, "the load was too small to mean anything"
    assert said["cancelled"]

    async with clinic_in(tmp_path, capacity=CAPACITY) as clinic:
        await clinic.services.settle()
        assert await clinic.violations() == []
        now = statuses(settings)
        assert {now[code] for code in said["cancelled"]} == {"cancelled"}
        assert {now[code] for code in said["completed"]} <= {"completed"}
        # Once in effect: one live visit for each dose that is held or was given, none for others.
        assert visits(settings) == {
            code for code, status in now.items() if status in {"reserved", "completed"}
        }
    await my_page_is_what_the_events_tell(settings)


async def my_page_is_what_the_events_tell(settings: Settings) -> None:
    store = MyPageStore(read_model_engine(settings.read_model_url))
    before = await store.everything()
    await store.close()
    assert before
    await rebuild_my_page(settings, lambda done, total: None)
    store = MyPageStore(read_model_engine(settings.read_model_url))
    assert await store.everything() == before
    await store.close()


def statuses(settings: Settings) -> dict[str, str]:
    return dict(rows(settings, "SELECT code, status FROM booking"))


def visits(settings: Settings) -> set[str]:
    found = rows(settings, "SELECT booking FROM injection WHERE status NOT IN ('withdrawn', 'voided')")
    return {code for (code,) in found}


def rows(settings: Settings, statement: str) -> list[Any]:
    engine = writer_engine(settings.records_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return found
