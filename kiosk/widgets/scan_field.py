"""A field for what a scanner types: it replaces what was there, and its separators are a visible sign."""

from __future__ import annotations

import unicodedata

from textual import events
from textual.widgets import Input

from kiosk.gs1 import GROUP_SEPARATOR, SEPARATOR_SIGN
from kiosk.scanner import Scan
from kiosk.widgets.field import Field, LineInput


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
        self.select_all()
        super()._on_paste(event)
        event.prevent_default()


class ScanField(Field):
    """A `Field` whose input takes a scan."""

    INPUT = ScanInput
    REPLACED = True

    def wants(self, scan: Scan) -> bool:
        """Whether this is where the scan belongs."""
        return True

    def take(self, scan: Scan) -> None:
        """The scan stands here instead of what did, and Enter was pressed behind it."""
        self.screen.set_focus(self.input)
        self.value = scan.text
        self.input.post_message(Input.Submitted(self.input, scan.text))


class LotField(ScanField):
    """Where a box is scanned, whatever has the focus, or the number of a lot typed; a ticket is neither."""

    def wants(self, scan: Scan) -> bool:
        """See `ScanField.wants`."""
        if scan.box:
            return scan.box.lot is not None or self.input.has_focus
        return self.input.has_focus and not scan.code
