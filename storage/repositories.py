"""The repositories of the unit of work: aggregates in, aggregates out, one table each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    JSON,
    Dialect,
    Select,
    String,
    Table,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite

from domain.application import Application, ApplicationStatus
from domain.booking import Booking, BookingStatus
from domain.certificate import Certificate, CertificateStatus
from domain.errors import NotFound
from domain.injection import Injection, InjectionStatus
from domain.recipient import Recipient
from domain.staff import StaffMember
from domain.stock import LedgerEntry, Lot, Vaccine
from storage import tables as t
from storage.deferred import Deferred
from storage.prepared import Appended, Prepared

T = TypeVar("T")


def columns_of(table: Table, kind: type[Any]) -> list[Any]:
    """The columns that hold this dataclass, in the order of its fields."""
    return [table.c[field.name] for field in fields(kind)]


class Rows(Generic[T]):
    """How one dataclass is kept in one table. ``extra`` columns are there to be searched by."""

    def __init__(
        self,
        dialect: Dialect,
        table: Table,
        kind: type[T],
        extra: dict[str, Callable[[T], Any]] | None = None,
    ) -> None:
        self._dialect = dialect
        self._table = table
        self._kind = kind
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        self._fields = attrgetter(*names)
        self._extra = tuple((extra or {}).values())
        columns = [*names, *(extra or {})]
        keys = [column.name for column in table.primary_key if column.name != "seq"] or ["code"]
        self.upsert = _upsert(dialect, table, columns, keys) if table is not t.ledger else None
        self.insert = Appended(dialect, table, columns)

    def query(self, *conditions: Any) -> Select[Any]:
        """A statement that finds these aggregates."""
        return select(*columns_of(self._table, self._kind)).where(*conditions)

    def prepare(self, statement: Select[Any]) -> Prepared:
        """The statement, ready for this database."""
        return Prepared(statement, self._dialect)

    def build(self, row: list[Any]) -> T:
        """The aggregate in a row."""
        return self._kind(*row)

    def save(self, on: Deferred, thing: T) -> None:
        """Add it, or replace the row of the same key."""
        assert self.upsert is not None, "a ledger is only added to"
        on.run(self.upsert, self.upsert.row(self.values(thing)))

    def values(self, thing: T) -> list[Any]:
        """What its row holds, in the order of the columns."""
        return [*self._fields(thing), *(value(thing) for value in self._extra)]


class Statements:
    """Everything the write path says to this database, compiled once when it is opened."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.recipients = Rows(dialect, t.recipient, Recipient, {"name": lambda r: r.person.name})
        self.vaccines = Rows(dialect, t.vaccine, Vaccine, {"presentation_key": lambda v: v.presentation.key})
        self.lots = Rows(dialect, t.lot, Lot)
        self.ledger = Rows(dialect, t.ledger, LedgerEntry)
        self.bookings = Rows(dialect, t.booking, Booking)
        self.injections = Rows(
            dialect, t.injection, Injection, {"lot": lambda i: i.dose.lot if i.dose else ""}
        )
        self.applications = Rows(dialect, t.application, Application)
        self.certificates = Rows(dialect, t.certificate, Certificate)
        self.staff = Rows(dialect, t.staff, StaffMember)

        def by(rows: Rows[Any], table: Table, *names: str) -> Prepared:
            return rows.prepare(rows.query(*(table.c[name] == bindparam(name) for name in names)))

        self.recipient = by(self.recipients, t.recipient, "code")
        self.recipient_by_identity = by(self.recipients, t.recipient, "identity")
        self.vaccine = by(self.vaccines, t.vaccine, "code")
        self.vaccine_by_presentation = by(self.vaccines, t.vaccine, "presentation_key")
        self.lot = by(self.lots, t.lot, "vaccine", "number")
        self.booking = by(self.bookings, t.booking, "code")
        self.injection = by(self.injections, t.injection, "code")
        self.application = by(self.applications, t.application, "code")
        self.certificate = by(self.certificates, t.certificate, "code")
        self.all_staff = self.staff.prepare(self.staff.query().order_by(t.staff.c.seq))

        b, live_bookings = t.booking.c, (BookingStatus.RESERVED, BookingStatus.WAITING)
        self.live_booking = self._first(
            self.bookings.query(
                b.recipient == bindparam("recipient"),
                b.vaccine == bindparam("vaccine"),
                _one_of(b.status, live_bookings),
            )
        )
        queue = b.vaccine == bindparam("vaccine")
        self.first_waiting = self._first(
            self.bookings.query(queue, _one_of(b.status, (BookingStatus.WAITING,))).order_by(b.seq)
        )
        here = exists().where(
            t.injection.c.booking == b.code,
            _one_of(t.injection.c.status, (InjectionStatus.CHECKED_IN,)),
        )
        self.last_reserved = self._first(
            self.bookings.query(queue, _one_of(b.status, (BookingStatus.RESERVED,))).order_by(
                here, b.seq.desc()
            )
        )
        came = (BookingStatus.RESERVED, BookingStatus.COMPLETED)
        self.people_in_slot = Prepared(
            select(func.count()).where(b.slot == bindparam("slot"), _one_of(b.status, came)), dialect
        )
        i = t.injection.c
        live_visits = (InjectionStatus.EXPECTED, InjectionStatus.CHECKED_IN, InjectionStatus.COMPLETED)
        self.visit_of_booking = self._first(
            self.injections.query(i.booking == bindparam("booking"), _one_of(i.status, live_visits))
        )
        self.completed_of = self.injections.prepare(
            self.injections.query(
                i.recipient == bindparam("recipient"), _one_of(i.status, (InjectionStatus.COMPLETED,))
            ).order_by(i.seq)
        )
        a = t.application.c
        self.live_application = self._first(
            self.applications.query(
                a.injection == bindparam("injection"),
                _one_of(a.status, (ApplicationStatus.APPLIED, ApplicationStatus.ISSUED)),
            )
        )
        c = t.certificate.c
        self.live_certificate = self._first(
            self.certificates.query(
                c.application == bindparam("application"),
                _one_of(c.status, (CertificateStatus.READY, CertificateStatus.ISSUED)),
            )
        )
        # By way of the applications, whose index leads to one person's.
        self.issued_certificates = self.certificates.prepare(
            self.certificates.query(
                a.recipient == bindparam("recipient"),
                c.application == a.code,
                _one_of(c.status, (CertificateStatus.ISSUED,)),
            ).order_by(c.seq)
        )
        self.add_event = Appended(dialect, t.event, ["id", "name", "payload", "at"])
        self.add_command = Appended(dialect, t.command, ["id", "name", "result", "at"])
        command = select(t.command.c.id, t.command.c.name, t.command.c.result)
        self.command = Prepared(command.where(t.command.c.id == bindparam("id")), dialect)
        self.commands = Prepared(command.where(t.command.c.id.in_(_listed(dialect, "ids"))), dialect)

        p = t.position
        self.position = Prepared(select(p.c.seq).where(p.c.listener == bindparam("listener")), dialect)
        self.save_position = _upsert(dialect, p, ["listener", "seq"], ["listener"])
        self.secret = Prepared(select(t.secret.c.value).where(t.secret.c.name == bindparam("name")), dialect)
        self.add_secret = Prepared(insert(t.secret).values(_binds(t.secret, ["name", "value"])), dialect)

    def _first(self, statement: Select[Any]) -> Prepared:
        return Prepared(statement.limit(1), self.dialect)


