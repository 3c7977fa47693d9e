"""The terminal app: it paints home at once, opens the clinic behind it, and never stops for a visitor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import PurePath
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.signal import Signal
from textual.widgets import Input

from domain.errors import ClinicError
from kiosk import crash, supervision
from kiosk.i18n import LANGUAGES, Texts
from kiosk.idle import STAFF_SECONDS, IdleClock
from kiosk.locations import STYLES
from kiosk.logs import open_log
from kiosk.places import PLACES, load_screen
from kiosk.scanner import Press, Sieve
from kiosk.screens.base import ClinicScreen, Idle
from kiosk.screens.home import HomeScreen
from kiosk.screens.sending import Wishes
from kiosk.settings import Settings
from kiosk.themes import CLINIC, HIGH_CONTRAST, THEMES
from kiosk.widgets.on_top import OnTop
from kiosk.widgets.say import Translated

if TYPE_CHECKING:
    from kiosk.services import Services

R = TypeVar("R")

log = logging.getLogger("kiosk")

BROKEN = 70
"""The exit code when it breaks again and again (EX_SOFTWARE)."""
MOST_CRASHES, CRASH_SECONDS = 5, 10.0


class ClinicApp(App[int], inherit_bindings=False):
    """One terminal of the clinic. Above Textual's own empty screen stands home, above home the visit."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "shell.tcss", STYLES / "home.tcss"]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-medium"), (96, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-normal"), (28, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "key.help"),
        Binding("f9", "language", "key.language"),
        Binding("f10", "contrast", "key.contrast"),
        Binding("ctrl+q,ctrl+c,ctrl+z", "nothing", show=False, priority=True),
    ]

    class Opened(Message):
        """The clinic is open."""

        def __init__(self, services: Services) -> None:
            super().__init__()
            self.services = services

    class OpeningFailed(Message):
        """The clinic could not be opened."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self, open_clinic: Callable[[], Awaitable[Services]], settings: Settings) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = CLINIC
        self.open_clinic = open_clinic
        self.settings = settings
        self.texts = Texts(settings.language)
        self.services: Services | None = None
        self.home: HomeScreen
        self.idle = IdleClock()
        self.pressed_at = 0.0
        """When the last key was pressed or the last click made, in `time.monotonic` seconds."""
        self.pressed_again = False
        """Whether that was the same key as the one before it."""
        self._pressed = ""
        self.sieve = Sieve(self._pass_on, self._scanned, self._cut_short, self.set_timer)
        self.wishes = Wishes()
        self.changed: Signal[None] = Signal(self, "clinic-changed")
        self.crashes: list[str] = []
        """What broke so far, redacted."""
        self._crash_times: list[float] = []
        self._writes: set[asyncio.Task[Any]] = set()
        self._wanted = ""
        self._first_pin_shown = False
        self._starting = True

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The stylesheets' own colours exist under every theme."""
        return dict(THEMES[0].variables)

    # -- opening and closing ----------------------------------------------------------------------

    def on_mount(self) -> None:
        """Home first; everything slow begins after the first paint."""
        self.home = HomeScreen(self.settings.clinic)
        self.push_screen(self.home)
        if not self.is_headless:
            from kiosk.lockdown import lock_down

            lock_down(self.leave)
        self.set_interval(0.25, self._watch_idle)
        self.run_worker(supervision.keep_alive(lambda: self.call_later(self._give_sign)))
        self.call_after_refresh(self._begin_opening)

    def _give_sign(self) -> None:
        """In line with the keys: an app that does not get to them does not get to this either."""
        supervision.give_sign(self._starting)

    def _started(self, status: str) -> None:
        """People see the clinic, or why there is none."""
        self._starting = False
        supervision.tell(f"READY=1\nSTATUS={status}")

    def _begin_opening(self) -> None:
        self.run_worker(self._open())

    async def _open(self) -> None:
        try:
            services = await self.open_clinic()
        except Exception as error:  # noqa: BLE001 - whatever it is, people see words and not a traceback
            self.post_message(self.OpeningFailed(error))
        else:
            if not self.post_message(self.Opened(services)):
                await services.close()  # the kiosk was left while it opened

    def on_clinic_app_opened(self, event: Opened) -> None:
        """Hand the open clinic over, and go where somebody wanted to go meanwhile."""
        self.services = event.services
        log.info("the clinic is open")
        event.services.on_change(self._clinic_changed)
        if event.services.first_pin and not self._first_pin_shown:
            self._first_pin_shown = True
            self.push_screen(load_screen("kiosk.screens.welcome:WelcomeScreen")(event.services.first_pin))
        elif self._wanted:
            self.enter(self._wanted)
        self.home.opened()
        self._started("the clinic is open")

    def _clinic_changed(self) -> None:
        """After anybody's commit; told inside the app, where screens may act on it."""
        self.call_later(self.changed.publish, None)

    def on_clinic_app_opening_failed(self, event: OpeningFailed) -> None:
        """Say what happened and whom to call; the log has the place."""
        crash.record("the clinic could not be opened", event.error)
        refusal = event.error if isinstance(event.error, ClinicError) else None
        self.push_screen(load_screen("kiosk.screens.trouble:OpeningFailedScreen")(refusal))
        self._started("the clinic could not be opened")

    def try_opening_again(self) -> None:
        """After the administrator has put it right."""
        self._begin_opening()

    def leave(self, code: int) -> None:
        """Finish what was begun, close the clinic, restore the terminal, and end with this code."""
        self.exit(code, return_code=code)

    async def on_unmount(self) -> None:
        """However the app ends, writes are finished first and the databases let go after them."""
        supervision.tell("STOPPING=1")
        await self.drain()

    async def drain(self) -> None:
        """Wait for the writes that are on their way, then close the clinic."""
        while self._writes:
            await asyncio.gather(*self._writes, return_exceptions=True)
        services, self.services = self.services, None
        if services is not None:
            await services.close()

    async def shielded(self, write: Coroutine[Any, Any, R]) -> R:
        """Await a write that goes on to its end even when the screen that began it is gone."""
        task = asyncio.ensure_future(write)
        self._writes.add(task)
        task.add_done_callback(self._write_ended)
        return await asyncio.shield(task)

    def _write_ended(self, task: asyncio.Task[Any]) -> None:
        self._writes.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, ClinicError):
            crash.record("a write failed", error)

    # -- going places -----------------------------------------------------------------------------

    def enter(self, place: str) -> None:
        """Go to a place of `PLACES`, as soon as the clinic is open."""
        if self.services is None:
            self._wanted = place
            self.home.waiting()
            return
        self._wanted = ""
        self.home.lead_to(load_screen(PLACES[place])(self.services))

    async def go_home(self) -> None:
        """End the visit: drop every screen with what was typed, and everything else a visitor left."""
        self._wanted = ""
        self._clipboard = ""
        self.sieve.forget()
        self.wishes.forget()
        self.clear_notifications()
        with self.batch_update():
            while len(self.screen_stack) > 1:
                await self.pop_screen()
            self.home = HomeScreen(self.settings.clinic)
            await self.push_screen(self.home)
        self.theme = CLINIC
        if self.texts.language != self.settings.language:
            self.speak(self.settings.language)
        self.idle.touch()

    def end_visit(self) -> None:
        """`go_home`, for screens: they cannot await their own removal."""
        self.call_later(self.go_home)

    def copy_to_clipboard(self, text: str) -> None:
        """Nothing is copied here: the next visitor could paste it."""

    # -- nobody there -----------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Any key, click or paste says that somebody is there."""
        if isinstance(event, events.Key | events.MouseEvent | events.Paste):
            self.idle.touch()
        if isinstance(event, Press) and not event.is_forwarded and Idle.STAFF in self._kinds:
            await self.sieve.press(event)
        else:
            await self._pass_on(event)

    async def _pass_on(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseUp | events.Paste) and not event.is_forwarded:
            self._note_press(event)
        await super().on_event(event)

    def _scanned(self, text: str) -> bool:
        """At a desk: the screen on top knows where it belongs."""
        return isinstance(self.screen, OnTop) and self.screen.scanned(text)

    def _cut_short(self) -> bool:
        """The beginning of a scan, or one without an end: nothing is done with it, but where one types."""
        return not isinstance(self.focused, Input) and self._scanned("")

    def _note_press(self, event: events.Key | events.MouseUp | events.Paste) -> None:
        pressed = event.key if isinstance(event, events.Key) else type(event).__name__
        self.pressed_again = pressed == self._pressed
        self.pressed_at, self._pressed = event.time, pressed

    @property
    def _kinds(self) -> set[Idle]:
        """Those of the screens that stand over each other."""
        return {screen.IDLE for screen in self.screen_stack if isinstance(screen, ClinicScreen)}

    @property
    def idle_limit(self) -> float | None:
        """Seconds after which this visit ends; None where nothing can be left behind."""
        kinds = self._kinds
        if Idle.STAFF in kinds:
            return STAFF_SECONDS
        if Idle.PUBLIC in kinds:
            return self.settings.idle_seconds
        changed = self.texts.language != self.settings.language or self.theme != CLINIC
        at_home = self.screen_stack[-1:] == [self.home]  # while the kiosk closes there is no screen any more
        return self.settings.idle_seconds if at_home and changed else None

    async def _watch_idle(self) -> None:
        limit = self.idle_limit
        if limit is None:
            return
        left = self.idle.left(limit)
        if left <= 0:
            await self.go_home()
        elif left <= self.idle.announced(limit) and not isinstance(self.screen, HomeScreen):
            self._announce(left)

    def _announce(self, left: float) -> None:
        from kiosk.screens.still_there import StillThere

        if isinstance(self.screen, StillThere):
            self.screen.count(left)
        else:
            self.push_screen(StillThere(left))

    # -- keys of every screen ---------------------------------------------------------------------

    def action_nothing(self) -> None:
        """Keys that end programs elsewhere do nothing here."""

    def action_help(self) -> None:
        """The keys of this screen and how it works, in words."""
        from kiosk.screens.help import HelpModal

        if not isinstance(self.screen, HelpModal):
            self.push_screen(HelpModal(self.screen))

    def action_language(self) -> None:
        """The other language, at once and keeping what was typed."""
        at = LANGUAGES.index(self.texts.language)
        self.speak(LANGUAGES[(at + 1) % len(LANGUAGES)])

    def speak(self, language: str) -> None:
        """Say everything that is on the screens in this language from now on."""
        self.texts = Texts(language)
        for screen in self.screen_stack:
            for widget in [screen, *screen.walk_children()]:
                if isinstance(widget, Translated):
                    widget.retranslate()

    def action_contrast(self) -> None:
        """The other set of colours."""
        self.theme = CLINIC if self.theme == HIGH_CONTRAST else HIGH_CONTRAST

    # -- when something breaks --------------------------------------------------------------------

    async def _dispatch_message(self, message: Message) -> None:
        """The app outlives what breaks in its own handlers and in the actions of keys."""
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # noqa: BLE001
            self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        """Write the place down, drop the visit and go on from home; give up when it keeps breaking."""
        crash.record("a screen broke", error)
        self.crashes.append(crash.describe(error))
        self._crash_times = [t for t in self._crash_times if t > monotonic() - CRASH_SECONDS] + [monotonic()]
        if len(self._crash_times) >= MOST_CRASHES or not self.is_running:
            self._return_code = BROKEN
            self._close_messages_no_wait()
            return
        self.call_later(self._recover)

    async def _recover(self) -> None:
        from kiosk.screens.trouble import SomethingBrokeScreen

        await self.go_home()
        if self.services is not None:
            self.home.opened()
        await self.push_screen(SomethingBrokeScreen())


def run_kiosk(open_clinic: Callable[[], Awaitable[Services]], settings: Settings) -> int:
    """Run the kiosk on this terminal until staff leave it or a signal ends it; answers the exit code."""
    with open_log(settings, "kiosk", has_screen=True):
        app = ClinicApp(open_clinic, settings)
        app.run()
        log.info("leaves with %s", app.return_code)
    return app.return_code or 0
