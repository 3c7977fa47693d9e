"""The wait list: first come, first served per vaccine, in the order of booking.

Whoever waits longest is promoted when a dose becomes free; when doses are lost, those who missed their day
step back, then the last to have booked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from domain.actors import BY_POLICY, VACCINE_MANAGER, Role
from domain.booking import Booking, BookingStatus, release
from domain.events import (
    BookingCancelled,
    BookingNoShow,
    BookingPromoted,
    BookingReopened,
    BookingWaitlisted,
    InjectionCorrected,
    InjectionVoided,
    StockAdded,
)
from domain.messages import Command
from domain.ports import Context, UnitOfWork
from domain.stock import EntryKind, Vaccine, post


@dataclass(frozen=True)
class PromoteWaiting(Command[int]):
    """Give every dose that is free to whoever waits longest; answers how many were promoted."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER | BY_POLICY
    vaccine: str


def promote_waiting(uow: UnitOfWork, command: PromoteWaiting, context: Context) -> int:
    """Whoever waits longest for this vaccine gets the next free dose, while there is one.

    The slot they wished for is kept while it has room; otherwise they get the next that has.
    """
    promoted = 0
    while uow.vaccines.get(command.vaccine).available > 0:
        booking = uow.bookings.first_waiting(command.vaccine)
        if booking is None:
            break
        slot = _slot_with_room(uow, context, booking.slot)
        if slot is None:
            break
        uow.bookings.save(replace(booking, status=BookingStatus.RESERVED, slot=slot))
        _reserve(uow, context, booking, BookingStatus.WAITING.value)
        uow.emit(BookingPromoted(booking.code, booking.recipient, booking.vaccine, slot))
        promoted += 1
    return promoted


def step_back(uow: UnitOfWork, context: Context, vaccine: Vaccine, doses: int, reason: str) -> None:
    """Before this many doses are lost for this reason: reservations without one return to the wait list.

    Whoever missed their day steps back first, then the last to have booked; they stand before all who came
    after them.
    """
    today = context.clinic.start_of(context.clinic.today(context.now))
    while uow.vaccines.get(vaccine.code).available < doses:
        booking = uow.bookings.last_reserved(vaccine.code, today)
        if booking is None:
            break
        uow.bookings.save(replace(booking, status=BookingStatus.WAITING))
        release(uow, context, booking, reason)
        product = vaccine.presentation.title
        uow.emit(
            BookingWaitlisted(
                booking.code, booking.recipient, vaccine.code, product, booking.slot, was_reserved=True
            )
        )


# -- what follows from elsewhere (see `policies`) -------------------------------------------------


def promote_after_cancelling(uow: UnitOfWork, event: BookingCancelled, context: Context) -> None:
    """Whenever a reserved booking is cancelled, the first waiting one is promoted."""
    if event.was_reserved:
        promote_waiting(uow, PromoteWaiting(event.vaccine), context)


def promote_whoever_waits(
    uow: UnitOfWork, event: BookingNoShow | StockAdded | InjectionCorrected, context: Context
) -> None:
    """Whenever doses become free, whoever waits longest is promoted.

    A correction frees one when the dose turns out to have come from a lot that was quarantined.
    """
    promote_waiting(uow, PromoteWaiting(event.vaccine), context)


def reopen_booking(uow: UnitOfWork, event: InjectionVoided, context: Context) -> None:
    """Whenever a dose was never given after all, its booking holds one again, or waits first in line."""
    if not event.dose_returned:
        return
    booking = uow.bookings.get(event.booking)
    vaccine = uow.vaccines.get(booking.vaccine)
    if uow.bookings.live_of(booking.recipient, booking.vaccine):  # booked anew meanwhile
        promote_waiting(uow, PromoteWaiting(booking.vaccine), context)
        return
    slot: datetime | None = booking.slot  # of today: the person is here, or was a while ago
    if context.clinic.today(booking.slot) < context.clinic.today(context.now):
        slot = _slot_with_room(uow, context, context.now)
    if vaccine.available > 0 and slot:
        uow.bookings.save(replace(booking, status=BookingStatus.RESERVED, slot=slot))
        _reserve(uow, context, booking, event.reason)
        uow.emit(BookingReopened(booking.code, booking.recipient, booking.vaccine, slot))
    else:
        uow.bookings.save(replace(booking, status=BookingStatus.WAITING))
        product = vaccine.presentation.title
        uow.emit(
            BookingWaitlisted(
                booking.code, booking.recipient, vaccine.code, product, booking.slot, was_reserved=True
            )
        )


def _reserve(uow: UnitOfWork, context: Context, booking: Booking, reason: str) -> None:
    """Nobody books just now, so the ledger says why: they had waited, or a record was struck out."""
    post(
        uow, context, booking.vaccine, EntryKind.RESERVED,
        reserved=1, reference=booking.code, reason=reason,
    )  # fmt: skip


def _slot_with_room(uow: UnitOfWork, context: Context, wished: datetime) -> datetime | None:
    for slot in context.clinic.slots_from(max(wished, context.now)):
        if uow.bookings.people_in_slot(slot) < context.clinic.schedule.capacity:
            return slot
    return None
