"""The doses of a day, lot by lot, against what was done on it."""

from __future__ import annotations

from datetime import date, timedelta

from domain.correction import CorrectInjection, VoidInjection
from domain.stock import EntryKind
from domain.vaccine import AddStock, ListLotDays, QuarantineLot, WriteOffStock
from tests.clinics import STAFF, OpenClinic

Day = dict[str, tuple[int, dict[EntryKind, int], int]]
RECEIVED, GIVEN, CORRECTED = EntryKind.RECEIVED, EntryKind.GIVEN, EntryKind.CORRECTED


async def day_of(clinic: OpenClinic, day: date) -> Day:
    days = await clinic.gateway.ask(ListLotDays(day), STAFF)
    return {day.lot.number: (day.opening, dict(day.moved), day.closing) for day in days}


async def test_each_day_says_what_it_began_with_what_moved_and_what_was_left(clinic: OpenClinic) -> None:
    first, send = clinic.today, clinic.gateway.send
    vaccine = await clinic.vaccine(doses=5)
    await clinic.vaccine(doses=2, key="other", lot="OTHER")
    doses = [await clinic.vaccinate((await clinic.book(vaccine, number)).booking) for number in range(3)]
    as_it_was = {
        "LOT1": (0, {RECEIVED: 5, GIVEN: -3}, 2),
        "OTHER": (0, {RECEIVED: 2}, 2),
    }
    assert await day_of(clinic, first) == as_it_was
    await clinic.book(vaccine, 9)  # a dose that is promised is still in the fridge

    clinic.clock.move(days=1)
    second = clinic.today
    assert await day_of(clinic, second) == {"LOT1": (2, {}, 2), "OTHER": (2, {}, 2)}
    await send(AddStock(vaccine, "LOT2", second + timedelta(days=9), 4), STAFF)
    await send(CorrectInjection(doses[0].code, "라벨 확인", lot="LOT2"), STAFF)
    await send(VoidInjection(doses[1].code, "주사하지 않음", dose_returned=True), STAFF)
    await send(WriteOffStock(vaccine, "LOT2", 1, "파손"), STAFF)
    await send(QuarantineLot(vaccine, "LOT1", "회수"), STAFF)
    assert await day_of(clinic, second) == {
        "LOT2": (0, {RECEIVED: 4, CORRECTED: -1, EntryKind.WRITTEN_OFF: -1}, 2),
        "LOT1": (2, {CORRECTED: 2, EntryKind.QUARANTINED: -4}, 0),
        "OTHER": (2, {}, 2),
    }
    assert await day_of(clinic, first) == as_it_was

    clinic.clock.move(days=1)
    assert await day_of(clinic, clinic.today) == {"LOT2": (2, {}, 2), "OTHER": (2, {}, 2)}
    assert await day_of(clinic, first - timedelta(days=1)) == {}


async def test_midnight_is_the_next_day(clinic: OpenClinic) -> None:
    vaccine, first = await clinic.vaccine(doses=5), clinic.today
    clinic.clock.move(hours=14, minutes=29, seconds=59)
    await clinic.gateway.send(WriteOffStock(vaccine, "LOT1", 1, "파손"), STAFF)
    clinic.clock.move(seconds=1)
    await clinic.gateway.send(WriteOffStock(vaccine, "LOT1", 2, "파손"), STAFF)
    assert clinic.today == first + timedelta(days=1)
    assert await day_of(clinic, first) == {"LOT1": (0, {RECEIVED: 5, EntryKind.WRITTEN_OFF: -1}, 4)}
    assert await day_of(clinic, clinic.today) == {"LOT1": (4, {EntryKind.WRITTEN_OFF: -2}, 2)}


async def test_kiosks_whose_clocks_differ_lose_nothing_of_a_day(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=5)
    booked = [(await clinic.book(vaccine, number)).booking for number in range(2)]
    await clinic.vaccinate(booked[0])
    clinic.clock.move(days=1)
    await clinic.gateway.send(WriteOffStock(vaccine, "LOT1", 1, "파손"), STAFF)
    clinic.clock.move(hours=-10)
    await clinic.vaccinate(booked[1])
    clinic.clock.move(hours=10)
    assert await day_of(clinic, clinic.today) == {"LOT1": (3, {EntryKind.WRITTEN_OFF: -1}, 2)}
