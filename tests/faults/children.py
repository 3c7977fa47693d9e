"""What children of the nursery do behind the shim: it is logged, or made to fail."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pysqlite3

from domain.events import Recorded
from domain.parts import ListTasks, PausePart, ResumePart, RetryTask, TaskStatus
from kiosk.commands import worker
from kiosk.credential.ceremony import rotate, withdraw
from kiosk.credential.certificates import key_id
from kiosk.credential.keys import KeyFolder
from kiosk.paper.address import parse_printer
from kiosk.paper.archive import FolderArchive
from kiosk.paper.print_jobs import Slip
from storage import relay, sqlite
from storage.mypage import MyPageStore
from tests.clinics import MONDAY, STAFF, TestClock, clinic_in, settings_in
from tests.faults.load import CAPACITY, CLIENTS, Load, serve, tell
from tests.faults.mutants import mutate
from tests.faults.nursery import Faults

AGAIN = 6
"""Events that are put aside."""
PRINTER = "ipp://192.168.0.20/ipp/print"


def serve_logged(words: int, folder: str, log: str, seed: int, people: int, pages: int, mutant: str) -> None:
    """Serve so many people. SQLite copies its log back after ``pages``, far sooner than in a clinic."""
    mutate(mutant)
    sqlite.CHECKPOINT_PAGES = pages
    Faults().watch(Path(folder), Path(log), words)
    serve(words, folder, seed, people)


def serve_until_killed(
    words: int, folder: str, seed: int, clients: int = 200, parts: list[str] | None = None
) -> None:
    """Serve without an end, with these parts at work in the process; all of them when not said."""
    choices: dict[str, Any] = {} if parts is None else {"parts": tuple(parts)}
    serve(words, folder, seed, clients=clients, **choices)


def work_until_killed(words: int, folder: str, parts: list[str]) -> None:
    """`kiosk worker` with these parts."""
    worker.run(settings_in(Path(folder), CAPACITY), Namespace(parts=parts, attached=False))


def open_first(words: int, folder: str, log: str, mutant: str) -> None:
    """Open a clinic where there was none, and show the first PIN."""
    mutate(mutant)
    Faults().watch(Path(folder), Path(log), words)

    async def run() -> None:
        async with clinic_in(Path(folder)) as clinic:
            tell(words, "opened", key_id(KeyFolder(clinic.settings.key_folder).root()).hex())
            tell(words, "pin", clinic.services.first_pin or "none")

    asyncio.run(run())


def turn_keys(words: int, folder: str, log: str, mutant: str) -> None:
    """A new signer twice, and one withdrawn between, in a clinic that has keys."""
    mutate(mutant)
    Faults().watch(Path(folder), Path(log), words)
    keys, clock = KeyFolder(settings_in(Path(folder)).key_folder), TestClock(MONDAY)
    for _ in range(2):
        clock.move(days=1)
        signer = key_id(rotate(keys, None, clock.now())).hex()
        tell(words, "rotated", signer)
        clock.move(days=1)
        tell(words, "withdrawing", signer)
        withdraw(keys, None, signer, "lost", clock.now())
        tell(words, "withdrawn", signer)


def keep_paper(words: int, folder: str, log: str, seed: int, mutant: str) -> None:
    """Paper into the folder, some of it in place of older paper; print jobs that begin and end."""
    mutate(mutant)
    Faults().watch(Path(folder), Path(log), words)
    random, printer = Random(seed), parse_printer(PRINTER)
    archive = FolderArchive(Path(folder) / "paper")
    slips: list[Slip] = []
    for number in range(20):
        content, name = random.randbytes(5_000), f"paper-{number % 7}.pdf"
        tell(words, "keeping", name, sha256(content).hexdigest())
        asyncio.run(archive.keep(name, content))
        tell(words, "kept", name, sha256(content).hexdigest())
        slips.append(Slip.write(Path(folder) / "data" / "print-jobs", printer, number, f"job-{number}"))
        tell(words, "begun", f"job-{number}")
        if number % 3 == 2:
            ended = slips.pop(0)
            tell(words, "ended", ended.name)
            ended.discard()


def try_again(words: int, folder: str, log: str, mutant: str) -> None:
    """Events that my page cannot take are put aside while the others are told; then they are tried again."""
    mutate(mutant)
    Faults().watch(Path(folder), Path(log), words)
    relay.FIRST_PAUSE = 0.001  # seconds: what is refused five times is put aside soon
    refused: set[str] = set()
    real = MyPageStore.tell

    async def tell_others(self: MyPageStore, events: Sequence[Recorded], after: int = 0) -> int:
        if any(getattr(recorded.event, "booking", "") in refused for recorded in events):
            raise ArithmeticError
        return await real(self, events, after)

    setattr(MyPageStore, "tell", tell_others)  # noqa: B010

    async def run() -> None:
        async with clinic_in(Path(folder)) as clinic:
            vaccine = await clinic.vaccine(doses=AGAIN * 2)
            for number in range(AGAIN):
                await clinic.gateway.send(PausePart("my-page"), STAFF)
                booking = (await clinic.book(vaccine, number)).booking
                refused.add(booking)
                await clinic.gateway.send(ResumePart("my-page"), STAFF)
                await clinic.services.settle()
                first, *_ = await clinic.gateway.ask(ListTasks(TaskStatus.ASIDE), STAFF)
                refused.clear()
                await clinic.gateway.send(RetryTask(first.code), STAFF)
                await clinic.services.settle()
                tell(words, "told", booking)
                await clinic.book(vaccine, AGAIN + number)
                await clinic.services.settle()

    asyncio.run(run())


def serve_with_fault(
    words: int, folder: str, seed: int, people: int, fault: dict[str, Any], mutant: str
) -> None:
    """Serve so many people on a disk that fails, mend it, serve as many again, and wait to be killed."""
    mutate(mutant)
    sqlite.CHECKPOINT_PAGES = 60

    async def run() -> None:
        async with clinic_in(Path(folder), capacity=CAPACITY) as clinic:
            faults = Faults()
            faults.watch(Path(folder), None, -1)
            load = Load(clinic, words, seed, people)
            await load.open()
            await clinic.services.settle()
            faults.fail(**fault)
            await load.run(CLIENTS)
            tell(words, "mended")
            faults.heal()
            await Load(clinic, words, seed + 1, people).run(CLIENTS)
            await clinic.services.settle()
            tell(words, "over")
            await asyncio.Event().wait()

    asyncio.run(run())


def serve_with_lost_answers(words: int, folder: str, seed: int, people: int, mutant: str) -> None:
    """Serve so many people while every seventh commit is done and seems to have failed."""
    mutate(mutant)
    real, commits = sqlite.SqliteSession.commit, count(1)

    def commit(self: sqlite.SqliteSession, changed: bool) -> None:
        real(self, changed)
        if changed and next(commits) % 7 == 0:
            raise pysqlite3.OperationalError("disk I/O error")

    setattr(sqlite.SqliteSession, "commit", commit)  # noqa: B010
    serve(words, folder, seed, people)


def serve_beside_others(words: int, folder: str, seed: int, people: int, mutant: str) -> None:
    """Serve so many people; other processes do the same on the same file."""
    mutate(mutant)
    serve(words, folder, seed, people)
