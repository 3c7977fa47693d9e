"""Injection intake, issuing, printing and my page killed in turn and all at once, under load: bookings and
applications are all answered, and after the parts' return everything is caught up, in order, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from domain.application import Application, ApplyForCertificate
from domain.booking import BookingReceipt
from domain.certificate import ListCertificates
from domain.mypage import GetMyPage
from domain.orders import OrderIssue
from domain.parts import ListTasks, Part, TaskStatus
from domain.statement import CertificateStatus
from tests.clinics import STAFF, OpenClinic, clinic_in, keep_in
from tests.faults.aftermath import my_page_is_what_the_events_tell, statuses, visits
from tests.faults.workers import lately, papers, workers_of
from tests.postgresql import Server

CAPACITY = 100_000
CLIENTS, BOOKINGS = 40, 3
ROUNDS = [*([part] for part in Part), list(Part)]
"""Who is killed in each round."""


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        url = server.url(server.database())
        keep_in(tmp_path, url, url)
    return tmp_path


async def injected(clinic: OpenClinic, vaccine: str, people: int) -> list[str]:
    """Injections of people who have not applied yet."""
    codes = []
    for number in range(people):
        codes.append((await clinic.vaccinate((await clinic.book(vaccine, number)).booking)).code)
    return codes


async def a_round(
    clinic: OpenClinic, vaccine: str, numbers: Iterator[int], injections: list[str], middle: asyncio.Event
) -> None:
    """Everybody books, some apply, some look at my page: all of them are answered."""
    slot = await clinic.slot(day=1)

    async def client() -> list[BookingReceipt]:
        receipts = []
        for _ in range(BOOKINGS):
            receipts.append(await clinic.book(vaccine, next(numbers), slot=slot))
            middle.set()
        return receipts

    async def apply(injection: str) -> Application:
        return await clinic.gateway.send(ApplyForCertificate(injection), STAFF)  # type: ignore[no-any-return]

    receipts = await asyncio.gather(*(client() for _ in range(CLIENTS)))
    await asyncio.gather(*(apply(injection) for injection in injections))
    me = await clinic.recipient(receipts[0][0].booking)
    assert (await clinic.gateway.ask(GetMyPage(), me)).position >= 0


async def order_what_is_ready(clinic: OpenClinic) -> None:
    ready = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    await clinic.gateway.send(OrderIssue(tuple(detail.certificate.code for detail in ready)), STAFF)


async def test_nobody_notices_a_part_that_is_down_and_nothing_is_forgotten(folder: Path) -> None:
    async with clinic_in(folder, capacity=CAPACITY, clock=lately()) as clinic:
        vaccine = await clinic.vaccine(doses=50_000)
        injections = await injected(clinic, vaccine, people=3 * len(ROUNDS))
    numbers = count(1_000)
    async with (
        clinic_in(folder, capacity=CAPACITY, clock=lately(), parts=()) as clinic,
        workers_of(clinic.settings) as workers,
    ):
        for number, parts in enumerate(ROUNDS):
            await order_what_is_ready(clinic)
            middle, theirs = asyncio.Event(), injections[3 * number : 3 * number + 3]
            serving = asyncio.create_task(a_round(clinic, vaccine, numbers, theirs, middle))
            await middle.wait()
            await workers.kill(parts)
            await serving
            await workers.start(parts)
        async with asyncio.timeout(120):
            await clinic.services.settle()
        await order_what_is_ready(clinic)
        async with asyncio.timeout(120):
            await clinic.services.settle()
        await everything_was_caught_up_once(clinic, applied=len(injections))
        assert await asyncio.gather(*(workers.drain(part) for part in Part)) == [0, 0, 0, 0]
    await my_page_is_what_the_events_tell(clinic.settings)


async def everything_was_caught_up_once(clinic: OpenClinic, applied: int) -> None:
    assert await clinic.violations() == []
    expected = {c for c, status in statuses(clinic.settings).items() if status in {"reserved", "completed"}}
    assert visits(clinic.settings) == expected
    issued = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    assert len(issued) == applied
    assert papers(clinic.settings.paper_folder) == {detail.certificate.code for detail in issued}
    for status in (TaskStatus.WAITING, TaskStatus.ASIDE):
        assert await clinic.gateway.ask(ListTasks(status), STAFF) == []
    done = await clinic.gateway.ask(ListTasks(TaskStatus.DONE, Part.PRINTING), STAFF)
    assert sorted(task.subject for task in done) == sorted(detail.certificate.code for detail in issued)
