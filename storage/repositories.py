"""The repositories of the unit of work: aggregates in, aggregates out, one table each.

In a transaction each aggregate is built once, and what was saved in it answers before the records do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.application import LIVE_APPLICATION, Application
from domain.booking import CAME, Booking
from domain.errors import NotFound
from domain.injection import LIVE_VISIT, Injection
from domain.parts import Part, PartControl, Task, TaskStatus
from domain.recipient import Recipient
from domain.staff import StaffMember
from domain.statement import LIVE_CERTIFICATE, Certificate
from domain.stock import LedgerEntry, Lot, Vaccine
from storage import codec
from storage.deferred import Deferred
from storage.known import Journal, Known
from storage.prepared import Prepared
from storage.statements import Rows, Statements
from storage.types import instant_text

T = TypeVar("T")


class _Repository(Generic[T]):
    """``key_of`` is a second key by which at most one of them is found; None for one that has none (now)."""

    def __init__(
        self,
        on: Deferred,
        journal: Journal,
        statements: Statements,
        rows: Rows[T],
        key_of: Callable[[T], Hashable | None] = lambda thing: None,
    ) -> None:
        self._on, self._s, self._rows, self._key_of = on, statements, rows, key_of
        self._known = Known[str, T](journal)
        self._by_key = Known[Hashable, T | None](journal)

    def save(self, thing: T) -> None:
        """Replace what was read or saved in this transaction under its code; anything else is new.

        Codes are random. The one in many millions that is taken already must not overwrite its owner.
        """
        if _code(thing) in self._known:
            self._rows.save(self._on, thing)
        else:
            self._rows.add(self._on, thing)
        self._learn(thing)

    def _learn(self, thing: T) -> None:
        code, key = _code(thing), self._key_of(thing)
        before = self._known.get(code)
        if before is not None and (old := self._key_of(before)) is not None and old != key:
            self._by_key[old] = None
        if key is not None:
            self._by_key[key] = thing
        self._known[code] = thing

    def _built(self, row: list[Any]) -> T:
        """What is known already may have been changed since this row was written."""
        thing = self._known.get(row[0])
        if thing is None:
            thing = self._rows.build(row)
            self._learn(thing)
        return thing

    def get(self, code: str) -> T:
        thing = self._known.get(code)
        if thing is None:
            row = self._rows.by_code.one(self._on.as_written, code=code)
            if row is None:
                raise NotFound(what=code)
            thing = self._built(row)
        return thing

    def _with(self, key: Hashable, statement: Prepared, **values: Any) -> T | None:
        """By its second key. Of what waits to be written every key is known."""
        if key not in self._by_key:
            row = statement.one(self._on.as_written, **values)
            if row is None:
                self._by_key[key] = None
            else:
                self._built(row)
        return self._by_key[key]

    def _find(self, statement: Prepared, **values: Any) -> T | None:
        row = statement.one(self._on, **values)
        return None if row is None else self._built(row)


def _code(thing: Any) -> str:
    code: str = thing.code
    return code


class SqlRecipients(_Repository[Recipient]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(on, journal, s, s.recipients, lambda recipient: recipient.identity)

    def by_identity(self, identity: str) -> Recipient | None:
        return self._with(identity, self._s.recipient_by_identity, identity=identity)

    def foresee(self, identities: Iterable[str]) -> None:
        """Read at once who will be asked for one by one."""
        unknown = [identity for identity in identities if identity not in self._by_key]
        for identity in unknown:
            self._by_key[identity] = None
        for row in self._s.recipients_by_identity.all(self._on.as_written, identities=codec.dump(unknown)):
            self._built(row)


class SqlVaccines(_Repository[Vaccine]):
    """Everybody books the same few vaccines: in a transaction each is written once, at its end."""

    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(on, journal, s, s.vaccines)
        self._changed = Known[str, Vaccine](journal)
        self._lots = Known[str, list[Lot] | None](journal)

    def by_presentation(self, key: str) -> Vaccine | None:
        return self._find(self._s.vaccine_by_presentation, presentation_key=key)

    def save(self, thing: Vaccine) -> None:
        if thing.code in self._known:
            self._changed[thing.code] = thing
            self._learn(thing)
        else:
            super().save(thing)

    def lot(self, vaccine: str, number: str) -> Lot | None:
        row = self._s.lot.one(self._on, vaccine=vaccine, number=number)
        return None if row is None else self._s.lots.build(row)

    def lots(self, vaccine: str) -> list[Lot]:
        lots = self._lots.get(vaccine)
        if lots is None:  # everybody who books asks
            lots = [self._s.lots.build(row) for row in self._s.lots_of.all(self._on, vaccine=vaccine)]
            self._lots[vaccine] = lots
        return lots

    def save_lot(self, lot: Lot) -> None:
        self._s.lots.save(self._on, lot)
        self._lots[lot.vaccine] = None

    def append(self, entry: LedgerEntry) -> None:
        self._s.ledger.add(self._on, entry)

    def quarantined(self, vaccine: str, lot: str) -> int:
        [doses] = self._s.quarantined.one(self._on, vaccine=vaccine, lot=lot) or [0]
        return int(doses)

    def written_off(self, vaccine: str, lot: str, reason: str) -> int:
        [doses] = self._s.written_off.one(self._on, vaccine=vaccine, lot=lot, reason=reason) or [0]
        return int(doses)

    def flush(self) -> None:
        """Write what waits."""
        for vaccine in self._changed.values():
            self._rows.save(self._on, vaccine)


class SqlBookings(_Repository[Booking]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(
            on, journal, s, s.bookings, lambda b: (b.recipient, b.vaccine) if b.is_live else None
        )
        self._people = Known[datetime, int](journal)

    def save(self, thing: Booking) -> None:
        before = self._known.get(thing.code)
        super().save(thing)
        for booking, people in ((before, -1), (thing, 1)):
            if booking and booking.status in CAME and booking.slot in self._people:
                self._people[booking.slot] += people

    def live_of(self, recipient: str, vaccine: str) -> Booking | None:
        return self._with((recipient, vaccine), self._s.live_booking, recipient=recipient, vaccine=vaccine)

    def first_waiting(self, vaccine: str) -> Booking | None:
        return self._find(self._s.first_waiting, vaccine=vaccine)

    def last_reserved(self, vaccine: str, today: datetime) -> Booking | None:
        return self._find(self._s.last_reserved, vaccine=vaccine, today=today)

    def people_in_slot(self, slot: datetime) -> int:
        if slot not in self._people:
            [self._people[slot]] = self._s.people_in_slot.one(self._on, slot=slot) or [0]
        return self._people[slot]

    def reserved_since(self, vaccine: str, slot: datetime) -> int:
        [people] = self._s.reserved_since.one(self._on, vaccine=vaccine, slot=slot) or [0]
        return int(people)

    def foresee(self, slots: Iterable[datetime]) -> None:
        """Count at once whom will be asked for one by one. Nothing waits to be written yet."""
        unknown = {slot for slot in slots if slot not in self._people}
        for slot in unknown:
            self._people[slot] = 0
        for slot, people in self._s.people_in_slots.all(
            self._on, slots=codec.dump([instant_text(slot) for slot in unknown])
        ):
            self._people[slot] = people


class SqlInjections(_Repository[Injection]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(
            on, journal, s, s.injections, lambda i: i.booking if i.status in LIVE_VISIT else None
        )

    def of_booking(self, booking: str) -> Injection | None:
        return self._with(booking, self._s.visit_of_booking, booking=booking)

    def of_recipient(self, recipient: str) -> list[Injection]:
        return [self._built(row) for row in self._s.visits_of.all(self._on, recipient=recipient)]

    def completed_of(self, recipient: str) -> list[Injection]:
        rows = self._s.completed_of.all(self._on, recipient=recipient)
        return [self._built(row) for row in rows]


class SqlApplications(_Repository[Application]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(
            on, journal, s, s.applications, lambda a: a.injection if a.status in LIVE_APPLICATION else None
        )

    def live_of(self, injection: str) -> Application | None:
        return self._with(injection, self._s.live_application, injection=injection)


class SqlCertificates(_Repository[Certificate]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(
            on, journal, s, s.certificates, lambda c: c.application if c.status in LIVE_CERTIFICATE else None
        )

    def live_of(self, application: str) -> Certificate | None:
        return self._with(application, self._s.live_certificate, application=application)

    def issued_to(self, recipient: str) -> list[Certificate]:
        rows = self._s.issued_certificates.all(self._on, recipient=recipient)
        return [self._built(row) for row in rows]


class SqlStaff(_Repository[StaffMember]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(on, journal, s, s.staff)

    def all(self) -> list[StaffMember]:
        return [self._built(row) for row in self._s.all_staff.all(self._on)]


class SqlTasks(_Repository[Task]):
    def __init__(self, on: Deferred, journal: Journal, s: Statements) -> None:
        super().__init__(on, journal, s, s.tasks)

    def live_of(self, part: Part, subject: str) -> list[Task]:
        rows = self._s.live_tasks.all(self._on, part=part, subject=subject)
        return [self._built(row) for row in rows]

    def aside(self, part: Part, problem: str) -> list[Task]:
        rows = self._s.tasks_aside.all(self._on, part=part, problem=problem)
        return [self._built(row) for row in rows]

    def subjects(self, part: Part) -> dict[str, set[TaskStatus]]:
        """What events were set apart about, and what becomes of those: later ones wait behind them."""
        found: dict[str, set[TaskStatus]] = {}
        for subject, status in self._s.live_subjects.all(self._on, part=part):
            found.setdefault(subject, set()).add(status)
        return found


class SqlParts:
    """Only saved here: the relay looks whether a part is paused."""

    def __init__(self, on: Deferred, s: Statements) -> None:
        self._on, self._rows = on, s.parts

    def save(self, thing: PartControl) -> None:
        """What was said of this part before is replaced."""
        self._rows.save(self._on, thing)
