"""Who may say what. Every command and every query is in this table; a new one has to be put in."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import domain
from domain import (
    application,
    booking,
    certificate,
    correction,
    mypage,
    orders,
    parts,
    revocation,
    staff,
    vaccine,
    visit,
    wait_list,
)
from domain.actors import PUBLIC, SYSTEM, Actor, Role
from domain.clinic import Clinic
from domain.errors import NotAllowed
from domain.gateway import COMMANDS, WORKFLOWS, Gateway
from domain.messages import Command, Query

from .memory import FixedClock
from .small_clinic import ADMINISTRATOR, MANAGER, MONDAY, OFFICER, VACCINATOR, SmallClinic

EVERYBODY = "everybody"
NOBODY = "nobody"
STAFF = "manager vaccinator officer administrator"

TABLE: dict[type[Any], str] = {
    booking.Book: EVERYBODY,
    booking.CancelBooking: f"recipient {STAFF}",
    booking.PrintTicket: f"recipient {STAFF}",
    booking.MarkNoShow: "vaccinator manager",
    wait_list.PromoteWaiting: "manager system",
    vaccine.RegisterVaccine: "manager",
    vaccine.AddStock: "manager",
    vaccine.WriteOffStock: "manager",
    vaccine.WriteOffExpired: "manager system",
    vaccine.QuarantineLot: "manager",
    visit.CheckIn: "vaccinator",
    visit.Screen: "vaccinator",
    visit.CompleteInjection: "vaccinator",
    visit.FinishObservation: "vaccinator",
    visit.ReportAdverseEvent: "vaccinator",
    correction.CorrectInjection: "vaccinator",
    correction.VoidInjection: "vaccinator",
    correction.CorrectRecipient: "vaccinator officer",
    application.ApplyForCertificate: "recipient officer",
    application.CancelApplication: "recipient officer",
    certificate.IssueCertificate: "officer",
    certificate.RecordIssue: "officer",
    certificate.PrintCertificate: "recipient officer",
    certificate.RecordPrint: "recipient officer",
    certificate.RecordFailedPrint: "system",
    certificate.ReissueCertificate: "officer system",
    certificate.RevokeCertificate: "officer system",
    staff.EnrolStaff: "administrator system",
    staff.ResetPin: "administrator system",
    staff.RecordStaff: "administrator system",
    orders.OrderIssue: "officer",
    orders.OrderPrint: "officer system",
    parts.PausePart: "administrator system",
    parts.ResumePart: "administrator system",
    parts.RetryTask: "administrator system",
    parts.DiscardTask: "administrator system",
    parts.ListParts: "vaccinator administrator system",
    parts.ListTasks: "administrator officer system",
    booking.ListDays: EVERYBODY,
    booking.ListSlots: EVERYBODY,
    booking.GetBooking: f"recipient {STAFF}",
    vaccine.ListVaccines: EVERYBODY,
    vaccine.ListPresentations: STAFF,
    vaccine.ListLots: STAFF,
    vaccine.ListLedger: "manager",
    vaccine.ListLotDays: "manager",
    visit.ListGiven: "manager",
    visit.ListVisits: "vaccinator",
    visit.FindVisits: "vaccinator",
    visit.ListVisitsOf: "vaccinator",
    visit.GetVisit: "vaccinator",
    certificate.ListCertificates: "officer",
    certificate.GetCertificate: "recipient officer",
    certificate.ListReplacements: "vaccinator",
    certificate.DraftCertificate: "officer",
    revocation.GetStanding: f"{STAFF} system",
    revocation.ListRevoked: "administrator system",
    revocation.ListSignedWith: "administrator system",
    mypage.IdentifyByCode: EVERYBODY,
    mypage.IdentifyByDetails: EVERYBODY,
    mypage.IdentifyByDigest: NOBODY,
    mypage.GetMyPage: "recipient",
    mypage.ListCertifiable: "recipient",
    staff.ListStaff: "administrator system",
    staff.Unlock: EVERYBODY,
}

PEOPLE: dict[str, Actor] = {
    "public": PUBLIC,
    "recipient": Actor("RECJPJEN2", frozenset({Role.RECIPIENT})),
    "manager": MANAGER,
    "vaccinator": VACCINATOR,
    "officer": OFFICER,
    "administrator": ADMINISTRATOR,
    "system": SYSTEM,
}


def messages(base: type[Any]) -> set[type[Any]]:
    """Every command, or every query, that any module of the domain knows."""
    for module in pkgutil.iter_modules(domain.__path__, "domain."):
        importlib.import_module(module.name)
    return {kind for kind in base.__subclasses__() if kind.__module__.startswith("domain.")}


def test_every_command_and_every_query_is_in_the_table() -> None:
    assert TABLE.keys() == messages(Command) | messages(Query)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_who_may_say_it(kind: type[Any]) -> None:
    said_by = {name for name, actor in PEOPLE.items() if actor.has(kind.allowed)}
    expected = {EVERYBODY: set(PEOPLE), NOBODY: set()}.get(TABLE[kind], set(TABLE[kind].split()))
    assert said_by == expected


def test_the_public_books_asks_what_is_free_and_says_who_they_are_and_nothing_else() -> None:
    open_to_all = {kind.__name__ for kind in messages(Command) | messages(Query) if PUBLIC.has(kind.allowed)}
    assert open_to_all == {
        "Book", "ListDays", "ListSlots", "ListVaccines", "IdentifyByCode", "IdentifyByDetails", "Unlock",
    }  # fmt: skip


def test_every_command_has_one_handler() -> None:
    assert COMMANDS.keys() | WORKFLOWS.keys() == messages(Command)
    assert not COMMANDS.keys() & WORKFLOWS.keys()


def test_whoever_has_two_roles_may_do_what_either_may() -> None:
    both = Actor("STWXRXLES", frozenset({Role.VACCINATOR, Role.CERTIFICATE_OFFICER}))
    assert both.has(visit.CheckIn.allowed)
    assert both.has(certificate.IssueCertificate.allowed)
    assert not both.has(vaccine.AddStock.allowed)


def test_who_may_not_is_refused_before_anything_is_looked_at(clinic: SmallClinic) -> None:
    before = clinic.records
    for command in (
        vaccine.WriteOffStock("no such", "LOT1", 1, "x"),
        staff.RecordStaff("김", frozenset(), ""),
    ):
        with pytest.raises(NotAllowed):
            clinic.send(command)
    assert clinic.records is before


REFUSALS = [
    (kind, name)
    for kind, words in TABLE.items()
    for name in PEOPLE
    if words != EVERYBODY and name not in words.split()
]


@pytest.mark.parametrize(("kind", "name"), REFUSALS, ids=[f"{k.__name__}-{name}" for k, name in REFUSALS])
async def test_the_gateway_refuses_who_may_not_and_touches_nothing(kind: type[Any], name: str) -> None:
    nothing: Any = None
    gateway = Gateway(Clinic(), FixedClock(MONDAY), *[nothing] * 6, identity_key=b"")
    message = object.__new__(kind)  # not even what it says is looked at
    with pytest.raises(NotAllowed):
        await (gateway.send if issubclass(kind, Command) else gateway.ask)(message, PEOPLE[name])
