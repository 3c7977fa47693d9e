"""Where a screen's page stands: in the middle of a wide terminal, on all of a narrow one."""

from __future__ import annotations

from textual.containers import Vertical


class Page(Vertical):
    """The column that is read."""


class Stage(Vertical):
    """Puts its `Page` in the middle."""
