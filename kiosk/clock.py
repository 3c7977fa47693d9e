"""The time of the machine; tests own another."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """See `domain.ports.Clock`."""
        return datetime.now(UTC)
