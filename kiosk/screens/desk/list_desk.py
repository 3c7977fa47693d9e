"""A desk with one list: what was done last above it, and words in its place while it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from kiosk.i18n import Words
from kiosk.locations import STYLES
from kiosk.screens.base import StaffScreen
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.desk_table import Column, DeskTable, Row
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.say import Say


class ListDesk(StaffScreen):
    """Asks for its rows in `clinic_changed`, and shows them by `show_rows`."""

    BAR: ClassVar[str]
    OF_A_ROW: ClassVar[frozenset[str]] = frozenset()
    """The actions about the row under the cursor: without rows their keys are not shown."""
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "staff.tcss", STYLES / "desk.tcss"]

    def compose(self) -> ComposeResult:
        """What stands above the list, the list, what stands below."""
        yield TopBar(self.BAR, lambda t: self.actor.name)
        yield Say(id="notice")
        with Vertical(id="desk"):
            yield from self.above()
            yield Say(id="empty")
            yield self.make_table()
            yield from self.below()
        yield KeyBar()

    def above(self) -> ComposeResult:
        """What the list is of."""
        yield from ()

    def make_table(self) -> DeskTable:
        """The list itself."""
        return DeskTable()

    def below(self) -> ComposeResult:
        """More about the row under the cursor."""
        yield from ()

    def on_mount(self) -> None:
        """Its keys work at once."""
        self.first().focus()
        self.clinic_changed()

    def first(self) -> Widget:
        """What has the focus when the desk is opened."""
        return self.table

    @property
    def table(self) -> DeskTable:
        """The list."""
        return self.query_one(DeskTable)

    def show_rows(self, columns: Sequence[Column], rows: Sequence[Row], empty: Words = "") -> None:
        """These rows from now on; ``empty`` says what there would be, and when."""
        self.table.show(columns, rows)
        self.table.display = bool(rows)
        self.query_one("#empty", Say).say("" if rows else empty)
        if rows and self.focused is None:  # a list without rows is hidden, and loses the focus
            self.table.focus()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for what there is."""
        return action not in self.OF_A_ROW or (self.is_mounted and self.table.current is not None)

    def done(self, words: Words) -> None:
        """Something was done: say so above the list, and show what became of it."""
        self.query_one("#notice", Say).say(words)
        self.catch_up()


class DetailedDesk(ListDesk):
    """A list with the row under the cursor in full below it."""

    def details(self, key: str) -> list[Fact]:
        """What there is to say of a row."""
        raise NotImplementedError

    def below(self) -> ComposeResult:
        """The one under the cursor."""
        yield Facts(id="details")

    @on(DeskTable.RowHighlighted)
    def tell(self) -> None:
        """In full, whatever the columns cut short."""
        key = self.table.current
        self.query_one("#details", Facts).show(self.details(key) if key else [])


class FieldDesk(ListDesk):
    """A list under a field that keeps the keys: the arrows move the list all the same."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the input, which would scroll with them.
        Binding("up", "move('cursor_up')", show=False, priority=True),
        Binding("down", "move('cursor_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
    ]

    def make_table(self) -> DeskTable:
        """The field keeps the focus."""
        return DeskTable(focusable=False)

    def first(self) -> Widget:
        """A scan may come at once."""
        return self.query_one(Input)

    def action_move(self, how: str) -> None:
        """The list follows the arrows while the field keeps the cursor."""
        getattr(self.table, f"action_{how}")()
