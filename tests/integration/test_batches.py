"""Commands of one transaction: what they know of each other, and what a refused one leaves to the others."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.booking import Book, BookingReceipt, CancelBooking, GetBooking, cancel_booking
from domain.correction import CorrectRecipient
from domain.errors import AlreadyBooked, ClinicError, KnownAlready, NotFound, SlotFull, SoldOut
from domain.mypage import GetMyPage
from domain.policies import follow_at_once
from domain.ports import UnitOfWork
from domain.recipient import identity_digest
from tests.clinics import STAFF, OpenClinic, clinic_in, person

Sent = Coroutine[Any, Any, Any]


@asynccontextmanager
async def a_busy_writer(clinic: OpenClinic):  # type: ignore[no-untyped-def]
    """What is sent within comes into one transaction: until then the writer is at another."""
    begun, go = threading.Event(), threading.Event()

    def wait(uow: UnitOfWork) -> None:
        begun.set()
        assert go.wait(30)

    waiting = asyncio.create_task(clinic.gateway.writer.run_behind(wait, "wait", "Wait"))
    await asyncio.to_thread(begun.wait)
    yield
    go.set()
    await waiting


async def together(clinic: OpenClinic, sent: Sequence[Sent]) -> list[Any]:
    """Their answers or refusals, in the order in which they were sent."""
    async with a_busy_writer(clinic):
        tasks = [asyncio.create_task(one) for one in sent]
        while clinic.gateway.writer.queued < len(tasks):  # noqa: ASYNC110 - a queue tells nobody
            await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(autouse=True)
def nothing_was_mended(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A batch that breaks a rule of the records is run again one by one, which would hide a mistake."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def in_words(answer: Any) -> str:
    """What became of it."""
    return answer.status if isinstance(answer, BookingReceipt) else type(answer).__name__


async def test_a_slot_is_filled_by_one_batch_and_not_overfilled(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=30)
    full, other = await clinic.slot(), await clinic.slot(number=1)
    for number in range(3):
        await clinic.book(vaccine, number, slot=full)
    wishes = [clinic.book(vaccine, 10 + number, slot=full) for number in range(14)]
    wishes.insert(7, clinic.book(vaccine, 50, slot=other))
    answers = await together(clinic, wishes)
    assert [in_words(answer) for answer in answers] == [
        *["reserved"] * 10, *[SlotFull.__name__] * 5
    ]  # fmt: skip
    assert await clinic.violations() == []


async def test_somebody_who_comes_twice_in_a_batch_is_the_same_person(clinic: OpenClinic) -> None:
    one, two = await clinic.vaccine(doses=2), await clinic.vaccine(doses=2, key="other")
    slot = await clinic.slot()
    answers = await together(
        clinic,
        [
            clinic.book(one, 1, slot=slot),
            clinic.book(one, 1, slot=slot),
            clinic.book(two, 1, slot=slot),
            clinic.book(one, 2, slot=slot),
        ],
    )
    assert [in_words(answer) for answer in answers] == [
        "reserved", AlreadyBooked.__name__, "reserved", "reserved"
    ]  # fmt: skip
    page = await clinic.gateway.ask(GetMyPage(), await clinic.recipient(answers[0].booking))
    assert {item.code for item in page.items} == {answers[0].booking, answers[2].booking}
    assert await clinic.violations() == []


async def test_whose_details_were_put_right_is_known_by_them_to_the_rest_of_the_batch(
    clinic: OpenClinic,
) -> None:
    one, two = await clinic.vaccine(doses=9), await clinic.vaccine(doses=9, key="other")
    slot = await clinic.slot()
    me = await clinic.recipient((await clinic.book(one, 1, slot=slot)).booking)

    def put_right(number: int) -> Sent:
        sent: Sent = clinic.gateway.send(CorrectRecipient(me.code, person(number), "misheard"), STAFF)
        return sent

    answers = await together(
        clinic,
        [
            clinic.book(two, 3, slot=slot),
            put_right(3),
            put_right(2),
            clinic.book(two, 2, slot=slot),
            clinic.book(one, 2, slot=slot),
            clinic.book(two, 1, slot=slot),
            put_right(1),
        ],
    )
    assert [in_words(answer) for answer in answers] == [
        "reserved", KnownAlready.__name__, "int", "reserved", AlreadyBooked.__name__, "reserved",
        KnownAlready.__name__,
    ]  # fmt: skip
    assert (await clinic.recipient(answers[3].booking)).code == me.code
    assert (await clinic.recipient(answers[5].booking)).code != me.code
    assert await clinic.violations() == []


async def test_whoever_was_refused_is_new_again_to_the_rest_of_the_batch(clinic: OpenClinic) -> None:
    plenty, none = await clinic.vaccine(doses=5), await clinic.vaccine(doses=0, key="other")
    slot = await clinic.slot()
    sold_out = [clinic.gateway.send(Book(person(number), none, slot)) for number in (1, 2)]
    answers = await together(
        clinic,
        [sold_out[0], clinic.book(plenty, 1, slot=slot), sold_out[1], clinic.book(plenty, 3, slot=slot)],
    )
    assert [in_words(answer) for answer in answers] == [
        SoldOut.__name__, "reserved", SoldOut.__name__, "reserved"
    ]  # fmt: skip
    assert await clinic.violations() == []


async def test_what_one_command_cancels_the_next_may_book(clinic: OpenClinic) -> None:
    vaccine = await clinic.vaccine(doses=1)
    held, slot = await clinic.book(vaccine, 1), await clinic.slot()
    waiting = await clinic.book(vaccine, 2)
    answers = await together(
        clinic,
        [
            clinic.gateway.send(CancelBooking(held.booking), STAFF),
            clinic.book(vaccine, 1, slot=slot),
            clinic.gateway.send(CancelBooking(waiting.booking), STAFF),
            clinic.book(vaccine, 2, slot=slot),
        ],
    )
    assert [in_words(answer) for answer in answers] == ["NoneType", "waiting", "NoneType", "waiting"]
    assert await clinic.violations() == []


async def test_what_a_refused_command_has_written_and_read_is_taken_back_from_between_the_others(
    clinic: OpenClinic,
) -> None:
    vaccine, slot = await clinic.vaccine(doses=3), await clinic.slot()
    held = await clinic.book(vaccine, 1)

    def write_read_and_refuse(uow: UnitOfWork) -> None:
        context = clinic.gateway.context(STAFF)
        cancel_booking(uow, CancelBooking(held.booking), context)
        assert uow.bookings.last_reserved(vaccine, slot).recipient != uow.bookings.get(held.booking).recipient
        raise NotFound(what="anything")

    refused = clinic.gateway.writer.run(write_read_and_refuse, "refused", "Refuse")
    answers = await together(
        clinic, [clinic.book(vaccine, 2, slot=slot), refused, clinic.book(vaccine, 3, slot=slot)]
    )
    assert [in_words(answer) for answer in answers] == ["reserved", NotFound.__name__, "reserved"]
    assert (await clinic.gateway.ask(GetBooking(held.booking), STAFF)).booking.status == "reserved"
    assert await clinic.violations() == []


async def test_an_answer_that_cannot_be_kept_is_a_mistake_of_that_command_alone(
    clinic: OpenClinic, caplog: pytest.LogCaptureFixture
) -> None:
    vaccine, slot = await clinic.vaccine(doses=2), await clinic.slot()

    def mistaken(uow: UnitOfWork) -> object:
        cancel_booking(uow, CancelBooking(held.booking), clinic.gateway.context(STAFF))
        return object()

    held = await clinic.book(vaccine, 1)
    wrong = clinic.gateway.writer.run(mistaken, "mistaken", "Mistaken")
    answers = await together(clinic, [wrong, clinic.book(vaccine, 2, slot=slot)])
    assert [in_words(answer) for answer in answers] == ["TypeError", "reserved"]
    assert "Mistaken met TypeError" in caplog.messages
    caplog.clear()
    assert (await clinic.gateway.ask(GetBooking(held.booking), STAFF)).booking.status == "reserved"
    assert await clinic.violations() == []


def cancelling(clinic: OpenClinic, number: int, vaccine: str) -> Callable[[UnitOfWork], str]:
    """Somebody gives up the booking that they have at that moment, whatever its code."""
    somebody, gateway = person(number), clinic.gateway

    def work(uow: UnitOfWork) -> str:
        identity = identity_digest(somebody.name, somebody.birth_date, somebody.phone, gateway.identity_key)
        recipient = uow.recipients.by_identity(identity)
        booking = recipient and uow.bookings.live_of(recipient.code, vaccine)
        if not booking:
            raise NotFound(what="a booking")
        context = gateway.context(STAFF)
        cancel_booking(uow, CancelBooking(booking.code), context)
        follow_at_once(uow, context)
        return "cancelled"

    return work


class Visitors:
    """The same people with the same wishes, at any clinic with the same two vaccines."""

    def __init__(self, seed: int, clinic: OpenClinic, vaccines: list[str], slots: list[datetime]) -> None:
        self._random, self._clinic = Random(seed), clinic
        self._vaccines, self._slots = vaccines, slots

    def next(self, number: int) -> Sent:
        """One of them."""
        random, clinic = self._random, self._clinic
        who, vaccine = random.randrange(9), random.choice(self._vaccines)
        slot, join = random.choice(self._slots), random.random() < 0.6
        if random.random() < 0.3:
            return clinic.gateway.writer.run(cancelling(clinic, who, vaccine), f"cancel-{number}", "Cancel")  # type: ignore[no-any-return]
        return clinic.gateway.send(Book(person(who), vaccine, slot, join))  # type: ignore[no-any-return]


async def visitors(clinic: OpenClinic, seed: int) -> Visitors:
    vaccines = [await clinic.vaccine(doses=3, key="scarce"), await clinic.vaccine(doses=9, key="plenty")]
    return Visitors(seed, clinic, vaccines, [await clinic.slot(number=number) for number in range(3)])


async def answered(sent: Sent) -> Any:
    try:
        return await sent
    except ClinicError as refusal:
        return refusal


@pytest.mark.parametrize("seed", range(5))
async def test_a_batch_ends_as_if_everybody_had_come_alone(
    clinic_folder: Path, tmp_path: Path, seed: int
) -> None:
    async with (
        clinic_in(clinic_folder, capacity=3) as busy,
        clinic_in(tmp_path / "quiet", capacity=3) as quiet,
    ):
        one, other = await visitors(busy, seed), await visitors(quiet, seed)
        at_once = await together(busy, [one.next(number) for number in range(60)])
        one_by_one = [await answered(other.next(number)) for number in range(60)]
        outcomes = [in_words(answer) for answer in at_once]
        assert outcomes == [in_words(answer) for answer in one_by_one]
        assert len(Counter(outcomes)) > 4, "nothing much has happened"
        assert await busy.violations() == await quiet.violations() == []
