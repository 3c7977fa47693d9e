"""What every screen has: texts, questions and commands to the clinic, and news of changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from domain.actors import PUBLIC, Actor
from domain.errors import ClinicError, InputError
from domain.messages import Command, Query
from kiosk.i18n import Texts, Words
from kiosk.locations import STYLES
from kiosk.widgets.field import Field

if TYPE_CHECKING:
    from textual._path import CSSPathType

    from kiosk.app import ClinicApp
    from kiosk.services import Services

R = TypeVar("R")

CHANGE_PAUSE = 0.15
"""Seconds in which the news of several commits count as one."""


class Idle(Enum):
    """What happens on a screen that nobody touches."""

    NEVER = "never"
    PUBLIC = "public"
    STAFF = "staff"


def new_command_id() -> str:
    """Made once per confirmation: the same wish sent twice is done once."""
    return uuid.uuid4().hex


class Refused(Message):
    """The clinic refused; ``request`` is the command or query it refused."""

    def __init__(self, error: ClinicError, request: Command[Any] | Query[Any]) -> None:
        super().__init__()
        self.error = error
        self.request = request


class ClinicScreen(Screen[None]):
    """A screen of the kiosk. It asks and commands by workers; the answers come back as messages."""

    IDLE: ClassVar[Idle] = Idle.NEVER
    HELP: ClassVar[str] = ""
    """The key of the text that F1 shows above the list of keys."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "key.back")]

    services: Services
    actor: Actor = PUBLIC
    busy: bool = False
    """A command is on its way; further ones wait for its answer."""

    @property
    def kiosk(self) -> ClinicApp:
        """The app, by its own type."""
        return cast("ClinicApp", self.app)

    def t(self, key: str, **facts: object) -> str:
        """The text under this key, in the language of the moment."""
        return self.kiosk.texts(key, **facts)

    @property
    def texts(self) -> Texts:
        """The texts in the language of the moment."""
        return self.kiosk.texts

    def on_mount(self) -> None:
        """News of other people's changes come here."""
        self.kiosk.changed.subscribe(self, self._on_changed)

    def _on_changed(self, _: None) -> None:
        if self._change_due:
            return
        self._change_due = True
        self.set_timer(CHANGE_PAUSE, self._tell_change)

    _change_due: bool = False

    def _tell_change(self) -> None:
        self._change_due = False
        self.clinic_changed()

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
        self.run_worker(self._deliver(query, self.services.gateway.ask(query, self.actor), done))

    def run_command(
        self, command: Command[R], done: Callable[[R], Message], command_id: str | None = None
    ) -> None:
        """Do it, once: while one is on its way further ones are dropped; it is never cut short.

        Make ``command_id`` with `new_command_id` when the confirmation is shown, not when Enter comes.
        """
        if self.busy:
            return
        self.busy = True
        sent = self.services.gateway.send(command, self.actor, command_id or new_command_id())
        self.run_worker(self._deliver(command, self.kiosk.shielded(sent), done, writes=True))

    async def _deliver(
        self,
        request: Command[Any] | Query[Any],
        answer: Coroutine[Any, Any, R],
        done: Callable[[R], Message],
        writes: bool = False,
    ) -> None:
        try:
            message: Message = done(await answer)
        except ClinicError as refusal:
            message = Refused(refusal, request)
        if writes:
            self.busy = False
        self.post_message(message)

    # -- errors -----------------------------------------------------------------------------------

    @on(Refused)
    def _refused(self, event: Refused) -> None:
        self.refused(event)

    def refused(self, event: Refused) -> None:
        """Say why; screens with more to do about it override this."""
        self.show_error(event.error)

    def show_error(self, error: ClinicError) -> None:
        """Beside its field when there is one of that name, over the screen otherwise."""
        if isinstance(error, InputError):
            for field in self.query(Field):
                if field.field == error.field:
                    field.show_error(lambda t: t.error(error))
                    return
        self.show_message("shell.refused", lambda t: t.error(error), alarm=True)

    def clear_errors(self) -> None:
        """Before everything is checked again."""
        for field in self.query(Field):
            field.clear_error()

    def show_message(self, title: Words, body: Words = "", *, alarm: bool = False) -> None:
        """Something to read over the screen, until Enter."""
        from kiosk.widgets.modals import Message as MessageModal

        self.app.push_screen(MessageModal(title, body, alarm=alarm))

    def confirm(self, title: Words, body: Words, *, yes: Words, then: Callable[[], object]) -> None:
        """Ask before something that cannot be taken back; ``then`` runs on yes only."""
        from kiosk.widgets.modals import Confirm

        def answered(yes_chosen: bool | None) -> None:
            if yes_chosen:
                then()

        self.app.push_screen(Confirm(title, body, yes=yes), answered)


READING_SECONDS = 0.5
"""Keys that come sooner were pressed before anybody could have read what is asked."""


class PublicScreen(ClinicScreen):
    """A screen for visitors: large, one question at a time, emptied when nobody is there."""

    IDLE = Idle.PUBLIC
    CSS_PATH: ClassVar[CSSPathType | None] = STYLES / "public.tcss"

    def __init__(self, services: Services) -> None:
        super().__init__(classes="-public")
        self.services = services
        self.was_read = False
        """Whether what is shown stood there long enough to be read; Enter pressed twice is not reading."""

    def let_read(self) -> None:
        """Something was shown that must not be answered by the second Enter of a double one."""
        self.was_read = False
        self.set_timer(READING_SECONDS, self._has_read)

    def _has_read(self) -> None:
        self.was_read = True


class StaffScreen(ClinicScreen):
    """A desk: at home on 100 x 30, complete on 80 x 24, locked when nobody is there."""

    IDLE = Idle.STAFF
    CSS_PATH: ClassVar[CSSPathType | None] = STYLES / "staff.tcss"

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(classes="-staff")
        self.services = services
        self.actor = actor
