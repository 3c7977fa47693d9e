"""Power cuts: what a disk may hold when the power goes, anywhere in a log of what was done to its files.

What is safe is there. Of the rest anything may be: nothing, all, what came first, any of the writes, any of
their 512-byte sectors, one file but not the other; and likewise of names that came or went.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.disk import Disk, Folder, LooseNames, LooseWrites, Record, Write

SHARED_MEMORY = "-shm"
"""SQLite's index of its log lies in memory, of which a power cut leaves nothing."""

Content = dict[str, bytes | None]
"""Files by their path; None for a folder."""


@dataclass(frozen=True)
class Luck:
    """What one power cut does to what was not safe."""

    random: Random
    share: float
    """Of what may or may not be there."""
    last: int
    """A place in the log, for what is kept in order."""
    names_in_order: bool
    """As a file system with a journal keeps them."""

    def happens(self) -> bool:
        """In this share of the cases."""
        return self.random.random() < self.share

    def names(self, loose: LooseNames) -> LooseNames:
        """The changes of names that are on the disk."""
        if self.names_in_order:
            return loose[: self.random.randint(0, len(loose))]
        return [change for change in loose if self.happens()]


def nothing(loose: LooseWrites, luck: Luck) -> Iterator[Write]:
    """As if the disk had written only when told to."""
    return iter(())


def everything(loose: LooseWrites, luck: Luck) -> Iterator[Write]:
    """As if only the process had been killed."""
    return (write for _, write in loose)


def whole_files(loose: LooseWrites, luck: Luck) -> Iterator[Write]:
    """All of one file, and nothing of another."""
    return everything(loose, luck) if luck.random.random() < 0.5 else nothing(loose, luck)


def in_order(loose: LooseWrites, luck: Luck) -> Iterator[Write]:
    """All of every file up to one moment, the last write torn."""
    kept = [write for place, write in loose if place <= luck.last]
    yield from kept[:-1]
    for write in kept[-1:]:
        yield from (sector for sector in write.sectors() if luck.happens())


def some(loose: LooseWrites, luck: Luck) -> Iterator[Write]:
    """Whole writes, in any order."""
    return (write for _, write in loose if luck.happens())


def torn(loose: LooseWrites, luck: Luck) -> Iterator[Write]:
    """Any sectors of any writes."""
    return (sector for _, write in loose for sector in write.sectors() if luck.happens())


Way = Callable[[LooseWrites, Luck], Iterator[Write]]
WAYS: tuple[Way, ...] = (nothing, everything, whole_files, in_order, some, torn)


@dataclass(frozen=True)
class Cut:
    """The files after the power went, and the words that had been said by then."""

    place: int
    way: str
    files: Content
    words: list[str]

    def put(self, folder: Path) -> None:
        """The files in place of what was in this folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in self.files.items():
            path = folder / name
            if data is None:
                path.mkdir()
            else:
                path.write_bytes(data)

    def __str__(self) -> str:
        return f"cut at {self.place}, {self.way}"


def cuts(disk: Disk, log: list[Record], places: list[int], random: Random) -> Iterator[Cut]:
    """Cut the power at these places of the log, one after the other; each leaves another disk behind."""
    words: list[str] = []
    played = 0
    for place in sorted(places):
        for record in log[played:place]:
            disk.play(record)
            if record.kind == "A":
                words += record.data.decode().splitlines()
        played = place
        way = random.choice(WAYS)
        yield Cut(place, way.__name__, left_by(disk, place, way, random), words)


def left_by(disk: Disk, place: int, way: Way, random: Random) -> Content:
    """What is there after the power went at this place."""
    first = max(0, place - random.choice((5, 50, 500, 5000)))
    luck = Luck(random, random.choice((0.1, 0.5, 0.9)), random.randint(first, place), random.random() < 0.5)
    return dict(_left(disk.root, "", way, luck))


def anywhere(log: list[Record], number: int, random: Random) -> list[int]:
    """Places in a log, half of them where something has just become safe or was just said."""
    edges = [place for place, record in enumerate(log, 1) if record.kind in "SA"]
    half = number // 2
    return random.choices(edges, k=half) + [random.randint(0, len(log)) for _ in range(number - half)]


def at_writes_to(name: str, log: list[Record], number: int, random: Random) -> list[int]:
    """Places in a log where something has just been written to a file whose name ends so, if anything was."""
    files = {record.file for record in log if record.kind == "C" and record.path.endswith(name)}
    places = [place for place, record in enumerate(log, 1) if record.kind == "W" and record.file in files]
    return random.choices(places, k=number) if places else []


def _left(folder: Folder, path: str, way: Way, luck: Luck) -> Iterator[tuple[str, bytes | None]]:
    for name, node in folder.with_changes(luck.names(folder.loose)).items():
        here = f"{path}/{name}".lstrip("/")
        if isinstance(node, Folder):
            yield here, None
            yield from _left(node, here, way, luck)
        elif not name.endswith(SHARED_MEMORY):
            content = bytearray(node.safe)
            for write in way(node.loose, luck):
                write.apply(content)
            yield here, bytes(content)
        elif luck.happens():  # if the file is there, then with anything in it
            yield here, luck.random.randbytes(32 * 1024)
