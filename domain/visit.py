"""The visit at the injection desk, from the door to the end of the observation.

The desk checks before the needle; each refusal says which rule, by how much, and until when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import ClassVar

from domain.actors import VACCINATOR, VACCINE_MANAGER, Role
from domain.booking import Booking, BookingStatus, given_dates
from domain.codes import Kind, new_code
from domain.errors import (
    BookingClosed,
    CheckedInBefore,
    DoseToday,
    LotExpired,
    LotInQuarantine,
    NotAChoice,
    NotCheckedIn,
    NotCompleted,
    NotExpected,
    ObservationOpen,
    ScreeningDeferred,
    ScreeningMissing,
    ScreeningStands,
    SevereReaction,
)
from domain.events import (
    AdverseEventReported,
    Booked,
    BookingCancelled,
    BookingNoShow,
    BookingPromoted,
    BookingReopened,
    BookingWaitlisted,
    InjectionCompleted,
    InjectionRegistered,
    ObservationFinished,
)
from domain.injection import (
    AdverseEvent,
    Concern,
    Dose,
    Injection,
    InjectionStatus,
    Known,
    Screening,
    Severity,
)
from domain.messages import Command, Query
from domain.ports import Context, UnitOfWork
from domain.presentation import Presentation, Site
from domain.recipient import PersonDetails, parse_name, parse_text
from domain.stock import EntryKind, Lot, LotStatus, post
from domain.vaccine import known_lot

LONG_OBSERVATION_MINUTES = 30
"""For anyone who ever had an immediate allergic reaction."""
DESCRIPTION_LIMIT = 500
"""Characters of what is told of an adverse event."""


# -- what can be asked ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """An injection with what the desk needs to see beside it."""

    injection: Injection
    person: PersonDetails
    presentation: Presentation
    booking_status: BookingStatus


@dataclass(frozen=True)
class ListVisits(Query[list[Visit]]):
    """The visits of a day in the order of their slots, those under way first.

    Whoever came on this day belongs to it, and so does a dose that was given on it, whatever day was booked.
    """

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    day: date
    limit: int = 200


@dataclass(frozen=True)
class FindVisits(Query[list[Visit]]):
    """Visits by booking code, injection code, or words of a name or of its passport spelling; newest first.

    A name may read as a code, typed in Hangul mode: then it is looked for as both.
    """

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    text: str
    limit: int = 50


@dataclass(frozen=True)
class Given:
    """A dose with who had it. The ``status`` says whether its record was voided."""

    injection: str
    person: PersonDetails
    dose: Dose
    status: InjectionStatus
    adverse_events: tuple[AdverseEvent, ...]


@dataclass(frozen=True)
class ListGiven(Query[list[Given]]):
    """Every dose of a lot, newest first. Voided records too: the dose may have been given all the same."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    vaccine: str
    lot: str
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True)
class GetVisit(Query[Visit]):
    """One visit. Raises NotFound."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str


@dataclass(frozen=True)
class ListVisitsOf(Query[list[Visit]]):
    """Every visit of one person, whatever became of it, oldest first."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    recipient: str


# -- what can be done -----------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckIn(Command[None]):
    """The person is here, and name and birth date were read back; on another day once more."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str


@dataclass(frozen=True)
class Screen(Command[None]):
    """The answers to today's screening questions. ``reason``: why they are milder than what was found."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str
    concerns: tuple[Concern, ...] = ()
    past_allergic_reaction: bool = False
    reason: str = ""


@dataclass(frozen=True)
class CompleteInjection(Command[Injection]):
    """The dose was given; route and volume are the presentation's."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str
    lot: str
    site: Site
    vaccinator: str


@dataclass(frozen=True)
class FinishObservation(Command[None]):
    """The person was well for as long as the rules ask, and goes."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str


