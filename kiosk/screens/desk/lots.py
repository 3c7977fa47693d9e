"""How long a lot can be used, in a word: the first to expire goes first."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from domain.clinic import Clinic
from domain.stock import Lot, LotStatus
from kiosk.i18n import Texts
from kiosk.screens.desk.words import figures
from kiosk.widgets.desk_table import Column, Row, Toned

SOON = timedelta(hours=72)
"""The health agency asked for a warning this long before a lot expires."""

COLUMNS = (
    Column("desk.lot", 20),
    Column("desk.expires_on", 10),
    Column("desk.remaining", 6, right=True),
    Column("desk.state"),
)


class LotState(Enum):
    """What to know before taking a dose of a lot."""

    FIRST = "first"
    GOOD = "good"
    SOON = "soon"
    EMPTY = "empty"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"


_TONES = {
    LotState.FIRST: "good",
    LotState.SOON: "alarm",
    LotState.EXPIRED: "alarm",
    LotState.QUARANTINED: "alarm",
    LotState.EMPTY: "faint",
}


def state_of(lot: Lot, clinic: Clinic, now: datetime) -> LotState:
    """What can be said of one lot by itself."""
    ends = clinic.start_of(lot.expires_on + timedelta(days=1))
    if lot.status is LotStatus.QUARANTINED:
        return LotState.QUARANTINED
    if ends <= now:
        return LotState.EXPIRED
    if not lot.remaining:
        return LotState.EMPTY
    return LotState.SOON if ends - now <= SOON else LotState.GOOD


def usable(lots: list[Lot], clinic: Clinic, now: datetime) -> list[Lot]:
    """The lots that may be used, first to expire first."""
    return [lot for lot in lots if state_of(lot, clinic, now) in (LotState.GOOD, LotState.SOON)]


def lot_rows(lots: list[Lot], clinic: Clinic, now: datetime, texts: Texts) -> list[Row]:
    """The lots as a table shows them; the one to use next says so."""
    first = next(iter(usable(lots, clinic, now)), None)
    rows = []
    for lot in lots:
        state = state_of(lot, clinic, now)
        words = texts(f"desk.lot_state.{state.value}")
        if lot is first and state is LotState.GOOD:
            state, words = LotState.FIRST, texts("desk.lot_state.first")
        elif lot is first:
            words = f"{words}, {texts('desk.lot_state.first')}"
        cell = Toned(words, _TONES[state]) if state in _TONES else words
        rows.append(Row(lot.number, (lot.number, figures(lot.expires_on), str(lot.remaining), cell)))
    return rows
