"""The clinic's ports, kept in memory: a unit of work, a clock that tests own, a signer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from domain.application import LIVE_APPLICATION, Application
from domain.booking import CAME, Booking, BookingStatus
from domain.errors import CannotSign, NotFound
from domain.events import Event
from domain.injection import LIVE_VISIT, Injection, InjectionStatus
from domain.parts import Part, PartControl, Task, TaskStatus
from domain.recipient import Recipient
from domain.staff import StaffMember
from domain.statement import LIVE_CERTIFICATE, Certificate, CertificateFacts, CertificateStatus, Credential
from domain.stock import EntryKind, LedgerEntry, Lot, Vaccine

SEOUL = ZoneInfo("Asia/Seoul")


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


T = TypeVar("T", bound=_Coded)


@dataclass
class Records:
    """Everything the clinic has written down, in the order in which it was first written."""

    recipients: dict[str, Recipient] = field(default_factory=dict)
    vaccines: dict[str, Vaccine] = field(default_factory=dict)
    lots: dict[tuple[str, str], Lot] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    bookings: dict[str, Booking] = field(default_factory=dict)
    injections: dict[str, Injection] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    staff: dict[str, StaffMember] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    parts: dict[str, PartControl] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def copy(self) -> Records:
        """What a transaction works on: aggregates are frozen, so copying the shelves is enough."""
        return Records(**{name: shelf.copy() for name, shelf in vars(self).items()})


class _Shelf(Generic[T]):
    def __init__(self, things: dict[str, T]) -> None:
        self._things = things

    def get(self, code: str) -> T:
        if code not in self._things:
            raise NotFound(what=code)
        return self._things[code]

    def save(self, thing: T) -> None:
        self._things[thing.code] = thing

    def _where(self, wanted: Callable[[T], bool]) -> list[T]:
        return [thing for thing in self._things.values() if wanted(thing)]

    def _only(self, wanted: Callable[[T], bool]) -> T | None:
        found = self._where(wanted)
        assert len(found) <= 1, f"the records promise at most one, and hold {found}"
        return found[0] if found else None


class _Recipients(_Shelf[Recipient]):
    def by_identity(self, identity: str) -> Recipient | None:
        return self._only(lambda r: r.identity == identity)


class _Vaccines(_Shelf[Vaccine]):
    def __init__(self, records: Records) -> None:
        super().__init__(records.vaccines)
        self._lots, self._ledger = records.lots, records.ledger

    def by_presentation(self, key: str) -> Vaccine | None:
        return self._only(lambda v: v.presentation.key == key)

    def lot(self, vaccine: str, number: str) -> Lot | None:
        return self._lots.get((vaccine, number))

    def lots(self, vaccine: str) -> list[Lot]:
        return [lot for lot in self._lots.values() if lot.vaccine == vaccine]

    def save_lot(self, lot: Lot) -> None:
        self._lots[lot.vaccine, lot.number] = lot

    def append(self, entry: LedgerEntry) -> None:
        self._ledger.append(entry)

    def quarantined(self, vaccine: str, lot: str) -> int:
        return -sum(e.stock_delta for e in self._of(vaccine, lot) if e.kind is EntryKind.QUARANTINED)

    def written_off(self, vaccine: str, lot: str, reason: str) -> int:
        entries = (e for e in self._of(vaccine, lot) if e.kind is EntryKind.WRITTEN_OFF)
        return -sum(e.stock_delta for e in entries if e.reason == reason)

    def _of(self, vaccine: str, lot: str) -> list[LedgerEntry]:
        return [e for e in self._ledger if (e.vaccine, e.lot) == (vaccine, lot)]


class _Bookings(_Shelf[Booking]):
    def __init__(self, records: Records) -> None:
        super().__init__(records.bookings)
        self._injections = records.injections

    def live_of(self, recipient: str, vaccine: str) -> Booking | None:
        return self._only(lambda b: b.is_live and b.recipient == recipient and b.vaccine == vaccine)

    def first_waiting(self, vaccine: str) -> Booking | None:
        queue = self._of(vaccine, BookingStatus.WAITING)
        return queue[0] if queue else None

    def last_reserved(self, vaccine: str, today: datetime) -> Booking | None:
        arrived = {i.booking for i in self._injections.values() if i.status is InjectionStatus.CHECKED_IN}
        holders = self._of(vaccine, BookingStatus.RESERVED)
        return max(
            holders, key=lambda b: (b.code not in arrived, b.slot < today, holders.index(b)), default=None
        )

    def people_in_slot(self, slot: datetime) -> int:
        return len(self._where(lambda b: b.slot == slot and b.status in CAME))

    def reserved_since(self, vaccine: str, slot: datetime) -> int:
        return len([b for b in self._of(vaccine, BookingStatus.RESERVED) if b.slot >= slot])

    def _of(self, vaccine: str, status: BookingStatus) -> list[Booking]:
        return self._where(lambda b: b.vaccine == vaccine and b.status is status)


class _Injections(_Shelf[Injection]):
    def of_booking(self, booking: str) -> Injection | None:
        return self._only(lambda i: i.booking == booking and i.status in LIVE_VISIT)

    def of_recipient(self, recipient: str) -> list[Injection]:
        return self._where(lambda i: i.recipient == recipient)

    def completed_of(self, recipient: str) -> list[Injection]:
        done = self._where(lambda i: i.recipient == recipient and i.status is InjectionStatus.COMPLETED)
        return sorted(done, key=lambda i: i.given.given_at)


class _Applications(_Shelf[Application]):
    def live_of(self, injection: str) -> Application | None:
        return self._only(lambda a: a.injection == injection and a.status in LIVE_APPLICATION)


class _Certificates(_Shelf[Certificate]):
    def live_of(self, application: str) -> Certificate | None:
        return self._only(lambda c: c.application == application and c.status in LIVE_CERTIFICATE)

    def issued_to(self, recipient: str) -> list[Certificate]:
        return self._where(lambda c: c.recipient == recipient and c.status is CertificateStatus.ISSUED)


class _Staff(_Shelf[StaffMember]):
    def all(self) -> list[StaffMember]:
        return list(self._things.values())


class _Tasks(_Shelf[Task]):
    def live_of(self, part: Part, subject: str) -> list[Task]:
        return self._where(lambda t: t.is_live and t.part is part and t.subject == subject)

    def aside(self, part: Part, problem: str) -> list[Task]:
        return self._where(lambda t: t.status is TaskStatus.ASIDE and t.part is part and t.problem == problem)

    def subjects(self, part: Part) -> set[str]:
        return {t.subject for t in self._things.values() if t.is_live and t.part is part and t.event}


class _Parts:
    def __init__(self, parts: dict[str, PartControl]) -> None:
        self._parts = parts

    def save(self, control: PartControl) -> None:
        self._parts[control.name] = control


class MemoryUnitOfWork:
    """One transaction on a copy of the records; what is not committed is simply forgotten."""

    def __init__(self, records: Records) -> None:
        self.records = records.copy()
        self.recipients = _Recipients(self.records.recipients)
        self.vaccines = _Vaccines(self.records)
        self.bookings = _Bookings(self.records)
        self.injections = _Injections(self.records.injections)
        self.applications = _Applications(self.records.applications)
        self.certificates = _Certificates(self.records.certificates)
        self.staff = _Staff(self.records.staff)
        self.tasks = _Tasks(self.records.tasks)
        self.parts = _Parts(self.records.parts)
        self.emitted: list[Event] = []

    def emit(self, event: Event) -> None:
        self.emitted.append(event)

    def committed(self) -> Records:
        """The records as they are after this transaction, with what it emitted."""
        self.records.events.extend(self.emitted)
        return self.records


class FixedClock:
    """A clock that only moves when a test moves it."""

    def __init__(self, at: datetime) -> None:
        self._now = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def move(self, **step: float) -> None:
        self._now += timedelta(**step)

    def set_local(self, text: str) -> None:
        """The wall clock of the clinic in Seoul: ``2026-03-02 09:00``."""
        self._now = local(text)


class PlainSigner:
    """Signs in clear, so that a test can read what was signed."""

    def __init__(self) -> None:
        self.signed: list[CertificateFacts] = []
        self.keys = True
        """Whether they can be used."""

    def sign(self, facts: CertificateFacts) -> Credential:
        if not self.keys:
            raise CannotSign
        self.signed.append(facts)
        return Credential("plain", f"{facts.number} states lot {facts.dose.lot}", "test-key")


def local(text: str) -> datetime:
    """An instant given on the clinic's wall clock in Seoul."""
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL).astimezone(UTC)


def names(events: Iterable[Event]) -> list[str]:
    """The names of events, in order."""
    return [type(event).__name__ for event in events]


def only(things: Iterable[Any]) -> Any:
    """The one thing that is there."""
    (thing,) = things
    return thing