@dataclass(frozen=True)
class ReportAdverseEvent(Command[None]):
    """Something happened after the dose; a Korean doctor has to report it."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str
    severity: Severity
    description: str


def check_in(uow: UnitOfWork, command: CheckIn, context: Context) -> None:
    """Somebody expected arrives, or comes again on another day; their booking must still hold a dose."""
    injection = uow.injections.get(command.injection)
    comes_again = injection.status is InjectionStatus.CHECKED_IN and not injection.checked_in(
        context.clinic, context.now
    )
    if injection.status is not InjectionStatus.EXPECTED and not comes_again:
        raise NotExpected(status=injection.status)
    _reserved_booking(uow, injection)
    arrived = replace(injection, status=InjectionStatus.CHECKED_IN, checked_in_at=context.now)
    uow.injections.save(arrived)


def screen(uow: UnitOfWork, command: Screen, context: Context) -> None:
    """The screening is kept with its answers, also when it says not today, and beside those before it.

    Alone nobody takes back a concern that they found themselves.
    """
    injection = _checked_in(uow, command.injection, context)
    reason = parse_text(command.reason, "reason", limit=200, required=False)
    answers = Screening(
        context.now, command.concerns, command.past_allergic_reaction, context.actor.code, reason
    )
    _may_stand(answers, _known(uow, injection, context), context)
    screenings = (*injection.every_screening, answers)
    uow.injections.save(replace(injection, screening=answers, screenings=screenings))


def complete_injection(uow: UnitOfWork, command: CompleteInjection, context: Context) -> Injection:
    """Rule 4: one dose of this lot leaves stock and reservation. All checks are made once more here."""
    injection = _checked_in(uow, command.injection, context)
    booking = _reserved_booking(uow, injection)
    vaccine = uow.vaccines.get(injection.vaccine)
    presentation = vaccine.presentation
    today = context.clinic.today(context.now)
    screening, known = _passed_screening(injection, context), _known(uow, injection, context)
    _may_stand(screening, known, context)
    lot = _usable_lot(uow, vaccine.code, command.lot, today)
    if command.site not in tuple(Site):
        raise NotAChoice("site")
    presentation.check_age(uow.recipients.get(injection.recipient).person.birth_date, today)
    given = given_dates(uow, injection.recipient, presentation)
    if today in given:
        raise DoseToday
    presentation.check_interval(given, today)

    number, total, next_due_on = presentation.place_in_series(given, today)
    minutes = presentation.observation_minutes
    if screening.past_allergic_reaction or known.may_have_reacted:
        minutes = max(minutes, LONG_OBSERVATION_MINUTES)
    dose = Dose(
        presentation=presentation,
        lot=lot.number,
        expires_on=lot.expires_on,
        dose_number=number,
        dose_total=total,
        given_at=context.now,
        given_on=today,
        site=command.site,
        route=presentation.route,
        volume_ml=presentation.volume_ml,
        vaccinator=parse_name(command.vaccinator, "vaccinator"),
        observe_until=context.now + timedelta(minutes=minutes),
        next_due_on=next_due_on,
    )
    completed = replace(injection, status=InjectionStatus.COMPLETED, dose=dose)
    uow.injections.save(completed)
    post(
        uow, context, vaccine.code, EntryKind.GIVEN,
        stock=-1, reserved=-1, lot=lot.number, reference=injection.code,
    )  # fmt: skip
    uow.emit(
        InjectionCompleted(
            injection.code, booking.code, injection.recipient, vaccine.code, presentation.title,
            dose.lot, dose.dose_number, dose.dose_total, dose.given_on, dose.next_due_on,
        )
    )  # fmt: skip
    return completed


def finish_observation(uow: UnitOfWork, command: FinishObservation, context: Context) -> None:
    """Not before the observation is over."""
    injection = uow.injections.get(command.injection)
    dose = injection.given
    if injection.observation_finished_at is not None:
        raise NotExpected(status="observed")
    if context.now < dose.observe_until:
        raise ObservationOpen(time=context.clinic.local(dose.observe_until).strftime("%H:%M"))
    uow.injections.save(replace(injection, observation_finished_at=context.now))
    uow.emit(ObservationFinished(injection.code, injection.recipient))


def report_adverse_event(uow: UnitOfWork, command: ReportAdverseEvent, context: Context) -> None:
    """Kept with the injection; more than one may follow a dose."""
    injection = uow.injections.get(command.injection)
    if injection.dose is None:  # one whose record was struck out may have been given all the same
        raise NotCompleted
    description = parse_text(command.description, "description", limit=DESCRIPTION_LIMIT)
    event = AdverseEvent(context.now, command.severity, description, context.actor.code)
    uow.injections.save(replace(injection, adverse_events=(*injection.adverse_events, event)))
    uow.emit(AdverseEventReported(injection.code, injection.recipient, command.severity))


# -- what follows from elsewhere (see `policies`) -------------------------------------------------


def accept_booking(
    uow: UnitOfWork, event: Booked | BookingPromoted | BookingReopened, context: Context
) -> None:
    """Whenever a dose is reserved, the desk expects a visit."""
    booking = uow.bookings.get(event.booking)
    # The event may be old news by the time it is read: only a booking that still holds a dose counts.
    if booking.status is not BookingStatus.RESERVED:
        return
    expected = uow.injections.of_booking(booking.code)
    if expected:
        if expected.slot != booking.slot:  # stepped back and promoted into another slot meanwhile
            uow.injections.save(replace(expected, slot=booking.slot))
        return
    injection = Injection(
        new_code(Kind.INJECTION), booking.code, booking.recipient, booking.vaccine, booking.slot
    )
    uow.injections.save(injection)
    uow.emit(
        InjectionRegistered(injection.code, booking.code, booking.recipient, booking.vaccine, booking.slot)
    )


def withdraw_visit(
    uow: UnitOfWork, event: BookingCancelled | BookingNoShow | BookingWaitlisted, context: Context
) -> None:
    """Whenever the dose is given back, nobody is expected any more."""
    injection = uow.injections.of_booking(event.booking)
    if injection is None or injection.status is InjectionStatus.COMPLETED:
        return
    if uow.bookings.get(event.booking).status is BookingStatus.RESERVED:  # promoted again meanwhile
        return
    uow.injections.save(replace(injection, status=InjectionStatus.WITHDRAWN))


def _checked_in(uow: UnitOfWork, code: str, context: Context) -> Injection:
    injection = uow.injections.get(code)
    if injection.status is InjectionStatus.EXPECTED:
        raise NotCheckedIn
    if injection.status is not InjectionStatus.CHECKED_IN:
        raise NotExpected(status=injection.status)
    if not injection.checked_in(context.clinic, context.now):
        raise CheckedInBefore(date=context.clinic.today(injection.checked_in_at or context.now))
    return injection


def _reserved_booking(uow: UnitOfWork, injection: Injection) -> Booking:
    """Looked up at the commit: it may have been cancelled from another window."""
    booking = uow.bookings.get(injection.booking)
    if booking.status is not BookingStatus.RESERVED:
        raise BookingClosed(status=booking.status)
    return booking


def _passed_screening(injection: Injection, context: Context) -> Screening:
    screening = injection.screened(context.clinic, context.now)
    if screening is None:
        raise ScreeningMissing
    if screening.concerns:
        raise ScreeningDeferred(never=screening.is_contraindicated, reasons=screening.concerns)
    return screening


def _known(uow: UnitOfWork, injection: Injection, context: Context) -> Known:
    visits = uow.injections.of_recipient(injection.recipient)
    vaccines = (uow.vaccines.get(code) for code in {visit.vaccine for visit in visits})
    series = {vaccine.code: vaccine.presentation.series for vaccine in vaccines}
    return Known.of(injection, visits, series, context.clinic, context.now)


def _may_stand(answers: Screening, known: Known, context: Context) -> None:
    if unanswered := [found for found in known.standing if not answers.may_follow(found)]:
        reasons = tuple(concern for found in unanswered for concern in found.concerns)
        raise ScreeningStands(date=context.clinic.today(unanswered[0].at), reasons=reasons)
    for event in known.severe:
        if not answers.may_follow(event.as_found):
            raise SevereReaction(date=context.clinic.today(event.at))


def _usable_lot(uow: UnitOfWork, vaccine: str, number: str, today: date) -> Lot:
    lot = known_lot(uow, vaccine, number)
    if lot.status is LotStatus.QUARANTINED:
        raise LotInQuarantine(lot=lot.number)
    if lot.expires_on < today:
        raise LotExpired(lot=lot.number, date=lot.expires_on)
    return lot
