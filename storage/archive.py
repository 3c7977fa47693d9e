"""A backup as one file: a compressed tar of the records, the keys, and a manifest of what they must be.

    manifest.json   what was copied, when, and the SHA-256 of every other file
    records.db      the records as a SQLite database, whatever they are kept in
    keys/…          the signing keys of this kiosk

The file is there whole or not at all: it is written under another name, brought down to the disk, read back,
and only then renamed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

import msgspec

from domain.errors import BackupDamaged

FORMAT = 1
"""Of the archive; what a later program changes so that this one cannot read it has a higher number."""
RECORDS, KEYS, MANIFEST = "records.db", "keys", "manifest.json"
SUFFIX = ".backup"
MOST_MANIFEST = 1 << 20
CHUNK = 1 << 20

Goes = Callable[[], None]
"""Called between two steps; raises when somebody wants the work to end."""


class Entry(msgspec.Struct, frozen=True):
    """One file of the archive."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. Nothing about a person."""

    format: int
    made_at: datetime
    program: str
    clinic: str
    """Its code, as it is set."""
    lineage: str = ""
    """What its records share with all their copies, and with no other clinic; the first backups lack it."""
    database: str
    """What the records were kept in: sqlite or postgresql."""
    layout: str
    rows: dict[str, int]
    """How many there are, by table."""
    last_event: int
    violations: int
    """How many rows broke a rule of the clinic when they were copied."""
    missing: tuple[str, ...] = ()
    """Tables and columns that the records lacked."""
    files: dict[str, Entry]

    @property
    def has_keys(self) -> bool:
        """Whether the signing keys are in it, too."""
        return any(name.startswith(f"{KEYS}/") for name in self.files)


def entry_of(path: Path, goes: Goes) -> Entry:
    """A file's size and digest."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for chunk in _chunks(file):
            goes()
            digest.update(chunk)
            size += len(chunk)
    return Entry(size, digest.hexdigest())


def pack(folder: Path, manifest: Manifest, archive: Path, goes: Goes) -> None:
    """Write the archive of these files, for its owner only, down to the disk."""
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
            (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
            for name in (MANIFEST, *manifest.files):
                goes()
                tar.add(folder / name, arcname=name, recursive=False, filter=_of_nobody)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(archive: Path) -> Manifest:
    """The manifest alone, which is what the archive begins with. Raises BackupDamaged."""
    with _reading(archive) as tar:
        return _manifest(archive, tar)


def unpack(archive: Path, folder: Path | None, goes: Goes) -> Manifest:
    """Read every byte and hold it against the manifest; into a folder if there is one.

    Raises BackupDamaged.
    """
    with _reading(archive) as tar:
        manifest = _manifest(archive, tar)
        missing = dict(manifest.files)
        while member := tar.next():
            expected, content = missing.pop(member.name, None), tar.extractfile(member)
            if expected is None or content is None or member.size != expected.size:
                raise BackupDamaged(file=archive, reason=f"{member.name} is not what its manifest says")
            if _copied(content, folder and folder / member.name, goes) != expected.sha256:
                raise BackupDamaged(file=archive, reason=f"{member.name} is not as it was written")
        if tar.fileobj and any(any(chunk) for chunk in _chunks(tar.fileobj)):
            raise BackupDamaged(file=archive, reason="something was written behind its end")
    if missing:
        raise BackupDamaged(file=archive, reason=f"{sorted(missing)[0]} is missing")
    return manifest


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def _reading(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with gzip.open(archive) as whole, tarfile.open(fileobj=whole, mode="r|") as tar:
            yield tar
    except (FileNotFoundError, IsADirectoryError, PermissionError) as problem:
        raise BackupDamaged(file=archive, reason=problem.strerror) from problem
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as problem:
        raise BackupDamaged(file=archive, reason="it cannot be read to its end") from problem


class _Format(msgspec.Struct):
    format: int


def _manifest(archive: Path, tar: tarfile.TarFile) -> Manifest:
    member = tar.next()
    content = tar.extractfile(member) if member else None
    if member is None or content is None or member.name != MANIFEST or member.size > MOST_MANIFEST:
        raise BackupDamaged(file=archive, reason="it does not begin with a manifest")
    raw = content.read()
    try:
        written = msgspec.json.decode(raw, type=_Format).format
        if written > FORMAT:
            raise BackupDamaged(file=archive, reason=f"a newer version wrote it (format {written})")
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as problem:
        raise BackupDamaged(file=archive, reason="its manifest cannot be read") from problem
    if RECORDS not in manifest.files or not all(map(_is_ours, manifest.files)):
        raise BackupDamaged(file=archive, reason="it holds other files than a backup does")
    return manifest


def _is_ours(name: str) -> bool:
    """Nothing is ever written outside of the folder that a backup is unpacked into."""
    first, *rest = name.split("/")
    return name == RECORDS or (first == KEYS and bool(rest) and not {"", ".", ".."} & set(rest))


def _copied(content: IO[bytes], place: Path | None, goes: Goes) -> str:
    """To its place, down to the disk; answers the digest."""
    digest = hashlib.sha256()
    target = None
    if place:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    try:
        for chunk in _chunks(content):
            goes()
            digest.update(chunk)
            if target:
                target.write(chunk)
        if target:
            target.flush()
            os.fsync(target.fileno())
    finally:
        if target:
            target.close()
    return digest.hexdigest()


def _chunks(file: _Readable) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The owner's name and number are the machine's business."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
