"""Vaccine admin: register a vaccine, take doses in, write them off, quarantine a lot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from domain.actors import BY_POLICY, STAFF_ROLES, VACCINE_MANAGER, Role
from domain.codes import Kind, new_code
from domain.errors import (
    DateInPast,
    InsufficientStock,
    LotInQuarantine,
    LotMismatch,
    LotUnknown,
    NotANumber,
    VaccineExists,
)
from domain.events import LotQuarantined, StockAdded, StockWrittenOff, VaccineRegistered
from domain.messages import Command, Query
from domain.ports import Context, UnitOfWork
from domain.presentation import Presentation
from domain.recipient import parse_date, parse_text
from domain.stock import EntryKind, LedgerEntry, Lot, LotStatus, Vaccine, post
from domain.wait_list import step_back

MOST_DOSES = 100_000
"""Doses in one delivery; more is a typing error."""
EXPIRED = "유효기간 지남 / expired"
"""The reason in the ledger, of nobody's writing."""


# -- what can be asked ----------------------------------------------------------------------------


@dataclass(frozen=True)
class VaccineLevel:
    """A vaccine with its live counters; ``waiting`` people have no dose yet."""

    vaccine: Vaccine
    waiting: int


@dataclass(frozen=True)
class ListVaccines(Query[list[VaccineLevel]]):
    """Every vaccine of the clinic, in the order of registration."""


@dataclass(frozen=True)
class ListPresentations(Query[list[Presentation]]):
    """The presentations the clinic knows from its clinical rules."""

    allowed: ClassVar[frozenset[Role]] = STAFF_ROLES


@dataclass(frozen=True)
class ListLots(Query[list[Lot]]):
    """The lots of a vaccine, first to expire first."""

    allowed: ClassVar[frozenset[Role]] = STAFF_ROLES
    vaccine: str


@dataclass(frozen=True)
class LedgerLine:
    """An entry with its number, and who made it by name; empty unless that was a member of staff."""

    number: int
    entry: LedgerEntry
    name: str


@dataclass(frozen=True)
class ListLedger(Query[list[LedgerLine]]):
    """The ledger of a vaccine, newest first, one page at a time."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    vaccine: str
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True)
class LotDay:
    """One lot on one day, in doses; ``moved`` says what came and went."""

    vaccine: Presentation
    lot: Lot
    closing: int
    moved: Mapping[EntryKind, int]

    @property
    def opening(self) -> int:
        """What was there when the day began."""
        return self.closing - sum(self.moved.values())

    def doses(self, *kinds: EntryKind) -> int:
        """What came or went so."""
        return sum(self.moved.get(kind, 0) for kind in kinds)


@dataclass(frozen=True)
class ListLotDays(Query[list[LotDay]]):
    """Every lot that held doses on a day, by vaccine, first to expire first: to count the fridge against."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    day: date


# -- what can be done -----------------------------------------------------------------------------


@dataclass(frozen=True)
class RegisterVaccine(Command[Vaccine]):
    """Give a presentation at this clinic from now on."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    presentation: Presentation


@dataclass(frozen=True)
class AddStock(Command[Vaccine]):
    """Take a delivery of one lot in; who waits is promoted."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    vaccine: str
    lot: str
    expires_on: date
    doses: int


