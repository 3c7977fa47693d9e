"""What stands over a screen for a moment: a message, and a question answered by yes or no."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from kiosk.i18n import Words
from kiosk.widgets.bars import KeyBar
from kiosk.widgets.choice_list import Choice, ChoiceList
from kiosk.widgets.on_top import OnTop
from kiosk.widgets.say import Say

T = TypeVar("T")


class Modal(OnTop[T], ModalScreen[T], Generic[T]):
    """A box over the screen; its text scrolls when it is longer than the terminal."""

    def retranslate(self) -> None:
        """Texts follow the language by themselves."""

    def scanned(self, text: str) -> bool:
        """It answers nothing: what stands here is read first."""
        self.app.push_screen(ScanAnswer("desk.scan.refused", "desk.scan.answer_first", alarm=True))
        return True


class Message(Modal[None]):
    """Something to read; any of Enter, Space and Esc goes on, once it could be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "close", "key.ok"),
        Binding("escape,space", "close", show=False),
    ]

    GO_ON: ClassVar[str] = "shell.press_enter"
    """The key of the text that says how it is closed."""

    def __init__(self, title: Words, body: Words = "", *, alarm: bool = False) -> None:
        super().__init__(classes="-alarm" if alarm else "")
        self._title, self._body = title, body

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        with Vertical(classes="box"):
            yield Say(self._title, classes="title")
            with VerticalScroll(classes="text"):
                yield Say(self._body)
            yield Say(self.GO_ON, classes="go-on")
        yield KeyBar()

    def on_mount(self) -> None:
        """The arrows scroll the text."""
        self.query_one(VerticalScroll).focus()

    def action_close(self) -> None:
        """It was read."""
        if self.was_read:
            self.dismiss(None)


class ShownOnce(Message):
    """Something that is never shown again: it stays until somebody says that it is written down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "close", "key.written"),
        Binding("escape,space", "nothing", show=False),
    ]
    GO_ON = "shell.welcome.press_enter"

    def action_nothing(self) -> None:
        """Esc and Space do not lose it."""

    def action_close(self) -> None:
        """It was read; was it written down?"""
        if self.was_read:
            question = Confirm("shell.welcome.sure", "shell.welcome.sure_body", yes="shell.welcome.yes")
            self.app.push_screen(question, self._answered)

    def _answered(self, yes_chosen: bool | None) -> None:
        if yes_chosen:
            self.leave()


class ScanAnswer(Message):
    """Why nothing was done about a scan; the next one takes the place of Enter."""

    def scanned(self, text: str) -> bool:
        """Whoever scans again has read it."""
        self.dismiss(None)
        below = self.app.screen
        return isinstance(below, OnTop) and below.scanned(text)


class Confirm(Modal[bool]):
    """A question before something that cannot be taken back; the careful answer comes second and is kept
    under the cursor, so that Enter pressed twice by mistake changes nothing. What is ``harmless`` can be
    taken back, and is done by Enter.

    While the text is longer than its room, the arrows scroll it and change no answer: one press too many at
    its end would choose the other one. Numbers choose all the same."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no", "key.back"),
        Binding("down", "scroll(1)", "key.down", priority=True),
        Binding("up", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "turn(1)", show=False, priority=True),
        Binding("pageup", "turn(-1)", show=False, priority=True),
    ]

    def __init__(self, title: Words, body: Words = "", *, yes: Words, harmless: bool = False) -> None:
        super().__init__()
        self._title, self._body, self._yes, self._harmless = title, body, yes, harmless

    def compose(self) -> ComposeResult:
        """Question, text, two answers."""
        with Vertical(classes="box"):
            yield Say(self._title, classes="title")
            with VerticalScroll(classes="text", can_focus=False):
                yield Say(self._body)
            yield ChoiceList([Choice(True, self._yes), Choice(False, "shell.no")])
        yield KeyBar()

    def on_mount(self) -> None:
        """Nothing happens by Enter alone, unless it is harmless."""
        answers = self.query_one(ChoiceList)
        answers.cursor = 0 if self._harmless else 1
        answers.focus()
        self.call_after_refresh(self.refresh_bindings)

    def on_resize(self) -> None:
        """The text may have room now, or none any more."""
        self.call_after_refresh(self.refresh_bindings)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What fits is not scrolled: the arrows are the answers' then."""
        return action not in {"scroll", "turn"} or self._text.max_scroll_y > 0

    @property
    def _text(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    def action_scroll(self, lines: int) -> None:
        """The text, while the answers keep the keys."""
        self._text.scroll_relative(y=lines, animate=False)

    def action_turn(self, pages: int) -> None:
        """The same, by what fits at once but a line."""
        self.action_scroll(pages * max(1, self._text.size.height - 1))

    @on(ChoiceList.Chosen)
    def _answered(self, event: ChoiceList.Chosen) -> None:
        self.dismiss(event.value is True)

    def action_no(self) -> None:
        """Going back is the careful answer."""
        self.dismiss(False)
