"""`kiosk restore`: the clinic as it was, verified before anything is touched, the former put aside."""

from __future__ import annotations

import errno
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.application import ApplyForCertificate
from domain.booking import CancelBooking
from domain.certificate import IssueCertificate, ListCertificates
from domain.errors import (
    BackupBreaksRules,
    BackupDamaged,
    BackupNewer,
    RecordsInTheWay,
    RecordsInUse,
    RestoreRefused,
    RestoreUnfinished,
)
from domain.mypage import GetMyPage
from domain.statement import CertificateStatus
from kiosk.settings import Settings
from kiosk.upkeep import check_clinic, verify_backup
from storage import restore
from storage.replacing import replace_file
from tests.clinics import STAFF, OpenClinic, clinic_in, keep_in, settings_in
from tests.integration.backups import backed_up, keys_kept, restored, rows_kept, tampering
from tests.integration.test_records import kiosk
from tests.integration.well_used import well_used
from tests.postgresql import Server


async def used(folder: Path) -> OpenClinic:
    """A clinic after a short morning, closed."""
    async with clinic_in(folder) as clinic:
        vaccine = await clinic.vaccine(doses=3)
        first, *_ = [(await clinic.book(vaccine, number)).booking for number in range(1, 5)]
        await clinic.vaccinate(first)
        await clinic.services.settle()
    return clinic


