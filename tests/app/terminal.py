"""A kiosk on a terminal that is no terminal: real clinic, real databases, keys pressed by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import cast

from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from kiosk.app import ClinicApp
from kiosk.bootstrap import open_clinic
from kiosk.screens.question import QuestionScreen
from kiosk.services import Services
from kiosk.settings import Settings
from kiosk.widgets.modals import Message
from kiosk.widgets.on_top import READING_SECONDS, OnTop
from tests.clinics import TestClock

PATIENCE_SECONDS = 45.0


class Hands(Pilot[int]):
    """Presses keys as people do who mean it: the same one again only when what it led to was read.

    And no two of them as quickly as a scanner.
    """

    _last = ""

    @property
    def app(self) -> ClinicApp:
        """By its own type."""
        return cast("ClinicApp", super().app)

    async def press(self, *keys: str) -> None:
        """As Textual's own."""
        for key in keys:
            if key == self._last and key in {"enter", *"123456789"}:
                await question_was_read(self)
            if key in {"enter", "escape", "space"}:
                await message_was_read(self)
            self._last = key
            await super().press(key)
            await wait_for(self, lambda: not self.app.sieve.holds, "the key is let go of")


async def wait_for(pilot: Pilot[int], condition: Callable[[], object], what: str = "") -> None:
    """Until the condition holds; fails with what is on screen when it does not come true."""
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if condition():
                await pilot.pause()
                return
        except (LookupError, AttributeError):
            pass
        if monotonic() > deadline:
            raise AssertionError(f"did not come true: {what}\n{screen_text(pilot.app)}")
        await asyncio.sleep(0.01)


def readable(screen: object) -> bool:
    """Whether what this screen shows stood there long enough for the next key to be meant."""
    return isinstance(screen, OnTop) and monotonic() - screen.shown_at >= READING_SECONDS


async def question_was_read(pilot: Pilot[int]) -> None:
    """Until the question, if it is one, stood there long enough."""
    await wait_for(
        pilot, lambda: not isinstance(pilot.app.screen, QuestionScreen) or readable(pilot.app.screen)
    )


async def message_was_read(pilot: Pilot[int]) -> None:
    """Until the message, if one stands over the screen, stood there long enough."""
    await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Message) or readable(pilot.app.screen))


async def press_at_once(pilot: Pilot[int], *keys: str) -> None:
    """Keys pressed faster than any of them can be answered, however slow the machine is."""
    await question_was_read(pilot)
    await message_was_read(pilot)
    for key in keys:
        pilot.app.post_message(events.Key(key, None))
    await pilot.pause()


async def press_soon(pilot: Pilot[int], key: str, seconds: float) -> None:
    """A key pressed so long after what is to be read appeared, however late it is answered."""
    assert isinstance(pilot.app.screen, OnTop)
    pressed = events.Key(key, key if len(key) == 1 else None)
    pressed.time = pilot.app.screen.shown_at + seconds
    pilot.app.post_message(pressed)
    await pilot.pause()


async def see(pilot: Pilot[int], *words: str) -> None:
    """Until all these words are on screen, wherever the lines break."""

    def seen() -> bool:
        text = " ".join(screen_text(pilot.app).split())
        return all(" ".join(word.split()) in text for word in words)

    await wait_for(pilot, seen, " + ".join(words))


def screen_text(app: object) -> str:
    """What is drawn, line by line."""
    assert isinstance(app, ClinicApp)
    screen = app.screen
    strips = screen._compositor.render_strips(Size(*app.size))
    return "\n".join(strip.text.rstrip() for strip in strips)


async def type_text(pilot: Pilot[int], text: str) -> None:
    """Paste it into what has the focus, as a scanner or an input method does."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


@asynccontextmanager
async def run_kiosk(
    settings: Settings, clock: TestClock, size: tuple[int, int]
) -> AsyncIterator[tuple[ClinicApp, Pilot[int]]]:
    """The kiosk with its clinic open; at the end nothing may have broken."""

    async def opener() -> Services:
        services = await open_clinic(settings, clock)
        services.gateway.breakers.my_page.limit = None  # a busy machine is not what this is about
        return services

    app = ClinicApp(opener, settings)
    async with app.run_test(size=size):
        pilot = Hands(app)
        await wait_for(pilot, lambda: app.services is not None, "the clinic opens")
        yield app, pilot
    assert app.crashes == []
