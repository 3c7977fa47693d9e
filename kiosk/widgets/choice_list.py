"""A list to choose from: by number, by arrows and Enter, or with the mouse; in pages of at most nine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from kiosk.i18n import Words, put_in_words
from kiosk.widgets.say import texts_of
from kiosk.widgets.wrapping import wrap_cells

MOST_ON_A_PAGE = 9


@dataclass(frozen=True)
class Choice:
    """One line to choose: what it stands for, its words, and a remark such as how many are left."""

    value: object
    words: Words
    remark: Words = ""


@dataclass(frozen=True)
class _Line:
    """One line of cells: of which choice (None between choices), and its text."""

    choice: int | None
    text: str


class ChoiceList(Widget, can_focus=True):
    """Numbers choose at once; the arrows move and Enter chooses; 0 turns the page."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "choice--row",
        "choice--other-row",
        "choice--chosen",
        "choice--page",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup,left", "turn(-1)", show=False),
        Binding("pagedown,right,0", "turn(1)", show=False),
        Binding("home", "go(0)", show=False),
        Binding("end", "go(-1)", show=False),
        Binding("enter", "choose", show=False),
        *(Binding(str(n), f"number({n})", show=False) for n in range(1, 10)),
    ]

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Chosen(Message):
        """Somebody chose; ``value`` is that of the `Choice`."""

        choices: ChoiceList
        value: object

        @property
        def control(self) -> ChoiceList:
            """The list, for ``@on`` with a selector."""
            return self.choices

    def __init__(self, choices: list[Choice] | None = None) -> None:
        super().__init__()
        self._choices = choices or []
        self._lines: list[_Line] = []
        self._pages: list[range] = [range(0)]
        self._dense = False

    @property
    def choices(self) -> list[Choice]:
        """What can be chosen."""
        return self._choices

    def offer(self, choices: list[Choice], chosen: object = None) -> None:
        """Offer these from now on; the cursor stays on the same value, or goes to ``chosen``."""
        kept = chosen
        if kept is None and self._choices:
            kept = self._choices[min(self.cursor, len(self._choices) - 1)].value
        self._choices = choices
        values = [choice.value for choice in choices]
        self.cursor = values.index(kept) if kept in values else 0
        self._arrange()

    def retranslate(self) -> None:
        """Say the choices in the language of the moment."""
        self._arrange()

    def watch_cursor(self) -> None:
        """Another page may come into view."""
        self._arrange()

    def on_resize(self) -> None:
        """The room decides how many stand on a page."""
        self._arrange()

    def action_move(self, by: int) -> None:
        """The next one up or down, from the last to the first."""
        if self._choices:
            self.cursor = (self.cursor + by) % len(self._choices)

    def action_go(self, to: int) -> None:
        """The first or the last."""
        if self._choices:
            self.cursor = to % len(self._choices)

    def action_turn(self, by: int) -> None:
        """Another page, from the last to the first."""
        self.cursor = self._pages[(self._page_number() + by) % len(self._pages)].start

    def action_choose(self) -> None:
        """Choose the one under the cursor."""
        if self._choices:
            self.post_message(self.Chosen(self, self._choices[self.cursor].value))

    def action_number(self, number: int) -> None:
        """Choose the one with this number on the page."""
        page = self._pages[self._page_number()]
        if number <= len(page):
            self.cursor = page[number - 1]
            self.action_choose()

    def on_click(self, event: events.Click) -> None:
        """The mouse as a courtesy."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self._lines):
            return
        choice = self._lines[offset.y].choice
        if choice == -1:
            self.action_turn(1)
        elif choice is not None:
            self.cursor = choice
            self.action_choose()

    def render_line(self, y: int) -> Strip:
        """One line, the chosen one marked by a sign and by its colours."""
        width = self.size.width
        ground = self.rich_style
        if y >= len(self._lines):
            return Strip([Segment(" " * width, ground)], width)
        line = self._lines[y]
        style = ground
        if line.choice == -1:
            style = self.get_component_rich_style("choice--page")
        elif line.choice is not None:
            name = self._row_class(line.choice)
            style = self.get_component_rich_style(name) + Style(bold=name == "choice--chosen")
        return Strip([Segment(set_cell_size(line.text, width), style)], width)

    def _row_class(self, choice: int) -> str:
        """Rows that touch each other take turns in their grounds, so that long ones can be told apart."""
        if choice == self.cursor and self.has_focus:
            return "choice--chosen"
        return "choice--other-row" if self._dense and choice % 2 else "choice--row"

    # -- how it is laid out ---------------------------------------------------------------------

    def _page_number(self) -> int:
        return next((n for n, page in enumerate(self._pages) if self.cursor in page), 0)

    def _arrange(self) -> None:
        """Cut the choices into pages that fit, as generously as the room allows."""
        width, height = self.size.width, self.size.height
        if not self.is_attached or width < 8 or height < 1:
            return
        column = self._remark_column(width)
        blocks = [self._block(choice, width, column) for choice in self._choices]
        generous = sum(len(block) + 3 for block in blocks) - 1
        spaced = sum(len(block) + 1 for block in blocks) - 1
        padding, gap = 0, 0
        if len(blocks) <= MOST_ON_A_PAGE:
            padding = 1 if generous <= height else 0
            gap = 1 if padding or spaced <= height else 0
        self._pages = _pages([len(block) + 2 * padding + gap for block in blocks], height + gap)
        self._dense = gap == 0
        number = self._page_number()
        lines: list[_Line] = []
        for place, index in enumerate(self._pages[number], start=1):
            mark = ">" if index == self.cursor else " "
            body = [f"{mark} {place}  {line}" if n == 0 else f"     {line}"
                    for n, line in enumerate(blocks[index])]  # fmt: skip
            lines += [_Line(index, text) for text in ["", *body, ""][1 - padding : len(body) + 1 + padding]]
            lines += [_Line(None, "")] * gap
        if gap and lines:
            lines.pop()
        if len(self._pages) > 1:
            lines += [_Line(None, "")] * (height - 1 - len(lines))
            page = texts_of(self)("shell.next_page", page=number + 1, pages=len(self._pages))
            lines.append(_Line(-1, f"  0  {page}"))
        self._lines = lines
        self.refresh()

    def _remark_column(self, width: int) -> int:
        """Where the remarks begin, one below the other."""
        texts = texts_of(self)
        widths = [cell_len(put_in_words(choice.words, texts)) for choice in self._choices if choice.remark]
        return max(widths, default=0) + (2 if width < 60 else 4)

    def _block(self, choice: Choice, width: int, column: int) -> list[str]:
        """The lines of one choice; the remark in its column, or below when there is no room."""
        texts = texts_of(self)
        words, remark = put_in_words(choice.words, texts), put_in_words(choice.remark, texts)
        room = width - 6
        if not remark:
            return wrap_cells(words, room)
        if column + cell_len(remark) <= room:
            return [words + " " * (column - cell_len(words)) + remark]
        return wrap_cells(words, room) + wrap_cells(remark, room)


def _pages(heights: list[int], room: int) -> list[range]:
    """As many choices on each page as fit, at most nine; one line is kept for turning when needed."""
    if sum(heights) <= room and len(heights) <= MOST_ON_A_PAGE:
        return [range(len(heights))]
    pages, start, used = [], 0, 0
    for index, height in enumerate(heights):
        if index > start and (used + height > room - 1 or index - start == MOST_ON_A_PAGE):
            pages.append(range(start, index))
            start, used = index, 0
        used += height
    return [*pages, range(start, len(heights))]
