"""The records' layout, the view told again, and what a command line finds in them."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actors import STAFF_ROLES, Actor
from domain.booking import CancelBooking
from domain.correction import VoidInjection
from domain.errors import BackupFailed, ClinicError, IdentityKeyMissing, RestoreRefused, ScreeningStands
from domain.events import BY_NAME
from domain.injection import Concern, Injection
from domain.presentation import Site
from domain.visit import CheckIn, CompleteInjection, FindVisits, GetVisit, Screen, Visit
from kiosk.bootstrap import open_clinic
from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page
from storage import migrate, mypage, tables
from storage.archive import read_manifest
from storage.check import check_records
from storage.engine import for_writing, prepare_folder, read_model_engine, reader_engine, writer_engine
from storage.mypage import MyPageStore
from tests.clinics import STAFF, OpenClinic, clinic_in, everything_kept, settings_in
from tests.integration.backups import backed_up, restored


def environment(settings: object) -> dict[str, str]:
    return {
        "KIOSK_DATA_FOLDER": str(settings.data_folder),  # type: ignore[attr-defined]
        "KIOSK_PAPER_FOLDER": str(settings.paper_folder),  # type: ignore[attr-defined]
        "KIOSK_LOG_FOLDER": str(settings.log_folder),  # type: ignore[attr-defined]
        "KIOSK_CONFIG": "",
        "KIOSK_DATABASE_URL": settings.database_url,  # type: ignore[attr-defined]
        "KIOSK_MYPAGE_URL": settings.mypage_url,  # type: ignore[attr-defined]
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }


def kiosk(
    settings: object, *arguments: str, before: Sequence[str] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "kiosk", *arguments],
        env=environment(settings) | more, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def held_back(settings: object, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The same, by somebody whom the modes of files hold back, as they do not root."""
    if os.geteuid() != 0:
        return kiosk(settings, *arguments, **more)
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not here")
    without = "-dac_override,-dac_read_search"
    before = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"]
    return kiosk(settings, *arguments, before=before, **more)


def test_the_migrations_make_the_tables_that_the_code_writes(clinic_folder: Path) -> None:
    url = settings_in(clinic_folder).records_url
    prepare_folder(url)
    engine = writer_engine(url)
    migrate.migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_current_head() == migrate.LAYOUT


def test_new_kinds_of_events_come_with_a_new_layout() -> None:
    """By the layout an older version knows that there may be events which are not for it to pass by."""
    assert (migrate.LAYOUT, zlib.crc32(" ".join(sorted(BY_NAME)).encode())) == ("0005", 70_049_180)


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg://kiosk@/clinic"])
def test_the_columns_of_a_table_are_the_fields_of_its_aggregate_in_their_order(url: str) -> None:
    from storage.statements import Statements

    statements = Statements(writer_engine(url).dialect)
    for rows in (statements.vaccines, statements.bookings, statements.injections, statements.certificates):
        assert rows.upsert is not None
        assert set(rows.upsert.names) <= {column.name for column in rows._table.columns}


async def test_what_a_screening_found_stays_whatever_is_answered_later(clinic: OpenClinic) -> None:
    """In another visit of the day, too, and where the version before wrote it, which keeps one alone."""
    vaccine, colleague = await clinic.vaccine(doses=3), Actor("SOTHER", STAFF_ROLES, "박간호")
    first = await a_visit(clinic, vaccine)
    await clinic.gateway.send(Screen(first, (Concern.SEVERE_ALLERGY,)), STAFF)
    await clinic.gateway.send(CancelBooking((await visit(clinic, first)).booking), STAFF)
    second = await a_visit(clinic, vaccine)
    engine = writer_engine(clinic.settings.records_url)
    with engine.begin() as connection:
        as_before = "UPDATE injection SET screening = (SELECT screening FROM injection WHERE code = :first)"
        connection.execute(text(f"{as_before} WHERE code = :second"), {"first": first, "second": second})
    engine.dispose()
    with pytest.raises(ScreeningStands):
        await clinic.gateway.send(Screen(second), STAFF)
    await clinic.gateway.send(Screen(second, reason="다른 사람의 답이었음"), colleague)
    given = await clinic.gateway.send(
        CompleteInjection(second, "LOT1", Site.LEFT_ARM, colleague.name), colleague
    )
    assert (await visit(clinic, second)).screenings == given.screenings
    assert [(s.concerns, s.by) for s in given.screenings] == [
        ((Concern.SEVERE_ALLERGY,), STAFF.code),
        ((), colleague.code),
    ]
    assert await clinic.violations() == []


