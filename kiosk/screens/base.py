"""What every screen has: texts, questions and commands to the clinic, and news of changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from domain.actors import PUBLIC, Actor
from domain.errors import ClinicBusy, ClinicError, InputError, OutcomeUnknown, Resting
from domain.messages import Command, Query
from kiosk.i18n import Texts, Words, put_in_words
from kiosk.locations import STYLES
from kiosk.scanner import Scan
from kiosk.widgets.field import Entry
from kiosk.widgets.on_top import OnTop

if TYPE_CHECKING:
    from textual._path import CSSPathType

    from kiosk.app import ClinicApp
    from kiosk.services import Services
    from kiosk.widgets.patience import Wait

R = TypeVar("R")

CHANGE_PAUSE = 0.15
"""Seconds in which the news of several commits count as one."""
NOTICE_SECONDS = 0.6
"""Seconds after which somebody who waits for an answer is told that it takes a while."""
ANSWER_SECONDS = 10
"""How long an answer other than paper takes at most, as a rule."""
LATER = (ClinicBusy, Resting)
"""Turned away for a while, with the seconds after which to come back."""

__all__ = ["ClinicScreen", "Idle", "PublicScreen", "Refused", "StaffScreen", "seconds_of"]


class Idle(Enum):
    """What happens on a screen that nobody touches."""

    NEVER = "never"
    PUBLIC = "public"
    STAFF = "staff"


class Refused(Message):
    """The clinic refused; ``request`` is the command or query it refused.

    When it makes sense to ask for the very same ``again``, that does it, and does nothing twice.
    """

    def __init__(
        self,
        error: ClinicError,
        request: Command[Any] | Query[Any],
        again: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self.error = error
        self.request = request
        self.again = again


class ClinicScreen(OnTop[None]):
    """A screen of the kiosk. It asks and commands by workers; the answers come back as messages."""

    IDLE: ClassVar[Idle] = Idle.NEVER
    HELP: ClassVar[str] = ""
    """The key of the text that F1 shows above the list of keys."""
    CHANGE_PAUSE: ClassVar[float] = CHANGE_PAUSE
    KEPT: ClassVar[str] = ""
    """The key of the text that says what is kept of what was typed here."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "key.back")]

    services: Services
    actor: Actor = PUBLIC
    busy: bool = False
    """A command is on its way; further ones wait for its answer."""

    @property
    def kiosk(self) -> ClinicApp:
        """The app, by its own type."""
        return cast("ClinicApp", self.app)

    @property
    def texts(self) -> Texts:
        """The texts in the language of the moment."""
        return self.kiosk.texts

    @property
    def today(self) -> date:
        """The day it is at the clinic."""
        return self.services.clinic.today(self.services.clock.now())

    def on_mount(self) -> None:
        """News of other people's changes come here."""
        self.kiosk.changed.subscribe(self, self._on_changed)
        self.screen_layout_refresh_signal.subscribe(self, lambda _: self._keep_in_view())

    def _keep_in_view(self) -> None:
        """What has the focus is seen, also when what was told meanwhile has pushed it over the edge."""
        if (focused := self.focused) is None or not focused.region:
            return
        scrolled = sum(widget.scroll_offset.y for widget in focused.ancestors if isinstance(widget, Widget))
        place = (focused, focused.region.y + scrolled, focused.size, self.size)
        if place != self._focused_at:  # whoever scrolls away from it is let look elsewhere
            self._focused_at = place
            focused.scroll_visible(animate=False)

    _focused_at: tuple[Widget, int, Size, Size] | None = None

    def _on_changed(self, _: None) -> None:
        if self._change_due:
            return
        self._change_due = True
        self.set_timer(self.CHANGE_PAUSE, self.catch_up)

    _change_due: bool = False
    _catching_up: bool = False

    def catch_up(self) -> None:
        """Ask again for what is shown. Nobody waits for it: what is turned away is asked for later."""
        self._change_due, self._catching_up = False, True
        try:
            self.clinic_changed()
        finally:
            self._catching_up = False

    # -- hooks ------------------------------------------------------------------------------------

    def clinic_changed(self) -> None:
        """Somebody committed something: ask again for what is shown."""

    def retranslate(self) -> None:
        """The language changed; `Say`, `Field` and `ChoiceList` follow by themselves, tables do here."""

    def action_back(self) -> None:
        """One screen back."""
        self.dismiss(None)

    # -- the clinic -------------------------------------------------------------------------------

    def run_query(self, query: Query[R], done: Callable[[R], Message]) -> None:
        """Ask; the answer arrives as the message that ``done`` makes of it, a refusal as `Refused`."""

        async def ask() -> Message:
            return done(await self.services.gateway.ask(query, self.actor))

        self.run_queries(query, ask)

    def run_queries(self, query: Query[Any], ask: Callable[[], Awaitable[Message]]) -> None:
        """Ask several that belong together; ``query`` stands for all of them when one is refused."""
        self.run_worker(self._deliver_answer(query, ask, quietly=self._catching_up))

    async def _deliver_answer(
        self, query: Query[Any], ask: Callable[[], Awaitable[Message]], quietly: bool
    ) -> None:
        try:
            message = await ask()
        except LATER as refusal:
            if quietly:
                self.set_timer(seconds_of(refusal), self.catch_up)
                return
            message = Refused(refusal, query, partial(self.run_queries, query, ask))
        except ClinicError as refusal:
            message = Refused(refusal, query)
        self.post_message(message)

    def run_command(
        self,
        command: Command[R],
        done: Callable[[R], Message],
        command_id: str | None = None,
        *,
        paper: bool = False,
    ) -> None:
        """Do it, once: while one is on its way further ones are dropped; it is never cut short.

        Make ``command_id`` with `new_command_id` when the confirmation is shown, not when Enter comes;
        leave it out for what is to be done again when it is asked for again, such as a print.
        ``paper`` comes out of it, which takes longer.
        """
        self.run_commands([command], lambda answers: done(answers[0]), command_id, paper=paper)

    def run_commands(
        self,
        commands: Sequence[Command[R]],
        done: Callable[[list[R]], Message],
        command_id: str | None = None,
        *,
        paper: bool = False,
    ) -> None:
        """One after the other, to the last of them, for a single long one would hold everybody up."""
        if not self.busy:
            self.busy = True
            self.run_worker(self._deliver_result(commands, done, command_id, paper))

    async def _deliver_result(
        self,
        commands: Sequence[Command[R]],
        done: Callable[[list[R]], Message],
        command_id: str | None,
        paper: bool,
    ) -> None:
        again = partial(self.run_commands, commands, done, command_id, paper=paper)
        notice = self.set_timer(NOTICE_SECONDS, partial(self._let_wait, paper))
        try:
            message: Message = done(await self.kiosk.shielded(self._send(commands, command_id)))
        except LATER as refusal:
            message = Refused(refusal, commands[0], again)
        except OutcomeUnknown as refusal:
            message = Refused(refusal, commands[0], again if command_id else None)
        except ClinicError as refusal:
            message = Refused(refusal, commands[0])
        finally:
            notice.stop()
        self.busy = False
        if self._wait:
            self._wait.leave()
            self._wait = None
        self.post_message(message)

    async def _send(self, commands: Sequence[Command[R]], command_id: str | None) -> list[R]:
        gateway, actor, wishes = self.services.gateway, self.actor, self.kiosk.wishes
        if command_id is None:
            return [await gateway.send(command, actor) for command in commands]
        ids = [f"{command_id}-{number}" if number else command_id for number in range(len(commands))]
        return [
            await wishes.send(gateway, command, actor, wish)
            for command, wish in zip(commands, ids, strict=True)
        ]

    _wait: Wait | None = None

    def _let_wait(self, paper: bool) -> None:
        """It takes a while: say so, and what is being done."""
        from kiosk.widgets.patience import Wait

        if not (self.busy and self.is_active):
            return
        settings = self.kiosk.settings
        kind = ("printing" if settings.printer else "making") if paper else "working"
        seconds = settings.print_deadline_seconds if paper else ANSWER_SECONDS
        self._wait = Wait(f"shell.wait.{kind}", f"shell.wait.{kind}_body", seconds)
        self.app.push_screen(self._wait)

    # -- errors -----------------------------------------------------------------------------------

    @on(Refused)
    def _refused(self, event: Refused) -> None:
        self.refused(event)

    def refused(self, event: Refused) -> None:
        """Say why; screens with more to do about it override this."""
        if event.again:
            self._come_back(event.error, event.again, by_itself=isinstance(event.request, Query))
        else:
            self.show_error(event.error)

    def _come_back(self, error: ClinicError, again: Callable[[], object], by_itself: bool) -> None:
        """Nothing is wrong with what was asked: say what was kept, and let it be asked again."""
        from kiosk.widgets.patience import ComeBack

        def body(texts: Texts) -> str:
            if isinstance(error, OutcomeUnknown):
                return texts("shell.later.unsure")
            return f"{texts.error(error)} {put_in_words(self.KEPT, texts)}".strip()

        def answered(once_more: bool | None) -> None:
            if once_more:
                again()

        title = "shell.later.check" if isinstance(error, OutcomeUnknown) else "shell.later.title"
        modal = ComeBack(title, body, seconds_of(error), by_itself=by_itself)
        self.app.push_screen(modal, answered)

    def show_error(self, error: ClinicError) -> None:
        """Beside its entry when there is one of that name, over the screen otherwise."""
        if isinstance(error, InputError):
            for entry in self.query(Entry):
                if entry.field == error.field:
                    entry.show_error(lambda t: t.error(error))
                    return
        self.show_message("shell.refused", lambda t: t.error(error), alarm=True)

    def clear_errors(self) -> None:
        """Before everything is checked again."""
        for entry in self.query(Entry):
            entry.clear_error()

    def show_message(self, title: Words, body: Words = "", *, alarm: bool = False) -> None:
        """Something to read over the screen, until Enter."""
        from kiosk.widgets.modals import Message as MessageModal

        self.app.push_screen(MessageModal(title, body, alarm=alarm))

    def show_once(self, title: Words, body: Words) -> None:
        """Something that is never shown again, until somebody says that it is written down."""
        from kiosk.widgets.modals import ShownOnce

        self.app.push_screen(ShownOnce(title, body))

    def confirm(
        self, title: Words, body: Words, *, yes: Words, then: Callable[[], object], harmless: bool = False
    ) -> None:
        """Ask before something that cannot be taken back, or is ``harmless``; ``then`` runs on yes only."""
        from kiosk.widgets.modals import Confirm

        def answered(yes_chosen: bool | None) -> None:
            if yes_chosen:
                then()

        if self.is_active:  # asked once, however often the key was pressed
            self.app.push_screen(Confirm(title, body, yes=yes, harmless=harmless), answered)


