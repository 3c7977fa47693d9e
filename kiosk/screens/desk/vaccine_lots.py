"""One vaccine's lots: take doses in, write them off, stop a lot, look into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from domain.actors import Actor
from domain.stock import Lot
from domain.vaccine import ListLots, ListVaccines, VaccineLevel
from kiosk.i18n import Words
from kiosk.locations import STYLES
from kiosk.screens.base import StaffScreen
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.ledger import LedgerScreen
from kiosk.screens.desk.lots import COLUMNS, lot_rows
from kiosk.screens.desk.take_out import QuarantineScreen, WriteOffScreen
from kiosk.screens.desk.words import product
from kiosk.services import Services
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.desk_table import DeskTable
from kiosk.widgets.say import Say


class VaccineLotsScreen(StaffScreen):
    """The lots, first to expire first, and what can be done with the one under the cursor."""

    HELP = "vaccine_admin.lots_help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "staff.tcss", STYLES / "desk.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "add_stock", "vaccine_admin.add_stock"),
        Binding("f5", "write_off", "vaccine_admin.write_off"),
        Binding("f6", "quarantine", "vaccine_admin.quarantine"),
        Binding("f4", "ledger", "vaccine_admin.ledger"),
    ]

    @dataclass
    class Listed(Message):
        """The lots."""

        lots: list[Lot]

    @dataclass
    class Counted(Message):
        """Every vaccine with its counters; ours is among them."""

        levels: list[VaccineLevel]

    def __init__(self, services: Services, actor: Actor, level: VaccineLevel) -> None:
        super().__init__(services, actor)
        self._level = level
        self._lots: list[Lot] = []

    def compose(self) -> ComposeResult:
        """Counters above the table."""
        yield TopBar("vaccine_admin.lots_bar", lambda t: self.actor.name)
        yield Say(id="notice")
        with Vertical(id="desk"):
            yield Say(lambda t: product(self._level.vaccine.presentation, t), id="heading")
            yield Say(self._counters, id="counters")
            yield Say(id="no-lots")
            yield DeskTable(id="lots")
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask for the lots."""
        self.query_one(DeskTable).focus()
        self.clinic_changed()

    def clinic_changed(self) -> None:
        """Every dose given changes a lot."""
        self.run_query(ListLots(self._level.vaccine.code), self.Listed)
        self.run_query(ListVaccines(), self.Counted)

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        rows = lot_rows(self._lots, self.services.clinic, self.services.clock.now(), self.texts)
        table = self.query_one(DeskTable)
        table.show(COLUMNS, rows)
        table.display = bool(rows)
        if rows and self.focused is None:  # a table without rows is hidden, and loses the focus
            table.focus()
        self.query_one("#no-lots", Say).say("" if rows else "vaccine_admin.no_lots")

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._lots = event.lots
        self.retranslate()

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        for level in event.levels:
            if level.vaccine.code == self._level.vaccine.code:
                self._level = level
        self.query_one("#counters", Say).retranslate()

    def _counters(self, texts: object) -> str:
        vaccine = self._level.vaccine
        return self.t(
            "vaccine_admin.counters", stock=vaccine.stock, reserved=vaccine.reserved,
            available=vaccine.available, waiting=self._level.waiting,
        )  # fmt: skip

    def _done(self, words: Words) -> None:
        self.query_one("#notice", Say).say(words)
        self.clinic_changed()

    @property
    def _chosen(self) -> Lot | None:
        number = self.query_one(DeskTable).current
        return next((lot for lot in self._lots if lot.number == number), None)

    def action_add_stock(self) -> None:
        """A delivery."""
        self.app.push_screen(AddStockScreen(self.services, self.actor, self._done, self._level.vaccine))

    def action_write_off(self) -> None:
        """Doses of the lot under the cursor are lost."""
        if lot := self._chosen:
            form = WriteOffScreen(self.services, self.actor, self._done, self._level, lot)
            self.app.push_screen(form)

    def action_quarantine(self) -> None:
        """Nothing of the lot under the cursor may be used."""
        if lot := self._chosen:
            form = QuarantineScreen(self.services, self.actor, self._done, self._level, lot)
            self.app.push_screen(form)

    def action_ledger(self) -> None:
        """Every dose of this vaccine."""
        self.app.push_screen(LedgerScreen(self.services, self.actor, self._level.vaccine))
