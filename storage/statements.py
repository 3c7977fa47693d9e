"""Everything the write path says to its database, compiled once: rows in and out, and the queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
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
from sqlalchemy.types import TypeEngine

from domain.application import LIVE_APPLICATION, Application
from domain.booking import CAME, LIVE_BOOKING, Booking, BookingStatus
from domain.injection import LIVE_VISIT, Injection, InjectionStatus
from domain.parts import LIVE_TASK, PartControl, Task, TaskKind, TaskStatus
from domain.recipient import Recipient
from domain.staff import StaffMember
from domain.statement import LIVE_CERTIFICATE, Certificate, CertificateStatus
from domain.stock import EntryKind, LedgerEntry, Lot, Vaccine
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
        self._insert = Appended(dialect, table, columns)
        if "code" in table.c:
            self.by_code = self.by("code")

    def by(self, *names: str) -> Prepared:
        """The query for those that have these values, by the names of their columns."""
        return self.prepare(self.query(*(self._table.c[name] == bindparam(name) for name in names)))

    def query(self, *conditions: Any) -> Select[Any]:
        """A statement that finds these aggregates."""
        return select(*columns_of(self._table, self._kind)).where(*conditions)

    def prepare(self, statement: Select[Any]) -> Prepared:
        """The statement, ready for this database."""
        return Prepared(statement, self._dialect)

    def build(self, row: list[Any]) -> T:
        """The aggregate in a row."""
        return self._kind(*row)

    def add(self, on: Deferred, thing: T) -> None:
        """Add it. A code that is somebody else's already is refused when it is written."""
        on.add(self._insert, self._insert.row(self._values(thing)))

    def save(self, on: Deferred, thing: T) -> None:
        """Add it, or replace the row of the same key."""
        assert self.upsert is not None, "a ledger is only added to"
        on.run(self.upsert, self.upsert.row(self._values(thing)))

    def _values(self, thing: T) -> list[Any]:
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
        self.tasks = Rows(dialect, t.task, Task)
        self.parts = Rows(dialect, t.part, PartControl)
        self.quarantined = self._taken_out(EntryKind.QUARANTINED)
        self.written_off = self._taken_out(EntryKind.WRITTEN_OFF, t.ledger.c.reason == bindparam("reason"))
        self.recipient_by_identity = self.recipients.by("identity")
        self.somebody = self._first(select(t.recipient.c.seq))
        self.recipients_by_identity = self.recipients.prepare(
            self.recipients.query(t.recipient.c.identity.in_(listed(dialect, "identities")))
        )
        self.vaccine_by_presentation = self.vaccines.by("presentation_key")
        self.lot = self.lots.by("vaccine", "number")
        self.lots_of = self.lots.by("vaccine")
        self.all_staff = self.staff.prepare(self.staff.query().order_by(t.staff.c.seq))
        self._of_bookings(dialect)
        self._of_certificates()
        self._of_tasks(dialect)
        self._of_commands(dialect)

    def _of_bookings(self, dialect: Dialect) -> None:
        b = t.booking.c
        self.live_booking = self._first(
            self.bookings.query(
                b.recipient == bindparam("recipient"),
                b.vaccine == bindparam("vaccine"),
                one_of(b.status, LIVE_BOOKING),
            )
        )
        queue = b.vaccine == bindparam("vaccine")
        self.first_waiting = self._first(
            self.bookings.query(queue, one_of(b.status, (BookingStatus.WAITING,))).order_by(b.seq)
        )
        here = exists().where(
            t.injection.c.booking == b.code,
            one_of(t.injection.c.status, (InjectionStatus.CHECKED_IN,)),
        )
        missed = b.slot < bindparam("today")
        self.last_reserved = self._first(
            self.bookings.query(queue, one_of(b.status, (BookingStatus.RESERVED,))).order_by(
                here, missed.desc(), b.seq.desc()
            )
        )
        here = one_of(b.status, CAME)
        self.people_in_slot = Prepared(select(func.count()).where(b.slot == bindparam("slot"), here), dialect)
        self.reserved_since = Prepared(
            select(func.count()).where(
                queue, one_of(b.status, (BookingStatus.RESERVED,)), b.slot >= bindparam("slot")
            ),
            dialect,
        )
        slots = b.slot.in_(listed(dialect, "slots", b.slot.type))
        self.people_in_slots = Prepared(
            select(b.slot, func.count()).where(slots, here).group_by(b.slot), dialect
        )
        i = t.injection.c
        self.visit_of_booking = self._first(
            self.injections.query(i.booking == bindparam("booking"), one_of(i.status, LIVE_VISIT))
        )
        self.visits_of = self.injections.prepare(
            self.injections.query(i.recipient == bindparam("recipient")).order_by(i.seq)
        )
        self.completed_of = self.injections.prepare(
            self.injections.query(
                i.recipient == bindparam("recipient"), one_of(i.status, (InjectionStatus.COMPLETED,))
            ).order_by(i.seq)
        )

    def _of_certificates(self) -> None:
        a = t.application.c
        self.live_application = self._first(
            self.applications.query(
                a.injection == bindparam("injection"),
                one_of(a.status, LIVE_APPLICATION),
            )
        )
        c = t.certificate.c
        self.live_certificate = self._first(
            self.certificates.query(
                c.application == bindparam("application"),
                one_of(c.status, LIVE_CERTIFICATE),
            )
        )
        # By way of the applications, whose index leads to one person's.
        self.issued_certificates = self.certificates.prepare(
            self.certificates.query(
                a.recipient == bindparam("recipient"),
                c.application == a.code,
                one_of(c.status, (CertificateStatus.ISSUED,)),
            ).order_by(c.seq)
        )

    def _of_tasks(self, dialect: Dialect) -> None:
        k = t.task.c
        self.live_tasks = self.tasks.prepare(
            self.tasks.query(
                k.part == bindparam("part"),
                k.subject == bindparam("subject"),
                one_of(k.status, LIVE_TASK),
            ).order_by(k.seq)
        )
        self.tasks_aside = self.tasks.prepare(
            self.tasks.query(
                k.part == bindparam("part"),
                k.problem == bindparam("problem"),
                one_of(k.status, LIVE_TASK),  # as their index says it
                one_of(k.status, (TaskStatus.ASIDE,)),
            )
        )
        self.live_subjects = Prepared(
            select(k.subject, k.status)
            .where(
                k.part == bindparam("part"),
                one_of(k.kind, (TaskKind.EVENT,)),
                one_of(k.status, LIVE_TASK),
            )
            .distinct(),
            dialect,
        )

    def _of_commands(self, dialect: Dialect) -> None:
        self.add_event = Appended(dialect, t.event, ["id", "name", "payload", "at"])
        self.add_command = Appended(dialect, t.command, ["id", "name", "result", "at"])
        command = select(t.command.c.id, t.command.c.name, t.command.c.result)
        self.commands = Prepared(command.where(t.command.c.id.in_(listed(dialect, "ids"))), dialect)
        p = t.position
        self.position = Prepared(select(p.c.seq).where(p.c.listener == bindparam("listener")), dialect)
        self.save_position = _upsert(dialect, p, ["listener", "seq"], ["listener"])
        self.secret = Prepared(select(t.secret.c.value).where(t.secret.c.name == bindparam("name")), dialect)
        self.add_secret = Prepared(insert(t.secret).values(_binds(t.secret, ["name", "value"])), dialect)
        self.save_secret = _upsert(dialect, t.secret, ["name", "value"], ["name"])

    def _taken_out(self, kind: EntryKind, *conditions: Any) -> Prepared:
        """How many doses of a lot left the stock by such entries, less those that came back by them."""
        e = t.ledger.c
        lot = (e.vaccine == bindparam("vaccine"), e.lot == bindparam("lot"), one_of(e.kind, (kind,)))
        doses = -func.coalesce(func.sum(e.stock_delta), 0)
        return Prepared(select(doses).where(*lot, *conditions), self.dialect)

    def _first(self, statement: Select[Any]) -> Prepared:
        return Prepared(statement.limit(1), self.dialect)


def _binds(table: Table, names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


def listed(dialect: Dialect, name: str, kind: TypeEngine[Any] | None = None) -> Select[Any]:
    """The texts of a JSON array, so that one statement serves any number. A server is told their kind."""
    array = bindparam(name, type_=String)
    if dialect.name == "postgresql":
        text = func.json_array_elements_text(cast(array, JSON))
        return select(cast(text, kind.dialect_impl(dialect)) if kind else text)
    return select(func.json_each(array).table_valued("value").c.value)


def _upsert(dialect: Dialect, table: Table, names: list[str], keys: list[str]) -> Prepared:
    insert_or = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert_or(table).values(_binds(table, names))
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=changed), dialect)


def one_of(column: Any, words: Iterable[Any]) -> Any:
    """Fixed words of the schema, in the text of the statement so that partial indexes apply."""
    return type_coerce(column, String).in_([literal_column(f"'{word}'") for word in words])
