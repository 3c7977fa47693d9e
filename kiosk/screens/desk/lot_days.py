"""The doses of a day, lot by lot: what the fridge is counted against before the clinic closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.stock import EntryKind
from domain.vaccine import ListLotDays, LotDay
from kiosk.i18n import Texts
from kiosk.screens.desk.list_desk import DetailedDesk
from kiosk.screens.desk.words import figures
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.desk_table import Column, Row, Toned
from kiosk.widgets.facts import Fact
from kiosk.widgets.say import Say

COLUMNS = (
    Column("vaccine_admin.name"),
    Column("desk.lot", 12),
    Column("vaccine_admin.opening", 5, right=True),
    Column("vaccine_admin.came", 5, right=True),
    Column("vaccine_admin.went", 5, right=True),
    Column("vaccine_admin.out", 5, right=True),
    Column("vaccine_admin.put_right", 5, right=True),
    Column("vaccine_admin.closing", 5, right=True),
)
GROUPS = {
    "came": (EntryKind.RECEIVED,),
    "given": (EntryKind.GIVEN,),
    "out": (EntryKind.WRITTEN_OFF, EntryKind.QUARANTINED),
    "put_right": (EntryKind.CORRECTED,),
}


class LotDaysScreen(DetailedDesk):
    """Today, or a day before it."""

    BAR = "vaccine_admin.lot_days_bar"
    HELP = "vaccine_admin.lot_days_help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "turn(-1)", "vaccine_admin.day_before"),
        Binding("f3", "turn(1)", "vaccine_admin.day_after"),
    ]

    @dataclass
    class Listed(Message):
        """The lots of one day."""

        day: date
        lots: list[LotDay]

    def __init__(self, services: Services, actor: Actor) -> None:
        super().__init__(services, actor)
        self._day = self._today
        self._lots: list[LotDay] = []

    @property
    def _today(self) -> date:
        return self.services.clinic.today(self.services.clock.now())

    def above(self) -> ComposeResult:
        """The day, and its doses together."""
        yield Say(lambda t: t.day(self._day), id="heading")
        yield Say(self._together, id="counters")

    def clinic_changed(self) -> None:
        """Every dose given changes a lot."""
        day = self._day
        self.run_query(ListLotDays(day), lambda lots: self.Listed(day, lots))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is to come is not known."""
        if action == "turn" and parameters == (1,):
            return self._day < self._today
        return super().check_action(action, parameters)

    def action_turn(self, by: int) -> None:
        """A day earlier or later."""
        self._day += timedelta(days=by)
        self.clinic_changed()

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if event.day == self._day:  # not of a day that was left meanwhile
            self._lots = event.lots
            self.retranslate()

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        self.show_rows(COLUMNS, [self._row(day) for day in self._lots], "vaccine_admin.no_lot_days")
        for words in ("#heading", "#counters"):
            self.query_one(words, Say).retranslate()
        self.tell()

    def _row(self, day: LotDay) -> Row:
        moved = [day.doses(*kinds) for kinds in GROUPS.values()]
        return Row(
            _key(day),
            (
                product(day.vaccine, self.texts),
                day.lot.number,
                str(day.opening),
                *(f"{doses:+}" if doses else Toned("0", "faint") for doses in moved),
                str(day.closing),
            ),
        )

    def _together(self, texts: Texts) -> str:
        moved = {name: f"{sum(day.doses(*kinds) for day in self._lots):+}" for name, kinds in GROUPS.items()}
        opening, left = (sum(map(of, self._lots)) for of in (attrgetter("opening"), attrgetter("closing")))
        return texts("vaccine_admin.lot_days_together", opening=opening, **moved, left=left)

    def details(self, key: str) -> list[Fact]:
        """What moved, kind by kind."""
        return next((self._facts(day) for day in self._lots if _key(day) == key), [])

    def _facts(self, day: LotDay) -> list[Fact]:
        moves: Sequence[Fact] = [
            Fact(f"vaccine_admin.kind.{kind.value}", f"{day.moved[kind]:+}")
            for kind in EntryKind
            if kind in day.moved
        ]
        return [
            Fact("vaccine_admin.name", lambda t: product(day.vaccine, t), "strong"),
            Fact("desk.lot", day.lot.number),
            Fact("desk.expires_on", figures(day.lot.expires_on)),
            *moves,
        ]


def _key(day: LotDay) -> str:
    return f"{day.lot.vaccine} {day.lot.number}"
