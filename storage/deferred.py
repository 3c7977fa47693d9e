"""A command's writes, kept back until something that the command reads could depend on them.

So a command that is refused has mostly written nothing yet, and needs no savepoint to take it back;
and on a server what is written needs no answer and travels with the next question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.engine import Session
    from storage.prepared import Prepared


class Deferred:
    """What the repositories run their statements on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.cursor = session.cursor
        self._waiting: list[tuple[str, list[Any]]] = []
        self._tables: set[str] = set()
        self._saved = False

    def mark(self) -> None:
        """A command begins."""
        self._waiting.clear()
        self._tables.clear()
        self._saved = False

    def run(self, statement: Prepared, row: list[Any]) -> Any:
        """Read, having written what the answer could depend on; or keep a write back."""
        if statement.writes:
            self._waiting.append((statement.sql, row))
            self._tables |= statement.tables
            return None
        if self._waiting and not self._tables.isdisjoint(statement.tables):
            if not self._saved:
                self.cursor.execute("SAVEPOINT command")
                self._saved = True
            self._write()
        return self._session.ask(statement.sql, row)

    def accept(self) -> None:
        """The command is done: whatever it wrote belongs to the transaction."""
        self._write()
        if self._saved:
            self.cursor.execute("RELEASE command")
        self._saved = False

    def undo(self) -> None:
        """The command was refused: whatever it wrote is taken back."""
        self._waiting.clear()
        self._tables.clear()
        if self._saved:
            self._session.undo()
        self._saved = False

    def _write(self) -> None:
        for sql, row in self._waiting:
            self.cursor.execute(sql, row)
        self._waiting.clear()
        self._tables.clear()
