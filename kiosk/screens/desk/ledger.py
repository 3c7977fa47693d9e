"""The ledger of a vaccine: every dose that came, was reserved, given or lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from domain.codes import spoken
from domain.stock import LedgerEntry
from domain.vaccine import LedgerLine, ListLedger
from kiosk.i18n import Texts
from kiosk.screens.desk.paged import PagedDesk
from kiosk.screens.desk.words import moment_or_day
from kiosk.widgets.desk_table import Column, Toned
from kiosk.widgets.facts import Fact


class LedgerScreen(PagedDesk[LedgerLine]):
    """Who, when, and why."""

    BAR = "vaccine_admin.ledger_bar"
    HELP = "vaccine_admin.ledger_help"
    NOTHING = "vaccine_admin.no_entries"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("vaccine_admin.at", 11),
        Column("vaccine_admin.what", 11),
        Column("vaccine_admin.stock", 5, right=True),
        Column("vaccine_admin.reserved", 6, right=True),
        Column("desk.lot", 10),
        Column("vaccine_admin.why"),
        Column("vaccine_admin.who", 11),
    )

    def asked(self, limit: int, offset: int) -> ListLedger:
        """A page of this vaccine's."""
        return ListLedger(self.vaccine.code, limit, offset)

    def key(self, entry: LedgerLine) -> str:
        """Its number."""
        return str(entry.number)

    def cells(self, entry: LedgerLine) -> tuple[str | Toned, ...]:
        """Where nothing moved, a faint figure."""
        clinic, of = self.services.clinic, entry.entry
        return (
            moment_or_day(clinic.local(of.at), clinic.today(self.services.clock.now())),
            self.texts(f"vaccine_admin.kind.{of.kind.value}"),
            _signed(of.stock_delta),
            _signed(of.reserved_delta),
            of.lot or Toned("-", "faint"),
            _why(of, self.texts),
            _who(entry, self.texts),
        )

    def facts(self, entry: LedgerLine) -> list[Fact]:
        """What the columns cut short."""
        of = entry.entry
        local = self.services.clinic.local(of.at)
        return [
            Fact("vaccine_admin.at", lambda t: t.fact(local)),
            Fact("vaccine_admin.what", f"vaccine_admin.kind.{of.kind.value}", "strong"),
            Fact("desk.lot", of.lot),
            Fact("vaccine_admin.why", lambda t: _why(of, t), "strong"),
            Fact("vaccine_admin.who", lambda t: _who(entry, t)),
        ]


def _who(line: LedgerLine, texts: Texts) -> str:
    """By name; who is no member of staff here (a recipient, a policy), in a word or by code."""
    actor = line.entry.actor
    word = texts.word(actor)
    return line.name or (spoken(actor) if word == actor else word)


def _why(entry: LedgerEntry, texts: Texts) -> str:
    reference = spoken(entry.reference) if entry.reference else ""
    return ", ".join(part for part in (texts.word(entry.reason), reference) if part)


def _signed(delta: int) -> str | Toned:
    return f"{delta:+}" if delta else Toned("0", "faint")
