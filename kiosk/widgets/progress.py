"""How far a long task is: a bar of coloured cells with words on it."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from kiosk.widgets.say import texts_of


class Bar(Widget):
    """Some of its cells are filled; box characters are left out, whose width Korean fonts disagree about."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--filled", "bar--empty"}
    DEFAULT_CSS = """
    Bar { height: 1; }
    Bar > .bar--filled { background: $chosen; color: $chosen-text; text-style: bold; }
    Bar > .bar--empty { background: $row; color: $row-text; text-style: bold; }
    """

    @property
    def words(self) -> str:
        """What stands on it."""
        raise NotImplementedError

    def filled(self, width: int) -> range:
        """The cells that are filled, of so many."""
        raise NotImplementedError

    def retranslate(self) -> None:
        """Say it in the language of the moment."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The words stand in the middle, over both colours."""
        width, words = self.size.width, self.words
        line = set_cell_size(" " * max(0, (width - cell_len(words)) // 2) + words, width)
        strip, filled = Strip([Segment(line)], width), self.filled(width)
        filled = range(_between(line, filled.start), _between(line, filled.stop))
        full, empty = (self.get_component_rich_style(f"bar--{kind}") for kind in ("filled", "empty"))
        return Strip.join(
            [
                strip.crop(0, filled.start).apply_style(empty),
                strip.crop(filled.start, filled.stop).apply_style(full),
                strip.crop(filled.stop, width).apply_style(empty),
            ]
        )


def _between(line: str, cell: int) -> int:
    """The nearest cell at or before this one where no character is cut: a syllable is two cells."""
    at = 0
    for character in line:
        if at + cell_len(character) > cell:
            break
        at += cell_len(character)
    return at


class Progress(Bar):
    """``done`` of ``total``."""

    done: reactive[int] = reactive(0)
    total: reactive[int] = reactive(0)

    @property
    def words(self) -> str:
        """The count."""
        return texts_of(self)("desk.progress", done=self.done, total=self.total)

    def filled(self, width: int) -> range:
        """From the left."""
        return range(round(width * self.done / self.total) if self.total else 0)
