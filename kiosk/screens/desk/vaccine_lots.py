"""One vaccine's lots: take doses in, write them off, stop a lot, look into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.errors import LotInQuarantine
from domain.stock import Lot, LotStatus
from domain.vaccine import ListLots, ListVaccines, VaccineLevel
from kiosk.i18n import Texts
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.given import GivenScreen
from kiosk.screens.desk.ledger import LedgerScreen
from kiosk.screens.desk.list_desk import ListDesk
from kiosk.screens.desk.lots import COLUMNS, lot_rows
from kiosk.screens.desk.take_out import QuarantineScreen, WriteOffScreen
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.say import Say


class VaccineLotsScreen(ListDesk):
    """The lots, first to expire first, and what can be done with the one under the cursor."""

    BAR = "vaccine_admin.lots_bar"
    HELP = "vaccine_admin.lots_help"
    OF_A_ROW = frozenset({"given", "write_off", "quarantine"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "given", "vaccine_admin.given"),
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

    def above(self) -> ComposeResult:
        """The vaccine and its counters."""
        yield Say(lambda t: product(self._level.vaccine.presentation, t), id="heading")
        yield Say(self._counters, id="counters")

    def clinic_changed(self) -> None:
        """Every dose given changes a lot."""
        self.run_query(ListLots(self._level.vaccine.code), self.Listed)
        self.run_query(ListVaccines(), self.Counted)

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        rows = lot_rows(self._lots, self.services.clinic, self.services.clock.now(), self.texts)
        self.show_rows(COLUMNS, rows, "vaccine_admin.no_lots")

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

    def _counters(self, texts: Texts) -> str:
        vaccine = self._level.vaccine
        return texts(
            "vaccine_admin.counters", stock=vaccine.stock, reserved=vaccine.reserved,
            available=vaccine.available, waiting=self._level.waiting,
        )  # fmt: skip

    @property
    def _chosen(self) -> Lot | None:
        number = self.table.current
        return next((lot for lot in self._lots if lot.number == number), None)

    def action_add_stock(self) -> None:
        """A delivery."""
        self.lead_to(AddStockScreen(self.services, self.actor, self.done, self._level.vaccine))

    def action_write_off(self) -> None:
        """Doses of the lot under the cursor are lost."""
        if lot := self._chosen:
            form = WriteOffScreen(self.services, self.actor, self.done, self._level, lot)
            self.lead_to(form)

    def action_quarantine(self) -> None:
        """Nothing of the lot under the cursor may be used; of one that was stopped before that is said."""
        lot = self._chosen
        if lot and lot.status is LotStatus.QUARANTINED:
            self.show_error(LotInQuarantine(lot=lot.number))
        elif lot:
            form = QuarantineScreen(self.services, self.actor, self.done, self._level, lot)
            self.lead_to(form)

    def action_given(self) -> None:
        """Whoever had a dose of the lot under the cursor."""
        if lot := self._chosen:
            self.lead_to(GivenScreen(self.services, self.actor, self._level.vaccine, lot.number))

    def action_ledger(self) -> None:
        """Every dose of this vaccine."""
        self.lead_to(LedgerScreen(self.services, self.actor, self._level.vaccine))
