"""Bookings: a dose reserved for a person in a time slot, or a place on the wait list (see `wait_list`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from domain.actors import ANYONE, RECIPIENT, STAFF_ROLES, VACCINATOR, VACCINE_MANAGER, Role
from domain.codes import Kind, new_code
from domain.errors import (
    AlreadyBooked,
    AlreadyHere,
    BookingClosed,
    DoseKeepsUntil,
    SlotFull,
    SlotNotBegun,
    SlotUnknown,
    SoldOut,
)
from domain.events import (
    Booked,
    BookingCancelled,
    BookingNoShow,
    BookingWaitlisted,
    InjectionCompleted,
    RecipientRegistered,
)
from domain.messages import Command, Query
from domain.ports import Context, Foreseen, Place, UnitOfWork
from domain.presentation import Presentation
from domain.promise import promised_until
from domain.recipient import PersonDetails, Recipient, identity_digest, masked, parse_text
from domain.stock import EntryKind, Vaccine, post


class BookingStatus(StrEnum):
    RESERVED = "reserved"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    NO_SHOW = "no-show"


LIVE_BOOKING = (BookingStatus.RESERVED, BookingStatus.WAITING)
"""Of a person and a vaccine one at most."""
CAME = (BookingStatus.RESERVED, BookingStatus.COMPLETED)
"""Who takes up room in a time slot: those who are expected, and those who were there."""


@dataclass(frozen=True, slots=True)
class Booking:
    """One person's booking of one dose. ``slot`` is the start of the time slot, UTC."""

    code: str
    recipient: str
    vaccine: str
    slot: datetime
    status: BookingStatus
    booked_at: datetime

    @property
    def is_live(self) -> bool:
        """Whether the person still hopes to come."""
        return self.status in LIVE_BOOKING


@dataclass(frozen=True, slots=True)
class BookingReceipt:
    """What the recipient is told: the code, and whether a dose is reserved or awaited."""

    booking: str
    status: BookingStatus
    product: str
    slot: datetime


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What is printed on the ticket. ``slot`` is on the clinic's wall clock, ``name`` masked."""

    code: str
    name: str
    vaccine_ko: str
    vaccine_en: str
    slot: datetime
    waiting: bool
    clinic_ko: str
    clinic_en: str
    clinic_phone: str


# -- what can be asked ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """A day with how many people can still be booked on it."""

    date: date
    free: int


@dataclass(frozen=True)
class SlotLevel:
    """A time slot (UTC start) with how many people can still be booked into it."""

    slot: datetime
    free: int


@dataclass(frozen=True)
class ListDays(Query[list[Day]]):
    """The open days up to the horizon, with the room left on each."""


@dataclass(frozen=True)
class ListSlots(Query[list[SlotLevel]]):
    """The slots of a day that have not begun yet, with the room left in each."""

    day: date


@dataclass(frozen=True)
class BookingDetail:
    """One booking for its owner. ``ahead`` counts those before it on the wait list."""

    booking: Booking
    presentation: Presentation
    name: str
    """Masked."""
    ahead: int


@dataclass(frozen=True)
class GetBooking(Query[BookingDetail]):
    """A booking of one's own (or any, for staff). Raises NotFound."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | STAFF_ROLES
    booking: str


# -- what can be done -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Book(Command[BookingReceipt]):
    """Reserve a dose in a slot, or, when none is left and the person agrees, join the wait list."""

    allowed: ClassVar[frozenset[Role]] = ANYONE
    person: PersonDetails
    vaccine: str
    slot: datetime
    join_wait_list: bool = False


@dataclass(frozen=True)
class CancelBooking(Command[None]):
    """Give a reserved dose, or the place on the wait list, back."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | STAFF_ROLES
    booking: str
    reason: str = ""


@dataclass(frozen=True)
class MarkNoShow(Command[None]):
    """The person did not come; the dose goes to the first on the wait list."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR | VACCINE_MANAGER
    booking: str


@dataclass(frozen=True)
class PrintTicket(Command[Place]):
    """The booking's ticket as PDF; answers where it was put."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT | STAFF_ROLES
    booking: str


def foresee_booking(command: Book, context: Context) -> Foreseen:
    """Who books may be known, and the slot may be full: `book` looks at both."""
    return Foreseen(identity_of(command.person, context), command.slot)


def book(uow: UnitOfWork, command: Book, context: Context) -> BookingReceipt:
    """Rule 2: a dose when one is available, otherwise the wait list, in one transaction."""
    now, clinic = context.now, context.clinic
    vaccine = uow.vaccines.get(command.vaccine)
    if clinic.slot_end(command.slot) <= now or not clinic.is_slot(command.slot):
        raise SlotUnknown
    day = clinic.today(command.slot)
    if day > clinic.last_day(now) and not context.actor.has(STAFF_ROLES):
        raise SlotUnknown
    recipient = _recipient(uow, command.person, context, vaccine, day)

    status = BookingStatus.RESERVED if vaccine.available > 0 else BookingStatus.WAITING
    if status is BookingStatus.RESERVED and (until := promised_until(uow, context, vaccine.code, day)):
        if until >= clinic.today(now):
            raise DoseKeepsUntil(vaccine=vaccine.presentation, date=until)
        status = BookingStatus.WAITING  # what is left has expired, and is not written off yet
    if status is BookingStatus.WAITING and not command.join_wait_list:
        raise SoldOut(vaccine=vaccine.presentation)
    people = uow.bookings.people_in_slot(command.slot)
    if status is BookingStatus.RESERVED and people >= clinic.schedule.capacity:
        raise SlotFull
    booking = Booking(new_code(Kind.BOOKING), recipient.code, vaccine.code, command.slot, status, now)
    uow.bookings.save(booking)
    product = vaccine.presentation.title
    if status is BookingStatus.RESERVED:
        post(uow, context, vaccine.code, EntryKind.RESERVED, reserved=1, reference=booking.code)
        uow.emit(Booked(booking.code, recipient.code, vaccine.code, product, booking.slot))
    else:
        uow.emit(BookingWaitlisted(booking.code, recipient.code, vaccine.code, product, booking.slot))
    return BookingReceipt(booking.code, status, product, booking.slot)


