"""Kill -9 at random points of the load: nothing acknowledged is missing, every rule holds, and
every event has reached every part once in effect.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
from collections import defaultdict
from contextlib import closing
from multiprocessing.reduction import DupFd
from pathlib import Path
from random import Random
from time import monotonic

import pysqlite3
import pytest

from kiosk.bootstrap import rebuild_my_page
from kiosk.settings import Settings
from storage.engine import read_model_engine
from storage.mypage import MyPageStore
from tests.clinics import clinic_in, settings_in, violations
from tests.faults.load import CAPACITY, serve

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
    said: dict[str, set[str]] = defaultdict(set)
    settings = settings_in(tmp_path, CAPACITY)
    for number in range(KILLS // SHARES):
        for word, code in run_and_kill(tmp_path, seed=share * 1000 + number + 1):
            said[word].add(code)
        assert violations(settings) == []
        missing = said["booked"] - statuses(settings.data_folder).keys()
        assert missing == set()
    assert len(said["booked"]) > 50 * KILLS // SHARES, "the load was too small to mean anything"
    assert said["cancelled"]

    async with clinic_in(tmp_path, capacity=CAPACITY) as clinic:
        await clinic.services.settle()
        assert await clinic.violations() == []
        now = statuses(settings.data_folder)
        assert {now[code] for code in said["cancelled"]} == {"cancelled"}
        assert {now[code] for code in said["completed"]} <= {"completed"}
        # Once in effect: one live visit for each dose that is held or was given, none for others.
        assert visits(settings.data_folder) == {
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


def statuses(folder: Path) -> dict[str, str]:
    return dict(rows(folder, "SELECT code, status FROM booking"))


def visits(folder: Path) -> set[str]:
    found = rows(folder, "SELECT booking FROM injection WHERE status NOT IN ('withdrawn', 'voided')")
    return {code for (code,) in found}


def rows(folder: Path, statement: str) -> list[tuple[str, ...]]:
    """With the SQLite the clinic uses: two of them in one process drop each other's file locks."""
    with closing(pysqlite3.connect(folder / "clinic.db")) as connection:
        return connection.execute(statement).fetchall()
