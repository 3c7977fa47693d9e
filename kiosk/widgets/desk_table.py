"""A table for the desks: columns that fill the room there is, and a cursor that stays on its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual.widgets import DataTable

from kiosk.i18n import Words, put_in_words
from kiosk.widgets.say import texts_of

MOST_ROWS = 200
"""More rows take the terminal longer to draw than a keystroke may."""
_LEAST_STRETCH = 8


@dataclass(frozen=True)
class Column:
    """One column: its title, and its width in cells; the one without a width takes what is left."""

    title: Words
    width: int | None = None
    right: bool = False


@dataclass(frozen=True)
class Toned:
    """A cell in one of the tones ``alarm``, ``good`` and ``faint``; its words say the same without it."""

    text: str
    tone: str


@dataclass(frozen=True)
class Row:
    """One row, known by its key when the table is drawn anew."""

    key: str
    cells: tuple[str | Toned, ...]


class _Picture(NamedTuple):
    """What was drawn, and with what: the same again need not be drawn."""

    width: int
    theme: str
    titles: list[str]
    rows: tuple[Row, ...]


class DeskTable(DataTable[Text]):
    """Rows by key; drawn anew for another width, other colours and other words."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"desk-table--alarm", "desk-table--good", "desk-table--faint"}
    DEFAULT_CSS = """
    DeskTable { scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }
    DeskTable:focus { background-tint: $background 0%; }
    DeskTable > .desk-table--alarm { color: $alarm; text-style: bold; }
    DeskTable > .desk-table--good { color: $good; text-style: bold; }
    DeskTable > .desk-table--faint { color: $hint; }
    """

    def __init__(self, *, id: str | None = None, focusable: bool = True, cursor: bool = True) -> None:
        super().__init__(cursor_type="row" if cursor else "none", zebra_stripes=True, id=id)
        self.can_focus = focusable
        self._shown_columns: tuple[Column, ...] = ()
        self._shown_rows: tuple[Row, ...] = ()
        self._drawn: _Picture | None = None

    def on_mount(self) -> None:
        """The tones are those of the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self.call_after_refresh(self._draw))

    def on_resize(self) -> None:
        """The stretching column takes what is left of another width."""
        self._draw()

    def show(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Show these from now on; the cursor stays on the row it was on."""
        kept = self.current
        self._shown_columns, self._shown_rows = tuple(columns), tuple(rows[:MOST_ROWS])
        self._draw(kept)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is for the row under the cursor."""
        return action != "select_cursor" or self.current is not None

    @property
    def keys(self) -> list[str]:
        """The keys of the rows, from the top."""
        return [row.key for row in self._shown_rows]

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        at = self.cursor_row
        return self._shown_rows[at].key if 0 <= at < len(self._shown_rows) else None

    def go_to(self, key: str) -> None:
        """Put the cursor on the row of this key, when there is one."""
        if key in self.keys:
            self.move_cursor(row=self.keys.index(key))

    def _draw(self, kept: str | None = None) -> None:
        width = self.size.width
        if not self.is_attached or not width or not self._shown_columns:
            return
        texts = texts_of(self)
        titles = [put_in_words(column.title, texts) for column in self._shown_columns]
        drawn, self._drawn = self._drawn, _Picture(width, self.app.theme, titles, self._shown_rows)
        if drawn == self._drawn:
            return
        at, top = self.cursor_row, self.scroll_y
        fixed = sum(column.width or 0 for column in self._shown_columns)
        left = max(_LEAST_STRETCH, width - fixed - 2 * len(titles))
        tones = {
            tone: self.get_component_rich_style(f"desk-table--{tone}", partial=True)
            for tone in ("alarm", "good", "faint")
        }
        widths = [column.width or left for column in self._shown_columns]
        stay = self._taken_away(drawn)
        if not stay:
            self.clear(columns=True)
            for column, title, room in zip(self._shown_columns, titles, widths, strict=True):
                self.add_column(_cell(title, room, column.right, None), width=room)
        for row in self._shown_rows[stay:]:
            cells = zip(self._shown_columns, row.cells, widths, strict=True)
            self.add_row(
                *(self._toned(column, cell, room, tones) for column, cell, room in cells), key=row.key
            )
        if self._shown_rows:
            keys = self.keys
            at = keys.index(kept) if kept in keys else min(at, len(keys) - 1)
            self.move_cursor(row=at)
            self.scroll_to(y=top, animate=False)

    def _taken_away(self, drawn: _Picture | None) -> int:
        """Take rows away that are not shown any more; answers how many of the others stay as they are.

        A long list that grows shorter is not drawn anew: that takes longer than a keystroke may.
        """
        now = self._drawn
        if not (drawn and now) or drawn[:3] != now[:3]:
            return 0
        shown = set(self._shown_rows)
        staying = tuple(row for row in drawn.rows if row in shown)
        if not staying or staying != self._shown_rows[: len(staying)]:
            return 0
        for row in drawn.rows:
            if row not in shown:
                self.remove_row(row.key)
        return len(staying)

    @staticmethod
    def _toned(column: Column, cell: str | Toned, room: int, tones: dict[str, Style]) -> Text:
        if isinstance(cell, Toned):
            return _cell(cell.text, room, column.right, tones.get(cell.tone))
        return _cell(cell, room, column.right, None)


def clip(text: str, room: int) -> str:
    """The text cut to so many cells; two dots say that something is missing.

    The one-character ellipsis is as wide as two cells in some Korean fonts, which moves the columns.
    """
    return text if cell_len(text) <= room else set_cell_size(text, room - 2) + ".."


def _cell(text: str, room: int, right: bool, style: Style | None) -> Text:
    return Text(clip(text, room), style or "", no_wrap=True, justify="right" if right else "left")
