"""The way to the desks: a staff member's own PIN, then the desks that their roles open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input

from domain.actors import Actor
from domain.errors import Missing, TooManyAttempts
from domain.staff import Unlock
from kiosk.screens.base import PublicScreen, Refused, seconds_of
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.field import Field, Go
from kiosk.widgets.say import Say
from kiosk.widgets.stage import Page, Stage


class PinScreen(PublicScreen):
    """Asks for the PIN; what is typed cannot be read over the shoulder."""

    HELP = "shell.pin.help"

    @dataclass
    class Unlocked(Message):
        """The PIN belongs to this member of staff."""

        actor: Actor

    def compose(self) -> ComposeResult:
        """One question, one field."""
        yield TopBar("shell.pin.bar")
        with Stage(), Page(id="page"):
            yield Say("shell.pin.question", id="heading")
            yield Say("shell.pin.hint", id="hint")
            yield Field("pin", secret=True)
            yield Go("shell.pin.go")
        yield KeyBar()

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.clear_errors()
        if self.busy:
            return
        pin = "".join(event.value[:64].split())
        if not pin:
            self.show_error(Missing("pin"))
            return
        self._unlock(pin)

    def _unlock(self, pin: str) -> None:
        self.busy = True
        self.run_query(Unlock(pin), self.Unlocked)

    @on(Unlocked)
    def _unlocked(self, event: Unlocked) -> None:
        from kiosk.screens.staff_menu import StaffMenuScreen

        self.busy = False
        self.give_way_to(StaffMenuScreen(self.services, event.actor))

    def refused(self, event: Refused) -> None:
        """Wrong, or too often wrong: the field starts anew, and says how long it stays closed."""
        self.busy = False
        if event.again and isinstance(event.request, Unlock):
            event.again = partial(self._unlock, event.request.pin)
            super().refused(event)
            return
        field = self.query_one(Field)
        field.value = ""
        if isinstance(event.error, TooManyAttempts):
            field.count_down(seconds_of(event.error), self.services.clock)
        else:
            field.show_error(lambda t: t.error(event.error))