async def a_visit(clinic: OpenClinic, vaccine: str) -> str:
    """Somebody is here; answers the injection's code."""
    receipt = await clinic.book(vaccine)
    await clinic.services.settle()
    [found] = await clinic.gateway.ask(FindVisits(receipt.booking), STAFF)
    await clinic.gateway.send(CheckIn(found.injection.code), STAFF)
    return str(found.injection.code)


async def visit(clinic: OpenClinic, injection: str) -> Injection:
    found: Visit = await clinic.gateway.ask(GetVisit(injection), STAFF)
    return found.injection


async def a_busy_morning(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    receipts = [await clinic.book(vaccine, number) for number in range(6)]
    await clinic.vaccinate(receipts[0].booking)
    await clinic.gateway.send(CancelBooking(receipts[1].booking), STAFF)
    await clinic.services.settle()


async def test_my_page_told_again_is_identical_to_the_one_it_replaces(clinic: OpenClinic) -> None:
    await a_busy_morning(clinic)
    store = MyPageStore(read_model_engine(clinic.settings.read_model_url))
    before, position = await store.everything(), await store.position()
    progress: list[tuple[int, int]] = []
    told = await rebuild_my_page(clinic.settings, lambda done, total: progress.append((done, total)))
    assert (await store.everything(), await store.position()) == (before, position)
    assert told == position == progress[-1][0]
    assert len(before) > 8
    await store.close()


async def lose_the_view(settings: Settings) -> None:
    engine = for_writing(read_model_engine(settings.read_model_url))
    async with engine.begin() as connection:
        await connection.run_sync(mypage.metadata.drop_all)
    await engine.dispose()
    for file in settings.data_folder.glob("mypage.db*"):
        file.unlink()


async def test_a_lost_view_is_told_again_when_the_clinic_opens(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_busy_morning(clinic)
        store = MyPageStore(read_model_engine(clinic.settings.read_model_url))
        before = await store.everything()
        await store.close()
    await lose_the_view(clinic.settings)
    async with clinic_in(clinic_folder) as clinic:
        await clinic.services.settle()
        store = MyPageStore(read_model_engine(clinic.settings.read_model_url))
        assert await store.everything() == before
        await store.close()


async def test_the_command_line_rebuilds_checks_and_enrols(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_busy_morning(clinic)
    settings = clinic.settings
    rebuilt = kiosk(settings, "mypage", "rebuild")
    assert (rebuilt.returncode, int(rebuilt.stdout) > 10) == (0, True), rebuilt.stderr
    checked = kiosk(settings, "check")
    assert (checked.returncode, checked.stdout) == (0, "")
    added = kiosk(settings, "staff", "add", "이접종", "--role", "vaccinator")
    assert added.returncode == 0, added.stderr
    assert len(added.stdout.strip()) == 6
    assert "이접종\tvaccinator" in kiosk(settings, "staff", "list").stdout
    assert kiosk(settings, "--config", "/no/such/file", "check").returncode == 2
    assert kiosk(settings, "no-such-command").returncode == 2
    unknown = kiosk(settings, "staff", "reset-pin", "없는사람")
    assert (unknown.returncode, "없는사람" in unknown.stderr) == (1, True)


async def test_check_names_the_row_that_breaks_a_rule(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_busy_morning(clinic)
        engine = writer_engine(clinic.settings.records_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE vaccine SET stock = stock + 1")
        engine.dispose()
        found = await clinic.violations()
    assert {violation.rule for violation in found} == {3, 9}
    assert kiosk(clinic.settings, "check").returncode == 1


async def test_check_names_what_nobody_was_told_of(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)
    receipt = await clinic.book(vaccine)
    await clinic.services.settle()
    engine = writer_engine(clinic.settings.records_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event SET name = 'BookingNoShow' WHERE name = 'Booked'")
    engine.dispose()
    assert [(found.rule, found.code) for found in await clinic.violations()] == [(8, receipt.booking)]


@pytest.mark.parametrize("blocked", ["data", "data/clinic.db"])
async def test_what_is_in_the_way_of_opening_is_said_in_words(tmp_path: Path, blocked: str) -> None:
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_text("not what should be here " * 100)
    with pytest.raises(ClinicError) as refusal:
        await open_clinic(settings_in(tmp_path))
    assert "administrator" in str(refusal.value) or "staff" in str(refusal.value)


async def test_whoever_reads_cannot_write(clinic: OpenClinic) -> None:
    engine = reader_engine(clinic.settings.records_url)
    with pytest.raises(DBAPIError, match=r"read-?only"):
        async with engine.connect() as connection:
            await connection.execute(text("DELETE FROM vaccine"))
    await engine.dispose()


# -- opening what lacks something -------------------------------------------------------------------


def said_to(settings: Settings, *statements: str) -> None:
    engine = writer_engine(settings.records_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


async def test_an_index_that_is_gone_is_made_again_when_the_clinic_opens(
    clinic_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.book(await clinic.vaccine(doses=2))
    said_to(clinic.settings, "DROP INDEX ix_booking_slot", "DROP INDEX uq_booking_live")
    assert [found.code for found in check_records(clinic.settings.records_url).violations] == [
        "ix_booking_slot", "uq_booking_live",
    ]  # fmt: skip
    kiosks = [clinic_in(clinic_folder) for _ in range(2)]
    await asyncio.gather(*(kiosk.__aenter__() for kiosk in kiosks))
    for opened in kiosks:
        await opened.__aexit__(None, None, None)
    assert check_records(clinic.settings.records_url).violations == []
    said = [record.getMessage() for record in caplog.records if "index" in record.getMessage()]
    assert sorted(said) == [
        f"the index {name} was missing, and is made again" for name in ("ix_booking_slot", "uq_booking_live")
    ]


async def test_an_index_that_rows_stand_in_the_way_of_keeps_no_clinic_closed(
    clinic_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        vaccine = await clinic.vaccine(doses=2)
        for number in (1, 2):
            await clinic.book(vaccine, number)
    said_to(
        clinic.settings,
        "DROP INDEX ix_booking_slot", "DROP INDEX uq_booking_live",
        "UPDATE booking SET recipient = (SELECT MIN(recipient) FROM booking)",
    )  # fmt: skip
    async with clinic_in(clinic_folder) as again:
        await again.book(vaccine, 3)
    assert "uq_booking_live cannot be made again" in caplog.text
    named = {found.code for found in check_records(clinic.settings.records_url).violations}
    assert "uq_booking_live" in named
    assert "ix_booking_slot" not in named


async def test_what_a_newer_version_has_taken_away_is_not_made_again(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        pass
    said_to(clinic.settings, "DROP INDEX ix_booking_slot", "UPDATE alembic_version SET version_num = '0999'")
    async with clinic_in(clinic_folder):
        pass
    with pytest.raises(DBAPIError):
        said_to(clinic.settings, "DROP INDEX ix_booking_slot")


LOST = "DELETE FROM secret WHERE name = 'identity-key'"
NO_KEY = "UPDATE secret SET value = 'x' || value WHERE name = 'identity-key'"


@pytest.mark.parametrize("damage", [LOST, NO_KEY], ids=["lost", "none"])
async def test_where_people_are_known_no_other_key_is_made_to_find_them_by(
    clinic_folder: Path, damage: str
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.book(await clinic.vaccine(doses=2))
    made = backed_up(clinic.settings)
    said_to(clinic.settings, damage)
    before = everything_kept(clinic.settings)
    for _ in range(2):
        with pytest.raises(IdentityKeyMissing):
            await open_clinic(clinic.settings)
    assert everything_kept(clinic.settings) == before
    assert "backup" in kiosk(clinic.settings, "staff", "reset-pin", "관리자").stderr
    restored(clinic.settings, made.path)
    async with clinic_in(clinic_folder) as again:
        assert await again.violations() == []


async def test_a_clinic_that_knows_nobody_yet_gets_a_key(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        pass
    said_to(clinic.settings, LOST)
    async with clinic_in(clinic_folder) as again:
        await again.book(await again.vaccine(doses=2))
        assert await again.violations() == []


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM alembic_version", "UPDATE alembic_version SET version_num = CAST(x'30ff' AS TEXT)"],
    ids=["lost", "no text"],
)
async def test_records_that_do_not_say_their_layout_are_backed_up_as_they_are_if_one_insists(
    tmp_path: Path, damage: str
) -> None:
    async with clinic_in(tmp_path) as clinic:
        await clinic.book(await clinic.vaccine(doses=2))
    said_to(clinic.settings, damage)
    with pytest.raises(BackupFailed, match="1 rows break a rule"):
        backed_up(clinic.settings)
    assert backed_up(clinic.settings, anyway=True).manifest.rows["booking"] == 1


@pytest.mark.parametrize("table", ["ledger", "event", "secret"])
async def test_what_lacks_a_table_is_backed_up_without_it_if_one_insists(
    clinic_folder: Path, table: str
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await clinic.book(await clinic.vaccine(doses=2))
    said_to(clinic.settings, f"DROP TABLE {table}")
    answer = kiosk(clinic.settings, "check")
    assert (answer.returncode, f"{table} is missing" in answer.stdout) == (1, True)
    assert "the rules were not tested" in answer.stderr
    with pytest.raises(BackupFailed, match=f"{table} is missing"):
        backed_up(clinic.settings)
    answer = kiosk(clinic.settings, "backup", "--anyway")
    assert (answer.returncode, f"lack {table}" in answer.stderr) == (0, True), answer.stderr
    made = Path(answer.stdout.strip())
    assert read_manifest(made).rows["booking"] == 1
    with pytest.raises(RestoreRefused, match=f"lack {table}"):
        restored(clinic.settings, made, anyway=True)
    answer = kiosk(clinic.settings, "restore", "--verify", str(made))
    assert (answer.returncode, f"schema {table}" in answer.stdout) == (1, True)


async def test_a_recall_names_whoever_had_the_lot_for_those_who_call_them(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    other = await clinic.vaccine(doses=3, key="other", name_en="Testvax test-vaccine")
    for number, of in enumerate((vaccine, vaccine, other)):
        given = await clinic.vaccinate((await clinic.book(of, number)).booking)
    await clinic.gateway.send(VoidInjection(given.code, "주사하지 않음", dose_returned=True), STAFF)
    answer = kiosk(clinic.settings, "recall", "lot 1")
    assert answer.returncode == 0, answer.stderr
    rows = list(csv.DictReader(answer.stdout.splitlines()))
    assert [(row["vaccine"], row["phone"], row["birth_date"], row["status"]) for row in rows] == [
        ("Testvax test-vaccine", "+821000000001", "1945-08-15", "completed"),
        ("Testvax test-vaccine", "+821000000000", "1945-08-15", "completed"),
        ("Testvax test-vaccine", "+821000000002", "1945-08-15", "voided"),
    ]
    assert rows[0]["given_at"] == "2026-11-23T09:30+09:00"
    assert "lot LOT1: 1 records, of them 1 voided" in answer.stderr
    log = "".join(path.read_text() for path in clinic.settings.log_folder.glob("command*"))
    assert "who had lot LOT1 was asked: 3 records" in log
    assert "홍길동" not in answer.stderr + log
    unknown = kiosk(clinic.settings, "recall", "LOT9")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "LOT9" in unknown.stderr
