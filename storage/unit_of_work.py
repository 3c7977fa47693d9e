"""One transaction of the write path: state, ledger, events and the command's id, together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.errors import CommandReused
from domain.events import Event
from storage import codec
from storage.repositories import (
    SqlApplications,
    SqlBookings,
    SqlCertificates,
    SqlInjections,
    SqlRecipients,
    SqlStaff,
    SqlVaccines,
    Statements,
)

NOT_DONE = object()
"""What `SqlUnitOfWork.answer_of` says of a command that was not done yet."""


class SqlUnitOfWork:
    """What handlers see of the database; see `domain.ports.UnitOfWork`."""

    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._s = statements
        self.recipients = SqlRecipients(cursor, statements, statements.recipients)
        self.vaccines = SqlVaccines(cursor, statements, statements.vaccines)
        self.bookings = SqlBookings(cursor, statements, statements.bookings)
        self.injections = SqlInjections(cursor, statements, statements.injections)
        self.applications = SqlApplications(cursor, statements, statements.applications)
        self.certificates = SqlCertificates(cursor, statements, statements.certificates)
        self.staff = SqlStaff(cursor, statements, statements.staff)
        self.emitted: list[Event] = []

    def emit(self, event: Event) -> None:
        """It is written with the command that it belongs to, in `record`."""
        self.emitted.append(event)

    def forget(self) -> None:
        """Whatever was read or emitted since the last command that was recorded."""
        self.emitted.clear()
        self.vaccines.forget()

    def answer_of(self, command_id: str, name: str) -> Any:
        """The answer given to this command id before, or NOT_DONE. Raises CommandReused."""
        row = self._s.command.one(self._cursor, {"id": command_id})
        if row is None:
            return NOT_DONE
        if row[0] != name:
            raise CommandReused
        return codec.load_answer(row[1])

    def record(self, command_id: str, name: str, answer: object, at: datetime) -> None:
        """Write the events of this command into the outbox, and that it was done."""
        for number, event in enumerate(self.emitted):
            self._s.add_event.execute(
                self._cursor,
                {
                    "id": f"{command_id}:{number}",
                    "name": type(event).__name__,
                    "payload": codec.event_payload(event),
                    "at": at,
                },
            )
        values = {"id": command_id, "name": name, "result": codec.dump_answer(answer), "at": at}
        self._s.add_command.execute(self._cursor, values)
        self.emitted.clear()

    def position(self, listener: str) -> int:
        """The last event this listener has dealt with; 0 before the first."""
        row = self._s.position.one(self._cursor, {"listener": listener})
        return int(row[0]) if row else 0

    def save_position(self, listener: str, seq: int) -> None:
        """In the same transaction as what the listener did about the events up to here."""
        self._s.save_position.execute(self._cursor, {"listener": listener, "seq": seq})

    def secret(self, name: str, fresh: str) -> str:
        """The clinic's secret of this name; the fresh one is kept when there is none yet."""
        row = self._s.secret.one(self._cursor, {"name": name})
        if row:
            return str(row[0])
        self._s.add_secret.execute(self._cursor, {"name": name, "value": fresh})
        return fresh
