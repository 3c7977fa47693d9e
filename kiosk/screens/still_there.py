"""The last seconds before a visit ends, counted down; any key extends it."""

from __future__ import annotations

from math import ceil

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from kiosk.widgets.bars import KeyBar
from kiosk.widgets.modals import Modal
from kiosk.widgets.say import Say


class StillThere(Modal[None]):
    """Asks whether somebody is still there; the key that answers does nothing else."""

    def __init__(self, left: float) -> None:
        super().__init__()
        self._left = ceil(left)

    def compose(self) -> ComposeResult:
        """The question, the seconds, how to stay."""
        with Vertical(classes="box"):
            yield Say("shell.idle.title", classes="title")
            yield Say(lambda t: t("shell.idle.seconds", seconds=self._left), id="seconds")
            yield Say("shell.idle.stay", classes="go-on")
        yield KeyBar()

    def count(self, left: float) -> None:
        """So many seconds are left."""
        if ceil(left) != self._left:
            self._left = ceil(left)
            self.query_one("#seconds", Say).retranslate()

    def on_key(self, event: events.Key) -> None:
        """Somebody is there."""
        event.stop()
        event.prevent_default()
        self.dismiss(None)

    def on_paste(self) -> None:
        """A scan counts too."""
        self.dismiss(None)

    def scanned(self, text: str) -> bool:
        """See `on_paste`."""
        self.dismiss(None)
        return True

    def on_click(self) -> None:
        """And so does a click."""
        self.dismiss(None)
