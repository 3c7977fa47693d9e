"""My page: one person's bookings, injections, applications and certificates in one look.

It is a view, not an aggregate: `project` says what each event changes in it, and nothing else
ever writes it, so it can be thrown away and told again from the events.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from domain import events as e
from domain.actors import RECIPIENT, Actor, Role
from domain.messages import Query


class ItemKind(StrEnum):
    BOOKING = "booking"
    INJECTION = "injection"
    APPLICATION = "application"
    CERTIFICATE = "certificate"


_OVER = {
    ItemKind.BOOKING: {"cancelled", "completed", "no-show"},
    ItemKind.INJECTION: {"voided"},
    ItemKind.APPLICATION: {"issued", "cancelled", "revoked"},
    ItemKind.CERTIFICATE: {"cancelled", "revoked"},
}


@dataclass(frozen=True, slots=True)
class MyPageItem:
    """One line of my page. ``status`` is the word of the aggregate it shows."""

    code: str
    kind: ItemKind
    recipient: str
    status: str
    product: str
    at: datetime
    """When it last changed."""
    parent: str = ""
    """What it follows from: the booking of an injection, the injection of an application, …

    A booking that lost its dose follows from itself: its place on the wait list is what became of it.
    """
    slot: datetime | None = None
    lot: str = ""
    dose_number: int = 0
    dose_total: int = 0
    given_on: date | None = None
    next_due_on: date | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing comes of it any more, or something else on the page stands for it."""
        return self.status in _OVER[self.kind]

    @property
    def lost_its_dose(self) -> bool:
        """Whether it was booked and waits again, because doses ran short."""
        return self.kind is ItemKind.BOOKING and self.status == "waiting" and self.parent == self.code


@dataclass(frozen=True, slots=True)
class Person:
    """Whose page it is; the name is masked."""

    recipient: str
    identity: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """These fields of the item of this code have these values from now on."""

    code: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class MyPage:
    """The whole page, newest first. ``position`` is the last event that it knows of."""

    name: str
    items: list[MyPageItem]
    position: int

    @property
    def in_order(self) -> list[MyPageItem]:
        """What still counts before what is over."""
        return sorted(self.items, key=lambda item: item.is_over)

    def is_replaced(self, item: MyPageItem) -> bool:
        """Whether this certificate was revoked because another that is valid took its place."""
        return (item.kind, item.status) == (ItemKind.CERTIFICATE, "revoked") and any(
            (other.kind, other.status, other.parent) == (item.kind, "issued", item.parent)
            for other in self.items
        )


@dataclass(frozen=True)
class IdentifyByCode(Query[Actor]):
    """The recipient to whom a booking, injection or application code belongs.

    Not that of a certificate: it is printed on what people show to strangers.
    """

    code: str


@dataclass(frozen=True)
class IdentifyByDetails(Query[Actor]):
    """The recipient with this name, birth date and phone. Raises NotIdentified."""

    name: str
    birth_date: str
    phone: str


@dataclass(frozen=True)
class IdentifyByDigest(Query[Actor]):
    """What the gateway makes of `IdentifyByDetails`; nobody else asks it."""

    allowed: ClassVar[frozenset[Role]] = frozenset()
    identity: str


@dataclass(frozen=True)
class GetMyPage(Query[MyPage]):
    """One's own page."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT


@dataclass(frozen=True)
class Certifiable:
    """A completed injection, and what became of the wish to have it certified."""

    injection: str
    product: str
    given_on: date
    dose_number: int
    dose_total: int
    application: str = ""
    application_status: str = ""
    certificate: str = ""
    certificate_status: str = ""


@dataclass(frozen=True)
class ListCertifiable(Query[list[Certifiable]]):
    """One's own completed injections, newest first, straight from the records."""

    allowed: ClassVar[frozenset[Role]] = RECIPIENT


Projection = MyPageItem | Person | Change


def project(event: e.Event, at: datetime) -> list[Projection]:  # noqa: PLR0911, PLR0912
    """What this event changes on my page; an empty list when it shows nothing there."""
    match event:
        case e.RecipientRegistered() | e.RecipientCorrected():
            return [Person(event.recipient, event.identity, event.name)]
        case e.Booked():
            return [_booking(event, "reserved", at)]
        case e.BookingWaitlisted():
            waits = _booking(event, "waiting", at)
            return [replace(waits, parent=event.booking) if event.was_reserved else waits]
        case e.BookingPromoted() | e.BookingReopened():
            return [_change(event.booking, at, status="reserved", slot=event.slot)]
        case e.BookingCancelled():
            return [_change(event.booking, at, status="cancelled")]
        case e.BookingNoShow():
            return [_change(event.booking, at, status="no-show")]
        case e.InjectionCompleted():
            return [_change(event.booking, at, status="completed"), _injection(event, at)]
        case e.InjectionCorrected():
            return [_change(event.injection, at, lot=event.lot, **_place_in_series(event))]
        case e.InjectionVoided():
            return [_change(event.injection, at, status="voided")]
        case e.CertificateApplied():
            return [
                MyPageItem(
                    event.application, ItemKind.APPLICATION, event.recipient, "applied",
                    event.product, at, parent=event.injection,
                )
            ]  # fmt: skip
        case e.ApplicationCancelled():
            return [_change(event.application, at, status="cancelled")]
        case e.IssuePrepared():
            return [_certificate(event, "ready", at)]
        case e.CertificateIssued():
            return [
                _change(event.certificate, at, status="issued"),
                _change(event.application, at, status="issued"),
            ]
        case e.CertificateReissued():
            return [
                _change(event.supersedes, at, status="revoked"),
                _certificate(event, "issued", at),
            ]
        case e.CertificateRevoked():
            return [
                _change(event.certificate, at, status="revoked"),
                _change(event.application, at, status="revoked"),
            ]
        case e.IssueCancelled():
            return [_change(event.certificate, at, status="cancelled")]
    return []


def _change(code: str, at: datetime, **fields: object) -> Change:
    return Change(code, {**fields, "at": at})


def _booking(event: e.Booked | e.BookingWaitlisted, status: str, at: datetime) -> MyPageItem:
    return MyPageItem(
        event.booking, ItemKind.BOOKING, event.recipient, status, event.product, at, slot=event.slot
    )


def _injection(event: e.InjectionCompleted, at: datetime) -> MyPageItem:
    return MyPageItem(
        event.injection, ItemKind.INJECTION, event.recipient, "completed", event.product, at,
        parent=event.booking, lot=event.lot, dose_number=event.dose_number,
        dose_total=event.dose_total, given_on=event.given_on, next_due_on=event.next_due_on,
    )  # fmt: skip


def _place_in_series(event: e.InjectionCorrected) -> dict[str, object]:
    if not event.dose_number:
        return {}
    return {
        "dose_number": event.dose_number, "dose_total": event.dose_total, "next_due_on": event.next_due_on
    }  # fmt: skip


def _certificate(event: e.IssuePrepared | e.CertificateReissued, status: str, at: datetime) -> MyPageItem:
    return MyPageItem(
        event.certificate, ItemKind.CERTIFICATE, event.recipient, status, event.product, at,
        parent=event.application,
    )  # fmt: skip
