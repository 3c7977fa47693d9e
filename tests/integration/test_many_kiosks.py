"""One clinic, many kiosks: they share a PostgreSQL, take turns, and hear of each other."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.actors import Actor
from domain.booking import BookingReceipt
from domain.errors import ClinicError, NotFound, RecordsRefused
from domain.events import VaccineRegistered
from domain.mypage import GetMyPage
from domain.staff import Unlock
from domain.vaccine import ListVaccines
from domain.visit import FindVisits
from kiosk.credential.keys import open_keys
from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page
from storage import postgresql as backend
from storage.engine import read_model_engine, writer_engine
from storage.mypage import MyPageStore
from storage.writer import SqlWriter
from tests.clinics import MONDAY, STAFF, OpenClinic, TestClock, clinic_in, keep_in, settings_in, violations
from tests.faults.load import book_and_close
from tests.postgresql import Server

PATIENCE_SECONDS = 20.0
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.faults.load"])


@pytest.fixture
def shared(postgresql: Server) -> str:
    """An empty database for a clinic."""
    return postgresql.url(postgresql.database())


@pytest.fixture
def folders(tmp_path: Path, shared: str) -> tuple[Path, Path]:
    """Two kiosks' own folders; the records are shared, my page is a file of each."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        keep_in(tmp_path / name, shared)
    share_keys(tmp_path / "one", tmp_path / "two")
    return tmp_path / "one", tmp_path / "two"


def share_keys(first: Path, *others: Path) -> None:
    """What an administrator does before their first start: the clinic's keys go to each of them."""
    settings = settings_in(first)
    open_keys(settings.key_folder, country="KR", clinic=settings.clinic.name_en, now=MONDAY)
    for other in others:
        shutil.copytree(settings.key_folder, settings_in(other).key_folder)


@pytest.fixture
async def kiosks(folders: tuple[Path, Path]) -> AsyncIterator[tuple[OpenClinic, OpenClinic]]:
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(clinic_in(folder, capacity=1000)) for folder in folders]
        yield one, two


async def arrives(clinic: OpenClinic, look: Callable[[], Any]) -> Any:
    """Look again whenever the kiosk is told of a change, until there is something."""
    changed = asyncio.Event()
    clinic.services.on_change(changed.set)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):
            await changed.wait()
            changed.clear()
    return found


async def test_a_booking_made_on_one_kiosk_arrives_on_the_others_desk(
    kiosks: tuple[OpenClinic, OpenClinic],
) -> None:
    one, two = kiosks
    vaccine = await one.vaccine(doses=5)
    receipt = await one.book(vaccine)
    [visit] = await arrives(two, lambda: two.gateway.ask(FindVisits(receipt.booking), STAFF))
    assert visit.injection.booking == receipt.booking
    page = await two.gateway.ask(GetMyPage(), await two.recipient(receipt.booking))
    assert [item.code for item in page.items if item.kind == "booking"] == [receipt.booking]


async def test_a_change_is_noticed_again_after_the_connections_were_lost(
    kiosks: tuple[OpenClinic, OpenClinic], postgresql: Server
) -> None:
    one, two = kiosks
    vaccine = await one.vaccine(doses=5)
    await one.services.settle()
    send_everybody_away(postgresql)
    receipt = await one.book(vaccine)
    assert await arrives(two, lambda: two.gateway.ask(FindVisits(receipt.booking), STAFF))
    assert [level.vaccine.reserved for level in await two.gateway.ask(ListVaccines())] == [1]


def send_everybody_away(server: Server) -> None:
    server.say(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'clinic-kiosk' AND pid <> pg_backend_pid()"
    )


async def test_two_kiosks_that_start_at_once_open_one_clinic(postgresql: Server, tmp_path: Path) -> None:
    empty = postgresql.url(postgresql.database(template="template1"))
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
        keep_in(folder, empty, empty)
    share_keys(*folders)
    async with AsyncExitStack() as stack:
        clinics = await asyncio.gather(*(stack.enter_async_context(clinic_in(folder)) for folder in folders))
        assert len({clinic.gateway.identity_key for clinic in clinics}) == 1
        [pin] = [clinic.services.first_pin for clinic in clinics if clinic.services.first_pin]
        actor: Actor = await clinics[0].gateway.ask(Unlock(pin))
        assert actor.roles == STAFF.roles


async def test_kiosks_that_book_at_once_never_give_a_dose_twice(
    kiosks: tuple[OpenClinic, OpenClinic],
) -> None:
    one, two = kiosks
    vaccine = await one.vaccine(doses=40)
    slot = await one.slot()
    receipts = await asyncio.gather(
        *((one, two)[number % 2].book(vaccine, number, slot=slot) for number in range(120))
    )
    assert sum(receipt.status == "reserved" for receipt in receipts) == 40
    await asyncio.gather(one.services.settle(), two.services.settle())
    for kiosk in kiosks:
        [level] = await kiosk.gateway.ask(ListVaccines())
        assert (level.vaccine.reserved, level.waiting) == (40, 80)
    assert await one.violations() == []
    assert await visits(one, receipts) == 40
    pages = [await everything_told(kiosk.settings) for kiosk in kiosks]
    assert pages[0] == pages[1]


