"""Backups by the clock: when one is due, which are kept, and what happens when none can be made."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.settings import Settings
from kiosk.upkeep import backup_folder, list_clinic_backups
from storage.archive import Manifest, read_manifest
from storage.backup import Made, Source, back_up, list_backups
from storage.schedule import AGAIN, Schedule, due_in, run_schedule
from tests.clinics import TestClock, clinic_in
from tests.integration.backups import backed_up


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """Of a clinic, closed."""
    async with clinic_in(tmp_path) as clinic:
        await clinic.book(await clinic.vaccine(doses=3))
    return clinic.settings


def schedule_of(settings: Settings, clock: TestClock, hours: int = 24, keep: int = 3) -> Schedule:
    source = Source(settings.records_url, settings.key_folder, settings.clinic.code, "test")
    return Schedule(source, backup_folder(settings), hours, keep, clock)


def names(settings: Settings) -> list[str]:
    return [backup.path.name for backup in list_backups(backup_folder(settings))]


def test_one_is_made_when_the_newest_is_too_old_and_not_before(settings: Settings) -> None:
    clock = TestClock()
    schedule = schedule_of(settings, clock)
    schedule.turn()
    assert names(settings) == ["scheduled-20261123T003000Z.backup"]
    clock.move(hours=23, minutes=30)
    assert schedule.turn() == timedelta(minutes=30)
    assert len(names(settings)) == 1
    clock.move(minutes=30)
    schedule.turn()
    assert names(settings)[0] == "scheduled-20261124T003000Z.backup"


def test_the_newest_are_kept_and_nothing_is_taken_away_that_another_made(settings: Settings) -> None:
    clock, folder = TestClock(), backup_folder(settings)
    by_hand = backed_up(settings, folder / "clinic-before-the-upgrade.backup").path
    strange = [folder / "scheduled-torn.backup", folder / "letter.txt", folder / "scheduled-list.txt"]
    for path in strange:
        path.write_text("kept")
    schedule = schedule_of(settings, clock, hours=1)
    clock.move(days=400)  # whatever the real time is, what was made by hand is older
    for _ in range(5):
        clock.move(hours=2)
        schedule.turn()
    scheduled = [name for name in names(settings) if name.startswith("scheduled-2")]
    assert len(scheduled) == 3
    assert scheduled == sorted(scheduled, reverse=True)
    assert all(path.exists() for path in [by_hand, *strange])


def test_the_newest_with_keys_stays_until_there_is_a_newer_one(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    clock = TestClock()
    schedule = schedule_of(settings, clock, keep=2)

    def days(count: int) -> list[str]:
        for _ in range(count):
            clock.move(days=1)
            schedule.turn()
        return names(settings)

    with_keys = days(2)[0]
    settings.key_folder.rename(settings.data_folder / "unmounted")
    assert days(4)[2:] == [with_keys]
    assert "no signing keys" in caplog.text
    (settings.data_folder / "unmounted").rename(settings.key_folder)
    assert with_keys not in days(1)
    assert len(names(settings)) == 2


async def test_clinics_with_one_folder_keep_their_backups_apart(settings: Settings, tmp_path: Path) -> None:
    async with clinic_in(tmp_path / "other") as clinic:
        other = clinic.settings
    assert other.clinic.code == settings.clinic.code, "neither has set its own"
    clock = TestClock()
    schedules = [
        replace(schedule_of(own, clock, keep=1), folder=tmp_path / "share") for own in (settings, other)
    ]
    for schedule in schedules:
        schedule.turn()
    first = list_backups(tmp_path / "share")
    assert len({backup.manifest.lineage for backup in first if backup.manifest}) == 2
    clock.move(hours=25)
    schedules[1].turn()
    left = {backup.path for backup in list_backups(tmp_path / "share")}
    assert len(left) == 2
    assert len(left & {backup.path for backup in first}) == 1
    assert schedules[0].turn() == AGAIN
    assert len(list_backups(tmp_path / "share")) == 2, "each has its newest"


def test_a_backup_from_the_future_does_not_hold_the_next_up(settings: Settings) -> None:
    clock = TestClock()
    schedule = schedule_of(settings, clock)
    schedule.turn()
    clock.move(days=-3)  # the clock had been wrong
    schedule.turn()
    assert len(names(settings)) == 2


def test_backups_from_the_future_leave_room_for_those_of_today(settings: Settings) -> None:
    clock = TestClock()
    schedule = schedule_of(settings, clock, keep=2)
    clock.move(days=4_000)  # the clock was wrong
    for _ in range(2):
        clock.move(days=1)
        schedule.turn()
    clock.move(days=-4_002)
    for days in range(3):
        clock.move(days=days)
        schedule.turn()
    assert len([name for name in names(settings) if name.startswith("scheduled-2026")]) == 2
    assert schedule.turn() > timedelta(0), "today's is there"


def test_what_fails_is_logged_without_names_and_tried_again_after_an_hour(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    clock = TestClock()
    schedule = schedule_of(settings, clock)
    file = settings.data_folder / "clinic.db"
    sound = file.read_bytes()
    file.write_bytes(b"\xff" * len(sound))
    assert schedule.turn() == AGAIN
    assert "No backup was made" in caplog.text
    assert "홍길동" not in caplog.text
    assert names(settings) == []
    file.write_bytes(sound)
    clock.move(hours=1)
    schedule.turn()
    assert len(names(settings)) == 1


def test_while_another_process_makes_one_nothing_is_made_and_nothing_is_amiss(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    folder = backup_folder(settings)
    folder.mkdir()
    with (folder / ".backup-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert schedule_of(settings, TestClock()).turn() == AGAIN
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert names(settings) == []


def test_a_backup_that_was_made_counts_although_another_process_has_the_folder_then(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes the folder between the making and the tidying, which both ask for it."""
    caplog.set_level(logging.INFO)
    with ExitStack() as others:

        def made_before_them(*what: Any, **how: Any) -> Made:
            done = back_up(*what, **how)
            lock = others.enter_context((backup_folder(settings) / ".backup-lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            return done

        monkeypatch.setattr("kiosk.upkeep.back_up", made_before_them)
        monkeypatch.setattr("storage.schedule.back_up", made_before_them)
        made = backed_up(settings, scheduled=True)
    assert names(settings) == [made.path.name]
    clock = TestClock()
    clock.move(days=400)
    with others:
        schedule_of(settings, clock).turn()
    assert len(names(settings)) == 2
    assert f"backup {names(settings)[0]}" in caplog.text


@pytest.mark.parametrize("then", ["before it is measured", "before it is read"])
def test_the_list_leaves_out_what_another_process_tidies_in_that_moment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    tidied, kept = [backed_up(settings, scheduled=kind).path for kind in (True, False)]
    is_file = Path.is_file

    def taken_away(path: Path) -> bool:
        found = is_file(path)
        if path == tidied:
            path.unlink()
        return found

    def read(path: Path) -> Manifest:
        if path == tidied:
            path.unlink()
        return read_manifest(path)

    if then == "before it is measured":
        monkeypatch.setattr(Path, "is_file", taken_away)
    else:
        monkeypatch.setattr("storage.backup.read_manifest", read)
    assert names(settings) == [kept.name]


def test_the_list_says_when_the_newest_is_overdue(settings: Settings) -> None:
    clock = TestClock()
    assert list_clinic_backups(settings) == ([], True)
    schedule_of(settings, clock).turn()
    made = list_backups(backup_folder(settings))
    assert due_in(made, 24, clock.now() + timedelta(hours=26)) < -AGAIN
    backed_up(settings)
    assert list_clinic_backups(settings)[1] is False
    assert list_clinic_backups(replace(settings, backup_hours=0))[1] is False


async def test_it_works_beside_people_and_ends_with_the_kiosk(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        schedule = schedule_of(clinic.settings, clinic.clock)
        task = asyncio.create_task(run_schedule(schedule, settled=0))
        served = 0
        async with asyncio.timeout(60):
            while not names(clinic.settings):
                served += 1
                await clinic.book(vaccine, served)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert served > 1
        assert await clinic.violations() == []


async def test_no_backups_are_made_where_none_are_wanted(settings: Settings) -> None:
    await run_schedule(schedule_of(settings, TestClock(), hours=0), settled=0)
    assert names(settings) == []
