"""A disk, played from a log of what was done to its files: what is safe on it, and what is not yet.

What was written before a sync began is safe once that sync is done, names by a sync of their folder. Of a
sync that failed, some is safe and the rest is lost for good: no later sync brings it down.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

HEAD = struct.Struct("<cHHIQq")
SECTOR = 512


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log. Its kinds:

    C create, M make a folder, U remove, R rename, X exchange, W write, T truncate,
    B a sync begins, S it is done, F it failed, A words were said.
    """

    kind: str
    path: str
    other: str
    file: int
    offset: int
    data: bytes


def read_log(log: Path) -> list[Record]:
    """What the shim has written."""
    content, at, records = log.read_bytes(), 0, []
    while at < len(content):
        kind, path, other, size, file, offset = HEAD.unpack_from(content, at)
        at += HEAD.size
        names = content[at : at + path].decode(), content[at + path : at + path + other].decode()
        at += path + other
        data = content[at : at + size] if kind in b"WA" else b""
        at += size
        records.append(Record(kind.decode(), *names, file, offset, data))
    return records


@dataclass(slots=True)
class Write:
    """Bytes at a place; without any, the file ends there."""

    at: int
    data: bytes

    def apply(self, content: bytearray) -> None:
        """As the disk does it."""
        if not self.data:
            _resize(content, self.at)
            return
        if len(content) < self.at:
            _resize(content, self.at)
        content[self.at : self.at + len(self.data)] = self.data

    def sectors(self) -> Iterator[Write]:
        """The parts that the disk writes at once."""
        at, end = self.at, self.at + len(self.data)
        if at == end:
            yield self
        while at < end:
            next_ = min(end, at - at % SECTOR + SECTOR)
            yield Write(at, self.data[at - self.at : next_ - self.at])
            at = next_


LooseWrites = list[tuple[int, Write]]
"""With the place of each in the log."""


@dataclass(slots=True)
class File:
    """What is safe of a file, and what was written to it since."""

    safe: bytearray = field(default_factory=bytearray)
    loose: LooseWrites = field(default_factory=list)
    syncing: int = 0
    """How many of the writes are covered by the sync that has begun."""

    def settle(self, writes: LooseWrites) -> None:
        """They are safe now."""
        for _, write in writes:
            write.apply(self.safe)


@dataclass(slots=True)
class Folder:
    """The names that are safe in a folder, and those that came or went since."""

    safe: dict[str, Node] = field(default_factory=dict)
    loose: LooseNames = field(default_factory=list)
    syncing: int = 0

    def settle(self, changes: LooseNames) -> None:
        """They are safe now."""
        self.safe = self.with_changes(changes)

    def with_changes(self, changes: LooseNames) -> dict[str, Node]:
        """The names after these changes."""
        names: dict[str, Node | None] = {**self.safe}
        for _, change in changes:
            names.update(change)
        return {name: node for name, node in names.items() if node is not None}


Node = File | Folder
LooseNames = list[tuple[int, dict[str, Node | None]]]
"""With the place of each in the log; the names of one change at once."""


class Disk:
    """The files below one folder, while a log is played."""

    def __init__(self, root: Path) -> None:
        """As they are now, before anything is logged: all of it safe."""
        self._root = str(root)
        self._random = Random(0)
        self._numbers: dict[int, Node] = {}
        self._place = 0
        self.root = self._take(root)

    def _take(self, path: Path) -> Folder:
        folder = Folder()
        self._numbers[path.stat().st_ino] = folder
        for entry in path.iterdir():
            node = self._take(entry) if entry.is_dir() else File(bytearray(entry.read_bytes()))
            self._numbers[entry.stat().st_ino] = folder.safe[entry.name] = node
        return folder

    def play(self, record: Record) -> None:
        """One more line of the log."""
        self._place += 1
        match record.kind:
            case "C" | "M":
                node: Node = File() if record.kind == "C" else Folder()
                self._numbers[record.file] = node
                self._rename({record.path: node})
            case "U":
                self._rename({record.path: None})
            case "R":
                self._rename({record.path: None, record.other: self._find(record.path)})
            case "X":
                both = record.path, record.other
                self._rename(dict(zip(both, map(self._find, reversed(both)), strict=True)))
            case "W" | "T":
                file = self._numbers[record.file]
                assert isinstance(file, File)
                file.loose.append((self._place, Write(record.offset, record.data)))
            case "B":
                node = self._numbers[record.file]
                node.syncing = len(node.loose)
            case "S" | "F":
                self._synced(self._numbers[record.file], failed=record.kind == "F")

    def seen(self) -> dict[str, bytes | None]:
        """What the running system sees: the content of every file, None for a folder."""
        return dict(_seen(self.root, ""))

    def _synced(self, node: Node, failed: bool) -> None:
        done: Any = node.loose[: node.syncing]
        del node.loose[: node.syncing]
        node.syncing = 0
        node.settle([change for change in done if not failed or self._random.random() < 0.5])

    def _rename(self, names: dict[str, Node | None]) -> None:
        [folder] = {path.rpartition("/")[0] for path in names}  # at once only within one folder
        changes = {path.rpartition("/")[2]: node for path, node in names.items()}
        self._folder(folder).loose.append((self._place, changes))

    def _folder(self, path: str) -> Folder:
        node: Node = self.root
        for name in path.removeprefix(self._root).strip("/").split("/"):
            if name:
                assert isinstance(node, Folder)
                node = node.with_changes(node.loose)[name]
        assert isinstance(node, Folder)
        return node

    def _find(self, path: str) -> Node:
        folder, _, name = path.rpartition("/")
        inside = self._folder(folder)
        return inside.with_changes(inside.loose)[name]


def _seen(folder: Folder, path: str) -> Iterator[tuple[str, bytes | None]]:
    for name, node in folder.with_changes(folder.loose).items():
        here = f"{path}/{name}".lstrip("/")
        if isinstance(node, Folder):
            yield here, None
            yield from _seen(node, here)
        else:
            content = bytearray(node.safe)
            for _, write in node.loose:
                write.apply(content)
            yield here, bytes(content)


def _resize(content: bytearray, size: int) -> None:
    """Shorter, or longer by zeros."""
    if len(content) > size:
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))
