"""`kiosk check`: silent on a clinic that has seen everything and is sound, and each corruption by its row."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Connection, Date, Integer, String, Table, text

from domain.actors import SYSTEM
from domain.booking import BookingStatus, CancelBooking
from domain.errors import NoRecords
from domain.parts import Part, PausePart, ResumePart
from kiosk.upkeep import check_clinic
from storage.check import MOST, Checked, check_records
from storage.engine import writer_engine
from storage.tables import metadata
from storage.types import Instant, Word
from tests.clinics import STAFF, clinic_in, keep_in, settings_in
from tests.integration.backups import backed_up
from tests.integration.corruptions import CORRUPTIONS
from tests.integration.test_records import kiosk
from tests.integration.well_used import WellUsed, well_used
from tests.postgresql import Server


@dataclass(frozen=True)
class Template:
    """A well-used clinic, closed, and how to have a copy of it."""

    used: WellUsed
    copy_to: Callable[[Path], None]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("well-used")
    if request.param == "sqlite":
        yield Template(asyncio.run(_used_in(folder)), lambda to: _copy_files(folder, to))
        return
    server: Server = request.getfixturevalue("postgresql")
    database = server.database()
    keep_in(folder, server.url(database), server.url(database))
    copies = []

    def copy_to(to: Path) -> None:
        copies.append(server.database(template=database))
        keep_in(to, server.url(copies[-1]), server.url(copies[-1]))
        shutil.copytree(folder / "data", to / "data")

    yield Template(asyncio.run(_used_in(folder)), copy_to)
    for copy in (*copies, database):
        server.drop(copy)


def _copy_files(folder: Path, to: Path) -> None:
    shutil.copytree(folder / "data", to / "data")


async def _used_in(folder: Path) -> WellUsed:
    async with clinic_in(folder) as clinic:
        used = await well_used(clinic)
        await clinic.services.settle()
    return used


@pytest.fixture
def folder(template: Template, tmp_path: Path) -> Path:
    """A copy of the well-used clinic."""
    template.copy_to(tmp_path)
    return tmp_path


def checked_in(folder: Path) -> Checked:
    return check_records(settings_in(folder).records_url)


def rows_of(checked: Checked) -> set[tuple[int, str]]:
    return {(violation.rule, violation.code) for violation in checked.violations}


@contextmanager
def tampering(folder: Path) -> Iterator[Connection]:
    """The records without the constraints that would refuse what is done to them."""
    engine = writer_engine(settings_in(folder).records_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")  # no foreign keys
            for name in ("vaccine_reserved_within_stock", "lot_remaining_not_negative"):
                table = name.partition("_")[0]
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT ck_{name}")
        yield connection
        connection.commit()
    engine.dispose()


# -- a sound clinic -------------------------------------------------------------------------------


async def test_a_sound_clinic_breaks_no_rule_and_its_page_shows_what_the_events_tell(folder: Path) -> None:
    checked = await check_clinic(settings_in(folder), my_page=True)
    assert checked.violations == []
    assert checked.rows["booking"] == 13
    assert checked.rows["event"] == checked.last_event > 60


async def test_what_is_in_flight_under_load_breaks_no_rule(template: Template, tmp_path: Path) -> None:
    template.copy_to(tmp_path)
    async with clinic_in(tmp_path, capacity=1000) as clinic:
        vaccine = await clinic.vaccine(60, "new", interval_days=0, primary_doses=1)
        random, slot, over = Random(1), await clinic.slot(), False

        async def come(first: int) -> None:
            for number in range(first, first + 25):
                booked = await clinic.book(vaccine, number, slot=slot)
                if random.random() < 0.4:
                    await clinic.gateway.send(CancelBooking(booked.booking), STAFF)
                elif booked.status is BookingStatus.RESERVED and random.random() < 0.3:
                    await clinic.vaccinate(booked.booking)

        async def look() -> int:
            looks = 0
            while not over or not looks:
                assert (await check_clinic(clinic.settings, my_page=looks % 3 == 0)).violations == []
                looks += 1
            return looks

        looking = asyncio.create_task(look())
        await asyncio.gather(*(come(1000 * n) for n in range(1, 9)))
        over = True
        assert await looking >= 1


async def test_what_waits_for_a_paused_part_breaks_no_rule(folder: Path) -> None:
    async with clinic_in(folder) as clinic:
        for part in (Part.INJECTION_INTAKE, Part.ISSUING, Part.MY_PAGE):
            await clinic.gateway.send(PausePart(part), SYSTEM)
        vaccine = await clinic.vaccine(3, "new")
        kept, given_back = [(await clinic.book(vaccine, n)).booking for n in (21, 22)]
        await clinic.gateway.send(CancelBooking(given_back), STAFF)
        assert rows_of(await check_clinic(clinic.settings, my_page=True)) == set()
        await clinic.gateway.send(ResumePart(Part.INJECTION_INTAKE), SYSTEM)
        await clinic.services.settle()
    with tampering(folder) as records:  # the same, once the part says that it has seen to it
        records.exec_driver_sql(f"DELETE FROM injection WHERE booking = '{kept}'")
    assert (8, kept) in rows_of(checked_in(folder))


def test_a_dose_that_was_free_again_before_the_ledger_said_why_breaks_no_rule(folder: Path) -> None:
    with tampering(folder) as records:
        emptied = records.exec_driver_sql("UPDATE ledger SET reason = '' WHERE kind = 'released'")
        assert emptied.rowcount == 2
    assert rows_of(checked_in(folder)) == set()


# -- corruptions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_the_check_names_the_rule_and_the_row_of(template: Template, folder: Path, corruption: str) -> None:
    statements, *broken = (text.format_map(vars(template.used)) for text in CORRUPTIONS[corruption])
    with tampering(folder) as records:
        expected = {
            (int(rule), str(records.exec_driver_sql(row).scalar()) if row.startswith("SELECT") else row)
            for rule, _, row in (line.partition(" ") for line in broken)
        }
        for statement in statements.split("; "):
            records.exec_driver_sql(statement)
    assert rows_of(checked_in(folder)) == expected


# -- what one database alone can suffer -------------------------------------------------------------


on_sqlite = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("template", ["postgresql"], indirect=True)


@pytest.fixture
def file(folder: Path) -> Path:
    """The file of the well-used clinic."""
    return settings_in(folder).data_folder / "clinic.db"


@on_sqlite
@pytest.mark.parametrize("table", ["booking", "event", "ix_booking_slot"])
def test_a_torn_page_is_said_and_ends_the_check(file: Path, folder: Path, table: str) -> None:
    with tampering(folder) as records:
        sql = f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'"
        page = records.exec_driver_sql(sql).scalar_one()
        records.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as torn:
        torn.seek((page - 1) * 4096)
        torn.write(b"\xff" * 512)
    checked = checked_in(folder)
    assert {(v.rule, v.table) for v in checked.violations} == {(0, "file")}
    assert checked.rows == {}


@on_sqlite
def test_a_file_that_is_no_database_is_said(file: Path, folder: Path) -> None:
    for log in file.parent.glob("clinic.db-*"):
        log.unlink()
    file.write_bytes(b"not what should be here " * 1000)
    assert {(v.rule, v.table) for v in checked_in(folder).violations} == {(0, "file")}


@on_sqlite
@pytest.mark.parametrize(
    "wrong",
    ["'2026-11-31T00:30:00.000000+00:00'", "'2026-11-23T09:30:00.000000+09:00'", "'soon'", "7"],
    ids=["no such day", "another zone", "no date", "a number"],
)
def test_a_date_that_is_none_or_stands_elsewhere_in_time_is_named(
    template: Template, file: Path, folder: Path, wrong: str
) -> None:
    with tampering(folder) as records:
        records.exec_driver_sql(
            f"UPDATE booking SET booked_at = {wrong} WHERE code = '{template.used.expected}'"
        )
    assert rows_of(checked_in(folder)) == {(0, template.used.expected)}


@on_sqlite
def test_a_text_that_is_none_is_named_and_not_shown(template: Template, file: Path, folder: Path) -> None:
    with tampering(folder) as records:
        records.exec_driver_sql(
            "UPDATE recipient SET person = CAST(CAST(person AS BLOB) || x'ff' AS TEXT) "
            f"WHERE code = (SELECT recipient FROM booking WHERE code = '{template.used.expected}')"
        )
        recipient = records.exec_driver_sql(
            f"SELECT recipient FROM booking WHERE code = '{template.used.expected}'"
        ).scalar_one()
    checked = checked_in(folder)
    assert rows_of(checked) == {(0, recipient)}
    assert "홍길동" not in str(checked)


COLUMNS = [column for table in metadata.sorted_tables for column in table.columns if column.name != "seq"]
"""Of all tables; SQLite itself sees to it that the number of a row is one."""
COLUMNS.append(metadata.tables["position"].c.seq)  # no number of a row


def damages_of(column: Column[Any]) -> Iterator[str]:
    """What SQLite keeps in such a column, and is no value of its kind."""
    yield "CAST(x'484f4e47ff' AS TEXT)"  # HONG, and what belongs to no text
    yield "x'484f4e47'"
    if not isinstance(column.type, String):
        yield "'HONG'"
    if isinstance(column.type, Integer | Boolean | Date):
        yield "7.5"


@on_sqlite
@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_value_of_no_kind_is_named_with_its_row_and_backed_up_whatever_column_it_is_in(
    template: Template, tmp_path: Path, column: Column[Any]
) -> None:
    table = column.table
    key = next((c for c in ("code", "number") if c in table.c), next(iter(table.primary_key)).name)
    primary = ", ".join(c.name for c in table.primary_key)
    fullest = " + ".join(f"({c.name} IS NULL)" for c in table.columns)
    for number, damage in enumerate(damages_of(column)):
        template.copy_to(folder := tmp_path / str(number))
        with tampering(folder) as records:
            if not records.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar():
                put_one_in(records, table)
            one = f"SELECT {primary} FROM {table.name} ORDER BY {fullest} LIMIT 1"
            [row] = records.exec_driver_sql(f"SELECT {key} FROM {table.name} WHERE ({primary}) = ({one})")
            damaged = f"UPDATE {table.name} SET {column.name} = {damage} WHERE ({primary}) = ({one})"
            assert records.exec_driver_sql(damaged).rowcount == 1
        checked = checked_in(folder)
        named = {v.code for v in checked.violations if v.says == f"its {column.name} can be read"}
        if column.name == key:
            assert named in [{"HONG"}, {"HONG�"}], damage
        else:
            assert named == {str(row[0])}, damage
            assert "HONG" not in str(checked), damage
        assert checked.rows[table.name] > 0, damage
    made = backed_up(settings_in(folder), tmp_path / "kept.backup", anyway=True)
    assert made.manifest.violations == len(checked.violations)


def put_one_in(records: Connection, table: Table) -> None:
    """A row of a table that a clinic at rest has none in."""
    values = [f"'{value_of(c.type)}'" for c in table.columns]
    records.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({', '.join(values)})")


def value_of(kind: object) -> str:
    if isinstance(kind, Word):
        return str(next(iter(kind.kind)))
    return "2026-11-23T00:30:00.000000+00:00" if isinstance(kind, Instant) else "1"


@on_sqlite
def test_many_damaged_events_hide_no_other_damage(template: Template, file: Path, folder: Path) -> None:
    with tampering(folder) as records:
        numbers = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MOST + 20}) "
        records.exec_driver_sql(
            f"{numbers} INSERT INTO event (id, name, payload, at) SELECT 'torn:' || n, 'Booked', "
            "'{\"booking', (SELECT at FROM event LIMIT 1) FROM n"
        )
        records.exec_driver_sql(
            f"UPDATE booking SET status = 'perhaps' WHERE code = '{template.used.waiting[0]}'"
        )
    checked = checked_in(folder)
    assert (0, template.used.waiting[0]) in rows_of(checked)
    assert (0, "and 20 more") in rows_of(checked)


@on_postgresql
def test_a_code_that_two_have_is_named_when_its_constraint_is_gone(template: Template, folder: Path) -> None:
    used = template.used
    with tampering(folder) as records:
        records.exec_driver_sql("ALTER TABLE application DROP CONSTRAINT uq_application_code CASCADE")
        records.exec_driver_sql(
            f"UPDATE application SET code = '{used.applied}' WHERE code = '{used.cancelled}'"
        )
    assert {(0, used.applied), (8, used.cancelled)} <= rows_of(checked_in(folder))


# -- my page, and the command -----------------------------------------------------------------------


async def test_a_row_of_my_page_that_no_event_tells_of_is_named(template: Template, folder: Path) -> None:
    engine = writer_engine(settings_in(folder).read_model_url)
    with engine.begin() as view:
        view.exec_driver_sql(
            f"UPDATE mypage_item SET status = 'completed' WHERE code = '{template.used.expected}'"
        )
        view.exec_driver_sql(f"DELETE FROM mypage_item WHERE code = '{template.used.both}'")
    checked = await check_clinic(settings_in(folder), my_page=True)
    assert rows_of(checked) == {(8, template.used.expected), (8, template.used.both)}
    with engine.begin() as view:
        view.exec_driver_sql("UPDATE mypage_state SET position = 100000")
    engine.dispose()
    assert rows_of(await check_clinic(settings_in(folder), my_page=True)) == {(8, "my-page")}


async def test_what_my_page_was_told_again_is_compared_like_everything_else(
    template: Template, folder: Path
) -> None:
    settings = settings_in(folder)
    with tampering(folder) as records:
        for status, subject in (("done", "recipient"), ("done", "''"), ("discarded", "''")):
            records.execute(
                text(
                    "INSERT INTO task (code, part, kind, subject, event, actor, actor_name, status, "
                    f"attempts, problem, at) SELECT :code, 'my-page', 'event', {subject}, 1, 'x', 'x', "
                    ":status, 0, '', booked_at FROM booking WHERE code = :booking"
                ),
                {"code": f"{status[:4]}{subject[:5]}", "status": status, "booking": template.used.expected},
            )
    engines = [writer_engine(url) for url in (settings.read_model_url, settings.records_url)]
    with engines[0].begin() as view:
        view.exec_driver_sql(f"DELETE FROM mypage_item WHERE code = '{template.used.expected}'")
    assert rows_of(await check_clinic(settings, my_page=True)) == {(8, template.used.expected)}
    with engines[1].begin() as records:
        records.exec_driver_sql("UPDATE task SET status = 'discarded' WHERE subject <> ''")
    for engine in engines:
        engine.dispose()
    assert rows_of(await check_clinic(settings, my_page=True)) == set()


def test_the_command_says_it_in_words_in_json_and_by_its_exit_code(template: Template, folder: Path) -> None:
    settings = settings_in(folder)
    sound = kiosk(settings, "check", "--my-page")
    assert (sound.returncode, sound.stdout) == (0, "")
    assert "Every rule holds: 13 bookings" in sound.stderr
    with tampering(folder) as records:
        records.exec_driver_sql(
            f"UPDATE booking SET status = 'cancelled' WHERE code = '{template.used.expected}'"
        )
    broken = kiosk(settings, "check")
    assert broken.returncode == 1
    assert f"rule 2\tvaccine {template.used.plenty}\t" in broken.stdout
    assert "reserved 1, held 0" in broken.stdout
    listed = json.loads(kiosk(settings, "check", "--json").stdout)
    assert listed["sound"] is False
    assert {(v["rule"], v["code"]) for v in listed["violations"]} == rows_of(checked_in(folder))


def test_where_there_are_no_records_none_are_made(tmp_path: Path) -> None:
    with pytest.raises(NoRecords):
        checked_in(tmp_path)
    answer = kiosk(settings_in(tmp_path), "check")
    assert (answer.returncode, "no records" in answer.stderr) == (1, True)
    assert not (tmp_path / "data").exists()


def test_an_empty_database_holds_no_records(postgresql: Server, tmp_path: Path) -> None:
    postgresql.say("CREATE DATABASE empty")
    keep_in(tmp_path, postgresql.url("empty"))
    with pytest.raises(NoRecords):
        checked_in(tmp_path)
    postgresql.drop("empty")
