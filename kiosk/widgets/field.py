"""One entry of a form: its label, the answer, and what is wrong with it right beside."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from domain.errors import TooManyAttempts
from domain.ports import Clock
from kiosk.i18n import Words, put_in_words
from kiosk.widgets.say import Say

TICK_SECONDS = 0.5
"""How often the seconds that nothing is taken for are counted anew."""


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


class Entry(Vertical):
    """A label, an error and a box for the answer; named like the ``field`` of the domain's `InputError`."""

    def __init__(self, field: str, label: Words, box: Widget) -> None:
        super().__init__()
        self.field = field
        self._label, self._box = label, box

    def compose(self) -> ComposeResult:
        """The error stands between label and box, where it is read before answering again."""
        yield Say(self._label, classes="label")
        yield Say(classes="error")
        with Vertical(classes="frame"):
            yield self._box

    def show_error(self, words: Words) -> None:
        """Say what is wrong, by a sign beside the colour; the answer stays, and the cursor goes there."""
        self.query_one(".error", Say).say(lambda t: f"! {put_in_words(words, t)}")
        self.add_class("-wrong")
        self.take_cursor()

    def clear_error(self) -> None:
        """Nothing is wrong any more."""
        self.query_one(".error", Say).say("")
        self.remove_class("-wrong")

    def take_cursor(self) -> None:
        """What is typed next is for this one."""
        self._box.focus()


class Field(Entry):
    """An entry that is typed."""

    INPUT: ClassVar[type[LineInput]] = LineInput
    REPLACED: ClassVar[bool] = False
    """Whether what is typed takes the place of what stands there."""

    def __init__(self, field: str, label: Words = "", *, value: str = "", secret: bool = False) -> None:
        self.input = self.INPUT(value, password=secret, select_on_focus=self.REPLACED)
        self._counting: Timer | None = None
        super().__init__(field, label, self.input)

    @property
    def value(self) -> str:
        """What is typed, as it was typed."""
        return self.input.value

    @value.setter
    def value(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)

    def count_down(self, seconds: int, clock: Clock) -> None:
        """After too many wrong answers: say how long still; once it is open again, by saying nothing."""
        until = clock.now() + timedelta(seconds=seconds)

        def tick() -> None:
            if (left := ceil((until - clock.now()).total_seconds())) > 0:
                self.show_error(lambda t: t.error(TooManyAttempts(seconds=left)))
            else:
                self.clear_error()

        self.clear_error()
        self._counting = self.set_interval(TICK_SECONDS, tick)
        tick()

    def clear_error(self) -> None:
        """Nor are seconds counted any more."""
        if self._counting:
            self._counting.stop()
        super().clear_error()


class Go(Say):
    """Says what Enter does; the mouse as a courtesy."""

    def __init__(self, words: Words) -> None:
        super().__init__(words, classes="go")

    async def on_click(self) -> None:
        """A click is Enter in the field of this page."""
        await self.screen.query_one(LineInput).action_submit()
