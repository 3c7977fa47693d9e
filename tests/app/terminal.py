"""A kiosk on a terminal that is no terminal: real clinic, real databases, keys pressed by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from kiosk.app import ClinicApp
from kiosk.bootstrap import open_clinic
from kiosk.screens.base import READING_SECONDS, ClinicScreen
from kiosk.services import Services
from kiosk.settings import Settings
from tests.clinics import TestClock

PATIENCE_SECONDS = 45.0


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
    return isinstance(screen, ClinicScreen) and monotonic() - screen.shown_at >= READING_SECONDS


async def press_at_once(pilot: Pilot[int], *keys: str) -> None:
    """Keys pressed faster than any of them can be answered, however slow the machine is."""
    for key in keys:
        pilot.app.post_message(events.Key(key, None))
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
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, lambda: app.services is not None, "the clinic opens")
        yield app, pilot
    assert app.crashes == []
