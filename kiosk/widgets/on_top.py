"""What stands on top: it alone leads anywhere, and only a key pressed after it could be read counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual.await_complete import AwaitComplete
from textual.screen import Screen

if TYPE_CHECKING:
    from kiosk.app import ClinicApp

T = TypeVar("T")

READING_SECONDS = 0.5
"""Keys pressed sooner after something appeared were pressed before anybody could have read it."""


class OnTop(Screen[T], Generic[T]):
    """A screen that leads elsewhere only while it is the one on top.

    Two keys pressed at once are answered one after the other, and the first may have led away by the
    time of the second. Textual then takes away, or covers, whatever is on top at that moment.
    """

    shown_at: float = 0.0
    """When what is to be read appeared, by the clock that keys are stamped with."""

    def let_read(self) -> None:
        """Something was shown that must not be answered by the second Enter of a double one."""
        self.shown_at = monotonic()

    @property
    def was_read(self) -> bool:
        """Whether what is shown could have been read when the last key was pressed.

        Not when the key is answered: a busy machine answers a hasty key late, which makes it no wiser.
        """
        return cast("ClinicApp", self.app).pressed_at - self.shown_at >= READING_SECONDS

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
        """It is on top, first or again: the key that led here, pressed twice, is not meant for this."""
        self.let_read()
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
