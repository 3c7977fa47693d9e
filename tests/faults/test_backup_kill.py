"""kill -9 before the steps of a backup and of a restore: a whole file or none, the old clinic or the new."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from kiosk.upkeep import check_clinic, finish_restore, list_clinic_backups, verify_backup
from tests.clinics import clinic_in, keep_in, settings_in
from tests.faults.nursery import Nursery
from tests.integration.backups import backed_up, keys_kept, rows_kept
from tests.postgresql import Server

Copy = Callable[[], Path]


async def a_morning(folder: Path, bookings: int) -> None:
    folder.mkdir(exist_ok=True)
    async with clinic_in(folder) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        for number in range(bookings):
            await clinic.book(vaccine, number)
        await clinic.services.settle()


@pytest.fixture
def old(quick: Path) -> Path:
    """A clinic."""
    asyncio.run(a_morning(quick / "old", bookings=2))
    return quick / "old"


@pytest.fixture
def new(quick: Path) -> Path:
    """The backup of another clinic, with other keys."""
    asyncio.run(a_morning(quick / "new", bookings=4))
    return backed_up(settings_in(quick / "new")).path


@pytest.fixture(params=["sqlite", "postgresql"])
def copy(request: pytest.FixtureRequest, quick: Path, old: Path) -> Iterator[Copy]:
    """The first clinic once more, on either database."""
    numbers, databases = count(), []
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        template = server.database()
        keep_in(old, server.url(template), server.url(template))
        shutil.rmtree(old / "data")
        asyncio.run(a_morning(old, bookings=2))
        databases.append(template)

    def another() -> Path:
        folder = quick / f"copy-{next(numbers)}"
        shutil.copytree(old, folder)
        if databases:
            databases.append(server.database(template=template))
            keep_in(folder, server.url(databases[-1]), server.url(databases[-1]))
        return folder

    yield another
    for database in databases:
        server.drop(database)


def steps_of(nursery: Nursery, work: str, stride: int, prepare: Copy, **arguments: str) -> Iterator[Path]:
    """The clinic after each death, until the work is done before it dies."""
    for step in count(1, stride):
        folder = prepare()
        child = nursery.start(
            f"tests.faults.killed_backup:{work}", folder=str(folder), step=step, **arguments
        )
        lines = child.hear_out()
        yield folder
        if lines:
            assert lines == ["done"]
            return


def test_a_killed_backup_leaves_a_whole_file_or_none(nursery: Nursery, old: Path, new: Path) -> None:
    outcomes = []
    for folder in steps_of(nursery, "back_up", 2, lambda: old):
        backups, _ = list_clinic_backups(settings_in(folder))
        outcomes.append(len(backups))
        for backup in backups:
            assert verify_backup(backup.path)[1].violations == []
            backup.path.unlink()
    assert set(outcomes) == {0, 1}
    left = {path.name for path in (settings_in(old).data_folder / "backups").iterdir()}
    assert left == {".backup-lock"}  # the one that was done took away what the others had left


def test_a_killed_restore_leaves_the_old_clinic_or_the_new(
    nursery: Nursery, copy: Copy, new: Path, quick: Path
) -> None:
    first = settings_in(copy())
    before = rows_kept(first), keys_kept(first)
    after = rows_kept(settings_in(quick / "new")), keys_kept(settings_in(quick / "new"))
    stride = 5 if first.database_url else 2
    outcomes = []
    for folder in steps_of(nursery, "restore", stride, copy, archive=str(new)):
        settings = settings_in(folder)
        finish_restore(settings)
        kept = rows_kept(settings), keys_kept(settings)
        assert kept in (before, after)
        assert asyncio.run(check_clinic(settings, my_page=True)).violations == []
        assert not list(settings.data_folder.glob(".restoring-*"))
        outcomes.append(kept == after)
        shutil.rmtree(folder)
    assert outcomes == sorted(outcomes)
    assert {False, True} == set(outcomes)
