"""Facts in two columns: what it is, and what it says; long ones go on in their own column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from kiosk.i18n import Words, put_in_words
from kiosk.widgets.say import texts_of
from kiosk.widgets.wrapping import wrap_cells


@dataclass(frozen=True)
class Fact:
    """One line. ``tone`` is empty, ``strong``, ``alarm`` or ``good``; the words say the same without it."""

    label: Words
    words: Words
    tone: str = ""


class Facts(Static):
    """Facts that follow the language, the width and the colours."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"facts--label", "facts--strong", "facts--alarm", "facts--good"}
    DEFAULT_CSS = """
    Facts { height: auto; }
    Facts > .facts--label { color: $hint; }
    Facts > .facts--strong { text-style: bold; }
    Facts > .facts--alarm { color: $alarm; text-style: bold; }
    Facts > .facts--good { color: $good; text-style: bold; }
    """

    def __init__(self, facts: Sequence[Fact] = (), *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._facts = tuple(facts)

    def on_mount(self) -> None:
        """The language is known from here on."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.call_after_refresh(self.retranslate))
        self.retranslate()

    def on_resize(self) -> None:
        """Lines end elsewhere."""
        self.retranslate()

    def show(self, facts: Sequence[Fact]) -> None:
        """Show these from now on."""
        self._facts = tuple(facts)
        if self.is_attached:
            self.retranslate()

    def retranslate(self) -> None:
        """Say them in the language of the moment."""
        texts, width = texts_of(self), self.content_size.width or 40
        said = [(put_in_words(f.label, texts), put_in_words(f.words, texts), f.tone) for f in self._facts]
        said = [(label, words, tone) for label, words, tone in said if words]
        column = max((cell_len(label) for label, _, _ in said), default=0) + 2
        lines: list[Text] = []
        for label, words, tone in said:
            style = self.get_component_rich_style(f"facts--{tone}", partial=True) if tone else Style()
            head = label
            for part in wrap_cells(words, max(8, width - column)):
                line = Text(no_wrap=True)
                line.append(
                    set_cell_size(head, column), self.get_component_rich_style("facts--label", partial=True)
                )
                lines.append(line.append(part, style))
                head = ""
        self.update(Text("\n").join(lines))
