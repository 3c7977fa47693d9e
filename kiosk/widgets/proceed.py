"""The next step as one line that Enter takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from kiosk.widgets.say import Say


class Proceed(Say, can_focus=True):
    """Says what Enter does here; a click does it too."""

    DEFAULT_CSS = """
    Proceed { height: auto; background: $row; color: $row-text; padding: 0 2; text-style: bold; }
    Proceed:focus { background: $chosen; color: $chosen-text; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "proceed", show=False)]

    @dataclass
    class Pressed(Message):
        """Enter."""

        proceed: Proceed

    def action_proceed(self) -> None:
        """Go on."""
        self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        """The mouse as a courtesy."""
        self.action_proceed()
