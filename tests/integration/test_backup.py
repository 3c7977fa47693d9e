"""`kiosk backup`: everything in one file, beside a clinic at work; or no file, and the reason."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from domain.errors import BackupFailed, NoRecords
from kiosk.settings import Settings
from kiosk.upkeep import check_clinic, list_clinic_backups, verify_backup
from storage.archive import read_manifest
from tests.clinics import clinic_in, keep_in, settings_in
from tests.integration.backups import backed_up, keys_kept, restored, rows_kept, tampering
from tests.integration.test_records import environment, held_back, kiosk
from tests.integration.well_used import well_used
from tests.postgresql import Server


async def test_a_backup_holds_every_row_and_the_keys_for_its_owner_only(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await well_used(clinic)
        settings = clinic.settings
        made = await asyncio.to_thread(backed_up, settings)
        rows = rows_kept(settings)
    manifest, checked = verify_backup(made.path)
    assert (manifest.violations, checked.violations) == (0, [])
    assert checked.rows == {table: len(kept) for table, kept in rows.items()}
    assert manifest.database == ("postgresql" if settings.database_url else "sqlite")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    with tarfile.open(made.path) as tar:
        kept = {m.name.removeprefix("keys/"): tar.extractfile(m) for m in tar if m.name.startswith("keys/")}
        assert {name: content and content.read() for name, content in kept.items()} == keys_kept(settings)
    assert {path.name for path in made.path.parent.iterdir()} == {made.path.name, ".backup-lock"}


async def test_a_backup_under_load_holds_what_was_acknowledged(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, capacity=100_000) as clinic:
        vaccine, slot = await clinic.vaccine(doses=200), await clinic.slot()
        acknowledged: list[str] = []
        busy, over = asyncio.Event(), False

        async def come(first: int) -> None:
            number = first
            while not over:
                acknowledged.append((await clinic.book(vaccine, number, slot=slot)).booking)
                number += 1
                if len(acknowledged) > 20:
                    busy.set()

        load = [asyncio.create_task(come(100_000 * n)) for n in range(1, 6)]
        await busy.wait()
        promised = set(acknowledged)
        made = await asyncio.to_thread(backed_up, clinic.settings)
        assert len(acknowledged) > len(promised)  # nobody had to wait for it
        over = True
        await asyncio.gather(*load)
    assert verify_backup(made.path)[1].violations == []
    restored(clinic.settings, made.path)
    kept = "".join(rows_kept(clinic.settings)["booking"])
    assert all(booking in kept for booking in promised)


async def test_a_file_a_folder_and_a_name_that_is_taken(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        named = await asyncio.to_thread(
            backed_up, clinic.settings, tmp_path / "a" / "before-the-upgrade.backup"
        )
        first, second = [
            await asyncio.to_thread(backed_up, clinic.settings, tmp_path / "b") for _ in range(2)
        ]
        with pytest.raises(BackupFailed, match="is there already"):
            await asyncio.to_thread(backed_up, clinic.settings, named.path)
    assert named.path == tmp_path / "a" / "before-the-upgrade.backup"
    assert first.path.parent == second.path.parent == tmp_path / "b"
    assert first.path != second.path


async def test_records_that_break_a_rule_are_backed_up_only_as_they_are(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.vaccine(doses=3)
    with tampering(clinic.settings) as records:
        records.exec_driver_sql("UPDATE vaccine SET stock = 7")
    with pytest.raises(BackupFailed, match="break a rule"):
        backed_up(clinic.settings)
    assert list_clinic_backups(clinic.settings) == ([], True)
    assert backed_up(clinic.settings, anyway=True).manifest.violations == len(
        (await check_clinic(clinic.settings)).violations
    )


async def test_records_with_bytes_that_are_no_text_are_backed_up_as_they_are_if_one_insists(
    postgresql: Server, tmp_path: Path
) -> None:
    terminal, server = tmp_path / "terminal", tmp_path / "server"
    for folder in (terminal, server):
        folder.mkdir()
    async with clinic_in(terminal) as clinic:
        await clinic.book(await clinic.vaccine(doses=3))
        await clinic.services.settle()
    with tampering(clinic.settings) as records:
        for table, column in (("ledger", "reason"), ("booking", "status"), ("secret", "value")):
            records.exec_driver_sql(f"UPDATE {table} SET {column} = CAST(x'6fff' AS TEXT)")
    with pytest.raises(BackupFailed, match="break a rule"):
        backed_up(clinic.settings)
    made = backed_up(clinic.settings, anyway=True)
    restored(clinic.settings, made.path, anyway=True)
    with tampering(clinic.settings) as records:
        [[reason]] = records.exec_driver_sql("SELECT DISTINCT CAST(reason AS BLOB) FROM ledger")
    assert reason == b"o\xff"

    postgresql.say("CREATE DATABASE torn")
    keep_in(server, postgresql.url("torn"), postgresql.url("torn"))
    restored(settings_in(server), made.path, replace=False, anyway=True)
    with tampering(settings_in(server)) as records:
        assert records.exec_driver_sql("SELECT DISTINCT reason FROM ledger").scalar() == "o\ufffd"
    postgresql.drop("torn")


def test_where_there_are_no_records_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(NoRecords):
        backed_up(settings_in(tmp_path))
    assert not (tmp_path / "data" / "clinic.db").exists()


async def test_a_damaged_file_is_not_backed_up(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        await clinic.vaccine(doses=3)
    file = clinic.settings.data_folder / "clinic.db"
    torn = bytearray(file.read_bytes())
    for page in range(4096, len(torn), 4096):
        torn[page : page + 8] = b"\xff" * 8
    file.write_bytes(torn)
    with pytest.raises(BackupFailed):
        backed_up(clinic.settings)
    assert list_clinic_backups(clinic.settings)[0] == []


async def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        pass
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BackupFailed, match="taken"):
        backed_up(clinic.settings, tmp_path / "taken" / "here")


def with_little_room(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As when the disk is full, after so many bytes of a file."""

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    return subprocess.run(
        [sys.executable, "-m", "kiosk", *arguments],
        env=environment(settings), capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=little_room,
    )  # fmt: skip


