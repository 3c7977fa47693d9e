"""Questions that are nearly always answered by no: one key each turns the answer, Enter confirms all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from kiosk.i18n import Words, put_in_words
from kiosk.widgets.say import texts_of
from kiosk.widgets.wrapping import wrap_cells


class Checklist(Widget, can_focus=True):
    """Numbers turn an answer between no and yes; so does Space where the cursor is."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"checklist--row", "checklist--cursor", "checklist--yes"}
    DEFAULT_CSS = """
    Checklist { height: auto; }
    Checklist > .checklist--row { background: $row; color: $row-text; }
    Checklist > .checklist--cursor { background: $chosen; color: $chosen-text; }
    Checklist > .checklist--yes { background: $row; color: $alarm; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("space", "turn_here", show=False),
        Binding("enter", "confirm", show=False),
        *(Binding(str(n), f"turn({n})", show=False) for n in range(1, 10)),
    ]

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Turned(Message):
        """An answer is another one now."""

        values: frozenset[object]

    @dataclass
    class Confirmed(Message):
        """Enter: these are answered by yes, all others by no."""

        values: frozenset[object]

    def __init__(
        self,
        questions: Sequence[tuple[object, Words]],
        no: Words,
        yes: Words,
        ticked: Iterable[object] = (),
    ) -> None:
        super().__init__()
        self._questions = list(questions)
        self._no, self._yes = no, yes
        self._ticked: set[object] = set(ticked)
        self._lines: list[tuple[int, str]] = []

    @property
    def values(self) -> frozenset[object]:
        """What is answered by yes."""
        return frozenset(self._ticked)

    def tick(self, values: Iterable[object]) -> None:
        """Answer these by yes too."""
        self._ticked |= set(values)
        self._turned()

    def retranslate(self) -> None:
        """Ask in the language of the moment."""
        self.refresh(layout=True)

    def action_move(self, by: int) -> None:
        """The next question, from the last to the first."""
        self.cursor = (self.cursor + by) % len(self._questions)

    def action_turn(self, number: int) -> None:
        """Turn the answer to the question with this number."""
        if number <= len(self._questions):
            self.cursor = number - 1
            self.action_turn_here()

    def action_turn_here(self) -> None:
        """Turn the answer under the cursor."""
        self._ticked ^= {self._questions[self.cursor][0]}
        self._turned()

    def _turned(self) -> None:
        self.post_message(self.Turned(self.values))
        self.refresh()

    def action_confirm(self) -> None:
        """These are the answers."""
        self.post_message(self.Confirmed(self.values))

    def on_click(self, event: events.Click) -> None:
        """The mouse as a courtesy."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._lines):
            self.action_turn(self._lines[offset.y][0] + 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the questions need."""
        return len(self._lay_out(width))

    def render_line(self, y: int) -> Strip:
        """One line; the cursor and a yes are marked by signs and words beside their colours."""
        width = self.size.width
        self._lines = self._lay_out(width)
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        index, text = self._lines[y]
        name = "row"
        if index == self.cursor and self.has_focus:
            name = "cursor"
        elif self._questions[index][0] in self._ticked:
            name = "yes"
        ticked = self._questions[index][0] in self._ticked
        style = self.get_component_rich_style(f"checklist--{name}") + Style(bold=ticked)
        return Strip([Segment(set_cell_size(text, width), style)], width)

    def _lay_out(self, width: int) -> list[tuple[int, str]]:
        texts = texts_of(self)
        no, yes = put_in_words(self._no, texts), f"! {put_in_words(self._yes, texts)}"
        answer_room = max(cell_len(no), cell_len(yes)) + 1
        room = max(8, width - 5 - answer_room - 1)
        lines: list[tuple[int, str]] = []
        for index, (value, words) in enumerate(self._questions):
            answer = yes if value in self._ticked else no
            mark = ">" if index == self.cursor else " "
            first, *rest = wrap_cells(put_in_words(words, texts), room)
            head = set_cell_size(f"{mark} {index + 1}  {first}", width - answer_room)
            lines.append((index, head + answer))
            lines += [(index, f"     {line}") for line in rest]
        return lines