async def test_a_restored_clinic_goes_on_from_where_it_was(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        vaccine = await clinic.vaccine(doses=5)
        before = await clinic.book(vaccine, 1)
        injection = await clinic.vaccinate(before.booking)
        me = await clinic.recipient(before.booking)
        await clinic.services.settle()
        page = await clinic.gateway.ask(GetMyPage(), me)
    made, then = backed_up(clinic.settings), rows_kept(clinic.settings)
    async with clinic_in(clinic_folder) as clinic:
        lost = [(await clinic.book(vaccine, number)).booking for number in (2, 3)]
        await clinic.gateway.send(CancelBooking(lost[0]), STAFF)
        await clinic.services.settle()
    done = restored(clinic.settings, made.path)
    assert (rows_kept(clinic.settings), done.keys) == (then, False)

    async with clinic_in(clinic_folder) as clinic:
        await clinic.services.settle()
        shown = await clinic.gateway.ask(GetMyPage(), me)
        assert (shown.items, shown.position) == (page.items, made.manifest.last_event)
        again = await clinic.book(vaccine, 2)
        assert again.booking not in lost
        application = await clinic.gateway.send(ApplyForCertificate(injection.code), me)
        await clinic.services.settle()
        [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
        issued = await clinic.gateway.send(IssueCertificate(ready.certificate.code), STAFF)
        assert ready.certificate.application == application.code
        [verdict] = await clinic.services.check_certificate(str(issued.place))
        assert verdict.ok, verdict
        await clinic.services.settle()
        assert (await check_clinic(clinic.settings, my_page=True)).violations == []


async def test_from_a_file_to_a_server_and_back_every_row_is_the_same(
    postgresql: Server, tmp_path: Path
) -> None:
    terminal, server, again = tmp_path / "terminal", tmp_path / "server", tmp_path / "again"
    for folder in (terminal, server, again):
        folder.mkdir()
    async with clinic_in(terminal) as clinic:
        await well_used(clinic)
    postgresql.say("CREATE DATABASE grown")
    keep_in(server, postgresql.url("grown"), postgresql.url("grown"))
    restored(settings_in(server), backed_up(clinic.settings).path, replace=False)
    assert rows_kept(settings_in(server)) == rows_kept(clinic.settings)
    assert keys_kept(settings_in(server)) == keys_kept(clinic.settings)
    async with clinic_in(server) as grown:  # whose next numbers must be none that were used
        booked = await grown.book(await grown.vaccine(3, "new"), 91)
        await grown.services.settle()
        assert (await check_clinic(grown.settings, my_page=True)).violations == []
    restored(settings_in(again), backed_up(settings_in(server)).path, replace=False)
    assert rows_kept(settings_in(again)) == rows_kept(settings_in(server))
    async with clinic_in(again) as small:
        await small.services.settle()
        page = await small.gateway.ask(GetMyPage(), await small.recipient(booked.booking))
        assert [item.code for item in page.items] == [booked.booking]
        assert (await check_clinic(small.settings, my_page=True)).violations == []
    postgresql.drop("grown")


async def test_the_former_records_are_put_aside_whole(clinic_folder: Path, tmp_path: Path) -> None:
    clinic = await used(clinic_folder)
    made = backed_up(clinic.settings)
    async with clinic_in(clinic_folder) as clinic:
        await clinic.book(await clinic.vaccine(3, "later"), 77)
    former = rows_kept(clinic.settings)
    done = restored(clinic.settings, made.path)
    assert rows_kept(clinic.settings) != former
    if clinic.settings.database_url:
        schema = done.aside.split()[2]
        url = f"{clinic.settings.database_url}&options=-c%20search_path%3D{schema}"
    else:
        url = f"sqlite:///{done.aside}/clinic.db"
    assert rows_kept(replace(clinic.settings, database_url=url)) == former


async def test_records_that_are_there_are_not_replaced_unasked(clinic_folder: Path) -> None:
    clinic = await used(clinic_folder)
    made, before = backed_up(clinic.settings), rows_kept(clinic.settings)
    with pytest.raises(RecordsInTheWay):
        restored(clinic.settings, made.path, replace=False)
    answer = kiosk(clinic.settings, "restore", str(made.path))
    assert (answer.returncode, "--replace" in answer.stderr) == (1, True)
    assert rows_kept(clinic.settings) == before


async def test_nothing_is_restored_while_a_kiosk_has_the_records_open(clinic_folder: Path) -> None:
    made = backed_up((await used(clinic_folder)).settings)
    async with clinic_in(clinic_folder) as clinic:
        booked = await clinic.book(await clinic.vaccine(3, "later"), 77)
        answer = kiosk(clinic.settings, "restore", "--replace", str(made.path))
        assert (answer.returncode, "has the records open" in answer.stderr) == (1, True)
        with pytest.raises(RecordsInUse):
            restored(clinic.settings, made.path)
        await clinic.gateway.send(CancelBooking(booked.booking), STAFF)
        assert await clinic.violations() == []
    restored(clinic.settings, made.path)


async def test_a_damaged_file_is_replaced_and_kept_as_it_is(tmp_path: Path) -> None:
    clinic = await used(tmp_path)
    made, then = backed_up(clinic.settings), rows_kept(clinic.settings)
    file = clinic.settings.data_folder / "clinic.db"
    file.write_bytes(b"not what should be here " * 1000)
    file.with_name("clinic.db-wal").write_bytes(b"nor here")
    done = restored(clinic.settings, made.path)
    assert rows_kept(clinic.settings) == then
    assert (Path(done.aside) / "clinic.db").read_bytes().startswith(b"not what")
    assert (Path(done.aside) / "clinic.db-wal").read_bytes() == b"nor here"


async def test_a_backup_that_breaks_a_rule_is_restored_only_as_it_is(clinic_folder: Path) -> None:
    clinic = await used(clinic_folder)
    with tampering(clinic.settings) as records:
        records.exec_driver_sql("UPDATE vaccine SET stock = stock + 1")
    made, before = backed_up(clinic.settings, anyway=True), rows_kept(clinic.settings)
    with pytest.raises(BackupBreaksRules):
        restored(clinic.settings, made.path)
    listed = kiosk(clinic.settings, "restore", "--verify", str(made.path))
    assert (listed.returncode, "rule 9\t" in listed.stdout) == (1, True)
    restored(clinic.settings, made.path, anyway=True)
    assert rows_kept(clinic.settings) == before


async def test_another_clinics_keys_come_with_its_records_and_ones_own_stay(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        folder.mkdir()
    here, there = await used(mine), await used(theirs)
    own = keys_kept(here.settings)
    made = backed_up(here.settings)
    (here.settings.key_folder / "clinic" / "since").write_text("the backup")
    assert restored(here.settings, made.path).keys is False
    assert keys_kept(here.settings) == own | {"clinic/since": b"the backup"}
    done = restored(here.settings, backed_up(there.settings).path)
    assert (done.keys, keys_kept(here.settings)) == (True, keys_kept(there.settings))
    aside = replace(here.settings, data_folder=Path(done.aside))
    assert keys_kept(aside) == own | {"clinic/since": b"the backup"}


async def test_keys_follow_when_the_records_were_replaced_and_only_their_last_sync_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        folder.mkdir()
    here, there = await used(mine), await used(theirs)
    made = backed_up(there.settings)

    def replaced_and_failed(*about: Any) -> str:
        replace_file(*about)
        raise OSError(errno.EIO, "the last sync failed")

    monkeypatch.setattr(restore, "replace_file", replaced_and_failed)
    with pytest.raises(RestoreUnfinished, match="last sync failed"):
        restored(here.settings, made.path)
    assert rows_kept(here.settings) == rows_kept(there.settings)
    assert keys_kept(here.settings) == keys_kept(there.settings)


# -- damaged archives -------------------------------------------------------------------------------

Damage = Callable[[Path], None]


def cut_off(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-5000])


def flip_a_bit(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)


def no_archive(archive: Path) -> None:
    archive.write_text("a letter")


def appended(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() + b"and something else")


def appended_within(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() + gzip.compress(b"and something else"))


def rewritten(change: Callable[[dict[str, bytes]], None]) -> Damage:
    """The same archive with other files in it."""

    def damage(archive: Path) -> None:
        with tarfile.open(archive) as tar:
            files = {m.name: content.read() for m in tar if (content := tar.extractfile(m))}
        change(files)
        with tarfile.open(archive, "w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))

    return damage


def changed_records(files: dict[str, bytes]) -> None:
    files["records.db"] = files["records.db"].replace(b"reserved", b"Reserved")


def lost_keys(files: dict[str, bytes]) -> None:
    del files["keys/clinic/passphrase"]


def of_tomorrow(files: dict[str, bytes]) -> None:
    files["manifest.json"] = json.dumps({"format": 99, "what": "else"}).encode()


def escaping(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["keys/../../../escaped"] = manifest["files"].pop("keys/clinic/root.pem")
    files["manifest.json"] = json.dumps(manifest).encode()
    files["keys/../../../escaped"] = files.pop("keys/clinic/root.pem")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_off, "cannot be read to its end"),
        (appended, "cannot be read to its end"),
        (appended_within, "written behind its end"),
        (flip_a_bit, "trusted"),
        (no_archive, "cannot be read to its end"),
        (lambda archive: archive.unlink(), "No such file"),
        (rewritten(changed_records), "records.db is not as it was written"),
        (rewritten(lost_keys), "keys/clinic/passphrase is missing"),
        (rewritten(of_tomorrow), "a newer version wrote it"),
        (rewritten(escaping), "other files than a backup does"),
        (rewritten(lambda files: files.pop("manifest.json") and None), "does not begin with a manifest"),
    ],
    ids=[
        "cut off", "appended", "appended within", "a bit", "a letter", "gone", "records", "keys", "newer",
        "escaping", "no manifest",
    ],
)  # fmt: skip
async def test_a_damaged_backup_is_refused_in_words_and_changes_nothing(
    tmp_path: Path, damage: Damage, said: str
) -> None:
    async with clinic_in(tmp_path) as clinic:
        await clinic.vaccine(doses=3)
    made = backed_up(clinic.settings)
    before = sorted((str(path), path.read_bytes()) for path in _all_but_backups(clinic))
    damage(made.path)
    with pytest.raises(BackupDamaged, match=said):
        restored(clinic.settings, made.path)
    with pytest.raises(BackupDamaged):
        verify_backup(made.path)
    assert sorted((str(path), path.read_bytes()) for path in _all_but_backups(clinic)) == before
    assert not (tmp_path.parent / "escaped").exists()


def _all_but_backups(clinic: OpenClinic) -> list[Path]:
    folder = clinic.settings.data_folder
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".restore-lock")
    return [path for path in files if "backups" not in path.relative_to(folder).parts]


