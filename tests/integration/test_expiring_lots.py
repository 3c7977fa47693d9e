"""A lot that expires: nothing is promised for the days after it, and at midnight it leaves the stock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from domain.actors import Actor
from domain.booking import BookingReceipt, GetBooking
from domain.clinic import Clinic, Opening, Schedule
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import DoseKeepsUntil, StorageUnavailable
from domain.messages import Query
from domain.ports import Reader
from domain.vaccine import AddStock, ListLots, ListVaccines
from domain.visit import CheckIn, FindVisits
from kiosk.nightly import every_day, write_off_expired
from tests.clinics import STAFF, OpenClinic, clinic_in

R = TypeVar("R")


async def test_a_dose_is_promised_up_to_the_last_day_of_its_lot_also_within_a_batch(
    clinic: OpenClinic,
) -> None:
    vaccine = await clinic.vaccine(doses=1)  # keeps for thirty days
    early = AddStock(vaccine, "EARLY", clinic.today + timedelta(days=1), 2)
    await clinic.gateway.send(early, STAFF)
    late = await clinic.slot(day=5)
    answers = await asyncio.gather(
        *(clinic.book(vaccine, number, slot=late) for number in range(1, 5)), return_exceptions=True
    )
    assert sum(isinstance(answer, DoseKeepsUntil) for answer in answers) == 3
    refusal = next(answer for answer in answers if isinstance(answer, DoseKeepsUntil))
    assert refusal.facts["date"] == clinic.today + timedelta(days=1)
    await clinic.book(vaccine, 7, slot=await clinic.slot(day=1))
    assert await clinic.violations() == []


async def test_at_midnight_expired_doses_leave_the_stock_and_their_holders_wait(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=0)
    await clinic.gateway.send(AddStock(vaccine, "EARLY", clinic.today, 2), STAFF)
    holder = await clinic.book(vaccine, 1)
    night = asyncio.create_task(every_day(clinic.gateway, lambda: None, look=0.01))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await _without(clinic, doses=2)
    clinic.clock.move(days=1)
    async with asyncio.timeout(10):
        await _without(clinic, doses=2)
    night.cancel()
    with suppress(asyncio.CancelledError):
        await night
    detail = await clinic.gateway.ask(GetBooking(holder.booking), STAFF)
    assert detail.booking.status == "waiting"
    assert await clinic.violations() == []


async def test_who_never_came_loses_the_dose_that_expired_and_not_who_is_yet_to_come(
    clinic: OpenClinic,
) -> None:
    vaccine = await clinic.vaccine(doses=2)
    await clinic.gateway.send(AddStock(vaccine, "EARLY", clinic.today, 2), STAFF)
    here, missed = [await clinic.book(vaccine, number) for number in (1, 2)]
    expected = [await clinic.book(vaccine, number, slot=await clinic.slot(day=5)) for number in (3, 4)]
    await clinic.services.settle()
    [visit] = await clinic.gateway.ask(FindVisits(here.booking), STAFF)
    await clinic.gateway.send(CheckIn(visit.injection.code), STAFF)
    clinic.clock.move(days=1)
    await write_off_expired(clinic.gateway)
    assert await _statuses(clinic, here, missed, *expected) == ["reserved", "waiting", "reserved", "waiting"]
    await clinic.services.settle()
    assert await clinic.violations() == []


async def _statuses(clinic: OpenClinic, *receipts: BookingReceipt) -> list[str]:
    details = [await clinic.gateway.ask(GetBooking(receipt.booking), STAFF) for receipt in receipts]
    return [detail.booking.status for detail in details]


async def test_who_comes_at_midnight_after_a_lot_expires_needs_one_that_keeps_longer(
    clinic_folder: Path,
) -> None:
    at_night = Clinic(schedule=Schedule(openings=(Opening(time(0), time(12)),), weekdays=frozenset(range(7))))
    async with clinic_in(clinic_folder, clinic=at_night) as clinic:
        vaccine = await clinic.vaccine(doses=1)
        await clinic.gateway.send(AddStock(vaccine, "EARLY", clinic.today, 1), STAFF)
        midnight = at_night.start_of(clinic.today + timedelta(days=1))
        await clinic.book(vaccine, 1, slot=midnight)
        with pytest.raises(DoseKeepsUntil):
            await clinic.book(vaccine, 2, slot=midnight + timedelta(hours=1))


class FailsOnce:
    """Records that cannot be read the first time."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.failed = reader, False

    async def answer(self, query: Query[R], actor: Actor, now: datetime) -> R:
        if self.failed:
            return await self.reader.answer(query, actor, now)
        self.failed = True
        raise StorageUnavailable(reason="away")


async def test_a_night_that_failed_is_tried_again(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=0)
    await clinic.gateway.send(AddStock(vaccine, "EARLY", clinic.today, 2), STAFF)
    clinic.clock.move(days=1)
    reader = FailsOnce(clinic.gateway.reader)
    night = asyncio.create_task(every_day(replace(clinic.gateway, reader=reader), lambda: None, look=0.01))
    async with asyncio.timeout(10):
        await _without(clinic, doses=2)
    night.cancel()
    with suppress(asyncio.CancelledError):
        await night
    assert reader.failed


async def test_the_next_morning_a_dose_moves_to_and_from_a_lot_that_expired(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=2)
    await clinic.gateway.send(AddStock(vaccine, "EARLY", clinic.today, 2), STAFF)
    given = await clinic.vaccinate((await clinic.book(vaccine, 1)).booking)
    clinic.clock.move(days=1)
    await write_off_expired(clinic.gateway)
    await clinic.gateway.send(CorrectInjection(given.code, "it was EARLY", lot="EARLY"), STAFF)
    assert await _remaining(clinic, vaccine) == {"EARLY": 0, "LOT1": 2}
    await clinic.gateway.send(VoidInjection(given.code, "never given", dose_returned=True), STAFF)
    assert await _remaining(clinic, vaccine) == {"EARLY": 0, "LOT1": 2}
    assert await clinic.violations() == []


async def _remaining(clinic: OpenClinic, vaccine: str) -> dict[str, int]:
    return {lot.number: lot.remaining for lot in await clinic.gateway.ask(ListLots(vaccine), STAFF)}


async def _without(clinic: OpenClinic, doses: int) -> None:
    while (await clinic.gateway.ask(ListVaccines()))[0].vaccine.stock == doses:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
