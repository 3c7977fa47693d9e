"""Text that follows the language of the terminal. Never markup: a name may look like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from kiosk.i18n import Texts, Words, put_in_words

if TYPE_CHECKING:
    from kiosk.app import ClinicApp


@runtime_checkable
class Translated(Protocol):
    """Whatever says its words anew when the language changes."""

    def retranslate(self) -> None:
        """Say it in the language of the moment."""


def texts_of(widget: Widget) -> Texts:
    """The texts in the terminal's language of the moment."""
    return cast("ClinicApp", widget.app).texts


class Say(Static):
    """A text by its key, or by what makes it; empty words take no room."""

    def __init__(self, words: Words = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes, markup=False)
        self.words = words

    def on_mount(self) -> None:
        """The language is known from here on."""
        self.retranslate()

    def say(self, words: Words) -> None:
        """Say this from now on."""
        self.words = words
        if self.is_attached:
            self.retranslate()

    def retranslate(self) -> None:
        """Say it in the language of the moment."""
        text = put_in_words(self.words, texts_of(self))
        self.update(text)
        self.set_class(not text, "-empty")


def plain(value: object) -> Text:
    """A table cell: text that is never read as markup."""
    return Text(str(value))
