"""Making a backup beside a running clinic: copied at one moment, checked, packed, read back, then named.

Whoever is killed on the way leaves a folder that says so; the next one takes it away.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pysqlite3
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from domain.errors import BackupDamaged, BackupFailed, RecordsUnread, StorageUnavailable
from storage import disk
from storage.archive import (
    FORMAT,
    KEYS,
    RECORDS,
    SUFFIX,
    Entry,
    Goes,
    Manifest,
    entry_of,
    pack,
    read_manifest,
    unpack,
)
from storage.check import OLDER, Checked, check_records, columns_of
from storage.copying import alone, copy_out, url_of
from storage.engine import in_short, writer_engine
from storage.identity import IDENTITY_KEY
from storage.migrate import migrate
from storage.moment import moment_of

MANUAL, SCHEDULED = "clinic-", "scheduled-"
"""What names begin with: who asked for a backup also takes it away."""
_MAKING, _LOCK = ".backup-making-", ".backup-lock"
_STAMP = "%Y%m%dT%H%M%SZ"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """What is backed up."""

    records_url: str
    key_folder: Path
    clinic: str
    program: str


@dataclass(frozen=True)
class Made:
    """A backup that was read back and found to be what it should be."""

    path: Path
    size: int
    manifest: Manifest


@dataclass(frozen=True)
class Listed:
    """A backup in a folder; without a manifest when it cannot be read."""

    path: Path
    size: int
    manifest: Manifest | None
    problem: str = ""


def uninterrupted() -> None:
    """Nobody wants the work to end before it is done."""


def back_up(
    source: Source,
    target: Path,
    now: datetime,
    prefix: str = MANUAL,
    *,
    anyway: bool = False,
    goes: Goes = uninterrupted,
) -> Made:
    """Make a backup as this file, or in this folder under a name of its own.

    Records that break a rule of the clinic are only backed up if ``anyway``.

    Raises BackupFailed, after which nothing of it is left; NoRecords when there is nothing to back up.
    """
    try:
        named = target.suffix == SUFFIX and not target.is_dir()
        folder = target.parent if named else target
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with only_one(folder), _making(folder) as making:
            place = target if named else _free_name(folder, prefix, now)
            if place.exists():
                raise BackupFailed(reason=f"{place} is there already")
            manifest = _copied(source, making, now, goes)
            if manifest.violations and not anyway:
                raise BackupFailed(reason=f"{_broken(manifest)}; --anyway keeps them as they are")
            draft = making / place.name
            pack(making, manifest, draft, goes)
            unpack(draft, None, goes)  # every byte, as it will be read one day
            size = draft.stat().st_size
            os.rename(draft, place)
            disk.sync(folder)
    except BackupDamaged as problem:
        raise BackupFailed(
            reason=f"what was written could not be read back ({problem.facts['reason']})"
        ) from problem
    except StorageUnavailable as problem:
        raise BackupFailed(reason=problem.facts["reason"]) from problem
    except (DBAPIError, pysqlite3.Error, OSError) as problem:
        raise BackupFailed(reason=in_words(problem)) from problem
    if not manifest.has_keys:
        log.warning("backup %s holds no signing keys: there are none", place.name)
    return Made(place, size, manifest)


def _broken(manifest: Manifest) -> str:
    if manifest.missing:
        return f"{', '.join(manifest.missing)} is missing in the records"
    return f"{manifest.violations} rows break a rule of the clinic (`kiosk check` names them)"


def lineage_of(url: str) -> str:
    """What tells these records, and whatever they were restored from, from those of any other clinic.

    Several clinics may keep their backups in one folder, and some never set a code of their own.
    Raises NoRecords, BackupFailed.
    """
    try:
        with moment_of(url) as moment:
            moment.read_leniently()
            kept = f"SELECT value FROM secret WHERE name = '{IDENTITY_KEY}'"
            found = moment.ask(kept).fetchone() if "secret" in columns_of(moment) else None
    except RecordsUnread as problem:
        raise BackupFailed(**problem.facts) from problem
    # The key is a secret. A digest that no other use of it begins like gives nothing away.
    return hashlib.sha256(f"lineage of records: {found[0] if found else ''}".encode()).hexdigest()[:16]


def list_backups(folder: Path) -> list[Listed]:
    """Every backup in a folder, newest first; those that cannot be read last."""
    looked = [_listed(path) for path in folder.glob(f"*{SUFFIX}") if path.is_file()]
    found = [backup for backup in looked if backup]
    return sorted(found, key=lambda b: b.manifest.made_at if b.manifest else datetime.min.replace(tzinfo=UTC),
                  reverse=True)  # fmt: skip


def judged(file: Path) -> Checked:
    """What is wrong with a copy of the records, brought to the newest layout on the side if it is older."""
    checked = check_records(url_of(file))
    if any(violation.table == OLDER for violation in checked.violations):
        older = file.with_name("newer-" + file.name)
        shutil.copyfile(file, older)
        engine = writer_engine(url_of(older))
        migrate(engine)
        engine.dispose()
        checked = check_records(url_of(older))
        for path in older.parent.glob(f"{older.name}*"):
            path.unlink()
    connection = pysqlite3.connect(str(file), isolation_level=None)
    alone(connection)
    connection.close()
    return checked


def in_words(problem: BaseException) -> str:
    """The reason, and the file it is about."""
    file = getattr(problem, "filename", None)
    return f"{in_short(problem)} ({file})" if file else in_short(problem)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Nobody else makes or takes away backups in this folder meanwhile. Raises BackupFailed."""
    try:
        with disk.only_one(folder / _LOCK):
            yield
    except BlockingIOError as problem:
        raise BackupFailed(reason="another backup is being made in this folder") from problem


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """A folder to work in, on the same disk; what killed ones have left is taken away first."""
    for left in folder.glob(f"{_MAKING}*"):
        shutil.rmtree(left, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=folder))
    try:
        yield making
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _copied(source: Source, making: Path, now: datetime, goes: Goes) -> Manifest:
    records = making / RECORDS
    layout = copy_out(source.records_url, records, goes)
    lineage = lineage_of(url_of(records))
    goes()
    checked = judged(records)
    if not checked.rows:
        [first, *_] = checked.violations
        raise BackupFailed(reason=f"the copy is damaged ({first.found or first.says})")
    goes()
    files = {RECORDS: entry_of(records, goes), **_keys(source.key_folder, making, goes)}
    return Manifest(
        format=FORMAT,
        made_at=now,
        program=source.program,
        clinic=source.clinic,
        lineage=lineage,
        database=make_url(source.records_url).get_backend_name(),
        layout=layout,
        rows=checked.rows,
        last_event=checked.last_event,
        violations=len(checked.violations),
        missing=checked.missing,
        files=files,
    )


