"""What the domain needs from outside, as Protocols: storage, paper, signatures, time, PINs.

`Context`, `Foreseen` and `Place` are what passes between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from domain.actors import Actor
from domain.clinic import Clinic

if TYPE_CHECKING:
    from domain.application import Application
    from domain.booking import Booking, TicketFacts
    from domain.events import Event
    from domain.injection import Injection
    from domain.messages import Query
    from domain.parts import Part, PartControl, Task, TaskStatus
    from domain.recipient import Recipient
    from domain.staff import StaffMember
    from domain.statement import Certificate, CertificateFacts, Credential
    from domain.stock import LedgerEntry, Lot, Vaccine

R = TypeVar("R")


class Clock(Protocol):
    """The time; tests own theirs."""

    def now(self) -> datetime:
        """This instant, aware, in UTC."""


class Recipients(Protocol):
    def get(self, code: str) -> Recipient: ...
    def by_identity(self, identity: str) -> Recipient | None: ...
    def save(self, recipient: Recipient) -> None: ...


class Vaccines(Protocol):
    def get(self, code: str) -> Vaccine: ...
    def by_presentation(self, key: str) -> Vaccine | None: ...
    def save(self, vaccine: Vaccine) -> None: ...
    def lot(self, vaccine: str, number: str) -> Lot | None: ...
    def lots(self, vaccine: str) -> list[Lot]:
        """Every lot of this vaccine that there ever was."""

    def save_lot(self, lot: Lot) -> None: ...
    def append(self, entry: LedgerEntry) -> None: ...
    def quarantined(self, vaccine: str, lot: str) -> int:
        """How many doses of this lot are in quarantine, as the ledger says."""

    def written_off(self, vaccine: str, lot: str, reason: str) -> int:
        """How many doses of this lot were written off for this reason, as the ledger says."""


class Bookings(Protocol):
    def get(self, code: str) -> Booking: ...
    def save(self, booking: Booking) -> None: ...
    def live_of(self, recipient: str, vaccine: str) -> Booking | None:
        """The reserved or waiting booking of this person for this vaccine."""

    def first_waiting(self, vaccine: str) -> Booking | None:
        """Who has waited longest for this vaccine."""

    def last_reserved(self, vaccine: str, today: datetime) -> Booking | None:
        """Who of those with a dose of this vaccine booked last: of those who were expected before today and
        have not come, if there are any; those who are here already come last."""

    def people_in_slot(self, slot: datetime) -> int:
        """How many are expected, or have come, in this slot."""

    def reserved_since(self, vaccine: str, slot: datetime) -> int:
        """How many are expected for this vaccine in this slot or later."""


class Injections(Protocol):
    def get(self, code: str) -> Injection: ...
    def save(self, injection: Injection) -> None: ...
    def of_booking(self, booking: str) -> Injection | None:
        """The visit of this booking that is neither withdrawn nor voided."""

    def of_recipient(self, recipient: str) -> list[Injection]:
        """Every visit of this person, whatever became of it, oldest first."""

    def completed_of(self, recipient: str) -> list[Injection]:
        """The completed, not voided, injections of this person, oldest first."""


class Applications(Protocol):
    def get(self, code: str) -> Application: ...
    def save(self, application: Application) -> None: ...
    def live_of(self, injection: str) -> Application | None:
        """The application for this injection that is neither cancelled nor closed."""


class Certificates(Protocol):
    def get(self, code: str) -> Certificate: ...
    def save(self, certificate: Certificate) -> None: ...
    def live_of(self, application: str) -> Certificate | None:
        """The certificate of this application that is ready or issued."""

    def issued_to(self, recipient: str) -> list[Certificate]:
        """The issued, not revoked, certificates of this person, oldest first."""


class StaffMembers(Protocol):
    def all(self) -> list[StaffMember]: ...
    def save(self, member: StaffMember) -> None: ...


class Tasks(Protocol):
    def get(self, code: str) -> Task: ...
    def save(self, task: Task) -> None: ...
    def live_of(self, part: Part, subject: str) -> list[Task]:
        """What this part still has to do about this subject, oldest first."""

    def aside(self, part: Part, problem: str) -> list[Task]:
        """Those of this part that stand aside for this problem."""

    def subjects(self, part: Part) -> Mapping[str, Collection[TaskStatus]]:
        """What events were set apart about, and how far those are: later ones wait behind them."""


class Parts(Protocol):
    def save(self, control: PartControl) -> None: ...


class UnitOfWork(Protocol):
    """One transaction: what is saved and emitted here is committed together, or not at all."""

    @property
    def recipients(self) -> Recipients: ...
    @property
    def vaccines(self) -> Vaccines: ...
    @property
    def bookings(self) -> Bookings: ...
    @property
    def injections(self) -> Injections: ...
    @property
    def applications(self) -> Applications: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def staff(self) -> StaffMembers: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def parts(self) -> Parts: ...
    @property
    def emitted(self) -> list[Event]:
        """What has happened in this transaction so far."""

    def emit(self, event: Event) -> None:
        """Record that this has happened, in the same transaction."""


class Signer(Protocol):
    """Turns what a certificate states into a credential that strangers can verify."""

    def sign(self, facts: CertificateFacts) -> Credential:
        """The signed credential; pure, below a millisecond, so it may run in a transaction.

        Raises CannotSign.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler knows beside its command: who asks, when, at which clinic."""

    actor: Actor
    now: datetime
    clinic: Clinic
    signer: Signer
    identity_key: bytes


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a command is sure to ask of its unit of work: for many commands at once it is read at once."""

    identity: str
    """Of the recipient who may be known already."""
    slot: datetime
    """In which people are counted."""


class Writer(Protocol):
    """The one that writes: runs work in a transaction, acknowledges it after the commit."""

    def admit(self) -> None:
        """Before anything is prepared: raises ClinicBusy when whoever comes now would wait too long."""

    async def run(
        self, work: Callable[[UnitOfWork], R], command_id: str, name: str, foreseen: Foreseen | None = None
    ) -> R:
        """Run the work once; asked again with the same ``command_id`` it gives the first answer.

        Raises what the work raised, StorageUnavailable or RecordsRefused (nothing was changed), or
        OutcomeUnknown (look it up before trying again).
        """

    async def run_behind(self, work: Callable[[UnitOfWork], R], command_id: str, name: str) -> R:
        """The same for the clinic's own parts, which are never turned away and wait as long as it takes."""


class Reader(Protocol):
    """The one that reads, from committed state only."""

    async def answer(self, query: Query[R], actor: Actor, now: datetime) -> R:
        """The answer to a query."""


class Press(Protocol):
    """Makes paper: PDF pages as bytes."""

    async def certificate(self, facts: CertificateFacts, credential: Credential) -> bytes:
        """The certificate's page, its QR proven readable. Raises PaperFailed."""

    async def ticket(self, ticket: TicketFacts) -> bytes:
        """The booking's ticket. Raises PaperFailed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where paper is now, as people find it: a file in a folder, or the tray of a printer."""

    where: str
    printed: bool = False
    """Whether it came out of a printer; otherwise ``where`` is a file."""

    def __str__(self) -> str:
        return self.where

    def __fspath__(self) -> str:
        return self.where


class Archive(Protocol):
    """Where finished paper goes."""

    async def keep(self, name: str, content: bytes) -> Place:
        """Store or print it, whole or not at all. Raises PaperFailed; then nobody has it,
        unless that error says ``may_have_come_out``."""


class PinHasher(Protocol):
    """Slow, salted hashes of staff PINs."""

    def hash(self, pin: str) -> str: ...
    def matches(self, pin_hash: str, pin: str) -> bool: ...
