"""One transaction of the write path: state, ledger, events and the command's id, together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.errors import CommandReused, RecordIllegible
from domain.events import Event
from domain.ports import Foreseen
from storage import codec
from storage.deferred import Deferred
from storage.engine import Session
from storage.known import Journal
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
from storage.types import UNREADABLE

NOT_DONE = object()
"""What `SqlUnitOfWork.answer_of` says of a command that was not done yet."""


class SqlUnitOfWork:
    """What handlers see of the database; see `domain.ports.UnitOfWork`."""

    def __init__(self, session: Session, statements: Statements) -> None:
        self._on = on = Deferred(session)
        self._s = s = statements
        self._journal = journal = Journal()
        self.recipients = SqlRecipients(on, journal, s)
        self.vaccines = SqlVaccines(on, journal, s)
        self.bookings = SqlBookings(on, journal, s)
        self.injections = SqlInjections(on, journal, s)
        self.applications = SqlApplications(on, journal, s)
        self.certificates = SqlCertificates(on, journal, s)
        self.staff = SqlStaff(on, journal, s)
        self.tasks = SqlTasks(on, journal, s)
        self.parts = SqlParts(on, s)
        self.emitted: list[Event] = []
        self._done: dict[str, tuple[str, Any]] = {}
        self._recorded: dict[str, list[Any] | None] = {}

    # -- a transaction: begin, then mark and record (or undo) for each command, then flush ----------

    def begin(self) -> None:
        """A new transaction: nothing is known yet."""
        self.emitted.clear()
        self._done.clear()
        self._recorded.clear()
        self._on.forget()
        self._journal.forget()

    def mark(self) -> None:
        """A command begins."""
        self._on.mark()
        self._journal.mark()

    def undo(self) -> None:
        """The command was refused: nothing of it stays."""
        self._on.undo()
        self._journal.undo()
        self.emitted.clear()

    def emit(self, event: Event) -> None:
        """It is written with the command that it belongs to."""
        self.emitted.append(event)

    def look_up(self, command_ids: list[str]) -> None:
        """Read at once what `answer_of` is going to be asked for, one by one, in this transaction."""
        rows = self._s.commands.all(self._on, ids=codec.dump(command_ids))
        self._recorded = dict.fromkeys(command_ids) | {row[0]: row for row in rows}

    def foresee(self, commands: list[Foreseen]) -> None:
        """Read at once what these commands are going to ask for, one by one, in this transaction."""
        if len(commands) > 1:
            self.recipients.foresee(command.identity for command in commands)
            self.bookings.foresee(command.slot for command in commands)

    def answer_of(self, command_id: str, name: str) -> Any:
        """The answer given to this command id before, or NOT_DONE. Raises CommandReused, RecordIllegible."""
        if command_id in self._done:  # in this very transaction: a key was pressed twice
            known, answer = self._done[command_id]
        else:
            row = self._recorded[command_id]
            if row is None:
                return NOT_DONE
            known, answer = row[1], _answer_in(row[2])
        if known != name:
            raise CommandReused
        return answer

    def record(self, command_id: str, name: str, answer: object, at: datetime) -> None:
        """The command is done: its events go into the outbox, its id and answer beside them."""
        tells, keeps = self._s.add_event, self._s.add_command
        events = [
            tells.row((f"{command_id}:{number}", type(event).__name__, codec.event_payload(event), at))
            for number, event in enumerate(self.emitted)
        ]
        done = keeps.row((command_id, name, codec.dump_answer(answer), at))
        self._on.accept()
        for event in events:
            self._on.add(tells, event)
        self._on.add(keeps, done)
        self._done[command_id] = (name, answer)
        self.emitted.clear()

    def flush(self) -> bool:
        """Write what waited for the end of the transaction, all rows of a kind at once.

        Answers whether any command was done in it.
        """
        self.vaccines.flush()
        self._on.flush()
        return bool(self._done)

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

    def save_secret(self, name: str, value: str) -> None:
        """From now on the clinic's secret of this name is this one."""
        self._s.save_secret.execute(self._on, name=name, value=value)

    def knows_somebody(self) -> bool:
        """Whether anybody was ever registered."""
        return self._s.somebody.one(self._on) is not None


def _answer_in(result: str) -> Any:
    try:
        return codec.load_answer(result)
    except (AttributeError, *UNREADABLE):  # of a kind that there is not
        raise RecordIllegible(reason="its result cannot be read") from None
