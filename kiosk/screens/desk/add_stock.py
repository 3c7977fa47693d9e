"""A delivery: lot, expiry date and doses; lot and date come from the box by one scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from domain.actors import Actor
from domain.errors import BadCharacters, DateInPast, InputError, LotInQuarantine, LotMismatch, NotOnALabel
from domain.recipient import parse_date
from domain.stock import Vaccine
from domain.vaccine import AddStock, parse_doses, parse_lot
from kiosk.gs1 import Scanned, is_misread, read_gs1
from kiosk.i18n import Words
from kiosk.screens.base import Refused
from kiosk.screens.desk.form import Complaint, Entries, FormPage
from kiosk.screens.desk.words import figures
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.field import Field
from kiosk.widgets.say import Say
from kiosk.widgets.scan_field import LotField

MOST_YEARS = 10
"""No vaccine keeps longer; a later date is a typing error."""


class BoxMisread(InputError):
    """The scanner, or the print on the box, lost a part of its code."""

    code = "box-misread"
    text = "The code of the box was not read rightly. Scan it again, or write the lot from the label."


def lot_on_label(text: str, field: str = "lot") -> str:
    """A lot number as it is printed: `parse_lot`, and nothing that a label cannot hold.

    A keyboard left in Hangul mode types letters that look like a lot number to nobody. Raises BoxMisread
    for the code of a box of which no lot could be read.
    """
    if is_misread(text):
        raise BoxMisread(field)
    lot = parse_lot(text, field)
    if bad := [character for character in lot if not "!" <= character <= "~"]:
        if any(character.isalpha() for character in bad):
            raise NotOnALabel(field)
        raise BadCharacters(field, characters="".join(dict.fromkeys(bad))[:12])
    return lot


class AddStockScreen(FormPage):
    """Takes a delivery of one lot in."""

    HELP = "vaccine_admin.add_stock_help"
    BAR = "vaccine_admin.add_stock_bar"
    HEADING = "vaccine_admin.add_stock_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "vaccine_admin.add_stock")]

    @dataclass
    class Added(Message):
        """The doses are in the stock."""

        vaccine: Vaccine

    def __init__(
        self, services: Services, actor: Actor, done: Callable[[Words], None], vaccine: Vaccine
    ) -> None:
        super().__init__(services, actor, done)
        self._vaccine = vaccine
        self._sent: AddStock | None = None

    def about(self) -> ComposeResult:
        """Which vaccine."""
        yield Say(lambda t: product(self._vaccine.presentation, t), classes="subject")

    def entries(self) -> ComposeResult:
        """What the box says, and how many doses came."""
        yield LotField("lot", "vaccine_admin.lot_or_scan")
        yield Say(id="scanned", classes="good")
        yield Field("expires_on", "vaccine_admin.expires_on")
        yield Field("doses", "vaccine_admin.doses")

    def took(self, stop: Widget | None) -> Widget | None:
        """A scan of the box fills the first two entries."""
        lot, expires_on = self.entry("lot"), self.entry("expires_on")
        if stop is not lot.input:
            return stop
        if self._take_scan():
            return expires_on.input if expires_on.value else stop
        if is_misread(lot.value):
            self.show_error(BoxMisread("lot"))
            return None
        return stop

    def _take_scan(self) -> bool:
        scanned = read_gs1(self.entry("lot").value, self.today)
        if scanned is None:
            return False
        self.entry("lot").value = scanned.lot or ""
        if scanned.expires_on:
            self.entry("expires_on").value = figures(scanned.expires_on)
        self.query_one("#scanned", Say).say(lambda t: t(f"vaccine_admin.scanned{_open_end(scanned)}"))
        self.clear_errors()
        return True

    def send(self) -> None:
        """Take it in."""
        self._take_scan()
        command = self.read_all(self._read)
        if command:
            self._sent = command
            self.run_command(command, self.Added, self.wish)

    def _read(self, entries: Entries) -> AddStock:
        return AddStock(
            self._vaccine.code,
            entries.read("lot", lot_on_label),
            entries.read("expires_on", self._expiry),
            entries.read("doses", parse_doses),
        )

    def _expiry(self, text: str) -> date:
        day = parse_date(text, "expires_on")
        if day < self.today:
            raise DateInPast("expires_on")
        if day.year > self.today.year + MOST_YEARS:
            raise Complaint("expires_on", lambda t: t("vaccine_admin.expiry_far", years=MOST_YEARS))
        return day

    def refused(self, event: Refused) -> None:
        """What the clinic knows of the lot stands beside it."""
        if not self.refuse_beside(event, "lot", LotMismatch, LotInQuarantine):
            super().refused(event)

    @on(Added)
    def _added(self, event: Added) -> None:
        sent = self._sent
        if sent:
            self.finish(
                lambda t: t(
                    "vaccine_admin.added", lot=sent.lot, doses=sent.doses, stock=event.vaccine.stock,
                    vaccine=product(event.vaccine.presentation, t),
                )
            )  # fmt: skip


def _open_end(scanned: Scanned) -> str:
    return "_open" if scanned.other_lots else ""
