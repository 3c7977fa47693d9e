"""A transaction's writes, kept back until its end, or until something that is read could depend on them.

So rows of a kind are written together, however many commands they come from; a command that is refused
has mostly written nothing yet, and needs no savepoint to take it back; and on a server what is written
needs no answer and travels with the next question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.prepared import Appended, Prepared

if TYPE_CHECKING:
    from storage.engine import Session

Row = list[Any]


class AsWritten:
    """Reads the records as they are so far, for questions whose answer nothing that waits can change."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self, statement: Prepared, row: Row) -> Any:
        """Read."""
        return self._session.ask(statement.sql, row)


class Deferred:
    """What the repositories run their statements on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.cursor = session.cursor
        self.as_written = AsWritten(session)
        self._waiting: list[tuple[Prepared | Appended, Row]] = []
        self._tables: set[str] = set()
        self._mark = 0
        """Where the writes of this command begin among those that wait."""
        self._saved = False

    def mark(self) -> None:
        """A command begins."""
        self._mark = len(self._waiting)
        self._saved = False

    def add(self, statement: Appended, row: Row) -> None:
        """Keep a new row back."""
        self._waiting.append((statement, row))
        self._tables.add(statement.table)

    def run(self, statement: Prepared, row: Row) -> Any:
        """Read, having written what the answer could depend on; or keep a write back."""
        if statement.writes:
            self._waiting.append((statement, row))
            self._tables |= statement.tables
            return None
        if self._waiting and not self._tables.isdisjoint(statement.tables):
            self._write_now()
        return self._session.ask(statement.sql, row)

    def accept(self) -> None:
        """The command is done: whatever it wrote belongs to the transaction."""
        if self._saved:
            self.cursor.execute("RELEASE command")
        self._saved = False

    def undo(self) -> None:
        """The command was refused: whatever it wrote is taken back."""
        del self._waiting[self._mark :]
        if self._saved:
            self._session.undo()
        self._saved = False

    def flush(self) -> None:
        """Write what waits; it is the end of the transaction."""
        self._write(self._waiting)
        self.forget()

    def forget(self) -> None:
        """Whatever waits was of a transaction that is over."""
        self._waiting.clear()
        self._tables.clear()
        self._mark = 0
        self._saved = False

    def _write_now(self) -> None:
        """In the middle of a command, which can be refused even so."""
        own = self._waiting[self._mark :]
        self._write(self._waiting[: self._mark])
        if own and not self._saved:
            self.cursor.execute("SAVEPOINT command")
            self._saved = True
        self._write(own)
        self._waiting.clear()
        self._tables.clear()
        self._mark = 0

    def _write(self, waiting: list[tuple[Prepared | Appended, Row]]) -> None:
        """New rows of a table at once; what changes rows stays where it came between them."""
        added: dict[Appended, list[Row]] = {}
        for statement, row in waiting:
            if isinstance(statement, Appended):
                added.setdefault(statement, []).append(row)
            else:
                self._add(added)
                self.cursor.execute(statement.sql, row)
        self._add(added)

    def _add(self, added: dict[Appended, list[Row]]) -> None:
        """Those that others refer to first."""
        for statement in sorted(added, key=lambda statement: statement.place):
            statement.execute(self.cursor, added[statement])
        added.clear()
