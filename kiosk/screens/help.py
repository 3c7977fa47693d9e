"""Help: what this screen is for, and its keys, generated from its bindings."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from kiosk.i18n import Texts
from kiosk.widgets.bars import key_name
from kiosk.widgets.modals import Message


class HelpModal(Message):
    """The help of a screen."""

    def __init__(self, screen: Screen[Any]) -> None:
        text = getattr(screen, "HELP", "")
        keys = [
            (key_name(active.binding.key), active.binding.description)
            for active in screen.active_bindings.values()
            if active.binding.show and active.enabled
        ]

        def body(texts: Texts) -> str:
            lines = [f"{name}  {texts(words)}" for name, words in keys]
            parts = [texts(text) if text else "", "\n".join(lines), texts("shell.help.always")]
            return "\n\n".join(part for part in parts if part)

        super().__init__("shell.help.title", body)
