"""Putting a backup in the place of the records: verified first, whole or not at all, the former put aside.

The records change in one transaction, and that transaction says which restore it was. Until it is committed
everything is as before; from then on what is left to do can be done by whoever comes next (`finish`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pysqlite3
from sqlalchemy.exc import DBAPIError

from domain.errors import (
    BackupBreaksRules,
    BackupDamaged,
    BackupUntested,
    ClinicError,
    NoRecords,
    RecordsInTheWay,
    RecordsUnread,
    RestoreRefused,
    RestoreUnfinished,
    StorageUnavailable,
)
from storage import disk
from storage.archive import KEYS, RECORDS, Manifest, unpack
from storage.backup import in_words, judged, uninterrupted
from storage.check import Checked, layout_of
from storage.copying import url_of
from storage.engine import is_server, writer_engine
from storage.migrate import migrate
from storage.moment import file_of, moment_of
from storage.replacing import forget_my_page, replace_file, replace_rows

RESTORED = "restored"
"""The secret by which the records say which restore they come from."""
_STAGING, _LOCK = ".restoring-", ".restore-lock"

InstallKeys = Callable[[Path, Path], bool]
"""Puts the first folder in the place of the keys, theirs into the second; answers whether it did."""


@dataclass(frozen=True)
class Target:
    """What is restored into."""

    records_url: str
    mypage_url: str
    data_folder: Path
    install_keys: InstallKeys


@dataclass(frozen=True)
class Restored:
    """What was done."""

    manifest: Manifest
    aside: str
    """Where the former records are; empty when there were none."""
    keys: bool
    """Whether the keys are the backup's, too."""


def verify(archive: Path) -> tuple[Manifest, Checked]:
    """Read every byte of a backup and test every rule on it, beside it, for its owner only.

    Raises BackupDamaged; BackupUntested when there is no room to unpack it, for one.
    """
    try:
        beside = archive.parent if os.access(archive.parent, os.W_OK) else None  # a medium may be read-only
        with tempfile.TemporaryDirectory(prefix=".verifying-", dir=beside) as name:
            return _verified(archive, Path(name))
    except OSError as problem:
        raise BackupUntested(file=archive, reason=in_words(problem)) from problem


def restore(
    archive: Path, target: Target, now: datetime, *, replace: bool = False, anyway: bool = False
) -> Restored:
    """Put the backup in the place of the records; those that are there only if ``replace``.

    Raises a `RestoreRefused` or BackupDamaged, after which the records are as they were.
    """
    try:
        target.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _only_one(target.data_folder):
            _finish(target)
            return _restored(archive, target, now, replace=replace, anyway=anyway)
    except (RestoreRefused, RestoreUnfinished, BackupDamaged):
        raise
    except ClinicError as problem:
        raise RestoreRefused(reason=problem.facts.get("reason", str(problem))) from problem
    except (DBAPIError, pysqlite3.Error, OSError) as problem:
        raise RestoreRefused(reason=in_words(problem)) from problem


def finish(target: Target) -> None:
    """What a killed restore has left: its keys are installed if its records were, and else thrown away."""
    if any(target.data_folder.glob(f"{_STAGING}*")):
        with _only_one(target.data_folder):
            _finish(target)


def _finish(target: Target) -> None:
    for staging in target.data_folder.glob(f"{_STAGING}*"):
        if _restored_by(target.records_url) == _name_of(staging):
            _take_keys(target, staging)
        shutil.rmtree(staging, ignore_errors=True)


def _restored(archive: Path, target: Target, now: datetime, *, replace: bool, anyway: bool) -> Restored:
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    staging = target.data_folder / f"{_STAGING}{name}"
    staging.mkdir(mode=0o700)
    begun = False
    try:
        manifest, checked = _verified(archive, staging)
        if checked.missing:
            raise RestoreRefused(reason=f"the records in it lack {', '.join(checked.missing)}")
        if checked.violations and not anyway:
            raise BackupBreaksRules(count=len(checked.violations))
        there = _where(target.records_url)
        if there and not replace:
            raise RecordsInTheWay(where=there)
        _sign(staging / RECORDS, name)
        put = replace_rows if is_server(target.records_url) else replace_file
        begun = True
        aside = put(
            target.records_url,
            staging / RECORDS,
            _aside(target, staging) if there else None,
            lambda: forget_my_page(target.mypage_url),
        )
    except BaseException as problem:
        if begun:
            _given_up(target, staging, problem)
        else:
            shutil.rmtree(staging, ignore_errors=True)
        raise
    try:
        keys = _take_keys(target, staging)
    except (ClinicError, OSError) as problem:  # what is staged stays, for `finish`
        raise RestoreUnfinished(reason=in_words(problem)) from problem
    shutil.rmtree(staging, ignore_errors=True)
    return Restored(manifest, aside, keys)


def _given_up(target: Target, staging: Path, problem: BaseException) -> None:
    """It may have happened all the same: an answer was lost, or a last sync failed. Then the keys follow."""
    try:
        done = _restored_by(target.records_url) == _name_of(staging)
        _finish(target)
    except (ClinicError, OSError):
        return  # what is staged stays, for whoever comes next
    if done and isinstance(problem, Exception):
        raise RestoreUnfinished(reason=in_words(problem)) from problem


def _name_of(staging: Path) -> str:
    return staging.name.removeprefix(_STAGING)


def _aside(target: Target, staging: Path) -> Path:
    stamp = _name_of(staging).partition("-")[0]
    return target.data_folder / f"before-restore-{stamp}"


def _take_keys(target: Target, staging: Path) -> bool:
    keys = staging / KEYS
    return keys.exists() and target.install_keys(keys, _aside(target, staging) / KEYS)


def _verified(archive: Path, folder: Path) -> tuple[Manifest, Checked]:
    manifest = unpack(archive, folder, uninterrupted)
    records = folder / RECORDS
    try:
        engine = writer_engine(url_of(records))
        migrate(engine)  # as opening the kiosk would
        engine.dispose()
        checked = judged(records)
    except (DBAPIError, pysqlite3.Error, NoRecords, StorageUnavailable) as problem:
        raise BackupDamaged(file=archive, reason="its records cannot be opened") from problem
    if not checked.rows:
        raise BackupDamaged(file=archive, reason="its records are damaged")
    return manifest, checked


def _sign(records: Path, name: str) -> None:
    """Says, with the rows and in their transaction, which restore they come from."""
    connection = pysqlite3.connect(str(records))
    connection.execute("INSERT OR REPLACE INTO secret (name, value) VALUES (?, ?)", (RESTORED, name))
    connection.commit()
    connection.close()


def _where(url: str) -> str:
    """Where there are records already, or something else in their place; empty when there is nothing."""
    if not is_server(url):
        file = file_of(url)
        return str(file) if file.exists() and file.stat().st_size else ""
    try:
        with moment_of(url) as moment:
            layout_of(moment)
            return moment.where
    except NoRecords:
        return ""


def _restored_by(url: str) -> str | None:
    """Which restore the records there come from. Raises RecordsUnread when a server does not tell."""
    try:
        with moment_of(url) as moment:
            rows = moment.ask(f"SELECT value FROM secret WHERE name = '{RESTORED}'").fetchall()
    except NoRecords:
        return None
    except RecordsUnread:
        if is_server(url):
            raise
        return None  # a file that cannot be read is what is restored over
    return str(rows[0][0]) if rows else None


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    try:
        with disk.only_one(folder / _LOCK):
            yield
    except BlockingIOError as problem:
        raise RestoreRefused(reason="another restore is under way") from problem
