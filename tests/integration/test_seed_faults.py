"""What the event-storming's first code got wrong where databases meet events; each proven absent.

Those that can be shown in the domain alone are in ``tests/unit/test_seed_faults.py``.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain import booking, policies
from domain.application import ApplyForCertificate, CancelApplication
from domain.booking import BookingStatus, CancelBooking
from domain.certificate import ListCertificates
from domain.codes import Kind
from domain.errors import RecordsRefused, StorageUnavailable
from domain.events import Event, Recorded
from domain.mypage import GetMyPage
from domain.parts import Part
from domain.ports import Context, UnitOfWork
from domain.statement import CertificateStatus
from domain.stock import Vaccine
from domain.vaccine import ListVaccines
from domain.visit import FindVisits
from storage import listeners
from storage.engine import reader_engine
from storage.outbox import Outbox
from tests.clinics import STAFF, OpenClinic


async def events(clinic: OpenClinic) -> list[Recorded]:
    engine = reader_engine(clinic.settings.records_url)
    told = (await Outbox(engine).after(0, 10_000)).events
    await engine.dispose()
    return told


async def test_no_event_is_published_when_the_transaction_rolled_back(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)
    await clinic.services.settle()
    before = await events(clinic)

    def half_way(uow: UnitOfWork) -> None:
        loaded = uow.vaccines.get(vaccine)
        uow.vaccines.save(replace(loaded, stock=loaded.stock + 1))
        uow.emit(before[0].event)
        raise StorageUnavailable(reason="in the middle")

    with pytest.raises(StorageUnavailable):
        await clinic.gateway.writer.run(half_way, "half-way", "HalfWay")
    assert await events(clinic) == before
    assert await clinic.violations() == []


async def test_every_event_has_an_id_of_its_own(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=5)
    await asyncio.gather(*(clinic.book(vaccine, number) for number in range(5)))
    await clinic.services.settle()
    ids = [recorded.id for recorded in await events(clinic)]
    assert len(ids) == len(set(ids)) > 15


async def test_an_event_delivered_twice_has_its_effect_once(clinic: OpenClinic) -> None:
    receipt = await clinic.book(await clinic.vaccine(doses=1))
    await clinic.services.settle()
    told = await events(clinic)
    page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(receipt.booking))
    for loop in clinic.services.parts.loops:
        if loop.listener:
            await loop.listener.deal_with(told)
    assert len(await clinic.gateway.ask(FindVisits(receipt.booking), STAFF)) == 1
    assert await clinic.gateway.ask(GetMyPage(), await clinic.recipient(receipt.booking)) == page


async def test_a_part_that_is_tried_again_after_half_its_work_does_not_do_it_twice(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    stumbles = iter([True])

    def stumbling(part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        policies.follow_by_relay(part, uow, event, context)
        if type(event).__name__ == "Booked" and next(stumbles, False):
            raise OSError("the desk's machine went away")

    monkeypatch.setattr(listeners, "follow_by_relay", stumbling)
    receipts = [await clinic.book(vaccine, number) for number in range(3)]
    await clinic.services.settle()
    for receipt in receipts:
        assert len(await clinic.gateway.ask(FindVisits(receipt.booking), STAFF)) == 1
    assert await clinic.violations() == []


async def test_fifty_people_reading_the_same_stock_do_not_overbook_it(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=3)
    receipts = await asyncio.gather(*(clinic.book(vaccine, number) for number in range(50)))
    assert sum(receipt.status is BookingStatus.RESERVED for receipt in receipts) == 3
    [level] = await clinic.gateway.ask(ListVaccines())
    assert (level.vaccine.stock, level.vaccine.reserved, level.waiting) == (3, 3, 47)


async def test_even_wrong_code_cannot_reserve_more_than_the_stock(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)

    def wrong(uow: UnitOfWork) -> None:
        loaded: Vaccine = uow.vaccines.get(vaccine)
        uow.vaccines.save(replace(loaded, reserved=loaded.stock + 1))

    honest = clinic.book(vaccine, 1)
    mistaken = clinic.gateway.writer.run(wrong, "wrong", "Wrong")
    refusal, receipt = await asyncio.gather(mistaken, honest, return_exceptions=True)
    assert isinstance(refusal, RecordsRefused)
    assert not isinstance(receipt, BaseException), "an honest booking of the same batch was refused too"
    assert await clinic.violations() == []


async def test_bookings_and_applications_are_taken_while_the_desk_and_issuing_are_down(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaccine = await clinic.vaccine(doses=2)
    injection = await clinic.vaccinate((await clinic.book(vaccine, 1)).booking)

    def down(part: Part, uow: UnitOfWork, event: Event, context: Context) -> None:
        raise ConnectionError(f"{part} is down")

    monkeypatch.setattr(listeners, "follow_by_relay", down)
    receipt = await clinic.book(vaccine, 2)
    me = await clinic.recipient(injection.booking)
    application = await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    assert await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF) == []

    monkeypatch.setattr(listeners, "follow_by_relay", policies.follow_by_relay)
    await clinic.services.settle()
    assert len(await clinic.gateway.ask(FindVisits(receipt.booking), STAFF)) == 1
    [ready] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    assert ready.certificate.application == application.code


async def test_a_cancelled_application_is_never_shown_as_issued(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)
    injection = await clinic.vaccinate((await clinic.book(vaccine, 1)).booking)
    me = await clinic.recipient(injection.booking)
    application = await clinic.gateway.send(ApplyForCertificate(injection.code), me)
    await clinic.gateway.send(CancelApplication(application.code), me)
    await clinic.services.settle()
    page = await clinic.gateway.ask(GetMyPage(), me)
    statuses = {item.status for item in page.items if item.kind in {"application", "certificate"}}
    assert statuses == {"cancelled"}


async def test_cancelling_frees_one_dose_for_one_person(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)
    first, second, third = [await clinic.book(vaccine, number) for number in range(3)]
    me = await clinic.recipient(first.booking)
    await asyncio.gather(
        *(
            clinic.gateway.send(CancelBooking(first.booking), me, command_id="pressed-often")
            for _ in range(10)
        )
    )
    await clinic.services.settle()
    expected = [
        v for r in (first, second, third) for v in await clinic.gateway.ask(FindVisits(r.booking), STAFF)
    ]
    live = [visit.injection.booking for visit in expected if visit.injection.status == "expected"]
    assert live == [second.booking]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_code_that_is_taken_already_overwrites_nobody_and_is_drawn_anew(
    clinic: OpenClinic, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    vaccine = await clinic.vaccine(doses=3)
    first = await clinic.book(vaccine, 1)
    unlucky = iter([first.booking] * times)
    new_code = booking.new_code

    def taken(kind: Kind) -> str | None:
        return next(unlucky, None) if kind is Kind.BOOKING else None

    monkeypatch.setattr(booking, "new_code", lambda kind: taken(kind) or new_code(kind))
    if times > 1:  # no chance does that
        with pytest.raises(RecordsRefused):
            await clinic.book(vaccine, 2, command_id="the second")
    else:
        await clinic.book(vaccine, 2, command_id="the second")
    monkeypatch.setattr(booking, "new_code", new_code)
    second = await clinic.book(vaccine, 2, command_id="the second")
    assert second.booking != first.booking
    me = await clinic.recipient(first.booking)
    [item] = (await clinic.gateway.ask(GetMyPage(), me)).items
    assert item.code == first.booking
    assert await clinic.violations() == []
