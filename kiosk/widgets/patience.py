"""What stands over a screen while somebody has to wait: for an answer, or until it can be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from kiosk.i18n import Words
from kiosk.widgets.bars import KeyBar
from kiosk.widgets.countdown import Countdown
from kiosk.widgets.modals import Modal
from kiosk.widgets.say import Say

if TYPE_CHECKING:
    from kiosk.app import ClinicApp


class Wait(Modal[None]):
    """Something is under way that takes a while; it goes away by `leave`."""

    def __init__(self, title: Words, body: Words, seconds: float) -> None:
        super().__init__()
        self._title, self._body, self._seconds = title, body, seconds

    def compose(self) -> ComposeResult:
        """Title, what to do meanwhile, how long at most."""
        with Vertical(classes="box"):
            yield Say(self._title, classes="title")
            with VerticalScroll(classes="text", can_focus=False):
                yield Say(self._body)
            yield Countdown(self._seconds, "shell.wait.left", "shell.wait.nearly")
        yield KeyBar()

    def on_mount(self) -> None:
        """Whoever waits here is there, although they press no key."""
        self.set_interval(1.0, cast("ClinicApp", self.app).idle.touch)

    def scanned(self, text: str) -> bool:
        """Not yet."""
        return True


class ComeBack(Modal[bool]):
    """Turned away for a while: what was kept, and how long; Enter tries once more, at any time.

    What only reads tries again ``by_itself``. Nobody's fault, so nothing here looks like an error.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "again", "key.again"),
        Binding("escape", "leave", "key.back"),
    ]

    def __init__(self, title: Words, body: Words, seconds: float, *, by_itself: bool = False) -> None:
        super().__init__()
        self._title, self._body, self._seconds = title, body, seconds
        self._by_itself = by_itself

    def compose(self) -> ComposeResult:
        """Title, why, the seconds, the two keys in words."""
        with Vertical(classes="box"):
            yield Say(self._title, classes="title")
            with VerticalScroll(classes="text"):
                yield Say(self._body)
            over = "shell.later.now_itself" if self._by_itself else "shell.later.now"
            yield Countdown(self._seconds, "shell.later.left", over)
            yield Say("shell.later.keys", classes="go-on")
        yield KeyBar()

    def on_mount(self) -> None:
        """The arrows scroll the text."""
        self.query_one(VerticalScroll).focus()

    @on(Countdown.Over)
    def _time_has_come(self) -> None:
        if self._by_itself:
            self.leave(True)

    def action_again(self) -> None:
        """Once more, with everything as it was."""
        self.dismiss(True)

    def action_leave(self) -> None:
        """Back to the screen as it was."""
        self.dismiss(False)
