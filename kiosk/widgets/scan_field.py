"""A field for what a scanner types: its group separators are kept, as a visible sign."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from kiosk.gs1 import GROUP_SEPARATOR, SEPARATOR_SIGN
from kiosk.widgets.field import Field, LineInput
from kiosk.widgets.say import Say


class ScanInput(LineInput):
    """An input that does not lose the FNC1 of a bar code, which no keyboard has."""

    def on_key(self, event: events.Key) -> None:
        """A terminal reads the group separator as Ctrl+]."""
        if event.key == "ctrl+right_square_bracket":
            self.insert_text_at_cursor(SEPARATOR_SIGN)
            event.stop()

    def _on_paste(self, event: events.Paste) -> None:
        # Python counts the separator as the end of a line, and an input takes the first line only.
        event.text = unicodedata.normalize("NFC", event.text.replace(GROUP_SEPARATOR, SEPARATOR_SIGN))
        super()._on_paste(event)
        event.prevent_default()


class ScanField(Field):
    """A `Field` whose input takes a scan."""

    INPUT: ClassVar[type[ScanInput]] = ScanInput

    def compose(self) -> ComposeResult:
        """See `Field.compose`."""
        yield Say(self._label, classes="label")
        yield Say(classes="error")
        with Vertical(classes="frame"):
            yield self.INPUT(self._start, placeholder=self._placeholder, select_on_focus=False)