def _binds(table: Table, names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


def _listed(dialect: Dialect, name: str) -> Select[Any]:
    """The strings of a JSON array, so that one statement serves any number of them."""
    array = bindparam(name, type_=String)
    if dialect.name == "postgresql":
        return select(func.json_array_elements_text(cast(array, JSON)))
    return select(func.json_each(array).table_valued("value").c.value)


def _upsert(dialect: Dialect, table: Table, names: list[str], keys: list[str]) -> Prepared:
    insert_or = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert_or(table).values(_binds(table, names))
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=changed), dialect)


def _one_of(column: Any, words: tuple[Any, ...]) -> Any:
    """Fixed words of the schema, in the text of the statement so that partial indexes apply."""
    return type_coerce(column, String).in_([literal_column(f"'{word}'") for word in words])


class _Repository(Generic[T]):
    def __init__(self, on: Deferred, statements: Statements, rows: Rows[T]) -> None:
        self._on, self._s, self._rows = on, statements, rows

    def save(self, thing: T) -> None:
        """Add it, or replace what is kept under its code."""
        self._rows.save(self._on, thing)

    def _find(self, statement: Prepared, **values: Any) -> T | None:
        row = statement.one(self._on, **values)
        return None if row is None else self._rows.build(row)

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
        return [self._rows.build(row) for row in rows]


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
        return [self._rows.build(row) for row in rows]


class SqlStaff(_Repository[StaffMember]):
    def all(self) -> list[StaffMember]:
        return [self._rows.build(row) for row in self._s.all_staff.all(self._on)]
