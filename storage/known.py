"""What a transaction knows of the records without asking again: an identity map that can go back.

What a refused command has learnt or saved is forgotten with it; what was known before it is known again.
"""

from __future__ import annotations

from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")
_ABSENT: Any = object()


class Journal:
    """Of all that is known in one transaction: what a command has changed in it."""

    def __init__(self) -> None:
        self._all: list[Known[Any, Any]] = []
        self._before: list[tuple[Known[Any, Any], Any, Any]] = []

    def opened(self, known: Known[Any, Any]) -> list[tuple[Known[Any, Any], Any, Any]]:
        """From now on it goes back, and is forgotten, with the others: here it notes what it said."""
        self._all.append(known)
        return self._before

    def mark(self) -> None:
        """A command begins."""
        self._before.clear()

    def undo(self) -> None:
        """As it was at the mark."""
        for known, key, before in reversed(self._before):
            if before is _ABSENT:
                known.pop(key)
            else:
                dict.__setitem__(known, key, before)
        self._before.clear()

    def forget(self) -> None:
        """A new transaction: what was so before may not be so any more."""
        self._before.clear()
        for known in self._all:
            known.clear()


class Known(dict[K, V]):
    """What is known under each key. Set it only by ``known[key] = value``."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._before = journal.opened(self)

    def __setitem__(self, key: K, value: V) -> None:
        self._before.append((self, key, self.get(key, _ABSENT)))
        dict.__setitem__(self, key, value)
