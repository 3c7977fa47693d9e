"""The very first start: the staff PIN, shown once, and what to do with it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kiosk.locations import STYLES
from kiosk.screens.base import ClinicScreen
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class WelcomeScreen(ClinicScreen):
    """Stays until somebody says that the PIN is written down; it is never shown again."""

    CSS_PATH = STYLES / "public.tcss"
    HELP = "shell.welcome.help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "written", "key.written"),
        Binding("escape", "nothing", show=False),
    ]

    def __init__(self, pin: str) -> None:
        super().__init__(classes="-public")
        self._pin = pin

    def compose(self) -> ComposeResult:
        """The PIN in the largest way there is, and the next steps."""
        yield TopBar("shell.welcome.bar")
        with Stage(), Page(id="page"):
            yield Say("shell.welcome.title", id="heading")
            yield Say("shell.welcome.write", classes="paragraph")
            yield Say(" ".join(self._pin), classes="code")
            yield Say("shell.welcome.next", classes="paragraph")
        yield KeyBar()

    def action_nothing(self) -> None:
        """Esc does not lose the PIN."""

    def action_written(self) -> None:
        """It is written down."""
        self.confirm(
            "shell.welcome.sure", "shell.welcome.sure_body", yes="shell.welcome.yes",
            then=lambda: self.dismiss(None),
        )  # fmt: skip
