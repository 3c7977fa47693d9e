"""Several kiosks on one file take turns at writing, in the order in which they came."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import permutations
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from storage.engine import Session, open_session, writer_engine

PATIENCE_SECONDS = 10.0
PROCESSES = multiprocessing.get_context("forkserver")
LOCKS = Path("/proc/locks")
"""Where the kernel tells who waits for which lock."""


class Kiosk:
    """Another process on the same file, which writes its name when its turn has come."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.words, there = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=write_in_turn, args=(url, name, there))
        self.process.start()
        there.close()

    def hear(self) -> str:
        """What it says next."""
        assert self.words.poll(PATIENCE_SECONDS)
        return str(self.words.recv())

    def stands_in_line(self) -> bool:
        """Whether it waits for a file lock."""
        waiting = re.findall(r"-> FLOCK +ADVISORY +WRITE +(\d+) ", LOCKS.read_text())
        return str(self.process.pid) in waiting

    def come(self) -> None:
        """It wants to write, and has its place in the line when this returns."""
        self.words.send("write")
        while not self.stands_in_line():
            assert not self.words.poll(0.01), f"{self.name} did not wait"

    def leave(self) -> None:
        """It goes, whatever it was at."""
        self.words.close()
        self.process.kill()
        self.process.join()


def write_in_turn(url: str, name: str, words: Connection) -> None:
    """What the other process does."""
    with closing(open_session(writer_engine(url), name)) as session:
        words.send("ready")
        while words.recv():
            session.begin()
            write(session, name)
            session.commit(changed=True)
            words.send("wrote")


def write(session: Session, name: str) -> None:
    session.ask("INSERT INTO wrote VALUES (?)", [name])


@contextmanager
def kiosks(url: str, *names: str) -> Iterator[list[Kiosk]]:
    """So many processes, each with the file open."""
    with ExitStack() as stack:
        started = [Kiosk(url, name) for name in names]
        for kiosk in started:
            stack.callback(kiosk.leave)
        assert [kiosk.hear() for kiosk in started] == ["ready"] * len(started)
        yield started


@pytest.mark.skipif(not LOCKS.exists(), reason="this system does not tell who waits for a lock")
def test_whoever_waits_on_one_file_writes_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    with closing(open_session(writer_engine(url), "first")) as first, kiosks(url, "a", "b", "c") as others:
        first.begin()
        first.ask("CREATE TABLE wrote (name TEXT)", [])
        first.commit(changed=True)
        came = []
        for line in permutations(others):
            first.begin()
            for kiosk in line:
                kiosk.come()
            write(first, "first")
            first.commit(changed=True)
            assert [kiosk.hear() for kiosk in line] == ["wrote"] * len(line)
            came += ["first", *(kiosk.name for kiosk in line)]
        wrote = [name for (name,) in first.ask("SELECT name FROM wrote ORDER BY rowid", [])]
    assert wrote == came
