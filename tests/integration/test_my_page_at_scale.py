"""My page told again beside a clinic at work, read while nobody tells it, and damaged."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from domain.booking import CancelBooking
from domain.errors import StorageUnavailable
from domain.mypage import GetMyPage
from kiosk.settings import Settings
from kiosk.upkeep import rebuild_my_page
from storage import rebuild
from storage.engine import for_writing, read_model_engine, reader_engine, writer_engine
from storage.fresh import FreshPages
from storage.leases import leases_of
from storage.mypage import MyPageStore
from tests.clinics import STAFF, OpenClinic, clinic_in, settings_in, violations
from tests.integration.test_records import environment, lose_the_view
from tests.many import make_many

PROCESSES = multiprocessing.get_context("spawn")
SMALL = 25
"""Events in a step of the rebuild, so that a small clinic takes many."""


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "BATCH", SMALL)


async def view_of(settings: Settings) -> list[tuple[Any, ...]]:
    store = MyPageStore(read_model_engine(settings.read_model_url))
    rows = await store.everything()
    await store.close()
    return rows


async def position_of(settings: Settings) -> int:
    store = MyPageStore(read_model_engine(settings.read_model_url))
    position = await store.position()
    await store.close()
    return position


async def told_by_the_projector(folder: Path) -> list[tuple[Any, ...]]:
    """The view of this closed clinic, told from nothing by the projector alone."""
    await lose_the_view(settings_in(folder))
    async with clinic_in(folder) as clinic:
        await clinic.services.settle()
    return await view_of(clinic.settings)


async def tables_of(settings: Settings) -> set[str]:
    engine = read_model_engine(settings.read_model_url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    return {name for name in names if name.startswith("mypage")}


THREE = {"mypage_person", "mypage_item", "mypage_state"}


async def silently(settings: Settings) -> int:
    return await rebuild_my_page(settings, lambda done, total: None)


async def test_many_told_again_are_what_the_projector_tells_of_them(clinic_folder: Path) -> None:
    settings = settings_in(clinic_folder)
    await make_many(settings, 60)
    assert violations(settings) == []
    progress: list[tuple[int, int]] = []
    told = await rebuild_my_page(settings, lambda done, total: progress.append((done, total)))
    again = await view_of(settings)
    assert len(again) > 100
    assert await position_of(settings) == told  # though no projector was there to move it
    assert await tables_of(settings) == THREE
    assert [done for done, _ in progress] == sorted({done for done, _ in progress})
    assert len(progress) > told // SMALL
    assert progress[-1] == (told, told)
    assert again == await told_by_the_projector(clinic_folder)


async def test_a_clinic_books_while_its_view_is_told_again(clinic_folder: Path) -> None:
    await make_many(settings_in(clinic_folder), 60)
    async with clinic_in(clinic_folder, capacity=100) as clinic:
        vaccine = await clinic.vaccine(doses=100, key="another")
        slot = await clinic.slot()

        async def book(numbers: range) -> None:
            for number in numbers:
                receipt = await clinic.book(vaccine, number, slot=slot)
                if number % 3 == 0:
                    await clinic.gateway.send(CancelBooking(receipt.booking), STAFF)

        await asyncio.gather(silently(clinic.settings), book(range(1000, 1030)), book(range(2000, 2030)))
        await clinic.services.settle()
        kept = await view_of(clinic.settings)
        await book(range(3000, 3003))  # the projector finds its place in the new view
        me = await clinic.recipient((await clinic.book(vaccine, 3003, slot=slot)).booking)
        assert [item.status for item in (await clinic.gateway.ask(GetMyPage(), me)).items] == ["reserved"]
        await clinic.services.settle()
        told = await view_of(clinic.settings)
    assert len(told) > len(kept) > 100
    assert told == await told_by_the_projector(clinic_folder)


async def test_what_happens_just_before_the_swap_is_in_the_new_view(
    clinic_folder: Path,
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        vaccine = await a_morning(clinic)
        held, go_on = asyncio.Event(), threading.Semaphore(0)
        loop, holds = asyncio.get_running_loop(), 0

        def hold(done: int, total: int) -> None:
            """Twice at the end: before the index is made, and before the views change places."""
            nonlocal holds
            if done == total and holds < 2:
                holds += 1
                loop.call_soon_threadsafe(held.set)
                assert go_on.acquire(timeout=30)

        told = asyncio.create_task(
            asyncio.to_thread(lambda: asyncio.run(rebuild_my_page(clinic.settings, hold)))
        )
        for number in (101, 102):
            await asyncio.wait_for(held.wait(), 30)
            held.clear()
            await clinic.book(vaccine, number)
            go_on.release()
        await told
        await clinic.services.settle()
        kept = await view_of(clinic.settings)
    assert holds == 2
    assert kept == await told_by_the_projector(clinic_folder)


async def test_of_two_who_tell_it_again_the_second_is_refused(clinic: OpenClinic) -> None:
    await a_morning(clinic)
    before = await view_of(clinic.settings)
    engine = read_model_engine(clinic.settings.read_model_url)
    leases = leases_of(engine)
    async with leases.hold(rebuild.LEASE) as first:
        assert first
        with pytest.raises(StorageUnavailable, match="already"):
            await silently(clinic.settings)
    await leases.close()
    await engine.dispose()
    assert await view_of(clinic.settings) == before
    assert await silently(clinic.settings) > SMALL


async def a_morning(clinic: OpenClinic) -> str:
    vaccine = await clinic.vaccine(doses=12)
    receipts = [await clinic.book(vaccine, number) for number in range(12)]
    await clinic.vaccinate(receipts[0].booking)
    await clinic.gateway.send(CancelBooking(receipts[1].booking), STAFF)
    await clinic.services.settle()
    return vaccine


def killed_half_way(settings: Settings) -> None:
    """In a process of its own, which ends at the third step."""
    rebuild.BATCH = 10
    steps = 0

    def step(done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(rebuild_my_page(settings, step))


async def test_a_rebuild_that_is_killed_changes_nothing_and_leaves_nothing_to_the_next(
    clinic_folder: Path,
) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_morning(clinic)
        before = await view_of(clinic.settings)
        process = PROCESSES.Process(target=killed_half_way, args=(clinic.settings,))
        process.start()
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode == -signal.SIGKILL
        assert await tables_of(clinic.settings) > THREE
        assert await view_of(clinic.settings) == before
        await silently(clinic.settings)
        assert await tables_of(clinic.settings) == THREE
        assert await view_of(clinic.settings) == before


async def test_an_event_that_cannot_be_told_keeps_no_other_from_being_told(clinic: OpenClinic) -> None:
    await a_morning(clinic)
    before = await view_of(clinic.settings)
    engine = writer_engine(clinic.settings.records_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE event SET payload = '{}' WHERE name = 'BookingCancelled'"),
        )
    engine.dispose()
    await silently(clinic.settings)
    after = await view_of(clinic.settings)
    assert len(after) == len(before)
    assert [row for row in before if row not in after] == [row for row in before if "cancelled" in row]


async def test_people_see_what_they_have_just_done_while_nobody_tells_my_page(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, parts=()) as clinic:
        vaccine = await clinic.vaccine(doses=1)
        first = await clinic.book(vaccine, 1)
        waiting = await clinic.book(vaccine, 2)
        me, other = await clinic.recipient(first.booking), await clinic.recipient(waiting.booking)
        records = reader_engine(clinic.settings.records_url)
        store = MyPageStore(read_model_engine(clinic.settings.read_model_url))
        pages = FreshPages(records, store)
        assert (await store.page_of(me.code)).items == []
        page = await pages.page_of(me.code)
        assert [(item.code, item.status) for item in page.items] == [(first.booking, "reserved")]
        assert page.name
        await silently(clinic.settings)
        await clinic.gateway.send(CancelBooking(first.booking), STAFF)
        statuses = [(await pages.page_of(who.code)).items[0].status for who in (me, other)]
        assert statuses == ["cancelled", "reserved"]
        fresh = [await pages.page_of(who.code) for who in (me, other)]
        await silently(clinic.settings)
        told = [await store.page_of(who.code) for who in (me, other)]
        assert [(page.name, page.items) for page in fresh] == [(page.name, page.items) for page in told]
        await store.close()
        await records.dispose()


def damage(file: Path, how: str) -> None:
    with file.open("r+b") as content:
        if how == "no database at all":
            content.truncate(0)
            content.write(b"not what should be here " * 100)
        else:  # everything behind the page with the layout of the tables
            size = content.seek(0, os.SEEK_END)
            content.seek(4096)
            content.write(b"\xa5" * (size - 4096))


@pytest.mark.parametrize("how", ["no database at all", "a page in the middle"])
async def test_a_damaged_view_is_put_aside_and_told_again_when_the_clinic_opens(
    tmp_path: Path, how: str
) -> None:
    async with clinic_in(tmp_path) as clinic:
        await a_morning(clinic)
        before = await view_of(clinic.settings)
    damage(clinic.settings.data_folder / "mypage.db", how)
    async with clinic_in(tmp_path) as clinic:
        await clinic.services.settle()
        assert await view_of(clinic.settings) == before
        assert (clinic.settings.data_folder / "mypage.db-damaged").exists()


async def test_a_view_that_is_damaged_at_work_is_refused_in_words_until_it_is_told_again(
    tmp_path: Path,
) -> None:
    async with clinic_in(tmp_path) as clinic:
        await a_morning(clinic)
        before = await view_of(clinic.settings)
        vaccine = await clinic.vaccine(doses=1, key="another")
        me = await clinic.recipient((await clinic.book(vaccine, 77)).booking)
        await clinic.services.settle()
        engine = for_writing(read_model_engine(clinic.settings.read_model_url))
        async with engine.begin() as connection:
            await connection.execute(text("PRAGMA writable_schema = ON"))
            await connection.execute(
                text("UPDATE sqlite_schema SET rootpage = 999999 WHERE tbl_name = 'mypage_item'")
            )
            await connection.execute(text("PRAGMA schema_version = 9999"))
        await engine.dispose()
        with pytest.raises(StorageUnavailable):
            await clinic.gateway.ask(GetMyPage(), me)
        await silently(clinic.settings)
        page = await clinic.gateway.ask(GetMyPage(), me)
        assert [item.status for item in page.items] == ["reserved"]
        assert len(await view_of(clinic.settings)) == len(before) + 2


async def test_the_command_line_says_how_far_it_is(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder) as clinic:
        await a_morning(clinic)
    command = [sys.executable, "-m", "kiosk", "mypage", "rebuild"]
    environs = environment(clinic.settings)

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more], env=environs, capture_output=True, text=True, check=False, timeout=60
        )

    plain, quiet = run(), run("--quiet")
    told = int(plain.stdout)
    assert (plain.returncode, quiet.returncode, quiet.stdout) == (0, 0, plain.stdout)
    assert f"{told} of {told} events\n" in plain.stderr
    assert "events/s" in plain.stderr
    assert quiet.stderr == ""
    drawn, shown = run_on_a_terminal(command, environs)
    assert drawn == 0
    assert f"{told}/{told}" in shown


def run_on_a_terminal(command: list[str], environs: dict[str, str]) -> tuple[int, str]:
    """Its exit code, and what it draws, read while it draws: a terminal that nobody reads holds it up."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environs, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        drawn = b""
        with contextlib.suppress(OSError):  # how a terminal says that the other side is gone
            while some := os.read(ours, 4096):
                drawn += some
    os.close(ours)
    return process.returncode, drawn.decode()


async def test_a_kiosk_opens_the_view_that_another_has_put_in_place_of_its_own(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        vaccine = await a_morning(clinic)
        engine = read_model_engine(clinic.settings.read_model_url)
        async with engine.connect() as connection:  # opened before anybody follows the file
            await connection.execute(text("SELECT 1"))
        store = MyPageStore(engine)
        before = await store.everything()
    for file in clinic.settings.data_folder.glob("mypage.db*"):  # as another process puts them aside
        file.rename(f"{file}-damaged")
    async with clinic_in(tmp_path) as clinic:
        await clinic.book(vaccine, 500)
        await clinic.services.settle()
        assert len(await store.everything()) == len(before) + 2
    await store.close()
