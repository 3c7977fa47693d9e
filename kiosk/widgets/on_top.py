"""Going from screen to screen: only the one on top leads anywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

T = TypeVar("T")


class OnTop(Screen[T], Generic[T]):
    """A screen that leads elsewhere only while it is the one on top.

    Two keys pressed at once are answered one after the other, and the first may have led away by the
    time of the second. Textual then takes away, or covers, whatever is on top at that moment.
    """

    def scanned(self, text: str) -> bool:
        """A scanner typed this; nothing, when the end of it is missing.

        Answers whether that was dealt with; if not, it was only typed quickly.
        """
        return False

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Back to the screen below, with this result; nothing when this one is not on top."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    _leaves: Callable[[], AwaitComplete] | None = None

    def leave(self, result: T | None = None) -> None:
        """`dismiss` as soon as nothing stands over it: help, say, would be taken away instead."""
        self._leaves = partial(self.dismiss, result)
        self._leaves()

    def on_screen_resume(self) -> None:
        """Whatever stood over it is gone."""
        if self._leaves:
            self._leaves()

    def lead_to(self, screen: Screen[None]) -> None:
        """This screen over itself; nothing when it is not on top."""
        if self.is_active:
            self.app.push_screen(screen)

    def give_way_to(self, screen: Screen[None]) -> None:
        """This screen in its own place; what stands over it, such as help, goes with it."""
        if self not in self.app.screen_stack:
            return
        while not self.is_active:
            self.app.pop_screen()
        self.app.switch_screen(screen)
