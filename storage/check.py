"""Whether the records keep the rules of the clinic: one query a rule, answering the rows that do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Executable,
    String,
    and_,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
)

from domain.application import ApplicationStatus
from domain.booking import BookingStatus
from domain.injection import InjectionStatus
from domain.statement import CertificateStatus
from domain.stock import EntryKind
from storage import tables as t
from storage.types import json_of


@dataclass(frozen=True)
class Violation:
    """One row that breaks a rule of `language.md`, by its number there."""

    rule: int
    says: str
    code: str


def check(connection: Connection) -> list[Violation]:
    """Every violation in the records, in the order of the rules; empty when all is well.

    One read transaction, so that all rules see the same moment.
    """
    if connection.dialect.name == "postgresql":  # where a statement sees a later moment than the last
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return [
        Violation(rule, says, str(row[0]))
        for rule, says, statement in _RULES
        for row in connection.execute(statement)
    ]


def _rules() -> list[tuple[int, str, Executable]]:
    v, b, i, a, c = t.vaccine.c, t.booking.c, t.injection.c, t.application.c, t.certificate.c
    ledger, lot, event = t.ledger.c, t.lot.c, t.event.c
    held = _count(t.booking, b.vaccine == v.code, b.status == BookingStatus.RESERVED)
    waiting = exists().where(b.vaccine == v.code, b.status == BookingStatus.WAITING)
    given = _count(t.ledger, ledger.reference == i.code, ledger.kind == EntryKind.GIVEN)
    was_given = i.status.in_((InjectionStatus.COMPLETED, InjectionStatus.VOIDED))
    live_application = a.status.in_((ApplicationStatus.APPLIED, ApplicationStatus.ISSUED))
    issued = c.status == CertificateStatus.ISSUED
    of_injection = t.certificate.join(t.injection, i.code == c.injection)
    of_application = t.certificate.join(t.application, a.code == c.application)
    return [
        (1, "0 <= reserved <= stock", select(v.code).where(or_(v.reserved < 0, v.reserved > v.stock))),
        (2, "as many doses are reserved as bookings hold one", select(v.code).where(v.reserved != held)),
        (3, "nobody waits while a dose is free", select(v.code).where(v.stock > v.reserved, waiting)),
        (4, "an injection takes its dose once", select(i.code).where(was_given, given != 1)),
        (4, "nothing is taken for what was not injected", select(i.code).where(not_(was_given), given != 0)),
        (
            4,
            "a completed injection completes its booking",
            select(i.code)
            .join(t.booking, b.code == i.booking)
            .where(i.status == InjectionStatus.COMPLETED, b.status != BookingStatus.COMPLETED),
        ),
        (
            5,
            "an application has a completed injection of the same person",
            select(a.code)
            .join(t.injection, i.code == a.injection)
            .where(
                live_application,
                or_(i.status != InjectionStatus.COMPLETED, i.recipient != a.recipient),
            ),
        ),
        (
            6,
            "an issued certificate states a completed injection as it is now",
            select(c.code)
            .select_from(of_injection)
            .where(
                issued,
                or_(i.status != InjectionStatus.COMPLETED, i.version != c.injection_version),
            ),
        ),
        (
            7,
            "an issued certificate has an issued application",
            select(c.code).select_from(of_application).where(issued, a.status != ApplicationStatus.ISSUED),
        ),
        (8, "every booking is told of", _untold(b.code, "booking", ("Booked", "BookingWaitlisted"))),
        (
            8,
            "every injection given is told of",
            _untold(i.code, "injection", ("InjectionCompleted",), was_given),
        ),
        (8, "every application is told of", _untold(a.code, "application", ("CertificateApplied",))),
        (
            8,
            "every issued certificate is told of",
            _untold(c.code, "certificate", ("CertificateIssued", "CertificateReissued"), issued),
        ),
        (
            8,
            "no part is ahead of the events",
            select(t.position.c.listener).where(
                t.position.c.seq > select(func.coalesce(func.max(event.seq), 0)).scalar_subquery()
            ),
        ),
        (
            9,
            "a vaccine's counters are the sums of its ledger",
            select(v.code).where(
                or_(
                    v.stock != _sum(ledger.stock_delta, ledger.vaccine == v.code),
                    v.reserved != _sum(ledger.reserved_delta, ledger.vaccine == v.code),
                )
            ),
        ),
        (
            9,
            "a lot's doses are the sum of its ledger",
            select(lot.number).where(
                lot.remaining
                != _sum(ledger.stock_delta, and_(ledger.vaccine == lot.vaccine, ledger.lot == lot.number))
            ),
        ),
    ]


def _count(table: Any, *conditions: Any) -> Any:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


def _sum(column: Any, condition: Any) -> Any:
    return select(func.coalesce(func.sum(column), 0)).where(condition).scalar_subquery()


def _untold(code: Any, key: str, names: tuple[str, ...], *conditions: Any) -> CompoundSelect[Any]:
    """Codes of which no event of these names tells."""
    told = select(json_of(t.event.c.payload)[key].as_string()).where(t.event.c.name.in_(names))
    return select(cast(code, String)).where(*conditions).except_(told)


_RULES = _rules()
