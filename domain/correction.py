"""Putting a record right: an injection's, which may be voided as a whole, or who somebody is.

Nothing is deleted. Doses move in the ledger to the lot they really came from, and what was
certified follows in the same transaction (`policies.AT_ONCE`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import ClassVar

from domain.actors import CERTIFICATE_OFFICER, VACCINATOR, Role
from domain.booking import identity_of, known_as
from domain.errors import InsufficientStock, KnownAlready, NothingChanged
from domain.events import InjectionCorrected, InjectionVoided, RecipientCorrected
from domain.injection import Dose, Injection, InjectionStatus
from domain.messages import Command
from domain.ports import Context, UnitOfWork
from domain.presentation import Site
from domain.recipient import PersonDetails, masked, parse_name, parse_text
from domain.stock import EntryKind, Lot, LotStatus, Vaccine, post
from domain.vaccine import EXPIRED, known_lot, parse_lot
from domain.wait_list import step_back


@dataclass(frozen=True)
class CorrectInjection(Command[Injection]):
    """The record differs from what happened. What is None stays as it is."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str
    reason: str
    lot: str | None = None
    site: Site | None = None
    vaccinator: str | None = None


@dataclass(frozen=True)
class VoidInjection(Command[None]):
    """The record is wrong as a whole. ``dose_returned``: the needle never went in."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR
    injection: str
    reason: str
    dose_returned: bool


@dataclass(frozen=True)
class CorrectRecipient(Command[int]):
    """Who somebody is was written down wrong; answers how many certificates are replaced by it."""

    allowed: ClassVar[frozenset[Role]] = VACCINATOR | CERTIFICATE_OFFICER
    recipient: str
    person: PersonDetails
    reason: str


def correct_injection(uow: UnitOfWork, command: CorrectInjection, context: Context) -> Injection:
    """What was recorded is put right; a dose taken from another lot moves in the ledger.

    A fact that has already happened is never refused, so the other lot may have expired, been written off
    for it, or be in quarantine; it must have been there.
    """
    injection = uow.injections.get(command.injection)
    dose = injection.given
    reason = parse_text(command.reason, "reason", limit=200)
    if command.lot is not None and parse_lot(command.lot) != dose.lot:
        vaccine = uow.vaccines.get(injection.vaccine)
        lot = known_lot(uow, vaccine.code, command.lot)
        _put_back(uow, context, injection, dose.lot, reason)
        _take_from(uow, context, injection, lot, reason)
        dose = replace(dose, lot=lot.number, expires_on=lot.expires_on)
    if command.site is not None:
        dose = replace(dose, site=command.site)
    if command.vaccinator is not None:
        dose = replace(dose, vaccinator=parse_name(command.vaccinator, "vaccinator"))
    if dose == injection.dose:
        raise NothingChanged
    return _put_right(uow, injection, dose, reason)


def void_injection(uow: UnitOfWork, command: VoidInjection, context: Context) -> None:
    """The record is struck out, not deleted. A dose never given goes back to the lot it came from.

    Later doses of its series count anew: what was written down as the second was the first.
    """
    injection = uow.injections.get(command.injection)
    dose = injection.given
    reason = parse_text(command.reason, "reason", limit=200)
    uow.injections.save(replace(injection, status=InjectionStatus.VOIDED, version=injection.version + 1))
    if command.dose_returned:
        _put_back(uow, context, injection, dose.lot, reason)
    uow.emit(
        InjectionVoided(
            injection.code, injection.booking, injection.recipient, injection.vaccine,
            command.dose_returned, reason,
        )
    )  # fmt: skip
    _count_anew(uow, injection.recipient, dose, reason)


def correct_recipient(uow: UnitOfWork, command: CorrectRecipient, context: Context) -> int:
    """The same person under their right details: from now on they are found by these, and not by the old.

    Two who turn out to be one are not put together here: whose doses are whose is for people to say.
    """
    recipient, person = uow.recipients.get(command.recipient), command.person
    reason = parse_text(command.reason, "reason", limit=200)
    if person == recipient.person:
        raise NothingChanged
    other = known_as(uow, person, context)
    if other and other.code != recipient.code:
        raise KnownAlready
    identity = identity_of(person, context)
    uow.recipients.save(replace(recipient, identity=identity, person=person))
    uow.emit(RecipientCorrected(recipient.code, identity, masked(person.name), reason))
    return len(uow.certificates.issued_to(recipient.code))


def _count_anew(uow: UnitOfWork, recipient: str, voided: Dose, reason: str) -> None:
    completed = uow.injections.completed_of(recipient)
    series = [i for i in completed if i.given.presentation.series == voided.presentation.series]
    given: list[date] = []
    for injection in sorted(series, key=lambda injection: injection.given.given_at):
        dose = injection.given
        counted = dose.counted_after(given)
        if dose.given_at > voided.given_at and counted != dose:
            _put_right(uow, injection, counted, reason)
        given.append(dose.given_on)


def _put_right(uow: UnitOfWork, injection: Injection, dose: Dose, reason: str) -> Injection:
    corrected = replace(injection, dose=dose, version=injection.version + 1)
    uow.injections.save(corrected)
    uow.emit(
        InjectionCorrected(
            injection.code, injection.recipient, injection.vaccine, dose.lot, corrected.version, reason,
            dose.dose_number, dose.dose_total, dose.next_due_on,
        )
    )  # fmt: skip
    return corrected


def _put_back(uow: UnitOfWork, context: Context, injection: Injection, number: str, reason: str) -> None:
    """A dose that was not used after all returns to its lot, and shares what became of that."""
    enter = partial(_enter, uow, context, injection, number)
    vaccine = enter(reason, EntryKind.CORRECTED, 1)
    lot = known_lot(uow, vaccine.code, number)
    if lot.status is LotStatus.QUARANTINED:
        step_back(uow, context, vaccine, 1, reason)
        enter(reason, EntryKind.QUARANTINED, -1)
    elif lot.expires_on < context.clinic.today(context.now):
        step_back(uow, context, vaccine, 1, EXPIRED)
        enter(EXPIRED, EntryKind.WRITTEN_OFF, -1)


def _take_from(uow: UnitOfWork, context: Context, injection: Injection, lot: Lot, reason: str) -> None:
    """A dose of this lot turned out to be the one that was given, whatever became of the lot."""
    enter = partial(_enter, uow, context, injection, lot.number)
    if lot.remaining:
        step_back(uow, context, uow.vaccines.get(lot.vaccine), 1, reason)
    elif uow.vaccines.quarantined(lot.vaccine, lot.number):
        enter(reason, EntryKind.QUARANTINED, 1)
    elif uow.vaccines.written_off(lot.vaccine, lot.number, EXPIRED):
        enter(EXPIRED, EntryKind.WRITTEN_OFF, 1)
    else:
        raise InsufficientStock(remaining=0, lot=lot.number)
    enter(reason, EntryKind.CORRECTED, -1)


def _enter(  # noqa: PLR0917
    uow: UnitOfWork,
    context: Context,
    injection: Injection,
    lot: str,
    reason: str,
    kind: EntryKind,
    doses: int,
) -> Vaccine:
    return post(
        uow, context, injection.vaccine, kind, stock=doses, lot=lot, reference=injection.code, reason=reason
    )