@pytest.mark.parametrize(
    ("damage", "said"),
    [  # SQLite takes a text of any length, and bytes for a day
        ("UPDATE command SET name = name || '" + "x" * 100 + "'", "too long"),
        ("UPDATE lot SET expires_on = x'31393435'", "a date in lot is none"),
        ("UPDATE lot SET expires_on = 19450815", "a date in lot is none"),
    ],
)
async def test_a_server_that_refuses_leaves_its_records_as_they_were(
    postgresql: Server, tmp_path: Path, damage: str, said: str
) -> None:
    small, server = tmp_path / "small", tmp_path / "server"
    small.mkdir()
    server.mkdir()
    async with clinic_in(small) as clinic:
        await clinic.book(await clinic.vaccine(doses=3))
    with tampering(clinic.settings) as records:
        records.exec_driver_sql(damage)
    database = postgresql.database()
    keep_in(server, postgresql.url(database), postgresql.url(database))
    before = rows_kept((await used(server)).settings)
    made = backed_up(clinic.settings, anyway=True)
    with pytest.raises(RestoreRefused, match=said):
        restored(settings_in(server), made.path, anyway=True)
    assert rows_kept(settings_in(server)) == before
    postgresql.drop(database)


async def test_what_a_newer_version_added_is_not_left_behind_on_a_server(
    postgresql: Server, tmp_path: Path
) -> None:
    newer, server, file = tmp_path / "newer", tmp_path / "server", tmp_path / "file"
    for folder in (newer, server, file):
        folder.mkdir()
    async with clinic_in(newer) as clinic:
        await clinic.book(await clinic.vaccine(doses=3))
    with tampering(clinic.settings) as records:  # as the next version would: it only adds
        records.exec_driver_sql("ALTER TABLE booking ADD COLUMN note TEXT")
        records.exec_driver_sql("UPDATE booking SET note = 'wheelchair'")
        records.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    made = backed_up(clinic.settings)
    database = postgresql.database()
    keep_in(server, postgresql.url(database), postgresql.url(database))
    used_before = (await used(server)).settings
    before = rows_kept(used_before), keys_kept(used_before)
    with pytest.raises(BackupNewer, match="9999"):
        restored(used_before, made.path)
    assert (rows_kept(used_before), keys_kept(used_before)) == before
    assert list(used_before.data_folder.glob("before-restore-*")) == []
    restored(settings_in(file), made.path, replace=False)  # page by page nothing gets lost
    with tampering(settings_in(file)) as records:
        assert records.exec_driver_sql("SELECT note FROM booking").scalars().all() == ["wheelchair"]
    postgresql.drop(database)


async def test_whoever_restores_is_told_where_the_signing_keys_are_from(tmp_path: Path) -> None:
    clinic, empty = await used(tmp_path), tmp_path / "empty"
    empty.mkdir()
    with_keys = backed_up(clinic.settings).path
    without = tmp_path / "from-the-cluster.backup"
    kept = clinic.settings.key_folder.rename(tmp_path / "kept")
    backed_up(clinic.settings, without)

    def told(settings: Settings, *how: str) -> str:
        answer = kiosk(settings, "restore", *how)
        assert answer.returncode == 0, answer.stderr
        return next(line for line in answer.stderr.splitlines() if "signing keys" in line)

    assert "There are no signing keys" in told(settings_in(empty), str(without))
    assert "There are no signing keys" in told(clinic.settings, "--replace", str(without))
    assert "are the backup's" in told(settings_in(empty), "--replace", str(with_keys))
    kept.rename(clinic.settings.key_folder)
    same = told(clinic.settings, "--replace", str(with_keys))
    assert ("of the same root" in same, "newer" in same) == (True, False)
    said = told(clinic.settings, "--replace", str(without))
    assert "stay as they were" in said
    assert "same root" not in said
