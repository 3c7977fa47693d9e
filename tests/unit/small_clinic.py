"""A whole clinic in memory: commands go through handler and policies as they do in the gateway."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from domain import policies
from domain.actors import PUBLIC, SYSTEM, Actor, Role
from domain.application import Application, ApplyForCertificate
from domain.booking import Book, Booking, BookingStatus
from domain.certificate import RecordIssue
from domain.clinic import Clinic
from domain.errors import NotAllowed
from domain.events import Event
from domain.gateway import COMMANDS
from domain.injection import Injection, InjectionStatus
from domain.messages import Command
from domain.ports import Context
from domain.presentation import Disease, Presentation, Site
from domain.recipient import PersonDetails, person_details
from domain.statement import Certificate, series_up_to, state_facts
from domain.stock import Vaccine
from domain.vaccine import AddStock, RegisterVaccine
from domain.visit import CheckIn, CompleteInjection, Screen

from .memory import FixedClock, MemoryUnitOfWork, PlainSigner, Records, local, names, only

R = TypeVar("R")

MANAGER = Actor("SMANAGER2", frozenset({Role.VACCINE_MANAGER}), "관리자")
VACCINATOR = Actor("SVACCINA2", frozenset({Role.VACCINATOR}), "접종자")
COLLEAGUE = Actor("SKNLLEGE2", frozenset({Role.VACCINATOR}), "동료")
OFFICER = Actor("SQFFJCER2", frozenset({Role.CERTIFICATE_OFFICER}), "발급자")
ADMINISTRATOR = Actor("SADMJNJS2", frozenset({Role.ADMINISTRATOR}), "운영자")

TWO_DOSES = Presentation(
    key="two-doses", name_ko="두 번 백신", name_en="Twice", manufacturer="Maker", disease=Disease.COVID_19,
    min_age_months=216, primary_doses=2, interval_days=28, booster_interval_days=90,
)  # fmt: skip
ONE_DOSE = Presentation(
    key="one-dose", name_ko="한 번 백신", name_en="Once", manufacturer="Maker", disease=Disease.COVID_19,
    min_age_months=144, primary_doses=1, booster_interval_days=90,
)  # fmt: skip
FLU = Presentation(
    key="flu", name_ko="독감 백신", name_en="Flu", manufacturer="Maker", disease=Disease.INFLUENZA,
    min_age_months=6, primary_doses=1, booster_interval_days=28, seasonal=True,
)  # fmt: skip
FLU_TWICE = replace(FLU, key="flu-twice", primary_doses=2, interval_days=28)
"""As a child under nine gets it the first time."""

MONDAY = local("2026-03-02 08:00")
FIRST_SLOT = local("2026-03-02 09:00")


def person(number: int = 1, birth_date: str | date = "19800101", **other: Any) -> PersonDetails:
    """Somebody; another number is somebody else."""
    family = "김이박최정강조윤장임"[number % 10]
    details: dict[str, Any] = {
        "name": f"{family}하나", "birth_date": birth_date, "phone": f"010{number:08d}",
        "passport_surname": "KIM", "passport_given": "HANA", "today": date(2026, 3, 2),
    }  # fmt: skip
    return person_details(**{**details, **other})


class SmallClinic:
    """Runs commands and relays their events; a command that fails leaves the records as they were."""

    def __init__(self, clinic: Clinic | None = None) -> None:
        self.clinic = clinic or Clinic()
        self.clock = FixedClock(MONDAY)
        self.signer = PlainSigner()
        self.records = Records()
        self._read: dict[str, int] = defaultdict(int)

    # -- as the gateway and the relay do it -------------------------------------------------------

    def context(self, actor: Actor) -> Context:
        return Context(actor, self.clock.now(), self.clinic, self.signer, b"a key of this clinic")

    def send(self, command: Command[R], actor: Actor = PUBLIC) -> R:
        """Handler, then the policies that follow at once, then the commit: all or nothing."""
        if not actor.has(command.allowed):
            raise NotAllowed
        context = self.context(actor)
        uow = MemoryUnitOfWork(self.records)
        result: R = COMMANDS[type(command)](uow, command, context)
        policies.follow_at_once(uow, context)
        self.records = uow.committed()
        return result

    def relay(self) -> None:
        """Bring every event that a part has not read yet to it, until nothing more follows."""
        while any(self._read[part] < len(self.records.events) for part in policies.BY_RELAY):
            for part in policies.BY_RELAY:
                while self._read[part] < len(self.records.events):
                    event = self.records.events[self._read[part]]
                    self._read[part] += 1
                    self.deliver(part, event)

    def deliver(self, part: str, event: Event) -> None:
        """Bring one event to one part, in a transaction of its own."""
        uow = MemoryUnitOfWork(self.records)
        policies.follow_by_relay(part, uow, event, self.context(SYSTEM))
        self.records = uow.committed()

    # -- short ways to where a test begins --------------------------------------------------------

    def vaccine(self, presentation: Presentation = TWO_DOSES, doses: int = 0, lot: str = "LOT1") -> str:
        """A registered vaccine with so many doses; answers its code."""
        code = self.send(RegisterVaccine(presentation), MANAGER).code
        if doses:
            self.stock(code, doses, lot)
        return code

    def stock(
        self, vaccine: str, doses: int, lot: str = "LOT1", expires_on: date = date(2027, 12, 31)
    ) -> None:
        self.send(AddStock(vaccine, lot, expires_on, doses), MANAGER)

    def book(
        self, vaccine: str, number: int = 1, slot: datetime = FIRST_SLOT, wait: bool = True,
        who: PersonDetails | None = None, actor: Actor = PUBLIC,
    ) -> str:  # fmt: skip
        """A booking of person ``number``; answers its code."""
        details = who or person(number)
        return self.send(Book(details, vaccine, slot, join_wait_list=wait), actor).booking

    def expect(self, vaccine: str, number: int = 1, **other: Any) -> Injection:
        """Somebody who booked and whom the desk expects."""
        booking = self.book(vaccine, number, **other)
        self.relay()
        return self.visit(booking)

    def screened(self, vaccine: str, number: int = 1, allergic: bool = False, **other: Any) -> str:
        """Somebody ready for the needle; answers the injection's code."""
        injection = self.expect(vaccine, number, **other).code
        self.send(CheckIn(injection), VACCINATOR)
        self.send(Screen(injection, past_allergic_reaction=allergic), VACCINATOR)
        return injection

    def inject(self, vaccine: str, number: int = 1, lot: str = "LOT1", **other: Any) -> Injection:
        """Somebody who has been vaccinated."""
        return self.give(self.screened(vaccine, number, **other), lot)

    def give(self, injection: str, lot: str = "LOT1", site: Site = Site.LEFT_ARM) -> Injection:
        return self.send(CompleteInjection(injection, lot, site, "이수진"), VACCINATOR)

    def apply(self, injection: Injection) -> Application:
        """The vaccinated person applies for a certificate, and its issue is prepared."""
        application = self.send(ApplyForCertificate(injection.code), self.as_recipient(injection.recipient))
        self.relay()
        return application

    def issue(self, application: Application) -> Certificate:
        """The officer signs what was prepared."""
        ready = self.certificate_of(application)
        recipient = self.records.recipients[ready.recipient]
        injection = self.records.injections[ready.injection]
        facts = state_facts(ready.code, recipient, self.series(injection), self.context(OFFICER))
        record = RecordIssue(ready.code, facts, self.signer.sign(facts), injection.version)
        self.send(record, OFFICER)
        self.relay()
        return self.records.certificates[ready.code]

    def series(self, injection: Injection) -> tuple[Injection, ...]:
        """The doses that a certificate of this one states."""
        done = [i for i in self.records.injections.values() if i.status is InjectionStatus.COMPLETED]
        return series_up_to(injection, [i for i in done if i.recipient == injection.recipient])

    # -- looking things up ------------------------------------------------------------------------

    def as_recipient(self, code: str) -> Actor:
        return Actor(code, frozenset({Role.RECIPIENT}))

    def owner(self, booking: str) -> Actor:
        return self.as_recipient(self.records.bookings[booking].recipient)

    def level(self, vaccine: str) -> tuple[int, int]:
        """Stock and reserved."""
        found: Vaccine = self.records.vaccines[vaccine]
        return found.stock, found.reserved

    def remaining(self, vaccine: str, lot: str = "LOT1") -> int:
        return self.records.lots[vaccine, lot].remaining

    def booking(self, code: str) -> Booking:
        return self.records.bookings[code]

    def statuses(self, *bookings: str) -> list[BookingStatus]:
        return [self.records.bookings[code].status for code in bookings]

    def visit(self, booking: str) -> Injection:
        """The live visit of a booking."""
        gone = (InjectionStatus.WITHDRAWN, InjectionStatus.VOIDED)
        found: Injection = only(
            i for i in self.records.injections.values() if i.booking == booking and i.status not in gone
        )
        return found

    def certificate_of(self, application: Application) -> Certificate:
        """The newest certificate of an application."""
        return [c for c in self.records.certificates.values() if c.application == application.code][-1]

    def happened(self, since: int = 0) -> list[str]:
        return names(self.records.events[since:])

    def with_capacity(self, capacity: int) -> None:
        """From now on so many people fit into a slot."""
        self.clinic = replace(self.clinic, schedule=replace(self.clinic.schedule, capacity=capacity))
