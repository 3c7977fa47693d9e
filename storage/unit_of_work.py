"""One transaction of the write path: state, ledger, events and the command's id, together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.errors import CommandReused
from domain.events import Event
from storage import codec
from storage.deferred import Deferred
from storage.engine import Session
from storage.repositories import (
    SqlApplications,
    SqlBookings,
    SqlCertificates,
    SqlInjections,
    SqlParts,
    SqlRecipients,
    SqlStaff,
    SqlTasks,
    SqlVaccines,
)
from storage.statements import Statements

NOT_DONE = object()
"""What `SqlUnitOfWork.answer_of` says of a command that was not done yet."""


class SqlUnitOfWork:
    """What handlers see of the database; see `domain.ports.UnitOfWork`."""

    def __init__(self, session: Session, statements: Statements) -> None:
        self._on = on = Deferred(session)
        self._s = statements
        self.recipients = SqlRecipients(on, statements, statements.recipients)
        self.vaccines = SqlVaccines(on, statements, statements.vaccines)
        self.bookings = SqlBookings(on, statements, statements.bookings)
        self.injections = SqlInjections(on, statements, statements.injections)
        self.applications = SqlApplications(on, statements, statements.applications)
        self.certificates = SqlCertificates(on, statements, statements.certificates)
        self.staff = SqlStaff(on, statements, statements.staff)
        self.tasks = SqlTasks(on, statements, statements.tasks)
        self.parts = SqlParts(on, statements, statements.parts)
        self._repositories = (
            self.recipients, self.vaccines, self.bookings, self.injections, self.applications,
            self.certificates, self.staff, self.tasks,
        )  # fmt: skip
        self.emitted: list[Event] = []
        self._events: list[list[Any]] = []
        self._done: dict[str, tuple[str, Any, datetime]] = {}
        self._recorded: dict[str, list[Any] | None] = {}

    # -- a transaction: begin, then mark and record (or undo) for each command, then flush ----------

    def begin(self) -> None:
        """A new transaction: nothing is known yet."""
        self.emitted.clear()
        self._events.clear()
        self._done.clear()
        self._recorded.clear()
        for repository in self._repositories:
            repository.forget()

    def mark(self) -> None:
        """A command begins."""
        self._on.mark()
        self.vaccines.mark()

    def undo(self) -> None:
        """The command was refused: nothing of it stays."""
        self._on.undo()
        self.emitted.clear()
        self.vaccines.undo()

    def emit(self, event: Event) -> None:
        """It is written with the command that it belongs to."""
        self.emitted.append(event)

    def look_up(self, command_ids: list[str]) -> None:
        """Read at once what `answer_of` is going to be asked for, one by one, in this transaction."""
        if len(command_ids) > 1:
            rows = self._s.commands.all(self._on, ids=codec.dump(command_ids))
            self._recorded = dict.fromkeys(command_ids) | {row[0]: row for row in rows}

    def answer_of(self, command_id: str, name: str) -> Any:
        """The answer given to this command id before, or NOT_DONE. Raises CommandReused."""
        if command_id in self._done:  # in this very transaction: a key was pressed twice
            known, answer, _ = self._done[command_id]
        else:
            if command_id in self._recorded:
                row = self._recorded[command_id]
            else:
                row = self._s.command.one(self._on, id=command_id)
            if row is None:
                return NOT_DONE
            known, answer = row[1], codec.load_answer(row[2])
        if known != name:
            raise CommandReused
        return answer

    def record(self, command_id: str, name: str, answer: object, at: datetime) -> None:
        """The command is done: its events go into the outbox, its id and answer beside them."""
        row = self._s.add_event.row
        events = [
            row((f"{command_id}:{number}", type(event).__name__, codec.event_payload(event), at))
            for number, event in enumerate(self.emitted)
        ]
        self._on.accept()
        self._events.extend(events)
        self._done[command_id] = (name, answer, at)
        self.emitted.clear()

    def flush(self) -> bool:
        """Write what waited for the end of the transaction, all rows of a kind at once.

        Answers whether any command was done in it.
        """
        self._on.mark()
        self.vaccines.flush()
        self._s.add_event.execute(self._on, self._events)
        row = self._s.add_command.row
        commands = [
            row((command_id, name, codec.dump_answer(answer), at))
            for command_id, (name, answer, at) in self._done.items()
        ]
        self._s.add_command.execute(self._on, commands)
        return bool(commands)

    # -- for the relay and the opening of a clinic --------------------------------------------------

    def position(self, listener: str) -> int:
        """The last event this listener has dealt with; 0 before the first."""
        row = self._s.position.one(self._on, listener=listener)
        return int(row[0]) if row else 0

    def save_position(self, listener: str, seq: int) -> None:
        """In the same transaction as what the listener did about the events up to here."""
        self._s.save_position.execute(self._on, listener=listener, seq=seq)

    def secret(self, name: str, fresh: str) -> str:
        """The clinic's secret of this name; the fresh one is kept when there is none yet."""
        row = self._s.secret.one(self._on, name=name)
        if row:
            return str(row[0])
        self._s.add_secret.execute(self._on, name=name, value=fresh)
        return fresh
