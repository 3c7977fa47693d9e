"""Register a vaccine: one of the presentations of the clinical rules, or a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message

from domain.actors import Actor
from domain.messages import new_command_id
from domain.presentation import Presentation
from domain.stock import Vaccine
from domain.vaccine import ListPresentations, RegisterVaccine
from kiosk.locations import STYLES
from kiosk.screens.base import StaffScreen
from kiosk.screens.desk.new_vaccine import NewVaccineScreen
from kiosk.screens.desk.presentation_facts import presentation_facts
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.desk_table import Column, DeskTable, Row, Toned
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.say import Say

NEW = "new"
COLUMNS = (
    Column("vaccine_admin.name"),
    Column("vaccine_admin.disease", 12),
    Column("vaccine_admin.doses_short", 6, right=True),
    Column("vaccine_admin.registered", 10),
)


class RegisterScreen(StaffScreen):
    """The presentations that the clinic knows, and a way to write down another."""

    HELP = "vaccine_admin.register_help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "staff.tcss", STYLES / "desk.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "new", "vaccine_admin.new")]

    @dataclass
    class Listed(Message):
        """The presentations of the clinical rules."""

        presentations: list[Presentation]

    def __init__(
        self, services: Services, actor: Actor, done: Callable[[Vaccine], None], registered: frozenset[str]
    ) -> None:
        super().__init__(services, actor)
        self._done, self._registered = done, registered
        self._presentations: list[Presentation] = list(services.formulary)

    def compose(self) -> ComposeResult:
        """A table, and the facts of the row under the cursor."""
        yield TopBar("vaccine_admin.register_bar", lambda t: self.actor.name)
        with Vertical(id="desk"):
            yield Say("vaccine_admin.register_heading", id="heading")
            yield PresentationTable(id="presentations")
            yield Facts(id="preview")
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask which presentations there are."""
        self.query_one(DeskTable).focus()
        self.run_query(ListPresentations(), self.Listed)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._presentations = event.presentations
        self.retranslate()

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        rows = [self._row(presentation) for presentation in self._presentations]
        rows.append(Row(NEW, (self.texts("vaccine_admin.new_row"), "", "", "")))
        self.query_one(DeskTable).show(COLUMNS, rows)
        self._preview()

    def _row(self, p: Presentation) -> Row:
        disease = self.texts(f"vaccine_admin.of.{p.disease.value}")
        state = Toned(self.texts("vaccine_admin.is_registered"), "good") if p.key in self._registered else ""
        return Row(p.key, (product(p, self.texts), disease, str(p.primary_doses), state))

    @on(DeskTable.RowHighlighted)
    def _preview(self) -> None:
        chosen = self._chosen
        facts = presentation_facts(chosen)[2:9] if chosen else [Fact("", "vaccine_admin.new_hint")]
        self.query_one("#preview", Facts).show(facts)

    @property
    def _chosen(self) -> Presentation | None:
        key = self.query_one(DeskTable).current
        return next((p for p in self._presentations if p.key == key), None)

    @on(DeskTable.RowSelected)
    def _open(self) -> None:
        chosen = self._chosen
        if chosen is None:
            self.action_new()
            return
        known = chosen.key in self._registered
        page = PresentationScreen(self.services, self.actor, self._registered_now, chosen, known)
        self.lead_to(page)

    def action_new(self) -> None:
        """One that is not in the list."""
        self.lead_to(NewVaccineScreen(self.services, self.actor, self._registered_now))

    def _registered_now(self, vaccine: Vaccine) -> None:
        self._done(vaccine)
        self.leave()  # nothing is left to choose


class PresentationTable(DeskTable):
    """Enter shows all facts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "vaccine_admin.facts")]


class PresentationScreen(StaffScreen):
    """All facts of a presentation, to be read before it is registered."""

    HELP = "vaccine_admin.facts_help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "staff.tcss", STYLES / "desk.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "register", "vaccine_admin.register_this")]

    @dataclass
    class Registered(Message):
        """The clinic gives it from now on."""

        vaccine: Vaccine

    def __init__(
        self,
        services: Services,
        actor: Actor,
        done: Callable[[Vaccine], None],
        presentation: Presentation,
        known: bool,
    ) -> None:
        super().__init__(services, actor)
        self._done, self._presentation, self._known = done, presentation, known
        self._wish = new_command_id()

    def compose(self) -> ComposeResult:
        """The warning stands above the figures it is about."""
        yield TopBar("vaccine_admin.register_bar", lambda t: self.actor.name)
        with VerticalScroll(id="form"):
            yield Say(lambda t: product(self._presentation, t), id="heading")
            yield Say("vaccine_admin.known_already" if self._known else "", classes="alarm")
            yield Say("vaccine_admin.sign_off", classes="alarm")
            yield Facts(presentation_facts(self._presentation))
        yield KeyBar()

    def on_mount(self) -> None:
        """The arrows scroll."""
        self.query_one(VerticalScroll).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is registered is not registered again."""
        return not (action == "register" and self._known)

    def action_register(self) -> None:
        """From now on the clinic gives it."""
        self.run_command(RegisterVaccine(self._presentation), self.Registered, self._wish)

    @on(Registered)
    def _registered(self, event: Registered) -> None:
        self._done(event.vaccine)
        self.leave()