async def test_a_server_with_other_defaults_changes_nothing(postgresql: Server, tmp_path: Path) -> None:
    database = postgresql.database()
    for default in ("default_transaction_isolation = 'serializable'", "synchronous_commit = off"):
        postgresql.say(f"ALTER DATABASE {database} SET {default}")
    keep_in(tmp_path, postgresql.url(database), postgresql.url(database))
    async with clinic_in(tmp_path) as one, clinic_in(tmp_path) as two:
        vaccine = await one.vaccine(doses=5)
        slot = await one.slot()
        answers = await asyncio.gather(
            *((one, two)[number % 2].book(vaccine, number, slot=slot) for number in range(10))
        )
        assert sum(answer.status == "reserved" for answer in answers) == 5
        writer: Any = one.gateway.writer
        assert writer._session.cursor.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert await one.violations() == []


async def visits(clinic: OpenClinic, receipts: list[BookingReceipt]) -> int:
    found = [await clinic.gateway.ask(FindVisits(receipt.booking), STAFF) for receipt in receipts]
    assert max(map(len, found)) == 1, "somebody is expected twice"
    return sum(map(len, found))


async def everything_told(settings: Settings) -> list[Any]:
    store = MyPageStore(read_model_engine(settings.read_model_url))
    rows = await store.everything()
    await store.close()
    return rows


async def test_relays_of_two_processes_bring_every_event_to_every_part_once(
    tmp_path: Path, shared: str
) -> None:
    keep_in(tmp_path, shared, shared)  # my page is shared as well: two projectors tell the same one
    async with clinic_in(tmp_path, capacity=1000) as clinic:
        await clinic.vaccine(doses=60)
        processes = [
            PROCESSES.Process(target=book_and_close, args=(str(tmp_path), number * 1000, 50))
            for number in (1, 2)
        ]
        for process in processes:
            process.start()
        for process in processes:
            await asyncio.to_thread(process.join, 60)
        assert [process.exitcode for process in processes] == [0, 0]
        await clinic.services.settle()
        assert await clinic.violations() == []
        [level] = await clinic.gateway.ask(ListVaccines())
        assert (level.vaccine.reserved, level.waiting) == (60, 40)
        with psycopg.connect(psycopg_url(shared)) as connection:
            held = connection.execute("SELECT code FROM booking WHERE status = 'reserved'").fetchall()
            expected = connection.execute("SELECT booking FROM injection").fetchall()
        assert sorted(held) == sorted(expected)
    told = await everything_told(clinic.settings)
    await rebuild_my_page(clinic.settings, lambda done, total: None)
    assert await everything_told(clinic.settings) == told


