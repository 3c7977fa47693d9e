"""Reserve a dose through the gateway on PostgreSQL, with 1, 100 and 200 clients at once, against the
same SQL on one bare psycopg connection that commits each booking by itself; both wait for the disk.
Then 1, 2 and 4 kiosks, each a process of its own with 50 clients, in the same database.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import psycopg

from kiosk.settings import Settings
from tests.benchmarks.bench_booking import (
    BOOKINGS,
    Ready,
    compare,
    prepare,
    replayed,
    settings_in,
    statements_of_each_booking,
    through_gateway,
)
from tests.postgresql import CannotStart, Server, running

KIOSKS, CLIENTS = (1, 2, 4), 50
PROCESSES = multiprocessing.get_context("spawn")


def main() -> None:
    """Each run in a copy of the same database."""
    try:
        with running() as server, tempfile.TemporaryDirectory() as folder:
            _compare(server, Path(folder))
    except CannotStart as problem:
        print(f"no PostgreSQL here: {problem}")


def _compare(server: Server, folder: Path) -> None:
    template = server.database()
    in_database = partial(replace, settings_in(folder))
    ready = asyncio.run(prepare(in_database(database_url=server.url(template))))

    @contextmanager
    def copy() -> Iterator[tuple[str, Settings]]:
        name = server.database(template)
        (folder / "mypage.db").unlink(missing_ok=True)
        yield name, in_database(database_url=server.url(name))
        server.drop(name)

    with copy() as (_, settings):
        bookings = statements_of_each_booking(ready, settings.records_url)

    def bare() -> float:
        with copy() as (name, _), psycopg.connect(server.conninfo(name), autocommit=True) as connection:
            return replayed(connection.cursor(), "BEGIN", bookings)

    def gateway(clients: int) -> float:
        with copy() as (_, settings):
            return asyncio.run(through_gateway(ready, settings, clients))

    base = compare(bare, gateway, len(bookings[0]), "PostgreSQL")
    for kiosks in KIOSKS:
        with copy() as (_, settings):
            rates = at_once(ready, settings, kiosks)
        print(f"  {kiosks} kiosks, {CLIENTS} clients each: {sum(rates) / base:.2f}", end="")
        print(f"  ({sum(rates):,.0f}/s; the slowest has {min(rates) / max(rates):.2f} of the fastest)")


def at_once(ready: Ready, settings: Settings, kiosks: int) -> list[float]:
    """The bookings a second of each kiosk, while all of them are at it."""
    start, answers = PROCESSES.Barrier(kiosks), PROCESSES.SimpleQueue()
    share = BOOKINGS // kiosks
    ready = replace(ready, context=cast(Any, None))  # it holds keys, which do not travel
    processes = [
        PROCESSES.Process(
            target=_kiosk, args=(ready, settings, range(n * share, (n + 1) * share), start, answers)
        )
        for n in range(kiosks)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [answers.get() for _ in processes]


def _kiosk(ready: Ready, settings: Settings, people: range, start: Any, answers: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = replace(settings, data_folder=Path(folder), paper_folder=Path(folder))
        shutil.copytree(settings.key_folder, own.key_folder)
        answers.put(asyncio.run(through_gateway(ready, own, CLIENTS, people, start.wait)))


if __name__ == "__main__":
    main()
