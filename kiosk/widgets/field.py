"""One field of a form: its label, what is typed, and what is wrong with it right beside."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from kiosk.i18n import Texts, Words
from kiosk.widgets.say import Say


class LineInput(Input):
    """An input whose editing keys keep their place among the letters.

    Letters are handled here, keys with a binding only after they went up to the app and back; a quick
    backspace would arrive behind the letters that follow it. Enter takes the long way like the arrows
    of a screen, so that it does not overtake them.
    """

    async def _on_key(self, event: events.Key) -> None:
        if event.key != "enter" and event.key in self._bindings.key_to_bindings:
            event.stop()
            event.prevent_default()
            for binding in self._bindings.get_bindings_for_key(event.key):
                await self.run_action(binding.action)


class Field(Vertical):
    """A label, an input and an error; named like the ``field`` of the domain's `InputError`."""

    def __init__(
        self,
        field: str,
        label: Words = "",
        *,
        value: str = "",
        secret: bool = False,
    ) -> None:
        super().__init__()
        self.field = field
        self._label = label
        self._start = value
        self._secret = secret

    def compose(self) -> ComposeResult:
        """The error stands between label and input, where it is read before typing again."""
        yield Say(self._label, classes="label")
        yield Say(classes="error")
        with Vertical(classes="frame"):
            yield LineInput(self._start, password=self._secret, select_on_focus=False)

    @property
    def input(self) -> Input:
        """Where it is typed."""
        return self.query_one(Input)

    @property
    def value(self) -> str:
        """What is typed, as it was typed."""
        return self.input.value

    @value.setter
    def value(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)

    def show_error(self, words: Words) -> None:
        """Say what is wrong; what was typed stays, and the cursor goes there."""
        self.query_one(".error", Say).say(_marked(words))
        self.add_class("-wrong")
        self.input.focus()

    def clear_error(self) -> None:
        """Nothing is wrong any more."""
        self.query_one(".error", Say).say("")
        self.remove_class("-wrong")


class Go(Say):
    """Says what Enter does; the mouse as a courtesy."""

    def __init__(self, words: Words) -> None:
        super().__init__(words, classes="go")

    async def on_click(self) -> None:
        """A click is Enter in the field of this page."""
        await self.screen.query_one(LineInput).action_submit()


def _marked(words: Words) -> Words:
    """A sign before the words, so that it is not the colour alone that says it."""

    def said(texts: Texts) -> str:
        return "! " + (texts(words) if isinstance(words, str) else words(texts))

    return said
