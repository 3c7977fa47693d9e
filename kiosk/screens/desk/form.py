"""A form of a desk: a page of its own, where Enter goes on to the next entry and sends from the last.

Everything is checked before it is sent, and every entry that is wrong says so beside itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, ClassVar, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from domain.actors import Actor
from domain.errors import ClinicError, InputError, NotANumber
from domain.messages import new_command_id
from kiosk.i18n import Words
from kiosk.locations import STYLES
from kiosk.screens.base import Refused, StaffScreen
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.field import Entry, Field
from kiosk.widgets.pick import Options, Pick
from kiosk.widgets.say import Say

T = TypeVar("T")


class Complaint(InputError):
    """An entry that the form itself does not accept, and why in words."""

    code = "input-refused"

    def __init__(self, field: str, words: Words) -> None:
        super().__init__(field)
        self.words = words


class Entries:
    """Reads the entries of a form one by one, and remembers what is wrong with any of them."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.wrong: list[str] = []

    def read(self, field: str, parse: Callable[[str], T]) -> T:
        """What the field says. When it is wrong the answer is of no use, and the form is not sent."""
        try:
            return parse(self._form.entry(field).value)
        except InputError as refusal:
            error = refusal  # the name of an except clause ends with it
            said = error.words if isinstance(error, Complaint) else lambda t: t.error(error)
            self.refuse(field, said)
            return cast(T, None)

    def pick(self, field: str) -> Any:
        """The chosen answer, which must not be left open."""
        value = self._form.pick(field).value
        if value is None:
            self.refuse(field, "desk.pick_one")
        return value

    def refuse(self, field: str, words: Words) -> None:
        """This entry cannot be used."""
        self._form.complain(field, words)
        self.wrong.append(field)


class Form(StaffScreen):
    """A screen with entries: how one moves through them, and how they are read."""

    KEPT = "shell.later.kept"
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the inputs, which would scroll with them.
        Binding("up", "go(-1)", show=False, priority=True),
        Binding("down", "go(1)", show=False, priority=True),
    ]

    def send(self) -> None:
        """Read the entries, and send what they say when all are right."""
        raise NotImplementedError

    def took(self, stop: Widget | None) -> Widget | None:
        """Enter was pressed in this entry, which may fill others; answers the last one that is filled.

        None when something is wrong with it: the cursor stays there.
        """
        return stop

    # -- moving through it ------------------------------------------------------------------------

    def _stops(self) -> list[Widget]:
        return [widget for widget in self.focus_chain if isinstance(widget, Input | Options)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The arrows go from entry to entry; elsewhere they do what they do."""
        return action != "go" or self.focused in self._stops()

    def action_go(self, by: int) -> None:
        """The entry above or below."""
        stops = self._stops()
        if self.focused in stops:
            stops[(stops.index(self.focused) + by) % len(stops)].focus()

    @on(Input.Submitted)
    @on(Options.Submitted)
    def _entered(self) -> None:
        filled, stops = self.took(self.focused), self._stops()
        if filled is None:
            return
        if filled in stops[:-1]:
            stops[stops.index(filled) + 1].focus()
        else:
            self.action_submit()

    def action_submit(self) -> None:
        """Check everything, then send it."""
        if self.busy:
            return
        self.clear_errors()
        self.send()

    # -- entries ----------------------------------------------------------------------------------

    def entry(self, field: str) -> Field:
        """The field of this name."""
        return next(entry for entry in self.query(Field) if entry.field == field)

    def pick(self, field: str) -> Pick:
        """The choice of this name."""
        return next(pick for pick in self.query(Pick) if pick.field == field)

    def complain(self, field: str, words: Words) -> None:
        """Say what is wrong beside the entry."""
        for entry in self.query(Entry):
            if entry.field == field:
                entry.show_error(words)

    def read_all(self, read: Callable[[Entries], T]) -> T | None:
        """What the form says; None when something is wrong, and the first that is has the cursor."""
        entries = Entries(self)
        said = read(entries)
        if not entries.wrong:
            return said
        first = entries.wrong[0]
        for entry in self.query(Entry):
            if entry.field == first:
                entry.take_cursor()
        return None

    def refuse_beside(self, event: Refused, field: str, *errors: type[ClinicError]) -> bool:
        """Put a refusal that is about this entry beside it, although it names no field."""
        if not isinstance(event.error, errors):
            return False
        self.complain(field, lambda t: t.error(event.error))
        return True


class FormPage(Form):
    """One form. ``done`` is told in words, for the desk behind it, what was done."""

    BAR: ClassVar[str]
    HEADING: ClassVar[str]
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "staff.tcss", STYLES / "desk.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "desk.save")]

    def __init__(self, services: Services, actor: Actor, done: Callable[[Words], None]) -> None:
        super().__init__(services, actor)
        self.done = done
        self.wish = new_command_id()
        """Of this form as it was opened: sent twice, it is done once."""

    def compose(self) -> ComposeResult:
        """Heading, what it is about, the entries."""
        yield TopBar(self.BAR, lambda t: self.actor.name)
        with VerticalScroll(id="form", can_focus=False):
            yield Say(self.HEADING, id="heading")
            yield from self.about()
            yield from self.entries()
        yield KeyBar()

    def about(self) -> ComposeResult:
        """What to know before filling it in."""
        yield from ()

    def entries(self) -> ComposeResult:
        """The fields."""
        yield from ()

    def on_mount(self) -> None:
        """The first entry can be typed at once."""
        for entry in self.query(Entry):
            entry.take_cursor()
            break

    def finish(self, words: Words) -> None:
        """It is done: back to the desk, which says so."""
        self.done(words)
        self.leave()


def whole(text: str, field: str, least: int, most: int) -> int:
    """A whole number within bounds. Raises NotANumber."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and least <= int(digits) <= most):
        raise NotANumber(field, least=least, most=most)
    return int(digits)
