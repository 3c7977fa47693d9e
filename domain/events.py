"""What has happened at the clinic. Each is recorded in the transaction of the change it tells of.

Events carry codes and facts, never a person's name, birth date or phone: they outlive the moment,
feed the read model, and may be shown to an operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened; its name is the name of its class."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the outbox keeps it: ``seq`` orders all events of the clinic."""

    seq: int
    id: str
    at: datetime
    event: Event


# -- vaccine ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VaccineRegistered(Event):
    vaccine: str
    product: str


@dataclass(frozen=True, slots=True)
class StockAdded(Event):
    vaccine: str
    lot: str
    doses: int


@dataclass(frozen=True, slots=True)
class StockWrittenOff(Event):
    vaccine: str
    lot: str
    doses: int
    reason: str


@dataclass(frozen=True, slots=True)
class LotQuarantined(Event):
    vaccine: str
    lot: str
    doses: int
    reason: str


# -- booking ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecipientRegistered(Event):
    """``identity`` is the keyed digest by which my page finds the person, ``name`` is masked."""

    recipient: str
    identity: str
    name: str


@dataclass(frozen=True, slots=True)
class RecipientCorrected(Event):
    """Who they are was put right: they are found by this digest now, and shown by this masked name."""

    recipient: str
    identity: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Booked(Event):
    booking: str
    recipient: str
    vaccine: str
    product: str
    slot: datetime


@dataclass(frozen=True, slots=True)
class BookingWaitlisted(Event):
    """Joined the wait list; also when doses were lost and a reservation had to step back."""

    booking: str
    recipient: str
    vaccine: str
    product: str
    slot: datetime
    was_reserved: bool = False


@dataclass(frozen=True, slots=True)
class BookingCancelled(Event):
    booking: str
    recipient: str
    vaccine: str
    was_reserved: bool
    reason: str


@dataclass(frozen=True, slots=True)
class BookingPromoted(Event):
    booking: str
    recipient: str
    vaccine: str
    slot: datetime


@dataclass(frozen=True, slots=True)
class BookingNoShow(Event):
    booking: str
    recipient: str
    vaccine: str


@dataclass(frozen=True, slots=True)
class BookingReopened(Event):
    """The injection recorded for it was voided and the dose is back: the person is expected again."""

    booking: str
    recipient: str
    vaccine: str
    slot: datetime


# -- injection ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InjectionRegistered(Event):
    injection: str
    booking: str
    recipient: str
    vaccine: str
    slot: datetime


@dataclass(frozen=True, slots=True)
class InjectionCompleted(Event):
    injection: str
    booking: str
    recipient: str
    vaccine: str
    product: str
    lot: str
    dose_number: int
    dose_total: int
    given_on: date
    next_due_on: date | None


@dataclass(frozen=True, slots=True)
class InjectionCorrected(Event):
    """The record as it is now. A ``dose_number`` of 0 is from before this was told: it stayed as it was."""

    injection: str
    recipient: str
    vaccine: str
    lot: str
    version: int
    reason: str
    dose_number: int = 0
    dose_total: int = 0
    next_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class InjectionVoided(Event):
    """``dose_returned`` tells whether the needle never went in, so that the dose is back in stock."""

    injection: str
    booking: str
    recipient: str
    vaccine: str
    dose_returned: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ObservationFinished(Event):
    injection: str
    recipient: str


@dataclass(frozen=True, slots=True)
class AdverseEventReported(Event):
    injection: str
    recipient: str
    severity: str


# -- certificate application --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CertificateApplied(Event):
    application: str
    injection: str
    recipient: str
    product: str


@dataclass(frozen=True, slots=True)
class ApplicationCancelled(Event):
    application: str
    injection: str
    recipient: str


# -- certificate --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IssuePrepared(Event):
    certificate: str
    application: str
    recipient: str
    product: str


@dataclass(frozen=True, slots=True)
class CertificateIssued(Event):
    certificate: str
    application: str
    recipient: str
    product: str


@dataclass(frozen=True, slots=True)
class CertificateReissued(Event):
    """A corrected record: ``supersedes`` is revoked in the same transaction."""

    certificate: str
    supersedes: str
    application: str
    recipient: str
    product: str


@dataclass(frozen=True, slots=True)
class CertificateRevoked(Event):
    certificate: str
    application: str
    recipient: str
    reason: str


@dataclass(frozen=True, slots=True)
class IssueCancelled(Event):
    certificate: str
    application: str
    recipient: str


# -- my page ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MyPageMended(Event):
    """An event that was put aside, at the place ``event``, can be told now.

    There may be a view on every kiosk: each hears of it in its turn, and tells it once more, with what came
    after it about the same person.
    """

    recipient: str
    event: int


BY_NAME: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
"""Every event under the name it is stored with."""
