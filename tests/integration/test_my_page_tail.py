"""My page as of now, whatever the projector is doing: what is kept of the newest events is never stale."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actors import Actor
from domain.booking import CancelBooking
from domain.mypage import MyPage
from storage import mypage, tail
from storage.engine import for_writing, read_model_engine, reader_engine, writer_engine
from storage.fresh import FreshPages
from storage.mypage import MyPageStore
from storage.outbox import Outbox
from tests.clinics import STAFF, OpenClinic, clinic_in, settings_in


@dataclass
class Untold:
    """A clinic without a projector: its view is told by hand."""

    clinic: OpenClinic
    records: AsyncEngine
    view: AsyncEngine
    store: MyPageStore

    def pages(self) -> FreshPages:
        return FreshPages(self.records, self.store)

    async def tell(self, most: int) -> None:
        events = await Outbox(self.records).after(await self.store.position(), most)
        await self.store.tell(events.events)

    async def begin_anew(self) -> None:
        async with for_writing(self.view).begin() as connection:
            await connection.execute(delete(mypage.item))
            await connection.execute(delete(mypage.person))
            await connection.execute(update(mypage.state).values(position=0))

    def in_the_records(self, statement: object, **values: object) -> None:
        engine = writer_engine(self.clinic.settings.records_url)
        with engine.begin() as connection:
            connection.execute(statement, values)  # type: ignore[call-overload]
        engine.dispose()


@pytest.fixture
async def untold(clinic_folder: Path) -> AsyncIterator[Untold]:
    settings = settings_in(clinic_folder)
    async with clinic_in(clinic_folder, parts=()) as clinic:
        view = read_model_engine(settings.read_model_url)
        untold = Untold(clinic, reader_engine(settings.records_url), view, MyPageStore(view))
        yield untold
        await untold.store.close()
        await untold.records.dispose()


def shown(page: MyPage) -> list[tuple[str, str]]:
    return [(item.code, item.status) for item in page.items]


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_read_before_changes_nothing_of_what_is_seen(
    untold: Untold, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Somebody who has looked all the time sees what somebody sees who looks for the first time."""
    monkeypatch.setattr(tail, "LONGEST", 4)  # so that it is begun anew again and again
    random, clinic, pages = Random(seed), untold.clinic, untold.pages()
    vaccine = await clinic.vaccine(doses=5)
    bookings: list[str] = []
    people: list[Actor] = []
    for step in range(40):
        match random.choice(["book", "book", "cancel", "tell", "tell", "anew"]):
            case "cancel" if bookings:
                await clinic.gateway.send(CancelBooking(bookings.pop()), STAFF)
            case "tell":
                await untold.tell(random.randint(1, 6))
            case "anew":
                await untold.begin_anew()
            case _:
                receipt = await clinic.book(vaccine, step)
                bookings.append(receipt.booking)
                people.append(await clinic.recipient(receipt.booking))
        for person in random.sample(people, min(2, len(people))):
            page = await pages.page_of(person.code)
            assert page == await untold.pages().page_of(person.code)
            assert len(page.items) == 1


async def test_events_that_were_put_back_are_seen_and_those_before_them_no_more(untold: Untold) -> None:
    """A server put back to an earlier state gives the same places to other events."""
    vaccine = await untold.clinic.vaccine(doses=5)
    receipts = [await untold.clinic.book(vaccine, number) for number in range(2)]
    me, other = [await untold.clinic.recipient(receipt.booking) for receipt in receipts]
    pages = untold.pages()
    assert shown(await pages.page_of(other.code)) == [(receipts[1].booking, "reserved")]
    last = await Outbox(untold.records).last()
    untold.in_the_records(
        text(
            "UPDATE event SET id = 'another:' || seq, payload = replace(payload, :other, :me) WHERE seq > :n"
        ),
        other=other.code,
        me=me.code,
        n=last - 3,
    )
    assert shown(await pages.page_of(other.code)) == []
    assert {code for code, _ in shown(await pages.page_of(me.code))} == {r.booking for r in receipts}


async def test_a_damaged_event_hides_no_other(untold: Untold) -> None:
    vaccine = await untold.clinic.vaccine(doses=5)
    receipts = [await untold.clinic.book(vaccine, number) for number in range(2)]
    damaged, whole = [await untold.clinic.recipient(receipt.booking) for receipt in receipts]
    broken = "CAST(x'7bff00fe' AS TEXT)" if untold.records.dialect.name == "sqlite" else "'{'"
    untold.in_the_records(
        text(f"UPDATE event SET payload = {broken} WHERE payload LIKE :who"), who=f"%{damaged.code}%"
    )
    pages = untold.pages()
    assert shown(await pages.page_of(whole.code)) == [(receipts[1].booking, "reserved")]
    assert shown(await pages.page_of(damaged.code)) == []


async def test_a_view_far_behind_shows_what_it_has_and_the_newest(
    untold: Untold, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await untold.clinic.vaccine(doses=5)
    receipts = [await untold.clinic.book(vaccine, number) for number in range(3)]
    first, _, last = [await untold.clinic.recipient(receipt.booking) for receipt in receipts]
    events = await Outbox(untold.records).after(0, 100)
    of_the_last = [recorded for recorded in events.events if last.code in repr(recorded.event)]
    monkeypatch.setattr(tail, "REACH", len(of_the_last))
    pages = untold.pages()
    assert shown(await pages.page_of(last.code)) == [(receipts[2].booking, "reserved")]
    assert shown(await pages.page_of(first.code)) == []


async def test_what_the_view_knows_is_forgotten(untold: Untold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LONGEST", 1)
    vaccine = await untold.clinic.vaccine(doses=5)
    newest = tail.Tail(untold.records)
    receipt = await untold.clinic.book(vaccine)
    person = (await untold.clinic.recipient(receipt.booking)).code
    last = await Outbox(untold.records).last()
    assert await newest.of(person, 0)
    assert newest.kept > 1
    assert await newest.of(person, last) == []
    assert newest.kept == 0


async def test_while_the_view_stands_still_no_more_is_kept_than_is_looked_through(
    untold: Untold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "REACH", 6)
    monkeypatch.setattr(tail, "LONGEST", 2)
    vaccine = await untold.clinic.vaccine(doses=20)
    newest = tail.Tail(untold.records)
    for number in range(12):
        receipt = await untold.clinic.book(vaccine, number)
        person = (await untold.clinic.recipient(receipt.booking)).code
        assert len(await newest.of(person, 0)) == 2
    assert 6 <= newest.kept <= 16 < await Outbox(untold.records).last()
