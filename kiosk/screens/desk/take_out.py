"""Doses leave the stock: written off, or stopped with their whole lot.

Before either is confirmed it says how many bookings would lose their dose and go back to the wait list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.errors import InsufficientStock, LotInQuarantine, LotUnknown
from domain.messages import Command
from domain.stock import Lot, Vaccine
from domain.vaccine import ListVaccines, QuarantineLot, VaccineLevel, WriteOffStock
from kiosk.i18n import Texts, Words
from kiosk.screens.base import Refused
from kiosk.screens.desk.form import Entries, FormPage, whole
from kiosk.screens.desk.reason import read_reason, reason_entries
from kiosk.screens.desk.words import figures
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.field import Field


def stepping_back(vaccine: Vaccine, doses: int) -> int:
    """How many reservations would have no dose any more (see `domain.wait_list.step_back`)."""
    return min(vaccine.reserved, max(0, doses - vaccine.available))


class TakeOutScreen(FormPage):
    """What both have in common: the lot, the counters of the moment, the question before the deed."""

    KINDS: tuple[str, ...]

    @dataclass
    class Counted(Message):
        """The counters as they are now, for the question."""

        levels: list[VaccineLevel]

    @dataclass
    class TakenOut(Message):
        """The doses are out of the stock."""

        vaccine: Vaccine

    def __init__(
        self, services: Services, actor: Actor, done: Callable[[Words], None], level: VaccineLevel, lot: Lot
    ) -> None:
        super().__init__(services, actor, done)
        self._level, self._lot = level, lot
        self._doses, self._reason = lot.remaining, ""

    def about(self) -> ComposeResult:
        """Which lot."""
        vaccine = self._level.vaccine
        yield Facts(
            [
                Fact("vaccine_admin.name", lambda t: product(vaccine.presentation, t), "strong"),
                Fact("desk.lot", self._lot.number, "strong"),
                Fact("desk.expires_on", figures(self._lot.expires_on)),
                Fact("desk.remaining", lambda t: t("desk.doses", doses=self._lot.remaining)),
            ]
        )

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        code = self._lot.vaccine
        vaccine = next((level.vaccine for level in event.levels if level.vaccine.code == code), None)
        back = stepping_back(vaccine or self._level.vaccine, self._doses)
        self.confirm(
            self.HEADING, lambda t: self.question(t, back), yes=f"{self.HEADING}_yes",
            then=lambda: self.run_command(self.command(), self.TakenOut, self.wish),
        )  # fmt: skip

    def question(self, texts: Texts, back: int) -> str:
        """What would happen."""
        facts = {"lot": self._lot.number, "doses": self._doses, "reason": self._reason}
        after = texts("vaccine_admin.step_back", back=back) if back else texts("vaccine_admin.nobody_back")
        return f"{texts(f'{self.HEADING}_body', **facts)}\n\n{after}"

    def command(self) -> Command[Vaccine]:
        """What is sent after a yes."""
        raise NotImplementedError

    @on(TakenOut)
    def _taken_out(self) -> None:
        facts = {"lot": self._lot.number, "doses": self._doses}
        self.finish(lambda t: t(f"{self.HEADING}_done", **facts))


class WriteOffScreen(TakeOutScreen):
    """Some doses of a lot are lost."""

    HELP = "vaccine_admin.write_off_help"
    BAR = "vaccine_admin.lots_bar"
    HEADING = "vaccine_admin.write_off_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "vaccine_admin.write_off")]
    KINDS = ("broken", "warm", "expired", "left_over")

    def entries(self) -> ComposeResult:
        """How many, and why."""
        yield Field("doses", "vaccine_admin.doses_lost")
        yield from reason_entries(self.KINDS)

    def send(self) -> None:
        """Ask for the counters of the moment, then ask whether to do it."""
        if self.read_all(self._read):
            self.run_query(ListVaccines(), self.Counted)

    def _read(self, entries: Entries) -> bool:
        left, number = self._lot.remaining, self._lot.number
        if left:
            self._doses = entries.read("doses", lambda text: whole(text, "doses", 1, left))
        else:
            entries.refuse("doses", lambda t: t.error(InsufficientStock(remaining=0, lot=number)))
        self._reason = read_reason(entries, self.texts)
        return True

    def command(self) -> Command[Vaccine]:
        """See `TakeOutScreen.command`."""
        return WriteOffStock(self._lot.vaccine, self._lot.number, self._doses, self._reason)

    def refused(self, event: Refused) -> None:
        """Somebody took doses of it meanwhile."""
        if not self.refuse_beside(event, "doses", InsufficientStock, LotUnknown):
            super().refused(event)


class QuarantineScreen(TakeOutScreen):
    """A whole lot must not be used any more."""

    HELP = "vaccine_admin.quarantine_help"
    BAR = "vaccine_admin.lots_bar"
    HEADING = "vaccine_admin.quarantine_heading"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "submit", "vaccine_admin.quarantine")]
    KINDS = ("recall", "warm", "doubt")

    def entries(self) -> ComposeResult:
        """Why."""
        yield from reason_entries(self.KINDS)

    def send(self) -> None:
        """Ask for the counters of the moment, then ask whether to do it."""
        if self.read_all(self._read):
            self.run_query(ListVaccines(), self.Counted)

    def _read(self, entries: Entries) -> bool:
        self._reason = read_reason(entries, self.texts)
        return True

    def command(self) -> Command[Vaccine]:
        """See `TakeOutScreen.command`."""
        return QuarantineLot(self._lot.vaccine, self._lot.number, self._reason)

    def refused(self, event: Refused) -> None:
        """Somebody else stopped it meanwhile."""
        if not self.refuse_beside(event, "reason", LotInQuarantine, LotUnknown):
            super().refused(event)
