"""The ledger of a vaccine: every dose that came, was reserved, given or lost; newest first, in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from domain.actors import Actor
from domain.codes import spoken
from domain.stock import LedgerEntry, Vaccine
from domain.vaccine import ListLedger
from kiosk.i18n import Texts
from kiosk.screens.desk.list_desk import ListDesk
from kiosk.screens.desk.words import moment_or_day
from kiosk.screens.products import product
from kiosk.services import Services
from kiosk.widgets.desk_table import Column, DeskTable, Row, Toned
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.say import Say

PAGE = 100
COLUMNS = (
    Column("vaccine_admin.at", 11),
    Column("vaccine_admin.what", 11),
    Column("vaccine_admin.stock", 5, right=True),
    Column("vaccine_admin.reserved", 6, right=True),
    Column("desk.lot", 10),
    Column("vaccine_admin.why"),
    Column("vaccine_admin.who", 11),
)


class LedgerScreen(ListDesk):
    """One page of the ledger at a time."""

    BAR = "vaccine_admin.ledger_bar"
    HELP = "vaccine_admin.ledger_help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "turn(1)", "vaccine_admin.older"),
        Binding("f3", "turn(-1)", "vaccine_admin.newer"),
    ]

    @dataclass
    class Listed(Message):
        """One page, and whether there is more."""

        page: int
        entries: list[LedgerEntry]

    def __init__(self, services: Services, actor: Actor, vaccine: Vaccine) -> None:
        super().__init__(services, actor)
        self._vaccine = vaccine
        self._page, self._more = 0, False
        self._entries: list[LedgerEntry] = []

    def above(self) -> ComposeResult:
        """The vaccine, and where in the ledger one is."""
        yield Say(lambda t: product(self._vaccine.presentation, t), id="heading")
        yield Say(id="where", classes="hint")

    def below(self) -> ComposeResult:
        """The one under the cursor in full."""
        yield Facts(id="entry")

    def clinic_changed(self) -> None:
        """Something was entered."""
        self._ask(self._page)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only towards where there are entries."""
        if action != "turn":
            return super().check_action(action, parameters)
        return self._more if parameters == (1,) else self._page > 0

    def action_turn(self, by: int) -> None:
        """Older or newer entries."""
        self._page, self._more = self._page + by, False
        self._ask(self._page)

    def _ask(self, page: int) -> None:
        query = ListLedger(self._vaccine.code, limit=PAGE + 1, offset=page * PAGE)
        self.run_query(query, lambda entries: self.Listed(page, entries))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if event.page != self._page:  # the answer about a page that was left meanwhile
            return
        self._more = len(event.entries) > PAGE
        self._entries = event.entries[:PAGE]
        self.retranslate()

    def retranslate(self) -> None:
        """The table in the language of the moment."""
        rows = [self._row(key, entry) for key, entry in self._keyed.items()]
        self.show_rows(COLUMNS, rows)
        self._tell()
        first = self._page * PAGE + 1
        key = "vaccine_admin.where" if rows else "vaccine_admin.no_entries"
        facts = {"first": first, "last": first + len(rows) - 1}
        self.query_one("#where", Say).say(lambda t: t(key + ("_more" if self._more else ""), **facts))

    @property
    def _keyed(self) -> dict[str, LedgerEntry]:
        return {f"{self._page}:{number}": entry for number, entry in enumerate(self._entries)}

    def _row(self, key: str, entry: LedgerEntry) -> Row:
        clinic = self.services.clinic
        return Row(
            key,
            (
                moment_or_day(clinic.local(entry.at), clinic.today(self.services.clock.now())),
                self.texts(f"vaccine_admin.kind.{entry.kind.value}"),
                _signed(entry.stock_delta),
                _signed(entry.reserved_delta),
                entry.lot or Toned("-", "faint"),
                _why(entry, self.texts),
                self._who(entry.actor, self.texts),
            ),
        )

    @on(DeskTable.RowHighlighted)
    def _tell(self) -> None:
        entry = self._keyed.get(self.table.current or "")
        self.query_one("#entry", Facts).show(self._facts(entry) if entry else [])

    def _facts(self, entry: LedgerEntry) -> list[Fact]:
        local = self.services.clinic.local(entry.at)
        return [
            Fact("vaccine_admin.at", lambda t: t.fact(local)),
            Fact("vaccine_admin.what", f"vaccine_admin.kind.{entry.kind.value}", "strong"),
            Fact("desk.lot", entry.lot),
            Fact("vaccine_admin.why", lambda t: _why(entry, t), "strong"),
            Fact("vaccine_admin.who", lambda t: self._who(entry.actor, t)),
        ]

    def _who(self, actor: str, texts: Texts) -> str:
        if actor == self.actor.code:
            return self.actor.name
        word = texts.word(actor)
        return spoken(actor) if word == actor else word


def _why(entry: LedgerEntry, texts: Texts) -> str:
    reference = spoken(entry.reference) if entry.reference else ""
    return ", ".join(part for part in (texts.word(entry.reason), reference) if part)


def _signed(delta: int) -> str | Toned:
    return f"{delta:+}" if delta else Toned("0", "faint")