def seconds_of(error: ClinicError) -> int:
    """After how many seconds to come back, as the refusal itself says."""
    return int(str(error.facts.get("seconds", 1)))


class PublicScreen(ClinicScreen):
    """A screen for visitors: large, one question at a time, emptied when nobody is there."""

    IDLE = Idle.PUBLIC
    CSS_PATH: ClassVar[CSSPathType | None] = STYLES / "public.tcss"

    def __init__(self, services: Services) -> None:
        super().__init__(classes="-public")
        self.services = services


class StaffScreen(ClinicScreen):
    """A desk: at home on 100 x 30, complete on 80 x 24, locked when nobody is there."""

    IDLE = Idle.STAFF
    CSS_PATH: ClassVar[CSSPathType | None] = STYLES / "staff.tcss"

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(classes="-staff")
        self.services = services
        self.actor = actor

    def scanned(self, text: str) -> bool:
        """It goes where it belongs, whatever has the focus; or it is refused in words and does nothing."""
        if not text:
            self.refuse_scan("desk.scan.cut_short")
            return True
        return self.take_scan(Scan.read(text, self.today))

    def take_scan(self, scan: Scan) -> bool:
        """See `scanned`; what is neither a box nor a ticket may have been typed, where one types."""
        from kiosk.widgets.scan_field import ScanField

        for field in self.query(ScanField):
            if field.wants(scan):
                field.take(scan)
                return True
        if isinstance(self.focused, Input) and not (scan.box or scan.code):
            return False
        self.refuse_scan(f"desk.scan.{'box' if scan.box else 'ticket' if scan.code else 'other'}")
        return True

    def refuse_scan(self, words: Words) -> None:
        """Say where it belongs."""
        self.answer_scan("desk.scan.refused", words, alarm=True)

    def answer_scan(self, title: Words, body: Words, *, alarm: bool = False) -> None:
        """Something to read over the screen, until Enter or the next scan."""
        from kiosk.widgets.modals import ScanAnswer

        self.app.push_screen(ScanAnswer(title, body, alarm=alarm))