def cancel_booking(uow: UnitOfWork, command: CancelBooking, context: Context) -> None:
    """Rule 3: a reserved dose is released; a place on the wait list changes no quantity.

    Who is promoted in its place is the policy for BookingCancelled (`policies.AT_ONCE`).
    """
    booking = uow.bookings.get(command.booking)
    context.actor.must_own(booking.recipient, unless=STAFF_ROLES)
    if not booking.is_live:
        raise BookingClosed(status=booking.status)
    reason = parse_text(command.reason, "reason", limit=200, required=False)
    was_reserved = booking.status is BookingStatus.RESERVED
    uow.bookings.save(replace(booking, status=BookingStatus.CANCELLED))
    if was_reserved:
        release(uow, context, booking, reason or BookingStatus.CANCELLED.value)
    uow.emit(BookingCancelled(booking.code, booking.recipient, booking.vaccine, was_reserved, reason))


def mark_no_show(uow: UnitOfWork, command: MarkNoShow, context: Context) -> None:
    """A reserved dose whose person did not come is released; nobody is missed before their slot."""
    booking = uow.bookings.get(command.booking)
    if booking.status is not BookingStatus.RESERVED:
        raise BookingClosed(status=booking.status)
    visit = uow.injections.of_booking(booking.code)
    if visit and visit.checked_in_at:  # also at another time than booked, and for whom the dose is put off
        raise AlreadyHere
    if context.now < booking.slot:
        slot = context.clinic.local(booking.slot)
        raise SlotNotBegun(date=slot.date(), time=f"{slot:%H:%M}")
    uow.bookings.save(replace(booking, status=BookingStatus.NO_SHOW))
    release(uow, context, booking, BookingStatus.NO_SHOW.value)
    uow.emit(BookingNoShow(booking.code, booking.recipient, booking.vaccine))


# -- what follows from elsewhere (see `policies`) -------------------------------------------------


def complete_booking(uow: UnitOfWork, event: InjectionCompleted, context: Context) -> None:
    """Whenever the injection is completed, so is the booking."""
    booking = uow.bookings.get(event.booking)
    uow.bookings.save(replace(booking, status=BookingStatus.COMPLETED))


def ticket_facts(detail: BookingDetail, context: Context) -> TicketFacts:
    """What the ticket of this booking says."""
    clinic = context.clinic
    return TicketFacts(
        code=detail.booking.code,
        name=detail.name,
        vaccine_ko=detail.presentation.name_ko,
        vaccine_en=detail.presentation.name_en,
        slot=clinic.local(detail.booking.slot),
        waiting=detail.booking.status is BookingStatus.WAITING,
        clinic_ko=clinic.name_ko,
        clinic_en=clinic.name_en,
        clinic_phone=clinic.phone,
    )


def _recipient(
    uow: UnitOfWork, person: PersonDetails, context: Context, vaccine: Vaccine, day: date
) -> Recipient:
    """Who books: somebody known, checked for this dose on this day, or somebody new."""
    vaccine.presentation.check_age(person.birth_date, day)
    recipient = known_as(uow, person, context)
    if recipient is None:
        identity = identity_of(person, context)
        recipient = Recipient(new_code(Kind.RECIPIENT), identity, person)
        uow.recipients.save(recipient)
        uow.emit(RecipientRegistered(recipient.code, identity, masked(person.name)))
        return recipient
    if live := uow.bookings.live_of(recipient.code, vaccine.code):
        raise AlreadyBooked(status=live.status)
    vaccine.presentation.check_interval(given_dates(uow, recipient.code, vaccine.presentation), day)
    person = recipient.person.told_anew(person)
    if recipient.person != person:  # the passport spelling was put right, say
        recipient = replace(recipient, person=person)
        uow.recipients.save(recipient)
    return recipient


def identity_of(person: PersonDetails, context: Context) -> str:
    """What this person is found by at this clinic."""
    return identity_digest(person.name, person.birth_date, person.phone, context.identity_key)


def known_as(uow: UnitOfWork, person: PersonDetails, context: Context) -> Recipient | None:
    """Whom the clinic knows by these details, if anybody."""
    return uow.recipients.by_identity(identity_of(person, context))


def given_dates(uow: UnitOfWork, recipient: str, presentation: Presentation) -> list[date]:
    """The days on which this person was given doses of the same series here, oldest first."""
    doses = (injection.given for injection in uow.injections.completed_of(recipient))
    return [dose.given_on for dose in doses if dose.presentation.series == presentation.series]


def release(uow: UnitOfWork, context: Context, booking: Booking, reason: str) -> None:
    """The dose that was reserved for it is free again, and the ledger says why."""
    post(
        uow, context, booking.vaccine, EntryKind.RELEASED,
        reserved=-1, reference=booking.code, reason=reason,
    )  # fmt: skip
