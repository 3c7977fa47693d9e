"""The restored records in the place of the former ones, in one transaction, while nobody has them open."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import Connection

from domain.errors import BackupNewer, RecordsInUse, RestoreRefused
from storage import mypage
from storage.backup import uninterrupted
from storage.check import layout_of
from storage.copying import copy_file, rows_in, url_of
from storage.disk import lock_bytes, sync
from storage.engine import backend, in_short, is_server, writer_engine
from storage.migrate import LAYOUT, lay_out
from storage.moment import file_of, moment_of
from storage.tables import metadata

_MAGIC = b"SQLite format 3\0"
LOGS = ("-wal", "-shm", "-journal")
_LOCK_BYTES = (0x40000000, 512)
"""Where SQLite locks a file, and how many bytes (pending, reserved, shared)."""

Forget = Callable[[], None]


def replace_file(url: str, records: Path, aside: Path | None, forget: Forget) -> str:
    """SQLite: every page is replaced in one transaction of the file itself; answers where the former is."""
    file = file_of(url)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        target = _held(file)
    except pysqlite3.OperationalError:
        raise
    except pysqlite3.DatabaseError:
        with _nobody_has(file):
            _replace_damaged(file, records, aside, forget)
    else:
        try:
            if aside:
                aside.mkdir(mode=0o700, parents=True, exist_ok=True)
                copy_file(target, aside / file.name)
                _kept(aside / file.name)
            forget()
            _overwrite(target, records)
        finally:
            target.close()
    file.chmod(0o600)
    sync(file.parent)
    return str(aside) if aside else ""


def replace_rows(url: str, records: Path, aside: Path | None, forget: Forget) -> str:
    """PostgreSQL: the former tables move into a schema of their own; answers which.

    Raises BackupNewer: row by row, only what this version knows would come over.
    """
    with moment_of(url_of(records)) as moment:
        if (found := layout_of(moment)) > LAYOUT:
            raise BackupNewer(found=found, known=LAYOUT)
    engine = writer_engine(url)
    driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error
    schema = aside.name.replace("-", "_").lower() if aside else ""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            with backend(engine.dialect.name).taking_turn(connection):
                _alone_on_server(connection)
                if schema:
                    connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
                    for name in (*metadata.tables, "alembic_version"):
                        connection.exec_driver_sql(f"ALTER TABLE {name} SET SCHEMA {schema}")
                lay_out(connection)
                rows_in(records, connection, uninterrupted)
                forget()
                connection.commit()
    except driver_error as problem:  # of the rows, which go past SQLAlchemy
        raise RestoreRefused(reason=in_short(problem)) from problem
    finally:
        engine.dispose()
    return f"the schema {schema} of this database" if schema else ""


def forget_my_page(url: str) -> None:
    """Throw the view away, whichever version's: it is told again from the restored events when one opens."""
    if is_server(url):
        engine = writer_engine(url)
        with engine.begin() as connection:
            mypage.throw_away(connection)
        engine.dispose()
        return
    file = file_of(url)
    for name in (
        *(file.name + log for log in LOGS),
        file.name,
    ):  # a log must not outlive its file
        file.with_name(name).unlink(missing_ok=True)
    if file.parent.is_dir():
        sync(file.parent)


def _held(file: Path) -> Any:
    """The file, which nobody else can open until it is closed. Raises RecordsInUse, or that it is damaged."""
    if file.exists() and file.stat().st_size and not _is_sqlite(file):
        raise pysqlite3.DatabaseError("file is not a database")  # SQLite would throw its log away
    connection = pysqlite3.connect(str(file), isolation_level=None, timeout=0.5)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
        connection.execute("COMMIT")
    except pysqlite3.OperationalError as problem:
        connection.close()
        if "locked" in str(problem) or "busy" in str(problem):
            raise RecordsInUse(who="another process") from problem
        raise
    except pysqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(_MAGIC)) == _MAGIC


def _overwrite(target: Any, records: Path) -> None:
    source = pysqlite3.connect(str(records), isolation_level=None)
    try:
        source.backup(target, pages=-1)
    finally:
        source.close()


def _replace_damaged(file: Path, records: Path, aside: Path | None, forget: Forget) -> None:
    """What is there cannot be opened: it is put aside as it is, its log with it."""
    if aside:
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (file.name, *(file.name + log for log in LOGS)):
            if file.with_name(name).exists():
                shutil.copy2(file.with_name(name), aside / name)
                _kept(aside / name)
    forget()
    fresh = file.with_name(f".{file.name}-restored")
    shutil.copyfile(records, fresh)
    _kept(fresh)
    for log in LOGS:  # the former's log would be played into the new file
        file.with_name(file.name + log).unlink(missing_ok=True)
    fresh.replace(file)


@contextmanager
def _nobody_has(file: Path) -> Iterator[None]:
    """By the lock that everybody holds who has opened the file with SQLite, whatever is in it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            lock_bytes(descriptor, fcntl.F_WRLCK, *_LOCK_BYTES)
        except OSError as problem:
            raise RecordsInUse(who="another process") from problem
        yield
    finally:
        os.close(descriptor)


def _alone_on_server(connection: Connection) -> None:
    others = connection.exec_driver_sql(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'clinic-kiosk' "
        "AND datname = current_database() AND pid <> pg_backend_pid()"
    ).scalar_one()
    if others:
        raise RecordsInUse(who=f"somebody with {others} connections")


def _kept(path: Path) -> None:
    """For its owner only, and down to the disk."""
    path.chmod(0o600)
    sync(path)
