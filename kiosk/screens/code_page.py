"""A code to scan, on a page of its own; below it the same code to read aloud."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size

from domain.codes import spoken
from kiosk.widgets.modals import Modal
from kiosk.widgets.qr import QrCode, room_for
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Stage


def fits(code: str, terminal: Size) -> bool:
    """Whether this terminal has room for the code with one line below it."""
    needed = room_for(code)
    return needed.width <= terminal.width and needed.height + 1 <= terminal.height


class CodePage(Modal[None]):
    """Light in both themes, so that a scanner reads it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,escape,space", "close", "key.back")]

    def __init__(self, code: str) -> None:
        super().__init__(classes="-light")
        self._code = code

    def compose(self) -> ComposeResult:
        """Code and caption."""
        with Stage():
            yield QrCode(self._code)
        yield Say(lambda t: t("shell.code_caption", code=spoken(self._code)), classes="caption")

    def action_close(self) -> None:
        """Seen."""
        if self.was_read:
            self.dismiss(None)

    def on_click(self) -> None:
        """The mouse as a courtesy."""
        self.dismiss(None)
