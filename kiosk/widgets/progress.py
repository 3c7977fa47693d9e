"""How far a long task is: a bar of coloured cells with the count in words on it."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from kiosk.widgets.say import texts_of


class Progress(Widget):
    """``done`` of ``total``; box characters are left out, whose width Korean fonts disagree about."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"progress--done", "progress--left"}
    DEFAULT_CSS = """
    Progress { height: 1; }
    Progress > .progress--done { background: $chosen; color: $chosen-text; text-style: bold; }
    Progress > .progress--left { background: $row; color: $row-text; text-style: bold; }
    """

    done: reactive[int] = reactive(0)
    total: reactive[int] = reactive(0)

    def retranslate(self) -> None:
        """Count in the language of the moment."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The words stand in the middle, over both colours."""
        width = self.size.width
        words = texts_of(self)("desk.progress", done=self.done, total=self.total)
        line = set_cell_size(" " * max(0, (width - cell_len(words)) // 2) + words, width)
        filled = round(width * self.done / self.total) if self.total else 0
        done = self.get_component_rich_style("progress--done")
        left = self.get_component_rich_style("progress--left")
        strip = Strip([Segment(line)], width)
        return Strip.join(
            [strip.crop(0, filled).apply_style(done), strip.crop(filled, width).apply_style(left)]
        )
