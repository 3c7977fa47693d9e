"""`kiosk supervise`: what died is brought back, issuing grows and shrinks with its backlog; health tells."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pysqlite3
import pytest

from domain.application import ApplyForCertificate
from domain.certificate import ListCertificates
from domain.orders import OrderIssue
from domain.statement import CertificateStatus
from kiosk.settings import Settings
from tests.clinics import STAFF, clinic_in
from tests.faults.test_parts_down import injected
from tests.faults.workers import SECONDS, environment, kiosk, lately, papers, running

ISSUING = "worker-issuing"
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def supervised(settings: Settings, *arguments: str) -> AsyncIterator[None]:
    """Every part at work under a supervisor, which lets them finish in the end."""
    supervisor = await kiosk(settings, "supervise", *arguments)
    try:
        for part in ("injection-intake", "issuing", "printing", "my-page"):
            await until(settings, f"worker-{part}", lambda found: len(found) == 1)
        yield
    finally:
        supervisor.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            assert await supervisor.wait() == 0
    for role in ("supervisor", ISSUING, "worker-my-page"):
        assert await running(settings, role) == []


async def until(settings: Settings, role: str, enough: Callable[[list[int]], bool]) -> list[int]:
    """Wait until the processes of this role are as they should be."""

    async def found() -> bool:
        nonlocal now
        now = await running(settings, role)
        return enough(now)

    now: list[int] = []
    await wait_for(found)
    return now


async def wait_for(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await found():  # noqa: ASYNC110 - other processes do it
            await asyncio.sleep(0.02)


async def health(settings: Settings, which: str) -> int:
    return await (await kiosk(settings, "health", which)).wait()


async def test_what_died_is_brought_back_and_health_tells_what_hangs(tmp_path: Path) -> None:
    async with clinic_in(tmp_path, clock=lately(), parts=()) as clinic:
        settings = clinic.settings
        assert await health(settings, "--live") == 1, "nothing runs, and that is not well"
        async with supervised(settings):
            assert await health(settings, "--live") == 0
            assert await health(settings, "--ready") == 0
            [killed] = await running(settings, "worker-my-page")
            os.kill(killed, signal.SIGKILL)
            [back] = await until(settings, "worker-my-page", lambda found: found not in ([], [killed]))
            os.kill(back, signal.SIGSTOP)
            assert await health(settings, "--live") == 1
            await until(settings, "worker-my-page", lambda found: found not in ([], [back]))
            assert await health(settings, "--live") == 0


async def test_issuing_grows_with_its_backlog_and_shrinks_again(tmp_path: Path) -> None:
    async with clinic_in(tmp_path, clock=lately(), capacity=1_000) as clinic:
        injections = await injected(clinic, await clinic.vaccine(doses=40), people=40)
        for injection in injections:
            await clinic.gateway.send(ApplyForCertificate(injection), STAFF)
        await clinic.services.settle()
    async with clinic_in(tmp_path, clock=lately(), parts=()) as clinic:
        settings = clinic.settings
        ready = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
        codes = tuple(detail.certificate.code for detail in ready)
        async with supervised(settings, "--each", "10", "--most", "3", "--patience", "15"):
            await clinic.gateway.send(OrderIssue(codes), STAFF)
            assert len(await until(settings, ISSUING, lambda found: len(found) == 3)) == 3
            await clinic.services.settle()
            await until(settings, ISSUING, lambda found: len(found) == 1)
        issued = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
        prints = {detail.certificate.code: detail.certificate.prints for detail in issued}
        assert prints == dict.fromkeys(codes, 1)
        assert papers(settings.paper_folder) == set(codes)
        assert await clinic.violations() == []


async def test_workers_do_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    async with clinic_in(tmp_path, clock=lately(), parts=()) as clinic:
        settings = clinic.settings
        supervisor = await kiosk(settings, "supervise", "my-page")
        await until(settings, "worker-my-page", lambda found: len(found) == 1)
        supervisor.kill()
        await supervisor.wait()
        assert await until(settings, "worker-my-page", lambda found: found == []) == []


@pytest.mark.parametrize("from_a_tree", [False, True])
async def test_workers_are_the_program_that_their_supervisor_is_whatever_lies_in_the_folder(
    from_a_tree: bool, tmp_path: Path
) -> None:
    async with clinic_in(tmp_path, clock=lately(), parts=()) as clinic:
        settings = clinic.settings
    begun, folder = tmp_path / "begun", tmp_path / "folder"
    for name in ("assets", "domain", "kiosk", "storage"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    program = folder / "kiosk" / "__main__.py"
    program.write_text(
        f"with open({str(begun)!r}, 'a') as begun:\n    begun.write('.')\n{program.read_text()}"
    )
    command = [*([] if from_a_tree else ["-P"]), "-m", "kiosk", "supervise", "my-page"]
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment(settings), cwd=folder, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await until(settings, "worker-my-page", lambda found: len(found) == 1)
    finally:
        supervisor.terminate()
        assert await supervisor.wait() == 0
    assert begun.exists() == from_a_tree
    assert not from_a_tree or begun.read_text() == ".."


async def test_a_worker_that_outlives_its_supervisor_for_a_moment_rests_until_it_can_go(
    tmp_path: Path,
) -> None:
    async with clinic_in(tmp_path, clock=lately(), parts=()) as clinic:
        settings = clinic.settings
    records = pysqlite3.connect(str(settings.data_folder / "clinic.db"), isolation_level=None)
    records.execute("BEGIN IMMEDIATE")  # it has to wait for its turn
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk", "worker", "--attached", "my-page",
        env=environment(settings), stdin=PIPE, stderr=DEVNULL,
    )  # fmt: skip
    assert worker.stdin
    worker.stdin.close()
    seen = psutil.Process(worker.pid)

    async def rests() -> bool:
        spent = sum(seen.cpu_times()[:2])
        await asyncio.sleep(0.5)
        return sum(seen.cpu_times()[:2]) - spent < 0.1

    await wait_for(rests)
    records.rollback()
    records.close()
    async with asyncio.timeout(SECONDS):
        assert await worker.wait() == 0
