"""The repositories of the unit of work: aggregates in, aggregates out, one table each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.application import Application
from domain.booking import Booking
from domain.errors import NotFound
from domain.injection import Injection
from domain.parts import Part, PartControl, Task
from domain.recipient import Recipient
from domain.staff import StaffMember
from domain.statement import Certificate
from domain.stock import LedgerEntry, Lot, Vaccine
from storage.deferred import Deferred
from storage.prepared import Prepared
from storage.statements import Rows, Statements

T = TypeVar("T")


class _Repository(Generic[T]):
    def __init__(self, on: Deferred, statements: Statements, rows: Rows[T]) -> None:
        self._on, self._s, self._rows = on, statements, rows
        self._known: set[str] = set()

    def save(self, thing: T) -> None:
        """Replace what was read or saved in this transaction under its code; anything else is new.

        Codes are random. The one in many millions that is taken already must not overwrite its owner.
        """
        code: str = thing.code  # type: ignore[attr-defined]
        if code in self._known:
            self._rows.save(self._on, thing)
        else:
            self._rows.add(self._on, thing)
            self._known.add(code)

    def forget(self) -> None:
        """A new transaction: nothing was read in it yet."""
        self._known.clear()

    def _find(self, statement: Prepared, **values: Any) -> T | None:
        row = statement.one(self._on, **values)
        return None if row is None else self._built(row)

    def _built(self, row: list[Any]) -> T:
        thing = self._rows.build(row)
        self._known.add(thing.code)  # type: ignore[attr-defined]
        return thing

    def _get(self, statement: Prepared, code: str) -> T:
        thing = self._find(statement, code=code)
        if thing is None:
            raise NotFound(what=code)
        return thing


class SqlRecipients(_Repository[Recipient]):
    def get(self, code: str) -> Recipient:
        return self._get(self._s.recipient, code)

    def by_identity(self, identity: str) -> Recipient | None:
        return self._find(self._s.recipient_by_identity, identity=identity)


class SqlVaccines(_Repository[Vaccine]):
    """Everybody books the same few vaccines: in a transaction each is read once and written once.

    The ledger's entries wait with them until `flush`.
    """

    def __init__(self, on: Deferred, statements: Statements, rows: Rows[Vaccine]) -> None:
        super().__init__(on, statements, rows)
        self._seen: dict[str, Vaccine] = {}
        self._changed: dict[str, Vaccine] = {}
        self._entries: list[LedgerEntry] = []
        self._undo: Callable[[], None] = self.forget

    def get(self, code: str) -> Vaccine:
        vaccine = self._seen.get(code)
        if vaccine is None:
            vaccine = self._seen[code] = self._get(self._s.vaccine, code)
        return vaccine

    def by_presentation(self, key: str) -> Vaccine | None:
        return self._find(self._s.vaccine_by_presentation, presentation_key=key)

    def save(self, thing: Vaccine) -> None:
        if thing.code in self._seen:
            self._changed[thing.code] = thing
        else:
            super().save(thing)
        self._seen[thing.code] = thing

    def lot(self, vaccine: str, number: str) -> Lot | None:
        row = self._s.lot.one(self._on, vaccine=vaccine, number=number)
        return None if row is None else self._s.lots.build(row)

    def save_lot(self, lot: Lot) -> None:
        self._s.lots.save(self._on, lot)

    def append(self, entry: LedgerEntry) -> None:
        self._entries.append(entry)

    def mark(self) -> None:
        """A command begins: `undo` goes back to here."""
        seen, changed, entries = dict(self._seen), dict(self._changed), len(self._entries)

        def undo() -> None:
            self._seen, self._changed = seen, changed
            del self._entries[entries:]

        self._undo = undo

    def undo(self) -> None:
        """Whatever was saved since the mark was not."""
        self._undo()

    def flush(self) -> None:
        """Write what waits."""
        for vaccine in self._changed.values():
            super().save(vaccine)
        self._on.accept()
        ledger = self._s.ledger
        rows = [ledger.insert.row(ledger.values(entry)) for entry in self._entries]
        ledger.insert.execute(self._on, rows)
        self._changed.clear()
        self._entries.clear()

    def forget(self) -> None:
        """A new transaction: what was read before may not be so any more."""
        super().forget()
        self._seen.clear()
        self._changed.clear()
        self._entries.clear()


class SqlBookings(_Repository[Booking]):
    def get(self, code: str) -> Booking:
        return self._get(self._s.booking, code)

    def live_of(self, recipient: str, vaccine: str) -> Booking | None:
        return self._find(self._s.live_booking, recipient=recipient, vaccine=vaccine)

    def first_waiting(self, vaccine: str) -> Booking | None:
        return self._find(self._s.first_waiting, vaccine=vaccine)

    def last_reserved(self, vaccine: str) -> Booking | None:
        return self._find(self._s.last_reserved, vaccine=vaccine)

    def people_in_slot(self, slot: datetime) -> int:
        row = self._s.people_in_slot.one(self._on, slot=slot)
        return int(row[0]) if row else 0


class SqlInjections(_Repository[Injection]):
    def get(self, code: str) -> Injection:
        return self._get(self._s.injection, code)

    def of_booking(self, booking: str) -> Injection | None:
        return self._find(self._s.visit_of_booking, booking=booking)

    def completed_of(self, recipient: str) -> list[Injection]:
        rows = self._s.completed_of.all(self._on, recipient=recipient)
        return [self._built(row) for row in rows]


class SqlApplications(_Repository[Application]):
    def get(self, code: str) -> Application:
        return self._get(self._s.application, code)

    def live_of(self, injection: str) -> Application | None:
        return self._find(self._s.live_application, injection=injection)


class SqlCertificates(_Repository[Certificate]):
    def get(self, code: str) -> Certificate:
        return self._get(self._s.certificate, code)

    def live_of(self, application: str) -> Certificate | None:
        return self._find(self._s.live_certificate, application=application)

    def issued_to(self, recipient: str) -> list[Certificate]:
        rows = self._s.issued_certificates.all(self._on, recipient=recipient)
        return [self._built(row) for row in rows]


class SqlStaff(_Repository[StaffMember]):
    def all(self) -> list[StaffMember]:
        return [self._built(row) for row in self._s.all_staff.all(self._on)]


class SqlTasks(_Repository[Task]):
    def get(self, code: str) -> Task:
        return self._get(self._s.task, code)

    def live_of(self, part: Part, subject: str) -> list[Task]:
        rows = self._s.live_tasks.all(self._on, part=part, subject=subject)
        return [self._built(row) for row in rows]

    def subjects(self, part: Part) -> set[str]:
        """What events were put aside about: later ones about the same wait behind them."""
        return {row[0] for row in self._s.live_subjects.all(self._on, part=part)}


class SqlParts(_Repository[PartControl]):
    """Only saved here: the relay looks whether a part is paused."""

    def save(self, thing: PartControl) -> None:
        """What was said of this part before is replaced."""
        self._rows.save(self._on, thing)