@dataclass(frozen=True)
class WriteOffStock(Command[Vaccine]):
    """Doses are lost: broken, warm, left over. Reservations without a dose return to the wait list."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    vaccine: str
    lot: str
    doses: int
    reason: str


@dataclass(frozen=True)
class QuarantineLot(Command[Vaccine]):
    """Nothing of this lot may be used any more; its doses leave the stock."""

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER
    vaccine: str
    lot: str
    reason: str


@dataclass(frozen=True)
class WriteOffExpired(Command[int]):
    """The lots that expired before today leave the stock; answers how many doses they held.

    What must not be given is no dose: whoever was promised one returns to the wait list.
    """

    allowed: ClassVar[frozenset[Role]] = VACCINE_MANAGER | BY_POLICY
    vaccine: str


def register_vaccine(uow: UnitOfWork, command: RegisterVaccine, context: Context) -> Vaccine:
    """A presentation is registered once; raises VaccineExists."""
    presentation = command.presentation
    if uow.vaccines.by_presentation(presentation.key):
        raise VaccineExists(vaccine=presentation)
    parse_text(presentation.name_ko, "name_ko")
    parse_text(presentation.name_en, "name_en")
    vaccine = Vaccine(new_code(Kind.VACCINE), presentation)
    uow.vaccines.save(vaccine)
    uow.emit(VaccineRegistered(vaccine.code, presentation.title))
    return vaccine


def add_stock(uow: UnitOfWork, command: AddStock, context: Context) -> Vaccine:
    """Doses of a lot arrive. The same lot may arrive again, with the same expiry date."""
    lot = parse_lot(command.lot)
    doses = parse_doses(command.doses)
    expires_on = parse_date(command.expires_on, "expires_on")
    if expires_on < context.clinic.today(context.now):
        raise DateInPast("expires_on")
    uow.vaccines.get(command.vaccine)
    known = uow.vaccines.lot(command.vaccine, lot)
    if known is None:
        uow.vaccines.save_lot(Lot(command.vaccine, lot, expires_on))
    elif known.expires_on != expires_on:
        raise LotMismatch(lot=lot, date=known.expires_on)
    elif known.status is LotStatus.QUARANTINED:
        raise LotInQuarantine(lot=lot)
    vaccine = post(uow, context, command.vaccine, EntryKind.RECEIVED, stock=doses, lot=lot)
    uow.emit(StockAdded(vaccine.code, lot, doses))
    return vaccine


def write_off_stock(uow: UnitOfWork, command: WriteOffStock, context: Context) -> Vaccine:
    """Doses of a lot leave the stock for a reason; raises InsufficientStock when the lot has fewer."""
    doses = parse_doses(command.doses)
    reason = parse_text(command.reason, "reason", limit=200)
    lot = known_lot(uow, command.vaccine, command.lot)
    if lot.remaining < doses:
        raise InsufficientStock(remaining=lot.remaining, lot=lot.number)
    vaccine = _take_out(uow, context, lot, EntryKind.WRITTEN_OFF, doses, reason)
    uow.emit(StockWrittenOff(lot.vaccine, lot.number, doses, reason))
    return vaccine


def write_off_expired(uow: UnitOfWork, command: WriteOffExpired, context: Context) -> int:
    """A lot can be used through the day that is printed on it."""
    today, doses = context.clinic.today(context.now), 0
    for lot in uow.vaccines.lots(command.vaccine):
        if lot.remaining and lot.expires_on < today:
            _take_out(uow, context, lot, EntryKind.WRITTEN_OFF, lot.remaining, EXPIRED)
            uow.emit(StockWrittenOff(lot.vaccine, lot.number, lot.remaining, EXPIRED))
            doses += lot.remaining
    return doses


def quarantine_lot(uow: UnitOfWork, command: QuarantineLot, context: Context) -> Vaccine:
    """All that is left of a lot leaves the stock, and the lot cannot be used or added to."""
    reason = parse_text(command.reason, "reason", limit=200)
    lot = known_lot(uow, command.vaccine, command.lot)
    if lot.status is LotStatus.QUARANTINED:
        raise LotInQuarantine(lot=lot.number)
    vaccine = uow.vaccines.get(lot.vaccine)
    if lot.remaining:
        vaccine = _take_out(uow, context, lot, EntryKind.QUARANTINED, lot.remaining, reason)
    uow.vaccines.save_lot(replace(lot, remaining=0, status=LotStatus.QUARANTINED))
    uow.emit(LotQuarantined(lot.vaccine, lot.number, lot.remaining, reason))
    return vaccine


def parse_lot(text: str, field: str = "lot") -> str:
    """A lot number as printed: capitals, no spaces, at most 20 characters (GS1 AI 10)."""
    return parse_text(text, field, limit=20).upper().replace(" ", "")


def parse_doses(value: int | str, field: str = "doses") -> int:
    """A number of doses, from 1 to `MOST_DOSES`."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MOST_DOSES):
        raise NotANumber(field, least=1, most=MOST_DOSES)
    return int(text)


def known_lot(uow: UnitOfWork, vaccine: str, number: str) -> Lot:
    """A lot of this vaccine, by the number on its label. Raises LotUnknown."""
    lot = uow.vaccines.lot(vaccine, parse_lot(number))
    if lot is None:
        raise LotUnknown(lot=number, vaccine=uow.vaccines.get(vaccine).presentation)
    return lot


def _take_out(  # noqa: PLR0917
    uow: UnitOfWork, context: Context, lot: Lot, kind: EntryKind, doses: int, reason: str
) -> Vaccine:
    step_back(uow, context, uow.vaccines.get(lot.vaccine), doses, reason)
    return post(uow, context, lot.vaccine, kind, stock=-doses, lot=lot.number, reason=reason)
