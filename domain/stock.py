"""The stock ledger: a vaccine's counters and its lots' are the sums of its entries.

`post` is the only way to change either, so they cannot drift apart, and `0 <= reserved <= stock`
is checked at the one place where it could break.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from domain.errors import InsufficientStock
from domain.ports import Context, UnitOfWork
from domain.presentation import Presentation


class EntryKind(StrEnum):
    """What happened to doses."""

    RECEIVED = "received"
    RESERVED = "reserved"
    RELEASED = "released"
    GIVEN = "given"
    WRITTEN_OFF = "written-off"
    QUARANTINED = "quarantined"
    CORRECTED = "corrected"


class LotStatus(StrEnum):
    USABLE = "usable"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A presentation that this clinic gives. ``stock`` counts usable doses, reserved ones included."""

    code: str
    presentation: Presentation
    stock: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        """Doses that can still be booked."""
        return self.stock - self.reserved


@dataclass(frozen=True, slots=True)
class Lot:
    """One batch of a vaccine; usable through the day printed on it."""

    vaccine: str
    number: str
    expires_on: date
    remaining: int = 0
    status: LotStatus = LotStatus.USABLE


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the ledger. ``lot`` is empty for reservations, which are of any lot."""

    vaccine: str
    kind: EntryKind
    stock_delta: int
    reserved_delta: int
    lot: str
    reference: str
    """The booking or injection it belongs to, or empty."""
    reason: str
    """Why, in words, or by the state of the booking: the one it waited in, or was left in. What was received,
    given or newly booked has its reason in what it refers to: its lot, its injection, its booking."""
    actor: str
    at: datetime


def post(
    uow: UnitOfWork,
    context: Context,
    vaccine_code: str,
    kind: EntryKind,
    *,
    stock: int = 0,
    reserved: int = 0,
    lot: str = "",
    reference: str = "",
    reason: str = "",
) -> Vaccine:
    """Enter a change of so many doses into the ledger and into the counters it sums up to.

    Raises InsufficientStock, and changes nothing, when that many are not there.
    """
    vaccine = uow.vaccines.get(vaccine_code)
    changed = replace(vaccine, stock=vaccine.stock + stock, reserved=vaccine.reserved + reserved)
    if not 0 <= changed.reserved <= changed.stock:
        raise InsufficientStock(remaining=vaccine.available, lot=lot or vaccine.presentation)
    if lot and stock:
        batch = uow.vaccines.lot(vaccine_code, lot)
        if batch is None or batch.remaining + stock < 0:
            raise InsufficientStock(remaining=batch.remaining if batch else 0, lot=lot)
        uow.vaccines.save_lot(replace(batch, remaining=batch.remaining + stock))
    uow.vaccines.save(changed)
    uow.vaccines.append(
        LedgerEntry(
            vaccine_code, kind, stock, reserved, lot, reference, reason, context.actor.code, context.now
        )
    )
    return changed
