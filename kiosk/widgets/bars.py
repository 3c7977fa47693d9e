"""The first and the last line of every screen: where one is, and which keys there are."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.containers import Horizontal
from textual.widget import Widget

from kiosk.i18n import Words
from kiosk.widgets.say import Say, texts_of

MOST_KEYS = 6
_LAST = ("escape", "f1", "f9", "f10")
"""The keys of every screen stand after the screen's own, in this order."""
_NAMES = {"escape": "Esc", "enter": "Enter", "pageup": "PgUp", "pagedown": "PgDn", "space": "Space"}


def key_name(key: str) -> str:
    """A key as it is printed on the keyboard."""
    return _NAMES.get(key, key.upper() if len(key) <= 3 else key.title())


class TopBar(Horizontal):
    """The clinic or desk on the left, the step or the person on the right."""

    def __init__(self, left: Words, right: Words = "") -> None:
        super().__init__()
        self._left, self._right = left, right

    def compose(self) -> ComposeResult:
        """Two texts on one line."""
        yield Say(self._left, classes="left")
        yield Say(self._right, classes="right")

    def say(self, left: Words | None = None, right: Words | None = None) -> None:
        """Change what stands on either side."""
        if left is not None:
            self.query_one(".left", Say).say(left)
        if right is not None:
            self.query_one(".right", Say).say(right)


class KeyBar(Widget):
    """At most six keys that work here and now, as many as the line has room for; each can be clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key"}

    def __init__(self) -> None:
        super().__init__()
        self._spans: list[tuple[range, ActiveBinding]] = []

    def on_mount(self) -> None:
        """The keys change with the focus."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh())

    def retranslate(self) -> None:
        """Name the keys in the language of the moment."""
        self.refresh()

    def keys(self) -> list[tuple[str, str, ActiveBinding]]:
        """The keys to show: their names, what they do in words, and the bindings themselves."""
        texts = texts_of(self)
        shown = [active for active in self.screen.active_bindings.values() if active.binding.show]
        shown.sort(key=lambda a: _LAST.index(a.binding.key) if a.binding.key in _LAST else -1)
        return [(key_name(a.binding.key), texts(a.binding.description), a) for a in shown if a.enabled]

    def render(self) -> Text:
        """One line of keys."""
        style = self.get_component_rich_style("key-bar--key")
        line, at = Text(no_wrap=True, overflow="crop"), 0
        self._spans = []
        keys = self.keys()[:MOST_KEYS]
        width = sum(cell_len(name) + cell_len(words) + 2 for name, words, _ in keys)
        gap = 3 if width + 3 * len(keys) <= self.size.width else 1
        for name, words, active in keys:
            needed = cell_len(name) + 1 + cell_len(words)
            if at + needed > self.size.width:
                break
            line.append(name, Style.combine([style, Style(bold=True)])).append(f" {words}").append(" " * gap)
            self._spans.append((range(at, at + needed), active))
            at += needed + gap
        return line

    async def on_click(self, event: events.Click) -> None:
        """The mouse as a courtesy: a click is the key."""
        offset = event.get_content_offset(self)
        for columns, active in self._spans:
            if offset and offset.x in columns:
                await self.app.run_action(active.binding.action, active.node)
