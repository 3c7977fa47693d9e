"""Two hundred people at once, fifty doses: nobody is overbooked, and the wait list is fair."""

from __future__ import annotations

import asyncio
from pathlib import Path

from domain.actors import PUBLIC
from domain.booking import BookingStatus, CancelBooking, GetBooking
from domain.vaccine import ListLedger, ListVaccines
from tests.clinics import STAFF, OpenClinic, clinic_in

PEOPLE, DOSES, CANCELLED = 200, 50, 10


async def levels(clinic: OpenClinic) -> tuple[int, int, int]:
    [level] = await clinic.gateway.ask(ListVaccines())
    return level.vaccine.stock, level.vaccine.reserved, level.waiting


async def ledger_sums(clinic: OpenClinic, vaccine: str) -> tuple[int, int]:
    entries = [line.entry for line in await clinic.gateway.ask(ListLedger(vaccine, limit=10_000), STAFF)]
    return sum(entry.stock_delta for entry in entries), sum(entry.reserved_delta for entry in entries)


async def test_two_hundred_people_at_once_get_fifty_doses_and_a_fair_wait_list(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, capacity=PEOPLE) as clinic:
        vaccine = await clinic.vaccine(doses=DOSES)
        slot = await clinic.slot()
        receipts = await asyncio.gather(*(clinic.book(vaccine, n, slot=slot) for n in range(PEOPLE)))

        reserved = [r.booking for r in receipts if r.status is BookingStatus.RESERVED]
        waiting = [r.booking for r in receipts if r.status is BookingStatus.WAITING]
        assert (len(reserved), len(waiting)) == (DOSES, PEOPLE - DOSES)
        # In order: whoever asked first was served first.
        assert [r.status for r in receipts] == ["reserved"] * DOSES + ["waiting"] * (PEOPLE - DOSES)
        assert await levels(clinic) == (DOSES, DOSES, PEOPLE - DOSES)
        assert await ledger_sums(clinic, vaccine) == (DOSES, DOSES)
        assert await clinic.violations() == []

        places = [(await clinic.gateway.ask(GetBooking(code), STAFF)).ahead for code in waiting]
        assert places == list(range(PEOPLE - DOSES))

        for number, code in enumerate(reserved[:CANCELLED], start=1):
            await clinic.gateway.send(CancelBooking(code), await clinic.recipient(code))
            statuses = [
                (await clinic.gateway.ask(GetBooking(w), STAFF)).booking.status
                for w in waiting[: CANCELLED + 1]
            ]
            assert statuses == ["reserved"] * number + ["waiting"] * (CANCELLED + 1 - number)
            assert await levels(clinic) == (DOSES, DOSES, PEOPLE - DOSES - number)
            assert await ledger_sums(clinic, vaccine) == (DOSES, DOSES)
        assert await clinic.violations() == []


async def test_ten_cancelling_at_once_promote_the_first_ten_who_wait(clinic_folder: Path) -> None:
    async with clinic_in(clinic_folder, capacity=PEOPLE) as clinic:
        vaccine = await clinic.vaccine(doses=DOSES)
        slot = await clinic.slot()
        receipts = await asyncio.gather(*(clinic.book(vaccine, n, slot=slot) for n in range(PEOPLE)))
        codes = [receipt.booking for receipt in receipts]
        owners = [await clinic.recipient(code) for code in codes[:CANCELLED]]
        await asyncio.gather(
            *(
                clinic.gateway.send(CancelBooking(code), owner)
                for code, owner in zip(codes, owners, strict=False)
            )
        )
        promoted = [
            code
            for code in codes[DOSES:]
            if (await clinic.gateway.ask(GetBooking(code), STAFF)).booking.status is BookingStatus.RESERVED
        ]
        assert promoted == codes[DOSES : DOSES + CANCELLED]
        assert await levels(clinic) == (DOSES, DOSES, PEOPLE - DOSES - CANCELLED)
        assert await clinic.violations() == []


async def test_the_same_command_id_books_once_and_answers_the_same(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=5)
    answers = await asyncio.gather(
        *(clinic.book(vaccine, 1, actor=PUBLIC, command_id="pressed-twice") for _ in range(20))
    )
    assert len({answer.booking for answer in answers}) == 1
    assert await levels(clinic) == (5, 1, 0)
