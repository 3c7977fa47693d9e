"""My page by code in a large clinic against a small one, while 200 clients book against while nobody does,
and told again from its events against a bare executemany of the same rows.

Those who book are in the same process, in another one, or in another one that has the parts too: the kiosk
that is asked then has none, as where workers do their work.

``python -m tests.benchmarks.bench_mypage full`` compares a million bookings with ten thousand; without
``full``, and in ``make bench``, a hundred thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysqlite3

from domain.actors import Actor
from domain.booking import Book, ListDays, ListSlots
from domain.errors import ClinicBusy
from domain.mypage import GetMyPage, IdentifyByCode
from domain.parts import Part
from kiosk.collector import look_seldom
from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page
from storage.engine import read_model_engine, reader_engine
from storage.fresh import FreshPages
from storage.mypage import MyPageStore, metadata
from tests.clinics import OpenClinic, clinic_in, person, settings_in
from tests.many import make_many

SMALL, LARGE, FULL = 10_000, 100_000, 1_000_000
CLIENTS, CAPACITY = 200, 1_000_000
SECONDS = 5.0
PROCESSES = multiprocessing.get_context("spawn")
Ask = Callable[[str], Awaitable[object]]


@dataclass
class Desk:
    """A clinic to ask, codes to ask with, and the ways to ask."""

    clinic: OpenClinic
    vaccine: str
    codes: list[str]
    ways: dict[str, Ask]


@contextlib.asynccontextmanager
async def desk_in(folder: Path, vaccine: str, parts: tuple[Part, ...] = tuple(Part)) -> AsyncIterator[Desk]:
    async with clinic_in(folder, capacity=CAPACITY, parts=parts) as clinic:
        look_seldom()  # as a kiosk does
        await clinic.services.settle()
        records = reader_engine(clinic.settings.records_url)
        store = MyPageStore(read_model_engine(clinic.settings.read_model_url))
        fresh = FreshPages(records, store)
        gateway, known = clinic.gateway, dict[str, Actor]()

        async def identified(code: str) -> Actor:
            known[code] = await gateway.ask(IdentifyByCode(code))
            return known[code]

        async def both(code: str) -> object:
            return await gateway.ask(GetMyPage(), await identified(code))

        async def page(code: str) -> object:
            return await gateway.ask(GetMyPage(), known.get(code) or await identified(code))

        async def without_waiting(code: str) -> object:
            return await fresh.page_of((known.get(code) or await identified(code)).code)

        ways: dict[str, Ask] = {
            "by code, through the gateway": both,
            "  the person": identified,
            "  the page": page,
            "  the page, the projector not waited for": without_waiting,
        }
        codes = _codes(clinic.settings)
        for code in codes[:20]:
            for ask in ways.values():
                await ask(code)
        try:
            yield Desk(clinic, vaccine, codes, ways)
        finally:
            await store.close()
            await records.dispose()


def _codes(settings: Settings) -> list[str]:
    with pysqlite3.connect(settings.data_folder / "clinic.db") as records:
        [(last,)] = records.execute("SELECT MAX(seq) FROM booking")
        seqs = [random.randint(1, last) for _ in range(500)]
        found = (records.execute("SELECT code FROM booking WHERE seq = ?", [seq]).fetchone() for seq in seqs)
        return [row[0] for row in found if row]


async def asked(desks: list[Desk]) -> list[dict[str, list[float]]]:
    """Seconds of each answer, each desk and each way asked in turns so that all meet the same machine."""
    seconds: list[dict[str, list[float]]] = [{way: [] for way in desk.ways} for desk in desks]
    end = time.perf_counter() + SECONDS * len(desks)
    while time.perf_counter() < end:
        for desk, took in zip(desks, seconds, strict=True):
            for way, ask in desk.ways.items():
                code, start = random.choice(desk.codes), time.perf_counter()
                await ask(code)
                took[way].append(time.perf_counter() - start)
    return seconds


def at(share: float, seconds: list[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


# -- the writer saturated ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def booking_all_the_time(clinic: OpenClinic, vaccine: str) -> AsyncIterator[None]:
    """So many clients, each booking as soon as the last booking was answered."""
    days = await clinic.gateway.ask(ListDays())
    slots = [level.slot for day in days[1:] for level in await clinic.gateway.ask(ListSlots(day.date))]
    numbers, stopping = iter(range(random.randrange(10**7, 9 * 10**7), 10**8)), False

    async def client() -> None:
        while not stopping:
            number = next(numbers)
            try:
                await clinic.gateway.send(Book(person(number), vaccine, slots[number % len(slots)]))
            except ClinicBusy:
                await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    await asyncio.sleep(1)
    try:
        yield
    finally:
        stopping = True
        await asyncio.gather(*tasks)


@contextlib.asynccontextmanager
async def another_process_booking(folder: Path, vaccine: str) -> AsyncIterator[None]:
    busy, stop = PROCESSES.Event(), PROCESSES.Event()
    process = PROCESSES.Process(target=_book, args=(folder, vaccine, busy, stop))
    process.start()
    await asyncio.to_thread(busy.wait)
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(process.join)


def _book(folder: Path, vaccine: str, busy: Any, stop: Any) -> None:
    async def book() -> None:
        async with clinic_in(folder, capacity=CAPACITY) as clinic, booking_all_the_time(clinic, vaccine):
            busy.set()
            await asyncio.to_thread(stop.wait)

    asyncio.run(book())


# -- told again -------------------------------------------------------------------------------------


def rebuilt(settings: Settings, bookings: int) -> None:
    """Print how fast, and against the same rows put in by one executemany a table."""
    start = time.perf_counter()
    events = asyncio.run(rebuild_my_page(settings, lambda done, total: None))
    seconds = time.perf_counter() - start
    bare = _bare(settings)
    print(f"my page told again, {bookings:,} bookings: {events:,} events, {events / seconds:,.0f} events/s")
    print(f"  seconds / a bare executemany of the same rows: {seconds / bare:.1f}")


def _bare(settings: Settings) -> float:
    with pysqlite3.connect(settings.data_folder / "mypage.db") as view:
        rows = {name: view.execute(f"SELECT * FROM {name}").fetchall() for name in metadata.tables}
        schema = view.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC"
        ).fetchall()
    with tempfile.TemporaryDirectory() as folder:
        bare = pysqlite3.connect(Path(folder) / "bare.db")
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            bare.execute(f"PRAGMA {pragma}")
        for (sql,) in schema:
            bare.execute(sql)
        start = time.perf_counter()
        for name, those in rows.items():
            marks = ", ".join("?" * len(metadata.tables[name].columns))
            bare.executemany(f"INSERT INTO {name} VALUES ({marks})", those)
        bare.commit()
        seconds = time.perf_counter() - start
        bare.close()
    return seconds


# -- all of it --------------------------------------------------------------------------------------


def main(large: int = LARGE) -> None:
    """Both clinics in folders of their own, asked in turns."""
    with tempfile.TemporaryDirectory() as small_folder, tempfile.TemporaryDirectory() as large_folder:
        folders, vaccines = [Path(small_folder), Path(large_folder)], []
        for folder, bookings in zip(folders, (SMALL, large), strict=True):
            vaccines.append(asyncio.run(make_many(settings_in(folder), bookings)))
            rebuilt(settings_in(folder), bookings)
        asyncio.run(_compare(folders, vaccines, large))


async def _compare(folders: list[Path], vaccines: list[str], large: int) -> None:
    async with desk_in(folders[0], vaccines[0]) as small, desk_in(folders[1], vaccines[1]) as big:
        quiet = await asked([small, big])
        print(f"my page, p50, {large:,} bookings / {SMALL:,}:")
        for way in big.ways:
            few, many = at(0.5, quiet[0][way]), at(0.5, quiet[1][way])
            print(f"  {way}: {many / few:.2f}  ({1000 * many:.1f} ms)")
        [idle] = await asked([big])
        async with booking_all_the_time(big.clinic, big.vaccine):
            [here] = await asked([big])
        await big.clinic.services.settle()
        async with another_process_booking(folders[1], vaccines[1]):
            [there] = await asked([big])
        await big.clinic.services.settle()
        [idle_again] = await asked([big])
    asking = desk_in(folders[1], vaccines[1], parts=())
    async with asking as alone, another_process_booking(folders[1], vaccines[1]):
        [apart] = await asked([alone])
    print(f"my page, p99, {CLIENTS} clients booking / idle:")
    for way in big.ways:
        base = at(0.99, idle[way])
        print(f"  {way} (idle {1000 * base:.1f} ms; again {at(0.99, idle_again[way]) / base:.1f}):")
        for where, seconds in (
            ("in this process", here),
            ("in another", there),
            ("in another with the parts", apart),
        ):
            p50, p99 = (1000 * at(share, seconds[way]) for share in (0.5, 0.99))
            print(f"    {where}: {p99 / 1000 / base:.1f} (p50 {p50:.1f} ms, p99 {p99:.1f} ms)")


if __name__ == "__main__":
    main(FULL if "full" in sys.argv[1:] else LARGE)
