"""The parts behind the counter: how each is getting on, and the administrator's hand on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from domain.actors import Actor
from domain.messages import new_command_id
from domain.parts import ListParts, PartState, PausePart, ResumePart
from kiosk.i18n import Texts
from kiosk.locations import STYLES
from kiosk.screens.base import Refused
from kiosk.screens.desk.aside import AsideScreen
from kiosk.screens.desk.list_desk import ListDesk
from kiosk.screens.desk.part_words import (
    NARROW,
    PARTS,
    PARTS_NARROW,
    kiosk_facts,
    loop_of,
    part_facts,
    part_row,
)
from kiosk.services import Loop, Services
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.facts import Facts
from kiosk.widgets.say import Say

TICK_SECONDS = 2.0
"""A part that fails changes nothing in the records, so it has to be looked at."""


class PartTable(DeskTable):
    """Enter opens what the part has put aside."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "parts.look")]


class PartsScreen(ListDesk):
    """All parts above; below, the one under the cursor, and what this kiosk itself lets rest."""

    BAR = "parts.bar"
    HELP = "parts.help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        STYLES / "staff.tcss",
        STYLES / "desk.tcss",
        STYLES / "parts.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "pause", "parts.pause"),
        Binding("f3", "resume", "parts.resume"),
        # Before the table, all of which is always seen.
        Binding("pagedown", "scroll(1)", show=False, priority=True),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
    ]

    @dataclass
    class Listed(Message):
        """Every part as the records know it."""

        states: list[PartState]

    @dataclass
    class Paused(Message):
        """It takes nothing more."""

        answer: None = None

    @dataclass
    class Resumed(Message):
        """It goes on."""

        answer: None = None

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._states: list[PartState] = []

    def above(self) -> ComposeResult:
        """What the table is of, or why nobody knows."""
        yield Say("parts.heading", id="heading")

    def make_table(self) -> DeskTable:
        """The parts."""
        return PartTable()

    def below(self) -> ComposeResult:
        """More than a line has room for."""
        with VerticalScroll(id="more", can_focus=False):
            yield Say(lambda t: t(f"parts.of.{self._chosen.name}") if self._chosen else "", id="which")
            yield Facts(id="part")
            yield Say("parts.this_kiosk", id="this")
            yield Facts(id="kiosk")

    def on_mount(self) -> None:
        """From now on it is looked at again and again."""
        self.set_interval(TICK_SECONDS, self._look)

    def _look(self) -> None:
        if self.is_current:
            self.catch_up()

    def clinic_changed(self) -> None:
        """A commit may be work for a part."""
        self.run_query(ListParts(), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._states = event.states
        self.query_one("#heading", Say).say("parts.heading")
        self.retranslate()

    def refused(self, event: Refused) -> None:
        """Asked again every other second, so it is said where it stands in nobody's way."""
        if isinstance(event.request, ListParts):
            self.query_one("#heading", Say).say(lambda t: f"! {t.error(event.error)}")
            self._fill()
        else:
            super().refused(event)

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        self._fill()

    def on_resize(self) -> None:
        """A narrow terminal shows fewer columns."""
        self._fill()

    # -- what is shown ----------------------------------------------------------------------------

    @property
    def _chosen(self) -> PartState | None:
        return next((state for state in self._states if state.name == self.table.current), None)

    def _loop(self, state: PartState) -> Loop | None:
        return loop_of(self.services.parts.loops, state.name)

    def _fill(self) -> None:
        narrow = self.size.width < NARROW
        rows = [part_row(state, self._loop(state), self.texts, narrow) for state in self._states]
        self.show_rows(PARTS_NARROW if narrow else PARTS, rows)
        self._tell()

    @on(DeskTable.RowHighlighted)
    def _tell(self) -> None:
        state, gateway = self._chosen, self.services.gateway
        self.query_one("#which", Say).retranslate()
        self.query_one("#part", Facts).show(part_facts(state, self._loop(state)) if state else [])
        due = self.services.rotation_due()
        self.query_one("#kiosk", Facts).show(
            kiosk_facts(gateway.breakers.states(), self.services.queued(), due)
        )
        self.refresh_bindings()

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is paused can be resumed, what is not can be paused."""
        if action not in {"pause", "resume"} or not self.is_mounted:
            return True
        state = self._chosen
        return state is not None and state.paused == (action == "resume")

    def action_pause(self) -> None:
        """Ask first: people will notice."""
        if (state := self._chosen) is None:
            return
        name, wish = state.name, new_command_id()

        def body(texts: Texts) -> str:
            return f"{texts(f'parts.pause_means.{name}')} {texts('parts.pause_sure')}"

        self.confirm(
            lambda t: t("parts.pause_title", part=t(f"parts.of.{name}")), body,
            yes="parts.pause_yes", then=lambda: self.run_command(PausePart(name), self.Paused, wish),
        )  # fmt: skip

    def action_resume(self) -> None:
        """Nothing is lost by going on, so nobody is asked."""
        if state := self._chosen:
            self.run_command(ResumePart(state.name), self.Resumed, new_command_id())

    def action_scroll(self, pages: int) -> None:
        """What stands below, while the table keeps the keys."""
        more = self.query_one("#more", VerticalScroll)
        more.scroll_relative(y=pages * max(1, more.size.height - 1), animate=False)

    @on(Paused)
    def _paused(self) -> None:
        self.done("parts.paused_now")

    @on(Resumed)
    def _resumed(self) -> None:
        self.done("parts.resumed_now")

    @on(DeskTable.RowSelected)
    def _open(self) -> None:
        if state := self._chosen:
            self.lead_to(AsideScreen(self.services, self.actor, state.name))
