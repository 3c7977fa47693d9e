"""What is done beside the open clinic: asking its records, checking, rebuilding, backing up, restoring."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from socket import gethostname
from typing import Any

from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actors import SYSTEM
from domain.errors import ClinicError, NoRecords, RecordsUnread, RestoreRefused, StorageUnavailable
from domain.messages import Query
from domain.ports import Clock
from kiosk.clock import SystemClock
from kiosk.credential.errors import KeysMissing
from kiosk.credential.keys import KeyFolder
from kiosk.credential.restored import install_keys
from kiosk.settings import Settings
from storage.archive import Manifest, read_manifest
from storage.backup import MANUAL, SCHEDULED, Listed, Made, Source, back_up, lineage_of, list_backups
from storage.check import Checked, check_records, layout_of
from storage.check_mypage import check_my_page
from storage.engine import (
    in_short,
    is_server,
    prepare_folder,
    read_model_engine,
    reader_engine,
    writer_engine,
)
from storage.migrate import migrate
from storage.moment import file_of, moment_of
from storage.mypage import MyPageStore
from storage.open import open_writer
from storage.reader import SqlReader
from storage.rebuild import Rebuild
from storage.restore import Restored, Target, finish, restore, verify
from storage.schedule import AGAIN, Schedule, due_in, of_lineage, run_schedule, tidy

ROOT = "root"
"""The secret of the records that names the root: its fingerprint, a space, and where its keys are.

It is empty until somebody opens them with keys: a version that names none may have begun the clinic.
"""
ROOT_LENGTH = 200
"""No secret is longer."""
ROOT_DIGITS = 16
"""So much of a fingerprint is said to people."""

log = logging.getLogger(__name__)


async def rebuild_my_page(settings: Settings, progress: Callable[[int, int], None]) -> int:
    """Tell my page again from all events; answers how many there were. Raises NoRecords."""
    require_records(settings)
    async with _records(settings) as engine:
        view = read_model_engine(settings.read_model_url)
        mypage = MyPageStore(view)
        await mypage.open()
        try:
            count = await Rebuild(engine, view, progress).run()
        finally:
            await mypage.close()
    log.info("my page was told again, %d events", count)
    return count


async def ask_records(settings: Settings, *queries: Query[Any]) -> list[Any]:
    """The answers to queries of the records, beside a kiosk that may be running. Nothing is written for them.

    Raises NoRecords, RecordsUnread.
    """
    require_records(settings)
    now = SystemClock().now()
    async with _records(settings) as engine:
        view = read_model_engine(settings.read_model_url)
        mypage = MyPageStore(view)
        reader = SqlReader(engine, settings.clinic, (), mypage.page_of, mypage.position)
        try:
            return [await reader.answer(query, SYSTEM, now) for query in queries]
        finally:
            await view.dispose()


def has_records(settings: Settings) -> bool:
    """Whether the clinic was ever opened, as far as can be told without opening it."""
    return is_server(settings.records_url) or file_of(settings.records_url).exists()


def require_records(settings: Settings) -> None:
    """A folder that was mistyped is not made a clinic. Raises NoRecords."""
    if not has_records(settings):
        raise NoRecords(where=file_of(settings.records_url))


def is_founded(settings: Settings) -> bool:
    """Whether there is a clinic: a file that was made, or on a server somebody who works there.

    Raises RecordsUnread when the server does not tell.
    """
    if not is_server(settings.records_url):
        return has_records(settings)
    try:
        with moment_of(settings.records_url) as moment:
            layout_of(moment)
            return bool(moment.ask("SELECT 1 FROM staff LIMIT 1").fetchall())
    except NoRecords:
        return False


def named_root(settings: Settings) -> tuple[str, str]:
    """The fingerprint of the clinic's root, and where its keys are; empty when the records do not tell.

    Raises RecordsUnread.
    """
    try:
        with moment_of(settings.records_url) as moment:
            layout_of(moment)
            said = moment.ask(f"SELECT value FROM secret WHERE name = '{ROOT}'").fetchone()
    except NoRecords:
        return "", ""
    return root_said(str(said[0]) if said else "")


def root_said(named: str) -> tuple[str, str]:
    """The fingerprint, and where the keys are, of what the records say."""
    fingerprint, _, maker = named.partition(" ")
    return fingerprint, maker


def saying_root(fingerprint: str, keys: KeyFolder) -> str:
    """What the records say of a root whose keys are here."""
    said = f"{fingerprint} {gethostname()}:{keys.folder}"
    return said if len(said) <= ROOT_LENGTH else f"{said[: ROOT_LENGTH - 1]}…"


def keys_missing(keys: KeyFolder, fingerprint: str, maker: str) -> KeysMissing:
    """There are none of the clinic's root here; where else they are is said."""
    elsewhere = saying_root(fingerprint, keys) != f"{fingerprint} {maker}"
    return KeysMissing(where=keys.folder, maker=maker if elsewhere else "")


def require_root(here: str, keys: KeyFolder, fingerprint: str, maker: str) -> None:
    """What keys of another root than the clinic's sign, nobody can verify. Raises KeysMissing."""
    if fingerprint and fingerprint != here:
        raise KeysMissing(where=keys.folder, maker=maker, root=fingerprint[:ROOT_DIGITS],
                          here=here[:ROOT_DIGITS])  # fmt: skip


