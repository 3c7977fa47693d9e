"""One answer of a few, all seen at once: a digit or the arrows choose, Enter goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from kiosk.i18n import Words, put_in_words
from kiosk.widgets.field import Entry
from kiosk.widgets.say import texts_of


class Options(Widget, can_focus=True):
    """The answers on one line, or as many as they need."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"options--one", "options--chosen"}
    DEFAULT_CSS = """
    Options { height: auto; background: $background; }
    Options:focus { background: $field; }
    Options > .options--one { background: $row; color: $row-text; }
    Options > .options--chosen { background: $chosen; color: $chosen-text; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", show=False),
        Binding("right,space", "move(1)", show=False),
        Binding("enter", "go_on", show=False),
        *(Binding(str(n), f"choose({n})", show=False) for n in range(1, 10)),
    ]

    at: reactive[int | None] = reactive(None, layout=True)

    @dataclass
    class Chosen(Message):
        """Another answer is chosen."""

        options: Options
        value: Any

    @dataclass
    class Submitted(Message):
        """Enter: the next question, please."""

        options: Options

    def __init__(self, answers: Sequence[tuple[Any, Words]], value: Any = None) -> None:
        super().__init__()
        self.answers = list(answers)
        values = [answer for answer, _ in self.answers]
        self.set_reactive(Options.at, values.index(value) if value in values else None)
        self._places: list[tuple[int, range]] = []

    def retranslate(self) -> None:
        """Say the answers in the language of the moment."""
        self.refresh(layout=True)

    def action_move(self, by: int) -> None:
        """The next one, from the last to the first."""
        last = len(self.answers) - 1
        start = self.at if self.at is not None else (-1 if by > 0 else last + 1)
        self._choose((start + by) % len(self.answers))

    def action_choose(self, number: int) -> None:
        """The one with this number."""
        if number <= len(self.answers):
            self._choose(number - 1)

    def action_go_on(self) -> None:
        """The answer stands."""
        self.post_message(self.Submitted(self))

    def _choose(self, at: int) -> None:
        self.at = at
        self.post_message(self.Chosen(self, self.answers[at][0]))

    def on_click(self, event: events.Click) -> None:
        """The mouse as a courtesy."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for index, (y, columns) in enumerate(self._places):
            if y == offset.y and offset.x in columns:
                self._choose(index)

    def render(self) -> Text:
        """Each with its number; the chosen one marked by a sign and by its colours."""
        texts, width = texts_of(self), max(8, self.content_size.width)
        text, x, y = Text(), 0, 0
        self._places = []
        for index, (_, words) in enumerate(self.answers):
            chosen = index == self.at
            name = "options--chosen" if chosen else "options--one"
            label = f"{'>' if chosen else ' '}{index + 1} {put_in_words(words, texts)} "
            size = cell_len(label)
            if x and x + size > width:
                text.append("\n")
                x, y = 0, y + 1
            text.append(label, self.get_component_rich_style(name) + Style(bold=chosen)).append(" ")
            self._places.append((y, range(x, x + size)))
            x += size + 1
        return text


class Pick(Entry):
    """An entry that is chosen."""

    def __init__(
        self, field: str, label: Words, answers: Sequence[tuple[Any, Words]], value: Any = None
    ) -> None:
        self.options = Options(answers, value)
        super().__init__(field, label, self.options)

    @property
    def value(self) -> Any:
        """The chosen answer; None when there is none yet."""
        at = self.options.at
        return None if at is None else self.options.answers[at][0]
