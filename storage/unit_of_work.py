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
        self._events: list[list[Any]] = []
        self._done: dict[str, tuple[str, Any, datetime]] = {}

    # -- a transaction: begin, then mark and record (or undo) for each command, then flush ----------

    def begin(self) -> None:
        """A new transaction: nothing is known yet."""
        self.emitted.clear()
        self._events.clear()
        self._done.clear()
        self.vaccines.forget()

    def mark(self) -> None:
        """A command begins."""
        self.vaccines.mark()

    def undo(self) -> None:
        """The command was refused: what it did not write to the database yet is dropped."""
        self.emitted.clear()
        self.vaccines.undo()

    def emit(self, event: Event) -> None:
        """It is written with the command that it belongs to."""
        self.emitted.append(event)

    def answer_of(self, command_id: str, name: str) -> Any:
        """The answer given to this command id before, or NOT_DONE. Raises CommandReused."""
        if command_id in self._done:  # in this very transaction: a key was pressed twice
            known, answer, _ = self._done[command_id]
        else:
            row = self._s.command.one(self._cursor, id=command_id)
            if row is None:
                return NOT_DONE
            known, answer = row[0], codec.load_answer(row[1])
        if known != name:
            raise CommandReused
        return answer

    def record(self, command_id: str, name: str, answer: object, at: datetime) -> None:
        """The command is done: its events go into the outbox, its id and answer beside them."""
        row = self._s.add_event.row
        for number, event in enumerate(self.emitted):
            payload = codec.event_payload(event)
            self._events.append(row((f"{command_id}:{number}", type(event).__name__, payload, at)))
        self._done[command_id] = (name, answer, at)
        self.emitted.clear()

    def flush(self) -> None:
        """Write what waited for the end of the transaction, all rows of a kind at once."""
        self.vaccines.flush()
        self._cursor.executemany(self._s.add_event.sql, self._events)
        row = self._s.add_command.row
        commands = [
            row((command_id, name, codec.dump_answer(answer), at))
            for command_id, (name, answer, at) in self._done.items()
        ]
        self._cursor.executemany(self._s.add_command.sql, commands)

    # -- for the relay and the opening of a clinic --------------------------------------------------

    def position(self, listener: str) -> int:
        """The last event this listener has dealt with; 0 before the first."""
        row = self._s.position.one(self._cursor, listener=listener)
        return int(row[0]) if row else 0

    def save_position(self, listener: str, seq: int) -> None:
        """In the same transaction as what the listener did about the events up to here."""
        self._s.save_position.execute(self._cursor, listener=listener, seq=seq)

    def secret(self, name: str, fresh: str) -> str:
        """The clinic's secret of this name; the fresh one is kept when there is none yet."""
        row = self._s.secret.one(self._cursor, name=name)
        if row:
            return str(row[0])
        self._s.add_secret.execute(self._cursor, name=name, value=fresh)
        return fresh