async def rename_root(settings: Settings) -> None:
    """From now on the clinic's root is the one of the keys here. Raises StorageUnavailable, KeysUnusable."""
    keys = KeyFolder(settings.key_folder)
    fingerprint = keys.fingerprint()
    urls = settings.records_url, settings.read_model_url
    try:
        writer = await asyncio.to_thread(open_writer, *urls, SystemClock(), settings.patience_seconds)
    except (OSError, DatabaseError) as problem:
        raise StorageUnavailable(reason=in_short(problem)) from problem

    def named(uow: Any) -> None:
        uow.save_secret(ROOT, saying_root(fingerprint, keys))

    try:
        await writer.run_behind(named, f"secret:{secrets.token_hex(8)}", "Root")
    finally:
        await writer.close()
    log.warning("the clinic's root is %s from now on", fingerprint[:ROOT_DIGITS])


async def check_clinic(settings: Settings, *, my_page: bool = False) -> Checked:
    """Everything that can be wrong with the records, and with my page if asked for."""
    checked = await asyncio.to_thread(check_records, settings.records_url)
    if my_page and checked.rows and not checked.missing:
        checked.violations.extend(await check_my_page(settings.records_url, settings.read_model_url))
    if checked.violations:
        log.error("%d rows break a rule", len(checked.violations))
    return checked


@asynccontextmanager
async def _records(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The records for reading only, beside a kiosk that may be running."""
    prepare_folder(settings.records_url)
    prepare_folder(settings.read_model_url)
    await asyncio.to_thread(_migrated, settings.records_url)
    engine = reader_engine(settings.records_url)
    try:
        yield engine
    finally:
        await engine.dispose()


def _migrated(url: str) -> None:
    engine = writer_engine(url)
    try:
        migrate(engine)
    except DatabaseError as problem:
        raise RecordsUnread(reason=in_short(problem)) from problem
    finally:
        engine.dispose()


# -- backups ----------------------------------------------------------------------------------------


def back_up_clinic(
    settings: Settings, place: Path | None, *, scheduled: bool = False, anyway: bool = False
) -> Made:
    """A backup as this file, in this folder, or where the scheduled ones are.

    A ``scheduled`` one counts among those that the kiosk makes by itself, and the oldest of them go.
    Raises NoRecords, BackupFailed.
    """
    require_records(settings)
    place = place or backup_folder(settings)
    prefix = SCHEDULED if scheduled else MANUAL
    now = SystemClock().now()
    made = back_up(_backup_source(settings), place, now, prefix, anyway=anyway)
    if scheduled:
        tidy(place, made.manifest.lineage, settings.backup_keep, now)
    log.info("backup %s: %d bytes, %d events", made.path.name, made.size, made.manifest.last_event)
    return made


def restore_clinic(settings: Settings, archive: Path, *, replace: bool, anyway: bool) -> Restored:
    """A backup in the place of the records. Raises a RestoreRefused or BackupDamaged."""
    if (of := read_manifest(archive).clinic) != settings.clinic.code and not anyway:
        raise RestoreRefused(reason=f"it is of the clinic {of}, this one is {settings.clinic.code}; --anyway")
    done = restore(archive, _restore_target(settings), SystemClock().now(), replace=replace, anyway=anyway)
    log.warning("restored from %s, %d events", archive.name, done.manifest.last_event)
    return done


def verify_backup(archive: Path) -> tuple[Manifest, Checked]:
    """What a backup holds, and whatever is wrong with it. Raises BackupDamaged."""
    return verify(archive)


def finish_restore(settings: Settings) -> None:
    """See to the end of a restore that was killed; to be called before anything is opened."""
    finish(_restore_target(settings))


def list_clinic_backups(settings: Settings, folder: Path | None = None) -> tuple[list[Listed], bool]:
    """All backups there, newest first, and whether the newest of these records is older than it should be."""
    backups, hours = list_backups(folder or backup_folder(settings)), settings.backup_hours
    try:
        own = of_lineage(lineage_of(settings.records_url), backups)
    except ClinicError:  # the records are what is amiss: the list is asked for all the more
        own = backups
    overdue = not own or due_in(own, hours, SystemClock().now()) < -AGAIN
    return backups, hours > 0 and overdue


async def scheduled_backups(settings: Settings, clock: Clock) -> None:
    """Make a backup whenever one is due, until cancelled; none when ``backup_hours`` is 0."""
    source, folder = _backup_source(settings), backup_folder(settings)
    await run_schedule(Schedule(source, folder, settings.backup_hours, settings.backup_keep, clock))


def backup_folder(settings: Settings) -> Path:
    """Where the scheduled backups are."""
    return settings.backup_folder or settings.data_folder / "backups"


def _backup_source(settings: Settings) -> Source:
    return Source(settings.records_url, settings.key_folder, settings.clinic.code, _version())


def _restore_target(settings: Settings) -> Target:
    take = partial(install_keys, settings.key_folder)
    return Target(settings.records_url, settings.read_model_url, settings.data_folder, take)


def _version() -> str:
    try:
        return version("clinic-kiosk")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
