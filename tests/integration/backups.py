"""What the tests of backups share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kiosk.settings import Settings
from kiosk.upkeep import back_up_clinic, restore_clinic
from storage.backup import Made
from storage.engine import writer_engine
from storage.restore import RESTORED, Restored
from storage.tables import metadata


def backed_up(settings: Settings, place: Path | None = None, **how: bool) -> Made:
    return back_up_clinic(settings, place, **how)


def restored(settings: Settings, archive: Path, *, replace: bool = True, anyway: bool = False) -> Restored:
    return restore_clinic(settings, archive, replace=replace, anyway=anyway)


def rows_kept(settings: Settings) -> dict[str, list[Any]]:
    """Every row of the records as the program reads it, but which restore they come from."""
    engine = writer_engine(settings.records_url)
    with engine.connect() as connection:
        kept = {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in metadata.sorted_tables
        }
    engine.dispose()
    kept["secret"] = [row for row in kept["secret"] if f"'{RESTORED}'" not in row]
    return kept


def keys_kept(settings: Settings) -> dict[str, bytes]:
    """Every file of the signing keys."""
    folder = settings.key_folder
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def tampering(settings: Settings) -> Iterator[Any]:
    """The records, to be written into behind the clinic's back."""
    engine = writer_engine(settings.records_url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()