async def test_a_sound_backup_that_cannot_be_unpacked_is_not_called_damaged(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        await clinic.vaccine(doses=3)
    made = backed_up(clinic.settings)
    answer = with_little_room(clinic.settings, "restore", "--verify", str(made.path))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "could not be tested" in answer.stderr
    assert "File too large" in answer.stderr
    assert [path.name for path in made.path.parent.glob(".verifying-*")] == []
    assert verify_backup(made.path)[1].violations == []


async def test_a_full_disk_leaves_no_backup_and_is_said(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.vaccine(doses=3)
    answer = with_little_room(clinic.settings, "backup")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "No backup was made" in answer.stderr
    assert [path.name for path in (clinic.settings.data_folder / "backups").iterdir()] == [".backup-lock"]


@pytest.mark.parametrize("closed", ["keys", "keys/clinic/signers", "keys/clinic/root.key"])
@pytest.mark.parametrize("how", [(), ("--scheduled",)])
async def test_keys_that_cannot_be_read_are_not_left_out_of_a_backup(
    tmp_path: Path, closed: str, how: tuple[str, ...]
) -> None:
    async with clinic_in(tmp_path) as clinic:
        pass
    place = clinic.settings.data_folder / closed
    mode = stat.S_IMODE(place.stat().st_mode)
    place.chmod(0)
    answer = held_back(clinic.settings, "backup", *how)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert f"Permission denied ({place})" in answer.stderr
    assert list_clinic_backups(clinic.settings)[0] == []
    place.chmod(mode)
    assert "and the signing keys" in held_back(clinic.settings, "backup", *how).stderr


async def test_two_at_once_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        pass
    folder = tmp_path / "data" / "backups"
    folder.mkdir()
    with (folder / ".backup-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupFailed, match="another backup"):
            backed_up(clinic.settings)
    backed_up(clinic.settings)


async def test_the_command_prints_the_name_and_the_list_shows_it(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.book(await clinic.vaccine(doses=3))
        none = kiosk(clinic.settings, "restore", "--list")
        assert (none.returncode, "OVERDUE" in none.stderr) == (1, True)
        done = kiosk(clinic.settings, "backup")
    assert done.returncode == 0, done.stderr
    made = Path(done.stdout.strip())
    assert read_manifest(made).rows["booking"] == 1
    assert "every rule holds" in done.stderr
    listed = kiosk(clinic.settings, "restore", "--list")
    assert (listed.returncode, listed.stdout.split("\t")[0]) == (0, made.name)
    assert "\tkeys" in listed.stdout
    verified = kiosk(clinic.settings, "restore", "--verify", str(made))
    assert (verified.returncode, "Sound, every rule holds" in verified.stderr) == (0, True)
    assert "It holds signing keys." in verified.stderr