def psycopg_url(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


# -- the order of the events ---------------------------------------------------------------------

WRITERS, COMMANDS = 4, 150


async def follow_while_many_write(url: str, time: int = 1) -> tuple[list[int], list[int]]:
    """What somebody saw who always asks for what comes after the last event seen; and what there is."""
    writers = [SqlWriter(writer_engine(url), TestClock(), patience=60.0) for _ in range(WRITERS)]
    seen: list[int] = []
    done = threading.Event()

    def follow() -> None:
        with psycopg.connect(psycopg_url(url), autocommit=True) as connection:
            last, ends = 0, False
            while not ends:
                ends = done.is_set()  # before it reads: the last reading begins after the last commit
                found = connection.execute("SELECT seq FROM event WHERE seq > %s ORDER BY seq", (last,))
                seen.extend(row[0] for row in found)
                last = seen[-1] if seen else 0

    follower = threading.Thread(target=follow)
    follower.start()

    def work(uow: Any) -> None:
        uow.emit(VaccineRegistered("V00000000", "Testvax"))

    async def client(number: int) -> None:
        writer = writers[number % WRITERS]
        for turn in range(COMMANDS // WRITERS):
            await writer.run(work, f"{time}-{number}-{turn}", "Tell")

    await asyncio.gather(*(client(number) for number in range(WRITERS * 4)))
    done.set()
    await asyncio.to_thread(follower.join)
    for writer in writers:
        await writer.close()
    with psycopg.connect(psycopg_url(url)) as connection:
        there_are = [row[0] for row in connection.execute("SELECT seq FROM event ORDER BY seq")]
    return seen, there_are


async def test_whoever_follows_the_last_event_seen_misses_none(shared: str) -> None:
    seen, there_are = await follow_while_many_write(shared)
    assert len(there_are) > COMMANDS
    assert seen == there_are


async def test_without_turns_events_would_be_missed(shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_TAKE_TURN", "SELECT 1")
    for time in range(20):  # mostly at once, but a machine may be busy with something else
        seen, there_are = await follow_while_many_write(shared, time)
        if set(seen) < set(there_are):
            return
    pytest.fail("none was missed")


# -- what one kiosk must not do to the others ------------------------------------------------------


async def test_a_kiosk_that_hangs_in_its_turn_does_not_hold_up_the_others(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(backend._SESSION, "idle_in_transaction_session_timeout", "300ms")
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(clinic_in(folder)) for folder in folders]
        vaccine = await one.vaccine(doses=5)
        await one.services.settle()
        begun, goes_on = threading.Event(), threading.Event()

        def hang(uow: Any) -> None:
            loaded = uow.vaccines.get(vaccine)
            uow.vaccines.save(replace(loaded, stock=0))
            begun.set()
            goes_on.wait(PATIENCE_SECONDS)

        hanging = asyncio.create_task(one.gateway.writer.run(hang, "hangs", "Hang"))
        await asyncio.to_thread(begun.wait)
        assert (await two.book(vaccine)).status == "reserved"
        goes_on.set()
        with pytest.raises(RecordsRefused):  # done again on what is there now, which has no room for it
            await hanging
        assert (await one.book(vaccine, 2)).status == "reserved"
        assert await one.violations() == []


async def test_a_value_that_does_not_fit_is_refused_alone(shared: str, tmp_path: Path) -> None:
    keep_in(tmp_path, shared)
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=2)
        answers = await asyncio.gather(
            clinic.book(vaccine, 1),
            clinic.book(vaccine, 2, command_id="x" * 100),
            clinic.book(vaccine, 3),
            return_exceptions=True,
        )
        assert [isinstance(answer, RecordsRefused) for answer in answers] == [False, True, False]
        assert [level.vaccine.reserved for level in await clinic.gateway.ask(ListVaccines())] == [2]
        assert await clinic.violations() == []


async def test_a_refusal_after_many_others_leaves_the_rest_of_its_batch_alone(
    kiosks: tuple[OpenClinic, OpenClinic],
) -> None:
    one, _ = kiosks
    vaccine = await one.vaccine(doses=50)

    def write_read_and_refuse(uow: Any) -> None:
        loaded = uow.vaccines.get(vaccine)
        booking = uow.bookings.first_waiting(vaccine)
        assert booking is None
        uow.staff.save(replace(uow.staff.all()[0], name="somebody else"))
        assert [member.name for member in uow.staff.all()] == ["somebody else"]
        raise NotFound(what=loaded.code)

    refused = [one.gateway.writer.run(write_read_and_refuse, f"refused-{n}", "Refuse") for n in range(10)]
    booked = [one.book(vaccine, number) for number in range(10)]
    mixed = [work for pair in zip(booked, refused, strict=True) for work in pair]
    answers = await asyncio.gather(*mixed, return_exceptions=True)
    assert [type(answer) for answer in answers] == [BookingReceipt, NotFound] * 10
    assert {member.name for member in await one.gateway.reader.answer(*asking_for_staff())} == {"관리자"}
    assert violations(one.settings) == []


def asking_for_staff() -> tuple[Any, ...]:
    from domain.actors import SYSTEM
    from domain.staff import ListStaff

    return ListStaff(), SYSTEM, TestClock().now()


async def test_of_two_servers_named_the_one_that_answers_is_used(postgresql: Server, tmp_path: Path) -> None:
    there = f"host=/nonexistent:5432&host={postgresql.folder}:5432&target_session_attrs=read-write"
    keep_in(tmp_path, f"postgresql+psycopg://clinic@/{postgresql.database()}?{there}")
    async with clinic_in(tmp_path) as clinic:
        receipt = await clinic.book(await clinic.vaccine(doses=1))
        assert len(await arrives(clinic, lambda: clinic.gateway.ask(FindVisits(receipt.booking), STAFF))) == 1


@pytest.mark.parametrize("which", ["records on PostgreSQL", "my page on PostgreSQL"])
async def test_each_half_may_be_on_the_other_kind_of_database(
    which: str, shared: str, tmp_path: Path
) -> None:
    keep_in(tmp_path, *((shared, "") if which.startswith("records") else ("", shared)))
    async with clinic_in(tmp_path) as clinic:
        receipt = await clinic.book(await clinic.vaccine(doses=1))
        await clinic.vaccinate(receipt.booking)
        page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(receipt.booking))
        assert {item.kind for item in page.items} == {"booking", "injection"}
        assert await clinic.violations() == []
        files = {path.name for path in clinic.settings.data_folder.glob("*.db")}
    assert files == ({"mypage.db"} if which.startswith("records") else {"clinic.db"})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://clinic:s3cret@/clinic?host=/nonexistent", "No such file"),
        ("postgresql+psycopg://clinic:s3cret@127.0.0.1:1/clinic", "refused"),
        ("mysql://clinic:s3cret@localhost/clinic", "mysql"),
        ("postgresql+asyncpg://clinic:s3cret@localhost/clinic", "asyncpg"),
        ("s3cret", "cannot be read"),
        ("postgresql://clinic@host:s3cret/clinic", "cannot be read"),
    ],
)
async def test_a_database_that_cannot_be_opened_is_said_in_words_without_its_password(
    url: str, says: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep_in(tmp_path, url)
    with pytest.raises(ClinicError) as refusal:
        async with clinic_in(tmp_path):
            raise AssertionError("it opened")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "s3cret" not in str(refusal.value) + caplog.text + repr(Settings(database_url=url, mypage_url=url))