def _keys(folder: Path, making: Path, goes: Goes) -> dict[str, Entry]:
    """After the records, so that whatever signed one of its certificates is among them."""
    before: dict[str, tuple[int, int, int]] | None = None
    entries: dict[str, Entry] = {}
    while before != (before := _state(folder)):  # somebody may be making a new signer just now
        shutil.rmtree(making / KEYS, ignore_errors=True)
        entries = {}
        for name in before:
            place = making / KEYS / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, place)
            entries[f"{KEYS}/{name}"] = entry_of(place, goes)
    return entries


def _state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """The key files, and what changes whenever one of them does; drafts are hidden.

    Raises OSError: keys that cannot be read are not taken for none.
    """
    state = {}
    for place, folders, names in os.walk(folder, onerror=_unless_gone):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(place, name) for name in sorted(names) if not name.startswith(".")):
            facts = path.lstat()
            if stat.S_ISREG(facts.st_mode):
                state[path.relative_to(folder).as_posix()] = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
    return state


def _unless_gone(problem: OSError) -> None:
    if not isinstance(problem, FileNotFoundError):
        raise problem


def _free_name(folder: Path, prefix: str, now: datetime) -> Path:
    stamp, number = now.astimezone(UTC).strftime(_STAMP), 1
    place = folder / f"{prefix}{stamp}{SUFFIX}"
    while place.exists():
        number += 1
        place = folder / f"{prefix}{stamp}-{number}{SUFFIX}"
    return place


def _listed(path: Path) -> Listed | None:
    """None when another process has just taken it away."""
    size = 0
    try:
        size = path.stat().st_size
        return Listed(path, size, read_manifest(path))
    except (BackupDamaged, OSError) as problem:
        if isinstance(problem.__cause__ or problem, FileNotFoundError):
            return None
        reason = problem.facts["reason"] if isinstance(problem, BackupDamaged) else in_short(problem)
        return Listed(path, size, None, str(reason))
