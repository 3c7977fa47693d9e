"""Friendly full screens for what should not happen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from domain.errors import ClinicError
from kiosk.i18n import Texts, Words
from kiosk.locations import STYLES
from kiosk.screens.base import ClinicScreen, Idle
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage

AGAIN_SECONDS = 20.0
"""After which a clinic that could not be opened is tried again by itself."""


class TroubleScreen(ClinicScreen):
    """What happened, and what to do, in words that need no knowledge of computers."""

    CSS_PATH = STYLES / "public.tcss"

    def __init__(self, title: Words, happened: Words, to_do: Words) -> None:
        super().__init__(classes="-public")
        self._words = (title, happened, to_do)

    def compose(self) -> ComposeResult:
        """Title, what happened, what to do."""
        title, happened, to_do = self._words
        yield TopBar("shell.trouble.bar")
        with Stage(), Page(id="page"):
            yield Say(title, id="heading", classes="alarm")
            yield Say(happened, classes="paragraph")
            yield Say(to_do, classes="paragraph")
        yield KeyBar()


class SomethingBrokeScreen(TroubleScreen):
    """A screen broke; everything else goes on."""

    IDLE = Idle.PUBLIC
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "back", "key.home"),
        Binding("escape", "back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("shell.trouble.broke", "shell.trouble.broke_happened", "shell.trouble.broke_to_do")


class OpeningFailedScreen(TroubleScreen):
    """The clinic could not be opened: only the administrator can help, or its server that comes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "again", "key.again"),
        Binding("escape", "again", show=False),
    ]

    def __init__(self, refusal: ClinicError | None) -> None:
        def happened(texts: Texts) -> str:
            return texts.error(refusal) if refusal else texts("shell.trouble.closed_happened")

        super().__init__("shell.trouble.closed", happened, "shell.trouble.closed_to_do")

    def on_mount(self) -> None:
        """Nobody may come by who can read this."""
        self.set_interval(AGAIN_SECONDS, self.action_again)

    def action_again(self) -> None:
        """Try once more; nothing while somebody reads the help over it, nor for a second Enter."""
        if self.is_active:
            self.dismiss(None)
            self.kiosk.try_opening_again()
