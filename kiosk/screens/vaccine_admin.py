"""Vaccine admin: every vaccine with its live stock, and the lots of the one under the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message

from domain.stock import Lot, Vaccine
from domain.vaccine import ListLots, ListVaccines, VaccineLevel
from kiosk.i18n import Words
from kiosk.locations import STYLES
from kiosk.screens.base import StaffScreen
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.ledger import LedgerScreen
from kiosk.screens.desk.lot_days import LotDaysScreen
from kiosk.screens.desk.lots import COLUMNS, lot_rows
from kiosk.screens.desk.register import RegisterScreen
from kiosk.screens.desk.vaccine_lots import VaccineLotsScreen
from kiosk.screens.products import product
from kiosk.widgets.bars import KeyBar, TopBar
from kiosk.widgets.desk_table import Column, DeskTable, Row, Toned
from kiosk.widgets.say import Say

LEVELS = (
    Column("vaccine_admin.name"),
    Column("vaccine_admin.stock", 6, right=True),
    Column("vaccine_admin.reserved", 6, right=True),
    Column("vaccine_admin.available", 8, right=True),
    Column("vaccine_admin.waiting", 7, right=True),
)


class VaccineTable(DeskTable):
    """Enter opens the vaccine's lots."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "vaccine_admin.open")]


class VaccineAdminScreen(StaffScreen):
    """Vaccines above or on the left, the lots of one of them beside."""

    HELP = "vaccine_admin.help"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        STYLES / "staff.tcss",
        STYLES / "desk.tcss",
        STYLES / "vaccine_admin.tcss",
    ]
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - so declared by Screen
        (0, "-narrow"), (60, "-medium"), (96, "-wide"), (130, "-broad"),
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "register", "vaccine_admin.register"),
        Binding("f3", "add_stock", "vaccine_admin.add_stock"),
        Binding("f4", "ledger", "vaccine_admin.ledger"),
        Binding("f5", "lot_days", "vaccine_admin.lot_days"),
    ]

    @dataclass
    class Listed(Message):
        """Every vaccine with its counters."""

        levels: list[VaccineLevel]

    @dataclass
    class LotsListed(Message):
        """The lots of one vaccine."""

        vaccine: str
        lots: list[Lot]

    def compose(self) -> ComposeResult:
        """Table, lots, and what was done last."""
        yield TopBar("vaccine_admin.bar", lambda t: self.actor.name)
        yield Say(id="notice")
        with Container(id="desk"):
            with Vertical(classes="side", id="vaccines"):
                yield Say("vaccine_admin.vaccines", classes="section")
                yield Say(id="empty")
                yield VaccineTable(id="levels")
            with Vertical(classes="side", id="lots-side"):
                yield Say(id="lots-of", classes="section")
                yield Say(id="no-lots")
                yield DeskTable(id="lots", focusable=False, cursor=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask which vaccines there are."""
        self._levels: list[VaccineLevel] = []
        self._lots: list[Lot] = []
        self.query_one(VaccineTable).focus()
        self.clinic_changed()

    def clinic_changed(self) -> None:
        """Counters move with every booking and every dose."""
        self.run_query(ListVaccines(), self.Listed)

    def retranslate(self) -> None:
        """The tables in the language of the moment."""
        self._fill()
        self._fill_lots()

    @property
    def _chosen(self) -> VaccineLevel | None:
        code = self.query_one(VaccineTable).current
        return next((level for level in self._levels if level.vaccine.code == code), None)

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if not _codes(self._levels) <= _codes(event.levels):  # asked before one of these was registered
            return
        self._levels = event.levels
        self._fill()
        self._ask_lots()

    @on(DeskTable.RowHighlighted, "#levels")
    def _highlighted(self) -> None:
        self._ask_lots()

    def _ask_lots(self) -> None:
        level = self._chosen
        if level is None:
            self._lots = []
            self._fill_lots()
            return
        code = level.vaccine.code
        self.run_query(ListLots(code), lambda lots: self.LotsListed(code, lots))

    @on(LotsListed)
    def _lots_listed(self, event: LotsListed) -> None:
        level = self._chosen
        if level and level.vaccine.code == event.vaccine:  # an answer about one left meanwhile is old
            self._lots = event.lots
            self._fill_lots()

    def _fill(self) -> None:
        rows = []
        for level in self._levels:
            vaccine = level.vaccine
            cells = (
                product(vaccine.presentation, self.texts),
                str(vaccine.stock),
                str(vaccine.reserved),
                str(vaccine.available) if vaccine.available else Toned("0", "alarm"),
                Toned(str(level.waiting), "alarm") if level.waiting else "0",
            )
            rows.append(Row(vaccine.code, cells))
        self.query_one(VaccineTable).show(LEVELS, rows)
        self.query_one("#empty", Say).say("" if rows else "vaccine_admin.empty")
        self.query_one(VaccineTable).display = bool(rows)
        self.query_one("#lots-side").display = bool(rows)
        if rows and self.focused is None:  # a table without rows is hidden, and loses the focus
            self.query_one(VaccineTable).focus()
        self.refresh_bindings()

    def _fill_lots(self) -> None:
        level = self._chosen
        name: Words = (lambda t: product(level.vaccine.presentation, t)) if level else ""
        self.query_one("#lots-of", Say).say(name)
        lots = self.query_one("#lots", DeskTable)
        rows = lot_rows(self._lots, self.services.clinic, self.services.clock.now(), self.texts)
        lots.show(COLUMNS, rows)
        lots.display = bool(rows)
        self.query_one("#no-lots", Say).say("vaccine_admin.no_lots" if level and not rows else "")

    def _done(self, words: Words) -> None:
        self.query_one("#notice", Say).say(words)
        self.clinic_changed()

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a vaccine there is neither a delivery nor a ledger."""
        return action not in {"add_stock", "ledger", "lot_days"} or (
            self.is_mounted and self._chosen is not None
        )

    def action_register(self) -> None:
        """A vaccine that the clinic gives from now on."""
        registered = frozenset(level.vaccine.presentation.key for level in self._levels)
        self.lead_to(RegisterScreen(self.services, self.actor, self._registered, registered))

    def _registered(self, vaccine: Vaccine) -> None:
        """It has the cursor at once: the next key takes its first delivery in."""
        if vaccine.code not in _codes(self._levels):
            self._levels = [*self._levels, VaccineLevel(vaccine, waiting=0)]
            self._fill()
        self.query_one(VaccineTable).go_to(vaccine.code)
        self._done(lambda t: t("vaccine_admin.registered_now", vaccine=product(vaccine.presentation, t)))

    def action_add_stock(self) -> None:
        """A delivery for the vaccine under the cursor."""
        if level := self._chosen:
            self.lead_to(AddStockScreen(self.services, self.actor, self._done, level.vaccine))

    def action_ledger(self) -> None:
        """Every dose of the vaccine under the cursor."""
        if level := self._chosen:
            self.lead_to(LedgerScreen(self.services, self.actor, level.vaccine))

    def action_lot_days(self) -> None:
        """Every lot of the clinic, as this day went."""
        self.lead_to(LotDaysScreen(self.services, self.actor))

    @on(DeskTable.RowSelected, "#levels")
    def _open(self) -> None:
        if level := self._chosen:
            self.lead_to(VaccineLotsScreen(self.services, self.actor, level))


def _codes(levels: list[VaccineLevel]) -> set[str]:
    return {level.vaccine.code for level in levels}
