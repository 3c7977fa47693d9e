"""A pause after too many wrong answers, so that PINs, codes and details cannot be guessed at a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.errors import TooManyAttempts

MOST_WRONG = 5
PAUSE = timedelta(seconds=30)


class Attempts:
    """Counts wrong answers in a row; the fifth closes the door for half a minute."""

    def __init__(self) -> None:
        self._wrong = 0
        self._closed_until: datetime | None = None

    def check(self, now: datetime) -> None:
        """Raises TooManyAttempts while the door is closed."""
        if self._closed_until and now < self._closed_until:
            seconds = int((self._closed_until - now).total_seconds()) + 1
            raise TooManyAttempts(seconds=seconds)

    def failed(self, now: datetime) -> None:
        """One more wrong answer."""
        self._wrong += 1
        if self._wrong >= MOST_WRONG:
            self._wrong = 0
            self._closed_until = now + PAUSE

    def succeeded(self) -> None:
        """A right answer forgets the wrong ones."""
        self._wrong = 0
        self._closed_until = None
