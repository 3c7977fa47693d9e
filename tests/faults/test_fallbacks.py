"""A server that is gone: words instead of waiting, and everything as before when it is back."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from domain.errors import MyPageResting, RecordsResting, RecordsUnread, StorageUnavailable
from domain.mypage import GetMyPage
from domain.parts import ListParts, Part
from domain.resilience import Breaker, BreakerState
from kiosk.i18n import Texts, put_in_words
from kiosk.screens.desk.part_words import part_facts
from storage import changes
from storage.changes import Changes, Notify, Others, others_of
from storage.engine import reader_engine
from tests.clinics import STAFF, clinic_in, keep_in
from tests.postgresql import QUICK, CannotStart, Server, running


def rested(breaker: Breaker) -> None:
    """The breaker's rest is over: its clock is moved, not waited for."""
    now = breaker.now() + breaker.longest_rest
    breaker.now = lambda: now


async def test_bookings_go_on_while_my_page_is_gone_and_it_is_back_as_soon_as_it_can(
    tmp_path: Path, server: Server
) -> None:
    keep_in(tmp_path, "", server.url(server.database()))
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=5)
        me = await clinic.recipient((await clinic.book(vaccine, 1)).booking)
        assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1
        server.kill()
        breaker = clinic.gateway.breakers.my_page
        breaker.limit = 0.2
        for _ in range(breaker.failures + 1):
            with pytest.raises(MyPageResting) as turned_away:
                await clinic.gateway.ask(GetMyPage(), me)
            assert "kept" in str(turned_away.value)
        assert breaker.state is BreakerState.OPEN
        assert (await clinic.book(vaccine, 2)).status == "reserved"

        server.start()
        breaker.limit = 10.0
        rested(breaker)
        await clinic.services.settle()
        assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1
        assert breaker.state is BreakerState.CLOSED


async def test_a_server_that_crashes_as_soon_as_my_page_was_opened_still_has_its_tables(
    tmp_path: Path,
) -> None:
    try:
        with running({**QUICK, "wal_writer_delay": "10s"}) as server:  # nothing but a commit writes its log
            keep_in(tmp_path, "", server.url(database := server.database()))
            async with clinic_in(tmp_path, parts=()):
                server.kill()
                server.start()
                server.say("SELECT position FROM mypage_state", database)
    except CannotStart as problem:
        pytest.skip(f"no PostgreSQL here: {problem}")


async def test_my_page_whose_tables_were_taken_away_meanwhile_is_told_again(
    tmp_path: Path, server: Server
) -> None:
    database = server.database()
    keep_in(tmp_path, "", server.url(database))
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=5)
        me = await clinic.recipient((await clinic.book(vaccine, 1)).booking)
        await clinic.services.settle()
        server.say("DROP TABLE mypage_state, mypage_item, mypage_person", database)
        with pytest.raises(RecordsUnread):
            await clinic.gateway.ask(GetMyPage(), me)
        await clinic.book(vaccine, 2)
        await clinic.services.settle()
        assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1


async def test_the_clinic_opens_while_my_page_is_gone_and_says_what_is_not_known(
    tmp_path: Path, server: Server
) -> None:
    keep_in(tmp_path, "", server.url(server.database()))
    server.kill()
    async with clinic_in(tmp_path) as clinic:
        vaccine = await clinic.vaccine(doses=5)
        receipt = await clinic.book(vaccine, 1)
        assert receipt.status == "reserved"
        parts = {state.name: state for state in await clinic.gateway.ask(ListParts(), STAFF)}
        assert [name for name, state in parts.items() if state.away] == [Part.MY_PAGE]
        facts = {fact.label: fact for fact in part_facts(parts[Part.MY_PAGE], None)}
        assert "cannot be reached" in put_in_words(facts["parts.lag"].words, Texts("en"))

        server.start()
        await clinic.services.settle()
        me = await clinic.recipient(receipt.booking)
        assert not any(state.away for state in await clinic.gateway.ask(ListParts(), STAFF))
        assert len((await clinic.gateway.ask(GetMyPage(), me)).items) == 1


async def test_nobody_waits_for_records_that_are_gone_and_the_first_to_try_finds_them_back(
    tmp_path: Path, server: Server
) -> None:
    keep_in(tmp_path, server.url(server.database()))
    async with clinic_in(tmp_path, parts=()) as clinic:
        vaccine, slot = await clinic.vaccine(doses=5), await clinic.slot()
        breaker = clinic.gateway.breakers.records
        assert breaker
        server.kill()
        for number in range(breaker.failures):
            with pytest.raises(StorageUnavailable):
                await clinic.book(vaccine, number, slot=slot)
        with pytest.raises(RecordsResting) as turned_away:
            await clinic.book(vaccine, 9, slot=slot)
        assert turned_away.value.facts == {"seconds": 1}

        server.start()
        rested(breaker)
        assert (await clinic.book(vaccine, 9, slot=slot)).status == "reserved"
        assert breaker.state is BreakerState.CLOSED
        assert await clinic.violations() == []


class Counted:
    """How often it was tried to hear the others."""

    def __init__(self, others: Others) -> None:
        self._others = others
        self.times = 0

    async def watch(self, changed: Notify) -> None:
        self.times += 1
        await self._others.watch(changed)


async def test_an_outage_is_logged_when_it_begins_and_when_it_is_over(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Said every second, it would take everything else out of the log."""
    monkeypatch.setattr(changes, "PAUSE_SECONDS", 0.01)
    caplog.set_level(logging.INFO, "storage.changes")
    engine = reader_engine(server.url(server.database()))
    others = Counted(others_of(engine, "me"))
    listening = Changes(others)
    heard = asyncio.Event()
    listening.listen(heard.set)
    async with asyncio.timeout(60):
        for _ in range(2):
            await heard.wait()
            server.kill()
            tried = others.times
            while others.times < tried + 5:  # noqa: ASYNC110 - it is tried again and again
                await asyncio.sleep(0.01)
            heard.clear()
            server.start()
        await heard.wait()
    await listening.close()
    await engine.dispose()
    said = [record.getMessage() for record in caplog.records if record.name == changes.__name__]
    assert said[1::2] == ["other kiosks' changes are noticed again"] * 2
    assert [line.partition(":")[0] for line in said[::2]] == ["no notice of other kiosks' changes"] * 2
