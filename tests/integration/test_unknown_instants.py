"""Instants that PostgreSQL keeps and Python does not know: named by the check, kept by a backup that must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Date, Table

from domain.errors import BackupFailed
from kiosk.settings import Settings
from storage.check import check_records
from storage.tables import metadata
from storage.types import Instant
from tests.clinics import clinic_in, keep_in, settings_in
from tests.integration.backups import backed_up, restored, tampering
from tests.postgresql import Server

UNKNOWN = ["infinity", "-infinity", "12026-11-23 09:00:00+00", "0044-03-15 12:00:00+00 BC"]
DATED = [
    (table, [column.name for column in table.columns if isinstance(column.type, (Instant, Date))])
    for table in metadata.sorted_tables
    if any(isinstance(column.type, (Instant, Date)) for column in table.columns)
]


@pytest.fixture
async def settings(tmp_path: Path, postgresql: Server) -> AsyncIterator[Settings]:
    """Of a clinic on a server that has seen a day, and is closed."""
    database = postgresql.database()
    keep_in(tmp_path, postgresql.url(database), postgresql.url(database))
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        await clinic.vaccinate((await clinic.book(vaccine, 1)).booking)
        await clinic.book(vaccine, 2)
        await clinic.services.settle()
    yield settings_in(tmp_path)
    postgresql.drop(database)


def put_in(settings: Settings, table: Table, columns: list[str], instant: str) -> str:
    """Into the first row of the table; one that has none gets one. Answers how the check names it."""
    key = next(name for name in ("code", "number", "seq", "id") if name in table.c)
    with tampering(settings) as records:
        if not records.exec_driver_sql(f"SELECT 1 FROM {table.name}").first():
            records.exec_driver_sql(MISSING[table.name])
        set_ = ", ".join(f"{column} = '{instant}'" for column in columns)
        first = f"{key} = (SELECT MIN({key}) FROM {table.name})"
        row = records.exec_driver_sql(f"UPDATE {table.name} SET {set_} WHERE {first} RETURNING {key}")
        return str(row.scalar_one())


MISSING = {
    "task": "INSERT INTO task (code, part, kind, subject, event, actor, actor_name, status, attempts,"
    " problem, at) VALUES ('T', 'issuing', 'issue', '', 0, '', '', 'done', 0, '', now())",
    "application": "INSERT INTO application (code, injection, recipient, status, applied_at)"
    " SELECT 'A', code, recipient, 'cancelled', now() FROM injection LIMIT 1",
}


def named(settings: Settings, table: Table) -> list[tuple[str, str]]:
    """Which row of this table the check says cannot be read, and what of it."""
    found = check_records(settings.records_url).violations
    return [(v.code, v.says) for v in found if v.table == table.name and v.says.endswith(" can be read")]


def as_kept(settings: Settings) -> dict[str, list[str]]:
    """Every row of the records, as the server writes it."""
    with tampering(settings) as records:
        return {
            table.name: sorted(
                row[0] for row in records.exec_driver_sql(f"SELECT {table.name}::text FROM {table.name}")
            )
            for table in metadata.sorted_tables
            if table.name != "secret"
        }


@pytest.mark.parametrize(("table", "columns"), DATED, ids=[table.name for table, _ in DATED])
def test_whatever_table_it_is_in_it_is_named_and_backed_up_and_restored(
    settings: Settings, table: Table, columns: list[str]
) -> None:
    unreadable = [(put_in(settings, table, columns[:1], "infinity"), f"its {columns[0]} can be read")]
    assert named(settings, table) == unreadable
    with pytest.raises(BackupFailed, match="names them"):
        backed_up(settings)
    before = as_kept(settings)
    made = backed_up(settings, anyway=True)
    assert made.manifest.violations > 0
    restored(settings, made.path, anyway=True)
    assert as_kept(settings) == before
    assert named(settings, table) == unreadable


@pytest.mark.parametrize("instant", UNKNOWN)
def test_every_such_instant_is_kept_as_it_is(settings: Settings, instant: str, tmp_path: Path) -> None:
    injection = metadata.tables["injection"]
    code = put_in(settings, injection, ["checked_in_at", "observation_finished_at"], instant)
    put_in(settings, metadata.tables["lot"], ["expires_on"], instant.replace(" 09:00:00+00", ""))
    before = as_kept(settings)
    made = backed_up(settings, anyway=True)
    restored(settings, made.path, anyway=True)
    assert as_kept(settings) == before
    on_file = settings_in(tmp_path / "file")
    restored(on_file, made.path, anyway=True)
    for kept in (settings, on_file):
        assert named(kept, injection) == [(code, "its checked_in_at can be read")]
